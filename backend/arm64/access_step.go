package arm64

import (
	"math"

	"github.com/wasmaot/wasmaot/backend"
	"github.com/wasmaot/wasmaot/backend/check"
	"github.com/wasmaot/wasmaot/compiler/abi"
)

// accessStep follows the facts through instructions.
type accessStep struct {
	*check.Step
	*accessInst
}

// reserved are the registers that code must not even name: those of the platform and of the host, and those by which
// interrupted code is entered again.
const reserved = 1<<X16 | 1<<X17 | 1<<X18 | 1<<X28

// step makes the state that after the instruction and reports whether the code goes on behind it. It
// passes the state on to where the instruction jumps.
func (s *accessStep) step() bool {
	r := s.rule
	if r == nil {
		return s.Unexpected()
	}
	for _, f := range [...]struct {
		used accessProps
		reg  uint32
	}{{intD, s.d()}, {intN, s.n()}, {intM, s.m()}, {intA, s.a()}} {
		if r.props&f.used != 0 {
			s.named(f.reg)
		}
	}
	if r.props&setsFlags != 0 {
		s.NoFlags()
	}
	if r.effect == nil {
		s.write(s.d(), backend.Unknown)
		return true
	}
	return r.effect(s)
}

// named refuses registers that code must not name.
func (s *accessStep) named(r uint32) {
	if reserved>>r&1 != 0 {
		s.Fail("uses %s", regName(Reg(r)))
	}
}

// value is what is known of the size bytes of register r, or zero.
func (s *accessStep) value(r, size uint32) backend.Fact {
	if r == zero {
		return backend.Exactly(0)
	}
	return check.Cut(s.Regs[r], size)
}

// reg is register r for a comparison to tell of: none if it is zero.
func reg(r uint32) Reg {
	if r == zero {
		return check.NoReg
	}
	return Reg(r)
}

// write puts f into register r, cut to the instruction's size, unless that is zero.
func (s *accessStep) write(r uint32, f backend.Fact) {
	if r != zero {
		s.Set(Reg(r), check.Cut(f, s.size()))
	}
}

// base is what is known of register r, or the stack pointer.
func (s *accessStep) base(r uint32) backend.Fact { return s.Regs[r] }

// accessOf is a load or store.
type accessOf struct {
	load, vector, signed bool
	bytes                uint32
	t                    uint32 // the register
}

// transfer is the access of the instruction of the load/store register group: fields size, V and opc.
func (s *accessStep) transfer() (x accessOf, ok bool) {
	size, opc := s.bits(30, 2), s.bits(22, 2)
	x = accessOf{vector: s.bits(26, 1) != 0, bytes: 1 << size, load: opc != 0, t: s.d()}
	switch {
	case x.vector && opc >= 2: // 16 bytes
		x.bytes, x.load = 16, opc == 3
		return x, size == 0
	case x.vector:
		return x, true
	}
	s.named(x.t)
	x.signed = opc >= 2
	return x, opc < 2 || size < 2 || size == 2 && opc == 2
}

// access makes the load or store x at address.
func (s *accessStep) access(x accessOf, address backend.Fact) {
	switch {
	case x.load && (x.vector || x.signed):
		s.Touch(address, x.bytes, false)
		if !x.vector {
			s.set(x.t, backend.Unknown)
		}
	case x.load:
		s.set(x.t, check.Cut(s.Touch(address, x.bytes, false), x.bytes))
	case x.vector:
		s.Store(address, x.bytes, backend.Unknown)
	default:
		s.Store(address, x.bytes, s.value(x.t, 8))
	}
}

// set puts f into register r unless that is zero.
func (s *accessStep) set(r uint32, f backend.Fact) {
	if r != zero {
		s.Set(Reg(r), f)
	}
}

// at is an access with base register and displacement.
func (s *accessStep) at(disp int64) bool {
	x, ok := s.transfer()
	if !ok {
		return s.Unexpected()
	}
	address := s.base(s.n()).Plus(disp)
	typeOf := x.load && x.bytes == 4 && !x.signed && !x.vector && address.Kind == backend.FactDesc && address.Off == abi.FuncDescTypeID && x.t != s.n()
	s.access(x, address)
	if typeOf {
		s.set(x.t, backend.Fact{Kind: backend.FactTypeOf, Index: int32(s.n())})
	}
	return true
}

func effectScaled(s *accessStep) bool {
	x, _ := s.transfer()
	return s.at(int64(s.bits(10, 12)) * int64(x.bytes))
}

// effectUnscaled has a displacement of 9 bits, which may change the base register before or after.
func effectUnscaled(s *accessStep) bool {
	const post, unprivileged, pre = 1, 2, 3
	disp := s.signed(12, 9)
	switch mode := s.bits(10, 2); {
	case mode == unprivileged:
		return s.Unexpected()
	case mode == 0:
		return s.at(disp)
	case s.n() == uint32(SP):
		return s.link(mode == pre, disp)
	case mode == pre:
		s.Set(Reg(s.n()), s.base(s.n()).Plus(disp))
		return s.at(0)
	default:
		base := s.n()
		if x, _ := s.transfer(); !x.vector && x.t == base {
			return s.Unexpected()
		}
		ok := s.at(0)
		s.Set(Reg(base), s.base(base).Plus(disp))
		return ok
	}
}

