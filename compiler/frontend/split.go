package frontend

import (
	"math/bits"

	"github.com/wasmaot/wasmaot/compiler/abi"
	"github.com/wasmaot/wasmaot/compiler/ssa"
)

// A function that is one dispatching loop, entered with a state that its caller gives, is called with state 0 nearly
// always: Go's functions resume in another only after their goroutine was switched. With every jump threaded, the
// dispatch is reached from the entry alone, but its table keeps an edge to every place where the function can resume:
// loops have several entries, and all that is live there becomes a parameter.
//
// split takes those edges away from the code that matters. The dispatch becomes a test for state 0; any other state
// goes to a copy of the dispatch and, where the function has loops or much is put in the place of calls, to a copy of all blocks behind it: two bodies, both
// optimised, because a frame that was resumed once finishes in the second. What neither reaches is dropped later.
func (b *Builder) split() {
	f := b.f
	if !b.opts.Split || len(b.dispatches) == 0 || b.dispatches[0].block != 1 {
		return
	}
	d := &f.Blocks[1]
	entry := &f.Blocks[0]
	local := b.dispatches[0].local
	if _, set := b.locals.setIn(0, local); set || int(local) >= len(f.Sig.Params) || f.Sig.Params[local] != abi.I32 ||
		entry.Kind != ssa.BlockJump || d.SuccEnd-d.SuccStart < 2 || int(d.InstStart) != int(d.InstEnd) {
		return
	}
	for i := range f.Edges { // an unthreaded jump to the dispatch: nothing would be gained
		if e := &f.Edges[i]; e.To == 1 && e.From != 0 {
			return
		}
	}
	b.skipEmpty(local)
	d, entry = &f.Blocks[1], &f.Blocks[0]
	d.Ctl = f.ParamsOf(entry)[local]
	zero := f.Edges[f.TableOf(d)[0]].To
	resume := ssa.Block(len(f.Blocks)) // the copy of the dispatch
	if b.hasLoop(zero) || b.inlinesMuch() {
		b.copyBlocks()
		// A body that begins at its beginning may as well be the first one.
		r := &f.Blocks[resume]
		f.Edges[f.TableOf(r)[0]].To = zero
	} else {
		b.copyDispatch()
	}
	b.markRare(resume)
	d, entry = &f.Blocks[1], &f.Blocks[0] // which does the test itself
	entry.Kind, entry.Ctl, entry.Pos = ssa.BlockIf, d.Ctl, d.Pos
	entry.SuccStart, entry.SuccEnd = d.SuccStart, d.SuccStart+2
	f.Edges[d.SuccStart] = ssa.EdgeData{From: 0, To: resume}
	f.Edges[d.SuccStart+1] = ssa.EdgeData{From: 0, To: zero}
	d.Kind, d.SuccEnd, d.TabStart, d.TabEnd = ssa.BlockTrap, d.SuccStart, 0, 0 // no one leads there
}

// markRare puts out of line what such a function seldom does: to be resumed, and to return something else than 0, which
// tells its caller that it was suspended.
func (b *Builder) markRare(resume ssa.Block) {
	f := b.f
	f.Blocks[resume].Cold = true
	for i := range f.Blocks {
		bd := &f.Blocks[i]
		if bd.Kind != ssa.BlockReturn || bd.RetEnd-bd.RetStart != 1 {
			continue
		}
		if v := uint32(f.Lists[bd.RetStart]); v&heldBit == 0 {
			if bits, ok := f.IsConst(ssa.Value(v)); ok && bits != 0 {
				bd.Cold = true
			}
		}
	}
}

// hasLoop tells whether some jump goes back, other than to the first state: that one starts over, after the stack
// was enlarged.
func (b *Builder) hasLoop(first ssa.Block) bool {
	for i := range b.f.Edges {
		if e := &b.f.Edges[i]; e.To <= e.From && e.To != first && e.To > 1 {
			return true
		}
	}
	return false
}

// BlocksForCall is how many blocks are worth work for one call in whose place a function will stand.
const BlocksForCall = 15

// inlinesMuch tells whether many calls that are likely will be replaced by the functions that they call. What these leave in memory would not be known
// any more where the way of a resumed function joins, right behind each call.
func (b *Builder) inlinesMuch() bool {
	f := b.f
	if b.opts.Inlines == nil || len(f.Calls)*BlocksForCall < len(f.Blocks) {
		return false
	}
	calls := 0
	for i := range f.Blocks {
		bd := &f.Blocks[i]
		if bd.Cold {
			continue
		}
		for _, v := range f.OrderOf(bd) {
			if in := &f.Insts[v]; in.Op == ssa.OpCall {
				if c := &f.Calls[in.A]; c.Kind == ssa.CallDirect && b.opts.Inlines(c.Callee) {
					calls++
				}
			}
		}
	}
	return calls*BlocksForCall >= len(f.Blocks)
}

// copyDispatch adds a block with the dispatch's switch.
func (b *Builder) copyDispatch() {
	f := b.f
	d := f.Blocks[1]
	block := ssa.Block(len(f.Blocks))
	edges := uint32(len(f.Edges)) - d.SuccStart
	for _, e := range f.SuccsOf(&d) {
		e.From = block
		f.Edges = append(f.Edges, e)
	}
	tables := uint32(len(f.Tables))
	for _, e := range f.TableOf(&d) {
		f.Tables = append(f.Tables, e+ssa.Edge(edges))
	}
	d.SuccStart, d.SuccEnd = d.SuccStart+edges, d.SuccEnd+edges
	d.TabEnd = tables + d.TabEnd - d.TabStart
	d.TabStart = tables
	d.InstStart, d.InstEnd = uint32(len(f.Order)), uint32(len(f.Order))
	f.Blocks = append(f.Blocks, d)
}

