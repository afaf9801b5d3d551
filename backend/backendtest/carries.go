//go:build linux && (amd64 || arm64)

package backendtest

import (
	"math/rand/v2"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/wasmaot/wasmaot/compiler/abi"
	"github.com/wasmaot/wasmaot/compiler/ssa"
	"github.com/wasmaot/wasmaot/compiler/ssa/ssatest"
)

// RandomCarries runs random sums, products and carries on the evaluator and natively: which of them become one
// instruction depends on their order and on who else reads them.
func RandomCarries(t *testing.T, mc *Machine) {
	seed := ssatest.Seed(t)
	n := uint64(200)
	if testing.Short() {
		n = 50
	}
	for _, features := range mc.Features {
		c := &compiler{mc: mc}
		c.cfg.Features = features
		for i := range n {
			c.cfg.Poison = i%2 == 1
			runCarries(t, c, seed+i)
			if t.Failed() {
				t.Fatalf("first failure: WASMAOT_SEED=%d, features %#x", seed+i, features)
			}
		}
	}
}

// carries is a function of one block that returns its last values.
func carries(r *rand.Rand) *ssa.Func {
	f := new(ssa.Func)
	f.Reset()
	f.Module = testModule
	const params = 4
	results := 1 + r.IntN(6)
	f.Sig = &abi.Signature{}
	for range params {
		f.Sig.Params = append(f.Sig.Params, abi.I64)
	}
	for range results {
		f.Sig.Results = append(f.Sig.Results, abi.I64)
	}
	b := f.AddBlock()
	first := f.AddParams(b, f.Sig.Params...)
	var values []uint32
	for i := range params {
		values = append(values, uint32(first)+uint32(i))
	}
	recent := func() uint32 { return values[max(0, len(values)-1-r.IntN(5))] }
	f.Begin(b)
	for range 5 + r.IntN(30) {
		x, y := recent(), recent()
		var v ssa.Value
		switch k := r.IntN(10); {
		case k < 2:
			v = f.Emit(ssa.OpMul, abi.I64, x, y, 0, 0)
			if r.IntN(2) == 0 {
				values = append(values, uint32(v))
				v = f.Emit(ssa.OpMulHiU, abi.I64, y, x, 0, 0)
			}
		case k < 4:
			v = f.Emit(ssa.OpMulHiU, abi.I64, x, y, 0, 0)
		case k < 6:
			v = f.Emit(ssa.OpAdd, abi.I64, x, y, 0, 0)
		default: // a sum, and later another with its carry
			sum := f.Emit(ssa.OpAdd, abi.I64, x, y, 0, 0)
			values = append(values, uint32(sum))
			if r.IntN(2) == 0 {
				values = append(values, uint32(f.Emit(ssa.OpXor, abi.I64, recent(), recent(), 0, 0)))
			}
			op, lesser, greater := ssa.OpLtU, uint32(sum), x
			if r.IntN(2) == 0 {
				op, lesser, greater = ssa.OpGtU, greater, lesser
			}
			bit := f.Emit(op, abi.I32, lesser, greater, 0, 0)
			wide := f.Emit(ssa.OpZext, abi.I64, uint32(bit), 0, 0, 0)
			v = f.Emit(ssa.OpAdd, abi.I64, recent(), uint32(wide), 0, 0)
		}
		values = append(values, uint32(v))
	}
	var last []ssa.Value
	for _, v := range values[len(values)-results:] {
		last = append(last, ssa.Value(v))
	}
	f.EndReturn(b, 0, last...)
	f.Analyze(new(ssa.Scratch))
	return f
}

func runCarries(t *testing.T, c *compiler, seed uint64) {
	r := rand.New(rand.NewPCG(seed, 0))
	f := carries(r)
	if err := ssa.Check(f); err != nil {
		t.Fatalf("%v\n%s", err, f)
	}
	code, err := c.compile(f)
	if err != nil {
		t.Fatalf("%v\n%s", err, f)
	}
	in, err := newInstance(c.mc, code)
	if err != nil {
		t.Fatal(err)
	}
	defer in.code.Close()
	for k := range uint64(3) {
		args := ssatest.Args(rand.New(rand.NewPCG(seed, 2+k)), f.Sig)
		var log1, log2 strings.Builder
		m1, m2 := newMachine(seed, &log1), newMachine(seed, &log2)
		m1.Fuel = 1000
		results, trap, err := m1.Eval(f, args)
		want := outcome(m1, &log1, results, trap, err)
		results, trap, err = in.run(f.Sig, args, m2)
		got := outcome(m2, &log2, results, trap, err)
		if d := cmp.Diff(want, got); d != "" {
			t.Errorf("arguments %x: (-want +got)\n%s\n%s", args, d, f)
			return
		}
	}
}
