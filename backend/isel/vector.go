package isel

import (
	"github.com/wasmaot/wasmaot/backend"
	"github.com/wasmaot/wasmaot/compiler/ssa"
)

// Vector adds the instruction for an operation on vectors that has no template but TVector: which operation, shape, and lane or
// another number.
func (l *Lowerer) Vector(op ssa.Op, shape ssa.Shape, number uint32) *backend.Inst {
	inst := l.Put(backend.TVector, 16)
	inst.Cond = uint8(shape)
	inst.Imm = int64(op) | int64(number)<<16
	return inst
}
