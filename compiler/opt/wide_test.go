package opt

import (
	"math/bits"
	"math/rand/v2"
	"testing"

	"github.com/wasmaot/wasmaot/compiler/abi"
	"github.com/wasmaot/wasmaot/compiler/ssa"
	"github.com/wasmaot/wasmaot/compiler/ssa/ssatest"
)

// spelling writes expansions of wide arithmetic in one of their many forms; now and then a
// slip makes them something else.
type spelling struct {
	r     *rand.Rand
	f     *ssa.Func
	slips int // chance of a slip at each step: one in so many; 0: none
}

func (s *spelling) slip() bool { return s.slips > 0 && s.r.IntN(s.slips) == 0 }

func (s *spelling) num(c uint64) ssa.Value { return s.f.Const(abi.I64, c) }

// op emits a operation b, with the operands in any order if that does not matter.
func (s *spelling) op(op ssa.Op, a, b ssa.Value) ssa.Value {
	if s.slip() {
		switch s.r.IntN(4) {
		case 0:
			op = []ssa.Op{ssa.OpAdd, ssa.OpSub, ssa.OpMul, ssa.OpAnd, ssa.OpOr, ssa.OpXor, ssa.OpShrU, ssa.OpShrS}[s.r.IntN(8)]
		case 1:
			b = s.num(1)
		case 2:
			a, b = b, a
		default:
			a = b
		}
	}
	if _, isConst := s.f.IsConst(b); op.Is(ssa.PropCommutes) && !isConst && s.r.IntN(2) == 0 {
		a, b = b, a
	}
	return s.f.Emit(op, abi.I64, uint32(a), uint32(b), 0, 0)
}

func (s *spelling) high(x ssa.Value) ssa.Value { return s.op(ssa.OpShrU, x, s.num(32)) }

func (s *spelling) low(x ssa.Value) ssa.Value {
	if s.r.IntN(2) == 0 {
		return s.op(ssa.OpAnd, x, s.num(1<<32-1))
	}
	half := s.f.Emit(ssa.OpWrap, abi.I32, uint32(x), 0, 0, 0)
	return s.f.Emit(ssa.OpZext, abi.I64, uint32(half), 0, 0, 0)
}

// mulHigh is how package math/bits multiplies.
func (s *spelling) mulHigh(x, y ssa.Value) ssa.Value {
	x0, x1, y0, y1 := s.low(x), s.high(x), s.low(y), s.high(y)
	t := s.op(ssa.OpAdd, s.op(ssa.OpMul, x1, y0), s.high(s.op(ssa.OpMul, x0, y0)))
	w := s.op(ssa.OpAdd, s.low(t), s.op(ssa.OpMul, x0, y1))
	leaves := []ssa.Value{s.op(ssa.OpMul, x1, y1), s.high(t), s.high(w)}
	s.r.Shuffle(3, func(i, j int) { leaves[i], leaves[j] = leaves[j], leaves[i] })
	return s.op(ssa.OpAdd, s.op(ssa.OpAdd, leaves[0], leaves[1]), leaves[2])
}

func (s *spelling) carry(x, y, c ssa.Value) ssa.Value {
	terms := []ssa.Value{x, y, c}
	if c == 0 {
		terms = terms[:2]
	}
	s.r.Shuffle(len(terms), func(i, j int) { terms[i], terms[j] = terms[j], terms[i] })
	sum := s.op(ssa.OpAdd, terms[0], terms[1])
	if c != 0 {
		sum = s.op(ssa.OpAdd, sum, terms[2])
	}
	not := s.op(ssa.OpXor, sum, s.num(1<<64-1))
	either := s.op(ssa.OpAnd, s.op(ssa.OpOr, x, y), not)
	return s.op(ssa.OpShrU, s.op(ssa.OpOr, s.op(ssa.OpAnd, x, y), either), s.num(63))
}

func (s *spelling) borrow(x, y, c ssa.Value) ssa.Value {
	diff := s.op(ssa.OpSub, x, y)
	if c != 0 {
		diff = s.op(ssa.OpSub, diff, c)
	}
	all := s.num(1<<64 - 1)
	both := s.op(ssa.OpAnd, s.op(ssa.OpXor, x, all), y)
	same := s.op(ssa.OpXor, s.op(ssa.OpXor, x, y), all)
	return s.op(ssa.OpShrU, s.op(ssa.OpOr, both, s.op(ssa.OpAnd, same, diff)), s.num(63))
}

// wideFunc makes a function of (x, y, c) that returns the expansion of one of five, and tells which.
func wideFunc(seed, i uint64, slips int) (f *ssa.Func, which int) {
	r := rand.New(rand.NewPCG(seed, i))
	f = new(ssa.Func)
	f.Reset()
	f.Module = ssatest.Module
	f.Sig = &abi.Signature{Params: []abi.Type{abi.I64, abi.I64, abi.I64}, Results: []abi.Type{abi.I64}}
	b := f.AddBlock()
	x := f.AddParams(b, f.Sig.Params...)
	y, c := x+1, x+2
	s := &spelling{r, f, slips}
	f.Begin(b)
	which = r.IntN(5)
	bit := ssa.Value(0)
	if which%2 == 0 {
		bit = s.op(ssa.OpAnd, c, s.num(1))
	}
	var v ssa.Value
	switch which {
	case 0:
		v = s.mulHigh(x, y)
	case 1, 2:
		v = s.carry(x, y, bit)
	default:
		v = s.borrow(x, y, bit)
	}
	f.EndReturn(b, 0, v)
	f.Analyze(new(ssa.Scratch))
	return f, which
}

