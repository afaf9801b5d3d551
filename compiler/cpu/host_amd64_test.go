package cpu

import (
	"testing"

	"golang.org/x/sys/cpu"
)

// TestHost compares with a package that asks in its own way.
func TestHost(t *testing.T) {
	x, f := &cpu.X86, Host()
	for _, c := range []struct {
		name string
		has  bool
		bit  uint64
	}{
		{"v2", x.HasSSE3 && x.HasSSE41 && x.HasSSE42 && x.HasSSSE3 && x.HasPOPCNT && x.HasCX16, V2},
		{"bmi1", x.HasBMI1, BMI1}, {"bmi2", x.HasBMI2, BMI2}, {"lzcnt", x.HasLZCNT, LZCNT},
		{"avx", x.HasAVX, AVX}, {"avx2", x.HasAVX2, AVX2}, {"fma", x.HasFMA, FMA},
	} {
		if f&c.bit != 0 != c.has {
			t.Errorf("%s: expected %v, found %v", c.name, c.has, !c.has)
		}
	}
	var state uint32
	if x.HasOSXSAVE {
		state = 1 << 1
	}
	if x.HasAVX {
		state |= 1 << 2
	}
	if x.HasAVX512F {
		state |= 7 << 5
	}
	if got := VectorState(); got != state {
		t.Errorf("vector state: expected 0x%x, found 0x%x", state, got)
	}
}
