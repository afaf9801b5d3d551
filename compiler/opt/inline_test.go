package opt

import (
	"hash/crc32"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/wasmaot/wasmaot/compiler/abi"
	"github.com/wasmaot/wasmaot/compiler/ssa"
	"github.com/wasmaot/wasmaot/compiler/ssa/ssatest"
)

func parsed(t *testing.T, text string, mod *ssa.Module) *ssa.Func {
	t.Helper()
	f, err := ssa.Parse(text)
	if err != nil {
		t.Fatal(err)
	}
	f.Module = mod
	f.Analyze(new(ssa.Scratch))
	if err := ssa.Check(f); err != nil {
		t.Fatal(err)
	}
	return f
}

// What Go makes of a function with a nil check, and of a call of it.
const (
	goCallee = `func 7 "leaf" (i32) -> (i32)
b0(v1:i32):
  v2:i32 = global 0
  if v1, b1, b2
b1 cold:
  switch v1, b2, b3 [0 1]
b2:
  v3:addr = addr v2, 8, 8
  v4:i64 = load v3 @0x10
  v5:i32 = eqz v4
  if v5, b4, b5
b3 cold:
  trap "unreachable"
b4 cold:
  v6:i32 = call direct 5 (i32) -> (i32) [0:i32] @0x18
  return (1:i32)
b5:
  v7:i32 = wrap v4
  v8:addr = addr v7, 0, 8
  v9:i64 = load v8 @0x20
  v10:addr = addr v2, 16, 8
  store v10, v9 @0x28
  v11:i32 = add v2, 8:i32
  globalset 0, v11
  return (0:i32)
`
	goCaller = `func 6 "caller" (i32) -> (i32)
b0(v1:i32):
  v2:i32 = global 0
  v3:addr = addr v2, 0, 8
  store v3, 4096:i64 @0x80
  v4:i32 = sub v2, 8:i32
  globalset 0, v4
  v5:addr = addr v4, 0, 8
  store v5, 77:i64 @0x88
  v6:i32 = call direct 7 (i32) -> (i32) [0:i32] @0x90
  v7:i32 = global 0
  if v6, b1, b2
b1 cold:
  return (1:i32)
b2:
  v8:addr = addr v7, 8, 8
  v9:i64 = load v8 @0x98
  v10:i32 = wrap v9
  return (v10)
`
)

func TestInlineGo(t *testing.T) {
	var s Scratch
	mod := *ssatest.Module
	sig := &abi.Signature{Params: []abi.Type{abi.I32}, Results: []abi.Type{abi.I32}}
	mod.FuncSigs = []*abi.Signature{sig, sig, sig, sig, sig, sig, sig, sig}
	callee := parsed(t, goCallee, &mod)
	Called(callee, &s)
	body := NewBody(callee, &s, true)
	if body == nil {
		t.Fatal("the callee is small, expected a body")
	}
	f := parsed(t, goCaller, &mod)
	Inline(f, &s, 1, func(index uint32) *Body {
		if index == 7 {
			return body
		}
		return nil
	})
	if err := ssa.Check(f); err != nil {
		t.Fatalf("%v\n%s", err, f)
	}
	for _, p := range All {
		p.Run(f, &s)
		if err := ssa.Check(f); err != nil {
			t.Fatalf("after %s: %v\n%s", p.Name, err, f)
		}
	}
	text := f.String()
	for _, gone := range []string{"direct 7", "global 0"} {
		if strings.Count(text, gone) > 1 {
			t.Errorf("%q: expected one at most, the first read of the global and the unlikely call, found\n%s", gone, text)
		}
	}
	if n := strings.Count(text, " = load "); n != 1 {
		t.Errorf("%d loads: expected the callee's own alone, arguments and result being known, found\n%s", n, text)
	}
	for _, v := range f.Order {
		if f.Insts[v].Op == ssa.OpLoad {
			if at, want := f.Origin(f.Pos[v]), (ssa.InlinedPos{Pos: 0x20, Call: 0x90}); at != want {
				t.Errorf("position of the load: expected %#x, found %#x", want, at)
			}
		}
	}
}

