package arm64

import (
	"math/bits"

	"github.com/wasmaot/wasmaot/backend"
	"github.com/wasmaot/wasmaot/backend/isel"
	"github.com/wasmaot/wasmaot/backend/regalloc"
	"github.com/wasmaot/wasmaot/compiler/abi"
	"github.com/wasmaot/wasmaot/compiler/ssa"
)

// A comparison is an instruction that sets the flags, or what a branch does without, and the condition to look for.
type comparison struct {
	op   Op
	size uint8
	cond Cond
	a    regalloc.VReg
	src  source
}

// attachCompare gives an instruction its comparison as last operands.
func (l *lowerer) attachCompare(in *backend.Inst, c *comparison) {
	in.Cond = uint8(c.cond)
	in.Size = c.size
	l.Arg(c.a)
	l.attach(in, c.op, &c.src)
}

// intConds has the condition of each integer comparison of ssa.OpEq and following.
var intConds = [...]Cond{
	ssa.OpEq - ssa.OpEq:  CondEQ,
	ssa.OpNe - ssa.OpEq:  CondNE,
	ssa.OpLtS - ssa.OpEq: CondLT,
	ssa.OpLtU - ssa.OpEq: CondLO,
	ssa.OpGtS - ssa.OpEq: CondGT,
	ssa.OpGtU - ssa.OpEq: CondHI,
	ssa.OpLeS - ssa.OpEq: CondLE,
	ssa.OpLeU - ssa.OpEq: CondLS,
	ssa.OpGeS - ssa.OpEq: CondGE,
	ssa.OpGeU - ssa.OpEq: CondHS,
}

// floatConds has the condition of each float comparison of ssa.OpFEq and following: none holds if unordered but NE.
var floatConds = [...]Cond{
	ssa.OpFEq - ssa.OpFEq: CondEQ,
	ssa.OpFNe - ssa.OpFEq: CondNE,
	ssa.OpFLt - ssa.OpFEq: CondMI,
	ssa.OpFGt - ssa.OpFEq: CondGT,
	ssa.OpFLe - ssa.OpFEq: CondLS,
	ssa.OpFGe - ssa.OpFEq: CondGE,
}

// compare finds the comparison that makes v, which is used as a truth value. Branches have comparisons of their own.
func (l *lowerer) compare(v ssa.Value, branch bool) comparison {
	x := l.Compare(v)
	var c comparison
	if x.IsFloat() {
		l.compareFloat(&c, &x)
	} else {
		c.cond = intConds[x.Op-ssa.OpEq]
		l.compareInt(&c, x.A, x.B, branch)
	}
	l.NoFold = false
	if x.Negate {
		c.cond ^= 1
	}
	return c
}

// compareInt compares a with b or, if that is 0, with 0.
func (l *lowerer) compareInt(c *comparison, a, b ssa.Value, branch bool) {
	if b == 0 {
		l.compareZero(c, a, branch)
		return
	}
	c.op, c.size = SUBS, uint8(l.F.Insts[a].Type.Size())
	c.a = l.Use(a)
	c.src = l.arithSource(b, c.size)
}

// ComparesSwapped reports whether a comparison is better made with its operands exchanged.
func (l *lowerer) ComparesSwapped(a, b ssa.Value, _ uint8) bool { return !l.folds(b) && l.folds(a) }

// compareZero compares v, of any type in an integer register, with 0.
func (l *lowerer) compareZero(c *comparison, v ssa.Value, branch bool) {
	c.size = uint8(l.F.Insts[v].Type.Size())
	in := &l.F.Insts[v]
	switch c.cond { // unsigned ones say no more
	case CondHI:
		c.cond = CondNE
	case CondLS:
		c.cond = CondEQ
	}
	equality := c.cond == CondEQ || c.cond == CondNE
	switch {
	case in.Op == ssa.OpAnd && equality && l.Only(v):
		l.testAnd(c, in)
		return
	case equality:
		c.op = cmpZero
	case branch && c.cond == CondLT:
		c.op, c.cond = cmpBit, CondNE
	case branch && c.cond == CondGE:
		c.op, c.cond = cmpBit, CondEQ
	default:
		c.op = SUBS
	}
	c.a = l.Use(v)
	c.src = source{form: formImm}
	if c.op == cmpBit {
		c.src.imm = int64(c.size)*8 - 1
	}
}

