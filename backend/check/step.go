package check

import (
	"math"

	"github.com/wasmaot/wasmaot/backend"
	"github.com/wasmaot/wasmaot/compiler/abi"
)

// Step follows the facts through instruction I.
type Step struct {
	*Checker
	*State
	I int32
}

// At is where the instruction begins.
func (s *Step) At() uint32 { return s.Starts[s.I] }

// Fail says what is wrong with the instruction.
func (s *Step) Fail(format string, args ...any) { s.fail(s.I, format, args...) }

// NoFlags forgets what the flags tell of.
func (s *Step) NoFlags() { s.Flags = noFlags }

// Cut is what is known of the low size bytes of f.
func Cut(f backend.Fact, size uint32) backend.Fact {
	if size >= 8 || (f.Kind == backend.FactTypeID || f.Kind == backend.FactTypeOf) && size == 4 {
		return f
	}
	return f.Low(uint(8 * size))
}

// Set puts f into register r. What depends on the register's old value is forgotten.
func (s *Step) Set(r Reg, f backend.Fact) {
	if r == s.Count {
		for i := range s.Regs {
			s.Regs[i] = s.Regs[i].Uncounted()
		}
		f = f.Uncounted()
	}
	for i := range s.Regs {
		if f := &s.Regs[i]; f.DependsOn(int32(r)) {
			*f = f.Plain()
		}
	}
	s.Regs[r] = f
	if s.Flags.RA == r {
		s.Flags.RA = NoReg
	}
	if s.Flags.RB == r {
		s.Flags.RB = NoReg
	}
	if s.Flags.RL == r {
		s.Flags.RL = NoReg
	}
}

// CountDown makes the count f, which is at least less below what it was: addresses with room for
// the count have that much more.
func (s *Step) CountDown(f backend.Fact, less int64) {
	before := s.Regs
	s.Set(s.Count, f)
	for i, x := range before {
		if x.Kind == backend.FactCounted {
			x.Off += less
			s.Regs[i] = x
		}
	}
}

// Sum is the address base + index × scale + off, where index is what register r holds.
func (s *Step) Sum(base, index backend.Fact, r Reg, scale uint8, off int64) backend.Fact {
	if base.Kind == backend.FactCounted && scale == 1 {
		switch count := s.Regs[s.Count].Number(); {
		case r == s.Count && (off >= 0 || count.Lo >= uint64(-off)):
			below := int64(min(count.Lo, math.MaxInt32))
			return backend.Fact{Kind: backend.FactRoom, Index: base.Index, Off: base.Off - off, Lo: uint64(max(0, below+off))}
		case index.Kind == backend.FactBeforeCount && off == 0:
			return backend.Fact{Kind: backend.FactRoom, Index: base.Index, Off: base.Off + 1}
		}
	}
	return s.Access.Sum(base, index, scale, off)
}

const max32 = math.MaxUint32 // sums of such numbers do not wrap around

// CopyPlus is what register to holds after register from plus off was moved there, in all 64 bits.
func (s *Step) CopyPlus(to, from Reg, off int64) backend.Fact {
	x := s.Regs[from]
	switch {
	case to == from || off < 0:
	case off == 0 && (x.Kind == backend.FactNumber || x.Kind == backend.FactBelow && from == s.Count):
		return backend.Fact{Kind: backend.FactCopy, Index: int32(from), Lo: x.Lo, Hi: x.Hi}
	case off > 0 && x.Number().Hi <= max32:
		sum := x.Number().Plus(off)
		return backend.Fact{Kind: backend.FactCopy, Index: int32(from), Off: off, Lo: sum.Lo, Hi: sum.Hi}
	}
	return x.Plus(off)
}

// CountSum is what register to holds after the sum of register from and the count was moved there, if it
// relates to them.
func (s *Step) CountSum(to, from Reg) (f backend.Fact, ok bool) {
	if to == from || to == s.Count || s.Regs[from].Number().Hi > max32 || s.Regs[s.Count].Number().Hi > max32 {
		return f, false
	}
	return backend.Fact{Kind: backend.FactSum, Index: int32(from)}, true
}

// Trapping is the trap that the instruction is known to cause.
func (s *Step) Trapping() (t abi.Trap, ok bool) {
	t, ok = s.traps[s.At()]
	return t, ok
}

