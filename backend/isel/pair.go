package isel

import (
	"slices"

	"github.com/wasmaot/wasmaot/compiler/ssa"
)

// pairWindow is how many instructions before one are searched for a partner.
const pairWindow = 16

// Near gives the instructions before the one being selected among which partners are searched, without what is dead.
func (l *Lowerer) Near() []ssa.Value {
	l.near = l.near[:0]
	for k := l.place - 1; k >= 0 && len(l.near) < pairWindow; k-- {
		if v := l.order[k]; l.Info[v].Flags&Needed != 0 {
			l.near = append(l.near, v)
		}
	}
	slices.Reverse(l.near)
	return l.near
}

// Pair leaves v to be made together with x, which stands before it in the block and has no partner yet.
func (l *Lowerer) Pair(x, v ssa.Value) {
	l.Use(x) // it must not be left out
	l.Info[x].Flags |= Paired
	l.Info[x].other = uint32(v)
}

// Partner is what is to be made together with x, if there is something.
func (l *Lowerer) Partner(x ssa.Value) (v ssa.Value, ok bool) {
	info := &l.Info[x]
	return ssa.Value(info.other), info.Flags&Paired != 0
}

// Reads reports whether x is among the operands of instruction w.
func (l *Lowerer) Reads(w, x ssa.Value) bool {
	in := &l.F.Insts[w]
	if in.Op == ssa.OpCall {
		return slices.Contains(l.F.CallArgs(&l.F.Calls[in.A]), x)
	}
	use := in.Op.Uses()
	return use&1 != 0 && in.A == uint32(x) || use&2 != 0 && in.B == uint32(x) || use&4 != 0 && in.C == uint32(x)
}
