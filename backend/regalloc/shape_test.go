package regalloc

import (
	"fmt"
	"slices"
	"strings"
	"testing"
)

// Registers of the machine like amd64.
const (
	rax = Reg(0)
	rcx = Reg(1)
	rdx = Reg(2)
	rsi = Reg(6)
	rdi = Reg(7)
)

// shape is a function under test: the values of the entry's parameters, and a call.
type shape struct {
	*builder
	t *testing.T
	r Result
}

func newShape(t *testing.T, succs ...[]uint32) *shape {
	s := &shape{builder: newBuilder(succs), t: t}
	s.ClobberSets = []RegSet{0, everything(amd64Like())}
	return s
}

func (s *shape) int() VReg   { return s.vreg(ClassInt) }
func (s *shape) float() VReg { return s.vreg(ClassFloat) }

// def appends an instruction that defines n integers without operands.
func (s *shape) defs(n int) []VReg {
	vs := make([]VReg, n)
	for i := range vs {
		vs[i] = s.int()
		s.inst(def(vs[i]))
	}
	return vs
}

func (s *shape) add(x, y VReg) VReg {
	d := s.int()
	s.inst(use(x), useMem(y), defTied(d, 0))
	return d
}

func (s *shape) call(ops ...Operand) { s.inst(ops...).Clobbers = 1 }

// run allocates, checks and simulates.
func (s *shape) run() {
	s.t.Helper()
	var a Allocator
	f, file := s.finish(), amd64Like()
	if err := a.Run(f, file, &s.r); err != nil {
		s.t.Fatal(err)
	}
	if err := Check(f, file, &s.r); err != nil {
		s.t.Fatalf("%v\n%s", err, s.dump())
	}
	if err := simulate(f, file, &s.r, 1); err != nil {
		s.t.Fatalf("%v\n%s", err, s.dump())
	}
}

// moves lists the moves in a block and on its outgoing edges.
func (s *shape) moves(block int) []Move {
	var list []Move
	b := &s.Blocks[block]
	for _, l := range s.r.Before {
		if l.At >= b.Start && l.At < b.End {
			list = append(list, s.r.Moves[l.Start:l.End]...)
		}
	}
	for _, l := range s.r.OnEdge {
		if l.At >= b.SuccStart && l.At < b.SuccEnd {
			list = append(list, s.r.Moves[l.Start:l.End]...)
		}
	}
	return list
}

func (s *shape) expect(what string, got, want int) {
	s.t.Helper()
	if got != want {
		s.t.Errorf("%s: %d, want %d\n%s", what, got, want, s.dump())
	}
}

// expectMoves checks the number of moves in blocks and on their edges.
func (s *shape) expectMoves(want int, blocks ...int) {
	s.t.Helper()
	got := 0
	for _, b := range blocks {
		got += len(s.moves(b))
	}
	s.expect(fmt.Sprintf("moves in blocks %v", blocks), got, want)
}

func (s *shape) loc(o int) Loc { return s.r.Locs[o] }

func (s *shape) dump() string {
	var w strings.Builder
	lists := func(all []MoveList, at uint32) {
		for _, l := range all {
			if l.At == at {
				for _, m := range s.r.Moves[l.Start:l.End] {
					fmt.Fprintf(&w, "      v%d: %v ← %v %v\n", m.V, m.Dst, m.Src, m.Swap)
				}
			}
		}
	}
	for n := range s.Blocks {
		b := &s.Blocks[n]
		fmt.Fprintf(&w, "block %d %v depth %d loop %d cold %v\n", n, s.Params[b.ParamStart:b.ParamEnd], b.Depth, int32(b.LoopHeader), b.Cold)
		for i := b.Start; i < b.End; i++ {
			lists(s.r.Before, i)
			fmt.Fprintf(&w, "  %d:", i)
			for o := s.Insts[i].OpStart; o < s.Insts[i].OpEnd; o++ {
				op := s.Ops[o]
				fmt.Fprintf(&w, " %s%s v%d=%v;", []string{"use", "late", "def", "early"}[op.Kind], []string{"", "!", "^", "?"}[op.Con], op.V, s.r.Locs[o])
			}
			fmt.Fprintln(&w)
		}
		for e := b.SuccStart; e < b.SuccEnd; e++ {
			ed := &s.Edges[e]
			fmt.Fprintf(&w, "  edge %d to %d %v\n", e, ed.To, s.EdgeArgs[ed.ArgStart:ed.ArgEnd])
			lists(s.r.OnEdge, e)
		}
	}
	return w.String()
}

