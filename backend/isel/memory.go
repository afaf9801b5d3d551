package isel

import (
	"github.com/wasmaot/wasmaot/compiler/abi"
	"github.com/wasmaot/wasmaot/compiler/ssa"
)

// IsFolded reports whether an address is made by the accesses that use it: an unchecked one of memory 0.
func (l *Lowerer) IsFolded(in *ssa.Inst) bool {
	return in.Op == ssa.OpAddr && in.Flags&ssa.FlagChecked == 0 && in.C>>8 == 0 && l.F.Insts[in.A].Type == abi.I32
}

// LoadMoves reports whether load v can be made where its user is, and there only.
func (l *Lowerer) LoadMoves(v ssa.Value) bool {
	info := &l.Info[v]
	return info.Uses == 1 && info.Epoch == l.Epoch && info.Flags&Folded == 0 && info.VReg == 0 && !l.NoFold
}

// StoreSize is the number of bytes a store writes.
func (l *Lowerer) StoreSize(in *ssa.Inst) uint8 {
	return uint8(in.Op.AccessSize(l.F.Insts[in.B].Type))
}

// ConstAddress gives the offset in memory 0 of an address that is part of its accesses, if it is constant.
func (l *Lowerer) ConstAddress(in *ssa.Inst) (offset uint64, ok bool) {
	c, ok := l.F.IsConst(ssa.Value(in.A))
	return uint64(uint32(c)) + uint64(in.B), ok
}
