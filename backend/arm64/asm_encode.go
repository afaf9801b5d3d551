package arm64

import "math/bits"

// row is the encoding of op.
func row(op Op) *encoding {
	if op < opCount {
		return &encodings[op]
	}
	return &encodings[NoOp]
}

// withSize is form c of row e for operands of the given size, 0 if there is none.
func (e *encoding) withSize(c code, size uint8) code {
	if c == 0 || size >= sizeEnd {
		return 0
	}
	s := sizeBits[e.size][size]
	if s&sized == 0 {
		return 0
	}
	return c ^ s&^sized
}

// field is the number of register r where the machine takes a vector register, the
// stack pointer or neither.
func field(r Reg, vec, sp bool) (uint32, bool) {
	switch {
	case vec:
		return uint32(r - V0), r >= V0 && r < ZR
	case r < SP:
		return uint32(r), true
	}
	return 31, r == SP && sp || r == ZR && !sp
}

// regs puts the registers d, n and m into c.
func (c code) regs(d, n, m Reg) (w uint32, ok bool) {
	fd, okD := field(d, c&dVec != 0, c&dSP != 0)
	fn, okN := field(n, c&nVec != 0, c&nSP != 0)
	fm, okM := field(m, c&mVec != 0, false)
	return uint32(c) | fd | fn<<5 | fm<<16, c != 0 && okD && okN && okM
}

// regs2 puts d and n into c.
func (c code) regs2(d, n Reg) (w uint32, ok bool) {
	fd, okD := field(d, c&dVec != 0, c&dSP != 0)
	fn, okN := field(n, c&nVec != 0, c&nSP != 0)
	return uint32(c) | fd | fn<<5, c != 0 && okD && okN
}

// put writes an instruction, or fails.
func (a *Asm) put(w uint32, ok bool, op Op, size uint8, operands ...any) {
	if !ok {
		a.bad(op, size, operands...)
		return
	}
	a.word(w)
}

func (a *Asm) bad(op Op, size uint8, operands ...any) {
	for i, x := range operands {
		if r, ok := x.(Reg); ok {
			operands[i] = regName(r)
		}
	}
	a.Fail("at %#x: there is no %s of size %d with operands %v", a.Offset(), row(op).name, size, operands)
}

// RR is op d, n. Vector comparisons compare with 0.
func (a *Asm) RR(op Op, size uint8, d, n Reg) {
	e := row(op)
	w, ok := e.withSize(e.rr, size).regs2(d, n)
	if !ok {
		a.bad(op, size, d, n)
		return
	}
	a.word(w)
}

// RRR is op d, n, m. Additions and subtractions take SP as d and n.
func (a *Asm) RRR(op Op, size uint8, d, n, m Reg) {
	e := row(op)
	c := e.withSize(e.rrr, size)
	if (d == SP || n == SP) && e.ext != 0 {
		a.RRRExt(op, size, d, n, m, ExtUXTX, 0)
		return
	}
	w, ok := c.regs(d, n, m)
	if !ok {
		a.bad(op, size, d, n, m)
		return
	}
	a.word(w)
}

// RRRR is op d, n, m, x.
func (a *Asm) RRRR(op Op, size uint8, d, n, m, x Reg) {
	e := row(op)
	c := e.withSize(e.rrrr, size)
	w, ok := c.regs(d, n, m)
	fx, okX := field(x, c&aVec != 0, false)
	if !ok || !okX {
		a.bad(op, size, d, n, m, x)
		return
	}
	a.word(w | fx<<10)
}

// RRRShift is op d, n, m shifted by a constant.
func (a *Asm) RRRShift(op Op, size uint8, d, n, m Reg, s Shift, by uint8) {
	e := row(op)
	w, ok := e.withSize(e.rrr, size).regs(d, n, m)
	if !ok || !e.sh || by >= size*8 || s > ShROR || s == ShROR && e.imm == immAdd {
		a.bad(op, size, d, n, m, s, by)
		return
	}
	a.word(w | uint32(s)<<22 | uint32(by)<<10)
}

// RRRExt is op d, n, m extended and then shifted to the left by at most 4.
func (a *Asm) RRRExt(op Op, size uint8, d, n, m Reg, x Ext, by uint8) {
	e := row(op)
	w, ok := e.withSize(e.ext, size).regs(d, n, m)
	if !ok || x > ExtSXTX || by > 4 {
		a.bad(op, size, d, n, m, x, by)
		return
	}
	a.word(w | uint32(x)<<13 | uint32(by)<<10)
}

