package regalloc

import "slices"

// candidate is a value that may start a block in a register.
type candidate struct {
	v     VReg
	dist  uint32
	param uint32 // index + 1 of a parameter
}

// Between predecessors that have a value in a register and others that have it in memory only, a
// next use this near decides for the register.
const nearDist = 64

// walk allocates block bi.
func (a *Allocator) walk(bi uint32) {
	f := a.f
	b := &f.Blocks[bi]
	info := &a.blocks[bi]
	a.pos = b.Start
	a.nextCall(b.End)
	a.nextFix(b.End)
	a.avoid = 0
	if b.LoopHeader != none {
		a.avoid = a.loops[b.LoopHeader].fixed
	}
	info.cold = none
	if b.Cold {
		info.cold = bi
		if b.Idom != none && f.Blocks[b.Idom].Cold {
			info.cold = a.blocks[b.Idom].cold
		}
	}
	switch preds := f.Preds[b.PredStart:b.PredEnd]; {
	case len(preds) == 1 && f.Edges[preds[0]].From < bi && b.ParamStart == b.ParamEnd:
		a.inherit(f.Edges[preds[0]].From, bi, b)
	case len(preds) > 0:
		a.merge(bi, b, preds)
	default:
		a.clearState()
		a.block = bi
	}
	info.start = uint32(len(a.states))
	info.startMask = a.saveState()
	for i := b.Start; i < b.End && a.err == nil; i++ {
		a.inst(i)
	}
	info.end = uint32(len(a.states))
	info.endMask = a.saveState()
	a.hintSuccs(bi, b)
}

// saveState appends the values in registers to the states.
func (a *Allocator) saveState() RegSet {
	for s := a.used; s != 0; s &= s - 1 {
		a.states = append(a.states, a.regs[s.lowest()])
	}
	return a.used
}

// restore makes the end of block p the current state.
func (a *Allocator) restore(p uint32) {
	a.clearState()
	at := a.blocks[p].end
	for s := a.blocks[p].endMask; s != 0; s &= s - 1 {
		r := s.lowest()
		v := a.states[at]
		at++
		a.regs[r] = v
		a.vals[v].in |= bit(r)
	}
	a.used = a.blocks[p].endMask
	a.block = p
}

// stampOf marks values live into a block; those of the passes before are lower.
func (a *Allocator) stampOf(bi uint32) uint32 { return uint32(2*len(a.f.Blocks)) + bi + 1 }

// enterLive sets the next uses of what is live into the block.
func (a *Allocator) enterLive(bi uint32, b *Block) []liveIn {
	live := a.liveInto(bi)
	stamp := a.stampOf(bi)
	for i := range live {
		x := &a.vals[live[i].v&vregMask]
		x.next, x.stamp = b.Start+live[i].dist, stamp
	}
	return live
}

// inherit starts a block in the state at the end of its only predecessor.
func (a *Allocator) inherit(p, bi uint32, b *Block) {
	if a.block != p {
		a.restore(p)
	}
	a.enterLive(bi, b)
	stamp := a.stampOf(bi)
	for s := a.used; s != 0; s &= s - 1 {
		r := s.lowest()
		if a.vals[a.regs[r]].stamp != stamp {
			a.take(r)
		}
	}
	a.block = bi
}

// merge starts a block with several predecessors, some perhaps not allocated yet. The
// state is that at the end of one of them, the template, less what is not worth its
// register, more the parameters and what a loop uses. Edges from the others make up for the difference.
func (a *Allocator) merge(bi uint32, b *Block, preds []uint32) {
	template := a.template(bi, preds)
	if template == none {
		a.fail("block %d comes before all of its predecessors", bi)
		return
	}
	tb := &a.f.Blocks[template]
	critical := tb.SuccEnd-tb.SuccStart > 1
	a.restore(template)
	live := a.enterLive(bi, b)
	hot := a.countPreds(bi, b, preds, template)
	isLoop := b.LoopHeader == bi
	room := a.roomAround(bi, b, live)

	a.cands = a.cands[:0]
	for i := range live {
		v := VReg(live[i].v & vregMask)
		x := &a.vals[v]
		used := live[i].v&usedInLoop != 0
		if a.wanted(x, live[i].dist, hot, isLoop, used, critical, &room) {
			a.cands = append(a.cands, candidate{v: v, dist: live[i].dist})
		}
	}
	for k, p := range a.params(b) {
		a.vals[p].next = dead
		if dist := a.paramDist[b.ParamStart+uint32(k)]; dist != dead {
			a.vals[p].next = b.Start + dist
			a.cands = append(a.cands, candidate{v: p, dist: dist, param: uint32(k + 1)})
		}
	}
	a.limit()
	edge := a.templateEdge(preds, template)
	a.settle(bi, b, edge)
	for i := range live {
		v := VReg(live[i].v & vregMask)
		if a.vals[v].in == 0 {
			a.spill(v)
		}
	}
	for k, p := range a.params(b) {
		if a.vals[p].in == 0 && a.paramDist[b.ParamStart+uint32(k)] != dead {
			a.spill(p) // written to its slot by the edges
		}
	}
	a.hintBackEdges(bi, b, preds)
}

