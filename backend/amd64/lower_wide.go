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