// RRI is op d, n, imm.
func (a *Asm) RRI(op Op, size uint8, d, n Reg, imm int64) {
	e := row(op)
	if e.imm == immAdd && imm < 0 {
		e, imm = row(e.neg), -imm
	}
	w, ok := e.withSize(e.i, size).regs2(d, n)
	v, fits := e.immediate(size, Reg(w>>5&31), imm)
	if !ok || !fits {
		a.bad(op, size, d, n, imm)
		return
	}
	a.word(w | v)
}

// immediate is the field of an immediate; n is the number of the first source.
func (e *encoding) immediate(size uint8, n Reg, imm int64) (uint32, bool) {
	width := uint32(size) * 8
	v := uint32(imm)
	inWidth := uint64(imm) < uint64(width)
	switch e.imm {
	case immAdd:
		return addField(imm)
	case immLogic:
		return logicField(size, imm)
	case immRor:
		return v<<10 | uint32(n)<<16 | uint32(size&8)<<19, inWidth // N as sf
	case immRight:
		return v<<16 | (width-1)<<10 | uint32(size&8)<<19, inWidth
	case immLeft:
		return (-v&(width-1))<<16 | (width-1-v)<<10 | uint32(size&8)<<19, inWidth
	case immVecL, immVecR:
		return e.vectorShift(size, imm)
	}
	return 0, false
}

// addField is the immediate of an addition: 12 bits, in place or shifted by 12.
func addField(imm int64) (uint32, bool) {
	switch {
	case uint64(imm) < 1<<12:
		return uint32(imm) << 10, true
	case uint64(imm) < 1<<24 && imm&(1<<12-1) == 0:
		return 1<<22 | uint32(imm>>12)<<10, true
	}
	return 0, false
}

// AddImm reports whether ADD and its kin take imm, SUB for a negative one.
func AddImm(imm int64) bool {
	if imm < 0 {
		imm = -imm
	}
	_, ok := addField(imm)
	return ok
}

// LogicImm reports whether AND and its kin take imm.
func LogicImm(size uint8, imm int64) bool {
	_, ok := logicField(size, imm)
	return ok
}

// logicField is the immediate of a bitwise operation: a run of ones, rotated, in an
// element of 2, 4, … 64 bits that is repeated (Arm ARM, DecodeBitMasks).
func logicField(size uint8, imm int64) (uint32, bool) {
	v := uint64(imm)
	if size == 4 {
		if imm != int64(int32(imm)) && v>>32 != 0 {
			return 0, false
		}
		v = v<<32 | v&(1<<32-1)
	}
	if v == 0 || v == ^uint64(0) {
		return 0, false
	}
	element := uint(64)
	for element > 2 && v == bits.RotateLeft64(v, int(element/2)) {
		element /= 2
	}
	mask := ^uint64(0) >> (64 - element)
	// Rotate the run down to bit 0. It starts where a one follows a zero.
	rotation := uint(bits.TrailingZeros64(v &^ bits.RotateLeft64(v, 1)))
	low := bits.RotateLeft64(v, -int(rotation)) & mask
	ones := uint(bits.OnesCount64(low))
	if low != 1<<ones-1 {
		return 0, false
	}
	immr := (element - rotation) & (element - 1)
	imms := -(element<<1)&0x3F | ones - 1
	n := uint32(element >> 6)
	return n<<22 | uint32(immr)<<16 | uint32(imms)<<10, true
}

// Extr is the size bytes from bit lsb on of n:m, m being the lower.
func (a *Asm) Extr(size uint8, d, n, m Reg, lsb uint8) {
	e := row(ROR)
	w, ok := e.withSize(e.i, size).regs(d, n, m)
	if !ok || lsb >= size*8 {
		a.bad(ROR, size, d, n, m, lsb)
		return
	}
	a.word(w | uint32(lsb)<<10 | uint32(size&8)<<19)
}

// FieldOp is an operation on bit fields.
type FieldOp uint32

const (
	SBFM FieldOp = 0x13000000
	BFM  FieldOp = 0x33000000
	UBFM FieldOp = 0x53000000
)