// A shift says by how much the parts of a copy are moved against the original. Values and placeholders of the
// entry block, and constants, are shared.
type shift struct {
	block, inst, held, list, edge, table, call, order, event uint32

	firstInst, firstHeld uint32 // those before belong to the entry
}

// copyBlocks appends a copy of all blocks but the entry.
func (b *Builder) copyBlocks() {
	f, s := b.f, &b.locals
	n := len(f.Blocks)
	sh := shift{
		block: uint32(n) - 1, list: uint32(len(f.Lists)), edge: uint32(len(f.Edges)), table: uint32(len(f.Tables)),
		call: uint32(len(f.Calls)), order: uint32(len(f.Order)), event: uint32(len(s.events)),
	}
	sh.firstInst, sh.firstHeld = b.ofEntry()
	insts := len(f.Insts)
	sh.inst = uint32(insts) - sh.firstInst
	sh.held = uint32(len(s.held)) - sh.firstHeld

	for i := int(sh.firstInst); i < insts; i++ {
		in := f.Insts[i]
		if in.Op == ssa.OpConst {
			in = ssa.Nop()
		}
		use := in.Op.Uses()
		if use&1 != 0 {
			in.A = sh.value(f, in.A)
		}
		if use&2 != 0 {
			in.B = sh.value(f, in.B)
		}
		if use&4 != 0 {
			in.C = sh.value(f, in.C)
		}
		if in.Op == ssa.OpCall {
			in.A += sh.call
		}
		f.Insts = append(f.Insts, in)
	}
	f.Pos = append(f.Pos, f.Pos[sh.firstInst:insts]...)
	for _, v := range f.Order[:sh.order] {
		f.Order = append(f.Order, ssa.Value(sh.value(f, uint32(v))))
	}
	for _, v := range f.Lists[:sh.list] {
		f.Lists = append(f.Lists, ssa.Value(sh.value(f, uint32(v))))
	}
	for _, c := range f.Calls[:sh.call] {
		c.ArgStart, c.ArgEnd = c.ArgStart+sh.list, c.ArgEnd+sh.list
		f.Calls = append(f.Calls, c)
	}
	for _, e := range f.Edges[:sh.edge] {
		e.From, e.To = e.From+ssa.Block(sh.block), e.To+ssa.Block(sh.block)
		e.ArgStart, e.ArgEnd = e.ArgStart+sh.list, e.ArgEnd+sh.list
		f.Edges = append(f.Edges, e)
	}
	for _, e := range f.Tables[:sh.table] {
		f.Tables = append(f.Tables, e+ssa.Edge(sh.edge))
	}
	for _, bd := range f.Blocks[1:n] {
		bd.Ctl = ssa.Value(sh.value(f, uint32(bd.Ctl)))
		bd.InstStart, bd.InstEnd = bd.InstStart+sh.order, bd.InstEnd+sh.order
		bd.ParamStart, bd.ParamEnd = bd.ParamStart+sh.list, bd.ParamEnd+sh.list
		bd.RetStart, bd.RetEnd = bd.RetStart+sh.list, bd.RetEnd+sh.list
		bd.SuccStart, bd.SuccEnd = bd.SuccStart+sh.edge, bd.SuccEnd+sh.edge
		bd.TabStart, bd.TabEnd = bd.TabStart+sh.table, bd.TabEnd+sh.table
		f.Blocks = append(f.Blocks, bd)
	}
	b.copyLocals(&sh)
}

// copyLocals copies what the blocks do to locals.
func (b *Builder) copyLocals(sh *shift) {
	f, s := b.f, &b.locals
	for _, v := range s.events[:sh.event] {
		s.events = append(s.events, sh.value(f, v))
	}
	for range sh.held {
		s.held = append(s.held, 0)
	}
	for _, r := range s.recs[:len(s.recs):len(s.recs)] {
		if r.block != 0 {
			r.block += ssa.Block(sh.block)
			r.event += sh.event
			s.recs = append(s.recs, r)
		}
	}
}

// value gives the copy of a value or placeholder.
func (sh *shift) value(f *ssa.Func, v uint32) uint32 {
	switch {
	case v&heldBit != 0:
		if v&^heldBit >= sh.firstHeld {
			v += sh.held
		}
	case v >= sh.firstInst && f.Insts[v].Op != ssa.OpConst:
		v += sh.inst
	}
	return v
}

// ofEntry counts the entry block's values and placeholders, which were made before all others.
func (b *Builder) ofEntry() (insts, held uint32) {
	f, s := b.f, &b.locals
	entry := &f.Blocks[0]
	insts = 1
	for _, v := range f.ParamsOf(entry) {
		insts = max(insts, uint32(v)+1)
	}
	for _, v := range f.OrderOf(entry) {
		insts = max(insts, uint32(v)+1)
	}
	for i := range s.recs {
		if s.recs[i].block != 0 {
			break
		}
		held += uint32(bits.OnesCount64(s.recs[i].use))
	}
	return insts, held
}