// template chooses the predecessor whose end state the block starts in, among those
// allocated: not a cold one; better one with several successors, since moves on its
// edge would need a block of their own; better one in a deeper loop.
func (a *Allocator) template(bi uint32, preds []uint32) uint32 {
	best, score := none, -1
	for _, e := range preds {
		p := a.f.Edges[e].From
		if p >= bi {
			continue
		}
		b := &a.f.Blocks[p]
		s := int(b.Depth)
		if !b.Cold {
			s += 1 << 10
		}
		if b.SuccEnd-b.SuccStart > 1 {
			s += 1 << 9
		}
		if s > score {
			best, score = p, s
		}
	}
	return best
}

func (a *Allocator) templateEdge(preds []uint32, template uint32) *Edge {
	for _, e := range preds {
		if a.f.Edges[e].From == template {
			return &a.f.Edges[e]
		}
	}
	return nil
}

// countPreds counts for every live value the predecessors that have it in a register, and
// the predecessors; cold ones count only if the block is cold itself.
func (a *Allocator) countPreds(bi uint32, b *Block, preds []uint32, template uint32) uint16 {
	n := uint16(0)
	for _, v := range a.live[a.liveStart(bi):a.blocks[bi].live] {
		a.vals[v.v&vregMask].count = 0
		a.lives[v.v&vregMask].mark = 0
	}
	for k, e := range preds {
		p := a.f.Edges[e].From
		if p >= bi || n == 1<<15 || a.f.Blocks[p].Cold && !b.Cold && p != template {
			continue
		}
		n++
		at := a.blocks[p].end
		for range a.blocks[p].endMask.count() {
			v := a.states[at]
			at++
			if l := &a.lives[v]; l.mark != uint32(k+1) {
				l.mark = uint32(k + 1)
				a.vals[v].count++
			}
		}
	}
	return n
}

// roomAround tells how many registers of each bank values may keep that are live around the
// loop but not used in it. What the loop needs itself has precedence.
func (a *Allocator) roomAround(bi uint32, b *Block, live []liveIn) (room [2]int) {
	if b.LoopHeader != bi {
		return
	}
	l := &a.loops[bi]
	if l.call {
		return
	}
	var through [2]int
	for i := range live {
		x := &a.vals[live[i].v&vregMask]
		if live[i].v&usedInLoop == 0 && x.flags&isRemat == 0 {
			through[x.bank()]++
		}
	}
	for bank := range room {
		room[bank] = max(0, a.banks[bank].count()-int(l.press[bank])+through[bank])
	}
	return room
}

// wanted decides whether a live-in value starts the block in a register.
func (a *Allocator) wanted(x *value, dist uint32, hot uint16, isLoop, used, critical bool, room *[2]int) bool {
	if isLoop {
		if !used {
			if x.in == 0 || room[x.bank()] == 0 {
				return false
			}
			room[x.bank()]--
			return true
		}
		return dist < callDist
	}
	if !x.backed() {
		return true
	}
	if dist >= callDist {
		return false
	}
	if x.count >= hot {
		return true
	}
	if x.in == 0 && (critical || x.flags&isRemat != 0) {
		return false // do not put a load on an edge that needs a block for it
	}
	return dist < nearDist && 2*x.count >= hot
}

// limit drops the farthest candidates if there are more than registers.
func (a *Allocator) limit() {
	var n [2]int
	for i := range a.cands {
		n[a.vals[a.cands[i].v].bank()]++
	}
	if n[0] <= a.banks[0].count() && n[1] <= a.banks[1].count() {
		return
	}
	slices.SortStableFunc(a.cands, func(x, y candidate) int { return int(x.dist) - int(y.dist) })
	n = [2]int{}
	kept := a.cands[:0]
	for _, c := range a.cands {
		bank := a.vals[c.v].bank()
		if n[bank] < a.banks[bank].count() {
			n[bank]++
			kept = append(kept, c)
		}
	}
	a.cands = kept
}

