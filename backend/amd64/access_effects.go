package amd64

import (
	"math"
	"math/bits"
	"slices"
	"strings"

	"golang.org/x/arch/x86/x86asm"

	"github.com/wasmaot/wasmaot/backend"
	"github.com/wasmaot/wasmaot/backend/check"
	"github.com/wasmaot/wasmaot/compiler/abi"
)

// cond is the condition in the instruction's name.
func (in *accessInst) cond() Cond {
	name := strings.ToLower(in.Op.String())
	name = strings.TrimPrefix(strings.TrimPrefix(name, "cmov"), "j")
	return Cond(slices.Index(condNames[:], name))
}

func effectNone(*accessStep) bool { return true }

func effectMove(s *accessStep) bool {
	f := s.value(1)
	to, toWide := s.wide(0)
	if from, ok := s.wide(1); ok && toWide {
		f = s.CopyPlus(to, from, 0)
	}
	s.write(0, f)
	return true
}

// effectExtend knows loads from jump tables.
func effectExtend(s *accessStep) bool {
	if f, ok := s.tableEntry(); ok {
		s.write(0, f)
		return true
	}
	s.value(1)
	s.write(0, backend.Unknown)
	return true
}

// tableEntry is the entry of a jump table that operand 1 is, with an index for which there are
// entries certainly.
func (s *accessStep) tableEntry() (f backend.Fact, ok bool) {
	m, ok := s.in.Args[1].(x86asm.Mem)
	if !ok || s.in.relative || m.Scale != 4 || m.Disp != 0 || m.Segment != 0 {
		return f, false
	}
	base, _, ok1 := intReg(m.Base)
	index, _, ok2 := intReg(m.Index)
	if !ok1 || !ok2 {
		return f, false
	}
	return s.TableEntry(s.Regs[base], s.Regs[index])
}

func effectLea(s *accessStep) bool {
	m, ok := s.in.Args[1].(x86asm.Mem)
	if !ok {
		s.Fail("no memory operand")
		return true
	}
	f := s.Access.AddressOf(s.address(m), s.in.off)
	if related, ok := s.related(m); ok {
		f = related
	}
	s.write(0, f)
	return true
}

// related is what LEA gives if that is known to relate to registers: register and count, register and
// constant, and the address of an index from where there is room.
func (s *accessStep) related(m x86asm.Mem) (f backend.Fact, ok bool) {
	to, wide := s.wide(0)
	base, _, hasBase := intReg(m.Base)
	if !wide || !hasBase || s.in.relative {
		return f, false
	}
	index, _, hasIndex := intReg(m.Index)
	disp := int64(int32(m.Disp))
	if !hasIndex {
		f = s.CopyPlus(to, base, disp)
		return f, f.Kind == backend.FactCopy && disp > 0
	}
	if m.Scale != 1 {
		return f, false
	}
	if index == s.Count && disp == 0 {
		if f, ok := s.CountSum(to, base); ok {
			return f, true
		}
	}
	return s.Access.Ahead(s.Regs[base], s.Regs[index], disp)
}

func effectExchange(s *accessStep) bool {
	a, ok1 := s.wide(0)
	b, ok2 := s.wide(1)
	if !ok1 || !ok2 || a == RSP || b == RSP {
		s.Fail("exchange of other than 64-bit registers")
		return true
	}
	x, y := s.Regs[a].Plain(), s.Regs[b].Plain()
	s.Set(a, y)
	s.Set(b, x)
	return true
}

// effectCmov makes use of what is known of the flags.
func effectCmov(s *accessStep) bool {
	from, old := s.value(1), s.value(0)
	r, size, ok := s.reg(0)
	c, f := check.Cond(s.in.cond()), &s.Flags
	switch {
	case !ok:
		s.Fail("no register to move to")
	case f.Kind == check.FlagsScan && Cond(c) == CondE && f.RA == r: // replaces what the scan left undefined
		s.write(0, backend.Bits(6).Join(from, false))
	case f.Kind != check.FlagsNone && f.Known == c^1 && size == 8:
		if from.IsExactly(0) {
			s.Settle(r, c)
		}
	case f.Kind != check.FlagsNone && f.Known == c^1:
		s.write(0, old)
	case f.Kind != check.FlagsNone && f.Known == c:
		s.write(0, from)
	default:
		other, _, isReg := s.reg(1)
		if !isReg {
			other = check.NoReg
		}
		s.write(0, s.Chosen(c, from, old, other, r, uint8(size)))
	}
	return true
}

