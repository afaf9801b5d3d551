package amd64

import (
	"github.com/wasmaot/wasmaot/backend"
	"github.com/wasmaot/wasmaot/backend/isel"
	"github.com/wasmaot/wasmaot/backend/regalloc"
	"github.com/wasmaot/wasmaot/compiler/ssa"
)

// A comparison is an instruction that sets the flags and the condition to look for.
type comparison struct {
	op       Op
	size     uint8
	cond     Cond
	a        regalloc.VReg // the first operand, if src is not that
	src      source        // the second operand; or the first, if memFirst
	memFirst bool
	hasImm   bool // memFirst, and the second operand is imm; else it is a
	imm      int64
}

// attachCompare gives an instruction its comparison as last operands.
func (l *lowerer) attachCompare(in *backend.Inst, c *comparison) {
	in.Cond = uint8(c.cond)
	in.Size = c.size
	if c.a != 0 {
		if c.hasImm {
			l.SlotArg(c.a)
		} else {
			l.Arg(c.a)
		}
	}
	if c.memFirst {
		in.Aux |= auxMemFirst
	}
	l.attach(in, c.op, &c.src)
	if c.memFirst && c.hasImm {
		in.Aux |= auxImm
		in.Imm = c.imm
	}
}

// intConds has the condition of each integer comparison of ssa.OpEq and following.
var intConds = [...]Cond{
	ssa.OpEq - ssa.OpEq:  CondE,
	ssa.OpNe - ssa.OpEq:  CondNE,
	ssa.OpLtS - ssa.OpEq: CondL,
	ssa.OpLtU - ssa.OpEq: CondB,
	ssa.OpGtS - ssa.OpEq: CondG,
	ssa.OpGtU - ssa.OpEq: CondA,
	ssa.OpLeS - ssa.OpEq: CondLE,
	ssa.OpLeU - ssa.OpEq: CondBE,
	ssa.OpGeS - ssa.OpEq: CondGE,
	ssa.OpGeU - ssa.OpEq: CondAE,
}

// floatConds has the condition of each float comparison of ssa.OpFEq and following. UCOMIF sets the flags of an unsigned comparison, and all
// three of them if unordered; so less-than is greater-than with the operands exchanged.
var floatConds = [...]Cond{
	ssa.OpFEq - ssa.OpFEq: condFEq,
	ssa.OpFNe - ssa.OpFEq: condFNe,
	ssa.OpFGt - ssa.OpFEq: CondA,
	ssa.OpFGe - ssa.OpFEq: CondAE,
}

// unsignedCond is the condition that compares unsigned what c compares signed.
func unsignedCond(c Cond) Cond {
	switch c {
	case CondL:
		return CondB
	case CondGE:
		return CondAE
	case CondLE:
		return CondBE
	case CondG:
		return CondA
	}
	return c
}

// compare finds the comparison that makes v, which is used as a truth value.
func (l *lowerer) compare(v ssa.Value) comparison {
	x := l.Compare(v)
	var c comparison
	if x.IsFloat() {
		l.compareFloat(&c, &x)
	} else {
		c.cond = intConds[x.Op-ssa.OpEq]
		l.compareInt(&c, x.A, x.B)
	}
	l.NoFold = false
	if x.Negate {
		c.cond ^= 1
	}
	return c
}

// compareInt compares a with b or, if that is 0, with 0.
func (l *lowerer) compareInt(c *comparison, a, b ssa.Value) {
	if b == 0 {
		l.compareZero(c, a)
		return
	}
	c.op, c.size = CMP, uint8(l.F.Insts[a].Type.Size())
	if imm, ok := l.immediate(b, c.size); ok {
		l.compareImmediate(c, a, imm)
		return
	}
	c.a = l.Use(a)
	c.src = l.registerOrMemory(b, c.size)
}

// ComparesSwapped reports whether a comparison is better made with its operands exchanged.
func (l *lowerer) ComparesSwapped(a, b ssa.Value, size uint8) bool {
	if _, ok := l.immediate(b, size); ok {
		return false
	}
	if _, ok := l.immediate(a, size); ok {
		return true
	}
	return l.canFold(a, size) && !l.canFold(b, size)
}

// compareImmediate compares a with a constant, in memory if a is a load just for that.
func (l *lowerer) compareImmediate(c *comparison, a ssa.Value, imm int64) {
	c.imm, c.hasImm = imm, true
	if l.foldNarrowLoad(c, a) {
		return
	}
	c.a = l.Use(a)
	c.src = source{form: formImm, imm: imm}
}

