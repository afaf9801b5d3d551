package frontend

import (
	"github.com/wasmaot/wasmaot/compiler/ssa"
)

// flow is the working memory for turning locals into block parameters. All of it deals with one word
// of locals at a time, so that its size depends on the number of blocks only.
type flow struct {
	number []ssa.Block // by block: see Builder.reach
	blocks []blockFlow
	words  []localRec // localState.recs by word
	starts []uint32   // by word: where its part of words begins
	levels []ssa.Block
	work   []ssa.Block
	path   []ssa.Block
	pairs  []pair
	values []uint32 // of live locals at the start of blocks
	segs   []segment
	args   []uint32
}

// blockFlow is what a block does to a word of locals.
type blockFlow struct {
	def, use uint64 // as in localRec
	live     uint64 // live at the start
	join     uint64 // different definitions meet at the start: becomes a parameter

	// The way up the dominator tree, compressed: locals that change in the blocks from this one up to
	// but without jump.
	changed uint64
	jump    ssa.Block

	depth  uint32 // in the dominator tree
	rpo    uint32
	event  uint32    // as in localRec
	values uint32    // flow.values from here on has the live locals at the start
	pairs  uint32    // first of those whose from this block is, plus 1
	seg    uint32    // last of the block's segments, plus 1
	next   ssa.Block // in a list of levels
	queued bool
	looped bool // entered by an edge that goes back in reverse postorder
}

// maxFlow bounds what one function may take: values in flow, and blocks times words. No honest
// function comes near, but a body of a few megabytes could ask for the product of its blocks and its locals.
const maxFlow = 1 << 24

// joinLocals gives all placeholders their values.
func (b *Builder) joinLocals() error {
	if len(b.locals.held) == 0 {
		return nil
	}
	f, s, w := b.f, &b.locals, &b.flow
	if len(s.def)*len(f.Blocks) > maxFlow {
		return b.tooLarge()
	}
	w.segs, w.args = w.segs[:0], w.args[:0]
	w.prepare(f)
	w.sortRecs(s)
	for word := range s.def {
		recs := w.words[w.starts[word]:w.starts[word+1]]
		if !w.load(f, recs) {
			continue
		}
		w.liveness(f)
		w.findJoins(f)
		if !b.rename(uint32(word)) {
			return b.tooLarge()
		}
	}
	b.addParams()
	b.resolve()
	return nil
}

func (b *Builder) tooLarge() error {
	b.in.Offset = b.m.Wasm.Funcs[b.f.Index].Offset
	b.unsupported("%d locals in %d blocks are more than a function may have together", len(b.locals.types), len(b.f.Blocks))
	return b.err
}

// prepare sets what is the same for all words.
func (w *flow) prepare(f *ssa.Func) {
	w.blocks = grow(w.blocks, len(f.Blocks))
	deepest := uint32(0)
	for _, block := range f.DomTree {
		bd, bf := &f.Blocks[block], &w.blocks[block]
		*bf = blockFlow{}
		bf.rpo = bd.RPO
		if bd.Idom != ssa.NoBlock {
			bf.depth = w.blocks[bd.Idom].depth + 1
			deepest = max(deepest, bf.depth)
		}
	}
	w.levels = grow(w.levels, int(deepest)+1)
}

// sortRecs sorts the records by word; there is nothing to do if there is but one word.
func (w *flow) sortRecs(s *localState) {
	words := len(s.def)
	w.starts = grow(w.starts, words+1)
	if words == 1 {
		w.words = append(w.words[:0], s.recs...)
		w.starts[0], w.starts[1] = 0, uint32(len(s.recs))
		return
	}
	clear(w.starts)
	for i := range s.recs {
		w.starts[s.recs[i].word]++
	}
	at := uint32(0)
	for i, n := range w.starts {
		at += n
		w.starts[i] = at
	}
	w.words = grow(w.words, len(s.recs))
	for i := len(s.recs) - 1; i >= 0; i-- {
		r := &s.recs[i]
		w.starts[r.word]--
		w.words[w.starts[r.word]] = *r
	}
}

// load spreads the records of a word over the blocks. It reports whether any block reads one of the
// locals as it is at the block's start; if not, there is nothing to do.
func (w *flow) load(f *ssa.Func, recs []localRec) bool {
	var used uint64
	for i := range recs {
		used |= recs[i].use
	}
	if used == 0 {
		return false
	}
	for i := range w.blocks {
		bf := &w.blocks[i]
		bf.def, bf.use, bf.live, bf.join, bf.changed = 0, 0, 0, 0, 0
		bf.jump = f.Blocks[i].Idom
		bf.pairs = 0
	}
	for i := range recs {
		r := &recs[i]
		bf := &w.blocks[r.block]
		bf.def, bf.use, bf.live, bf.changed, bf.event = r.def, r.use, r.use, r.def, r.event
	}
	return true
}

// liveness finds the locals whose value at the start of a block may still be read. One pass in
// postorder settles all but what flows around cycles. The rest goes from blocks to their predecessors,
// so that no local takes an edge twice and a dispatch over thousands of blocks is not looked at as a
// whole for each of them.
func (w *flow) liveness(f *ssa.Func) {
	work := w.work[:0]
	for i := len(f.RPO) - 1; i >= 0; i-- {
		block := f.RPO[i]
		bf := &w.blocks[block]
		var out uint64
		for _, e := range f.SuccsOf(&f.Blocks[block]) {
			to := &w.blocks[e.To]
			out |= to.live
			if to.rpo <= bf.rpo {
				to.looped = true
			}
		}
		bf.live |= out &^ bf.def
		if bf.looped && bf.live != 0 {
			bf.queued = true
			work = append(work, block)
		}
	}
	for len(work) > 0 {
		block := work[len(work)-1]
		work = work[:len(work)-1]
		bf := &w.blocks[block]
		bf.queued = false
		for _, e := range f.PredsOf(&f.Blocks[block]) {
			from := f.Edges[e].From
			p := &w.blocks[from]
			more := bf.live &^ (p.def | p.live)
			if more == 0 {
				continue
			}
			p.live |= more
			if !p.queued {
				p.queued = true
				work = append(work, from)
			}
		}
	}
	w.work = work
}