// wideArgs makes operands of which halves and highest bits are often special.
func wideArgs(r *rand.Rand) []uint64 {
	half := func() uint64 {
		return []uint64{0, 1, 0x7fffffff, 0x80000000, 0xffffffff, uint64(r.Uint32()), uint64(r.Uint32())}[r.IntN(7)]
	}
	args := make([]uint64, 3)
	for i := range args {
		args[i] = half()<<32 | half()
	}
	return args
}

// TestWide compares expansions with package math/bits before and after the pass, and demands that each is found.
func TestWide(t *testing.T) {
	seed := ssatest.Seed(t)
	var s Scratch
	for i := range uint64(600) {
		f, which := wideFunc(seed, i, 0)
		before := f.String()
		root := f.ReturnsOf(&f.Blocks[0])[0]
		GVN.Run(f, &s)
		Wide.Run(f, &s)
		if err := ssa.Check(f); err != nil {
			t.Fatalf("function %d: %v\n%s", i, err, f)
		}
		want := ssa.OpZext
		switch {
		case which == 0:
			want = ssa.OpMulHiU
		case which%2 == 0: // with a carry that comes in
			want = ssa.OpAdd
		}
		if got := f.Insts[root].Op; got != want {
			t.Fatalf("function %d: %s is not found\n%s", i, want, before)
		}
		r := rand.New(rand.NewPCG(seed, i))
		for range 50 {
			args := wideArgs(r)
			x, y, c := args[0], args[1], args[2]&1
			if which%2 != 0 {
				c = 0
			}
			var want uint64
			switch which {
			case 0:
				want, _ = bits.Mul64(x, y)
			case 1, 2:
				_, want = bits.Add64(x, y, c)
			default:
				_, want = bits.Sub64(x, y, c)
			}
			got, _, err := (&ssa.Machine{Fuel: 1000}).Eval(f, args)
			if err != nil || got[0] != want {
				t.Fatalf("function %d%x: got %x (%v), expected %x\nbefore:\n%s\nafter:\n%s", i, args, got, err, want, before, f)
			}
		}
	}
}

// TestWideNearMiss changes expansions here and there: what they compute must stay.
func TestWideNearMiss(t *testing.T) {
	seed := ssatest.Seed(t)
	var s Scratch
	found := 0
	for i := range uint64(4000) {
		before, _ := wideFunc(seed, i, 30)
		f, _ := wideFunc(seed, i, 30)
		for _, p := range All {
			p.Run(f, &s)
		}
		for _, v := range f.Order {
			if f.Insts[v].Op == ssa.OpMulHiU {
				found++
			}
		}
		r := rand.New(rand.NewPCG(seed, i))
		for range 50 {
			args := wideArgs(r)
			want, _, err1 := (&ssa.Machine{Fuel: 1000}).Eval(before, args)
			got, _, err2 := (&ssa.Machine{Fuel: 1000}).Eval(f, args)
			if err1 != nil || err2 != nil || want[0] != got[0] {
				t.Fatalf("function %d%x: got %x (%v), expected %x (%v)\nbefore:\n%s\nafter:\n%s", i, args, got, err2, want, err1, before, f)
			}
		}
	}
	if found == 0 {
		t.Error("no product at all was found")
	}
}

// TestWideConstant multiplies by constants, of which no halves are computed.
func TestWideConstant(t *testing.T) {
	var s Scratch
	for _, c := range []uint64{0x1d8e4e27c47d124f, 0xa0761d6478bd642f, 0xffffffffffffffff, 0x300000003} {
		f := new(ssa.Func)
		f.Reset()
		f.Module = ssatest.Module
		f.Sig = &abi.Signature{Params: []abi.Type{abi.I64}, Results: []abi.Type{abi.I64}}
		b := f.AddBlock()
		x := f.AddParams(b, abi.I64)
		f.Begin(b)
		w := &spelling{r: rand.New(rand.NewPCG(c, 0)), f: f}
		f.EndReturn(b, 0, w.mulHigh(x, f.Const(abi.I64, c)))
		f.Analyze(&s.Scratch)
		for _, p := range All {
			p.Run(f, &s)
		}
		if v := f.ReturnsOf(&f.Blocks[0])[0]; f.Insts[v].Op != ssa.OpMulHiU {
			t.Errorf("the product with %#x is not found\n%s", c, f)
		}
		for _, x := range []uint64{0, 1, 0xffffffff, 1 << 32, 0xfedcba9876543210, 1<<64 - 1} {
			want, _ := bits.Mul64(x, c)
			if got, _, err := (&ssa.Machine{Fuel: 1000}).Eval(f, []uint64{x}); err != nil || got[0] != want {
				t.Errorf("%#x * %#x: got %x (%v), expected %x", x, c, got, err, want)
			}
		}
	}
}
