package regalloc

// exposure is a use of a value in a block that does not define it.
type exposure struct {
	block uint32
	next  uint32 // index + 1 of the value's next exposure
}

// livePair says that a value is live into a block.
type livePair struct {
	block uint32
	liveIn
}

// liveIn is a value live into a block and the distance from its start to the next use, which is
// an estimate until distances has come to the block.
type liveIn struct {
	v    uint32 // with usedInLoop
	dist uint32
}

// usedInLoop marks a value live into a loop's header that is used in that loop.
const usedInLoop = 1 << 31

const vregMask = usedInLoop - 1

// Constants are live around loops of this many blocks only: they have no
// definition, and a range from the entry to all uses of each would be quadratic.
const rematLoop = 64

// Live-in lists have about liveBudget entries at most. A value that would take more than
// its share is homed: kept in its slot whenever a block ends, so that a hostile
// function cannot make the lists grow as blocks times values.
const (
	liveBudget = 1 << 21
	liveShare  = 16 // part of what is left that one value may take
	liveLeast  = 64 // blocks that every value may be live into
)

// scan finds definitions, uses outside their blocks and the loops' forest.
func (a *Allocator) scan() {
	f, vals := a.f, a.vals
	for bi := range f.Blocks {
		b := &f.Blocks[bi]
		a.scanLoop(uint32(bi), b)
		for _, p := range a.params(b) {
			a.define(p, uint32(bi), b.Start)
			a.vals[p].flags |= isParam
		}
		for i := b.Start; i < b.End; i++ {
			in := &f.Insts[i]
			for o := in.OpStart; o < in.OpEnd; o++ {
				op := &f.Ops[o]
				if op.Kind >= Def {
					a.define(op.V, uint32(bi), i)
				} else if vals[op.V].block != uint32(bi) {
					a.expose(op.V, uint32(bi))
				}
			}
		}
		succs := a.succs(b)
		for e := range succs {
			for _, v := range a.args(&succs[e]) {
				a.expose(v, uint32(bi))
			}
		}
	}
	for h := len(f.Blocks) - 1; h > 0; h-- {
		if p := a.loops[h].parent; f.Blocks[h].LoopHeader == uint32(h) && p != none {
			a.loops[p].size += a.loops[h].size
		}
	}
}

func (a *Allocator) define(v VReg, b, inst uint32) {
	a.vals[v].block = b
	a.lives[v].inst = inst
}

func (a *Allocator) expose(v VReg, b uint32) {
	x := &a.vals[v]
	if x.block == b || x.stamp == b+1 {
		return
	}
	x.stamp = b + 1
	if x.block == none && x.flags&isRemat == 0 {
		a.fail("v%d is used in block %d before its definition", v, b)
		return
	}
	l := &a.lives[v]
	a.exposed = append(a.exposed, exposure{block: b, next: l.uses})
	l.uses = uint32(len(a.exposed))
}

// scanLoop links a loop's header to the enclosing loop. That one contains the
// header's immediate dominator, perhaps deep within other loops.
func (a *Allocator) scanLoop(bi uint32, b *Block) {
	if b.LoopHeader == none {
		return
	}
	a.loops[b.LoopHeader].size++
	if b.LoopHeader != bi {
		return
	}
	parent := none
	if b.Idom != none {
		parent = a.f.Blocks[b.Idom].LoopHeader
	}
	for parent != none && a.f.Blocks[parent].Depth >= b.Depth {
		parent = a.loops[parent].parent
	}
	a.loops[bi].parent = parent
}