// foldNarrowLoad makes load a the first operand of a comparison of its own width with c.imm, if
// the outcome is the same.
func (l *lowerer) foldNarrowLoad(c *comparison, a ssa.Value) bool {
	in := &l.F.Insts[a]
	bits := uint(0)
	switch in.Op {
	case ssa.OpLoad8U:
		bits = 8
	case ssa.OpLoad16U:
		bits = 16
	case ssa.OpLoad32U:
		bits = 32
	}
	if bits == 0 {
		s, ok := l.foldLoad(a, c.size)
		if !ok {
			return false
		}
		c.src, c.memFirst = s, true
		return true
	}
	if c.imm < 0 || c.imm>>bits != 0 || !l.LoadMoves(a) {
		return false
	}
	c.src, c.memFirst = l.takeLoad(a), true
	c.size = uint8(bits / 8)
	c.cond = unsignedCond(c.cond) // both are the same in the zero-extended operands
	switch bits {
	case 8:
		c.imm = int64(int8(c.imm))
	case 16:
		c.imm = int64(int16(c.imm))
	case 32:
		c.imm = int64(int32(c.imm))
	}
	return true
}

// compareZero compares v, of any type in an integer register, with 0.
func (l *lowerer) compareZero(c *comparison, v ssa.Value) {
	c.size = uint8(l.F.Insts[v].Type.Size())
	in := &l.F.Insts[v]
	if in.Op == ssa.OpAnd && l.Only(v) {
		l.testAnd(c, in)
		return
	}
	c.op = CMP
	c.imm, c.hasImm = 0, true
	if l.foldNarrowLoad(c, v) {
		return
	}
	c.op, c.hasImm = TEST, false
	c.a = l.Use(v)
	c.src = source{form: formReg, a: c.a}
}

// testAnd compares A & B with 0.
func (l *lowerer) testAnd(c *comparison, in *ssa.Inst) {
	c.op = TEST
	a, b := ssa.Value(in.A), ssa.Value(in.B)
	if _, ok := l.F.IsConst(a); ok {
		a, b = b, a
	}
	if bits, ok := l.F.IsConst(b); ok {
		if c.size == 8 && bits>>31 == 0 && (c.cond == CondE || c.cond == CondNE) {
			c.size = 4 // the mask leaves nothing of the upper half
		}
		if imm, ok := l.immediate(b, c.size); ok {
			c.a = l.Use(a)
			c.src = source{form: formImm, imm: imm}
			return
		}
	}
	c.a = l.Use(a)
	c.src = source{form: formReg, a: l.Use(b)}
}

func (l *lowerer) compareFloat(c *comparison, x *isel.Comparison) {
	if x.Op == ssa.OpFLt || x.Op == ssa.OpFLe {
		x.Exchange()
	}
	c.op, c.size, c.cond = UCOMIF, uint8(l.F.Insts[x.A].Type.Size()), floatConds[x.Op-ssa.OpFEq]
	c.a = l.Use(x.A)
	c.src = l.floatOperand(x.B, c.size)
}

// Set makes the value 0 or 1 of a comparison.
func (l *lowerer) Set(v ssa.Value) {
	c := l.compare(v)
	inst := l.Put(tSet, 0)
	l.Def(l.Result(v))
	l.attachCompare(inst, &c)
}

// Choose makes A ≠ 0 ? B : C.
func (l *lowerer) Choose(v ssa.Value, in *ssa.Inst) {
	c := l.compare(ssa.Value(in.A))
	yes, no := ssa.Value(in.B), ssa.Value(in.C)
	// The result takes the place of the second value: better one that dies. FEq needs two
	// conditional moves where FNe's two conditions mean the same move.
	if c.cond == condFEq || c.cond < condFEq && l.Info[no].Uses > 1 && l.Info[yes].Uses == 1 {
		yes, no = no, yes
		c.cond ^= 1
	}
	t := tSelect
	if in.Type.IsFloat() {
		t = tSelectF
	}
	a, b := l.Use(yes), l.Use(no)
	inst := l.Put(t, 0)
	l.Tied(l.Result(v), 1)
	l.Arg(b)
	if t == tSelect {
		l.SlotArg(a)
	} else {
		l.Arg(a)
	}
	l.attachCompare(inst, &c)
	if in.Type.Size() == 8 {
		inst.Aux |= auxWide
	}
}
