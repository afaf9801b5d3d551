package opt

import (
	"cmp"
	"slices"

	"github.com/wasmaot/wasmaot/compiler/ssa"
)

// schedule puts what the next round of a loop waits for before everything else. Loops that iterate a function of floating point take as
// long as the operations on the longest way from one round to the next; processors begin with the oldest of those that are ready, so whatever
// comes first in the code does not wait for a unit that an operation of less importance has taken.
//
// Within a block arithmetic is sorted by the time that passes from it to the end of the next round but one, which keeps operands before
// their users. And where a loop is left depending on a comparison of floats, what the way on begins with is done before that
// comparison: it has no effect, and is lost once, when the loop is left.
//
// A loop is a chain of blocks, as for unroll, without calls.
func schedule(f *ssa.Func, s *Scratch) {
	c := &s.schedule
	c.f, c.at = f, c.at[:0]
	for _, b := range f.RPO {
		bd := &f.Blocks[b]
		if bd.Header != b || bd.Cold || !c.carriesFloats(bd) || !c.collect(b) {
			continue
		}
		c.measure()
		for i, b := range c.blocks {
			if c.sortable(i) {
				c.sort(f.OrderOf(&f.Blocks[b]))
			}
		}
		for i := 1; i < len(c.blocks); i++ {
			c.advance(i)
		}
		c.forget()
	}
	c.f = nil
}

const (
	maxScheduled = 64 // instructions of a loop
	maxAdvanced  = 2  // of them before one comparison
	slack        = 3  // cycles by which a way may be shorter than the longest and is as urgent
)

// carried is added to ways that lead to the next round: all others are shorter.
const carried = 1 << 12

const inHeader = ^uint32(0)

type scheduler struct {
	f      *ssa.Func
	blocks []ssa.Block // of the loop at hand, the header first
	latch  ssa.Edge    // leads back
	at     []uint32    // by value: 1 + place of its block in blocks, inHeader for parameters, 0 outside of the loop at hand
	begin  []uint32    // by value of the loop: cycles until it is there
	end    []uint32    // by value of the loop: cycles from then on to the end of a later round

	first, then []ssa.Value // see advance

	longest uint32 // way of the loop at hand
}

// latency gives the cycles that arithmetic on floats takes, about, on any processor; 0: it is something else.
func latency(in *ssa.Inst) uint32 {
	switch in.Op {
	case ssa.OpFAdd, ssa.OpFSub, ssa.OpFMul:
		return 3
	case ssa.OpFDiv:
		return 13
	case ssa.OpFSqrt:
		return 20
	case ssa.OpFAbs, ssa.OpFNeg, ssa.OpFCopysign:
		return 1
	case ssa.OpDemote, ssa.OpPromote, ssa.OpFCeil, ssa.OpFFloor, ssa.OpFTrunc, ssa.OpFNearest:
		return 4
	case ssa.OpVAdd, ssa.OpVSub, ssa.OpVMul:
		if in.Shape().IsFloat() {
			return 3
		}
	case ssa.OpVDiv:
		return 13
	case ssa.OpVSqrt:
		return 20
	case ssa.OpVAbs, ssa.OpVNeg:
		if in.Shape().IsFloat() {
			return 1
		}
	}
	return 0
}

func (c *scheduler) carriesFloats(header *ssa.BlockData) bool {
	return slices.ContainsFunc(c.f.ParamsOf(header), func(p ssa.Value) bool { return c.f.Insts[p].Type.IsFloat() })
}

// collect gathers the blocks of the loop with a header, and reports whether they are a chain that is short enough, has no calls, and more
// than one operation to choose from.
func (c *scheduler) collect(header ssa.Block) bool {
	f := c.f
	back := 0
	for _, e := range f.PredsOf(&f.Blocks[header]) {
		if f.Dominates(header, f.Edges[e].From) {
			c.latch = e
			back++
		}
	}
	if back != 1 {
		return false
	}
	c.blocks = c.blocks[:0]
	size, arithmetic := 0, 0
	for b := f.Edges[c.latch].From; ; {
		bd := &f.Blocks[b]
		size += int(bd.InstEnd - bd.InstStart)
		if size > maxScheduled || bd.Header != header || bd.Kind != ssa.BlockJump && bd.Kind != ssa.BlockIf {
			return false
		}
		for _, v := range f.OrderOf(bd) {
			in := &f.Insts[v]
			if in.Op.Is(ssa.PropCall) {
				return false
			}
			if latency(in) != 0 {
				arithmetic++
			}
		}
		c.blocks = append(c.blocks, b)
		if b == header {
			break
		}
		preds := f.PredsOf(bd)
		if len(preds) != 1 || bd.ParamStart != bd.ParamEnd {
			return false
		}
		b = f.Edges[preds[0]].From
	}
	slices.Reverse(c.blocks)
	return arithmetic > 1
}