// spread makes the live-in lists: from each use outside the defining block backwards
// until that block, one value after the other. The cost is that of the result times the number of
// predecessors, and loops of any shape need no care.
func (a *Allocator) spread() {
	for v := 1; v < len(a.vals); v++ {
		uses := a.lives[v].uses
		switch {
		case uses == 0:
		case a.vals[v].flags&isRemat != 0:
			a.spreadRemat(uint32(v), uses)
		default:
			a.spreadValue(uint32(v), uses)
		}
	}
	counts := uint32(0)
	for i := range a.pairs {
		a.blocks[a.pairs[i].block].live++
	}
	for b := range a.blocks {
		n := a.blocks[b].live
		a.blocks[b].live = counts // filling makes the start the end
		counts += n
	}
	a.live = grown(a.live, len(a.pairs))
	for i := range a.pairs {
		p := &a.pairs[i]
		at := &a.blocks[p.block].live
		a.live[*at] = p.liveIn
		*at++
	}
}

func (a *Allocator) liveStart(b uint32) uint32 {
	if b == 0 {
		return 0
	}
	return a.blocks[b-1].live
}

func (a *Allocator) liveInto(b uint32) []liveIn {
	return a.live[a.liveStart(b):a.blocks[b].live]
}

func (a *Allocator) spreadValue(v, uses uint32) {
	f := a.f
	first := len(a.pairs)
	limit := max(a.least, (a.budget-first)/liveShare)
	home := a.vals[v].block
	for u := uses; u != 0; u = a.exposed[u-1].next {
		a.liveAt(v, a.exposed[u-1].block, blockGuess/2)
	}
	edges := 0
	for q := first; q < len(a.pairs); q++ {
		b := &f.Blocks[a.pairs[q].block]
		dist := a.pairs[q].dist + blockGuess
		for _, e := range f.Preds[b.PredStart:b.PredEnd] {
			if p := f.Edges[e].From; p != home {
				a.liveAt(v, p, dist)
			}
			if edges++; edges > 4*limit {
				break
			}
		}
		if edges > 4*limit || len(a.pairs)-first > limit {
			a.pairs = a.pairs[:first]
			a.vals[v].flags |= isHomed
			a.spill(VReg(v))
			return
		}
	}
	a.markLoops(v, uses, first)
}

// spreadRemat spreads a constant within the innermost loops around its uses.
func (a *Allocator) spreadRemat(v, uses uint32) {
	f := a.f
	first := len(a.pairs)
	if first > a.budget {
		return
	}
	for u := uses; u != 0; u = a.exposed[u-1].next {
		b := a.exposed[u-1].block
		if h := f.Blocks[b].LoopHeader; h != none && a.loops[h].size <= rematLoop {
			a.liveAt(v, b, blockGuess/2)
		}
	}
	for q := first; q < len(a.pairs); q++ {
		bi := a.pairs[q].block
		b := &f.Blocks[bi]
		h := b.LoopHeader
		for _, e := range f.Preds[b.PredStart:b.PredEnd] {
			// Outside the innermost loop lies what comes before its header; in an irreducible
			// region this may leave early or late, which a constant does not mind.
			p := f.Edges[e].From
			if bi == h && p < h || f.Blocks[p].LoopHeader == none || len(a.pairs)-first > rematLoop {
				continue
			}
			a.liveAt(v, p, a.pairs[q].dist+blockGuess)
		}
	}
	a.markLoops(v, uses, first)
}

// blockGuess is the length of a block in instructions for estimates.
const blockGuess = 6

func (a *Allocator) liveAt(v, b, dist uint32) {
	if a.blocks[b].seen != v {
		a.blocks[b].seen = v
		a.pairs = append(a.pairs, livePair{b, liveIn{v, dist}})
	}
}

// markLoops tells for each header that v is live into whether its loop uses v.
func (a *Allocator) markLoops(v, uses uint32, first int) {
	for u := uses; u != 0; u = a.exposed[u-1].next {
		h := a.f.Blocks[a.exposed[u-1].block].LoopHeader
		for h != none && a.loops[h].seen != v && a.blocks[h].seen == v {
			a.loops[h].seen = v
			h = a.loops[h].parent
		}
	}
	for i := first; i < len(a.pairs); i++ {
		if p := &a.pairs[i]; a.loops[p.block].seen == v {
			p.v |= usedInLoop
		}
	}
}