func effectAdd(s *accessStep) bool {
	if r, ok := s.wide(0); ok && r == RSP {
		v, _ := s.imm(1)
		s.MoveStack(v)
		return true
	}
	a, b := s.value(0), s.value(1)
	sum := s.Access.Sum(a, b, 1, 0)
	if v, ok := s.imm(1); ok && s.size() == 8 {
		sum = a.Plus(v)
	}
	s.write(0, sum)
	if r, ok := s.wide(0); ok {
		s.Carry(r, a, b)
	}
	return true
}

func effectSub(s *accessStep) bool {
	r, wide := s.wide(0)
	v, isImm := s.imm(1)
	if wide && r == RSP {
		s.MoveStack(-v)
		return true
	}
	a := s.value(0)
	s.value(1)
	switch f := a.Plus(-v); {
	case isImm && wide && r == s.Count && v > 0 && a.Number().Lo >= uint64(v):
		s.CountDown(f.Number(), v)
	case isImm:
		s.write(0, f)
	case s.in.Args[0] == s.in.Args[1]:
		s.write(0, backend.Exactly(0))
	default:
		s.write(0, backend.Unknown)
	}
	return true
}

// effectAnd knows how an index is masked.
func effectAnd(s *accessStep) bool {
	a, b := s.value(0), s.value(1)
	if b.Kind == backend.FactBelow {
		a, b = b, a
	}
	if a.Kind == backend.FactBelow && b.Kind == backend.FactMask && a.Site == b.Site {
		a.Kind, a.Lo = backend.FactMasked, 0
		s.write(0, a)
		return true
	}
	s.write(0, backend.Fact{Hi: min(a.Number().Hi, b.Number().Hi)})
	return true
}

func effectOr(s *accessStep) bool {
	a, b := s.value(0), s.value(1)
	if s.in.Op == x86asm.XOR && s.in.Args[0] == s.in.Args[1] {
		s.write(0, backend.Exactly(0))
		return true
	}
	most := a.Number().Hi | b.Number().Hi
	s.write(0, backend.Fact{Hi: math.MaxUint64 >> bits.LeadingZeros64(most)})
	return true
}

// effectBorrow knows how the mask of an index is made.
func effectBorrow(s *accessStep) bool {
	f := &s.before
	s.value(0)
	s.value(1)
	r, wide := s.wide(0)
	if !wide || s.in.Args[0] != s.in.Args[1] || f.Kind != check.FlagsCompare || f.Size != 8 || f.Known != check.Cond(CondB) {
		s.write(0, backend.Unknown)
		return true
	}
	s.Set(r, backend.Fact{Kind: backend.FactMask, Site: f.Site})
	return true
}

func effectShift(s *accessStep) bool {
	a := s.value(0)
	n, ok := s.imm(1)
	if s.in.Args[1] == x86asm.Arg(nil) {
		n, ok = 1, true
	}
	x := a.Number()
	if !ok || n < 0 || n > 63 {
		s.write(0, x) // no larger
		if x.Lo > 0 {
			s.write(0, backend.Fact{Hi: x.Hi})
		}
		return true
	}
	f := backend.Fact{Lo: x.Lo >> n, Hi: x.Hi >> n}
	r, wide := s.wide(0)
	switch {
	case wide && r == s.Count && n > 0 && x.Lo > 0:
		s.CountDown(f, 1)
	case wide && a.Kind == backend.FactCopy && a.Index == int32(s.Count) && a.Off == 0 && n > 0 && x.Lo > 0:
		s.Set(r, backend.Fact{Kind: backend.FactBeforeCount, Lo: f.Lo, Hi: f.Hi})
	default:
		s.write(0, f)
		if wide && a.Kind == backend.FactCopy && a.Off == 0 && n == 32 {
			s.Flags = check.Flags{Kind: check.FlagsUpper, RA: Reg(a.Index), RB: NoReg, RL: NoReg, Known: check.NoCond}
		}
	}
	return true
}

// effectScan leaves the register alone, with its upper half, if there is no bit to find.
func effectScan(s *accessStep) bool {
	s.value(1)
	r, size, ok := s.reg(0)
	if !ok || size < 4 {
		s.write(0, backend.Unknown)
		return true
	}
	s.Set(r, s.Regs[r].Number().Join(backend.Bits(32), false))
	s.Flags = check.Flags{Kind: check.FlagsScan, RA: r, RB: NoReg, RL: NoReg, Known: check.NoCond}
	return true
}

func effectCountBits(s *accessStep) bool {
	s.value(1)
	s.write(0, backend.Bits(7))
	return true
}

func effectCompare(s *accessStep) bool {
	a, b := s.value(0), s.value(1)
	if m, ok := s.in.Args[0].(x86asm.Mem); ok && b.Kind == backend.FactTypeID {
		if at := s.address(m); at.Kind == backend.FactDesc && at.Off == abi.FuncDescTypeID && m.Index == 0 {
			r, _, _ := intReg(m.Base)
			s.CompareType(r, b)
			return true
		}
	}
	s.Compare(uint8(s.size()), a, b, s.compared(0), s.compared(1))
	return true
}

