package frontend

import (
	"github.com/wasmaot/wasmaot/compiler/abi"
	"github.com/wasmaot/wasmaot/compiler/ssa"
	"github.com/wasmaot/wasmaot/compiler/wasm"
)

// controlLowerings are the operators of structured control.
var controlLowerings = []lowering{
	wasm.OpUnreachable: {emit: emitUnreachable},
	wasm.OpBlock:       {emit: emitBlock},
	wasm.OpLoop:        {emit: emitLoop},
	wasm.OpIf:          {emit: emitIf},
	wasm.OpElse:        {emit: emitElse},
	wasm.OpEnd:         {emit: emitEnd},
	wasm.OpBr:          {emit: emitBr},
	wasm.OpBrIf:        {emit: emitBrIf},
	wasm.OpBrTable:     {emit: emitBrTable},
	wasm.OpReturn:      {emit: emitReturn},
}

// noEdge is the absent edge.
const noEdge = ^ssa.Edge(0)

// frame is an open block, loop or if, or the function.
type frame struct {
	loop  bool
	start ssa.Block // loop: its header
	enter ssa.Edge  // loop: the edge into it from outside

	// Edges to the end of a block or if, exits of them: a list linked through EdgeData.To until the
	// end gives them their target.
	exit  ssa.Edge
	exits uint32

	falseEdge ssa.Edge // if without else so far: where the condition is 0
	saved     uint32   // if: where its parameters start in Builder.saved

	gen      uint32   // number of the last br_table that has an edge here
	edge     ssa.Edge // that edge
	dispatch int32    // loop that dispatches: index in Builder.dispatches, else -1
}

// push opens a frame. Records of many fields are written where they stay: made on the stack first, they are copied in larger
// pieces than they were written, which waits for the writes.
func (b *Builder) push() *frame {
	b.frames = append(b.frames, frame{})
	fr := &b.frames[len(b.frames)-1]
	fr.exit, fr.falseEdge, fr.dispatch = noEdge, noEdge, -1
	return fr
}

// outer is the index of the frame that a branch of the given depth leaves or repeats.
func (b *Builder) outer(depth uint32) int { return len(b.frames) - 1 - int(depth) }

// newEdge leads out of the current block and carries args.
func (b *Builder) newEdge(args []uint32) ssa.Edge {
	start, end := b.list(args)
	b.f.Edges = append(b.f.Edges, ssa.EdgeData{From: b.cur, To: ssa.NoBlock, ArgStart: start, ArgEnd: end})
	return ssa.Edge(len(b.f.Edges) - 1)
}

// branch makes an edge to where a branch to a frame goes.
func (b *Builder) branch(fr *frame, args []uint32) ssa.Edge {
	e := b.newEdge(args)
	if fr.loop {
		b.f.Edges[e].To = fr.start
	} else {
		fr.addExit(b.f, e)
	}
	return e
}

func (fr *frame) addExit(f *ssa.Func, e ssa.Edge) {
	f.Edges[e].To = ssa.Block(fr.exit)
	fr.exit = e
	fr.exits++
}

// closeExits lets all edges to the frame's end lead to the current block.
func (b *Builder) closeExits(fr *frame) {
	for e := fr.exit; e != noEdge; {
		d := &b.f.Edges[e]
		e, d.To = ssa.Edge(d.To), b.cur
	}
}

// nextEdge is the number of the edge to be made next.
func (b *Builder) nextEdge() ssa.Edge { return ssa.Edge(len(b.f.Edges)) }

// results gives the operands just pushed their values.
func (b *Builder) results(refs []uint32) {
	r := b.v.Results()
	for i := range r {
		r[i].Ref = refs[i]
	}
}

func emitUnreachable(b *Builder, _ *lowering) {
	bd := &b.f.Blocks[b.cur]
	bd.Trap, bd.Cold = abi.TrapUnreachable, true
	b.endBlock(ssa.BlockTrap, 0, b.nextEdge())
}

func emitBlock(b *Builder, _ *lowering) {
	b.push()
	b.results(b.v.Args())
}

func emitLoop(b *Builder, _ *lowering) {
	enter := b.newEdge(b.v.Args())
	b.endBlock(ssa.BlockJump, 0, enter)
	header := b.startBlock()
	b.f.Edges[enter].To = header
	b.operandParams(b.v.Results())
	fr := b.push()
	fr.loop, fr.start, fr.enter = true, header, enter
	b.entered = len(b.frames) - 1
}

func emitIf(b *Builder, _ *lowering) {
	args := b.v.Args()
	params, ctl := args[:len(args)-1], args[len(args)-1]
	then := b.newEdge(nil)
	els := b.newEdge(nil)
	b.endBlock(ssa.BlockIf, ctl, then)
	fr := b.push()
	fr.falseEdge, fr.saved = els, uint32(len(b.saved))
	b.saved = append(b.saved, params...)
	b.f.Edges[then].To = b.startBlock()
	b.results(params)
}

