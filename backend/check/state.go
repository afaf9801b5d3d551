package check

import (
	"cmp"
	"slices"

	"github.com/wasmaot/wasmaot/backend"
)

// State is what is known at a place in the code.
type State struct {
	Regs    [registers]backend.Fact
	slots   []stackSlot // sorted; those missing are unknown
	Flags   Flags
	reached bool
	changed bool
	visits  int
}

// stackSlot is an 8-byte slot of the frame.
type stackSlot struct {
	off  int64 // from the stack pointer on entry
	fact backend.Fact
}

// Flags is what the flags tell of.
type Flags struct {
	Kind FlagsKind
	Site uint32
	Size uint8
	// Operands when the flags were set, and their registers as long as these hold them.
	A, B   backend.Fact
	RA, RB Reg
	RL     Reg  // of which B is the low half
	Known  Cond // a condition that is known to hold, or NoCond
}

// FlagsKind says what was done when the flags were set.
type FlagsKind uint8

const (
	FlagsNone    FlagsKind = iota
	FlagsCompare           // A compared with B
	FlagsTest              // RA compared with 0
	FlagsAdd               // of the sum in RA, which is at least B if there was no carry
	FlagsType              // type id of the descriptor in RA, compared with B
	FlagsUpper             // the upper half of RA compared with 0
	FlagsScan              // of a bit scan to RA, which is as before if there was no bit
)

// widenAfter is how often the facts at a place may change before they are widened.
const widenAfter = 6

// registers is how many integer registers there can be.
const registers = 32

var noFlags = Flags{RA: NoReg, RB: NoReg, RL: NoReg, Known: NoCond}

// entry is what is known on entry.
func (k *Checker) entry() *State {
	s := &State{reached: true, changed: true, Flags: noFlags}
	for i := range s.Regs {
		s.Regs[i] = backend.Unknown
	}
	s.Regs[k.SP] = backend.Fact{Kind: backend.FactStack}
	s.Regs[k.Context] = backend.Fact{Kind: backend.FactContext}
	s.Regs[k.MemBase] = backend.Fact{Kind: backend.FactGuest}
	if k.Link != NoReg {
		s.Regs[k.Link] = backend.Fact{Kind: backend.FactReturn}
	}
	return s
}

func (s *State) clone() *State {
	t := *s
	t.reached = true
	t.slots = slices.Clone(s.slots)
	return &t
}

// join makes s what is known when either s or t holds.
func (s *State) join(t *State) {
	widen := s.visits >= widenAfter
	changed := false
	for i := range s.Regs {
		if f := s.Regs[i].Join(t.Regs[i], widen); f != s.Regs[i] {
			s.Regs[i], changed = f, true
		}
	}
	var slots []stackSlot
	for _, x := range s.slots {
		if f := x.fact.Join(t.slot(x.off), widen); f != backend.Unknown {
			slots = append(slots, stackSlot{x.off, f})
		}
	}
	if !slices.Equal(slots, s.slots) {
		s.slots, changed = slots, true
	}
	if s.Flags != t.Flags && s.Flags.Kind != FlagsNone {
		s.Flags, changed = noFlags, true
	}
	if changed {
		s.changed = true
		s.visits++
	}
}

func bySlot(x stackSlot, off int64) int { return cmp.Compare(x.off, off) }

// slot is what the slot at off holds.
func (s *State) slot(off int64) backend.Fact {
	if i, ok := slices.BinarySearchFunc(s.slots, off, bySlot); ok {
		return s.slots[i].fact
	}
	return backend.Unknown
}

// setSlot puts f into the slot at off.
func (s *State) setSlot(off int64, f backend.Fact) {
	f = f.Plain()
	i, ok := slices.BinarySearchFunc(s.slots, off, bySlot)
	switch {
	case ok:
		s.slots[i].fact = f
	case f != backend.Unknown:
		s.slots = slices.Insert(s.slots, i, stackSlot{off, f})
	}
}

// forget makes the slots that have bytes from start to end unknown.
func (s *State) forget(start, end int64) {
	s.slots = slices.DeleteFunc(s.slots, func(x stackSlot) bool { return x.off+8 > start && x.off < end })
}