// compared is operand i if it is a register of which a comparison tells.
func (s *accessStep) compared(i int) Reg {
	if r, size, ok := s.reg(i); ok && size >= 4 {
		return r
	}
	return check.NoReg
}

func effectTest(s *accessStep) bool {
	s.value(0)
	s.value(1)
	if r, size, ok := s.reg(0); ok && s.in.Args[0] == s.in.Args[1] {
		s.Test(uint8(size), r)
	}
	return true
}

// effectWide writes rax and rdx.
func effectWide(s *accessStep) bool {
	a, b := s.Regs[RAX].Number(), s.value(0).Number()
	low, high := backend.Unknown, backend.Unknown
	switch size := s.size(); {
	case size == 4:
		low, high = backend.Bits(32), backend.Bits(32)
	case size == 8 && s.in.Op == x86asm.MUL: // a quotient by a constant is the upper half of a product
		high.Hi, _ = bits.Mul64(a.Hi, b.Hi)
	}
	s.Set(RAX, low)
	s.Set(RDX, high)
	return true
}

// effectTwoHalves writes two operands, the high half last if they are one.
func effectTwoHalves(s *accessStep) bool {
	a, b := s.Regs[RDX].Number(), s.value(2).Number()
	s.write(1, backend.Unknown)
	high := backend.Unknown
	if s.size() == 8 {
		high.Hi, _ = bits.Mul64(a.Hi, b.Hi)
	}
	s.write(0, high)
	return true
}

func effectMultiply(s *accessStep) bool {
	if s.in.Args[1] == nil {
		return effectWide(s)
	}
	s.plain()
	return true
}

func effectSign(s *accessStep) bool {
	if s.in.Op == x86asm.CDQ {
		s.Set(RDX, backend.Bits(32))
	} else {
		s.Set(RDX, backend.Unknown)
	}
	return true
}

// effectString needs room for the count at its operands. The direction is upward: nothing
// changes it.
func effectString(s *accessStep) bool {
	if !slices.Contains(s.in.Prefix[:], x86asm.PrefixREP) {
		s.Fail("not repeated")
	}
	pointers := []Reg{RDI}
	if s.in.Op == x86asm.MOVSB {
		pointers = append(pointers, RSI)
	}
	for _, r := range pointers {
		if f := s.Regs[r]; f.Kind != backend.FactCounted || f.Off < 0 {
			s.Fail("%s (%v) has no room for the count", regName(r), f.Kind)
		}
	}
	for _, r := range pointers {
		s.Set(r, backend.Unknown)
	}
	s.Set(s.Count, backend.Exactly(0))
	return true
}

// effectBranch passes what is known if the condition holds to the jump's target, and goes on with what
// is known if not.
func effectBranch(s *accessStep) bool {
	c := check.Cond(s.in.cond())
	s.jumpTo(c)
	return s.Assume(c ^ 1)
}

// jumpTo passes what is known to the jump's target.
func (s *accessStep) jumpTo(c check.Cond) {
	if rel, ok := s.in.Args[0].(x86asm.Rel); ok {
		s.JumpTo(int64(s.in.end)+int64(rel), c)
	} else {
		s.Fail("jump without a distance")
	}
}

func effectJump(s *accessStep) bool {
	switch x := s.in.Args[0].(type) {
	case x86asm.Rel:
		if f, ok := relocated(s.Checker, s.in); ok {
			s.JumpDirect(f)
		} else {
			s.jumpTo(check.NoCond)
		}
		return false
	case x86asm.Reg:
		if r, _, ok := intReg(x); ok {
			s.JumpByTable(s.Regs[r])
			return false
		}
	}
	s.Fail("jump to an unknown place")
	return false
}

func effectCall(s *accessStep) bool {
	switch x := s.in.Args[0].(type) {
	case x86asm.Rel:
		f, ok := s.Reloc(s.in.end - 4)
		if !ok {
			s.Fail("call without relocation")
			return true
		}
		s.CallDirect(f)
	case x86asm.Mem:
		desc := s.address(x).Plus(-abi.FuncDescCode)
		if desc.Kind == backend.FactDesc && desc != s.Regs[regCallee] {
			s.Fail("call of a function that is not in the callee register")
		}
		s.CallDesc(desc)
	default:
		s.Fail("call of an unknown place")
	}
	return true
}

func effectReturn(s *accessStep) bool {
	if s.in.Args[0] != nil {
		s.Fail("return that moves the stack pointer")
	}
	s.Leave()
	return false
}

func effectTrap(s *accessStep) bool {
	s.Stop()
	return false
}
