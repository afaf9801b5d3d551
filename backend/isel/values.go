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

// maxNegations bounds the work for chains of negations, each of which has other users.
const maxNegations = 4

// Condition follows negations of v, which is used as a truth value. While what it returns is selected no loads may become part of
// it if there are other users, for it is made anew for each: then NoFold is set, which the caller resets.
func (l *Lowerer) Condition(v ssa.Value) (x ssa.Value, negate bool) {
	for depth := 0; depth < maxNegations && l.F.Insts[v].Op == ssa.OpEqz && l.ComparesHere(v); depth++ {
		x := ssa.Value(l.F.Insts[v].A)
		if !l.ComparesHere(x) {
			break
		}
		l.NoFold = l.NoFold || l.Info[v].Uses > 1
		v = x
		negate = !negate
	}
	if l.ComparesHere(v) {
		l.NoFold = l.NoFold || l.Info[v].Uses > 1
	}
	return v, negate
}

// ComparesHere reports whether v is a comparison of the current block, which may be made anew where it is used.
func (l *Lowerer) ComparesHere(v ssa.Value) bool {
	return l.F.Insts[v].Op.Is(ssa.PropCompare) && l.Here(v)
}
