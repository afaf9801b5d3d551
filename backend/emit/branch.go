package emit

import (
	"github.com/wasmaot/wasmaot/backend"
	"github.com/wasmaot/wasmaot/backend/regalloc"
)

// prepareEdges makes the labels of the blocks and finds the moves of the edges.
func (e *Emitter) prepareEdges() {
	ra := &e.M.RA
	e.labels = backend.Grow(e.labels, len(ra.Blocks))
	for i := range e.labels {
		e.labels[i] = e.a.NewLabel()
	}
	e.edgeMoves = backend.Grow(e.edgeMoves, len(ra.Edges))
	clear(e.edgeMoves)
	for i := range e.R.OnEdge {
		e.edgeMoves[e.R.OnEdge[i].At] = uint32(i) + 1
	}
	e.edgeLabel = backend.Grow(e.edgeLabel, len(ra.Edges))
	clear(e.edgeLabel)
	e.edges = e.edges[:0]
	e.followJumps()
}

// followJumps finds the blocks that do nothing but jump: none of them is assembled, the others
// lead to where they lead. A cycle of such blocks keeps one.
func (e *Emitter) followJumps() {
	n := len(e.M.RA.Blocks)
	e.jumps = backend.Grow(e.jumps, n)
	e.final = backend.Grow(e.final, n)
	before := e.R.Before
	for i := range e.jumps {
		e.final[i] = none
		for start := e.M.RA.Blocks[i].Start; len(before) > 0 && before[0].At < start; {
			before = before[1:]
		}
		e.jumps[i] = e.jumpOnly(uint32(i), before)
	}
	for i := range e.final {
		path, b := e.path[:0], uint32(i)
		for e.final[b] == none && e.jumps[b] != b {
			e.final[b] = b // should the path come back
			path = append(path, b)
			b = e.jumps[b]
		}
		if e.final[b] == none {
			e.final[b] = b
		}
		for _, p := range path {
			e.final[p] = e.final[b]
		}
		e.path = path
	}
}

// jumpOnly gives where block i leads if it does nothing but jump, else i. before are the moves
// from the block's start on.
func (e *Emitter) jumpOnly(i uint32, before []regalloc.MoveList) uint32 {
	b := &e.M.RA.Blocks[i]
	if i == 0 || b.End-b.Start != 1 || backend.Template(e.M.Insts[b.Start].Op) != backend.TJump || e.edgeMoves[b.SuccStart] != 0 ||
		len(before) > 0 && before[0].At == b.Start || e.movesAtStart(b) != none {
		return i
	}
	return e.M.RA.Edges[b.SuccStart].To
}

const none = ^uint32(0)

// movesAtStart is the edge whose moves are made at the start of a block, or none.
func (e *Emitter) movesAtStart(b *regalloc.Block) uint32 {
	if b.PredEnd-b.PredStart != 1 {
		return none
	}
	edge := e.M.RA.Preds[b.PredStart]
	from := &e.M.RA.Blocks[e.M.RA.Edges[edge].From]
	if from.SuccEnd-from.SuccStart == 1 || e.edgeMoves[edge] == 0 {
		return none
	}
	return edge
}

// to is the block that an edge leads to, jumps followed.
func (e *Emitter) to(edge uint32) uint32 { return e.final[e.M.RA.Edges[edge].To] }

// beginsLoop reports whether a loop's way back leads to this block: that is the header, or
// what follows it if the header is copied.
func (e *Emitter) beginsLoop(b *regalloc.Block) bool {
	if b.LoopHeader == e.Block {
		return !e.copies(e.Block)
	}
	if b.LoopHeader == none || b.PredEnd-b.PredStart != 1 {
		return false
	}
	return e.M.RA.Edges[e.M.RA.Preds[b.PredStart]].From == b.LoopHeader && e.copies(b.LoopHeader)
}

func (e *Emitter) startBlock(b *regalloc.Block) {
	if !b.Cold && e.beginsLoop(b) {
		e.a.Align(e.traits.LoopAlign)
	}
	e.a.Bind(e.labels[e.Block])
	if edge := e.movesAtStart(b); edge != none {
		e.movesOnEdge(edge)
	}
}

func (e *Emitter) movesOnEdge(edge uint32) {
	if i := e.edgeMoves[edge]; i != 0 {
		e.moves(&e.R.OnEdge[i-1])
	}
}

// split reports whether an edge's moves need a block of their own.
func (e *Emitter) split(edge uint32) bool {
	if e.edgeMoves[edge] == 0 {
		return false
	}
	ra := &e.M.RA
	ed := &ra.Edges[edge]
	from, to := &ra.Blocks[ed.From], &ra.Blocks[ed.To]
	return from.SuccEnd-from.SuccStart > 1 && to.PredEnd-to.PredStart > 1
}

// target is the label to jump to for an edge from a block with several successors. A block of
// moves, if the edge needs one, comes later.
func (e *Emitter) target(edge uint32) Label {
	if !e.split(edge) {
		return e.labels[e.to(edge)]
	}
	if e.edgeLabel[edge] == 0 {
		e.edgeLabel[edge] = e.a.NewLabel()
		e.edges = append(e.edges, edge)
	}
	return e.edgeLabel[edge]
}

// falls reports whether an edge leads to the next block and needs no block of moves.
func (e *Emitter) falls(edge uint32) bool {
	return e.to(edge) == e.following && !e.split(edge)
}