// Touch is an access for reading or writing; what it reads is the result.
func (s *Step) Touch(address backend.Fact, size uint32, write bool) backend.Fact {
	switch address.Kind {
	case backend.FactStack:
		return s.touchStack(address.Off, int64(size), write)
	case backend.FactCounted:
		room := address.Off + int64(min(s.Regs[s.Count].Number().Lo, math.MaxInt32))
		address = backend.Fact{Kind: backend.FactRoom, Index: address.Index, Off: room}
	case backend.FactGuest:
		if t, ok := s.Trapping(); !ok || t != abi.TrapMemoryOutOfBounds {
			s.Fail("access to memory %d without a trap site", address.Index)
		}
	}
	f, err := s.Access.Touch(address, size, write, s.At())
	if err != nil {
		s.Fail("%w", err)
	}
	return f
}

// touchStack is an access to the frame or the incoming area, off bytes from the stack pointer on entry.
func (s *Step) touchStack(off, size int64, write bool) backend.Fact {
	sp := s.Regs[s.SP]
	inFrame := sp.Kind == backend.FactStack && off >= sp.Off && off+size <= s.Top
	inArgs := off >= s.Arguments && off+size <= s.Arguments+s.incoming
	if !inFrame && !inArgs {
		s.Fail("%d bytes of stack at %d from the stack pointer on entry: frame of %d, parameters of %d bytes", size, off, s.Frame, s.incoming)
		return backend.Unknown
	}
	if write {
		s.forget(off, off+size)
	}
	if size == 8 {
		return s.slot(off)
	}
	if f := s.slot(off); size < 8 && f.Number().Hi <= math.MaxUint64>>(64-8*size) {
		return f.Number()
	}
	return backend.Unknown
}

// Store is a store of f.
func (s *Step) Store(address backend.Fact, size uint32, f backend.Fact) {
	s.Touch(address, size, true)
	if address.Kind == backend.FactStack && size == 8 {
		s.setSlot(address.Off, f)
	}
}

// MoveStack moves the stack pointer, which is where it was on entry or within the frame.
func (s *Step) MoveStack(by int64) {
	old := s.Regs[s.SP]
	sp := old.Plus(by)
	saved := s.Top == 0 || old.Off != 0 && sp.Off != 0 // SaveLink comes first, RestoreLink last
	if !saved || sp.Kind != backend.FactStack || sp.Off != 0 && (sp.Off < s.Top-s.Frame || sp.Off > s.Top) || by == 0 {
		s.Fail("stack pointer %d from where it was on entry: the frame is %d", sp.Off, s.Frame)
	}
	s.Set(s.SP, sp)
	s.forget(math.MinInt64, sp.Off)
}

// SaveLink stores the return address below the stack pointer on entry; RestoreLink takes it from there.
func (s *Step) SaveLink(f backend.Fact) {
	if s.Regs[s.SP] != (backend.Fact{Kind: backend.FactStack}) || f.Kind != backend.FactReturn || s.Top == 0 {
		s.Fail("saves other than the return address on entry")
		return
	}
	s.Set(s.SP, backend.Fact{Kind: backend.FactStack, Off: s.Top})
	s.setSlot(s.Top, f)
}

// RestoreLink undoes SaveLink: the result is the return address.
func (s *Step) RestoreLink() backend.Fact {
	if s.Regs[s.SP] != (backend.Fact{Kind: backend.FactStack, Off: s.Top}) || s.Top == 0 {
		s.Fail("stack pointer %d from where it was on entry", s.Regs[s.SP].Off)
		return backend.Unknown
	}
	f := s.slot(s.Top)
	s.Set(s.SP, backend.Fact{Kind: backend.FactStack})
	s.forget(math.MinInt64, 0)
	return f
}

// JumpTo passes what is known to the jump's target at off; NoCond is no condition.
func (s *Step) JumpTo(off int64, c Cond) {
	there := &Step{Checker: s.Checker, State: s.clone(), I: s.I}
	if c == NoCond || there.Assume(c) {
		s.Pass(off, there.State)
	}
}

// Pass passes what is known at the target at off.
func (s *Step) Pass(off int64, there *State) {
	if to, ok := s.target(off); ok {
		s.flow(to, there)
	} else {
		s.Fail("jump to where no instruction begins")
	}
}