// count counts moves by the kinds of their ends.
func (s *shape) count(src, dst LocKind) int {
	n := 0
	for _, m := range s.r.Moves {
		if m.Src.Kind == src && m.Dst.Kind == dst {
			n++
		}
	}
	return n
}

func TestCountingLoop(t *testing.T) {
	s := newShape(t, []uint32{1}, []uint32{1, 2}, nil)
	s.begin(0)
	n, i0 := s.int(), s.int()
	s.inst(defIn(n, rdi))
	s.inst(def(i0))
	s.inst()
	s.end(0, []VReg{i0})
	i, next := s.int(), s.int()
	s.begin(1, i)
	s.inst(use(i), defTied(next, 0))
	s.inst(use(next), useMem(n))
	s.inst()
	s.end(1, []VReg{next}, nil)
	s.begin(2)
	s.inst(useIn(next, rax))
	s.end(2)
	s.run()
	s.expectMoves(0, 0, 1)
}

// A value that lives on next to its successor in a loop needs one copy, which
// must not be two.
func TestLoopOldValueLivesOn(t *testing.T) {
	s := newShape(t, []uint32{1}, []uint32{1, 2}, nil)
	s.begin(0)
	i0 := s.defs(1)[0]
	s.inst()
	s.end(0, []VReg{i0})
	i, next := s.int(), s.int()
	s.begin(1, i)
	s.inst(use(i), defTied(next, 0))
	s.inst(use(next), use(i))
	s.inst()
	s.end(1, []VReg{next}, nil)
	s.begin(2)
	s.inst(use(next))
	s.end(2)
	s.run()
	s.expectMoves(1, 1)
}

// Values that are live around a loop make room for what it uses.
func TestPressureAroundLoop(t *testing.T) {
	s := newShape(t, []uint32{1}, []uint32{1, 2}, nil)
	s.begin(0)
	used := s.defs(9)
	through := s.defs(8)
	i0 := s.defs(1)[0]
	s.inst()
	s.end(0, []VReg{i0})
	i := s.int()
	s.begin(1, i)
	sum := s.add(i, used[0])
	for _, v := range used[1:] {
		sum = s.add(sum, v)
	}
	s.inst()
	s.end(1, []VReg{sum}, nil)
	s.begin(2)
	for _, v := range through {
		s.inst(use(v))
	}
	s.inst()
	s.end(2)
	s.run()
	s.expectMoves(0, 1)
}

// All values that a loop uses do not fit: only the surplus is loaded in it.
func TestPressureInLoop(t *testing.T) {
	s := newShape(t, []uint32{1}, []uint32{1, 2}, nil)
	s.begin(0)
	used := s.defs(15)
	i0 := s.defs(1)[0]
	s.inst()
	s.end(0, []VReg{i0})
	i := s.int()
	s.begin(1, i)
	sum := s.int()
	s.inst(use(i), defTied(sum, 0))
	for _, v := range used {
		d := s.int()
		s.inst(use(sum), use(v), defTied(d, 0))
		sum = d
	}
	s.inst()
	s.end(1, []VReg{sum}, nil)
	s.begin(2)
	s.inst()
	s.end(2)
	s.run()
	// 12 registers, one for the sum: 11 values fit, the farthest-first rule loads the other
	// 4 and what they displaced.
	if n := len(s.moves(1)); n > 6 {
		t.Errorf("%d moves in the loop, want at most 6\n%s", n, s.dump())
	}
}

func TestCallCrossing(t *testing.T) {
	s := newShape(t, []uint32{})
	s.begin(0)
	v := s.defs(1)[0]
	for range 3 {
		s.call()
		s.inst(use(v))
	}
	s.inst()
	s.end(0)
	s.run()
	s.expect("stores", s.count(LocReg, LocSlot), 1)
	s.expect("loads", s.count(LocSlot, LocReg), 3)
	s.expect("frame", int(s.r.FrameSize), 8)
}

