package amd64

import (
	"math"
	"math/bits"

	"golang.org/x/arch/x86/x86asm"

	"github.com/wasmaot/wasmaot/backend"
	"github.com/wasmaot/wasmaot/compiler/abi"
)

// accessStep follows the facts through instructions.
type accessStep struct {
	*accessChecker
	*accessState
	in     *accessInst
	before accessFlags // before the instruction
}

// step makes the state that after instruction in and reports whether the code goes on behind it. It
// passes the state on to where the instruction jumps.
func (s *accessStep) step(in *accessInst) bool {
	s.in = in
	for _, p := range in.Prefix {
		if p.IsVEX() {
			break // what follows is part of it
		}
		switch p &^ (x86asm.PrefixImplicit | x86asm.PrefixIgnored) {
		case x86asm.PrefixFS, x86asm.PrefixGS, x86asm.PrefixAddrSize, x86asm.PrefixAddr32, x86asm.PrefixLOCK:
			s.fail(in, "prefix %v", p)
		}
	}
	r := in.rule
	if r == nil {
		s.fail(in, "unexpected instruction")
		return false
	}
	s.before = s.flags
	if r.props&keepsFlags == 0 {
		s.noFlags()
	}
	if r.effect == nil {
		s.plain()
		return true
	}
	return r.effect(s)
}

func (s *accessStep) noFlags() {
	s.flags = accessFlags{ra: NoReg, rb: NoReg, known: noCond}
}

// intReg is the integer register that r is part of, and its width in bytes.
func intReg(r x86asm.Reg) (_ Reg, size uint32, ok bool) {
	switch {
	case r >= x86asm.RAX && r <= x86asm.R15:
		return Reg(r - x86asm.RAX), 8, true
	case r >= x86asm.EAX && r <= x86asm.R15L:
		return Reg(r - x86asm.EAX), 4, true
	case r >= x86asm.AX && r <= x86asm.R15W:
		return Reg(r - x86asm.AX), 2, true
	case r >= x86asm.SPB && r <= x86asm.R15B:
		return Reg(r-x86asm.SPB) + RSP, 1, true
	case r >= x86asm.AL && r <= x86asm.BL:
		return Reg(r - x86asm.AL), 1, true
	}
	return NoReg, 0, false
}

// reg is operand i if it is an integer register.
func (s *accessStep) reg(i int) (r Reg, size uint32, ok bool) {
	if x, isReg := s.in.Args[i].(x86asm.Reg); isReg {
		return intReg(x)
	}
	return NoReg, 0, false
}

// wide is operand i if it is a 64-bit register.
func (s *accessStep) wide(i int) (Reg, bool) {
	r, size, ok := s.reg(i)
	return r, ok && size == 8
}

// imm is operand i if it is an immediate.
func (s *accessStep) imm(i int) (int64, bool) {
	v, ok := s.in.Args[i].(x86asm.Imm)
	return int64(v), ok
}

// size is the width of the first two operands in bytes.
func (s *accessStep) size() uint32 {
	for i := range 2 {
		if _, size, ok := s.reg(i); ok {
			return size
		}
	}
	return s.memSize()
}

// value is what is known of operand i. Memory is read.
func (s *accessStep) value(i int) backend.Fact {
	switch x := s.in.Args[i].(type) {
	case x86asm.Reg:
		r, size, ok := intReg(x)
		if !ok {
			return backend.Unknown
		}
		return cut(s.regs[r], size)
	case x86asm.Imm:
		v := uint64(x)
		if size := s.size(); size < 8 {
			v &= math.MaxUint64 >> (64 - 8*size)
		}
		return backend.Exactly(v)
	case x86asm.Mem:
		return cut(s.touch(s.address(x), s.memSize(), false), s.memSize())
	}
	return backend.Unknown
}

// cut is what is known of the low size bytes of f.
func cut(f backend.Fact, size uint32) backend.Fact {
	if size >= 8 || f.Kind == backend.FactTypeID && size == 4 {
		return f
	}
	return f.Low(uint(8 * size))
}

// write puts f into operand i.
func (s *accessStep) write(i int, f backend.Fact) {
	switch x := s.in.Args[i].(type) {
	case x86asm.Reg:
		r, size, ok := intReg(x)
		switch {
		case !ok && x >= x86asm.X0:
		case !ok || r == RSP:
			s.fail(s.in, "writes %v", x)
		case size >= 4:
			s.set(r, cut(f, size))
		default: // the rest of the register stays
			old := s.regs[r].Number()
			s.set(r, backend.Fact{Hi: old.Hi | math.MaxUint64>>(64-8*size)})
		}
	case x86asm.Mem:
		s.store(s.address(x), s.memSize(), f)
	}
}

