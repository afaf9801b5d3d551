package arm64

// laneBits is the logarithm of the bytes of a lane, and the number of lanes.
func lanes(arr uint8) (log uint8, count uint8) {
	log = (arr - A8B) / 2
	count = 8 >> log
	if (arr-A8B)&1 != 0 {
		count *= 2
	}
	return log, count
}

// vectorShift is the immediate of a shift of vectors: immh:immb, which also says how
// wide lanes are, so that nothing of the size remains in its own place.
func (e *encoding) vectorShift(arr uint8, imm int64) (uint32, bool) {
	log, _ := lanes(arr)
	width := int64(8) << log
	if e.imm == immVecL {
		return uint32(width+imm) << 16, imm >= 0 && imm < width
	}
	return uint32(2*width-imm) << 16, imm >= 1 && imm <= width
}

// laneField is imm5: the lane's width by its lowest one, the index above it.
func laneField(arr, lane uint8) (uint32, bool) {
	log, count := lanes(arr)
	if arr < A8B || arr > A2D {
		return 0, false
	}
	return (uint32(lane)<<1 | 1) << log << 16, lane < count
}

func (a *Asm) lane(c code, d, n Reg, arr, lane uint8, name string) {
	w, ok := c.regs2(d, n)
	f, okLane := laneField(arr, lane)
	if !ok || !okLane {
		a.Fail("at %#x: there is no %s of %s, %s in lane %d of arrangement %d", a.Offset(), name, regName(d), regName(n), lane, arr)
		return
	}
	a.word(w | f)
}

// whole is Q for arrangements of 16 bytes.
func whole(arr uint8) code { return code(arr-A8B) & 1 << 30 }

// Dup puts the low part of integer register n into all lanes of d.
func (a *Asm) Dup(arr uint8, d, n Reg) { a.lane(dVec|0x0E000C00|whole(arr), d, n, arr, 0, "dup") }

// DupLane puts a lane of n into all lanes of d.
func (a *Asm) DupLane(arr uint8, d, n Reg, lane uint8) {
	f, ok := laneField(arr|1, lane)
	w, okRegs := (v2 | 0x0E000400 | whole(arr)).regs2(d, n)
	a.put(w|f, ok && okRegs, NoOp, arr, d, n, lane)
}

// Ins puts the low part of integer register n into a lane of d.
func (a *Asm) Ins(arr uint8, d Reg, lane uint8, n Reg) {
	a.lane(dVec|0x4E001C00, d, n, arr|1, lane, "ins")
}

// InsLane puts lane from of n into lane to of d.
func (a *Asm) InsLane(arr uint8, d Reg, to uint8, n Reg, from uint8) {
	log, count := lanes(arr | 1)
	if from >= count {
		a.bad(NoOp, arr, d, n, from)
		return
	}
	a.lane(v2|0x6E000400|code(from)<<log<<11, d, n, arr|1, to, "ins")
}

// Umov puts a lane of n into integer register d, zero-extended.
func (a *Asm) Umov(arr uint8, d, n Reg, lane uint8) {
	c := nVec | 0x0E003C00
	if arr|1 == A2D {
		c |= qBit
	}
	a.lane(c, d, n, arr|1, lane, "umov")
}

// Smov puts a lane of n into integer register d, sign-extended to size.
func (a *Asm) Smov(arr, size uint8, d, n Reg, lane uint8) {
	log, _ := lanes(arr)
	if size != 4 && size != 8 || 1<<log >= size {
		a.bad(NoOp, size, d, n, lane)
		return
	}
	a.lane(nVec|0x0E002C00|code(size&8)<<27, d, n, arr|1, lane, "smov")
}

// MovLane moves a lane of n to the lowest of d and zeroes the others.
func (a *Asm) MovLane(arr uint8, d, n Reg, lane uint8) {
	a.lane(v2|0x5E000400, d, n, arr|1, lane, "mov")
}

// AddPair adds the two lanes of 64 bits of n into the lowest of d.
func (a *Asm) AddPair(d, n Reg) {
	w, ok := (v2 | 0x5EF1B800).regs2(d, n)
	a.put(w, ok, VADDP, A2D, d, n)
}

// Ext is the vector from byte from on of n and m behind it.
func (a *Asm) Ext(d, n, m Reg, from uint8) {
	w, ok := (v3 | 0x6E000000).regs(d, n, m)
	a.put(w|uint32(from)<<11, ok && from < 16, NoOp, A16B, d, n, m, from)
}