// measure finds out when values are there, and how long the ways from them are.
func (c *scheduler) measure() {
	f := c.f
	if len(c.at) == 0 {
		c.at = sized(c.at, len(f.Insts))
		c.begin, c.end = sized(c.begin, len(f.Insts)), sized(c.end, len(f.Insts))
	}
	params, again := f.ParamsOf(&f.Blocks[c.blocks[0]]), f.ArgsOf(&f.Edges[c.latch])
	c.longest = 0
	for _, p := range params {
		c.at[p] = inHeader
		if f.Insts[p].Type.IsFloat() {
			c.end[p] = carried
		}
	}
	for i, b := range c.blocks {
		for _, v := range f.OrderOf(&f.Blocks[b]) {
			c.at[v] = uint32(i + 1)
		}
	}
	for range 2 {
		for i, v := range again {
			if c.at[v] != 0 {
				c.end[v] = max(c.end[v], c.end[params[i]])
			}
		}
		for _, b := range slices.Backward(c.blocks) {
			for _, v := range slices.Backward(f.OrderOf(&f.Blocks[b])) {
				way := c.way(v)
				for _, x := range c.operands(v) {
					if c.at[x] != 0 {
						c.end[x] = max(c.end[x], way)
					}
				}
			}
		}
		for _, b := range c.blocks {
			for _, v := range f.OrderOf(&f.Blocks[b]) {
				c.begin[v] = c.ready(v) + latency(&f.Insts[v])
				c.longest = max(c.longest, c.total(v))
			}
		}
		for i, v := range again {
			c.begin[params[i]] = c.begin[v]
		}
	}
}

// forget makes the tables as they were before measure.
func (c *scheduler) forget() {
	clean := func(values []ssa.Value) {
		for _, v := range values {
			c.at[v], c.begin[v], c.end[v] = 0, 0, 0
		}
	}
	for _, b := range c.blocks {
		clean(c.f.OrderOf(&c.f.Blocks[b]))
	}
	clean(c.f.ParamsOf(&c.f.Blocks[c.blocks[0]]))
}

// operands gives the values that v is made of; 0 for those that are none.
func (c *scheduler) operands(v ssa.Value) [3]ssa.Value {
	in := &c.f.Insts[v]
	a, b, d := in.Values()
	return [3]ssa.Value{a, b, d}
}

// ready gives when the operands of v are there.
func (c *scheduler) ready(v ssa.Value) (at uint32) {
	for _, x := range c.operands(v) {
		at = max(at, c.begin[x])
	}
	return at
}

// way is how long it takes from the operands of v being there.
func (c *scheduler) way(v ssa.Value) uint32 { return c.end[v] + latency(&c.f.Insts[v]) }

// sortable reports whether no arithmetic of block i needs something else of that block.
func (c *scheduler) sortable(i int) bool {
	for _, v := range c.f.OrderOf(&c.f.Blocks[c.blocks[i]]) {
		if latency(&c.f.Insts[v]) != 0 && !c.plain(v, i) {
			return false
		}
	}
	return true
}

// plain reports whether v needs nothing of block i but arithmetic.
func (c *scheduler) plain(v ssa.Value, i int) bool {
	for _, x := range c.operands(v) {
		if c.at[x] == uint32(i+1) && latency(&c.f.Insts[x]) == 0 {
			return false
		}
	}
	return true
}

// sort has the arithmetic of a block done in the order of its ways, before all else.
func (c *scheduler) sort(order []ssa.Value) {
	slices.SortStableFunc(order, func(v, w ssa.Value) int { return cmp.Compare(c.key(w), c.key(v)) })
}

// total is how long the longest way takes that v is on.
func (c *scheduler) total(v ssa.Value) uint32 { return c.ready(v) + c.way(v) }

// key is what a block is sorted by: the greatest first.
func (c *scheduler) key(v ssa.Value) uint32 {
	if latency(&c.f.Insts[v]) == 0 {
		return 0
	}
	return c.way(v)
}

// advance has what block i of the chain begins with done before the test that leads there, if that waits for arithmetic and the longest ways
// begin with it. What needs nothing of the block before comes first there: above all what needs the values that come last.
func (c *scheduler) advance(i int) {
	f := c.f
	before, bd := &f.Blocks[c.blocks[i-1]], &f.Blocks[c.blocks[i]]
	if before.Kind != ssa.BlockIf || c.at[before.Ctl] != uint32(i) || c.begin[before.Ctl] == 0 {
		return
	}
	first, then := c.first[:0], c.then[:0]
	sortable := c.sortable(i - 1)
	for _, v := range f.OrderOf(bd) {
		if latency(&f.Insts[v]) == 0 || c.total(v)+slack < c.longest {
			continue
		}
		switch last := c.last(v); {
		case last < i-1:
			first = append(first, v)
		case last == i-1 && sortable && c.plain(v, last):
			then = append(then, v)
		}
	}
	c.first, c.then = first, then
	slices.SortStableFunc(first, func(v, w ssa.Value) int {
		return cmp.Or(cmp.Compare(c.total(w), c.total(v)), cmp.Compare(c.ready(w), c.ready(v)))
	})
	first = first[:min(len(first), maxAdvanced)]
	then = then[:min(len(then), maxAdvanced-len(first))]
	if len(first)+len(then) == 0 {
		return
	}
	for _, v := range first {
		c.at[v] = uint32(i)
	}
	for _, v := range then {
		c.at[v] = uint32(i)
	}
	start := len(f.Order)
	f.Order = append(append(append(f.Order, first...), then...), f.OrderOf(before)...)
	if len(then) != 0 {
		c.sort(f.Order[start+len(first):])
	}
	before.InstStart, before.InstEnd = uint32(start), uint32(len(f.Order))
	kept := slices.DeleteFunc(f.OrderOf(bd), func(v ssa.Value) bool { return c.at[v] == uint32(i) })
	bd.InstEnd = bd.InstStart + uint32(len(kept))
}

// last gives the place in the chain of the last block that makes an operand of v; -1: all are there when a round begins.
func (c *scheduler) last(v ssa.Value) int {
	last := -1
	for _, x := range c.operands(v) {
		if at := c.at[x]; at != inHeader {
			last = max(last, int(at)-1)
		}
	}
	return last
}
