package ssa_test

import (
	"testing"

	"github.com/wasmaot/wasmaot/compiler/abi"
	. "github.com/wasmaot/wasmaot/compiler/ssa"
)

// TestConst makes more and fewer constants in turns: equal ones are one value, in each function anew.
func TestConst(t *testing.T) {
	var f Func
	for _, n := range []uint64{5, 1000, 3, 100, 2000, 40} {
		f.Reset()
		values := make(map[Value]uint64)
		for range 2 {
			for i := range n {
				v := f.Const(abi.I64, i*i<<20)
				if bits, ok := f.IsConst(v); !ok || bits != i*i<<20 {
					t.Fatalf("v%d is %#x, expected %#x", v, bits, i*i<<20)
				}
				values[v] = i
			}
		}
		if len(values) != int(n) {
			t.Errorf("%d values for %d constants", len(values), n)
		}
		if a, b := f.Const(abi.I32, 1), f.Const(abi.I64, 1); a == b {
			t.Error("i32 and i64 share a constant")
		}
		if a, b := f.Const(abi.I32, 1<<40|7), f.Const(abi.I32, 7); a != b {
			t.Error("the upper half of an i32 constant counts")
		}
	}
}
