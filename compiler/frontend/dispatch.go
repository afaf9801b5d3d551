package frontend

import (
	"cmp"
	"math/bits"
	"slices"

	"github.com/wasmaot/wasmaot/compiler/abi"
	"github.com/wasmaot/wasmaot/compiler/ssa"
)

// dispatch is a loop that begins with local.get and br_table and nothing else: a state machine.
// Go compiles every function to one.
type dispatch struct {
	block ssa.Block // loop header
	local uint32    // selects the target
}

// thread is an edge to a dispatching loop from a block that sets its local to a constant.
type thread struct {
	edge     ssa.Edge
	dispatch int32
	index    uint32 // the constant
}

// noteDispatch is called at a br_table that carries no values. It recognises a dispatch: the
// current block is a loop's header, has no parameters and no instructions, and all that it reads
// is the local behind ctl. Operands that were pushed in the loop and would stay on the stack below
// the targets' labels rule it out, because a jump past the header would not have pushed them.
func (b *Builder) noteDispatch(ctl uint32) {
	f, s := b.f, &b.locals
	bd := &f.Blocks[b.cur]
	if !b.opts.Threading || b.entered < 0 || bd.ParamStart != bd.ParamEnd || int(bd.InstStart) != len(f.Order) || len(s.dirty) != 1 {
		return
	}
	w := s.dirty[0]
	if s.def[w] != 0 || bits.OnesCount64(s.use[w]) != 1 {
		return
	}
	local := w*64 + uint32(bits.TrailingZeros64(s.use[w]))
	fr := &b.frames[b.entered]
	depth := uint32(len(b.frames) - 1 - b.entered)
	if ctl != s.hold[local] || b.v.Frame(0).Height != b.v.Frame(depth).Height {
		return
	}
	fr.dispatch = int32(len(b.dispatches))
	b.dispatches = append(b.dispatches, dispatch{b.cur, local})

	if k, ok := b.constantAt(f.Edges[fr.enter].From, local); ok {
		b.threads = append(b.threads, thread{fr.enter, fr.dispatch, k})
	}
}

// separateDispatch is called before a br_table that carries no values. A function built by Go to which no jump leads back begins
// with its switch, without a loop around it: a block for it alone lets split treat it like the others.
func (b *Builder) separateDispatch(ctl uint32) {
	f, s := b.f, &b.locals
	if b.cur != 0 || !b.m.resumes || len(f.Sig.Params) != 1 || f.Sig.Params[0] != abi.I32 ||
		len(f.Sig.Results) != 1 || f.Sig.Results[0] != abi.I32 || s.use[0]&1 == 0 || ctl != s.hold[0] {
		return
	}
	enter := b.newEdge(nil)
	b.endBlock(ssa.BlockJump, 0, enter)
	f.Edges[enter].To = b.startBlock()
	b.dispatches = append(b.dispatches, dispatch{b.cur, 0})
}

// noteThread is called for every branch to a frame but those of br_table.
func (b *Builder) noteThread(fr *frame, e ssa.Edge) {
	if fr.dispatch < 0 {
		return
	}
	if v, ok := b.locals.setNow(b.dispatches[fr.dispatch].local); ok {
		if k, ok := b.constant(v); ok {
			b.threads = append(b.threads, thread{e, fr.dispatch, k})
		}
	}
}

func (b *Builder) constant(v uint32) (uint32, bool) {
	if v&heldBit != 0 {
		return 0, false
	}
	k, ok := b.f.IsConst(ssa.Value(v))
	return uint32(k), ok
}

// constantAt is the constant that a finished block leaves in a local.
func (b *Builder) constantAt(block ssa.Block, local uint32) (uint32, bool) {
	if v, ok := b.locals.setIn(block, local); ok {
		return b.constant(v)
	}
	return 0, block == 0 && int(local) >= len(b.f.Sig.Params) // still zero
}

// maxThreadSteps bounds how many dispatches one edge passes: a state machine may lead to itself.
const maxThreadSteps = 8

// thread sends the noted edges to where the dispatch would send them. The local keeps its
// value, so nothing else changes.
func (b *Builder) thread() {
	f := b.f
	for _, t := range b.threads {
		e, d, k := &f.Edges[t.edge], int(t.dispatch), t.index
		for range maxThreadSteps {
			table := f.TableOf(&f.Blocks[b.dispatches[d].block])
			e.To = f.Edges[table[min(int(k), len(table)-1)]].To
			next, ok := b.dispatchAt(e.To)
			if !ok {
				break
			}
			if k, ok = b.constantAt(e.From, b.dispatches[next].local); !ok {
				break
			}
			d = next
		}
	}
}

// dispatchAt finds the dispatch with the given header.
func (b *Builder) dispatchAt(block ssa.Block) (int, bool) {
	return slices.BinarySearchFunc(b.dispatches, block, func(d dispatch, block ssa.Block) int { return cmp.Compare(d.block, block) })
}