// A call on an unlikely path costs the likely one nothing.
func TestColdCall(t *testing.T) {
	s := newShape(t, orderGraph([][]uint32{{1}, {2, 3}, {3}, {1, 4}, {}})...)
	// 0 → 1 → {cold, 3}; cold → 3; 3 → {1, exit}
	cold, join := -1, -1
	for b := range s.Blocks {
		if len(s.succs[b]) == 1 && b > 0 {
			cold, join = b, int(s.succs[b][0])
		}
	}
	s.Blocks[cold].Cold = true
	s.begin(0)
	v, w := s.int(), s.int()
	s.inst(def(v), def(w))
	s.inst()
	s.end(0)
	for b := 1; b < len(s.Blocks); b++ {
		s.begin(b)
		switch b {
		case cold:
			s.call()
		default:
			s.inst(use(v), use(w))
		}
		s.inst()
		s.end(b)
	}
	s.run()
	s.expectMoves(0, 0, 1, join)
	s.expectMoves(4, cold)
}

func TestTwoAddress(t *testing.T) {
	for _, lives := range []bool{false, true} {
		s := newShape(t, []uint32{})
		s.begin(0)
		v := s.defs(1)[0]
		d := s.int()
		s.inst(use(v), defTied(d, 0))
		s.inst(use(d))
		if lives {
			s.inst(use(v))
		}
		s.inst()
		s.end(0)
		s.run()
		want := 0
		if lives {
			want = 1
		}
		s.expectMoves(want, 0)
	}
}

// Values are made where fixed uses want them.
func TestFixedHints(t *testing.T) {
	s := newShape(t, []uint32{})
	s.begin(0)
	a, b, c := s.int(), s.int(), s.int()
	x, f := s.int(), s.float()
	s.inst(def(c))
	s.inst(def(f))
	s.inst(def(a))
	s.inst(use(a), defTied(b, 0))
	s.inst(def(x))
	y := s.int()
	s.inst(use(x), useIn(c, rcx), defTied(y, 0))
	z := s.int()
	s.call(useIn(b, rdi), useIn(y, rsi), useIn(f, FirstFloat+3), defIn(z, rax))
	w := s.int()
	s.inst(use(z), def(w)).Move = true
	s.call(useIn(w, rdi))
	s.inst()
	s.end(0)
	s.run()
	s.expectMoves(0, 0)
}

// Two arguments that stand in each other's register are exchanged; floats go
// through the scratch register.
func TestArgumentCycles(t *testing.T) {
	s := newShape(t, []uint32{})
	s.begin(0)
	a, b, c := s.int(), s.int(), s.int()
	f, g := s.float(), s.float()
	s.inst(defIn(a, rdi), defIn(b, rsi), defIn(c, rdx), defIn(f, 32), defIn(g, 33))
	s.call(useIn(a, rsi), useIn(b, rdx), useIn(c, rdi), useIn(f, 33), useIn(g, 32))
	s.inst()
	s.end(0)
	s.run()
	swaps := 0
	for _, m := range s.r.Moves {
		if m.Swap {
			swaps++
		}
	}
	s.expect("swaps", swaps, 2)
	s.expect("moves", len(s.r.Moves), 5)
}

// One value in two fixed registers and in a third place.
func TestValueTwice(t *testing.T) {
	s := newShape(t, []uint32{})
	s.begin(0)
	a, d := s.int(), s.int()
	s.inst(defIn(a, rdi))
	s.call(useIn(a, rdi), useIn(a, rsi))
	s.inst(use(a), useIn(a, rcx), defTied(d, 0))
	s.inst(use(d))
	s.inst()
	s.end(0)
	s.run()
}

func TestConstantInLoop(t *testing.T) {
	s := newShape(t, []uint32{1}, []uint32{1, 2}, nil)
	c := s.float()
	s.VRegs[c].Home = HomeRemat
	s.begin(0)
	x0 := s.float()
	s.inst(def(x0))
	s.inst()
	s.end(0, []VReg{x0})
	x, y := s.float(), s.float()
	s.begin(1, x)
	s.inst(use(x), use(c), defTied(y, 0))
	s.inst()
	s.end(1, []VReg{y}, nil)
	s.begin(2)
	s.inst(use(y))
	s.end(2)
	s.run()
	s.expectMoves(1, 0)
	s.expectMoves(0, 1)
}

