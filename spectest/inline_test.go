package spectest

import (
	"testing"

	"github.com/wasmaot/wasmaot/compiler"
	"github.com/wasmaot/wasmaot/internal/nativetest"
)

// callModule has three small functions, "leaf", "twice" and "outer", of which each calls the one before; all are exported by their first letters.
//
//	leaf(a):     i32.load a; i32.div_u 60, it
//	twice(a, b): leaf(a) + leaf(b)
//	outer(a, b): if b != 7 { twice(a, b) } else { unreachable }
const callModule = "\x00asm\x01\x00\x00\x00" +
	"\x01\x0c\x02\x60\x01\x7f\x01\x7f\x60\x02\x7f\x7f\x01\x7f" +
	"\x03\x04\x03\x00\x01\x01" +
	"\x05\x03\x01\x00\x01" +
	"\x07\x0d\x03\x01l\x00\x00\x01t\x00\x01\x01o\x00\x02" +
	"\x0a\x2b\x03" +
	"\x0a\x00\x41\x3c\x20\x00\x28\x02\x00\x6e\x0b" +
	"\x0b\x00\x20\x00\x10\x00\x20\x01\x10\x00\x6a\x0b" +
	"\x12\x00\x20\x01\x41\x07\x47\x04\x7f\x20\x00\x20\x01\x10\x01\x05\x00\x0b\x0b"

// TestInlinedTraps compares traps in functions that stand in the place of calls with those in functions that are called: what
// trapped, and where in which functions.
func TestInlinedTraps(t *testing.T) {
	nativetest.Require(t)
	src := []byte(callModule)
	for _, tier := range []compiler.Options{{}, {Tier: 1}} {
		inlined, off := tier, tier
		off.Debug.Off = []string{"inline"}
		a, b := leafInstance(t, src, inlined), leafInstance(t, src, off)
		traps := 0
		for _, name := range []string{"l", "t", "o"} {
			for _, x := range []uint64{0, 8, 65532, 65533, 65536, 1<<32 - 1} {
				for _, y := range []uint64{0, 7, 8, 65535} {
					a.Memory().Bytes()[8], b.Memory().Bytes()[8] = 5, 5
					args := []uint64{x, y}
					got, want := leafCall(a, name, args...), leafCall(b, name, args...)
					if got != want {
						t.Errorf("%s(%#x, %#x): expected %s, found %s", name, x, y, want, got)
					}
					if want.trap != "" {
						traps++
					}
				}
			}
		}
		if traps < 20 {
			t.Errorf("%d traps: expected more", traps)
		}
	}
}
