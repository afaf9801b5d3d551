package regalloc

// candidate is a value that may start a block in a register.
type candidate struct {
	v       VReg
	dist    uint32
	param   uint32 // index + 1 of a parameter
	settled bool
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
	if b.SuccEnd-b.SuccStart >= wideSwitch {
		a.named |= a.operandRegs(b.End - 1)
	}
	info.end = uint32(len(a.states))
	info.endMask = a.saveState()
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
	hot, complete := a.surveyPreds(bi, b, preds, template)
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
			if t := &a.ballots[k]; complete && t.regs == 0 && t.memory > 0 {
				continue // it stays in memory until it is used
			}
			a.cands = append(a.cands, candidate{v: p, dist: dist, param: uint32(k + 1)})
		}
	}
	a.limit()
	a.settle(bi, b, a.templateEdge(preds, template))
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

// surveyPreds counts for every live value the predecessors that have it in a register, and for
// every parameter those that have its argument in a register, and in which, or in memory. It returns
// the number of predecessors and whether all have been allocated. Cold ones count only if the
// block is cold itself.
func (a *Allocator) surveyPreds(bi uint32, b *Block, preds []uint32, template uint32) (n uint16, complete bool) {
	for _, v := range a.liveInto(bi) {
		a.vals[v.v&vregMask].count = 0
	}
	a.ballots = grown(a.ballots, int(b.ParamEnd-b.ParamStart))
	clear(a.ballots)
	complete = true
	for _, e := range preds {
		ed := &a.f.Edges[e]
		p := ed.From
		complete = complete && p < bi
		if p >= bi || n == 1<<15 || a.f.Blocks[p].Cold && !b.Cold && p != template {
			continue
		}
		n++
		a.visits++
		at := a.blocks[p].end
		for s := a.blocks[p].endMask; s != 0; s &= s - 1 {
			v := a.states[at]
			at++
			if l := &a.lives[v]; l.mark != a.visits {
				l.mark, l.reg = a.visits, s.lowest()
				a.vals[v].count++
			}
		}
		for k, v := range a.args(ed) {
			if l := &a.lives[v]; l.mark == a.visits {
				a.ballots[k].vote(l.reg)
			} else if a.vals[v].flags&isRemat == 0 {
				a.ballots[k].memory++
			}
		}
	}
	return n, complete
}

// ballot is what predecessors say about a parameter.
type ballot struct {
	reg    rank   // where most have the argument, by majority vote
	votes  uint16 // for reg
	regs   uint16 // predecessors that have it in a register
	memory uint16 // in memory only
}

func (t *ballot) vote(r rank) {
	t.regs++
	switch {
	case t.votes == 0:
		t.reg, t.votes = r, 1
	case t.reg == r:
		t.votes++
	default:
		t.votes--
	}
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
			if x.in == 0 || room[x.bank()] <= 0 {
				return false
			}
			room[x.bank()]--
			return true
		}
		if x.flags&isRemat != 0 {
			room[x.bank()]--
			return room[x.bank()] >= 0
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
