package frontend

import (
	"math/bits"

	"github.com/wasmaot/wasmaot/compiler/ssa"
)

// segment is the parameters of one block for the locals of one word.
type segment struct {
	block ssa.Block
	first uint32 // value of the first; the others follow it
	count uint32
	args  uint32 // their arguments in flow.args: count for each predecessor, in order
	more  uint32 // the block's segment for an earlier word, plus 1
}

// rename finds the values of a word of locals. It reports false if there are too many.
//
// A live local that does not become a parameter has the value that it has at the end of
// the block's dominator, which comes earlier in reverse postorder.
func (b *Builder) rename(word uint32) bool {
	f, s, w := b.f, &b.locals, &b.flow
	w.values = w.values[:0]
	segs := len(w.segs)
	for _, block := range f.RPO {
		bf := &w.blocks[block]
		if bf.live == 0 {
			continue
		}
		bf.values = uint32(len(w.values))
		switch {
		case block == 0:
			b.initialValues(word, bf.live)
		case bf.join == 0:
			idom := &w.blocks[f.Blocks[block].Idom]
			for m := bf.live; m != 0; m &= m - 1 {
				w.values = append(w.values, w.last(s, idom, m&-m))
			}
		default:
			b.joinValues(block, word)
		}
		// Locals read in the block before they are set.
		at := bf.event + uint32(bits.OnesCount64(bf.def))
		for m := bf.use; m != 0; m &= m - 1 {
			v := w.values[bf.values+rank(bf.live, m&-m)]
			s.held[s.events[at]&^heldBit] = ssa.Value(v)
			at++
		}
		if len(w.values) > maxFlow {
			return false
		}
	}
	for i := segs; i < len(w.segs); i++ {
		seg := &w.segs[i]
		seg.args = uint32(len(w.args))
		join := w.blocks[seg.block].join
		for _, e := range f.PredsOf(&f.Blocks[seg.block]) {
			from := &w.blocks[f.Edges[e].From]
			for m := join; m != 0; m &= m - 1 {
				w.args = append(w.args, w.last(s, from, m&-m))
			}
		}
		if len(w.args) > maxFlow {
			return false
		}
	}
	return true
}

// last is the value of a local at the end of a block.
func (w *flow) last(s *localState, bf *blockFlow, bit uint64) uint32 {
	if bf.def&bit == 0 {
		return w.values[bf.values+rank(bf.live, bit)]
	}
	v := s.events[bf.event+rank(bf.def, bit)]
	if v&heldBit != 0 {
		// A copy of another local. If that one belongs to a later word, its value is not yet known.
		if known := uint32(s.held[v&^heldBit]); known != 0 {
			return known
		}
	}
	return v
}

// initialValues are those at the function's start: its parameters, and zeros.
func (b *Builder) initialValues(word uint32, live uint64) {
	f := b.f
	params := f.ParamsOf(&f.Blocks[0])
	for m := live; m != 0; m &= m - 1 {
		local := word*64 + uint32(bits.TrailingZeros64(m))
		if int(local) < len(params) {
			b.flow.values = append(b.flow.values, uint32(params[local]))
		} else {
			b.flow.values = append(b.flow.values, uint32(f.Const(b.locals.types[local], 0)))
		}
	}
}

// joinValues are those at a block where some locals become parameters.
func (b *Builder) joinValues(block ssa.Block, word uint32) {
	f, s, w := b.f, &b.locals, &b.flow
	bf := &w.blocks[block]
	param := uint32(len(f.Insts))
	w.segs = append(w.segs, segment{})
	seg := &w.segs[len(w.segs)-1]
	seg.block, seg.first, seg.count, seg.more = block, param, uint32(bits.OnesCount64(bf.join)), bf.seg
	bf.seg = uint32(len(w.segs))
	idom := &w.blocks[f.Blocks[block].Idom]
	for m := bf.live; m != 0; m &= m - 1 {
		if bit := m & -m; bf.join&bit == 0 {
			w.values = append(w.values, w.last(s, idom, bit))
			continue
		}
		local := word*64 + uint32(bits.TrailingZeros64(m))
		f.NewValue(ssa.OpParam, s.types[local], 0, 0, 0, 0)
		w.values = append(w.values, param)
		param++
	}
}

// addParams adds all segments to the blocks' parameters and the edges' arguments. Of
// every block, the last segment leads to the others.
func (b *Builder) addParams() {
	f, w := b.f, &b.flow
	for i := range w.segs {
		block := w.segs[i].block
		if w.blocks[block].seg != uint32(i)+1 {
			continue
		}
		bd := &f.Blocks[block]
		start := uint32(len(f.Lists))
		f.Lists = append(f.Lists, f.ParamsOf(bd)...)
		for j := uint32(i) + 1; j != 0; j = w.segs[j-1].more {
			seg := &w.segs[j-1]
			for v := seg.first; v < seg.first+seg.count; v++ {
				f.Insts[v].A = uint32(len(f.Lists)) - start
				f.Lists = append(f.Lists, ssa.Value(v))
			}
		}
		bd.ParamStart, bd.ParamEnd = start, uint32(len(f.Lists))
		for p, e := range f.PredsOf(bd) {
			w.addArgs(f, &f.Edges[e], uint32(i)+1, uint32(p))
		}
	}
}

// addArgs adds the arguments of predecessor number pred.
func (w *flow) addArgs(f *ssa.Func, e *ssa.EdgeData, seg, pred uint32) {
	start := uint32(len(f.Lists))
	f.Lists = append(f.Lists, f.ArgsOf(e)...)
	for seg != 0 {
		s := &w.segs[seg-1]
		for _, v := range w.args[s.args+pred*s.count : s.args+(pred+1)*s.count] {
			f.Lists = append(f.Lists, ssa.Value(v))
		}
		seg = s.more
	}
	e.ArgStart, e.ArgEnd = start, uint32(len(f.Lists))
}

// resolve puts values in the place of placeholders everywhere.
func (b *Builder) resolve() {
	f, s := b.f, &b.locals
	for i := range f.Insts {
		in := &f.Insts[i]
		if (in.A|in.B|in.C)&heldBit == 0 {
			continue
		}
		ops := in.Op.Uses()
		if ops&1 != 0 {
			in.A = s.resolve(in.A)
		}
		if ops&2 != 0 {
			in.B = s.resolve(in.B)
		}
		if ops&4 != 0 {
			in.C = s.resolve(in.C)
		}
	}
	for i, v := range f.Lists {
		if v&heldBit != 0 {
			f.Lists[i] = ssa.Value(s.resolve(uint32(v)))
		}
	}
	for i := range f.Blocks {
		bd := &f.Blocks[i]
		bd.Ctl = ssa.Value(s.resolve(uint32(bd.Ctl)))
	}
}

// resolve follows a placeholder to its value. One may lead to another of a different word; the way is
// shortened for the next.
func (s *localState) resolve(v uint32) uint32 {
	end := v
	for end&heldBit != 0 {
		end = uint32(s.held[end&^heldBit])
	}
	for v != end {
		h := &s.held[v&^heldBit]
		v, *h = uint32(*h), ssa.Value(end)
	}
	return end
}
