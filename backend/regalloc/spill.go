package regalloc

import (
	"cmp"
	"slices"
)

// spillPoint is a place where a value is stored into its slot: before instruction at, which
// is in block, out of register r.
type spillPoint struct {
	at    uint32
	v     VReg
	block uint32
	r     rank
}

// domSteps bounds the search for a good place for one store, so that long chains of
// dominators cannot make it quadratic; the definition is always good enough.
const domSteps = 64

// need notes that the slot of v is read in block b or at its end. The store must dominate
// all reads; only the closest block that does is remembered.
//
// A read in a cold region has a store of its own at the entry of the region, if the value
// is in a register there: the way around it pays nothing.
func (a *Allocator) need(v VReg, b uint32) {
	l, home := &a.lives[v], a.vals[v].block
	if l.need == b || l.need == home {
		return
	}
	if home == b || a.vals[v].flags&isHomed != 0 {
		l.need = home
		return
	}
	if c := a.blocks[b].cold; c != none && a.blocks[home].cold != c {
		if r := a.startReg(c, v); r != noRank {
			s := spillPoint{a.f.Blocks[c].Start, v, c, r}
			if n := len(a.rescues); n == 0 || a.rescues[n-1] != s {
				a.rescues = append(a.rescues, s)
			}
			return
		}
		b = c
	}
	if l.need == none {
		l.need = b
		return
	}
	a.dominators()
	for n := 0; !a.dominates(l.need, b); n++ {
		if l.need = a.f.Blocks[l.need].Idom; n > domSteps {
			l.need = home
		}
	}
}

// startReg finds the register that holds v at the start of block b.
func (a *Allocator) startReg(b uint32, v VReg) rank {
	info := &a.blocks[b]
	at := info.start
	for s := info.startMask; s != 0; s &= s - 1 {
		if a.states[at] == v {
			return s.lowest()
		}
		at++
	}
	return noRank
}

// dominators numbers the dominator tree so that each subtree is an interval. A
// block's immediate dominator comes before it.
func (a *Allocator) dominators() {
	if a.domReady {
		return
	}
	a.domReady = true
	blocks := a.f.Blocks
	a.domSize = grown(a.domSize, len(blocks))
	a.domPre = grown(a.domPre, len(blocks))
	a.domNext = grown(a.domNext, len(blocks))
	for b := range blocks {
		a.domSize[b] = 1
	}
	for b := len(blocks) - 1; b > 0; b-- {
		a.domSize[blocks[b].Idom] += a.domSize[b]
	}
	a.domPre[0], a.domNext[0] = 0, 1
	for b := 1; b < len(blocks); b++ {
		next := &a.domNext[blocks[b].Idom]
		a.domPre[b] = *next
		a.domNext[b] = *next + 1
		*next += a.domSize[b]
	}
}

func (a *Allocator) dominates(b, c uint32) bool {
	return a.domPre[c]-a.domPre[b] < a.domSize[b]
}

// placeSpills decides where each spilled value is stored.
func (a *Allocator) placeSpills() {
	for v := 1; v < len(a.vals); v++ {
		x, l := &a.vals[v], &a.lives[v]
		if x.flags&isSpilled == 0 || x.def == 0 || l.need == none && x.flags&isHomed == 0 {
			continue // not spilled, written by edges, or never read but in cold regions
		}
		s := a.placeSpill(VReg(v), x, l)
		l.need = s.block
		a.spills = append(a.spills, s)
	}
	slices.SortFunc(a.rescues, compareSpills)
	a.rescues = slices.Compact(a.rescues)
	for _, s := range a.rescues {
		if n := a.lives[s.v].need; a.vals[s.v].def == 0 || n != none && a.stored(n, s.block) {
			continue
		}
		a.spills = append(a.spills, s)
	}
	slices.SortFunc(a.spills, compareSpills)
}

// stored reports whether a store in block b, at its start or at the value's definition,
// serves block c as well.
func (a *Allocator) stored(b, c uint32) bool {
	a.dominators()
	return a.dominates(b, c)
}

func compareSpills(x, y spillPoint) int {
	return cmp.Or(cmp.Compare(x.at, y.at), cmp.Compare(x.v, y.v))
}

// placeSpill finds the cheapest place for a store that dominates all reads: after the
// definition, or at the start of a block where the value is in a register.
func (a *Allocator) placeSpill(v VReg, x *value, l *life) spillPoint {
	best := spillPoint{v: v, block: x.block, at: l.inst, r: x.def - 1}
	if x.flags&isParam == 0 {
		best.at++
	}
	if x.flags&isHomed != 0 {
		return best
	}
	cost := a.cost(x.block) + 1 // among equals the last is executed least often
	b := l.need
	for n := 0; b != x.block && n < domSteps; n++ {
		if c := a.cost(b); c < cost {
			if r := a.startReg(b, v); r != noRank {
				best, cost = spillPoint{a.f.Blocks[b].Start, v, b, r}, c
			}
		}
		b = a.f.Blocks[b].Idom
	}
	return best
}

// cost orders blocks by how often they are executed.
func (a *Allocator) cost(b uint32) int {
	if a.f.Blocks[b].Cold {
		return 0
	}
	return 1 + int(a.f.Blocks[b].Depth)
}