// address is what is known of the address of a memory operand.
func (s *accessStep) address(m x86asm.Mem) backend.Fact {
	disp := int64(int32(m.Disp))
	if m.Segment != 0 {
		s.fail(s.in, "segment %v", m.Segment)
		return backend.Unknown
	}
	if s.in.relative {
		return backend.Fact{Kind: backend.FactConstant, Off: int64(s.in.end) + disp}
	}
	base, index := backend.Exactly(0), backend.Exactly(0)
	if m.Base != 0 {
		r, _, ok := intReg(m.Base)
		if !ok {
			return backend.Unknown
		}
		base = s.regs[r]
	}
	if m.Index == 0 {
		return base.Plus(disp)
	}
	r, _, ok := intReg(m.Index)
	if !ok {
		return backend.Unknown
	}
	index = s.regs[r]
	if base.Kind == backend.FactCounted && m.Scale == 1 {
		switch count := s.regs[regCount].Number(); {
		case r == regCount && (disp >= 0 || count.Lo >= uint64(-disp)):
			return backend.Fact{Kind: backend.FactRoom, Index: base.Index, Off: base.Off - disp}
		case index.Kind == backend.FactBeforeCount && disp == 0:
			return backend.Fact{Kind: backend.FactRoom, Index: base.Index, Off: base.Off + 1}
		}
	}
	return s.access.Sum(base, index, m.Scale, disp)
}

// memSize is the number of bytes that the memory operand has.
func (s *accessStep) memSize() uint32 {
	if s.in.MemBytes <= 0 {
		s.fail(s.in, "operand of unknown size")
	}
	return uint32(s.in.MemBytes)
}

// touch is an access for reading or writing; what it reads is the result.
func (s *accessStep) touch(address backend.Fact, size uint32, write bool) backend.Fact {
	switch address.Kind {
	case backend.FactStack:
		return s.touchStack(address.Off, int64(size), write)
	case backend.FactCounted:
		room := address.Off + int64(min(s.regs[regCount].Number().Lo, math.MaxInt32))
		address = backend.Fact{Kind: backend.FactRoom, Index: address.Index, Off: room}
	case backend.FactGuest:
		if s.traps[s.in.off] != abi.TrapMemoryOutOfBounds {
			s.fail(s.in, "access to memory %d without a trap site", address.Index)
		}
	}
	f, err := s.access.Touch(address, size, write, s.in.off)
	if err != nil {
		s.fail(s.in, "%w", err)
	}
	if size == 16 && s.in.rule.props&unaligned == 0 && !s.in.vex() && (address.Kind != backend.FactConstant || address.Off%16 != 0) {
		s.fail(s.in, "operand must be at a multiple of 16")
	}
	return f
}

func (in *accessInst) vex() bool {
	return in.Prefix[0].IsVEX() || in.Prefix[1].IsVEX()
}

