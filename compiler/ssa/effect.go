package ssa

import (
	"math"

	"github.com/wasmaot/wasmaot/compiler/abi"
)

// HasEffect reports whether an instruction does something besides making its value.
func (f *Func) HasEffect(in *Inst) bool {
	if in.Op.Is(PropEffect) {
		return !f.CannotTrap(in)
	}
	return in.Op == OpAddr && in.Flags&FlagChecked != 0
}

// CannotTrap reports whether an operation that traps in general, and has no other effect, does not do so here.
func (f *Func) CannotTrap(in *Inst) bool {
	if in.Op.IsLoad() {
		return in.Flags&FlagSafe != 0
	}
	switch in.Op {
	case OpDivS, OpRemS, OpDivU, OpRemU:
		c, ok := f.IsConst(Value(in.B))
		minusOne := uint64(math.MaxUint64)
		if in.Type == abi.I32 {
			minusOne = math.MaxUint32
		}
		return ok && c != 0 && (in.Op != OpDivS || c != minusOne)
	}
	return false
}
