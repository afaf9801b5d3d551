package regalloc

import "math/bits"

func (s RegSet) lowest() rank       { return rank(bits.TrailingZeros64(uint64(s))) }
func (s RegSet) count() int         { return bits.OnesCount64(uint64(s)) }
func (s RegSet) has(r rank) bool    { return s>>r&1 != 0 }
func bit(r rank) RegSet             { return 1 << r }
func (a *Allocator) loc(r rank) Loc { return Loc{LocReg, uint32(a.regOf[r])} }

// put notes that register r, which is free, holds v now.
func (a *Allocator) put(v VReg, r rank) {
	x := &a.vals[v]
	x.in |= bit(r)
	x.last = r + 1
	a.regs[r] = v
	a.used |= bit(r)
}

// take frees a register. Its value may be elsewhere or dead.
func (a *Allocator) take(r rank) {
	a.vals[a.regs[r]].in &^= bit(r)
	a.used &^= bit(r)
}

// release frees all registers of a value.
func (a *Allocator) release(x *value) {
	a.used &^= x.in
	x.in = 0
}

// clearState forgets what is in the registers.
func (a *Allocator) clearState() {
	for s := a.used; s != 0; s &= s - 1 {
		a.vals[a.regs[s.lowest()]].in = 0
	}
	a.used = 0
}

// spill gives a value its slot. Where it is stored is decided at the end.
func (a *Allocator) spill(v VReg) {
	x := &a.vals[v]
	if x.flags&(isRemat|isIncoming|isSpilled) != 0 {
		return
	}
	x.flags |= isSpilled
	a.frame.any = true
	if b := x.block; b != none {
		a.blocks[b].slots = true
	}
}

// drop frees register r; a value that lives on and is nowhere else is spilled.
func (a *Allocator) drop(r rank) {
	v := a.regs[r]
	a.take(r)
	if x := &a.vals[v]; x.in == 0 && x.next != dead {
		a.spill(v)
	}
}

// distant rates the value in a register for eviction: the higher, the better.
func (a *Allocator) distant(r rank) uint32 {
	x := &a.vals[a.regs[r]]
	switch {
	case x.in&(x.in-1) != 0:
		return none // in another register as well
	case x.next == dead:
		return none
	}
	next := x.next
	if next > a.call {
		next += callDist
	}
	if x.backed() {
		// No store is needed for it.
		next += (next - min(next, a.pos)) / 2
	}
	return next
}

// farthest finds the register of a set of used ones whose value is needed last.
func (a *Allocator) farthest(set RegSet) (rank, uint32) {
	best, dist := noRank, uint32(0)
	for ; set != 0; set &= set - 1 {
		r := set.lowest()
		if d := a.distant(r); d >= dist {
			best, dist = r, d
		}
	}
	return best, dist
}

// choose picks the register for a value from a set of free ones.
func (a *Allocator) choose(v VReg, free RegSet) rank {
	x := &a.vals[v]
	if h := x.hint - 1; x.hint != 0 && free.has(h) {
		return h
	}
	if p := a.preferred(v); p != 0 && free.has(p-1) {
		return p - 1
	}
	if x.next == dead && a.atSwitch() {
		// A temporary of a switch: the registers that parameters like are for constants.
		r := rank(63 - bits.LeadingZeros64(uint64(free)))
		a.named |= bit(r)
		return r
	}
	good := free
	if a.fixPos < x.next {
		good &^= a.fixMask
	}
	if good == 0 {
		good = free
	}
	if x.flags&isLinked != 0 || x.next >= a.f.Blocks[a.block].End {
		// It lives on, or others of its family do.
		if g := good &^ a.avoid; g != 0 {
			good = g
		}
		if g := good &^ a.named; g != 0 {
			good = g
		}
	}
	if h := x.last - 1; x.last != 0 && good.has(h) {
		return h
	}
	return good.lowest()
}

// atSwitch reports whether the walk is at the end of a block with many successors.
func (a *Allocator) atSwitch() bool {
	b := &a.f.Blocks[a.block]
	return a.pos == b.End-1 && b.SuccEnd-b.SuccStart >= wideSwitch
}

// memory is where to get a value from that is in no register, for the reader at the end or
// within block b.
func (a *Allocator) memory(v VReg, b uint32) Loc {
	x := &a.vals[v]
	switch {
	case x.flags&isRemat != 0:
		return Loc{LocRemat, uint32(v)}
	case x.flags&isIncoming != 0:
		return Loc{LocIncoming, a.f.VRegs[v].Slot}
	case x.flags&isSpilled == 0:
		a.fail("v%d is in no place in block %d: its definition does not dominate its uses", v, b)
		return Loc{}
	}
	a.need(v, b)
	return Loc{LocSlot, uint32(v)} // the slot is known at the end
}

func (a *Allocator) class(v VReg) Class { return a.f.VRegs[v].Class }

// moveBefore appends a move before the current instruction.
func (a *Allocator) moveBefore(src, dst Loc, v VReg) {
	a.moves = append(a.moves, Move{Src: src, Dst: dst, V: v, Class: a.class(v)})
	a.before = extend(a.before, a.pos, len(a.moves))
}

// extend adds the last move to the list at the end of lists if that is of at, else to a new one.
func extend(lists []MoveList, at uint32, moves int) []MoveList {
	if n := len(lists); n > 0 && lists[n-1].At == at {
		lists[n-1].End = uint32(moves)
		return lists
	}
	return append(lists, MoveList{At: at, Start: uint32(moves - 1), End: uint32(moves)})
}