// PlaceEdges assembles the blocks of moves noted so far; the code before does not go on here. One that
// leads to the next block comes last and falls through.
func (e *Emitter) PlaceEdges() {
	if len(e.edges) == 0 {
		return
	}
	through := -1
	for i, edge := range e.edges {
		if e.to(edge) == e.following {
			through = i
			continue
		}
		e.placeEdge(edge)
		e.machine.Jump(e.labels[e.to(edge)])
	}
	for i, edge := range e.edges {
		if e.to(edge) == e.following {
			if i != through {
				e.placeEdge(edge)
				e.machine.Jump(e.labels[e.to(edge)])
			}
		}
	}
	if through >= 0 {
		e.placeEdge(e.edges[through])
	}
	e.edges = e.edges[:0]
}

func (e *Emitter) placeEdge(edge uint32) {
	e.a.Bind(e.edgeLabel[edge])
	e.movesOnEdge(edge)
}

// jumpOn ends a block with one successor.
func (e *Emitter) jumpOn() {
	to := e.to(e.M.RA.Blocks[e.Source].SuccStart)
	if to == e.following {
		return
	}
	e.jump(to)
}

// maxCopied is the number of instructions up to which loop headers are copied.
const maxCopied = 3

// copies reports whether header h is a condition so short that it is copied to where the loop's ways back end:
// then each round takes one jump instead of two.
func (e *Emitter) copies(h uint32) bool {
	b := &e.M.RA.Blocks[h]
	if b.End-b.Start > maxCopied || b.SuccEnd-b.SuccStart != 2 || b.Cold || e.movesAtStart(b) != none {
		return false
	}
	for at := b.Start; at < b.End; at++ {
		if t := backend.Template(e.M.Insts[at].Op); t != backend.TBranch && !e.machine.Repeats(t) {
			return false
		}
	}
	return true
}

// jump ends the current block and goes on at block to. If that is the header of a loop around here it may be copied:
// then the last of its instructions, a branch, ends the current block, which may lead to the next one.
func (e *Emitter) jump(to uint32) {
	b := &e.M.RA.Blocks[to]
	if to >= e.Block || b.LoopHeader != to || e.Source != e.Block || !e.copies(to) {
		e.machine.Jump(e.labels[to])
		e.PlaceEdges()
		return
	}
	e.Source = to
	before := e.movesFrom(b.Start)
	for at := b.Start; at < b.End; at++ {
		if len(before) > 0 && before[0].At == at {
			e.moves(&before[0])
			before = before[1:]
		}
		e.inst(at)
	}
}

// branch ends a block with two successors.
func (e *Emitter) branch() {
	b := &e.M.RA.Blocks[e.Source]
	yes, no := b.SuccStart, b.SuccStart+1
	c := e.In.Cond
	e.machine.Compare(0)
	if e.falls(yes) || !e.falls(no) && (e.isLatch(yes) || e.repeats(no) && !e.repeats(yes)) {
		yes, no = no, yes
		c ^= 1
	}
	switch {
	case e.falls(no):
		if e.isLatch(yes) {
			// The moves of a loop's way back stay in the loop.
			e.machine.JumpIf(c^1, e.labels[e.to(no)])
			e.movesOnEdge(yes)
			e.jump(e.to(yes))
			return
		}
		e.machine.JumpIf(c, e.target(yes))
	case e.edgeLabel[no] != 0:
		e.machine.JumpIf(c, e.target(yes))
		e.machine.Jump(e.edgeLabel[no])
		e.PlaceEdges()
	default:
		e.machine.JumpIf(c, e.target(yes))
		if e.split(no) { // its moves may as well be made here
			e.movesOnEdge(no)
		}
		e.jump(e.to(no))
	}
}

// isLatch reports whether an edge leads back in a loop and has moves in a block of their own.
func (e *Emitter) isLatch(edge uint32) bool {
	return e.M.RA.Edges[edge].To <= e.Block && e.split(edge)
}

// repeats reports whether an edge leads back to what is assembled already and needs nothing else: where no block follows, the branch itself
// is to go there, rather than a jump behind one that leaves the loop.
func (e *Emitter) repeats(edge uint32) bool {
	to := e.to(edge)
	return to <= e.Block && !e.split(edge) && (e.Source != e.Block || e.M.RA.Blocks[to].LoopHeader != to || !e.copies(to))
}

// smallSwitch is the number of entries up to which a switch is made of comparisons.
const smallSwitch = 4

// switchOn selects a successor by operand 1. An index beyond the table takes the last entry.
func (e *Emitter) switchOn() {
	n := uint32(e.In.Imm)
	entries := e.M.Switches[e.In.Aux : e.In.Aux+n]
	last := entries[n-1]
	if n <= smallSwitch {
		for k, edge := range entries[:n-1] {
			e.machine.JumpIndex(uint32(k), e.target(edge))
		}
		if !e.falls(last) {
			e.machine.Jump(e.target(last))
			e.PlaceEdges()
		}
		return
	}
	e.table = e.table[:0]
	for _, edge := range entries {
		e.table = append(e.table, e.target(edge))
	}
	if e.Block == 0 { // most often 0: functions of Go's begin with the choice of where to resume
		e.machine.JumpIndex(0, e.table[0])
	}
	e.machine.JumpTable(e.table)
	e.PlaceEdges()
}
