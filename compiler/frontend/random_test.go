package frontend

import (
	"errors"
	"flag"
	"math/rand/v2"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/wasmaot/wasmaot/compiler/abi"
	"github.com/wasmaot/wasmaot/compiler/ssa"
	"github.com/wasmaot/wasmaot/compiler/wasm"
)

var seed = flag.Uint64("seed", 0, "random tests: try only the function of this seed")

// randomFuncs calls do with the seeds of n functions.
func randomFuncs(t *testing.T, n int, do func(t *testing.T, seed uint64)) {
	if *seed != 0 {
		do(t, *seed)
		return
	}
	first := uint64(time.Now().UnixNano())
	for i := range n {
		do(t, first+uint64(i))
		if t.Failed() {
			t.Fatalf("replay: go test -run '^%s$' -seed %d", t.Name(), first+uint64(i))
		}
	}
}

// TestRandom compares what the builder makes of random functions with an interpreter of their code.
func TestRandom(t *testing.T) {
	ended, traps, threads, largest := 0, 0, 0, 0
	var b Builder
	var f ssa.Func
	randomFuncs(t, 1500, func(t *testing.T, seed uint64) {
		g := newGenerator(seed)
		m := g.module().load(t)
		r := rand.New(rand.NewPCG(seed, 1))
		args := []uint64{uint64(r.Uint32N(8)), uint64(r.Uint32N(1000)), uint64(r.Uint32())}
		want, err := runInterp(m.Wasm, g.locals, args)
		if errors.Is(err, errFuel) {
			return
		} else if err != nil {
			t.Fatal(err)
		}
		ended++
		if want.Trap != 0 {
			traps++
		}
		for _, opts := range allOptions {
			if err := b.Build(m, 0, opts, &f); err != nil {
				t.Fatal(err)
			}
			if err := check(&f); err != nil {
				t.Fatal(err)
			}
			threads += len(b.threads)
			largest = max(largest, len(f.Blocks))
			if diff := cmp.Diff(want, runSSA(t, &f, args)); diff != "" {
				t.Errorf("seed %d, %+v (-interpreter +SSA):\n%s\n%s", seed, opts, diff, &f)
			}
		}
	})
	t.Logf("%d functions ran to their end, %d of them to a trap; %d jumps threaded; up to %d blocks", ended, traps, threads, largest)
	if *seed == 0 && (ended < 500 || threads < 500) {
		t.Error("too few to mean anything")
	}
}

// outcome is what a run leaves to compare.
type outcome struct {
	Results []uint64
	Trap    abi.Trap
	Globals []uint64
}

const randomFuel = 100

func runInterp(m *wasm.Module, locals int, args []uint64) (outcome, error) {
	p, err := newInterp(m, 0)
	if err != nil {
		return outcome{}, err
	}
	p.globals = []uint64{randomFuel, 1}
	p.fuel = 100_000
	all := make([]uint64, len(args)+locals)
	copy(all, args)
	results, trap, err := p.run(m.FuncType(0), all)
	return outcome{results, trap, p.globals}, err
}

func runSSA(t *testing.T, f *ssa.Func, args []uint64) outcome {
	m := &ssa.Machine{Globals: []uint64{randomFuel, 1}, Fuel: 100_000}
	results, trap, err := m.Eval(f, args)
	if err != nil {
		t.Fatal(err, "\n", f)
	}
	return outcome{results, trap, m.Globals}
}

// generator writes random functions of type (i32, i64, i32) → (i32, i64). Global 0 is fuel, which every
// branch may use up and which then ends the function; global 1 is a sum of what happened.
type generator struct {
	r      *rand.Rand
	locals int // besides the parameters; alternately i64 and i32
	budget int // statements left
	out    []byte
	labels []genLabel // innermost last
}

type genLabel struct {
	arity   int // i32 operands that a branch carries
	machine uint32
	states  int // loop of a state machine: number of states, and machine its local
}