// LoadDup loads one lane from the address in base into all lanes of d.
func (a *Asm) LoadDup(arr uint8, d, base Reg) {
	w, ok := (dVec | nSP | 0x0D40C000 | whole(arr)).regs2(d, base)
	log, _ := lanes(arr)
	a.put(w|uint32(log)<<10, ok && arr >= A8B && arr <= A2D, NoOp, arr, d, base)
}

// LoadLane loads a lane of d from the address in base; StoreLane stores it there.
func (a *Asm) LoadLane(arr uint8, d Reg, lane uint8, base Reg) {
	a.laneAccess(0x0D400000, arr, d, lane, base)
}

// StoreLane stores a lane of d to the address in base.
func (a *Asm) StoreLane(arr uint8, d Reg, lane uint8, base Reg) {
	a.laneAccess(0x0D000000, arr, d, lane, base)
}

// laneAccess spreads the index over Q, S and size from the top; what is left below
// says how wide the lane is (Arm ARM, LD1 single structure).
func (a *Asm) laneAccess(c code, arr uint8, d Reg, lane uint8, base Reg) {
	log, count := lanes(arr | 1)
	w, ok := (dVec | nSP | c).regs2(d, base)
	index := uint32(lane) << log
	size := index & 3
	opcode := uint32(log) << 14 // 000, 010, 100
	if log == 3 {
		opcode, size = 2<<14, 1
	}
	w |= index>>3&1<<30 | index>>2&1<<12 | size<<10 | opcode
	a.put(w, ok && lane < count, NoOp, arr, d, lane, base)
}

// VecImm puts a 16-byte constant into d if one instruction can: a byte, half word or
// word repeated of the kinds that MOVI and MVNI know, bytes that are all ones or
// zeros, a float (Arm ARM, AdvSIMDExpandImm).
func (a *Asm) VecImm(d Reg, lo, hi uint64) bool {
	w, ok := vecImmWord(lo, hi)
	fd, okD := field(d, true, false)
	if !ok || !okD {
		return false
	}
	a.word(w | fd)
	return true
}

// FitsVecImm reports whether VecImm can.
func FitsVecImm(lo, hi uint64) bool {
	_, ok := vecImmWord(lo, hi)
	return ok
}

func vecImmWord(lo, hi uint64) (uint32, bool) {
	const movi uint32 = 0x4F000400
	w := func(op, cmode uint32, imm uint64) (uint32, bool) {
		v := uint32(imm & 0xFF)
		return movi | op<<29 | cmode<<12 | v>>5<<16 | v&31<<5, true
	}
	if lo != hi {
		return 0, false
	}
	if imm, ok := byteMask(lo); ok {
		return w(1, 14, imm)
	}
	s := lo & (1<<32 - 1)
	if lo>>32 != s {
		if f, ok := floatField(8, lo); ok {
			return w(1, 15, uint64(f))
		}
		return 0, false
	}
	h := s & 0xFFFF
	if s>>16 == h {
		if h>>8 == h&0xFF {
			return w(0, 14, h)
		}
		for i := range uint32(2) {
			if h&^(0xFF<<(8*i)) == 0 {
				return w(0, 8|2*i, h>>(8*i))
			}
			if n := ^h & 0xFFFF; n&^(0xFF<<(8*i)) == 0 {
				return w(1, 8|2*i, n>>(8*i))
			}
		}
	}
	n := ^s & (1<<32 - 1)
	for i := range uint32(4) {
		if s&^(0xFF<<(8*i)) == 0 {
			return w(0, 2*i, s>>(8*i))
		}
		if n&^(0xFF<<(8*i)) == 0 {
			return w(1, 2*i, n>>(8*i))
		}
	}
	for i := range uint32(2) { // ones shifted in
		ones := uint64(1)<<(8*(i+1)) - 1
		if s&ones == ones && s>>(8*(i+2)) == 0 {
			return w(0, 12|i, s>>(8*(i+1)))
		}
		if n&ones == ones && n>>(8*(i+2)) == 0 {
			return w(1, 12|i, n>>(8*(i+1)))
		}
	}
	if f, ok := floatField(4, s); ok {
		return w(0, 15, uint64(f))
	}
	return 0, false
}

// byteMask is v with each byte as one bit, if each is all ones or zeros.
func byteMask(v uint64) (imm uint64, ok bool) {
	for i := range 8 {
		switch v >> (8 * i) & 0xFF {
		case 0xFF:
			imm |= 1 << i
		case 0:
		default:
			return 0, false
		}
	}
	return imm, true
}
