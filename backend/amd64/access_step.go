package amd64

import (
	"math"

	"golang.org/x/arch/x86/x86asm"

	"github.com/wasmaot/wasmaot/backend"
	"github.com/wasmaot/wasmaot/backend/check"
)

// accessStep follows the facts through instructions.
type accessStep struct {
	*check.Step
	in     *accessInst
	before check.Flags // before the instruction
}

// step makes the state that after instruction in and reports whether the code goes on behind it. It
// passes the state on to where the instruction jumps.
func (s *accessStep) step() bool {
	in := s.in
	for _, p := range in.Prefix {
		if p.IsVEX() {
			break // what follows is part of it
		}
		switch p &^ (x86asm.PrefixImplicit | x86asm.PrefixIgnored) {
		case x86asm.PrefixFS, x86asm.PrefixGS, x86asm.PrefixAddrSize, x86asm.PrefixAddr32, x86asm.PrefixLOCK:
			s.Fail("prefix %v", p)
		}
	}
	r := in.rule
	if r == nil {
		return s.Unexpected()
	}
	s.before = s.Flags
	if r.props&keepsFlags == 0 {
		s.NoFlags()
	}
	if r.effect == nil {
		s.plain()
		return true
	}
	return r.effect(s)
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
		return check.Cut(s.Regs[r], size)
	case x86asm.Imm:
		v := uint64(x)
		if size := s.size(); size < 8 {
			v &= math.MaxUint64 >> (64 - 8*size)
		}
		return backend.Exactly(v)
	case x86asm.Mem:
		return check.Cut(s.touch(s.address(x), s.memSize(), false), s.memSize())
	}
	return backend.Unknown
}

// write puts f into operand i.
func (s *accessStep) write(i int, f backend.Fact) {
	switch x := s.in.Args[i].(type) {
	case x86asm.Reg:
		r, size, ok := intReg(x)
		switch {
		case !ok && x >= x86asm.X0:
		case !ok || r == RSP:
			s.Fail("writes %v", x)
		case size >= 4:
			s.Set(r, check.Cut(f, size))
		default: // the rest of the register stays
			old := s.Regs[r].Number()
			s.Set(r, backend.Fact{Hi: old.Hi | math.MaxUint64>>(64-8*size)})
		}
	case x86asm.Mem:
		address := s.address(x)
		s.Store(address, s.memSize(), f)
		s.aligned(address, s.memSize())
	}
}

// address is what is known of the address of a memory operand.
func (s *accessStep) address(m x86asm.Mem) backend.Fact {
	disp := int64(int32(m.Disp))
	if m.Segment != 0 {
		s.Fail("segment %v", m.Segment)
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
		base = s.Regs[r]
	}
	if m.Index == 0 {
		return base.Plus(disp)
	}
	r, _, ok := intReg(m.Index)
	if !ok {
		return backend.Unknown
	}
	index = s.Regs[r]
	return s.Sum(base, index, r, m.Scale, disp)
}

// memSize is the number of bytes that the memory operand has.
func (s *accessStep) memSize() uint32 {
	if s.in.MemBytes <= 0 {
		s.Fail("operand of unknown size")
	}
	return uint32(s.in.MemBytes)
}

// touch is an access for reading or writing; what it reads is the result.
func (s *accessStep) touch(address backend.Fact, size uint32, write bool) backend.Fact {
	f := s.Touch(address, size, write)
	s.aligned(address, size)
	return f
}

// aligned checks that 16 bytes of memory are where the instruction takes them.
func (s *accessStep) aligned(address backend.Fact, size uint32) {
	onStack := address.Kind == backend.FactStack
	if size == 16 && s.in.rule.props&unaligned == 0 && !s.in.vex() && !onStack && (address.Kind != backend.FactConstant || address.Off%16 != 0) {
		s.Fail("operand must be at a multiple of 16")
	}
}

func (in *accessInst) vex() bool {
	return in.Prefix[0].IsVEX() || in.Prefix[1].IsVEX()
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