func newGenerator(seed uint64) *generator {
	g := &generator{r: rand.New(rand.NewPCG(seed, 0))}
	g.locals = 1 + g.r.IntN(6)
	if g.r.IntN(4) == 0 {
		g.locals = 50 + g.r.IntN(150) // more than a word
	}
	g.budget = 5 + g.r.IntN(80)
	return g
}

func (g *generator) module() *testModule {
	g.labels = append(g.labels, genLabel{arity: -1})
	for g.budget > 0 {
		g.statement(0)
	}
	g.results()
	m := &testModule{
		types: [][]byte{
			sig([]byte{tI32, tI64, tI32}, []byte{tI32, tI64}),
			sig([]byte{tI32, tI32}, []byte{tI32}),
			sig([]byte{tI32}, []byte{tI32}),
			sig([]byte{tI32}, nil),
		},
		globals: [][]byte{
			code(tI32, byte(1), wasm.OpI32Const, 0, wasm.OpEnd),
			code(tI32, byte(1), wasm.OpI32Const, 0, wasm.OpEnd),
		},
	}
	locals := make([]byte, g.locals)
	for i := range locals {
		locals[i] = tI64
		if i%2 == 1 {
			locals[i] = tI32
		}
	}
	m.funcs = []testFunc{{typ: 0, locals: locals, code: g.out}}
	return m
}

func (g *generator) emit(parts ...any) { g.out = append(g.out, code(parts...)...) }

// local picks a local; even ones are i32.
func (g *generator) local() uint32 { return g.r.Uint32N(uint32(3 + g.locals)) }

func (g *generator) local32() uint32 {
	return g.r.Uint32N(uint32(3+g.locals)+1) / 2 * 2 % uint32(3+g.locals) &^ 1
}

func (g *generator) get(l uint32) {
	if g.emit(wasm.OpLocalGet, l); l%2 == 1 {
		g.emit(wasm.OpI32WrapI64)
	}
}

func (g *generator) set(l uint32) {
	if l%2 == 1 {
		g.emit(wasm.OpI64ExtendI32U)
	}
	g.emit(wasm.OpLocalSet, l)
}

// results pushes what the function returns.
func (g *generator) results() {
	g.get(g.local())
	g.emit(wasm.OpLocalGet, uint32(1))
}

var exprOps = []wasm.Opcode{wasm.OpI32Add, wasm.OpI32Sub, wasm.OpI32Mul, wasm.OpI32Xor, wasm.OpI32And, wasm.OpI32LtU}

// expr pushes an i32.
func (g *generator) expr(depth int) {
	switch n := g.r.IntN(10); {
	case n < 4 || depth > 3:
		g.get(g.local())
	case n < 6:
		g.emit(wasm.OpI32Const, g.r.IntN(9)-1)
	case n < 9:
		g.expr(depth + 1)
		g.expr(depth + 1)
		g.emit(exprOps[g.r.IntN(len(exprOps))])
	default:
		g.expr(depth + 1)
		l := g.local32()
		g.emit(wasm.OpLocalTee, l)
	}
}

// note adds an i32 to the sum.
func (g *generator) note() {
	g.emit(wasm.OpGlobalGet, uint32(1), wasm.OpI32Const, 31, wasm.OpI32Mul)
	g.expr(2)
	g.emit(wasm.OpI32Add, wasm.OpGlobalSet, uint32(1))
}

// burn uses fuel and returns when there is none left.
func (g *generator) burn() {
	g.emit(wasm.OpGlobalGet, uint32(0), wasm.OpI32Const, -1, wasm.OpI32Add, wasm.OpGlobalSet, uint32(0))
	g.emit(wasm.OpGlobalGet, uint32(0), wasm.OpI32Eqz, wasm.OpIf, tNothing)
	g.results()
	g.emit(wasm.OpReturn, wasm.OpEnd)
}

