package amd64

import (
	"github.com/wasmaot/wasmaot/backend/regalloc"
	"github.com/wasmaot/wasmaot/compiler/ssa"
)

// mulHighOp makes the high half of a 128-bit product.
func (l *lowerer) mulHighOp(v ssa.Value, in *ssa.Inst, op Op) {
	a, b := ssa.Value(in.A), ssa.Value(in.B)
	if l.prefersSwap(a, b, 8) {
		a, b = b, a
	}
	first, second := l.Use(a), l.registerOrMemory(b, 8)
	inst := l.Put(tMulHi, 8)
	l.FixedDef(l.Result(v), RDX)
	l.FixedDef(l.NewVReg(regalloc.ClassInt), RAX)
	l.FixedArg(first, RAX)
	l.attach(inst, op, &second)
}

// addBit makes v = a + bit, where the bit is an unsigned comparison made for that alone: the machine's
// comparison leaves it in the carry flag.
func (l *lowerer) addBit(v, a, bit ssa.Value) bool {
	if l.F.Insts[bit].Op == ssa.OpZext && l.Info[bit].Uses == 1 {
		bit = ssa.Value(l.F.Insts[bit].A)
	}
	in := &l.F.Insts[bit]
	x, y := ssa.Value(in.A), ssa.Value(in.B)
	switch {
	case !l.Only(bit):
		return false
	case in.Op == ssa.OpGtU:
		x, y = y, x
	case in.Op != ssa.OpLtU:
		return false
	}
	if _, isConst := l.F.IsConst(a); isConst {
		return false
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
