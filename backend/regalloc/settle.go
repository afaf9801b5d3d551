package regalloc

import "slices"

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
	chosen := &a.chosen
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
		a.leaveFixed(chosen, &taken)
	}
	for round := range settleRounds {
		for i := range a.cands {
			c := &a.cands[i]
			if c.param == 0 || c.settled {
				continue
			}
			x := &a.vals[c.v]
			if r := a.paramReg(c, x, a.args(edge)[c.param-1], a.banks[x.bank()]&^taken, round); r != noRank {
				c.settled = true
				give(c.v, r)
			}
		}
	}
	for i := range a.cands {
		c := &a.cands[i]
		if x := &a.vals[c.v]; c.param == 0 && x.in == 0 {
			give(c.v, a.choose(c.v, a.banks[x.bank()]&^taken))
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
			a.settledIn(c.v, x.last-1)
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

// settleRounds is the number of rounds in which parameters get registers.
const settleRounds = 3

// paramReg chooses a parameter's register. In the first round it is that of the template's
// argument, if it ends here, unless the loop needs that for something else; in the second,
// the one most predecessors have it in; then any. Rounds keep one that has no wish from taking what
// another could have without a move.
func (a *Allocator) paramReg(c *candidate, x *value, arg VReg, free RegSet, round int) rank {
	switch round {
	case 0:
		in := a.vals[arg].in & free
		if good := in &^ a.avoid; good != 0 {
			return good.lowest()
		}
		if in != 0 && free&^a.avoid == 0 {
			return in.lowest()
		}
		return noRank
	case 1:
		if t := &a.ballots[c.param-1]; t.votes > 0 && free.has(t.reg) && !a.avoid.has(t.reg) {
			return t.reg
		}
		if p := a.preferred(c.v); p != 0 && free.has(p-1) {
			return p - 1
		}
		if h := x.hint - 1; x.hint != 0 && free.has(h) {
			return h
		}
		return noRank
	}
	return a.choose(c.v, free)
}