// operands pushes what a branch to a label carries.
func (g *generator) operands(l genLabel) {
	if l.arity < 0 {
		g.results()
	}
	for range l.arity {
		g.expr(1)
	}
}

func (g *generator) target() (uint32, genLabel) {
	depth := g.r.IntN(len(g.labels))
	return uint32(depth), g.labels[len(g.labels)-1-depth]
}

// block writes statements between a block instruction, which is written already, and end.
func (g *generator) block(l genLabel, depth int, result bool) {
	g.labels = append(g.labels, l)
	for n := g.r.IntN(4); n > 0; n-- {
		g.statement(depth + 1)
	}
	if result {
		g.expr(0)
	}
	g.labels = g.labels[:len(g.labels)-1]
}

// statement leaves the operand stack as it was.
func (g *generator) statement(depth int) {
	g.budget--
	n := g.r.IntN(24)
	if depth > 8 || g.budget < 0 {
		n %= 4
	}
	switch n {
	case 0, 1:
		g.expr(0)
		g.set(g.local())
	case 2:
		g.note()
	case 3:
		g.get(g.local())
		g.set(g.local())
	case 4: // a value stays on the stack while statements run
		g.expr(0)
		g.statement(depth + 1)
		g.statement(depth + 1)
		g.set(g.local())
	case 5, 6:
		g.emit(wasm.OpBlock, tNothing)
		g.block(genLabel{}, depth, false)
		g.emit(wasm.OpEnd)
	case 7:
		g.emit(wasm.OpBlock, tI32)
		g.block(genLabel{arity: 1}, depth, true)
		g.emit(wasm.OpEnd)
		g.set(g.local())
	case 8: // two parameters, one result
		g.expr(0)
		g.expr(0)
		g.emit(wasm.OpBlock, uint32(1), wasm.OpI32Xor)
		g.set(g.local())
		g.block(genLabel{arity: 1}, depth, true)
		g.emit(wasm.OpEnd)
		g.set(g.local())
	case 9, 10:
		g.emit(wasm.OpLoop, tNothing)
		g.block(genLabel{}, depth, false)
		g.emit(wasm.OpEnd)
	case 11: // loop with a parameter and a result
		g.expr(0)
		g.emit(wasm.OpLoop, uint32(2))
		g.set(g.local())
		g.block(genLabel{arity: 1}, depth, true)
		g.emit(wasm.OpEnd)
		g.set(g.local())
	case 12, 13:
		g.expr(0)
		g.emit(wasm.OpIf, tNothing)
		g.block(genLabel{}, depth, false)
		if g.r.IntN(2) == 0 {
			g.emit(wasm.OpElse)
			g.block(genLabel{}, depth, false)
		}
		g.emit(wasm.OpEnd)
	case 14: // if with a parameter and a result, with or without else
		g.expr(0)
		g.expr(0)
		g.emit(wasm.OpIf, uint32(2))
		g.set(g.local())
		g.block(genLabel{arity: 1}, depth, true)
		if g.r.IntN(2) == 0 {
			g.emit(wasm.OpElse)
			g.set(g.local())
			g.block(genLabel{arity: 1}, depth, true)
		}
		g.emit(wasm.OpEnd)
		g.set(g.local())
	case 15, 16, 17:
		g.branchIf()
	case 18: // code behind it is unreachable
		g.burn()
		to, l := g.target()
		g.emit(wasm.OpBlock, tNothing)
		g.get(g.local())
		g.emit(wasm.OpIf, tNothing)
		g.labels = append(g.labels, genLabel{}, genLabel{})
		g.operands(l)
		g.emit(wasm.OpBr, to+2)
		for range g.r.IntN(3) {
			g.statement(depth + 2)
		}
		g.labels = g.labels[:len(g.labels)-2]
		g.emit(wasm.OpEnd, wasm.OpEnd)
	case 19:
		g.branchTable()
	case 20:
		g.get(g.local())
		g.emit(wasm.OpIf, tNothing)
		if g.r.IntN(8) == 0 {
			g.emit(wasm.OpUnreachable)
		} else {
			g.results()
			g.emit(wasm.OpReturn)
		}
		g.emit(wasm.OpEnd)
	default:
		g.machine(depth)
	}
}

