package ssa

import (
	"math"
	"slices"
)

// Scratch holds the working memory of Analyze and Check. A worker keeps one and passes
// it along from function to function.
type Scratch struct {
	num    []uint32   // by block: place in depth-first preorder + 1, 0 = unreachable
	place  []uint32   // by block: place in RPO
	fill   []uint32   // by block: where its next predecessor goes in Func.Preds
	from   []uint32   // parallel to Func.Preds: where the edge comes from, by place in depth-first preorder
	back   []uint32   // places in RPO of blocks to which an edge leads back
	nodes  []domNode  // by place in depth-first preorder
	frames []dfsFrame // depth-first search
	path   []uint32   // domNode compression
	rep    []Block    // by block: union-find of loops
	parent []Block    // by loop header: the header of the loop around it
	head   []Block    // by loop header: first direct member but the header
	next   []Block    // by block: next member of the same loop
	work   []Block
	out    []Block
}

// grow makes s n long without keeping what was in it.
func grow[T any](s []T, n int) []T {
	if cap(s) < n {
		return make([]T, n, n+n/4)
	}
	return s[:n]
}

// Analyze computes what of f follows from its blocks and edges: RPO, predecessors,
// the dominator tree, loops and cold blocks. All of it is linear or nearly so in the
// number of blocks and edges, whatever the graph looks like.
//
// RPO is a reverse postorder (all edges but those that close a cycle lead forward)
// and the layout order: loops are contiguous, blocks follow the wasm code's order
// where there is a choice, and cold blocks from which there is no way back come last.
// A block also counts as cold when it traps, when all its successors are cold, and when
// a cold block dominates it; Cold is set accordingly.
//
// Loops are natural loops: the header dominates all of the loop. A cycle with several
// entries is no loop, so an edge to an earlier block need not lead to a loop header.
//
// Unreachable blocks become empty and get RPO ^0, no predecessors, no dominator and no loop.
func (f *Func) Analyze(s *Scratch) {
	f.Reach(s)
	s.dominators(f)
	s.findLoops(f)
	s.layOut(f)
}

// Reach computes a part of what Analyze does: which blocks are reachable, in a reverse postorder that is not yet the final
// one, and predecessors. Dominators and loops are as unknown as in a new function.
func (f *Func) Reach(s *Scratch) {
	s.depthFirst(f)
	s.linkPreds(f)
}

// Dominates reports whether all paths from the entry to reachable block b go through block a.
func (f *Func) Dominates(a, b Block) bool {
	in := f.Blocks[b].DomIn
	d := &f.Blocks[a]
	return d.DomIn <= in && in < d.DomOut
}

type dfsFrame struct {
	block   Block
	edge    uint32 // next to visit
	left    uint32 // edges left
	forward bool   // direction of the visit
}

// depthFirst numbers the reachable blocks in preorder and sets f.RPO. What is visited last
// comes first in the reverse postorder, hence the order of visits.
func (s *Scratch) depthFirst(f *Func) {
	n := len(f.Blocks)
	s.num = grow(s.num, n)
	s.fill = grow(s.fill, n)
	clear(s.num)
	clear(s.fill)
	s.nodes = s.nodes[:0]
	s.frames = s.frames[:0]
	f.RPO = f.RPO[:0]
	if n == 0 {
		return
	}
	s.visit(f, 0, 0)
	for len(s.frames) > 0 {
		t := &s.frames[len(s.frames)-1]
		if t.left == 0 {
			f.RPO = append(f.RPO, t.block)
			s.frames = s.frames[:len(s.frames)-1]
			continue
		}
		e := &f.Edges[t.edge]
		t.left--
		if t.forward {
			t.edge++
		} else {
			t.edge--
		}
		s.fill[e.To]++ // counts at first
		if s.num[e.To] == 0 {
			s.visit(f, e.To, s.num[t.block]-1)
		}
	}
	slices.Reverse(f.RPO)
}

