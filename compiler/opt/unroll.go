package opt

import (
	"slices"

	"github.com/wasmaot/wasmaot/compiler/ssa"
)

// unroll repeats the bodies of short loops over memory, tests and all. What grows by the same amount in each round, such as the index
// of an element, is made once for all copies: in the others it is that and a constant, which forward makes the offset of
// an access. So nothing is assumed of how often a loop runs, and what is saved are additions, multiplications and moves.
//
// A loop is a chain of blocks from its header to the one that leads back, each with a way on and perhaps one out.
func unroll(f *ssa.Func, s *Scratch) {
	u := &s.unroll
	u.f, u.chains = f, u.chains[:0]
	for _, b := range f.RPO {
		u.find(b)
	}
	if len(u.chains) == 0 {
		return
	}
	u.mark()
	u.usedOutside(u.demand)
	changed := false
	for i := range u.chains {
		if c := &u.chains[i]; c.copies > 0 {
			u.number = uint32(i + 1)
			u.strides(c)
			changed = changed || c.copies > 0
		}
	}
	if changed {
		u.pass()
		u.usedOutside(u.rename)
		for i := range u.chains {
			if c := &u.chains[i]; c.copies > 0 {
				u.number = uint32(i + 1)
				u.repeat(c)
			}
		}
		f.Analyze(&s.Scratch)
	}
	u.f = nil
}

const (
	maxChain    = 6   // blocks of a loop
	maxEntries  = 16  // edges to its header
	maxRepeated = 48  // instructions of it
	maxUnrolled = 192 // instructions of it and its copies
	maxCopies   = 3
	maxDemands  = 8 // values of it that are used outside
)

// chain is a loop that may be unrolled.
type chain struct {
	blocks  [maxChain]ssa.Block
	n       int
	latch   ssa.Edge // leads back
	copies  int      // to be made; 0: the loop stays as it is
	demands []demand // values that are used behind the loop but by its edges
}

// demand is a value of a loop that is used in block to and what it dominates; edge is the only one that leads there.
type demand struct {
	v, param ssa.Value
	edge     ssa.Edge
}

// affine says of a value in a loop that each round adds the same to it.
type affine struct {
	known bool
	step  uint64
}

type unroller struct {
	f      *ssa.Func
	chains []chain
	at     []uint32    // by block: number of its chain + 1
	made   []uint32    // by value: number of the chain that it is made in + 1
	affine []affine    // by value
	copied []ssa.Value // by value: what stands for it in the copy at hand
	number uint32      // of the chain at hand + 1
	round  int         // number of that copy

	args, again, next []ssa.Value
}

// find notes the loop that block b leads back to.
func (u *unroller) find(b ssa.Block) {
	bd := &u.f.Blocks[b]
	if bd.Cold || bd.Header == ssa.NoBlock || bd.Kind != ssa.BlockJump && bd.Kind != ssa.BlockIf {
		return
	}
	c := chain{}
	if u.onlyLatch(&c, bd) && u.collect(&c, b, bd.Header) && u.leadsOnOnce(&c) {
		u.chains = append(u.chains, c)
	}
}

// onlyLatch reports whether a block leads back to its loop's header, and no other block does.
func (u *unroller) onlyLatch(c *chain, bd *ssa.BlockData) bool {
	f := u.f
	found := false
	for e := bd.SuccStart; e < bd.SuccEnd; e++ {
		if f.Edges[e].To == bd.Header {
			c.latch, found = ssa.Edge(e), true
		}
	}
	preds := f.PredsOf(&f.Blocks[bd.Header])
	if !found || len(preds) > maxEntries {
		return false
	}
	backward := 0
	for _, e := range preds {
		if f.Dominates(bd.Header, f.Edges[e].From) {
			backward++
		}
	}
	return backward == 1
}

