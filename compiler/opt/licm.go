package opt

import (
	"github.com/wasmaot/wasmaot/compiler/ssa"
)

// licm takes what costs more than an addition and is the same in each round out of loops: to the block that the loop is entered from,
// if there is one alone and it leads nowhere else, and from there out of the loop around.
//
// Values outside of a loop are those of blocks that dominate its header. Loops with calls are left alone, for no
// register survives a call, and so are additions, which addresses take in for nothing.
func licm(f *ssa.Func, s *Scratch) {
	if !anyHoistable(f) {
		return
	}
	h := &s.hoist
	h.begin(f)
	for _, b := range f.RPO {
		bd := &f.Blocks[b]
		if bd.Header == ssa.NoBlock || bd.Cold {
			continue
		}
		for _, v := range f.OrderOf(bd) {
			if in := &f.Insts[v]; worthHoisting(f, in) {
				h.hoist(v, in)
			}
		}
	}
	if h.moved {
		h.finish(s)
	}
	h.f = nil
}

// anyHoistable reports whether a loop has anything to be taken out, perhaps.
func anyHoistable(f *ssa.Func) bool {
	for _, b := range f.RPO {
		bd := &f.Blocks[b]
		if bd.Header == ssa.NoBlock || bd.Cold {
			continue
		}
		for _, v := range f.OrderOf(bd) {
			if worthHoisting(f, &f.Insts[v]) {
				return true
			}
		}
	}
	return false
}

// worthHoisting reports whether an instruction has no effect and is slow.
func worthHoisting(f *ssa.Func, in *ssa.Inst) bool {
	switch in.Op {
	case ssa.OpMul, ssa.OpMulHiU, ssa.OpFDiv, ssa.OpFSqrt, ssa.OpConvS, ssa.OpConvU:
		return true
	case ssa.OpDivS, ssa.OpDivU, ssa.OpRemS, ssa.OpRemU:
		return f.CannotTrap(in)
	}
	return false
}

// maxHoisted is how much is taken out of one loop at most: each lives in a register throughout.
const maxHoisted = 4

type hoister struct {
	f     *ssa.Func
	moved bool
	block []ssa.Block // by value: where it is made; NoBlock for constants
	next  []ssa.Value // by value: what was moved to the same block after it
	loops []hoistLoop // by block, of headers; the lists are of any block
}

type hoistLoop struct {
	first, last ssa.Value // moved to this block
	calls       bool      // the loop has calls
	count       uint8     // taken out of it
}

func (h *hoister) begin(f *ssa.Func) {
	h.f, h.moved = f, false
	h.block = sized(h.block, len(f.Insts))
	h.next = sized(h.next, len(f.Insts))
	h.loops = sized(h.loops, len(f.Blocks))
	for v := range h.block {
		h.block[v] = ssa.NoBlock
	}
	for _, b := range f.RPO {
		bd := &f.Blocks[b]
		for _, v := range f.ParamsOf(bd) {
			h.block[v] = b
		}
		for _, v := range f.OrderOf(bd) {
			h.block[v] = b
			if op := f.Insts[v].Op; (op == ssa.OpCall || op == ssa.OpMemCopy || op == ssa.OpMemFill) && !bd.Cold {
				h.markCalls(bd.Header)
			}
		}
	}
}

// markCalls notes that a loop has calls, and so have those around it. The loop that a header's dominator is in may also
// be one before: then it is left alone as well.
func (h *hoister) markCalls(header ssa.Block) {
	for header != ssa.NoBlock && !h.loops[header].calls {
		h.loops[header].calls = true
		above := h.f.Blocks[header].Idom
		if above == ssa.NoBlock {
			return
		}
		header = h.f.Blocks[above].Header
	}
}

// hoist moves v as far out as it can.
func (h *hoister) hoist(v ssa.Value, in *ssa.Inst) {
	f := h.f
	from := h.block[v]
	to := from
	for {
		header := f.Blocks[to].Header
		if header == ssa.NoBlock || h.loops[header].calls || h.loops[header].count >= maxHoisted || !h.outside(in, header) {
			break
		}
		entry := h.entry(header)
		if entry == ssa.NoBlock {
			break
		}
		h.loops[header].count++
		to = entry
	}
	if to == from {
		return
	}
	h.moved = true
	h.block[v] = to
	l := &h.loops[to]
	if l.first == 0 {
		l.first = v
	} else {
		h.next[l.last] = v
	}
	l.last = v
}

// outside reports whether the operands come from outside the loop.
func (h *hoister) outside(in *ssa.Inst, header ssa.Block) bool {
	use := in.Op.Uses()
	for i, x := range [...]uint32{in.A, in.B, in.C} {
		if use>>i&1 == 0 {
			continue
		}
		if b := h.block[x]; b != ssa.NoBlock && (b == header || !h.f.Dominates(b, header)) {
			return false
		}
	}
	return true
}

// entry is the block from which alone the loop is entered, if it leads nowhere else.
func (h *hoister) entry(header ssa.Block) ssa.Block {
	f := h.f
	entry := ssa.NoBlock
	for _, e := range f.PredsOf(&f.Blocks[header]) {
		from := f.Edges[e].From
		if f.Dominates(header, from) {
			continue
		}
		if entry != ssa.NoBlock || f.Blocks[from].Kind != ssa.BlockJump {
			return ssa.NoBlock
		}
		entry = from
	}
	return entry
}

// finish puts what was moved at the ends of its blocks.
func (h *hoister) finish(s *Scratch) {
	f, order := h.f, s.order[:0]
	for _, b := range f.RPO {
		bd := &f.Blocks[b]
		start := uint32(len(order))
		for _, v := range f.OrderOf(bd) {
			if h.block[v] == b {
				order = append(order, v)
			}
		}
		for v := h.loops[b].first; v != 0; v = h.next[v] {
			order = append(order, v)
		}
		bd.InstStart, bd.InstEnd = start, uint32(len(order))
	}
	f.Order, s.order = order, f.Order
}