// Bits is op d, n, #immr, #imms.
func (a *Asm) Bits(op FieldOp, size uint8, d, n Reg, immr, imms uint8) {
	c := row(SXTB).withSize(code(op), size)
	w, ok := c.regs2(d, n)
	if !ok || immr >= size*8 || imms >= size*8 {
		a.Fail("at %#x: there is no bit field operation %#x of size %d on %s, %s, %d, %d", a.Offset(), uint32(op), size, regName(d), regName(n), immr, imms)
		return
	}
	a.word(w | uint32(immr)<<16 | uint32(imms)<<10)
}

// SelOp chooses between n and a function of m.
type SelOp uint64

const (
	CSEL  SelOp = 0x1A800000
	CSINC SelOp = 0x1A800400
	CSINV SelOp = 0x5A800000
	CSNEG SelOp = 0x5A800400
	FCSEL SelOp = SelOp(v3) | 0x1E200C00
)

// Sel is op d, n, m, c.
func (a *Asm) Sel(op SelOp, size uint8, d, n, m Reg, c Cond) {
	class := szW
	if op == FCSEL {
		class = szF
	}
	e := encoding{size: class}
	w, ok := e.withSize(code(op), size).regs(d, n, m)
	if !ok || c > CondLE {
		a.Fail("at %#x: there is no select %#x of size %d of %s, %s, %s if %v", a.Offset(), uint64(op), size, regName(d), regName(n), regName(m), c)
		return
	}
	a.word(w | uint32(c)<<12)
}

// CompareOp is a comparison under a condition.
type CompareOp uint32

const (
	CCMN CompareOp = 0x3A400000
	CCMP CompareOp = 0x7A400000
)

// CCmp compares n with m if c holds and else sets the flags to nzcv.
func (a *Asm) CCmp(op CompareOp, size uint8, n, m Reg, nzcv uint8, c Cond) {
	fm, ok := field(m, false, false)
	a.conditional(uint32(op)|fm<<16, ok, size, n, nzcv, c)
}

// CCmpI compares n with imm, which has 5 bits, if c holds and else sets the flags.
func (a *Asm) CCmpI(op CompareOp, size uint8, n Reg, imm, nzcv uint8, c Cond) {
	a.conditional(uint32(op)|1<<11|uint32(imm)<<16, imm < 32, size, n, nzcv, c)
}

func (a *Asm) conditional(w uint32, ok bool, size uint8, n Reg, nzcv uint8, c Cond) {
	fn, okN := field(n, false, false)
	if !ok || !okN || nzcv > 15 || c > CondLE || size != 4 && size != 8 {
		a.Fail("at %#x: there is no conditional comparison %#x of size %d of %s if %v", a.Offset(), w, size, regName(n), c)
		return
	}
	a.word(w | uint32(size&8)<<28 | fn<<5 | uint32(c)<<12 | uint32(nzcv))
}

// FCmp compares floats.
func (a *Asm) FCmp(size uint8, n, m Reg) {
	e := encoding{size: szF}
	w, ok := e.withSize(nVec|mVec|0x1E202000, size).regs(X0, n, m)
	a.put(w, ok, NoOp, size, n, m)
}

// FCmp0 compares a float with 0.
func (a *Asm) FCmp0(size uint8, n Reg) {
	e := encoding{size: szF}
	w, ok := e.withSize(nVec|0x1E202008, size).regs2(X0, n)
	a.put(w, ok, NoOp, size, n)
}

// ConvOp converts between integers and floats.
type ConvOp uint64

const (
	SCVTF  ConvOp = ConvOp(dVec) | 0x1E220000
	UCVTF  ConvOp = ConvOp(dVec) | 0x1E230000
	FCVTZS ConvOp = ConvOp(nVec) | 0x1E380000
	FCVTZU ConvOp = ConvOp(nVec) | 0x1E390000
)

// Conv is op d, n: an integer of isize bytes and a float of fsize bytes.
func (a *Asm) Conv(op ConvOp, isize, fsize uint8, d, n Reg) {
	i, f := encoding{size: szW}, encoding{size: szF}
	w, ok := f.withSize(i.withSize(code(op), isize), fsize).regs2(d, n)
	if !ok {
		a.Fail("at %#x: there is no conversion %#x of sizes %d and %d of %s, %s", a.Offset(), uint64(op), isize, fsize, regName(d), regName(n))
		return
	}
	a.word(w)
}
