package amd64

import (
	"cmp"
	"slices"

	"github.com/wasmaot/wasmaot/backend"
)

// regCount is the register in which bulk operations count.
const regCount = RCX

// accessState is what is known at a place in the code.
type accessState struct {
	regs    [16]backend.Fact
	slots   []accessSlot // sorted; those missing are unknown
	flags   accessFlags
	reached bool
	changed bool
	visits  int
}

// accessSlot is an 8-byte slot of the frame.
type accessSlot struct {
	off  int64 // from the stack pointer on entry
	fact backend.Fact
}

// accessFlags is what the flags tell of.
type accessFlags struct {
	kind flagsKind
	site uint32
	size uint8
	// Operands when the flags were set, and their registers as long as these hold them.
	a, b   backend.Fact
	ra, rb Reg
	known  Cond // a condition that is known to hold, or noCond
}

type flagsKind uint8

const (
	flagsNone    flagsKind = iota
	flagsCompare           // a compared with b
	flagsTest              // a compared with 0
	flagsAdd               // of the sum a, which was at least b if there was no carry
	flagsType              // type id of the descriptor a, compared with b
	flagsUpper             // of the upper half of ra
	flagsScan              // of a bit scan to ra, which is as before if there was no bit
)

const noCond Cond = 0xFF

// widenAfter is how often the facts at a place may change before they are widened.
const widenAfter = 6

func (k *accessChecker) entryState() *accessState {
	s := &accessState{reached: true, changed: true}
	for i := range s.regs {
		s.regs[i] = backend.Unknown
	}
	s.regs[RSP] = backend.Fact{Kind: backend.FactStack}
	s.regs[regCtx] = backend.Fact{Kind: backend.FactContext}
	s.regs[regMemBase] = backend.Fact{Kind: backend.FactGuest}
	s.flags = accessFlags{ra: NoReg, rb: NoReg, known: noCond}
	return s
}

func (s *accessState) clone() *accessState {
	t := *s
	t.reached = true
	t.slots = slices.Clone(s.slots)
	return &t
}

// join makes s what is known when either s or t holds.
func (s *accessState) join(t *accessState) {
	widen := s.visits >= widenAfter
	changed := false
	for i := range s.regs {
		if f := s.regs[i].Join(t.regs[i], widen); f != s.regs[i] {
			s.regs[i], changed = f, true
		}
	}
	var slots []accessSlot
	for _, x := range s.slots {
		if f := x.fact.Join(t.slot(x.off), widen); f != backend.Unknown {
			slots = append(slots, accessSlot{x.off, f})
		}
	}
	if !slices.Equal(slots, s.slots) {
		s.slots, changed = slots, true
	}
	if s.flags != t.flags && s.flags.kind != flagsNone {
		s.flags, changed = accessFlags{ra: NoReg, rb: NoReg, known: noCond}, true
	}
	if changed {
		s.changed = true
		s.visits++
	}
}

func bySlot(x accessSlot, off int64) int { return cmp.Compare(x.off, off) }

// slot is what the slot at off holds.
func (s *accessState) slot(off int64) backend.Fact {
	if i, ok := slices.BinarySearchFunc(s.slots, off, bySlot); ok {
		return s.slots[i].fact
	}
	return backend.Unknown
}

// setSlot puts f into the slot at off.
func (s *accessState) setSlot(off int64, f backend.Fact) {
	f = f.Plain()
	i, ok := slices.BinarySearchFunc(s.slots, off, bySlot)
	switch {
	case ok:
		s.slots[i].fact = f
	case f != backend.Unknown:
		s.slots = slices.Insert(s.slots, i, accessSlot{off, f})
	}
}

// forget makes the slots that have bytes from start to end unknown.
func (s *accessState) forget(start, end int64) {
	s.slots = slices.DeleteFunc(s.slots, func(x accessSlot) bool { return x.off+8 > start && x.off < end })
}

// set puts f into register r. What depends on the register's old value is forgotten.
func (s *accessState) set(r Reg, f backend.Fact) {
	if r == regCount {
		for i := range s.regs {
			s.regs[i] = s.regs[i].Uncounted()
		}
		f = f.Uncounted()
	}
	for i := range s.regs {
		if f := &s.regs[i]; (f.Kind == backend.FactSum || f.Kind == backend.FactCopy) && f.Index == int32(r) {
			*f = f.Plain()
		}
	}
	s.regs[r] = f
	if s.flags.ra == r {
		s.flags.ra = NoReg
	}
	if s.flags.rb == r {
		s.flags.rb = NoReg
	}
}

// countDown makes the count f, which is at least less below what it was: addresses with room for
// the count have that much more.
func (s *accessState) countDown(f backend.Fact, less int64) {
	before := s.regs
	s.set(regCount, f)
	for i, x := range before {
		if x.Kind == backend.FactCounted {
			x.Off += less
			s.regs[i] = x
		}
	}
}
