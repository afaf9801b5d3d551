package frontend

import "github.com/wasmaot/wasmaot/compiler/ssa"

// pair says that locals that become parameters of one block become parameters of block to, too,
// because an edge leads to it from below the first one. Both have the same dominator.
type pair struct {
	to   ssa.Block
	next uint32 // next pair of the same first block, plus 1
}

// findJoins finds where different definitions of a live local meet: the iterated dominance
// frontiers of all definitions, for 64 locals at once.
//
// Definitions of a local meet at a block B if the local changes (is set or becomes a parameter) in
// some block on the way up the dominator tree from a predecessor of B to, but without, B's
// dominator. All these are at least as deep in the tree as B. So the blocks are taken from the
// deepest level up; what lies below a level is final and is walked once, with path compression, as
// in the search for dominators. Only the blocks of one level depend on each other: those pairs
// are kept and served with a work list, where each local passes each pair once.
//
// (Per-block dominance frontiers can have quadratic size, and following predecessors up
// uncompressed is quadratic on a chain of blocks that all branch to the same end.)
func (w *flow) findJoins(f *ssa.Func) {
	for i := range w.levels {
		w.levels[i] = ssa.NoBlock
	}
	for i := len(f.RPO) - 1; i > 0; i-- {
		block := f.RPO[i]
		bd, bf := &f.Blocks[block], &w.blocks[block]
		if bf.live != 0 && bd.PredEnd-bd.PredStart > 1 {
			bf.next = w.levels[bf.depth]
			w.levels[bf.depth] = block
		}
	}
	for depth := len(w.levels) - 1; depth > 0; depth-- {
		if w.levels[depth] != ssa.NoBlock {
			w.joinLevel(f, w.levels[depth])
		}
	}
}

// joinLevel deals with a list of blocks of one level.
func (w *flow) joinLevel(f *ssa.Func, first ssa.Block) {
	w.pairs = w.pairs[:0]
	work := w.work[:0]
	for block := first; block != ssa.NoBlock; block = w.blocks[block].next {
		bd, bf := &f.Blocks[block], &w.blocks[block]
		for _, e := range f.PredsOf(bd) {
			from := f.Edges[e].From
			if from == bd.Idom {
				continue
			}
			top, changed := w.climb(from, bf.depth)
			t := &w.blocks[top]
			bf.join |= changed | t.def
			if top != block {
				w.pairs = append(w.pairs, pair{block, t.pairs})
				t.pairs = uint32(len(w.pairs))
			}
		}
		if bf.join &= bf.live; bf.join != 0 {
			bf.queued = true
			work = append(work, block)
		}
	}
	for len(work) > 0 {
		bf := &w.blocks[work[len(work)-1]]
		work = work[:len(work)-1]
		bf.queued = false
		for p := bf.pairs; p != 0; {
			to := w.pairs[p-1].to
			p = w.pairs[p-1].next
			t := &w.blocks[to]
			if more := bf.join & t.live &^ t.join; more != 0 {
				t.join |= more
				if !t.queued {
					t.queued = true
					work = append(work, to)
				}
			}
		}
	}
	w.work = work
	for block := first; block != ssa.NoBlock; block = w.blocks[block].next {
		bf := &w.blocks[block]
		bf.changed |= bf.join
	}
}

// climb goes up the dominator tree from a block to its ancestor at the given depth, and also gives the
// locals that change on the way, not counting the ancestor.
func (w *flow) climb(block ssa.Block, depth uint32) (ssa.Block, uint64) {
	bf := &w.blocks[block]
	if bf.depth == depth {
		return block, 0
	}
	path := w.path[:0]
	for v := block; w.blocks[w.blocks[v].jump].depth > depth; v = w.blocks[v].jump {
		path = append(path, v)
	}
	for i := len(path) - 1; i >= 0; i-- {
		v := &w.blocks[path[i]]
		up := &w.blocks[v.jump]
		v.changed |= up.changed
		v.jump = up.jump
	}
	w.path = path
	return bf.jump, bf.changed
}