// caller calls function 4 in several places, with what it gave before and what came as parameters.
const caller = `func 3 "caller" (i32, i64, f32, f64, i32) -> (i32, i64, f64)
b0(v1:i32, v2:i64, v3:f32, v4:f64, v5:i32):
  v6:i32 = call direct 4 (i32, i64, f32, f64, i32) -> (i32, i64, f64) [v1, v2, v3, v4, v5]
  v7:i64 = result v6, 1
  v8:f64 = result v6, 2
  v9:i32 = and v6, 4095:i32
  v10:addr = addr v9, 16, 8
  store v10, v7
  if v6, b1, b2
b1:
  v11:i32 = call direct 4 (i32, i64, f32, f64, i32) -> (i32, i64, f64) [v5, v7, v3, v8, v9]
  v12:i32 = global 0
  if v11, b3, b2
b2:
  v13:i32 = call direct 4 (i32, i64, f32, f64, i32) -> (i32, i64, f64) [0:i32, 5:i64, v3, v8, v6]
  v14:i64 = result v13, 1
  v15:i32 = call direct 4 (i32, i64, f32, f64, i32) -> (i32, i64, f64) [v13, v14, v3, v4, v1]
  v16:f64 = result v15, 2
  return (v15, v14, v16)
b3:
  return (1:i32, 2:i64, 3:f64)
`

// TestInlineRandom compares calls of random functions with the functions in their place.
func TestInlineRandom(t *testing.T) {
	seed := ssatest.Seed(t)
	rounds := uint64(3000)
	if testing.Short() {
		rounds /= 10
	}
	var s Scratch
	mod := *ssatest.Module
	bodies, compared := 0, 0
	for i := range rounds {
		newCallee := func() *ssa.Func {
			f := ssatest.Func(rand.New(rand.NewPCG(seed, i)), ssatest.Options{Blocks: 5, Insts: 5, Explicit: i%4 == 0})
			f.Index, f.Module = 4, &mod
			return f
		}
		callee, small := newCallee(), newCallee()
		mod.FuncSigs = append(slices.Clone(ssatest.Module.FuncSigs), callee.Sig)
		before, after := parsed(t, caller, &mod), parsed(t, caller, &mod)
		zero := i%3 == 0 // as if all calls were with a state of 0
		if zero {
			Called(small, &s)
		}
		if i%2 == 0 {
			for _, p := range All {
				p.Run(small, &s)
			}
		}
		body := NewBody(small, &s, zero)
		if body == nil {
			continue
		}
		bodies++
		Inline(after, &s, 1, func(uint32) *Body { return body })
		if err := ssa.Check(after); err != nil {
			t.Fatalf("function %d: %v\nbody:\n%s\nafter:\n%s", i, err, small, after)
		}
		for _, p := range All {
			p.Run(after, &s)
			if err := ssa.Check(after); err != nil {
				t.Fatalf("function %d, after %s: %v\n%s", i, p.Name, err, after)
			}
		}
		for k := range uint64(4) {
			want, done := runWith(before, callee, seed+i+k)
			if !done {
				continue
			}
			compared++
			if got, _ := runWith(after, callee, seed+i+k); !cmp.Equal(want, got) {
				t.Fatalf("function %d, input %d:\n%s\nbody:\n%s\nafter:\n%s", i, k, cmp.Diff(want, got), callee, after)
			}
		}
	}
	t.Logf("%d bodies, %d runs compared", bodies, compared)
	if bodies < int(rounds)/20 || compared < bodies {
		t.Errorf("only %d bodies and %d runs compared", bodies, compared)
	}
}

// runWith is ssatest.Run of a function that calls callee as function 4.
func runWith(f, callee *ssa.Func, seed uint64) (out ssatest.Outcome, done bool) {
	var log strings.Builder
	m := ssatest.NewMachine(seed, &log)
	m.Fuel = 4000
	others := m.Call
	m.Call = func(m *ssa.Machine, f *ssa.Func, c *ssa.Call, args []uint64) ([]uint64, abi.Trap, error) {
		if c.Kind == ssa.CallDirect && c.Callee == 4 {
			return m.Eval(callee, args)
		}
		return others(m, f, c, args)
	}
	results, trap, err := m.Eval(f, ssatest.Args(rand.New(rand.NewPCG(seed, 2)), f.Sig))
	if err != nil {
		return out, false // out of fuel
	}
	out = ssatest.Outcome{Results: results, Trap: trap, Globals: m.Globals, Calls: log.String()}
	out.Memory = crc32.Checksum(m.Memories[0], crc32.MakeTable(crc32.Castagnoli))
	return out, true
}
