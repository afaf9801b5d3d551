package arm64

import (
	"math/bits"

	"github.com/wasmaot/wasmaot/backend"
	"github.com/wasmaot/wasmaot/backend/check"
)

func effectNone(*accessStep) bool { return true }

// effectAdr is the address of something in the text.
func effectAdr(s *accessStep) bool {
	off := s.signed(5, 19)<<2 | int64(s.bits(29, 2))
	s.set(s.d(), backend.Fact{Kind: backend.FactConstant, Off: int64(s.At()) + off})
	return true
}

// Of additions and subtractions: what bits 30 and 29 say.
func (s *accessStep) subtracts() bool { return s.bits(30, 1) != 0 }
func (s *accessStep) compares() bool  { return s.bits(29, 1) != 0 }

// effectAddImm adds an immediate or subtracts it; register 31 is the stack pointer, but as destination only if flags stay.
func effectAddImm(s *accessStep) bool {
	v := int64(s.bits(10, 12)) << (12 * s.bits(22, 1))
	d, n, size := s.d(), s.n(), s.size()
	a := check.Cut(s.base(n), size)
	switch {
	case s.compares():
		s.flagsOf(a, backend.Exactly(uint64(v)), Reg(n), check.NoReg, check.NoReg)
		return true
	case d == uint32(SP):
		if n != d || size != 8 {
			s.Fail("stack pointer from elsewhere")
			return true
		}
		if s.subtracts() {
			v = -v
		}
		s.MoveStack(v)
		return true
	case s.subtracts():
		if f := a.Plus(-v); size == 8 && Reg(d) == s.Count && n == d && v > 0 && a.Number().Lo >= uint64(v) {
			s.CountDown(f.Number(), v)
		} else {
			s.write(d, f)
		}
	case size == 8:
		s.write(d, s.Access.AddressOf(s.CopyPlus(Reg(d), Reg(n), v), s.At()))
	default:
		s.write(d, a.Plus(v))
	}
	return true
}

// flagsOf is an addition or subtraction that sets the flags, mostly for these alone.
func (s *accessStep) flagsOf(a, b backend.Fact, ra, rb, low Reg) {
	d, size := s.d(), s.size()
	if !s.subtracts() {
		f := backend.Unknown
		if size == 8 {
			f = s.Access.Sum(a, b, 1, 0)
		}
		s.write(d, f)
		s.NoFlags()
		if size == 8 && d != zero {
			s.Carry(Reg(d), a, b)
		}
		return
	}
	s.Compare(uint8(size), a, b, ra, rb)
	s.Flags.RL = low
	if d != zero {
		f := backend.Unknown
		if b.Lo == b.Hi && b.Kind == backend.FactNumber {
			f = a.Plus(-int64(b.Lo))
		}
		s.write(d, f)
	}
}

// effectAdd adds or subtracts a register that may be shifted.
func effectAdd(s *accessStep) bool {
	size, shift, by := s.size(), Shift(s.bits(22, 2)), s.bits(10, 6)
	a, b := s.value(s.n(), size), s.value(s.m(), size)
	rb := reg(s.m())
	switch {
	case shift == ShLSL && by > 0:
		b = b.Times(1 << by)
		rb = check.NoReg
	case by > 0:
		b, rb = backend.Unknown, check.NoReg
	}
	s.addition(a, b, rb, check.NoReg, by == 0)
	return true
}

// effectAddExt adds or subtracts a register that is extended; register 31 is the stack pointer as for immediates.
func effectAddExt(s *accessStep) bool {
	option, by := s.bits(13, 3), s.bits(10, 3)
	if by > 4 {
		return s.Unexpected()
	}
	if s.d() == uint32(SP) && !s.compares() {
		s.Fail("stack pointer from elsewhere")
		return true
	}
	a, b := check.Cut(s.base(s.n()), s.size()), s.extended(s.m(), option, by)
	low := check.NoReg
	if Ext(option) == ExtUXTW && by == 0 {
		low = reg(s.m())
	}
	s.addition(a, b, check.NoReg, low, false)
	return true
}

// addition adds or subtracts a, which is in register n, and b, which is in rb, or is the low half of low, or no register's. whole
// says that it is all of register m.
func (s *accessStep) addition(a, b backend.Fact, rb, low Reg, whole bool) {
	d, n, m := s.d(), s.n(), s.m()
	ra := reg(n)
	switch {
	case s.compares():
		s.flagsOf(a, b, ra, rb, low)
		return
	case s.subtracts():
		f := backend.Unknown
		if whole && n == m {
			f = backend.Exactly(0)
		} else if b.Kind == backend.FactNumber && b.Lo == b.Hi {
			f = a.Plus(-int64(b.Lo))
		}
		s.write(d, f)
		return
	case s.size() != 8:
		s.write(d, s.Access.Sum(a.Low(32), b.Low(32), 1, 0))
		return
	}
	if whole && n != zero && m != zero && d != zero {
		for _, pair := range [...][2]uint32{{n, m}, {m, n}} {
			from, count := pair[0], pair[1]
			if Reg(count) != s.Count {
				continue
			}
			if f, ok := s.CountSum(Reg(d), Reg(from)); ok {
				s.write(d, f)
				return
			}
		}
	}
	index := rb
	if b.IsAddress() && !a.IsAddress() {
		a, b, index = b, a, ra
	}
	f, ok := s.Access.Ahead(a, b, 0)
	if !ok {
		f = s.Access.AddressOf(s.Sum(a, b, index, 1, 0), s.At())
	}
	s.write(d, f)
}