// Branch is a step on what is known if the jump is taken, to be passed on.
func (s *Step) Branch() *Step { return &Step{Checker: s.Checker, State: s.clone(), I: s.I} }

// TableEntry is an entry of the jump table at base, with an index for which there are entries certainly.
func (s *Step) TableEntry(base, index backend.Fact) (f backend.Fact, ok bool) {
	if base.Kind != backend.FactConstant {
		return f, false
	}
	table, hi := base.Off, index.Number().Hi
	if table < int64(s.Code.CodeSize) || hi >= uint64(len(s.Code.Text)) || table+4*int64(hi)+4 > int64(len(s.Code.Text)) {
		return f, false
	}
	return backend.Fact{Kind: backend.FactJump, Off: table, Hi: hi}, true
}

// JumpByTable passes what is known to all entries that the index may select.
func (s *Step) JumpByTable(f backend.Fact) {
	if f.Kind != backend.FactTarget {
		s.Fail("jump to an unknown place")
		return
	}
	for k := range int64(f.Hi) + 1 {
		if to, ok := s.target(s.tableEntry(f.Off, k)); ok {
			s.flow(to, s.clone())
		} else {
			s.Fail("entry %d of the jump table leads to where no instruction begins", k)
		}
	}
}

// CallDirect is a call of function f of the artifact.
func (s *Step) CallDirect(f uint32) {
	s.own()
	area, err := s.Access.DirectArea(f)
	s.afterCall(area, err)
}

// JumpDirect is a jump to function f of the artifact.
func (s *Step) JumpDirect(f uint32) {
	s.Leave()
	if _, err := s.Access.DirectArea(f); err != nil {
		s.Fail("%w", err)
	}
}

// CallDesc is a call of the function whose descriptor is at desc.
func (s *Step) CallDesc(desc backend.Fact) {
	area, err := s.Access.Call(desc, s.Regs[s.Context], s.Regs[s.MemBase])
	s.afterCall(area, err)
}

// afterCall forgets what a call destroys: all registers but the pinned, and the outgoing area.
func (s *Step) afterCall(area uint32, err error) {
	if err != nil {
		s.Fail("%w", err)
	}
	sp := s.Regs[s.SP]
	if sp.Kind != backend.FactStack || sp.Off != s.Top-s.Frame || s.Top != 0 && sp.Off == 0 {
		s.Fail("call with the stack pointer %d from where it was on entry: the frame is %d", sp.Off, s.Frame)
	}
	if int64(area) > s.Frame {
		s.Fail("call needs an outgoing area of %d bytes, the frame has %d", area, s.Frame)
	}
	for i := range s.Regs {
		if r := Reg(i); r != s.SP && r != s.Context && r != s.MemBase {
			s.Set(r, backend.Unknown)
		}
	}
	for i := range s.slots {
		if s.slots[i].fact.Kind == backend.FactElements { // growing may move a table
			s.slots[i].fact = backend.Unknown
		}
	}
	s.forget(sp.Off, sp.Off+int64(area))
	s.NoFlags()
}

// own checks what the function's own callees and its caller rely upon.
func (s *Step) own() {
	if !s.Access.Own(s.Regs[s.Context], s.Regs[s.MemBase]) {
		s.Fail("context (%v) or memory base (%v) are not the function's own", s.Regs[s.Context].Kind, s.Regs[s.MemBase].Kind)
	}
}

// Leave checks that the function can be left: the stack pointer is where it was on entry, and so is the return address.
func (s *Step) Leave() {
	s.own()
	if s.Regs[s.SP] != (backend.Fact{Kind: backend.FactStack}) {
		s.Fail("leaves with the stack pointer at %d from where it was on entry", s.Regs[s.SP].Off)
	}
	if s.Link != NoReg && s.Regs[s.Link].Kind != backend.FactReturn {
		s.Fail("leaves to %v", s.Regs[s.Link].Kind)
	}
}

// Stop is an instruction that traps.
func (s *Step) Stop() {
	if _, ok := s.Trapping(); !ok {
		s.Fail("trap without a trap site")
	}
}

// Unexpected is an instruction that has no place in functions.
func (s *Step) Unexpected() bool {
	s.Fail("unexpected instruction")
	return false
}