func (s *Scratch) visit(f *Func, b Block, parent uint32) {
	i := uint32(len(s.nodes))
	s.num[b] = i + 1
	s.nodes = append(s.nodes, domNode{})
	n := &s.nodes[i]
	n.block, n.parent, n.ancestor, n.semi, n.label, n.bucket, n.next = b, parent, parent, i, i, none, none
	bd := &f.Blocks[b]
	t := dfsFrame{block: b, left: bd.SuccEnd - bd.SuccStart}
	if t.forward = bd.Kind == BlockIf && !f.prefersFirst(bd); t.forward {
		t.edge = bd.SuccStart
	} else {
		t.edge = bd.SuccEnd - 1
	}
	s.frames = append(s.frames, t)
}

// prefersFirst reports whether successor 0 of a BlockIf is to follow it directly rather
// than successor 1.
func (f *Func) prefersFirst(bd *BlockData) bool {
	t0, t1 := &f.Blocks[f.Edges[bd.SuccStart].To], &f.Blocks[f.Edges[bd.SuccStart+1].To]
	// The nearer one in the code's order; differences wrap, so what lies before counts as far.
	return t0.Pos-bd.Pos < t1.Pos-bd.Pos
}

// linkPreds sets the predecessors, and what a block is that belongs to no loop, or is unreachable.
func (s *Scratch) linkPreds(f *Func) {
	for i := range f.Blocks {
		if s.num[i] == 0 {
			f.Blocks[i] = BlockData{RPO: math.MaxUint32, Idom: NoBlock, Header: NoBlock, DomIn: math.MaxUint32, DomOut: math.MaxUint32}
		}
	}
	s.place = grow(s.place, len(f.Blocks))
	total := uint32(0)
	for i, b := range f.RPO {
		s.place[b] = uint32(i)
		bd := &f.Blocks[b]
		bd.PredStart, bd.PredEnd = total, total+s.fill[b]
		bd.Header, bd.Loop = NoBlock, 0
		s.fill[b] = total
		total = bd.PredEnd
	}
	f.Preds, s.from = grow(f.Preds, int(total)), grow(s.from, int(total))
	s.back = s.back[:0]
	for i, b := range f.RPO {
		bd := &f.Blocks[b]
		for e := bd.SuccStart; e < bd.SuccEnd; e++ {
			to := f.Edges[e].To
			at := s.fill[to]
			f.Preds[at], s.from[at] = Edge(e), s.num[b]-1
			s.fill[to] = at + 1
			if p := s.place[to]; p <= uint32(i) {
				s.back = append(s.back, p)
			}
		}
	}
}

const none = math.MaxUint32

// domNode is a block in the search for dominators; all links are places in preorder.
type domNode struct {
	block    Block
	parent   uint32 // in the depth-first tree
	ancestor uint32 // in the forest of linked nodes, compressed
	semi     uint32 // semidominator
	label    uint32 // node of least semi between here and the ancestor
	idom     uint32
	bucket   uint32 // first of the nodes this one semidominates
	next     uint32 // in that list
	size     uint32 // of the dominator tree's part below
}

// dominators is the algorithm of Lengauer and Tarjan with path compression, O(m log n).
// (The iteration of Cooper, Harvey and Kennedy is quadratic on a chain of blocks that all
// have an edge to the same exit, and the guest chooses the graph.)
func (s *Scratch) dominators(f *Func) {
	nodes := s.nodes
	for w := uint32(len(nodes)) - 1; w > 0 && w != none; w-- {
		n := &nodes[w]
		bd := &f.Blocks[n.block]
		for _, v := range s.from[bd.PredStart:bd.PredEnd] {
			if v > w {
				v = s.eval(v, w)
			}
			n.semi = min(n.semi, nodes[v].semi)
		}
		p := n.parent
		if n.semi == p {
			n.idom = p // no need to look again at the way between
		} else {
			dom := &nodes[n.semi]
			n.next = dom.bucket
			dom.bucket = w
		}
		// From here on w is linked to its parent.
		for v := nodes[p].bucket; v != none; v = nodes[v].next {
			u := s.eval(v, w-1)
			if nodes[u].semi < nodes[v].semi {
				nodes[v].idom = u
			} else {
				nodes[v].idom = p
			}
		}
		nodes[p].bucket = none
	}
	for w := 1; w < len(nodes); w++ {
		if n := &nodes[w]; n.idom != n.semi {
			n.idom = nodes[n.idom].idom
		}
	}
	s.numberDomTree(f)
}