// emitElse is also called where the code before else is unreachable, but not the if.
func emitElse(b *Builder, _ *lowering) {
	fr := &b.frames[len(b.frames)-1]
	b.leave(fr)
	b.f.Edges[fr.falseEdge].To = b.startBlock()
	fr.falseEdge = noEdge
	b.results(b.saved[fr.saved:])
	b.saved = b.saved[:fr.saved]
}

// leave ends the current block, if there is one, with a jump to the frame's end.
func (b *Builder) leave(fr *frame) {
	if b.cur != ssa.NoBlock {
		e := b.branch(fr, b.v.Args())
		b.endBlock(ssa.BlockJump, 0, e)
	}
}

// emitEnd is also called where the code before end is unreachable, but not the frame's start.
func emitEnd(b *Builder, _ *lowering) {
	if len(b.frames) == 1 {
		b.endFunc()
		return
	}
	fr := &b.frames[len(b.frames)-1]
	b.frames = b.frames[:len(b.frames)-1]
	if b.entered >= len(b.frames) {
		b.entered = -1 // the loop is over, though its header may still be the current block
	}
	if fr.falseEdge != noEdge {
		d := &b.f.Edges[fr.falseEdge]
		d.ArgStart, d.ArgEnd = b.list(b.saved[fr.saved:])
		b.saved = b.saved[:fr.saved]
		fr.addExit(b.f, fr.falseEdge)
	}
	if fr.exits == 0 {
		if b.cur != ssa.NoBlock {
			b.results(b.v.Args())
		}
		return
	}
	if b.cur != ssa.NoBlock {
		e := b.newEdge(b.v.Args())
		fr.addExit(b.f, e)
		b.endBlock(ssa.BlockJump, 0, e)
	}
	b.startBlock()
	b.closeExits(fr)
	if fr.exits > 1 {
		b.operandParams(b.v.Results())
		return
	}
	// A single way in needs no parameters.
	d := &b.f.Edges[fr.exit]
	r := b.v.Results()
	for i, v := range b.f.ArgsOf(d) {
		r[i].Ref = uint32(v)
	}
	d.ArgEnd = d.ArgStart
}

// endFunc is the end of the body.
func (b *Builder) endFunc() {
	if b.cur != ssa.NoBlock {
		b.ret(b.v.Args())
	}
	fr := &b.frames[0]
	if fr.exits == 0 {
		return
	}
	b.startBlock()
	b.closeExits(fr)
	bd := &b.f.Blocks[b.cur]
	bd.ParamStart, bd.ParamEnd = b.newParams(b.f.Sig.Results)
	bd.RetStart = uint32(len(b.f.Lists))
	b.f.Lists = append(b.f.Lists, b.f.ParamsOf(bd)...)
	bd.RetEnd = uint32(len(b.f.Lists))
	b.endBlock(ssa.BlockReturn, 0, b.nextEdge())
}

func (b *Builder) ret(refs []uint32) {
	bd := &b.f.Blocks[b.cur]
	bd.RetStart, bd.RetEnd = b.list(refs)
	b.endBlock(ssa.BlockReturn, 0, b.nextEdge())
}

func emitReturn(b *Builder, _ *lowering) { b.ret(b.v.Args()) }

func emitBr(b *Builder, _ *lowering) {
	i := b.outer(b.in.Index)
	if i == 0 {
		b.ret(b.v.Args())
		return
	}
	fr := &b.frames[i]
	e := b.branch(fr, b.v.Args())
	b.noteThread(fr, e)
	b.endBlock(ssa.BlockJump, 0, e)
}

func emitBrIf(b *Builder, _ *lowering) {
	args := b.v.Args()
	values, ctl := args[:len(args)-1], args[len(args)-1]
	fr := &b.frames[b.outer(b.in.Index)]
	taken := b.branch(fr, values)
	b.noteThread(fr, taken)
	if c, ok := b.constant(ctl); ok && c != 0 {
		b.endBlock(ssa.BlockJump, 0, taken)
		b.startBlock() // that no one reaches
		b.results(values)
		return
	}
	next := b.newEdge(nil)
	b.endBlock(ssa.BlockIf, ctl, taken)
	b.f.Edges[next].To = b.startBlock()
	b.results(values)
}

// emitBrTable makes one edge for each distinct target, however many entries name it.
func emitBrTable(b *Builder, _ *lowering) {
	f := b.f
	args := b.v.Args()
	values, ctl := args[:len(args)-1], args[len(args)-1]
	if len(values) == 0 {
		b.separateDispatch(ctl)
	}
	b.gen++
	start, table := b.nextEdge(), uint32(len(f.Tables))
	for _, depth := range b.in.Targets {
		fr := &b.frames[b.outer(depth)]
		if fr.gen != b.gen {
			fr.gen = b.gen
			fr.edge = b.branch(fr, values)
		}
		f.Tables = append(f.Tables, fr.edge)
	}
	if b.nextEdge() == start+1 {
		f.Tables = f.Tables[:table]
		b.endBlock(ssa.BlockJump, 0, start)
		return
	}
	bd := &f.Blocks[b.cur]
	bd.TabStart, bd.TabEnd = table, uint32(len(f.Tables))
	if len(values) == 0 {
		b.noteDispatch(ctl)
	}
	b.endBlock(ssa.BlockSwitch, ctl, start)
}