// collect gathers the blocks from b up to the header, and reports whether they are short enough, have accesses and no calls.
func (u *unroller) collect(c *chain, b, header ssa.Block) bool {
	f := u.f
	size, accesses, carries := 0, 0, false
	for {
		bd := &f.Blocks[b]
		size += int(bd.InstEnd - bd.InstStart)
		if c.n == maxChain || size > maxRepeated || bd.Header != header || bd.Kind != ssa.BlockJump && bd.Kind != ssa.BlockIf {
			return false
		}
		for _, v := range f.OrderOf(bd) {
			switch f.Insts[v].Op {
			case ssa.OpCall, ssa.OpMemCopy, ssa.OpMemFill:
				return false
			case ssa.OpAddr:
				accesses++
			case ssa.OpShrU:
				carries = carries || looksLikeCarry(f, v)
			}
		}
		c.blocks[c.n] = b
		c.n++
		if b == header {
			break
		}
		preds := f.PredsOf(bd)
		if len(preds) != 1 || bd.ParamStart != bd.ParamEnd {
			return false
		}
		b = f.Edges[preds[0]].From
	}
	if carries && accesses == 3 && f.Module != nil && f.Module.Limbs {
		return false // see limbs
	}
	slices.Reverse(c.blocks[:c.n])
	c.copies = min(maxCopies, maxUnrolled/max(size, 1)-1)
	return accesses > 0
}

// looksLikeCarry reports whether v is the highest bit of what wide takes for carries and borrows.
func looksLikeCarry(f *ssa.Func, v ssa.Value) bool {
	in := &f.Insts[v]
	or := &f.Insts[in.A]
	c, ok := f.IsConst(ssa.Value(in.B))
	return ok && c == 63 && or.Op == ssa.OpOr && f.Insts[or.A].Op == ssa.OpAnd && f.Insts[or.B].Op == ssa.OpAnd
}

// leadsOnOnce reports whether each block has one way on, so that another one leads out.
func (u *unroller) leadsOnOnce(c *chain) bool {
	f := u.f
	for _, b := range c.blocks[:c.n] {
		on := 0
		for _, e := range f.SuccsOf(&f.Blocks[b]) {
			if f.Blocks[e.To].Header == c.blocks[0] {
				on++
			}
		}
		if on != 1 {
			return false
		}
	}
	return true
}

// mark notes which blocks and values belong to which loop.
func (u *unroller) mark() {
	f := u.f
	u.at, u.made = sized(u.at, len(f.Blocks)), sized(u.made, len(f.Insts))
	u.affine, u.copied = sized(u.affine, len(f.Insts)), sized(u.copied, len(f.Insts))
	for i := range u.chains {
		c := &u.chains[i]
		for _, b := range c.blocks[:c.n] {
			u.at[b] = uint32(i + 1)
			bd := &f.Blocks[b]
			for _, v := range f.ParamsOf(bd) {
				u.made[v] = uint32(i + 1)
			}
			for _, v := range f.OrderOf(bd) {
				u.made[v] = uint32(i + 1)
			}
		}
	}
}

// usedOutside calls a function for all uses of a loop's values outside of that loop.
func (u *unroller) usedOutside(do func(c *chain, v ssa.Value, b ssa.Block) ssa.Value) {
	f := u.f
	for _, b := range f.RPO {
		bd := &f.Blocks[b]
		use := func(v ssa.Value) ssa.Value {
			if int(v) < len(u.made) && u.made[v] != 0 && u.made[v] != u.at[b] {
				if c := &u.chains[u.made[v]-1]; c.copies > 0 {
					return do(c, v, b)
				}
			}
			return v
		}
		list := func(start, end uint32) {
			for i := start; i < end; i++ {
				f.Lists[i] = use(f.Lists[i])
			}
		}
		bd.Ctl = use(bd.Ctl)
		list(bd.RetStart, bd.RetEnd)
		for e := bd.SuccStart; e < bd.SuccEnd; e++ {
			list(f.Edges[e].ArgStart, f.Edges[e].ArgEnd)
		}
		for _, v := range f.OrderOf(bd) {
			in := &f.Insts[v]
			if in.Op == ssa.OpCall {
				list(f.Calls[in.A].ArgStart, f.Calls[in.A].ArgEnd)
				continue
			}
			uses := in.Op.Uses()
			if uses&1 != 0 {
				in.A = uint32(use(ssa.Value(in.A)))
			}
			if uses&2 != 0 {
				in.B = uint32(use(ssa.Value(in.B)))
			}
			if uses&4 != 0 {
				in.C = uint32(use(ssa.Value(in.C)))
			}
		}
	}
}