// eval finds the node of least semidominator on the way from v to the root of its tree;
// nodes above last are linked to their parents.
func (s *Scratch) eval(v, last uint32) uint32 {
	nodes := s.nodes
	if v <= last {
		return v
	}
	path := s.path[:0]
	for nodes[v].ancestor > last {
		path = append(path, v)
		v = nodes[v].ancestor
	}
	for i := len(path) - 1; i >= 0; i-- {
		n := &nodes[path[i]]
		a := &nodes[n.ancestor]
		if nodes[a.label].semi < nodes[n.label].semi {
			n.label = a.label
		}
		n.ancestor = a.ancestor
		v = path[i]
	}
	s.path = path
	return nodes[v].label
}

// numberDomTree sets Idom, DomIn, DomOut and f.DomTree. A dominator comes before what it
// dominates in preorder of the depth-first tree, so no walk of the tree is needed.
func (s *Scratch) numberDomTree(f *Func) {
	nodes := s.nodes
	for w := len(nodes) - 1; w > 0; w-- {
		nodes[w].size++
		nodes[nodes[w].idom].size += nodes[w].size
	}
	f.DomTree = grow(f.DomTree, len(nodes))
	for w := range nodes {
		n := &nodes[w]
		b := &f.Blocks[n.block]
		if w == 0 {
			n.size++
			b.Idom, b.DomIn = NoBlock, 0
		} else {
			dom := &nodes[n.idom]
			b.Idom = dom.block
			// size of the dominator now counts down to what is left for its other children.
			b.DomIn = f.Blocks[dom.block].DomOut - dom.size + 1
			dom.size -= n.size
		}
		b.DomOut = b.DomIn + n.size
		f.DomTree[b.DomIn] = n.block
	}
}

// findLoops sets Header and Loop. Inner headers come later in RPO and go first; a loop
// found is one node for the loops around it.
func (s *Scratch) findLoops(f *Func) {
	if len(s.back) == 0 {
		return
	}
	s.rep = grow(s.rep, len(f.Blocks))
	s.parent = grow(s.parent, len(f.Blocks))
	for _, b := range f.RPO {
		s.rep[b] = b
		s.parent[b] = NoBlock
	}
	slices.Sort(s.back)
	s.back = slices.Compact(s.back)
	for i := len(s.back) - 1; i >= 0; i-- {
		s.collectLoop(f, f.RPO[s.back[i]])
	}
	for _, b := range f.RPO {
		bd := &f.Blocks[b]
		switch h := bd.Header; {
		case h == NoBlock:
		case h != b:
			bd.Loop = f.Blocks[h].Loop
		default:
			if p := s.parent[b]; p != NoBlock {
				bd.Loop = f.Blocks[p].Loop
			}
			if bd.Loop < math.MaxUint8 {
				bd.Loop++
			}
		}
	}
}

// collectLoop finds the blocks of the loop with header h, if there is one.
func (s *Scratch) collectLoop(f *Func, h Block) {
	work := s.work[:0]
	for _, e := range f.PredsOf(&f.Blocks[h]) {
		if from := f.Edges[e].From; f.Dominates(h, from) {
			f.Blocks[h].Header = h
			work = append(work, s.find(from))
		}
	}
	for len(work) > 0 {
		b := work[len(work)-1]
		work = work[:len(work)-1]
		if b == h || s.rep[b] != b {
			continue
		}
		s.rep[b] = h
		bd := &f.Blocks[b]
		if bd.Header == b {
			s.parent[b] = h
		} else {
			bd.Header = h
		}
		for _, v := range s.from[bd.PredStart:bd.PredEnd] {
			work = append(work, s.find(s.nodes[v].block))
		}
	}
	s.work = work
}

