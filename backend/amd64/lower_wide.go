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
	first, second := l.use(a), l.registerOrMemory(b, 8)
	inst := l.put(tMulHi, 8)
	l.fixedDef(l.result(v), RDX)
	l.fixedDef(l.newVReg(regalloc.ClassInt), RAX)
	l.fixedArg(first, RAX)
	l.attach(inst, op, &second)
}

// addBit makes v = a + bit, where the bit is an unsigned comparison made for that alone: the machine's
// comparison leaves it in the carry flag.
func (l *lowerer) addBit(v, a, bit ssa.Value) bool {
	if l.f.Insts[bit].Op == ssa.OpZext && l.info[bit].uses == 1 {
		bit = ssa.Value(l.f.Insts[bit].A)
	}
	in := &l.f.Insts[bit]
	x, y := ssa.Value(in.A), ssa.Value(in.B)
	switch {
	case !l.only(bit):
		return false
	case in.Op == ssa.OpGtU:
		x, y = y, x
	case in.Op != ssa.OpLtU:
		return false
	}
	if _, isConst := l.f.IsConst(a); isConst {
		return false
	}
	c := comparison{op: CMP, size: uint8(l.f.Insts[x].Type.Size()), cond: CondB, a: l.use(x)}
	c.src = l.operandOf(y, c.size)
	sum := l.use(a)
	inst := l.put(tAddBit, 0)
	l.tied(l.result(v), 1)
	l.arg(sum)
	l.attachCompare(inst, &c)
	if l.sizeOf(v) == 8 {
		inst.Aux |= auxWide
	}
	return true
}