// The edges of a switch get no moves: its targets start as it ends.
func TestSwitchEdges(t *testing.T) {
	n := 50
	succs := [][]uint32{{1}, nil}
	for k := range n {
		succs[1] = append(succs[1], uint32(k+2))
		succs = append(succs, []uint32{uint32(k + 3)})
	}
	succs = append(succs, nil)
	s := newShape(t, orderGraph(succs)...)
	s.begin(0)
	vs := s.defs(5)
	s.inst()
	s.end(0)
	for b := 1; b < len(s.Blocks); b++ {
		s.begin(b)
		d := s.int()
		switch {
		case len(s.succs[b]) > 2:
			s.inst(use(vs[0]), temp(s.int()))
		case len(s.succs[b]) == 1 && b%7 == 0:
			s.call(useIn(vs[1], rdi))
			s.inst()
		default:
			s.inst(use(vs[b%5]), useIn(vs[b%3], rcx), defTied(d, 0))
			s.inst(use(d))
			s.inst()
		}
		s.end(b)
	}
	s.run()
	for _, l := range s.r.OnEdge {
		if from := s.Edges[l.At].From; len(s.succs[from]) > 2 {
			t.Errorf("moves on edge %d of the switch\n%s", l.At, s.dump())
		}
	}
}

// A value in a register that the loop's shifts need moves away once, before the loop.
func TestLoopLeavesFixed(t *testing.T) {
	s := newShape(t, []uint32{1}, []uint32{1, 2}, nil)
	s.begin(0)
	v, n, c := s.int(), s.int(), s.int()
	s.inst(defIn(v, rcx), defIn(n, rdi), defIn(c, rdx))
	s.inst()
	s.end(0, []VReg{c})
	i, j, k := s.int(), s.int(), s.int()
	s.begin(1, i)
	s.inst(use(n), use(i), def(k))
	s.inst(use(i), useIn(k, rcx), defTied(j, 0))
	s.inst(use(v), use(j))
	s.inst()
	s.end(1, []VReg{j}, nil)
	s.begin(2)
	s.inst()
	s.end(2)
	s.run()
	s.expectMoves(0, 1)
	s.expectMoves(1, 0)
}

// After a call a value that is used once more is read from its slot.
func TestMemoryOperand(t *testing.T) {
	s := newShape(t, []uint32{})
	s.begin(0)
	v, x := s.int(), s.int()
	s.inst(def(v))
	s.call()
	s.inst(def(x))
	o := len(s.Ops)
	s.inst(use(x), useMem(v))
	s.inst()
	s.end(0)
	s.run()
	s.expect("location", int(s.loc(o+1).Kind), int(LocSlot))
	s.expect("loads", s.count(LocSlot, LocReg), 0)
}

// a, b = b, a+b.
func TestFibonacciLoop(t *testing.T) {
	s := newShape(t, []uint32{1}, []uint32{1, 2}, nil)
	s.begin(0)
	vs := s.defs(2)
	s.inst()
	s.end(0, []VReg{vs[0], vs[1]})
	a, b := s.int(), s.int()
	s.begin(1, a, b)
	sum := s.add(a, b)
	s.inst()
	s.end(1, []VReg{b, sum}, nil)
	s.begin(2)
	s.inst(use(sum))
	s.end(2)
	s.run()
	if n := len(s.moves(1)); n > 1 {
		t.Errorf("%d moves in the loop, want one exchange\n%s", n, s.dump())
	}
}

// More parameters than registers: the rest is carried in slots.
func TestManyParameters(t *testing.T) {
	s := newShape(t, []uint32{1}, []uint32{1, 2}, nil)
	s.begin(0)
	vs := s.defs(30)
	s.inst()
	s.end(0, vs)
	ps := make([]VReg, 30)
	for i := range ps {
		ps[i] = s.int()
	}
	s.begin(1, ps...)
	s.inst(use(ps[0]))
	s.inst()
	s.end(1, append(slices.Clone(ps[1:]), ps[0]), nil)
	s.begin(2)
	for _, p := range ps {
		s.inst(use(p))
	}
	s.inst()
	s.end(2)
	s.run()
}

// Slots are shared by values whose lives do not meet.
func TestSlotSharing(t *testing.T) {
	s := newShape(t, []uint32{})
	s.begin(0)
	for range 20 {
		vs := s.defs(2)
		s.call()
		s.inst(use(vs[0]), use(vs[1]))
	}
	s.inst()
	s.end(0)
	s.run()
	s.expect("frame", int(s.r.FrameSize), 16)
}