// settle gives registers to the candidates: first to those which are in one in the template's
// state, then to parameters, then to values that edges will load.
func (a *Allocator) settle(bi uint32, b *Block, edge *Edge) {
	old := a.used
	a.used = 0
	a.block = bi
	// While registers are handed out, in still tells the template's state: chosen ones
	// are collected apart.
	var chosen [64]VReg
	var taken RegSet
	give := func(v VReg, r rank) {
		chosen[r] = v
		taken |= bit(r)
	}
	for i := range a.cands {
		c := &a.cands[i]
		if x := &a.vals[c.v]; c.param == 0 && x.in != 0 {
			in := x.in
			if good := in &^ a.avoid; good != 0 {
				in = good
			}
			give(c.v, in.lowest())
		}
	}
	if b.LoopHeader == bi {
		a.leaveFixed(&chosen, &taken)
	}
	for i := range a.cands {
		c := &a.cands[i]
		if c.param == 0 {
			continue
		}
		free := a.banks[a.vals[c.v].bank()] &^ taken
		give(c.v, a.paramReg(c.v, a.args(edge)[c.param-1], free))
	}
	for i := range a.cands {
		c := &a.cands[i]
		if x := &a.vals[c.v]; c.param == 0 && x.in == 0 {
			give(c.v, a.choose(x, a.banks[x.bank()]&^taken))
		}
	}
	for s := old; s != 0; s &= s - 1 {
		a.vals[a.regs[s.lowest()]].in = 0
	}
	for s := taken; s != 0; s &= s - 1 {
		r := s.lowest()
		a.put(chosen[r], r)
	}
	for i := range a.cands {
		c := &a.cands[i]
		x := &a.vals[c.v]
		if c.param != 0 {
			x.def = x.last
		}
	}
}

// leaveFixed moves values out of registers that instructions of the loop name, once
// before the loop instead of time and again in it.
func (a *Allocator) leaveFixed(chosen *[64]VReg, taken *RegSet) {
	for s := *taken & a.avoid; s != 0; s &= s - 1 {
		r := s.lowest()
		x := &a.vals[chosen[r]]
		if free := a.banks[x.bank()] &^ (*taken | a.avoid); free != 0 && x.hint != r+1 {
			*taken = *taken&^bit(r) | bit(free.lowest())
			chosen[free.lowest()] = chosen[r]
		}
	}
}

// paramReg chooses a parameter's register: that of the template's argument, if it ends
// here, unless the loop needs it for something else.
func (a *Allocator) paramReg(p, arg VReg, free RegSet) rank {
	x, y := &a.vals[p], &a.vals[arg]
	in := y.in & free
	if good := in &^ a.avoid; good != 0 {
		return good.lowest()
	}
	if in != 0 && free&^a.avoid == 0 {
		return in.lowest()
	}
	return a.choose(x, free)
}

// hintSuccs tells parameters of blocks to come, and the arguments of their other edges, where
// this block has its arguments.
func (a *Allocator) hintSuccs(bi uint32, b *Block) {
	f := a.f
	if b.Cold {
		return
	}
	succs := a.succs(b)
	for e := range succs {
		to := succs[e].To
		if to <= bi {
			continue
		}
		t := &f.Blocks[to]
		params := a.params(t)
		for k, v := range a.args(&succs[e]) {
			x := &a.vals[params[k]]
			if in := a.vals[v].in; in != 0 && x.hint == 0 {
				x.hint = in.lowest() + 1
				a.hintArgs(bi, t, k, x.hint)
			}
		}
	}
}

// hintArgs asks for register hint-1 for the arguments of parameter k that are defined
// after block bi.
func (a *Allocator) hintArgs(bi uint32, t *Block, k int, hint rank) {
	for _, e := range a.f.Preds[t.PredStart:t.PredEnd] {
		if ed := &a.f.Edges[e]; ed.From > bi {
			a.hintChain(bi, a.args(ed)[k], hint)
		}
	}
}

// hintChain asks for a register for v and for what shares its register, if they are
// defined after block bi.
func (a *Allocator) hintChain(bi uint32, v VReg, hint rank) {
	for range 4 {
		x := &a.vals[v]
		if x.block == none || x.block < bi || x.flags&isIncoming != 0 {
			return
		}
		x.hint = hint
		if x.flags&isParam != 0 {
			return
		}
		in := &a.f.Insts[a.lives[v].inst]
		ops := a.f.Ops[in.OpStart:in.OpEnd]
		d, s := sharing(ops, in.Move)
		if s >= len(ops) || ops[d].V != v || ops[s].Kind >= Def || ops[s].Con == Fixed {
			return
		}
		if a.nextUse[int(in.OpStart)+s] != dead {
			return
		}
		v = ops[s].V
	}
}

// hintBackEdges asks for the parameters' registers for the arguments of edges that come later.
func (a *Allocator) hintBackEdges(bi uint32, b *Block, preds []uint32) {
	params := a.params(b)
	for _, e := range preds {
		ed := &a.f.Edges[e]
		if ed.From < bi {
			continue
		}
		for k, v := range a.args(ed) {
			if r := a.vals[params[k]].in; r != 0 {
				a.hintChain(bi, v, r.lowest()+1)
			}
		}
	}
}
