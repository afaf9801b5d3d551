//go:build linux && (amd64 || arm64)

package backendtest

import (
	"errors"
	"math/rand/v2"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/wasmaot/wasmaot/compiler/abi"
	"github.com/wasmaot/wasmaot/compiler/ssa"
	"github.com/wasmaot/wasmaot/compiler/ssa/ssatest"
)

// canonicalNaNs makes NaNs from arithmetic the canonical ones, as the evaluator's are: the bits
// of others may differ from machine to machine.
func canonicalNaNs(f *ssa.Func) {
	replaced := make(map[ssa.Value]ssa.Value)
	order := f.Order
	f.Order = nil
	for _, b := range f.RPO {
		bd := &f.Blocks[b]
		list := order[bd.InstStart:bd.InstEnd]
		bd.InstStart = uint32(len(f.Order))
		for _, v := range list {
			f.Order = append(f.Order, v)
			in := f.Insts[v]
			if !in.Type.IsFloat() || !(in.Op >= ssa.OpFAdd && in.Op <= ssa.OpFMax || in.Op >= ssa.OpFSqrt && in.Op <= ssa.OpFNearest || in.Op == ssa.OpDemote || in.Op == ssa.OpPromote) {
				continue
			}
			nan := f.Const(abi.F64, 0x7ff8000000000000)
			if in.Type == abi.F32 {
				nan = f.Const(abi.F32, 0x7fc00000)
			}
			is := f.Emit(ssa.OpFNe, abi.I32, uint32(v), uint32(v), 0, 0)
			replaced[v] = f.Emit(ssa.OpSelect, in.Type, uint32(is), uint32(nan), uint32(v), 0)
		}
		bd.InstEnd = uint32(len(f.Order))
	}
	replace := func(x *ssa.Value) {
		if r, ok := replaced[*x]; ok {
			*x = r
		}
	}
	skip := make(map[ssa.Value]bool)
	for v, r := range replaced {
		skip[r], skip[ssa.Value(f.Insts[r].A)] = true, true
		_ = v
	}
	for v := range f.Insts {
		in := &f.Insts[v]
		if skip[ssa.Value(v)] {
			continue
		}
		uses := in.Op.Uses()
		for i, x := range in.Operands() {
			if uses>>i&1 != 0 {
				y := ssa.Value(*x)
				replace(&y)
				*x = uint32(y)
			}
		}
	}
	for i := range f.Lists {
		replace(&f.Lists[i])
	}
	for b := range f.Blocks {
		replace(&f.Blocks[b].Ctl)
	}
}

// Random runs random functions on the evaluator and natively.
func Random(t *testing.T, mc *Machine) {
	seed := ssatest.Seed(t)
	n := 400
	if testing.Short() {
		n = 50
	}
	for _, features := range mc.Features {
		c := &compiler{mc: mc}
		c.cfg.Features = features
		for i := range n {
			c.cfg.Poison, c.cfg.ThroughDesc = i%4 >= 2, i%8 >= 4
			runRandom(t, c, seed+uint64(i))
			if t.Failed() {
				t.Fatalf("first failure: WASMAOT_SEED=%d, features %#x", seed+uint64(i), features)
			}
		}
	}
}

func runRandom(t *testing.T, c *compiler, seed uint64) {
	r := rand.New(rand.NewPCG(seed, 0))
	o := ssatest.Options{Blocks: 1 + r.IntN(12), Insts: 1 + r.IntN(30), NoFloats: r.IntN(3) == 0, NoCalls: r.IntN(3) == 0, Explicit: r.IntN(3) == 0}
	f := ssatest.Func(r, o)
	f.Module = testModule
	if seed%2 == 0 {
		f.Module = pinnedModule
	}
	canonicalNaNs(f)
	if err := ssa.Check(f); err != nil {
		t.Errorf("%v\n%s", err, f)
		return
	}
	code, err := c.compile(f)
	if err != nil {
		t.Errorf("%v\n%s", err, f)
		return
	}
	in, err := newInstance(c.mc, code)
	if err != nil {
		t.Fatal(err)
	}
	defer in.code.Close()
	if f.Module == pinnedModule {
		in.havePinned()
	}
	for k := range uint64(3) {
		args := ssatest.Args(rand.New(rand.NewPCG(seed, 2+k)), f.Sig)
		var log1, log2 strings.Builder
		m1, m2 := newMachine(seed, &log1), newMachine(seed, &log2)
		m1.Fuel = 200
		results, trap, err := m1.Eval(f, args)
		if errors.Is(err, ssa.ErrFuel) {
			continue
		}
		want := outcome(m1, &log1, results, trap, err)
		results, trap, err = in.run(f.Sig, args, m2)
		got := outcome(m2, &log2, results, trap, err)
		if d := cmp.Diff(want, got); d != "" {
			t.Errorf("arguments %x: (-want +got)\n%s\n%s", args, d, f)
			return
		}
	}
}
