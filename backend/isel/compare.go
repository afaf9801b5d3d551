package isel

import "github.com/wasmaot/wasmaot/compiler/ssa"

// A Comparison is a truth value taken apart: the comparison of A and B, or of A with 0 if B is 0, or its opposite.
type Comparison struct {
	Op     ssa.Op
	A, B   ssa.Value
	Negate bool
}

// exchanged has each comparison after exchanging the operands.
var exchanged = [ssa.OpCount]ssa.Op{
	ssa.OpEq: ssa.OpEq, ssa.OpNe: ssa.OpNe,
	ssa.OpLtS: ssa.OpGtS, ssa.OpGtS: ssa.OpLtS, ssa.OpLeS: ssa.OpGeS, ssa.OpGeS: ssa.OpLeS,
	ssa.OpLtU: ssa.OpGtU, ssa.OpGtU: ssa.OpLtU, ssa.OpLeU: ssa.OpGeU, ssa.OpGeU: ssa.OpLeU,
	ssa.OpFEq: ssa.OpFEq, ssa.OpFNe: ssa.OpFNe,
	ssa.OpFLt: ssa.OpFGt, ssa.OpFGt: ssa.OpFLt, ssa.OpFLe: ssa.OpFGe, ssa.OpFGe: ssa.OpFLe,
}

// Exchange exchanges the operands.
func (c *Comparison) Exchange() { c.Op, c.A, c.B = exchanged[c.Op], c.B, c.A }

// IsFloat reports whether floats are compared.
func (c *Comparison) IsFloat() bool { return c.Op >= ssa.OpFEq }

// Compare takes v apart, which is used as a truth value. A comparison of the same block is made anew for each such use: while it is selected
// no loads may become part of it if there are others. Then NoFold is set, which the caller resets.
func (l *Lowerer) Compare(v ssa.Value) Comparison {
	v, negate := l.condition(v)
	in := &l.F.Insts[v]
	switch {
	case !l.comparesHere(v):
		return Comparison{Op: ssa.OpNe, A: v, Negate: negate}
	case in.Op == ssa.OpEqz:
		return Comparison{Op: ssa.OpEq, A: ssa.Value(in.A), Negate: negate}
	}
	c := Comparison{in.Op, ssa.Value(in.A), ssa.Value(in.B), negate}
	if c.IsFloat() {
		return c
	}
	size := uint8(l.F.Insts[c.A].Type.Size())
	if l.machine.ComparesSwapped(c.A, c.B, size) {
		c.Exchange()
	}
	if bits, ok := l.F.IsConst(c.B); ok && Signed(bits, size) == 0 {
		c.B = 0
	}
	return c
}

// maxNegations bounds the work for chains of negations, each of which has other users.
const maxNegations = 4

// condition follows negations of v.
func (l *Lowerer) condition(v ssa.Value) (x ssa.Value, negate bool) {
	for depth := 0; depth < maxNegations && l.F.Insts[v].Op == ssa.OpEqz && l.comparesHere(v); depth++ {
		x := ssa.Value(l.F.Insts[v].A)
		if !l.comparesHere(x) {
			break
		}
		l.NoFold = l.NoFold || l.Info[v].Uses > 1
		v = x
		negate = !negate
	}
	if l.comparesHere(v) {
		l.NoFold = l.NoFold || l.Info[v].Uses > 1
	}
	return v, negate
}

// comparesHere reports whether v is a comparison of the current block, which may be made anew where it is used.
func (l *Lowerer) comparesHere(v ssa.Value) bool {
	return l.F.Insts[v].Op.Is(ssa.PropCompare) && l.Here(v)
}