// testAnd compares A & B with 0.
func (l *lowerer) testAnd(c *comparison, in *ssa.Inst) {
	c.op = ANDS
	a, b := ssa.Value(in.A), ssa.Value(in.B)
	if !l.folds(b) && l.folds(a) {
		a, b = b, a
	}
	if mask, ok := l.constant(b, c.size); ok {
		if c.size == 4 {
			mask = int64(uint32(mask))
		}
		if m := uint64(mask); m&(m-1) == 0 && m != 0 {
			c.op = cmpBit
			c.a = l.Use(a)
			c.src = immSource(int64(bits.TrailingZeros64(m)))
			return
		}
	}
	c.a = l.Use(a)
	c.src = l.logicSource(b, c.size)
}

func (l *lowerer) compareFloat(c *comparison, x *isel.Comparison) {
	if l.isZero(x.A) && !l.isZero(x.B) {
		x.Exchange()
	}
	c.op, c.size, c.cond = cmpFloat, uint8(l.F.Insts[x.A].Type.Size()), floatConds[x.Op-ssa.OpFEq]
	c.a = l.Use(x.A)
	if l.isZero(x.B) {
		c.op = cmpFloatZero
		return
	}
	c.src = regSource(l.Use(x.B))
}

// isZero reports whether v is a constant of which all bits are 0.
func (l *lowerer) isZero(v ssa.Value) bool {
	c, ok := l.F.IsConst(v)
	return ok && c == 0
}

// Set makes the value 0 or 1 of a comparison.
func (l *lowerer) Set(v ssa.Value) {
	c := l.compare(v, false)
	inst := l.Put(tSet, 0)
	l.Def(l.Result(v))
	l.attachCompare(inst, &c)
}

// Choose makes A ≠ 0 ? B : C.
func (l *lowerer) Choose(v ssa.Value, in *ssa.Inst) {
	c := l.compare(ssa.Value(in.A), false)
	yes, no := ssa.Value(in.B), ssa.Value(in.C)
	if l.selectConst(v, &c, yes, no) {
		return
	}
	float := in.Type.IsFloat()
	aux := uint32(0)
	if x, bit := l.altered(yes, in.Type); bit != 0 { // it is the second operand that is altered
		yes, no, aux = no, x, bit
		c.cond ^= 1
	} else if x, bit := l.altered(no, in.Type); bit != 0 {
		no, aux = x, bit
	}
	zeroYes, zeroNo := !float && l.isZero(yes), !float && l.isZero(no)
	var a, b regalloc.VReg
	if !zeroYes {
		a = l.Use(yes)
	}
	if !zeroNo {
		b = l.Use(no)
	}
	inst := l.Put(tSelect, 0)
	inst.Aux = aux
	if in.Type == abi.V128 {
		l.Operand(l.Result(v), regalloc.DefEarly, regalloc.AnyReg, 0)
	} else {
		l.Def(l.Result(v))
	}
	if zeroYes {
		inst.Aux |= auxZeroA
	} else {
		l.Arg(a)
	}
	if zeroNo {
		inst.Aux |= auxZeroB
	} else {
		l.Arg(b)
	}
	l.attachCompare(inst, &c)
	if in.Type.Size() >= 8 {
		inst.Aux |= auxWide
	}
}

// altered gives x of x + 1, ^x or -x made for a choice alone, and which it is.
func (l *lowerer) altered(v ssa.Value, t abi.Type) (x ssa.Value, aux uint32) {
	in := &l.F.Insts[v]
	if t.IsFloat() || !l.Only(v) {
		return 0, 0
	}
	a, b := ssa.Value(in.A), ssa.Value(in.B)
	size := uint8(t.Size())
	switch in.Op {
	case ssa.OpAdd:
		if c, ok := l.constant(b, size); ok && c == 1 {
			return a, auxInc
		}
	case ssa.OpXor:
		if c, ok := l.constant(b, size); ok && c == -1 {
			return a, auxInv
		}
	case ssa.OpSub:
		if l.isZero(a) {
			return b, auxNeg
		}
	}
	return 0, 0
}

// selectConst makes a choice between 0 and 1 or -1.
func (l *lowerer) selectConst(v ssa.Value, c *comparison, yes, no ssa.Value) bool {
	t := l.F.Insts[v].Type
	size := uint8(t.Size())
	x, ok1 := l.constant(yes, size)
	y, ok2 := l.constant(no, size)
	if !ok1 || !ok2 || t.IsFloat() {
		return false
	}
	if x != 0 && y != 0 || x|y != 1 && x|y != -1 {
		return false
	}
	if x == 0 {
		x = y
		c.cond ^= 1
	}
	inst := l.Put(tSet, 0)
	l.Def(l.Result(v))
	l.attachCompare(inst, c)
	if x == -1 {
		inst.Aux |= auxInv
	}
	if size == 8 {
		inst.Aux |= auxWide
	}
	return true
}
