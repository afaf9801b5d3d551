package amd64

import (
	"github.com/wasmaot/wasmaot/backend/regalloc"
	"github.com/wasmaot/wasmaot/compiler/abi"
)

// prepareEdges makes the labels of the blocks and finds the moves of the edges.
func (e *emitter) prepareEdges() {
	ra := &e.m.RA
	e.labels = grow(e.labels, len(ra.Blocks))
	for i := range e.labels {
		e.labels[i] = e.a.NewLabel()
	}
	e.edgeMoves = grow(e.edgeMoves, len(ra.Edges))
	clear(e.edgeMoves)
	for i := range e.r.OnEdge {
		e.edgeMoves[e.r.OnEdge[i].At] = uint32(i) + 1
	}
	e.edgeLabel = grow(e.edgeLabel, len(ra.Edges))
	clear(e.edgeLabel)
	e.edges = e.edges[:0]
}

// loopAlign is where loops begin: one fetch of the processor's.
const loopAlign = 16

func (e *emitter) startBlock(b *regalloc.Block) {
	if b.LoopHeader == e.block && !b.Cold {
		e.a.Align(loopAlign)
	}
	e.a.Bind(e.labels[e.block])
	if b.PredEnd-b.PredStart == 1 {
		edge := e.m.RA.Preds[b.PredStart]
		from := &e.m.RA.Blocks[e.m.RA.Edges[edge].From]
		if from.SuccEnd-from.SuccStart > 1 {
			e.movesOnEdge(edge)
		}
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
		return e.labels[e.m.RA.Edges[edge].To]
	}
	if e.edgeLabel[edge] == 0 {
		e.edgeLabel[edge] = e.a.NewLabel()
		e.edges = append(e.edges, edge)
	}
	return e.edgeLabel[edge]
}

// falls reports whether an edge leads to the next block and needs no block of moves.
func (e *emitter) falls(edge uint32) bool {
	return e.m.RA.Edges[edge].To == e.block+1 && !e.split(edge)
}

// placeEdges assembles the blocks of moves noted so far; the code before does not go on here. One that
// leads to the next block comes last and falls through.
func (e *emitter) placeEdges() {
	if len(e.edges) == 0 {
		return
	}
	through := -1
	for i, edge := range e.edges {
		if e.m.RA.Edges[edge].To == e.block+1 {
			through = i
			continue
		}
		e.placeEdge(edge)
		e.a.Jmp(e.labels[e.m.RA.Edges[edge].To])
	}
	for i, edge := range e.edges {
		if e.m.RA.Edges[edge].To == e.block+1 {
			if i != through {
				e.placeEdge(edge)
				e.a.Jmp(e.labels[e.m.RA.Edges[edge].To])
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
	b := &e.m.RA.Blocks[e.block]
	to := e.m.RA.Edges[b.SuccStart].To
	if to == e.block+1 {
		return
	}
	e.a.Jmp(e.labels[to])
	e.placeEdges()
}

// emitBranch ends a block with two successors.
func (e *emitter) emitBranch() {
	b := &e.m.RA.Blocks[e.block]
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
			e.jumpIf(c^1, e.labels[e.m.RA.Edges[no].To])
			e.movesOnEdge(yes)
			e.a.Jmp(e.labels[e.m.RA.Edges[yes].To])
			e.placeEdges()
			return
		}
		e.jumpIf(c, e.target(yes))
	default:
		e.jumpIf(c, e.target(yes))
		if e.split(no) && e.edgeLabel[no] == 0 {
			// Its moves may as well be made here.
			e.movesOnEdge(no)
			e.a.Jmp(e.labels[e.m.RA.Edges[no].To])
		} else {
			e.a.Jmp(e.target(no))
		}
		e.placeEdges()
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

func (e *emitter) emitReturn() {
	e.epilogue()
	e.a.Bare(RET)
	e.placeEdges()
}
