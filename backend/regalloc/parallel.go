package regalloc

import "github.com/wasmaot/wasmaot/internal/mutant"

// pmove is one of the moves that happen at once. Places are numbered: registers by rank,
// then units of 8 bytes of the frame.
type pmove struct {
	dst  uint32
	v    VReg
	from Loc // LocReg: N is a place; others are read only
	done bool
}

const firstUnit = 64 // place of the frame's first unit

// parallel puts moves that happen at once into an order. Its tables are all zero
// between uses.
type parallel struct {
	readers []uint32 // moves not made yet that read a place
	writer  []uint32 // the move that writes a place, index + 1
	ready   []uint32
}

// sequence orders moves with distinct destinations and hands each to emit; a swap exchanges
// two places. Moves into places that no one reads any more go first; what remains are cycles.
func (a *Allocator) sequence(moves []pmove, emit func(a *Allocator, dst, src Loc, v VReg, swap bool)) {
	if len(moves) == 1 {
		if m := &moves[0]; m.from != (Loc{LocReg, m.dst}) {
			emit(a, a.placeLoc(m.dst), a.fromLoc(m.from), m.v, false)
		}
		return
	}
	p := &a.par
	p.ready = p.ready[:0]
	p.readers = lengthen(p.readers, int(firstUnit+a.frame.units))
	p.writer = lengthen(p.writer, int(firstUnit+a.frame.units))
	for k := range moves {
		m := &moves[k]
		if m.done = m.from == (Loc{LocReg, m.dst}); m.done {
			continue
		}
		p.writer[m.dst] = uint32(k + 1)
		if m.from.Kind == LocReg {
			p.readers[m.from.N]++
		}
	}
	for k := range moves {
		if m := &moves[k]; !m.done && p.readers[m.dst] == 0 {
			p.ready = append(p.ready, uint32(k))
		}
	}
	for len(p.ready) > 0 {
		m := &moves[p.ready[len(p.ready)-1]]
		p.ready = p.ready[:len(p.ready)-1]
		m.done = true
		emit(a, a.placeLoc(m.dst), a.fromLoc(m.from), m.v, false)
		if m.from.Kind != LocReg {
			continue
		}
		if p.readers[m.from.N]--; p.readers[m.from.N] == 0 {
			if k := p.writer[m.from.N]; k != 0 && !moves[k-1].done {
				p.ready = append(p.ready, k-1)
			}
		}
	}
	for k := range moves {
		if !moves[k].done {
			a.cycle(moves, uint32(k), emit)
		}
	}
	for k := range moves {
		m := &moves[k]
		p.writer[m.dst] = 0
		if m.from.Kind == LocReg {
			p.readers[m.from.N] = 0
		}
	}
}

// lengthen returns s with at least n elements, new ones zero.
func lengthen(s []uint32, n int) []uint32 {
	if len(s) < n {
		s = append(s, make([]uint32, n-len(s))...)
	}
	return s
}

// cycle makes the moves of the cycle that move k is part of: integer registers are
// swapped along it, a float goes through the scratch register, and if a slot is part of it, the first
// value waits in a slot of its own, because scratch registers carry moves between slots.
func (a *Allocator) cycle(moves []pmove, k uint32, emit func(a *Allocator, dst, src Loc, v VReg, swap bool)) {
	first := moves[k].dst
	last, memory := k, false
	for j := k; ; {
		memory = memory || moves[j].dst >= firstUnit
		last = j
		if moves[j].from.N == first {
			break
		}
		j = a.par.writer[moves[j].from.N] - 1
	}
	swap := !memory && first < 32
	v := moves[last].v
	var wait Loc
	switch {
	case swap:
	case memory:
		wait = Loc{LocSlot, a.frame.temporary(a.class(v))}
		emit(a, wait, a.placeLoc(first), v, false)
	default:
		wait = Loc{LocReg, uint32(a.file.Scratch[1])}
		emit(a, wait, a.placeLoc(first), v, false)
	}
	for j := k; ; j = a.par.writer[moves[j].from.N] - 1 {
		m := &moves[j]
		m.done = true
		if j == last {
			if !swap {
				emit(a, a.placeLoc(m.dst), wait, m.v, false)
			}
			return
		}
		emit(a, a.placeLoc(m.dst), a.placeLoc(m.from.N), m.v, swap && !mutant.Allocation)
	}
}

// placeLoc is the location of a place.
func (a *Allocator) placeLoc(p uint32) Loc {
	if p >= firstUnit {
		return Loc{LocSlot, 8 * (p - firstUnit)}
	}
	return a.loc(rank(p))
}

func (a *Allocator) fromLoc(l Loc) Loc {
	if l.Kind == LocReg {
		return a.placeLoc(l.N)
	}
	return l
}

// emitBefore makes the parallel move of the current instruction. Slots have no place
// here: they are only read.
func (a *Allocator) emitBefore() {
	if len(a.pm) > 0 {
		a.sequence(a.pm, func(a *Allocator, dst, src Loc, v VReg, swap bool) {
			a.moves = append(a.moves, Move{Src: src, Dst: dst, V: v, Class: a.class(v), Swap: swap})
			a.before = extend(a.before, a.pos, len(a.moves))
		})
	}
}
