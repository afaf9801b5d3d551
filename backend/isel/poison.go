package isel

import (
	"github.com/wasmaot/wasmaot/backend"
	"github.com/wasmaot/wasmaot/backend/regalloc"
	"github.com/wasmaot/wasmaot/compiler/abi"
	"github.com/wasmaot/wasmaot/compiler/ssa"
)

// poisons reports whether the upper half of v's register is to be made garbage (backend.Config.Poison).
func (l *Lowerer) poisons(v ssa.Value, in *ssa.Inst) bool {
	return l.Cfg.Poison && in.Type == abi.I32 && l.Info[v].Flags&Zext == 0
}

// poisoned selects the instructions for v and makes the upper half of the result garbage.
func (l *Lowerer) poisoned(v ssa.Value, in *ssa.Inst) bool {
	final := l.Result(v)
	clean := l.NewVReg(regalloc.ClassInt)
	l.Info[v].VReg = clean
	before := len(l.M.Insts)
	known := l.machine.Select(v, in) || l.common(v, in)
	l.Info[v].VReg = final
	if len(l.M.Insts) == before {
		return known // it is made together with an earlier one (Pair)
	}
	l.Put(backend.TPoison, 8)
	l.Tied(final, 1)
	l.Arg(clean)
	return known
}