// find gives the header of the outermost loop found so far around b, or b.
func (s *Scratch) find(b Block) Block {
	for s.rep[b] != b {
		s.rep[b] = s.rep[s.rep[b]]
		b = s.rep[b]
	}
	return b
}

// layOut puts f.RPO in its final order and numbers the blocks. Natural loops have one
// entry, so making them contiguous turns no edge around, and neither does moving
// blocks to the end together with all their successors.
func (s *Scratch) layOut(f *Func) {
	s.spreadCold(f)
	order := f.RPO
	if len(s.back) > 0 {
		order = s.gatherLoops(f)
	}
	sunk := s.work[:0]
	place := uint32(0)
	for _, b := range order {
		if s.num[b] == none {
			sunk = append(sunk, b)
			continue
		}
		f.RPO[place] = b
		f.Blocks[b].RPO = place
		place++
	}
	for _, b := range sunk {
		f.RPO[place] = b
		f.Blocks[b].RPO = place
		place++
	}
	s.work = sunk
}

// gatherLoops gives the blocks in an order in which loops are contiguous.
func (s *Scratch) gatherLoops(f *Func) []Block {
	s.head = grow(s.head, len(f.Blocks))
	s.next = grow(s.next, len(f.Blocks))
	for _, b := range f.RPO {
		s.head[b] = NoBlock
	}
	first := NoBlock
	for i := len(f.RPO) - 1; i >= 0; i-- {
		b := f.RPO[i]
		loop := f.Blocks[b].Header
		if loop == b {
			loop = s.parent[b]
		}
		list := &first
		if loop != NoBlock {
			list = &s.head[loop]
		}
		s.next[b] = *list
		*list = b
	}
	out, stack := s.out[:0], append(s.work[:0], first)
	for len(stack) > 0 {
		b := stack[len(stack)-1]
		if b == NoBlock {
			stack = stack[:len(stack)-1]
			continue
		}
		stack[len(stack)-1] = s.next[b]
		out = append(out, b)
		if f.Blocks[b].Header == b {
			stack = append(stack, s.head[b])
		}
	}
	s.out, s.work = out, stack
	return out
}

// spreadCold sets Cold where it follows and marks in s.num, which is not needed any
// more, what goes to the end: cold blocks with nowhere to go but to others of that kind.
func (s *Scratch) spreadCold(f *Func) {
	warm := s.num // successors that are not cold
	work := s.work[:0]
	for _, b := range f.RPO {
		bd := &f.Blocks[b]
		warm[b] = bd.SuccEnd - bd.SuccStart
		if bd.Kind == BlockTrap && b != 0 {
			bd.Cold = true
		}
		if bd.Cold {
			work = append(work, b)
		}
	}
	if len(work) == 0 {
		return
	}
	for len(work) > 0 {
		bd := &f.Blocks[work[len(work)-1]]
		work = work[:len(work)-1]
		for _, v := range s.from[bd.PredStart:bd.PredEnd] {
			p := s.nodes[v].block
			if warm[p]--; warm[p] == 0 && p != 0 && !f.Blocks[p].Cold {
				f.Blocks[p].Cold = true
				work = append(work, p)
			}
		}
		for i := bd.DomIn + 1; i < bd.DomOut; {
			c := f.DomTree[i]
			if below := &f.Blocks[c]; below.Cold {
				i = below.DomOut // has had its turn or will
			} else {
				below.Cold = true
				work = append(work, c)
				i++
			}
		}
	}
	s.work = work
	for i := len(f.RPO) - 1; i > 0; i-- {
		bd := &f.Blocks[f.RPO[i]]
		if !bd.Cold {
			continue
		}
		sinks := true
		for e := bd.SuccStart; e < bd.SuccEnd && sinks; e++ {
			sinks = s.num[f.Edges[e].To] == none
		}
		if sinks {
			s.num[f.RPO[i]] = none
		}
	}
}