// link saves or restores the return address.
func (s *accessStep) link(pre bool, disp int64) bool {
	x, ok := s.transfer()
	switch {
	case !ok || x.vector || x.bytes != 8 || Reg(x.t) != regLink:
		s.Fail("moves the stack pointer")
	case pre && !x.load && disp == -linkSize:
		s.SaveLink(s.Regs[regLink])
	case !pre && x.load && disp == linkSize:
		s.Set(regLink, s.RestoreLink())
	default:
		s.Fail("moves the stack pointer by %d", disp)
	}
	return true
}

// extended is what is known of register r extended as option says and then shifted to the left.
func (s *accessStep) extended(r, option, shift uint32) backend.Fact {
	f := backend.Unknown
	switch Ext(option) {
	case ExtUXTB:
		f = s.value(r, 1)
	case ExtUXTH:
		f = s.value(r, 2)
	case ExtUXTW:
		f = s.value(r, 4)
	case ExtUXTX, ExtSXTX:
		f = s.value(r, 8)
	}
	if shift > 0 {
		f = f.Times(1 << shift)
	}
	return f
}

// effectIndexed has a register as index.
func effectIndexed(s *accessStep) bool {
	x, ok := s.transfer()
	option := s.bits(13, 3)
	if !ok || option&2 == 0 {
		return s.Unexpected()
	}
	scale := uint8(1)
	if s.bits(12, 1) != 0 {
		scale = uint8(x.bytes)
	}
	base, index := s.base(s.n()), s.extended(s.m(), option, 0)
	if x.signed && x.load && x.bytes == 4 && scale == 4 && !x.vector {
		if f, ok := s.TableEntry(base, index); ok {
			s.set(x.t, f)
			return true
		}
	}
	if s.n() != uint32(SP) && !base.IsAddress() && scale == 1 { // a displacement as base, a base as index
		base, index = index, base
	}
	s.access(x, s.Sum(base, index, reg(s.m()), scale, 0))
	return true
}

// effectLiteral reads a constant.
func effectLiteral(s *accessStep) bool {
	x := accessOf{load: true, vector: s.bits(26, 1) != 0, bytes: 4 << s.bits(30, 2), t: s.d()}
	switch {
	case x.bytes == 32:
		return s.Unexpected()
	case !x.vector:
		s.named(x.t)
		if x.bytes == 16 { // LDRSW
			x.bytes, x.signed = 4, true
		}
	}
	s.access(x, backend.Fact{Kind: backend.FactConstant, Off: int64(s.At()) + s.signed(5, 19)*instSize})
	return true
}

// effectPair loads or stores two registers.
func effectPair(s *accessStep) bool {
	const post, offset, pre = 1, 2, 3
	opc, mode := s.bits(30, 2), s.bits(23, 2)
	x := accessOf{load: s.bits(22, 1) != 0, vector: s.bits(26, 1) != 0, t: s.d()}
	x.bytes = 4 << opc
	if !x.vector {
		x.bytes = 4 << (opc >> 1)
		s.named(x.t)
		s.named(s.a())
	}
	if mode == 0 || opc == 3 || !x.vector && opc == 1 {
		return s.Unexpected()
	}
	base, disp := s.n(), s.signed(15, 7)*int64(x.bytes)
	if mode != offset && (base == uint32(SP) || !x.vector && (x.t == base || s.a() == base)) {
		s.Fail("changes its base register")
		return true
	}
	address := s.base(base)
	if mode != post {
		address = address.Plus(disp)
	}
	s.access(x, address)
	second := address.Plus(int64(x.bytes))
	x.t = s.a()
	s.access(x, second)
	if mode != offset {
		s.Set(Reg(base), s.base(base).Plus(disp))
	}
	return true
}

// effectLane loads or stores one lane, or loads it into all.
func effectLane(s *accessStep) bool {
	opcode, size := s.bits(13, 3), s.bits(10, 2)
	x := accessOf{load: s.bits(22, 1) != 0, vector: true}
	switch opcode {
	case 0, 2:
		x.bytes = 1 << (opcode >> 1)
	case 4:
		x.bytes = 4 << (size & 1)
	case 6: // into all
		x.bytes = 1 << size
	default:
		return s.Unexpected()
	}
	s.access(x, s.base(s.n()))
	return true
}

// effectConvert moves between integers and floats.
func effectConvert(s *accessStep) bool {
	switch s.bits(16, 3) {
	case 2, 3, 7: // to a float
		s.named(s.n())
	default:
		s.named(s.d())
		s.write(s.d(), backend.Unknown)
	}
	return true
}

// effectLaneOut moves a lane to an integer register.
func effectLaneOut(s *accessStep) bool {
	size := uint32(4) << s.bits(30, 1)
	f := backend.Unknown
	if s.bits(12, 1) != 0 && s.bits(16, 3)&7 != 0 { // zero-extended from at most 32 bits
		size = 4
	}
	s.set(s.d(), check.Cut(f, size))
	return true
}

// most is the least number of the form 1<<n - 1 that is at least x.
func most(x uint64) uint64 {
	for shift := 1; shift < 64; shift *= 2 {
		x |= x >> shift
	}
	return x
}

// allOnes is the greatest number of size bytes.
func allOnes(size uint32) uint64 { return math.MaxUint64 >> (64 - 8*size) }
