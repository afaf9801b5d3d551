package amd64

import (
	"github.com/wasmaot/wasmaot/backend/isel"
	"github.com/wasmaot/wasmaot/backend/regalloc"
	"github.com/wasmaot/wasmaot/compiler/abi"
)

// prepareEdges makes the labels of the blocks and finds the moves of the edges.
func (e *emitter) prepareEdges() {
	ra := &e.m.RA
	e.labels = isel.Grow(e.labels, len(ra.Blocks))
	for i := range e.labels {
		e.labels[i] = e.a.NewLabel()
	}
	e.edgeMoves = isel.Grow(e.edgeMoves, len(ra.Edges))
	clear(e.edgeMoves)
	for i := range e.r.OnEdge {
		e.edgeMoves[e.r.OnEdge[i].At] = uint32(i) + 1
	}
	e.edgeLabel = isel.Grow(e.edgeLabel, len(ra.Edges))
	clear(e.edgeLabel)
	e.edges = e.edges[:0]
	e.followJumps()
}

// followJumps finds the blocks that do nothing but jump: none of them is assembled, the others
// lead to where they lead. A cycle of such blocks keeps one.
func (e *emitter) followJumps() {
	n := len(e.m.RA.Blocks)
	e.jumps = isel.Grow(e.jumps, n)
	e.final = isel.Grow(e.final, n)
	before := e.r.Before
	for i := range e.jumps {
		e.final[i] = none
		for start := e.m.RA.Blocks[i].Start; len(before) > 0 && before[0].At < start; {
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
func (e *emitter) jumpOnly(i uint32, before []regalloc.MoveList) uint32 {
	b := &e.m.RA.Blocks[i]
	if i == 0 || b.End-b.Start != 1 || template(e.m.Insts[b.Start].Op) != tJump || e.edgeMoves[b.SuccStart] != 0 ||
		len(before) > 0 && before[0].At == b.Start || e.movesAtStart(b) != none {
		return i
	}
	return e.m.RA.Edges[b.SuccStart].To
}

const none = ^uint32(0)

// movesAtStart is the edge whose moves are made at the start of a block, or none.
func (e *emitter) movesAtStart(b *regalloc.Block) uint32 {
	if b.PredEnd-b.PredStart != 1 {
		return none
	}
	edge := e.m.RA.Preds[b.PredStart]
	from := &e.m.RA.Blocks[e.m.RA.Edges[edge].From]
	if from.SuccEnd-from.SuccStart == 1 || e.edgeMoves[edge] == 0 {
		return none
	}
	return edge
}

// to is the block that an edge leads to, jumps followed.
func (e *emitter) to(edge uint32) uint32 { return e.final[e.m.RA.Edges[edge].To] }

// loopAlign is where loops begin: one fetch of the processor's.
const loopAlign = 16

// beginsLoop reports whether a loop's way back leads to this block: that is the header, or
// what follows it if the header is copied.
func (e *emitter) beginsLoop(b *regalloc.Block) bool {
	if b.LoopHeader == e.block {
		return !e.copies(e.block)
	}
	if b.LoopHeader == none || b.PredEnd-b.PredStart != 1 {
		return false
	}
	return e.m.RA.Edges[e.m.RA.Preds[b.PredStart]].From == b.LoopHeader && e.copies(b.LoopHeader)
}

func (e *emitter) startBlock(b *regalloc.Block) {
	if !b.Cold && e.beginsLoop(b) {
		e.a.Align(loopAlign)
	}
	e.a.Bind(e.labels[e.block])
	if edge := e.movesAtStart(b); edge != none {
		e.movesOnEdge(edge)
	}
}

func (e *emitter) movesOnEdge(edge uint32) {
	if i := e.edgeMoves[edge]; i != 0 {
		e.moves(&e.r.OnEdge[i-1])
	}
}

// split reports whether an edge's moves need a block of their own.
func (e *emitter) split(edge uint32) bool {
	if e.edgeMoves[edge] == 0 {
		return false
	}
	ra := &e.m.RA
	ed := &ra.Edges[edge]
	from, to := &ra.Blocks[ed.From], &ra.Blocks[ed.To]
	return from.SuccEnd-from.SuccStart > 1 && to.PredEnd-to.PredStart > 1
}

// target is the label to jump to for an edge from a block with several successors. A block of
// moves, if the edge needs one, comes later.
func (e *emitter) target(edge uint32) Label {
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
func (e *emitter) falls(edge uint32) bool {
	return e.to(edge) == e.following && !e.split(edge)
}

// placeEdges assembles the blocks of moves noted so far; the code before does not go on here. One that
// leads to the next block comes last and falls through.
func (e *emitter) placeEdges() {
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
		e.a.Jmp(e.labels[e.to(edge)])
	}
	for i, edge := range e.edges {
		if e.to(edge) == e.following {
			if i != through {
				e.placeEdge(edge)
				e.a.Jmp(e.labels[e.to(edge)])
			}
		}
	}
	if through >= 0 {
		e.placeEdge(e.edges[through])
	}
	e.edges = e.edges[:0]
}

func (e *emitter) placeEdge(edge uint32) {
	e.a.Bind(e.edgeLabel[edge])
	e.movesOnEdge(edge)
}

// jumpIf jumps if c holds, which may be one of the two that take two flags.
func (e *emitter) jumpIf(c Cond, l Label) {
	a := &e.a
	switch c {
	case condFNe:
		a.Jcc(CondNE, l)
		a.Jcc(CondP, l)
	case condFEq:
		no := a.NewLabel()
		a.Jcc(CondNE, no)
		a.Jcc(CondNP, l)
		a.Bind(no)
	default:
		a.Jcc(c, l)
	}
}

// emitJump ends a block with one successor.
func (e *emitter) emitJump() {
	to := e.to(e.m.RA.Blocks[e.source].SuccStart)
	if to == e.following {
		return
	}
	e.jump(to)
}

// maxCopied is the number of instructions up to which loop headers are copied.
const maxCopied = 3

// copies reports whether header h is a condition so short that it is copied to where the loop's ways back end:
// then each round takes one jump instead of two.
func (e *emitter) copies(h uint32) bool {
	b := &e.m.RA.Blocks[h]
	if b.End-b.Start > maxCopied || b.SuccEnd-b.SuccStart != 2 || b.Cold || e.movesAtStart(b) != none {
		return false
	}
	for at := b.Start; at < b.End; at++ {
		if t := template(e.m.Insts[at].Op); t != tBranch && (t < tMove32 || t > tAddBit) {
			return false
		}
	}
	return true
}

// jump ends the current block and goes on at block to. If that is the header of a loop around here it may be copied:
// then the last of its instructions, a branch, ends the current block, which may lead to the next one.
func (e *emitter) jump(to uint32) {
	b := &e.m.RA.Blocks[to]
	if to >= e.block || b.LoopHeader != to || e.source != e.block || !e.copies(to) {
		e.a.Jmp(e.labels[to])
		e.placeEdges()
		return
	}
	e.source = to
	before := e.movesFrom(b.Start)
	for at := b.Start; at < b.End; at++ {
		if len(before) > 0 && before[0].At == at {
			e.moves(&before[0])
			before = before[1:]
		}
		e.inst(at)
	}
}

// emitBranch ends a block with two successors.
func (e *emitter) emitBranch() {
	b := &e.m.RA.Blocks[e.source]
	yes, no := b.SuccStart, b.SuccStart+1
	c := Cond(e.in.Cond)
	e.comparison(0)
	if e.falls(yes) || !e.falls(no) && e.isLatch(yes) {
		yes, no = no, yes
		c ^= 1
	}
	switch {
	case e.falls(no):
		if e.isLatch(yes) {
			// The moves of a loop's way back stay in the loop.
			e.jumpIf(c^1, e.labels[e.to(no)])
			e.movesOnEdge(yes)
			e.jump(e.to(yes))
			return
		}
		e.jumpIf(c, e.target(yes))
	case e.edgeLabel[no] != 0:
		e.jumpIf(c, e.target(yes))
		e.a.Jmp(e.edgeLabel[no])
		e.placeEdges()
	default:
		e.jumpIf(c, e.target(yes))
		if e.split(no) { // its moves may as well be made here
			e.movesOnEdge(no)
		}
		e.jump(e.to(no))
	}
}

// isLatch reports whether an edge leads back in a loop and has moves in a block of their own.
func (e *emitter) isLatch(edge uint32) bool {
	return e.m.RA.Edges[edge].To <= e.block && e.split(edge)
}

// smallSwitch is the number of entries up to which a switch is made of comparisons.
const smallSwitch = 4

// emitSwitch selects a successor by operand 1. An index beyond the table takes the last
// entry, by a conditional move: no guess of the processor can lead elsewhere.
func (e *emitter) emitSwitch() {
	a := &e.a
	temp, index := e.reg(0), e.reg(1)
	n := uint32(e.in.Imm)
	entries := e.m.Switches[e.in.Aux : e.in.Aux+n]
	last := entries[n-1]
	if n <= smallSwitch {
		for k, edge := range entries[:n-1] {
			a.RI(CMP, 4, index, int64(k))
			a.Jcc(CondE, e.target(edge))
		}
		if !e.falls(last) {
			a.Jmp(e.target(last))
			e.placeEdges()
		}
		return
	}
	e.table = e.table[:0]
	for _, edge := range entries {
		e.table = append(e.table, e.target(edge))
	}
	if e.block == 0 { // most often 0: functions of Go's begin with the choice of where to resume
		a.RR(TEST, 4, index, index)
		a.Jcc(CondE, e.table[0])
	}
	t := a.AddTable(e.table)
	a.RI(MOV, 4, temp, int64(n-1))
	a.RR(CMP, 4, index, temp)
	a.RR(CMOVcc.If(CondB), 4, temp, index)
	a.RM(LEA, 8, regScratch, AtConst(t))
	a.RM(MOVSXD, 8, temp, AtIndex(regScratch, temp, 4, 0))
	a.RR(ADD, 8, regScratch, temp)
	a.JmpR(regScratch)
	e.placeEdges()
}

func (e *emitter) emitTrap() {
	e.a.Trap(abi.Trap(e.in.Imm), e.in.Pos)
	e.a.Bare(UD2)
	e.placeEdges()
}

func (e *emitter) emitEntry() {
	if e.cfg.Poison {
		e.poisonRegisters()
		e.poisonSlots()
	}
}

func (e *emitter) emitReturn() {
	if e.cfg.Poison {
		e.poisonSlots()
		e.poisonRegisters()
	}
	e.epilogue()
	e.a.Bare(RET)
	e.placeEdges()
}
