package amd64

import (
	"slices"

	"github.com/wasmaot/wasmaot/backend/isel"
	"github.com/wasmaot/wasmaot/backend/regalloc"
	"github.com/wasmaot/wasmaot/compiler/ssa"
)

// mulHighOp makes the high half of a 128-bit product.
func (l *lowerer) mulHighOp(v ssa.Value, in *ssa.Inst, _ Op) {
	if l.withOtherHalf(v, in) {
		return
	}
	a, s := l.factors(in)
	l.product(l.Result(v), 0, a, &s)
}

// factors gives the operands of a multiplication.
func (l *lowerer) factors(in *ssa.Inst) (regalloc.VReg, source) {
	a, b := ssa.Value(in.A), ssa.Value(in.B)
	if l.prefersSwap(a, b, 8) {
		a, b = b, a
	}
	first := l.Use(a)
	return first, l.registerOrMemory(b, 8)
}

// withOtherHalf sees to it that v, a half of a product, is made together with the other half, if that is near: both where the first of
// them stands. It reports whether nothing is left to be done for v.
func (l *lowerer) withOtherHalf(v ssa.Value, in *ssa.Inst) bool {
	if other, ok := l.Partner(v); ok {
		if in.Op == ssa.OpMul {
			v, other = other, v
		}
		a, s := l.factors(in)
		l.product(l.Result(v), l.Result(other), a, &s)
		return true
	}
	wanted := ssa.OpMul
	if in.Op == ssa.OpMul {
		if wanted = ssa.OpMulHiU; !l.HighHalves {
			return false
		}
	}
	for _, x := range l.Near() {
		other := &l.F.Insts[x]
		if other.Op == wanted && other.Type == in.Type && l.Info[x].Flags&(isel.Paired|isel.Narrow) == 0 &&
			(other.A == in.A && other.B == in.B || other.A == in.B && other.B == in.A) {
			l.Pair(x, v)
			return true
		}
	}
	return false
}

// product makes the high half and, unless low is 0, the low half of a product of unsigned numbers.
func (l *lowerer) product(high, low, a regalloc.VReg, b *source) {
	if l.Cfg.Features&FeatureBMI2 == 0 {
		l.productFixed(MUL, high, low, a, b)
		return
	}
	inst := l.Put(tMulX, 8)
	l.Def(high)
	if low != 0 {
		inst.Cond = 1
		l.Def(low)
	}
	l.FixedArg(a, RDX)
	l.attach(inst, MULX, b)
}

// productFixed is product by an instruction that leaves both halves in fixed registers.
func (l *lowerer) productFixed(op Op, high, low, a regalloc.VReg, b *source) {
	if low == 0 {
		low = l.NewVReg(regalloc.ClassInt)
	}
	inst := l.Put(tMulHi, 8)
	l.FixedDef(high, RDX)
	l.FixedDef(low, RAX)
	l.FixedArg(a, RAX)
	l.attach(inst, op, b)
}

// addBit makes v = a + bit, where the bit is an unsigned comparison made for that alone: the machine's
// comparison leaves it in the carry flag.
func (l *lowerer) addBit(v, a, bit ssa.Value) bool {
	x, y, ok := l.carry(bit)
	if !ok || !l.Only(bit) {
		return false
	}
	if l.F.Insts[bit].Op == ssa.OpZext {
		if bit = ssa.Value(l.F.Insts[bit].A); !l.Only(bit) {
			return false
		}
	}
	if _, isConst := l.F.IsConst(a); isConst {
		return false
	}
	if l.addWide(v, a, bit, x, y) {
		return true
	}
	c := comparison{op: CMP, size: uint8(l.F.Insts[x].Type.Size()), cond: CondB, a: l.Use(x)}
	c.src = l.operandOf(y, c.size)
	sum := l.Use(a)
	inst := l.Put(tAddBit, 0)
	l.Tied(l.Result(v), 1)
	l.Arg(sum)
	l.attachCompare(inst, &c)
	if l.SizeOf(v) == 8 {
		inst.Aux |= auxWide
	}
	return true
}

// addWide makes v = a + bit and the sum x of y and another value, of which the bit is the carry, in one: the addition leaves the
// carry in its flag. Both are made where the sum stands, if a is there before it, or where v stands, if no one needs the sum before.
func (l *lowerer) addWide(v, a, bit, x, y ssa.Value) bool {
	sum := &l.F.Insts[x]
	p, q := ssa.Value(sum.A), ssa.Value(sum.B)
	if sum.Op != ssa.OpAdd || p != y && q != y || a == x || l.Info[x].Flags&(isel.Folded|isel.Paired|isel.Narrow) != 0 || l.isCarry(p) || l.isCarry(q) {
		return false
	}
	near := l.Near()
	at := slices.Index(near, x)
	if at < 0 {
		return false
	}
	between := near[at+1:]
	if !slices.Contains(between, a) {
		l.Pair(x, v)
		return true
	}
	for _, w := range between {
		other, paired := l.Partner(w)
		if w != bit && (l.Reads(w, x) || paired && l.Reads(other, x)) {
			return false
		}
	}
	l.bothSums(x, v, a)
	l.Info[x].Flags |= isel.Folded
	return true
}

// withCarry makes sum x with v, to which its carry is added.
func (l *lowerer) withCarry(x, v ssa.Value) {
	in := &l.F.Insts[v]
	a, bit := ssa.Value(in.A), ssa.Value(in.B)
	if of, _, ok := l.carry(bit); !ok || of != x {
		a = bit
	}
	l.bothSums(x, v, a)
}

func (l *lowerer) bothSums(x, v, a ssa.Value) {
	sum := &l.F.Insts[x]
	p, q, size := ssa.Value(sum.A), ssa.Value(sum.B), uint8(sum.Type.Size())
	if l.prefersSwap(p, q, size) {
		p, q = q, p
	}
	s := l.operandOf(q, size)
	first, second := l.Use(p), l.Use(a)
	inst := l.Put(tAddWide, size)
	l.Tied(l.Result(x), 2)
	l.Tied(l.Result(v), 3)
	l.Arg(first)
	l.Arg(second)
	l.attach(inst, ADD, &s)
	if l.SizeOf(v) == 8 {
		inst.Aux |= auxWide
	}
}

// carry reports whether v is the comparison x < y, which leaves its result in the carry flag.
func (l *lowerer) carry(v ssa.Value) (x, y ssa.Value, ok bool) {
	in := &l.F.Insts[v]
	if in.Op == ssa.OpZext {
		in = &l.F.Insts[in.A]
	}
	switch in.Op {
	case ssa.OpLtU:
		return ssa.Value(in.A), ssa.Value(in.B), true
	case ssa.OpGtU:
		return ssa.Value(in.B), ssa.Value(in.A), true
	}
	return 0, 0, false
}

func (l *lowerer) isCarry(v ssa.Value) bool {
	_, _, ok := l.carry(v)
	return ok
}
