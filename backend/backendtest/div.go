//go:build linux && (amd64 || arm64)

package backendtest

import (
	"math/rand/v2"
	"testing"

	"github.com/wasmaot/wasmaot/compiler/abi"
	"github.com/wasmaot/wasmaot/compiler/ssa"
	"github.com/wasmaot/wasmaot/compiler/ssa/ssatest"
)

// DivideByConstants divides by constants of all magnitudes what lies around their multiples.
func DivideByConstants(t *testing.T, mc *Machine) {
	seed := ssatest.Seed(t)
	r := rand.New(rand.NewPCG(seed, 0))
	c := &compiler{mc: mc}
	for range 600 {
		op := ssa.OpDivS + ssa.Op(r.IntN(4))
		typ := []abi.Type{abi.I32, abi.I64}[r.IntN(2)]
		width := uint(typ.Size()) * 8
		d := r.Uint64() >> r.IntN(64)
		switch r.IntN(4) {
		case 0:
			d = 1 << r.IntN(64)
		case 1:
			d = -d
		}
		d = d << (64 - width) >> (64 - width)
		f := shapeFunc(&opShape{fn: func(f *ssa.Func, op ssa.Op, types []abi.Type, vals []uint64) []ssa.Value {
			return []ssa.Value{emitOp(f, op, typ, params(f)[0], f.Const(typ, d))}
		}}, op, []abi.Type{typ, typ}, nil)
		code, err := c.compile(f)
		if err != nil {
			t.Fatal(err)
		}
		in, err := newInstance(c.mc, code)
		if err != nil {
			t.Fatal(err)
		}
		values := edgeValues(typ)
		for range 50 {
			n := r.Uint64() >> r.IntN(64)
			if d != 0 && r.IntN(2) == 0 {
				n = n / d * d
			}
			n += uint64(r.IntN(3)) - 1
			if r.IntN(3) == 0 {
				n = -n
			}
			values = append(values, n<<(64-width)>>(64-width))
		}
		for _, n := range values {
			compareRun(t, in, f, []uint64{n})
			if t.Failed() {
				t.Fatalf("%s %v: %#x by %#x\n%s", op, typ, n, d, mc.Lowered(&c.m))
			}
		}
		in.code.Close()
	}
}