// demand notes that a value of c is used in block b: the edge through which all ways there lead has to bring it. Where there is no
// such edge the loop stays as it is.
func (u *unroller) demand(c *chain, v ssa.Value, b ssa.Block) ssa.Value {
	f := u.f
	for i := range c.demands {
		if d := &c.demands[i]; d.v == v && f.Dominates(f.Edges[d.edge].To, b) {
			return v
		}
	}
	for _, from := range c.blocks[:c.n] {
		bd := &f.Blocks[from]
		for e := bd.SuccStart; e < bd.SuccEnd; e++ {
			to := f.Edges[e].To
			if u.at[to] != u.at[from] && len(f.PredsOf(&f.Blocks[to])) == 1 && f.Dominates(to, b) && len(c.demands) < maxDemands {
				c.demands = append(c.demands, demand{v: v, edge: ssa.Edge(e)})
				return v
			}
		}
	}
	c.copies = 0
	return v
}

// pass has values that are demanded passed along their edges.
func (u *unroller) pass() {
	f := u.f
	for i := range u.chains {
		c := &u.chains[i]
		if c.copies == 0 {
			continue
		}
		for j := range c.demands {
			d := &c.demands[j]
			e := &f.Edges[d.edge]
			u.args = append(append(u.args[:0], f.ArgsOf(e)...), d.v)
			e.ArgStart, e.ArgEnd = f.AddList(u.args)
			to := &f.Blocks[e.To]
			d.param = f.NewValue(ssa.OpParam, f.Insts[d.v].Type, uint32(to.ParamEnd-to.ParamStart), 0, 0, 0)
			u.args = append(append(u.args[:0], f.ParamsOf(to)...), d.param)
			to.ParamStart, to.ParamEnd = f.AddList(u.args)
		}
	}
}

// rename gives what stands for a value of c in block b.
func (u *unroller) rename(c *chain, v ssa.Value, b ssa.Block) ssa.Value {
	for i := range c.demands {
		if d := &c.demands[i]; d.v == v && u.f.Dominates(u.f.Edges[d.edge].To, b) {
			return d.param
		}
	}
	return v
}

// strides finds out what each round adds to the values of c. If that is nothing for all addresses the loop stays as it is.
func (u *unroller) strides(c *chain) {
	f := u.f
	of := func(v uint32) affine {
		if int(v) >= len(u.made) || u.made[v] != u.number {
			return affine{known: true} // from outside
		}
		return u.affine[v]
	}
	again := f.ArgsOf(&f.Edges[c.latch])
	for i, p := range f.ParamsOf(&f.Blocks[c.blocks[0]]) {
		u.affine[p] = affine{}
		if again[i] == p {
			u.affine[p] = affine{known: true}
			continue
		}
		if next := &f.Insts[again[i]]; next.Op == ssa.OpAdd && ssa.Value(next.A) == p {
			if step, ok := f.IsConst(ssa.Value(next.B)); ok {
				u.affine[p] = affine{true, step}
			}
		}
	}
	moving := false
	for _, b := range c.blocks[:c.n] {
		for _, v := range f.OrderOf(&f.Blocks[b]) {
			in := &f.Insts[v]
			a := affine{}
			switch in.Op {
			case ssa.OpAdd, ssa.OpSub:
				x, y := of(in.A), of(in.B)
				if a.known = x.known && y.known; in.Op == ssa.OpSub {
					y.step = -y.step
				}
				a.step = x.step + y.step
			case ssa.OpMul, ssa.OpShl:
				by, ok := f.IsConst(ssa.Value(in.B))
				if in.Op == ssa.OpShl {
					by = 1 << (by % (8 * uint64(in.Type.Size())))
				}
				a = of(in.A)
				a.known = a.known && (ok || a.step == 0 && of(in.B) == affine{known: true})
				a.step *= by
			case ssa.OpWrap:
				a = of(in.A)
			case ssa.OpAddr:
				x := of(in.A)
				moving = moving || x.known && x.step != 0
			}
			if !a.known {
				a.step = 0
			}
			u.affine[v] = a
		}
	}
	if !moving {
		c.copies = 0
	}
}