// touchStack is an access to the frame or the incoming area, off bytes from the stack pointer on entry.
func (s *accessStep) touchStack(off, size int64, write bool) backend.Fact {
	sp := s.regs[RSP]
	const returnAddress = 8
	inFrame := sp.Kind == backend.FactStack && off >= sp.Off && off+size <= 0
	inArgs := off >= returnAddress && off+size <= returnAddress+s.incoming
	if !inFrame && !inArgs {
		s.fail(s.in, "%d bytes of stack at %d from the return address: frame of %d, parameters of %d bytes", size, off, s.frame, s.incoming)
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

// store is a store of f.
func (s *accessStep) store(address backend.Fact, size uint32, f backend.Fact) {
	s.touch(address, size, true)
	if address.Kind == backend.FactStack && size == 8 {
		s.setSlot(address.Off, f)
	}
}

// plain is the effect of an instruction of which nothing more is known: it writes its first operand.
func (s *accessStep) plain() {
	for i, x := range s.in.Args {
		if _, isMem := x.(x86asm.Mem); isMem {
			s.value(i)
		}
	}
	if s.in.Args[0] != nil && s.in.rule.props&onlyReads == 0 {
		s.write(0, backend.Unknown)
	}
}

// jumpTo passes what is known to the jump's target; noCond is no condition.
func (s *accessStep) jumpTo(c Cond) {
	in := s.in
	rel, ok := in.Args[0].(x86asm.Rel)
	if !ok {
		s.fail(in, "jump without a distance")
		return
	}
	to, ok := s.target(int64(in.end) + int64(rel))
	if !ok {
		s.fail(in, "jump to where no instruction begins")
		return
	}
	there := &accessStep{accessChecker: s.accessChecker, accessState: s.clone(), in: in}
	if c == noCond || there.assume(c) {
		s.flow(to, there.accessState)
	}
}

// assume adds to the state that c holds; it reports whether that is possible.
func (s *accessStep) assume(c Cond) bool {
	f := &s.flags
	if f.kind == flagsNone {
		return true
	}
	f.known = c
	switch f.kind {
	case flagsCompare:
		return s.assumeCompare(c)
	case flagsTest:
		return s.assumeTest(c)
	case flagsAdd:
		if c == CondAE && f.ra != NoReg && s.regs[f.ra] == backend.Unknown {
			s.regs[f.ra].Lo = f.b.Number().Lo
		}
	case flagsUpper:
		if c == CondE {
			return s.narrowReg(f.ra, backend.Bits(32), math.MaxUint64)
		}
	case flagsType:
		if c == CondE && f.ra != NoReg {
			s.regs[f.ra] = s.access.CheckType(s.regs[f.ra], f.b)
		}
	}
	return true
}

// assumeTest adds to the state that a register is 0 or is not.
func (s *accessStep) assumeTest(c Cond) bool {
	f := &s.flags
	all := uint64(math.MaxUint64) >> (64 - 8*f.size)
	switch {
	case f.ra == NoReg:
	case c == CondE:
		return s.narrowReg(f.ra, backend.Exactly(0), all)
	case c == CondNE && s.regs[f.ra].Kind == backend.FactDesc:
		s.regs[f.ra].NotNil = true
	case c == CondNE:
		return s.narrowReg(f.ra, backend.Fact{Lo: 1, Hi: math.MaxUint64}, all)
	}
	return true
}

// unsigned is c for exchanged operands, for the conditions that say something of unsigned numbers.
var unsigned = map[Cond]Cond{CondB: CondA, CondAE: CondBE, CondBE: CondAE, CondA: CondB, CondE: CondE, CondNE: CondNE}

// assumeCompare adds to the state what c says of the operands of a comparison.
func (s *accessStep) assumeCompare(c Cond) bool {
	f := &s.flags
	swapped, ok := unsigned[c]
	if !ok || f.size < 4 {
		return true
	}
	all := uint64(math.MaxUint64) >> (64 - 8*f.size)
	if f.size == 8 {
		s.relate(f.ra, f.a, f.b, c)
		s.relate(f.rb, f.b, f.a, swapped)
	}
	a, b := f.a.Number(), f.b.Number()
	if a.Hi > all || b.Hi > all {
		return true // the comparison is of the low halves
	}
	x, ok := narrow(a, b, c)
	y, ok2 := narrow(b, a, swapped)
	if !ok || !ok2 {
		return false
	}
	return s.narrowReg(f.ra, x, all) && s.narrowReg(f.rb, y, all)
}

// narrow is what is left of a if c holds for a and b.
func narrow(a, b backend.Fact, c Cond) (backend.Fact, bool) {
	switch c {
	case CondB:
		if b.Hi == 0 {
			return a, false
		}
		a.Hi = min(a.Hi, b.Hi-1)
	case CondBE:
		a.Hi = min(a.Hi, b.Hi)
	case CondAE:
		a.Lo = max(a.Lo, b.Lo)
	case CondA:
		if b.Lo == math.MaxUint64 {
			return a, false
		}
		a.Lo = max(a.Lo, b.Lo+1)
	case CondE:
		a.Lo, a.Hi = max(a.Lo, b.Lo), min(a.Hi, b.Hi)
	case CondNE:
		if b.Lo == b.Hi && a.Lo == b.Lo && a.Lo < math.MaxUint64 {
			a.Lo++
		}
	}
	return a, a.Lo <= a.Hi
}

// narrowReg notes that the low bits of r, as many as all has, are within x. It reports whether they can be.
func (s *accessStep) narrowReg(r Reg, x backend.Fact, all uint64) bool {
	if r == NoReg {
		return true
	}
	f := &s.regs[r]
	if f.Kind > backend.FactCopy || f.Hi > all {
		return true
	}
	f.Lo, f.Hi = max(f.Lo, x.Lo), min(f.Hi, x.Hi)
	return f.Lo <= f.Hi
}

// relate adds to register r, which holds a, how it relates to b if c holds.
func (s *accessStep) relate(r Reg, a, b backend.Fact, c Cond) {
	if r == NoReg {
		return
	}
	f := &s.regs[r]
	number := f.Number()
	isIndex := c == CondB && (a.Kind <= backend.FactCopy || a.Kind == backend.FactLength) // a guest may use a table's size as index
	switch {
	case isIndex && b.Kind == backend.FactLength:
		*f = backend.Fact{Kind: backend.FactBelow, Index: b.Index, Site: s.flags.site, Lo: number.Lo, Hi: number.Hi}
	case isIndex && b.Kind == backend.FactNumber && b.Lo == b.Hi && b.Lo > 0:
		*f = backend.Fact{Kind: backend.FactBelow, Index: -1, Site: s.flags.site, Lo: number.Lo, Hi: number.Hi}
	case c == CondBE && b.Kind == backend.FactBytes && a.Kind <= backend.FactCopy:
		if f.Kind == backend.FactCopy && f.Off > 0 {
			if x := &s.regs[f.Index]; x.Kind <= backend.FactCopy && x.Kind != backend.FactMasked && x.Kind != backend.FactStart {
				*x = backend.Fact{Kind: backend.FactAhead, Index: b.Index, Site: s.flags.site, Off: f.Off, Lo: x.Lo, Hi: x.Hi}
			}
		}
		*f = backend.Fact{Kind: backend.FactWithin, Index: b.Index, Site: s.flags.site, Lo: a.Lo}
	}
}

// settle makes use of a conditional move that has no effect but when the processor guesses: it
// replaces operand 0 by 0 unless the condition known from the check holds.
func (s *accessStep) settle(c Cond) {
	f := &s.flags
	r, _ := s.wide(0)
	x := &s.regs[r]
	switch {
	case x.Kind == backend.FactGuess && x.Site == f.site:
		x.Kind = backend.FactRoom
		x.Site = 0
	case r == regCount && c == CondA && f.kind == flagsCompare && f.b.Kind == backend.FactBytes &&
		f.ra != NoReg && s.regs[f.ra].Kind == backend.FactSum:
		start := &s.regs[s.regs[f.ra].Index]
		if start.Kind <= backend.FactCopy {
			*start = backend.Fact{Kind: backend.FactStart, Index: f.b.Index, Lo: start.Lo, Hi: start.Hi}
		}
	}
}

// chosen is what register r, which holds old, has after from was moved to it if c. If the two were
// compared the result is known better: the lesser of both.
func (s *accessStep) chosen(c Cond, r Reg, from, old backend.Fact, size uint32) backend.Fact {
	f := &s.flags
	other, _, _ := s.reg(1)
	joined := from.Join(old, false)
	least := f.kind == flagsCompare && uint32(f.size) == size &&
		(c == CondB && f.ra == other && f.rb == r || c == CondA && f.ra == r && f.rb == other)
	if x, y := from.Number(), old.Number(); least && other != NoReg {
		return backend.Fact{Lo: min(x.Lo, y.Lo), Hi: min(x.Hi, y.Hi)}
	}
	return joined
}

// pow2 is the least number of the form 1<<n - 1 that is at least x.
func pow2(x uint64) uint64 { return math.MaxUint64 >> bits.LeadingZeros64(x) }

// afterCall forgets what a call destroys: all registers but the pinned, and the outgoing area.
func (s *accessStep) afterCall(area uint32) {
	sp := s.regs[RSP]
	if sp.Kind != backend.FactStack || sp.Off != -s.frame {
		s.fail(s.in, "call with the stack pointer %d from the return address: the frame is %d", sp.Off, s.frame)
	}
	if int64(area) > s.frame {
		s.fail(s.in, "call needs an outgoing area of %d bytes, the frame has %d", area, s.frame)
	}
	for i := range s.regs {
		if r := Reg(i); r != RSP && r != regCtx && r != regMemBase {
			s.set(r, backend.Unknown)
		}
	}
	for i := range s.slots {
		if s.slots[i].fact.Kind == backend.FactElements { // growing may move a table
			s.slots[i].fact = backend.Unknown
		}
	}
	s.forget(sp.Off, sp.Off+int64(area))
	s.noFlags()
}

// own checks what the function's own callees and its caller rely upon.
func (s *accessStep) own() {
	if !s.access.Own(s.regs[regCtx], s.regs[regMemBase]) {
		s.fail(s.in, "context (%v) or memory base (%v) are not the function's own", s.regs[regCtx].Kind, s.regs[regMemBase].Kind)
	}
}

// leave checks that the stack pointer is where it was on entry.
func (s *accessStep) leave() {
	s.own()
	if s.regs[RSP] != (backend.Fact{Kind: backend.FactStack}) {
		s.fail(s.in, "leaves with the stack pointer at %d from the return address", s.regs[RSP].Off)
	}
}
