package check

import (
	"math"

	"github.com/wasmaot/wasmaot/backend"
)

// Compare notes a comparison of the low size bytes of a and b, which are in ra and rb or no register.
func (s *Step) Compare(size uint8, a, b backend.Fact, ra, rb Reg) {
	if a.Kind == backend.FactTypeID && b.Kind == backend.FactTypeOf {
		a, b = b, a
	}
	if a.Kind == backend.FactTypeOf && b.Kind == backend.FactTypeID && size == 4 {
		s.CompareType(Reg(a.Index), b)
		return
	}
	s.Flags = Flags{Kind: FlagsCompare, Site: s.At(), Size: size, A: a, B: b, RA: ra, RB: rb, RL: NoReg, Known: NoCond}
}

// CompareType notes a comparison of the type id of the descriptor in r with id.
func (s *Step) CompareType(r Reg, id backend.Fact) {
	s.Flags = Flags{Kind: FlagsType, Site: s.At(), B: id, RA: r, RB: NoReg, RL: NoReg, Known: NoCond}
}

// Test notes a comparison of the low size bytes of r with 0.
func (s *Step) Test(size uint8, r Reg) {
	s.Flags = Flags{Kind: FlagsTest, Size: size, RA: r, RB: NoReg, RL: NoReg, Known: NoCond}
}

// Carry notes that r is the sum of a and b in 64 bits.
func (s *Step) Carry(r Reg, a, b backend.Fact) {
	if x := a.Number(); x.Lo > b.Number().Lo {
		b = x
	}
	s.Flags = Flags{Kind: FlagsAdd, Size: 8, Site: s.At(), B: b.Number(), RA: r, RB: NoReg, RL: NoReg, Known: NoCond}
}

// Assume adds to the state that c holds; it reports whether that is possible.
func (s *Step) Assume(c Cond) bool {
	f := &s.Flags
	if f.Kind == FlagsNone {
		return true
	}
	f.Known = c
	switch f.Kind {
	case FlagsCompare:
		return s.assumeCompare(s.Relations[c])
	case FlagsTest:
		return s.AssumeZero(f.RA, f.Size, s.Relations[c])
	case FlagsAdd:
		if c == s.NoCarry && f.RA != NoReg && s.Regs[f.RA] == backend.Unknown {
			s.Regs[f.RA].Lo = f.B.Number().Lo
		}
	case FlagsUpper:
		return s.AssumeUpper(f.RA, s.Relations[c])
	case FlagsType:
		if s.Relations[c] == Equal && f.RA != NoReg {
			s.Regs[f.RA] = s.Access.CheckType(s.Regs[f.RA], f.B)
		}
	}
	return true
}

// AssumeUpper adds to the state how the upper half of r relates to 0.
func (s *Step) AssumeUpper(r Reg, c Relation) bool {
	if c == Equal {
		return s.narrowReg(r, backend.Bits(32), math.MaxUint64)
	}
	return true
}

// AssumeZero adds to the state that the low size bytes of register r are 0 or are not.
func (s *Step) AssumeZero(r Reg, size uint8, c Relation) bool {
	all := uint64(math.MaxUint64) >> (64 - 8*size)
	switch {
	case r == NoReg:
	case c == Equal:
		return s.narrowReg(r, backend.Exactly(0), all)
	case c == NotEqual && s.Regs[r].Kind == backend.FactDesc && size == 8:
		s.Regs[r].NotNil = true
	case c == NotEqual:
		return s.narrowReg(r, backend.Fact{Lo: 1, Hi: math.MaxUint64}, all)
	}
	return true
}

// assumeCompare adds to the state what c says of the operands of a comparison.
func (s *Step) assumeCompare(c Relation) bool {
	f := &s.Flags
	if c == NoRelation || f.Size < 4 {
		return true
	}
	all := uint64(math.MaxUint64) >> (64 - 8*f.Size)
	if f.Size == 8 {
		s.relate(f.RA, f.A, f.B, c)
		s.relate(f.RB, f.B, f.A, swapped[c])
	}
	a, b := f.A.Number(), f.B.Number()
	if a.Hi > all || b.Hi > all {
		return true // the comparison is of the low halves
	}
	x, ok := narrow(a, b, c)
	y, ok2 := narrow(b, a, swapped[c])
	if !ok || !ok2 {
		return false
	}
	return s.narrowReg(f.RA, x, all) && s.narrowReg(f.RB, y, all)
}

// narrow is what is left of a if c holds for a and b.
func narrow(a, b backend.Fact, c Relation) (backend.Fact, bool) {
	switch c {
	case Below:
		if b.Hi == 0 {
			return a, false
		}
		a.Hi = min(a.Hi, b.Hi-1)
	case AtMost:
		a.Hi = min(a.Hi, b.Hi)
	case AtLeast:
		a.Lo = max(a.Lo, b.Lo)
	case Above:
		if b.Lo == math.MaxUint64 {
			return a, false
		}
		a.Lo = max(a.Lo, b.Lo+1)
	case Equal:
		a.Lo, a.Hi = max(a.Lo, b.Lo), min(a.Hi, b.Hi)
	case NotEqual:
		if b.Lo == b.Hi && a.Lo == b.Lo && a.Lo < math.MaxUint64 {
			a.Lo++
		}
	}
	return a, a.Lo <= a.Hi
}

