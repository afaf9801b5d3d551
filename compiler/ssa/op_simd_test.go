package ssa

import (
	"strings"
	"testing"
)

// TestCheckVectors asks for what the checker finds wrong with operations on vectors.
func TestCheckVectors(t *testing.T) {
	for _, c := range []struct{ inst, want string }{
		{"v2:v128 = vadd.i8x16 v1, v1", ""},
		{"v2:v128 = vmul.i8x16 v1, v1", "no operation on i8x16"},
		{"v2:v128 = vmins.f32x4 v1, v1", "no operation on f32x4"},
		{"v2:i32 = vextract.i16x8 v1, 7", ""},
		{"v2:i32 = vextract.i16x8 v1, 8", "lane 8 of i16x8"},
		{"v2:i64 = vextract.i16x8 v1, 7", "lane of type i64 in i16x8"},
		{"v2:v128 = vsplat.f64x2 1:f32", "lane of type f32 in f64x2"},
		{"v2:v128 = vreplace.f64x2 v1, 1:f64, 1", ""},
		{"v2:v128 = vshuffle v1, v1, 0x000102030405060708090a0b0c0d0e1f:v128", ""},
		{"v2:v128 = vshuffle v1, v1, 0x000102030405060708090a0b0c0d0e20:v128", "lanes below 32"},
		{"v2:v128 = vshuffle v1, v1, v1", "expected a constant"},
		{"v2:v128 = vadd.i32x4 v1, 1:i32", "expected one of [v128]"},
	} {
		f, err := Parse("func 0 (v128) -> ()\nb0(v1:v128):\n  " + c.inst + "\n  return\n")
		if err != nil {
			t.Errorf("%s: %v", c.inst, err)
			continue
		}
		err = Check(f)
		if c.want == "" && err != nil || c.want != "" && (err == nil || !strings.Contains(err.Error(), c.want)) {
			t.Errorf("%s: expected %q, found %v", c.inst, c.want, err)
		}
	}
	if _, err := Parse("func 0 (v128) -> ()\nb0(v1:v128):\n  v2:v128 = vadd.i9x16 v1, v1\n  return\n"); err == nil {
		t.Error("i9x16 is a shape")
	}
}
