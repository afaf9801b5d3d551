package isel

import "github.com/wasmaot/wasmaot/compiler/ssa"

// ShiftCount gives the count of a shift without a mask that machines apply anyway.
func (l *Lowerer) ShiftCount(v ssa.Value, size uint8) ssa.Value {
	in := &l.F.Insts[v]
	if in.Op != ssa.OpAnd {
		return v
	}
	mask := uint64(size)*8 - 1
	if c, ok := l.F.IsConst(ssa.Value(in.B)); ok && c&mask == mask {
		return ssa.Value(in.A)
	}
	return v
}
