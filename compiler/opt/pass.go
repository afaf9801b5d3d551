package opt

import (
	"github.com/wasmaot/wasmaot/compiler/ssa"
)

// Pass is one pass over a function.
type Pass struct {
	Name string
	Run  func(f *ssa.Func, s *Scratch)
}

// The passes.
var (
	Thread  = Pass{"thread", thread}
	Fold    = Pass{"fold", fold}
	GVN     = Pass{"gvn", gvn}
	Wide    = Pass{"wide", wide}
	Limbs   = Pass{"limbs", limbs}
	LICM    = Pass{"licm", licm}
	Unroll  = Pass{"unroll", unroll}
	Forward = Pass{"forward", forward}

	Schedule = Pass{"schedule", schedule}

	// Simplify is Forward and Fold in one.
	Simplify = Pass{"forward+fold", forwardAndFold}
)

// All lists the passes in the order that is meant for them: longer blocks first, then
// what loads and addresses are known to be, which gives fold constants and gvn equal operands.
var All = []Pass{Thread, Unroll, Simplify, LICM, GVN, Wide, Limbs, Schedule}

// Scratch is the working memory of the passes; a worker keeps one from function to function.
type Scratch struct {
	ssa.Scratch
	order []ssa.Value // the other one of two orders
	lists []ssa.Value // the other one of two lists
	drop  []bool      // by value: parameters to remove
	stamp []uint32    // by block

	skip   skipper
	inline inliner
	unroll unroller
	fold   folder
	gvn    valueTable
	wide   widener
	hoist  hoister
	mem    memTable

	schedule scheduler
}

// sized makes s n long with zeros in it.
func sized[T any](s []T, n int) []T {
	if cap(s) < n {
		return make([]T, n, n+n/4)
	}
	s = s[:n]
	clear(s)
	return s
}

// isSeldom reports whether a block is run seldom, as far as its place tells.
func isSeldom(bd *ssa.BlockData) bool { return bd.Cold && bd.Loop == 0 }

// alias replaces v by w. Uses of v are found by resolve until finishAliases has run.
func alias(f *ssa.Func, v, w ssa.Value) {
	f.Insts[v] = ssa.Inst{Head: ssa.Head{Op: ssa.OpNop, Flags: ssa.FlagAliased}, A: uint32(w)}
}

// resolve gives what stands for v, and shortens the way to it.
func resolve(f *ssa.Func, v ssa.Value) ssa.Value {
	in := &f.Insts[v]
	if in.Flags&ssa.FlagAliased == 0 {
		return v
	}
	w := ssa.Value(in.A)
	for f.Insts[w].Flags&ssa.FlagAliased != 0 {
		w = ssa.Value(f.Insts[w].A)
	}
	for v != w {
		in := &f.Insts[v]
		v = ssa.Value(in.A)
		in.A = uint32(w)
	}
	return w
}

// resolveOperands resolves the operands of an instruction.
func resolveOperands(f *ssa.Func, in *ssa.Inst) {
	a, b, c := in.Values()
	if (f.Insts[a].Flags|f.Insts[b].Flags|f.Insts[c].Flags)&ssa.FlagAliased == 0 {
		return
	}
	use := in.Op.Uses()
	if use&1 != 0 {
		in.A = uint32(resolve(f, ssa.Value(in.A)))
	}
	if use&2 != 0 {
		in.B = uint32(resolve(f, ssa.Value(in.B)))
	}
	if use&4 != 0 {
		in.C = uint32(resolve(f, ssa.Value(in.C)))
	}
}

// finishAliases resolves lists and conditions. Operands of instructions are resolved already, and what was
// replaced is in no order, so that no one refers to it any more.
func finishAliases(f *ssa.Func) {
	for i, v := range f.Lists {
		f.Lists[i] = resolve(f, v)
	}
	for i := range f.Blocks {
		bd := &f.Blocks[i]
		bd.Ctl = resolve(f, bd.Ctl)
	}
}

// applyAliases resolves everything and takes replaced values out of the order.
func applyAliases(f *ssa.Func) {
	for _, b := range f.RPO {
		bd := &f.Blocks[b]
		kept := appendResolved(f.Order[:bd.InstStart], f, bd)
		bd.InstEnd = uint32(len(kept))
	}
	finishAliases(f)
}

// appendResolved appends the instructions of a block but for nops, with their operands resolved. They may move to the front.
func appendResolved(order []ssa.Value, f *ssa.Func, bd *ssa.BlockData) []ssa.Value {
	for _, v := range f.OrderOf(bd) {
		in := &f.Insts[v]
		if in.Op == ssa.OpNop {
			continue
		}
		resolveOperands(f, in)
		order = append(order, v)
	}
	return order
}

// removeParams removes the parameters marked in s.drop with the arguments for them, and
// whatever lists no one refers to any more.
func removeParams(f *ssa.Func, s *Scratch) {
	out := s.lists[:0]
	add := func(start, end *uint32, params []ssa.Value) {
		from, to := *start, *end
		*start = uint32(len(out))
		for i := from; i < to; i++ {
			if params == nil || !s.drop[params[i-from]] {
				out = append(out, f.Lists[i])
			}
		}
		*end = uint32(len(out))
	}
	for _, b := range f.RPO {
		bd := &f.Blocks[b]
		for i := bd.SuccStart; i < bd.SuccEnd; i++ {
			e := &f.Edges[i]
			add(&e.ArgStart, &e.ArgEnd, f.ParamsOf(&f.Blocks[e.To]))
		}
		add(&bd.RetStart, &bd.RetEnd, nil)
	}
	for _, b := range f.RPO {
		bd := &f.Blocks[b]
		add(&bd.ParamStart, &bd.ParamEnd, f.ParamsOf(bd))
		for i, p := range out[bd.ParamStart:bd.ParamEnd] {
			f.Insts[p].A = uint32(i)
		}
	}
	for i := range f.Calls {
		add(&f.Calls[i].ArgStart, &f.Calls[i].ArgEnd, nil)
	}
	f.Lists, s.lists = out, f.Lists
}
