package arm64

// Mov moves between any two registers. Of integers, size 4 zeroes the upper half; of
// vectors, less than 16 bytes zero the others.
func (a *Asm) Mov(size uint8, d, n Reg) {
	vd, vn := d >= V0 && d < ZR, n >= V0 && n < ZR
	switch {
	case vd && vn && size == 16:
		a.RRR(VORR, A16B, d, n, n)
	case vd && vn:
		a.RR(FMOV, size, d, n)
	case vd:
		a.crossing(dVec|0x1E270000, size, d, n)
	case vn:
		a.crossing(nVec|0x1E260000, size, d, n)
	case d == SP || n == SP:
		a.RRI(ADD, size, d, n, 0)
	default:
		a.RRR(ORR, size, d, ZR, n)
	}
}

// crossing is FMOV between an integer and a vector register.
func (a *Asm) crossing(c code, size uint8, d, n Reg) {
	i, f := encoding{size: szW}, encoding{size: szF}
	w, ok := f.withSize(i.withSize(c, size), size).regs2(d, n)
	a.put(w, ok, FMOV, size, d, n)
}

// WideOp moves 16 bits.
type WideOp uint32

const (
	MOVN WideOp = 0x12800000 // all other bits are 1, these inverted
	MOVZ WideOp = 0x52800000 // all other bits are 0
	MOVK WideOp = 0x72800000 // all other bits stay
)

// MovWide is op d, #imm, lsl #shift.
func (a *Asm) MovWide(op WideOp, size uint8, d Reg, imm uint16, shift uint8) {
	e := encoding{size: szW}
	w, ok := e.withSize(code(op), size).regs2(d, X0)
	if !ok || shift&15 != 0 || shift >= size*8 {
		a.Fail("at %#x: there is no move %#x of size %d to %s shifted by %d", a.Offset(), uint32(op), size, regName(d), shift)
		return
	}
	a.word(w | uint32(shift>>4)<<21 | uint32(imm)<<5)
}

// movPlan counts the 16-bit pieces of imm that are not all zeros, and not all ones.
func movPlan(size uint8, imm uint64) (zeros, ones int) {
	for i := range int(size) / 2 {
		switch uint16(imm >> (16 * i)) {
		case 0:
			zeros++
		case 0xFFFF:
			ones++
		}
	}
	return zeros, ones
}

// MovImmLen is the number of instructions of MovImm.
func MovImmLen(size uint8, imm int64) int {
	zeros, ones := movPlan(size, uint64(imm))
	n := max(1, int(size)/2-max(zeros, ones))
	if n > 1 && LogicImm(size, imm) {
		return 1
	}
	return n
}

// MovImm puts imm into d, in as few instructions as it takes. Size 4 zeroes the upper half.
func (a *Asm) MovImm(size uint8, d Reg, imm int64) {
	v := uint64(imm)
	if size == 4 {
		v &= 1<<32 - 1
	}
	zeros, ones := movPlan(size, v)
	pieces := int(size) / 2
	if pieces-max(zeros, ones) > 1 && LogicImm(size, imm) {
		a.RRI(ORR, size, d, ZR, imm)
		return
	}
	first, skip, flip := MOVZ, uint16(0), uint16(0)
	if ones > zeros {
		first, skip, flip = MOVN, 0xFFFF, 0xFFFF
	}
	op := first
	for i := range pieces {
		piece := uint16(v >> (16 * i))
		if piece == skip {
			continue
		}
		if op == first {
			a.MovWide(op, size, d, piece^flip, uint8(16*i))
			op = MOVK
		} else {
			a.MovWide(op, size, d, piece, uint8(16*i))
		}
	}
	if op == first {
		a.MovWide(op, size, d, 0, 0)
	}
}

// floatField is the 8-bit immediate of FMOV for the float of size bytes with the given
// bits: 1 sign, 3 exponent, 4 fraction (Arm ARM, VFPExpandImm).
func floatField(size uint8, v uint64) (uint32, bool) {
	exponent, fraction := uint(8), uint(23)
	if size == 8 {
		exponent, fraction = 11, 52
	}
	low := v & (1<<(fraction-4) - 1)
	e := uint32(v>>fraction) & (1<<exponent - 1)
	sign := uint32(v>>(exponent+fraction)) & 1
	// The exponent is the inverse of bit 6, then bit 6 over and over, then two bits.
	top := e >> 2 // exponent-2 bits
	var b uint32
	switch top {
	case 1<<(exponent-3) - 1:
		b = 1
	case 1 << (exponent - 3):
	default:
		return 0, false
	}
	return sign<<7 | b<<6 | e&3<<4 | uint32(v>>(fraction-4))&15, low == 0
}

// FMovImm puts the float of size bytes with the given bits into d without help of an
// integer register or memory, or reports that it cannot.
func (a *Asm) FMovImm(size uint8, d Reg, v uint64) bool {
	if v == 0 {
		return a.VecImm(d, 0, 0)
	}
	field, ok := floatField(size, v)
	if !ok {
		return false
	}
	e := encoding{size: szF}
	w, ok := e.withSize(dVec|0x1E201000, size).regs2(d, X0)
	a.put(w|field<<13, ok, FMOV, size, d, field)
	return true
}