// The bitwise operations, of bits 30 and 29.
const (
	logicAnd = iota
	logicOr
	logicXor
	logicAnds
)

func effectLogicImm(s *accessStep) bool {
	size := s.size()
	n, immr, imms := s.bits(22, 1), s.bits(16, 6), s.bits(10, 6)
	imm, ok := maskOf(n, immr, imms)
	if !ok || size == 4 && n != 0 {
		return s.Unexpected()
	}
	imm &= allOnes(size)
	if s.d() == uint32(SP) && s.bits(29, 2) != logicAnds {
		s.Fail("stack pointer from elsewhere")
		return true
	}
	a := s.value(s.n(), size).Number()
	switch s.bits(29, 2) {
	case logicAnds:
		s.NoFlags()
		fallthrough
	case logicAnd:
		s.write(s.d(), backend.Fact{Hi: min(a.Hi, imm)})
	default:
		if s.n() == zero {
			s.write(s.d(), backend.Exactly(imm))
		} else {
			s.write(s.d(), backend.Fact{Hi: most(a.Hi | imm)})
		}
	}
	return true
}

// maskOf is the mask that an immediate of a bitwise operation stands for (Arm ARM, DecodeBitMasks).
func maskOf(n, immr, imms uint32) (uint64, bool) {
	length := bits.Len32(n<<6|^imms&63) - 1
	if length < 1 {
		return 0, false
	}
	size := uint32(1) << length
	ones, r := imms&(size-1)+1, immr&(size-1)
	if ones == size {
		return 0, false
	}
	run := uint64(1)<<ones - 1
	element := run>>r | run<<(size-r)
	if size < 64 {
		element &= 1<<size - 1
	}
	for ; size < 64; size *= 2 {
		element |= element << size
	}
	return element, true
}

// effectLogic has a register that may be shifted and inverted.
func effectLogic(s *accessStep) bool {
	size := s.size()
	n, m := s.n(), s.m()
	plain := s.bits(21, 3) == 0 && s.bits(10, 6) == 0
	a, b := s.value(n, size), backend.Unknown
	if plain {
		b = s.value(m, size)
	}
	x, y := a.Number(), b.Number()
	switch op := s.bits(29, 2); {
	case op == logicOr && n == zero && plain && size == 8 && m != zero:
		s.set(s.d(), s.moved(m))
	case op == logicOr && n == zero && plain:
		s.write(s.d(), b)
	case op == logicAnds:
		s.NoFlags()
		if plain && n == m && n != zero {
			s.Test(uint8(size), Reg(n))
		}
		s.write(s.d(), backend.Fact{Hi: min(x.Hi, y.Hi)})
	case op == logicAnd:
		s.write(s.d(), backend.Fact{Hi: min(x.Hi, y.Hi)})
	case op == logicXor && plain && n == m:
		s.write(s.d(), backend.Exactly(0))
	default:
		s.write(s.d(), backend.Fact{Hi: most(x.Hi | y.Hi)})
	}
	return true
}

// moved is what the destination holds after all of register m was moved there.
func (s *accessStep) moved(m uint32) backend.Fact {
	if s.d() == zero {
		return backend.Unknown
	}
	return s.CopyPlus(Reg(s.d()), Reg(m), 0)
}

func effectMoveWide(s *accessStep) bool {
	const movn, movz, movk = 0, 2, 3
	size := s.size()
	shift := 16 * s.bits(21, 2)
	imm := uint64(s.bits(5, 16)) << shift
	if shift >= 8*size {
		return s.Unexpected()
	}
	switch s.bits(29, 2) {
	case movn:
		s.write(s.d(), backend.Exactly(^imm&allOnes(size)))
	case movz:
		s.write(s.d(), backend.Exactly(imm))
	case movk:
		f := s.value(s.d(), size)
		if f.Kind != backend.FactNumber || f.Lo != f.Hi {
			s.write(s.d(), backend.Unknown)
		} else {
			s.write(s.d(), backend.Exactly(f.Lo&^(0xFFFF<<shift)|imm))
		}
	default:
		return s.Unexpected()
	}
	return true
}