// repeat makes the copies.
func (u *unroller) repeat(c *chain) {
	f := u.f
	header, latch := c.blocks[0], c.latch
	params := f.ParamsOf(&f.Blocks[header])
	u.again = append(u.again[:0], f.ArgsOf(&f.Edges[latch])...)
	u.next = append(u.next[:0], u.again...)
	for u.round = 1; u.round <= c.copies; u.round++ {
		for _, b := range c.blocks[:c.n] {
			for _, v := range f.OrderOf(&f.Blocks[b]) {
				u.copied[v] = 0
			}
		}
		for i, p := range params {
			u.copied[p] = 0
			if !u.affine[p].known {
				u.copied[p] = u.next[i]
			}
		}
		e := &f.Edges[latch]
		e.To, e.ArgStart, e.ArgEnd = ssa.Block(len(f.Blocks)), 0, 0
		for i := range c.n {
			latch = u.copyBlock(c, i)
		}
	}
	e := &f.Edges[latch]
	e.To = header
	e.ArgStart, e.ArgEnd = f.AddList(u.next)
}

// copyBlock copies block i of the chain. It gives the edge that leads on, and puts into u.next what the header's parameters are in
// the next round.
func (u *unroller) copyBlock(c *chain, i int) (on ssa.Edge) {
	f := u.f
	from := f.AddBlock()
	old := f.Blocks[c.blocks[i]]
	bd := ssa.BlockData{Kind: old.Kind, Pos: old.Pos, Idom: ssa.NoBlock, Header: ssa.NoBlock, InstStart: uint32(len(f.Order))}
	for at := old.InstStart; at < old.InstEnd; at++ {
		if v := f.Order[at]; !u.affine[v].known {
			u.copyInst(v)
		}
	}
	if old.Kind == ssa.BlockIf {
		bd.Ctl = u.value(old.Ctl)
	}
	edges := [2]ssa.EdgeData{}
	n := old.SuccEnd - old.SuccStart
	for k := range n {
		e := f.Edges[old.SuccStart+k]
		e.From = from
		if ssa.Edge(old.SuccStart+k) == c.latch || i < c.n-1 && e.To == c.blocks[i+1] {
			on = ssa.Edge(uint32(len(f.Edges)) + k)
			e.To, e.ArgStart, e.ArgEnd = from+1, 0, 0
		} else {
			u.args = append(u.args[:0], f.ArgsOf(&e)...)
			u.values(u.args)
			e.ArgStart, e.ArgEnd = f.AddList(u.args)
		}
		edges[k] = e
	}
	if i == c.n-1 {
		u.next = append(u.next[:0], u.again...)
		u.values(u.next)
	}
	bd.InstEnd = uint32(len(f.Order))
	bd.SuccStart = uint32(len(f.Edges))
	f.Edges = append(f.Edges, edges[:n]...)
	bd.SuccEnd = uint32(len(f.Edges))
	f.Blocks[from] = bd
	return on
}

func (u *unroller) copyInst(v ssa.Value) {
	f := u.f
	in := f.Insts[v]
	uses := in.Op.Uses()
	for i, x := range in.Operands() {
		if uses>>i&1 != 0 {
			*x = uint32(u.value(ssa.Value(*x)))
		}
	}
	w := f.NewValue(in.Op, in.Type, in.A, in.B, in.C, f.Pos[v])
	f.Insts[w].Flags = in.Flags
	f.Order = append(f.Order, w)
	u.copied[v] = w
}

func (u *unroller) values(vs []ssa.Value) {
	for i, v := range vs {
		vs[i] = u.value(v)
	}
}

// value gives what stands for v in the copy at hand.
func (u *unroller) value(v ssa.Value) ssa.Value {
	f := u.f
	if int(v) >= len(u.made) || u.made[v] != u.number {
		return v
	}
	a := u.affine[v]
	switch {
	case u.copied[v] != 0:
		return u.copied[v]
	case !a.known || a.step == 0:
		return v
	}
	t := f.Insts[v].Type
	by := f.Const(t, a.step*uint64(u.round))
	w := f.NewValue(ssa.OpAdd, t, uint32(v), uint32(by), 0, f.Pos[v])
	f.Order = append(f.Order, w)
	u.copied[v] = w
	return w
}
