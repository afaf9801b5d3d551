package opt

import "github.com/wasmaot/wasmaot/compiler/ssa"

// simplify is forward, or fold, or both in one walk, which saves another one and shows each what the other has made.
//
// It goes through the blocks in an order in which operands come before their users: from each block with several predecessors, in
// RPO, through those that are reached from it alone.
func simplify(f *ssa.Func, s *Scratch, forwards, folds bool) {
	w := simplifier{t: &s.mem, x: &s.fold, forwards: forwards, folds: folds}
	w.t.begin(f)
	*w.x = folder{f: f, order: s.order[:0], rules: &simplifications}
	for _, b := range f.RPO {
		if len(f.PredsOf(&f.Blocks[b])) != 1 {
			w.tree(b)
		}
	}
	f.Order, s.order = w.x.order, f.Order
	finishAliases(f)
	if w.x.changed {
		f.Analyze(&s.Scratch)
	}
	w.t.f, w.x.f = nil, nil
}

type simplifier struct {
	t               *memTable
	x               *folder
	forwards, folds bool
}

// tree goes through a block and those below that are reached through it alone, each with what is
// known at the end of the block before it: what was learned on another branch is undone.
func (w *simplifier) tree(root ssa.Block) {
	t, f := w.t, w.t.f
	t.forgetAll()
	t.log, t.globalLog = t.log[:0], t.globalLog[:0]
	t.branches = append(t.branches[:0], branch{block: root, known: t.known})
	for len(t.branches) > 0 {
		next := t.branches[len(t.branches)-1]
		t.branches = t.branches[:len(t.branches)-1]
		t.undo(&next)
		t.block, t.lastSet = next.block, 0
		bd := &f.Blocks[t.block]
		w.block(bd)
		if w.folds {
			w.x.terminator(t.block)
		}
		for i := bd.SuccEnd; i > bd.SuccStart; i-- {
			to := f.Edges[i-1].To
			if len(f.PredsOf(&f.Blocks[to])) == 1 {
				t.branches = append(t.branches, branch{})
				b := &t.branches[len(t.branches)-1]
				b.block, b.log, b.globalLog, b.known = to, uint32(len(t.log)), uint32(len(t.globalLog)), t.known
			}
		}
	}
}

// block simplifies the instructions of a block.
func (w *simplifier) block(bd *ssa.BlockData) {
	t, x, f := w.t, w.x, w.t.f
	start, stretch := uint32(len(x.order)), 0
	order := f.OrderOf(bd)
	if isSeldom(bd) {
		stretch = len(order) // looking ahead costs more than it gives
		t.reach.stretch++
	}
	for i, v := range order {
		in := &f.Insts[v]
		if in.Op == ssa.OpNop {
			continue
		}
		resolveOperands(f, in)
		if w.forwards {
			if i >= stretch {
				stretch = i + t.lookAhead(order[i:])
			}
			if in.Op == ssa.OpAddr || in.Op.Is(ssa.PropReads|ssa.PropEffect) {
				if t.visit(v); f.Insts[v].Op == ssa.OpNop {
					continue
				}
			}
		}
		if w.folds {
			x.visit(v)
			t.reach.cover(f)
		} else {
			x.order = append(x.order, v)
		}
	}
	bd.InstStart, bd.InstEnd = start, uint32(len(x.order))
}

// forwardAndFold does all of it.
func forwardAndFold(f *ssa.Func, s *Scratch) { simplify(f, s, true, true) }