// narrowReg notes that the low bits of r, as many as all has, are within x. It reports whether they can be.
func (s *Step) narrowReg(r Reg, x backend.Fact, all uint64) bool {
	if r == NoReg {
		return true
	}
	f := &s.Regs[r]
	if f.Kind > backend.FactCopy || f.Hi > all {
		return true
	}
	f.Lo, f.Hi = max(f.Lo, x.Lo), min(f.Hi, x.Hi)
	return f.Lo <= f.Hi
}

// relate adds to register r, which holds a, how it relates to b if c holds.
func (s *Step) relate(r Reg, a, b backend.Fact, c Relation) {
	if r == NoReg {
		return
	}
	f := &s.Regs[r]
	number := f.Number()
	isIndex := c == Below && (a.Kind <= backend.FactCopy || a.Kind == backend.FactLength) // a guest may use a table's size as index
	switch {
	case isIndex && b.Kind == backend.FactLength:
		*f = backend.Fact{Kind: backend.FactBelow, Index: b.Index, Site: s.Flags.Site, Lo: number.Lo, Hi: number.Hi}
	case isIndex && b.Kind == backend.FactNumber && b.Lo == b.Hi && b.Lo > 0:
		*f = backend.Fact{Kind: backend.FactBelow, Index: -1, Site: s.Flags.Site, Lo: number.Lo, Hi: number.Hi}
	case c == AtMost && b.Kind == backend.FactBytes && a.Kind <= backend.FactCopy:
		if f.Kind == backend.FactCopy && f.Off > 0 {
			if x := &s.Regs[f.Index]; x.Kind <= backend.FactCopy && x.Kind != backend.FactMasked && x.Kind != backend.FactStart {
				*x = backend.Fact{Kind: backend.FactAhead, Index: b.Index, Site: s.Flags.Site, Off: f.Off, Lo: x.Lo, Hi: x.Hi}
			}
		}
		*f = backend.Fact{Kind: backend.FactWithin, Index: b.Index, Site: s.Flags.Site, Lo: a.Lo}
	}
}

// Masked is what a conditional move leaves of an index, of which f is known and which is all of register r or its low half: r
// if c, which is known to hold, and else 0.
func (s *Step) Masked(r Reg, f backend.Fact, low bool, c Cond) (masked backend.Fact, ok bool) {
	x := &s.Flags
	switch {
	case x.Kind != FlagsCompare || x.Known != c:
		return f, false
	case !low && f.Kind == backend.FactBelow && f.Site == x.Site:
		f.Kind, f.Lo = backend.FactMasked, 0
		return f, true
	case low && x.RL == r && s.Relations[c] == Above:
		masked = backend.Fact{Kind: backend.FactMasked, Index: x.A.Index, Site: x.Site, Hi: x.B.Number().Hi}
		if x.A.Kind == backend.FactNumber && x.A.Lo == x.A.Hi && x.A.Lo > 0 {
			masked.Index, masked.Hi = -1, min(masked.Hi, x.A.Lo-1)
			return masked, true
		}
		return masked, x.A.Kind == backend.FactLength
	}
	return f, false
}

// Settle makes use of a conditional move that has no effect but when the processor guesses: it replaces
// register r by 0 unless the condition known from the check, which is c^1, holds.
func (s *Step) Settle(r Reg, c Cond) {
	f := &s.Flags
	x := &s.Regs[r]
	switch {
	case x.Kind == backend.FactGuess && x.Site == f.Site:
		x.Kind = backend.FactRoom
		x.Site = 0
	case r == s.Count && s.Relations[c] == Above && f.Kind == FlagsCompare && f.B.Kind == backend.FactBytes &&
		f.RA != NoReg && s.Regs[f.RA].Kind == backend.FactSum:
		start := &s.Regs[s.Regs[f.RA].Index]
		if start.Kind <= backend.FactCopy {
			*start = backend.Fact{Kind: backend.FactStart, Index: f.B.Index, Lo: start.Lo, Hi: start.Hi}
		}
	}
}

// Chosen is what is known of x if c and else of y, where the low size bytes of x and y are in rx and ry. If the two were
// compared the result is known better: the lesser of both.
func (s *Step) Chosen(c Cond, x, y backend.Fact, rx, ry Reg, size uint8) backend.Fact {
	f := &s.Flags
	rel := s.Relations[c]
	least := f.Kind == FlagsCompare && f.Size == size && rx != NoReg && ry != NoReg &&
		((rel == Below || rel == AtMost) && f.RA == rx && f.RB == ry || (rel == Above || rel == AtLeast) && f.RA == ry && f.RB == rx)
	if x, y := x.Number(), y.Number(); least {
		return backend.Fact{Lo: min(x.Lo, y.Lo), Hi: min(x.Hi, y.Hi)}
	}
	return x.Join(y, false)
}
