package amd64

import (
	"encoding/binary"
	"math"
	"math/bits"
	"slices"
	"strings"

	"golang.org/x/arch/x86/x86asm"

	"github.com/wasmaot/wasmaot/backend"
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
	if from, ok := s.wide(1); ok && toWide && from != to &&
		(f.Kind == backend.FactNumber || f.Kind == backend.FactBelow && from == regCount) {
		f = backend.Fact{Kind: backend.FactCopy, Index: int32(from), Lo: f.Lo, Hi: f.Hi}
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
	if !ok1 || !ok2 || s.regs[base].Kind != backend.FactConstant {
		return f, false
	}
	table, hi := s.regs[base].Off, s.regs[index].Number().Hi
	if table < int64(s.code.CodeSize) || hi >= uint64(len(s.code.Text)) || table+4*int64(hi)+4 > int64(len(s.code.Text)) {
		return f, false
	}
	return backend.Fact{Kind: backend.FactJump, Off: table, Hi: hi}, true
}

func effectLea(s *accessStep) bool {
	m, ok := s.in.Args[1].(x86asm.Mem)
	if !ok {
		s.fail(s.in, "no memory operand")
		return true
	}
	f := s.access.AddressOf(s.address(m), s.in.off)
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
	x, disp := s.regs[base], int64(int32(m.Disp))
	const max32 = math.MaxUint32 // sums of such numbers do not wrap around
	switch {
	case !hasIndex && disp > 0 && to != base && x.Number().Hi <= max32:
		sum := x.Number().Plus(disp)
		return backend.Fact{Kind: backend.FactCopy, Index: int32(base), Off: disp, Lo: sum.Lo, Hi: sum.Hi}, true
	case hasIndex && index == regCount && m.Scale == 1 && disp == 0 && to != base && to != index &&
		x.Number().Hi <= max32 && s.regs[index].Number().Hi <= max32:
		return backend.Fact{Kind: backend.FactSum, Index: int32(base)}, true
	case hasIndex && m.Scale == 1 && s.regs[index].Kind == backend.FactAhead:
		y := s.regs[index]
		room := y.Off - disp
		if x == (backend.Fact{Kind: backend.FactGuest, Index: y.Index}) && disp >= 0 && room > 0 {
			return backend.Fact{Kind: backend.FactGuess, Index: y.Index, Site: y.Site, Off: room}, true
		}
	}
	return f, false
}

func effectExchange(s *accessStep) bool {
	a, ok1 := s.wide(0)
	b, ok2 := s.wide(1)
	if !ok1 || !ok2 || a == RSP || b == RSP {
		s.fail(s.in, "exchange of other than 64-bit registers")
		return true
	}
	x, y := s.regs[a].Plain(), s.regs[b].Plain()
	s.set(a, y)
	s.set(b, x)
	return true
}

// effectCmov makes use of what is known of the flags.
func effectCmov(s *accessStep) bool {
	from, old := s.value(1), s.value(0)
	r, size, ok := s.reg(0)
	c, f := s.in.cond(), &s.flags
	switch {
	case !ok:
		s.fail(s.in, "no register to move to")
	case f.kind == flagsScan && c == CondE && f.ra == r: // replaces what the scan left undefined
		s.write(0, backend.Bits(6).Join(from, false))
	case f.kind != flagsNone && f.known == c^1 && size == 8:
		if from.IsExactly(0) {
			s.settle(c)
		}
	case f.kind != flagsNone && f.known == c^1:
		s.write(0, old)
	case f.kind != flagsNone && f.known == c:
		s.write(0, from)
	default:
		s.write(0, s.chosen(c, r, from, old, size))
	}
	return true
}

func effectAdd(s *accessStep) bool {
	if r, ok := s.wide(0); ok && r == RSP {
		v, _ := s.imm(1)
		s.moveStack(v)
		return true
	}
	a, b := s.value(0), s.value(1)
	sum := s.access.Sum(a, b, 1, 0)
	if v, ok := s.imm(1); ok && s.size() == 8 {
		sum = a.Plus(v)
	}
	s.write(0, sum)
	if r, ok := s.wide(0); ok {
		if x := a.Number(); x.Lo > b.Number().Lo {
			b = x
		}
		s.flags = accessFlags{kind: flagsAdd, size: 8, site: s.in.off, b: b.Number(), ra: r, rb: NoReg, known: noCond}
	}
	return true
}

// moveStack moves the stack pointer, which is either where it was on entry or below the frame.
func (s *accessStep) moveStack(by int64) {
	sp := s.regs[RSP].Plus(by)
	if sp.Off != 0 && sp.Off != -s.frame || by == 0 {
		s.fail(s.in, "stack pointer %d from the return address: the frame is %d", sp.Off, s.frame)
	}
	s.set(RSP, sp)
	s.forget(math.MinInt64, sp.Off)
}

func effectSub(s *accessStep) bool {
	r, wide := s.wide(0)
	v, isImm := s.imm(1)
	if wide && r == RSP {
		s.moveStack(-v)
		return true
	}
	a := s.value(0)
	s.value(1)
	switch f := a.Plus(-v); {
	case isImm && wide && r == regCount && v > 0 && a.Number().Lo >= uint64(v):
		s.countDown(f.Number(), v)
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
	if !wide || s.in.Args[0] != s.in.Args[1] || f.kind != flagsCompare || f.size != 8 || f.known != CondB {
		s.write(0, backend.Unknown)
		return true
	}
	s.set(r, backend.Fact{Kind: backend.FactMask, Site: f.site})
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
	case wide && r == regCount && n > 0 && x.Lo > 0:
		s.countDown(f, 1)
	case wide && a.Kind == backend.FactCopy && a.Index == int32(regCount) && a.Off == 0 && n > 0 && x.Lo > 0:
		s.set(r, backend.Fact{Kind: backend.FactBeforeCount})
	default:
		s.write(0, f)
		if wide && a.Kind == backend.FactCopy && a.Off == 0 && n == 32 {
			s.flags = accessFlags{kind: flagsUpper, ra: Reg(a.Index), rb: NoReg, known: noCond}
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
	s.set(r, s.regs[r].Number().Join(backend.Bits(32), false))
	s.flags = accessFlags{kind: flagsScan, ra: r, rb: NoReg, known: noCond}
	return true
}

func effectCountBits(s *accessStep) bool {
	s.value(1)
	s.write(0, backend.Bits(7))
	return true
}

func effectCompare(s *accessStep) bool {
	f := accessFlags{kind: flagsCompare, site: s.in.off, size: uint8(s.size()), a: s.value(0), b: s.value(1), ra: NoReg, rb: NoReg, known: noCond}
	if r, size, ok := s.reg(0); ok && size >= 4 {
		f.ra = r
	}
	if r, size, ok := s.reg(1); ok && size >= 4 {
		f.rb = r
	}
	if m, ok := s.in.Args[0].(x86asm.Mem); ok && f.b.Kind == backend.FactTypeID {
		if at := s.address(m); at.Kind == backend.FactDesc && at.Off == abi.FuncDescTypeID && m.Index == 0 {
			r, _, _ := intReg(m.Base)
			f.kind, f.ra, f.rb = flagsType, r, NoReg
		}
	}
	s.flags = f
	return true
}

func effectTest(s *accessStep) bool {
	s.value(0)
	s.value(1)
	if r, size, ok := s.reg(0); ok && s.in.Args[0] == s.in.Args[1] {
		s.flags = accessFlags{kind: flagsTest, size: uint8(size), ra: r, rb: NoReg, known: noCond}
	}
	return true
}

// effectWide writes rax and rdx.
func effectWide(s *accessStep) bool {
	a, b := s.regs[RAX].Number(), s.value(0).Number()
	low, high := backend.Unknown, backend.Unknown
	switch size := s.size(); {
	case size == 4:
		low, high = backend.Bits(32), backend.Bits(32)
	case size == 8 && s.in.Op == x86asm.MUL: // a quotient by a constant is the upper half of a product
		high.Hi, _ = bits.Mul64(a.Hi, b.Hi)
	}
	s.set(RAX, low)
	s.set(RDX, high)
	return true
}

// effectTwoHalves writes two operands, the high half last if they are one.
func effectTwoHalves(s *accessStep) bool {
	a, b := s.regs[RDX].Number(), s.value(2).Number()
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
		s.set(RDX, backend.Bits(32))
	} else {
		s.set(RDX, backend.Unknown)
	}
	return true
}

// effectString needs room for the count at its operands. The direction is upward: nothing
// changes it.
func effectString(s *accessStep) bool {
	if !slices.Contains(s.in.Prefix[:], x86asm.PrefixREP) {
		s.fail(s.in, "not repeated")
	}
	pointers := []Reg{RDI}
	if s.in.Op == x86asm.MOVSB {
		pointers = append(pointers, RSI)
	}
	for _, r := range pointers {
		if f := s.regs[r]; f.Kind != backend.FactCounted || f.Off < 0 {
			s.fail(s.in, "%s (%v) has no room for the count", regName(r), f.Kind)
		}
	}
	for _, r := range pointers {
		s.set(r, backend.Unknown)
	}
	s.set(regCount, backend.Exactly(0))
	return true
}

// effectBranch passes what is known if the condition holds to the jump's target, and goes on with what
// is known if not.
func effectBranch(s *accessStep) bool {
	c := s.in.cond()
	s.jumpTo(c)
	return s.assume(c ^ 1)
}

func effectJump(s *accessStep) bool {
	switch x := s.in.Args[0].(type) {
	case x86asm.Rel:
		if s.relocated(s.in) {
			s.leave() // a jump to another function
		} else {
			s.jumpTo(noCond)
		}
		return false
	case x86asm.Reg:
		if r, _, ok := intReg(x); ok && s.regs[r].Kind == backend.FactTarget {
			s.jumpByTable(s.regs[r])
			return false
		}
	}
	s.fail(s.in, "jump to an unknown place")
	return false
}

// jumpByTable passes what is known to all entries that the index may select.
func (s *accessStep) jumpByTable(f backend.Fact) {
	for k := range int64(f.Hi) + 1 {
		entry := int32(binary.LittleEndian.Uint32(s.code.Text[f.Off+4*k:]))
		if to, ok := s.target(f.Off + int64(entry)); ok {
			s.flow(to, s.clone())
		} else {
			s.fail(s.in, "entry %d of the jump table leads to where no instruction begins", k)
		}
	}
}

func effectCall(s *accessStep) bool {
	var area uint32
	var err error
	switch x := s.in.Args[0].(type) {
	case x86asm.Rel:
		f, ok := s.relocs[s.in.end-4]
		if !ok {
			s.fail(s.in, "call without relocation")
			return true
		}
		s.own()
		area, err = s.access.DirectArea(f)
	case x86asm.Mem:
		area, err = s.access.Call(s.address(x).Plus(-abi.FuncDescCode), s.regs[regCtx], s.regs[regMemBase])
	default:
		s.fail(s.in, "call of an unknown place")
	}
	if err != nil {
		s.fail(s.in, "%w", err)
	}
	s.afterCall(area)
	return true
}

func effectReturn(s *accessStep) bool {
	if s.in.Args[0] != nil {
		s.fail(s.in, "return that moves the stack pointer")
	}
	s.leave()
	return false
}

func effectTrap(s *accessStep) bool {
	if _, ok := s.traps[s.in.off]; !ok {
		s.fail(s.in, "trap without a trap site")
	}
	return false
}
