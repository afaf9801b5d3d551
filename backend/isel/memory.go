package isel

import (
	"math"

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

// FixedLength is table i's length, if it never changes and is an immediate of 31 bits.
func (l *Lowerer) FixedLength(i uint32) (int64, bool) {
	mod := l.F.Module
	if int(i) < len(mod.TableFixed) && mod.TableFixed[i] && mod.TableMin[i] <= math.MaxInt32 {
		return int64(mod.TableMin[i]), true
	}
	return 0, false
}