func (g *generator) branchIf() {
	g.burn()
	to, l := g.target()
	g.operands(l)
	g.expr(0)
	g.emit(wasm.OpBrIf, to)
	for range max(l.arity, 0) {
		g.emit(wasm.OpDrop)
	}
	if l.arity < 0 {
		g.emit(wasm.OpDrop, wasm.OpDrop)
	}
}

// branchTable goes to labels without operands, if not to its own end.
func (g *generator) branchTable() {
	g.burn()
	g.emit(wasm.OpBlock, tNothing)
	g.labels = append(g.labels, genLabel{})
	g.expr(0)
	targets := code()
	n := g.r.IntN(5)
	for range n + 1 {
		to, l := g.target()
		if l.arity != 0 {
			to = 0
		}
		targets = append(targets, code(to)...)
	}
	g.emit(wasm.OpBrTable, uint32(n), targets, wasm.OpEnd)
	g.labels = g.labels[:len(g.labels)-1]
}

// machine is a state machine as the Go compiler writes it, or nearly so.
func (g *generator) machine(depth int) {
	states := 1 + g.r.IntN(5)
	local := g.local32()
	odd := g.r.IntN(8) // what keeps it from being a dispatch
	if g.r.IntN(2) == 0 {
		g.emit(wasm.OpI32Const, g.r.IntN(states+1), wasm.OpLocalSet, local)
	}
	if odd == 0 {
		g.expr(0)
		g.emit(wasm.OpLoop, uint32(3), wasm.OpDrop)
	} else {
		g.emit(wasm.OpLoop, tNothing)
	}
	loop := genLabel{machine: local, states: states}
	if odd == 0 {
		loop.arity = 1
	}
	g.labels = append(g.labels, loop)
	if odd == 1 {
		g.get(g.local())
	}
	for range states {
		g.emit(wasm.OpBlock, tNothing)
		g.labels = append(g.labels, genLabel{})
	}
	if odd == 2 {
		g.note()
	}
	if odd == 3 {
		g.emit(wasm.OpLocalGet, local, wasm.OpLocalSet, local)
	}
	g.emit(wasm.OpLocalGet, local, wasm.OpBrTable, uint32(states))
	for i := range states + 1 {
		g.emit(uint32(min(i, states-1)))
	}
	for range states {
		g.emit(wasm.OpEnd)
		g.labels = g.labels[:len(g.labels)-1]
		g.statement(depth + 1)
		if g.r.IntN(3) > 0 {
			g.next()
		}
	}
	if odd == 1 {
		g.emit(wasm.OpDrop)
	}
	g.labels = g.labels[:len(g.labels)-1]
	g.emit(wasm.OpEnd)
}

// next goes to a state of an enclosing machine.
func (g *generator) next() {
	to, l := g.target()
	if l.states == 0 {
		to, l = 0, g.labels[len(g.labels)-1]
	}
	g.burn()
	if g.r.IntN(5) == 0 {
		g.expr(0)
		g.emit(wasm.OpLocalSet, l.machine)
	} else {
		g.emit(wasm.OpI32Const, g.r.IntN(l.states+2), wasm.OpLocalSet, l.machine)
	}
	if g.r.IntN(2) == 0 {
		g.operands(l)
		g.expr(0)
		g.emit(wasm.OpBrIf, to)
		for range l.arity {
			g.emit(wasm.OpDrop)
		}
		return
	}
	g.expr(0)
	g.emit(wasm.OpIf, tNothing)
	g.operands(l)
	g.emit(wasm.OpBr, to+1, wasm.OpEnd)
}