// effectBits knows shifts and extensions by zeros.
func effectBits(s *accessStep) bool {
	const ubfm = 2
	size := s.size()
	width := 8 * size
	r, last := s.bits(16, 6), s.bits(10, 6)
	if s.bits(29, 2) != ubfm {
		s.write(s.d(), backend.Unknown)
		return true
	}
	if s.bits(22, 1) != size>>3 || r >= width || last >= width {
		return s.Unexpected()
	}
	d, n := s.d(), s.n()
	x := s.value(n, size).Number()
	if last < r { // to the left, of the low bits
		by := width - r
		f := backend.Fact{Hi: (uint64(1)<<(last+1) - 1) << by}
		if x.Hi>>(last+1) == 0 {
			f = x.Times(1 << by)
		}
		s.write(d, f)
		return true
	}
	f := backend.Fact{Lo: x.Lo >> r, Hi: x.Hi >> r}
	if mask := ^uint64(0) >> (63 - (last - r)); f.Hi > mask {
		f = backend.Fact{Hi: mask}
	}
	shift := size == 8 && last == width-1 && r > 0 && n != zero && Reg(n) == s.Count && x.Lo > 0
	switch {
	case shift && d == n:
		s.CountDown(f, 1)
	case shift && d != zero:
		s.set(d, backend.Fact{Kind: backend.FactBeforeCount})
	default:
		s.write(d, f)
	}
	return true
}

// effectSelect makes use of what is known of the flags.
func effectSelect(s *accessStep) bool {
	d, n, m, size := s.d(), s.n(), s.m(), s.size()
	c := check.Cond(s.bits(12, 4))
	x, y := s.value(n, size), s.value(m, size)
	f := &s.Flags
	known := f.Kind != check.FlagsNone
	increments := s.bits(10, 1) != 0
	switch {
	case increments && s.bits(30, 1) == 0 && n == zero && m == zero:
		s.write(d, backend.Bits(1))
	case increments || s.bits(30, 1) != 0 || c > check.Cond(CondLE):
		s.write(d, backend.Unknown)
	case known && f.Known == c && m == zero:
		s.masked(c, x)
	case known && f.Known == c:
		s.write(d, x)
	case known && f.Known == c^1:
		s.write(d, y)
	default:
		s.write(d, s.Chosen(c, x, y, reg(n), reg(m), uint8(size)))
	}
	return true
}

// masked is a conditional move of x, in register n, that has no effect but when the processor guesses.
func (s *accessStep) masked(c check.Cond, x backend.Fact) {
	d, n, size := s.d(), s.n(), s.size()
	if d == zero || n == zero {
		s.write(d, x)
		return
	}
	if f, ok := s.Masked(Reg(n), x, size == 4, c); ok {
		s.set(d, f)
		return
	}
	if d != n || size != 8 {
		s.write(d, x)
	}
	s.Settle(Reg(d), c^1)
}

// effectCountBits counts bits of one kind.
func effectCountBits(s *accessStep) bool {
	s.write(s.d(), backend.Bits(7))
	return true
}

// effectHigh is the upper half of a product: a quotient by a constant.
func effectHigh(s *accessStep) bool {
	high, _ := bits.Mul64(s.value(s.n(), 8).Number().Hi, s.value(s.m(), 8).Number().Hi)
	s.write(s.d(), backend.Fact{Hi: high})
	return true
}

// effectBranch passes what is known if the condition holds to the jump's target, and goes on with what
// is known if not.
func effectBranch(s *accessStep) bool {
	c := check.Cond(s.bits(0, 4))
	if c > check.Cond(CondLE) {
		return s.Unexpected()
	}
	s.JumpTo(int64(s.At())+s.distance(), c)
	return s.Assume(c ^ 1)
}

// effectZeroBranch compares a register with 0 and leaves the flags alone.
func effectZeroBranch(s *accessStep) bool {
	r, size := s.d(), uint8(s.size())
	s.named(r)
	taken, not := check.Equal, check.NotEqual
	if s.bits(24, 1) != 0 {
		taken, not = not, taken
	}
	to := int64(s.At()) + s.distance()
	if there := s.Branch(); there.AssumeZero(reg(r), size, taken) {
		s.Pass(to, there.State)
	}
	return s.AssumeZero(reg(r), size, not)
}

func effectBitBranch(s *accessStep) bool {
	s.named(s.d())
	s.Pass(int64(s.At())+s.distance(), s.Branch().State)
	return true
}

func effectJump(s *accessStep) bool {
	if f, ok := s.Reloc(s.At()); ok {
		s.JumpDirect(f)
	} else {
		s.JumpTo(int64(s.At())+s.distance(), check.NoCond)
	}
	return false
}

func effectIndirectJump(s *accessStep) bool {
	s.JumpByTable(s.value(s.n(), 8))
	return false
}

func effectCall(s *accessStep) bool {
	f, ok := s.Reloc(s.At())
	if !ok {
		s.Fail("call without relocation")
		return true
	}
	s.CallDirect(f)
	return true
}

// effectIndirectCall calls the code of a descriptor, which is in the callee register.
func effectIndirectCall(s *accessStep) bool {
	f, callee := s.value(s.n(), 8), s.Regs[regCallee]
	if f.Kind != backend.FactCode {
		s.Fail("call of %v", f.Kind)
		return true
	}
	f.Kind = backend.FactDesc
	if callee.Kind != f.Kind || callee.Desc != f.Desc || callee.Index != f.Index || callee.Site != f.Site || callee.Off != 0 {
		s.Fail("call of a function that is not in the callee register")
	}
	s.CallDesc(callee)
	return true
}

func effectReturn(s *accessStep) bool {
	s.Leave()
	return false
}

func effectTrap(s *accessStep) bool {
	s.Stop()
	return false
}