// What cannot be met is an error, not a panic or a wrong result.
func TestUnsatisfiable(t *testing.T) {
	for _, test := range []struct {
		name string
		ops  func(s *shape, x, y VReg) []Operand
		clob uint8
		want string
	}{
		{"two values in one register", func(s *shape, x, y VReg) []Operand { return []Operand{useIn(x, rax), useIn(y, rax)} }, 0, "another operand needs"},
		{"register of the other class", func(s *shape, x, y VReg) []Operand { return []Operand{useIn(x, 33)} }, 0, "cannot be allocated"},
		{"scratch register", func(s *shape, x, y VReg) []Operand { return []Operand{useIn(x, 11)} }, 0, "cannot be allocated"},
		{"definition at a call", func(s *shape, x, y VReg) []Operand { return []Operand{def(s.int())} }, 1, "no register"},
		{"late use at a call", func(s *shape, x, y VReg) []Operand { return []Operand{useLate(x)} }, 1, "no register"},
		{"tied to nothing", func(s *shape, x, y VReg) []Operand { return []Operand{use(x), defTied(s.int(), 7)} }, 0, "tied"},
		{"tied to a definition", func(s *shape, x, y VReg) []Operand { return []Operand{def(s.int()), defTied(s.int(), 0)} }, 0, "tied"},
		{"undefined", func(s *shape, x, y VReg) []Operand { return []Operand{use(s.int())} }, 0, "before its definition"},
		{"too many operands", func(s *shape, x, y VReg) []Operand {
			ops := []Operand{useLate(x), useLate(y)}
			for range 11 {
				ops = append(ops, def(s.int()))
			}
			return ops
		}, 0, "no register"},
	} {
		s := newShape(t, []uint32{})
		s.begin(0)
		x, y := s.int(), s.int()
		s.inst(def(x), def(y))
		s.inst(test.ops(s, x, y)...).Clobbers = test.clob
		s.inst(use(x), use(y))
		s.inst()
		s.end(0)
		var a Allocator
		err := a.Run(s.finish(), amd64Like(), &s.r)
		if err == nil || !strings.Contains(err.Error(), test.want) {
			t.Errorf("%s: got %v, want %q", test.name, err, test.want)
		}
	}
}

// Constants that a switch passes to its targets are made once before it.
func TestSwitchConstants(t *testing.T) {
	n := 20
	succs := [][]uint32{nil}
	for k := range n {
		succs[0] = append(succs[0], uint32(k+1))
		succs = append(succs, []uint32{uint32(k + 2)})
	}
	s := newShape(t, orderGraph(append(succs, nil))...)
	zero := s.int()
	s.VRegs[zero].Home = HomeRemat
	params := make([][]VReg, len(s.Blocks))
	for b := range params {
		if len(s.preds[b]) > 1 {
			params[b] = []VReg{s.int(), s.int(), s.int()}
		}
	}
	for b := range s.Blocks {
		s.begin(b, params[b]...)
		for _, p := range params[b] {
			s.inst(use(p))
		}
		if b == 0 {
			s.inst(use(s.defs(1)[0]), temp(s.int()))
		} else {
			s.inst()
		}
		var args [][]VReg
		for _, to := range s.succs[b] {
			list := params[b]
			if b == 0 || len(list) == 0 {
				list = []VReg{zero, zero, zero}
			}
			args = append(args, list[:len(params[to])])
		}
		s.end(b, args...)
	}
	s.run()
	for _, l := range s.r.OnEdge {
		if s.Edges[l.At].From == 0 {
			t.Fatalf("moves on edge %d of the switch\n%s", l.At, s.dump())
		}
	}
	s.expectMoves(3, 0)
}

// A value that calls keep in memory passes through a block in memory.
func TestParameterInMemory(t *testing.T) {
	s := newShape(t, []uint32{1, 2}, []uint32{3}, []uint32{3}, []uint32{})
	s.begin(0)
	v, w := s.int(), s.int()
	s.inst(def(v), def(w))
	s.inst()
	s.end(0)
	for b, x := range []VReg{v, w} {
		s.begin(b + 1)
		s.call()
		s.inst()
		s.end(b+1, []VReg{x})
	}
	p := s.int()
	s.begin(3, p)
	s.call()
	s.inst(use(p))
	s.inst()
	s.end(3)
	s.run()
	s.expect("loads", s.count(LocSlot, LocReg), 1)
	s.expect("stores", s.count(LocReg, LocSlot), 2)
	s.expect("moves between slots", s.count(LocSlot, LocSlot), 1)
}
