//go:build linux

package loader

import "encoding/binary"

// A small emitter for the stubs: the few instruction forms they need, as a table.

// gpr is a register number.
type gpr = uint8

const (
	rPtr  gpr = 16 // for offsets that instructions have no room for
	rLink gpr = 30
	rSP   gpr = 31 // where a base or a sum is meant; elsewhere it is the zero register
)

// access is a load or store with an unsigned offset in units of its size (Arm Architecture Reference Manual, C4.1.94).
type access struct {
	op    uint32
	scale uint8 // log2 of the size
}

var (
	ldrX = access{0xf9400000, 3}
	ldrW = access{0xb9400000, 2}
	ldrS = access{0xbd400000, 2}
	ldrD = access{0xfd400000, 3}
	ldrQ = access{0x3dc00000, 4}
	strX = access{0xf9000000, 3}
	strW = access{0xb9000000, 2}
	strD = access{0xfd000000, 3}
	strQ = access{0x3d800000, 4}
)

// Instructions as words, operands to be added.
const (
	addImm  = 0x91000000 // add x|sp, x|sp, #imm12: shift bit 22, imm12 at 10, Rn at 5, Rd
	subImm  = 0xd1000000
	andBits = 0x92400000 // and x, x, #bitmask of 64 bits: immr at 16, imms at 10
	orrBits = 0xb2400000
	movz    = 0xd2800000 // movz x, #imm16: shift/16 at 21, imm16 at 5, Rd
	movk    = 0xf2800000
	movW    = 0x2a0003e0 // mov w, w: Rm at 16, Rd
	fmovWS  = 0x1e260000 // fmov w, s: Rn at 5, Rd
	stpQ    = 0xad000000 // stp q, q, [x|sp, #imm7*16]: imm7 at 15, Rt2 at 10, Rn at 5, Rt
	ldpQ    = 0xad400000
	adr     = 0x10000000 // adr x, pc+imm21: its upper 19 bits at 5, Rd
	br      = 0xd61f0000 // Rn at 5
	blr     = 0xd63f0000
	ret     = 0xd65f03c0

	mrsFPCR = 0xd53b4400 // mrs x, fpcr: Rt
	mrsFPSR = 0xd53b4420
	msrNZCV = 0xd51b4200
	msrFPCR = 0xd51b4400
	msrFPSR = 0xd51b4420
)

// emitter collects machine code.
type emitter struct{ code []byte }

func (e *emitter) word(w uint32) { e.code = binary.LittleEndian.AppendUint32(e.code, w) }

// reg emits an instruction with registers at bits 0, 5 and 16.
func (e *emitter) reg(op uint32, d, n, m uint8) {
	e.word(op | uint32(m)<<16 | uint32(n)<<5 | uint32(d))
}

// mem emits a load or store of r at [base+disp]; disp is not negative.
func (e *emitter) mem(a access, r uint8, base gpr, disp int64) {
	if units := disp >> a.scale; units<<a.scale == disp && units < 1<<12 {
		e.reg(a.op|uint32(units)<<10, r, base, 0)
		return
	}
	e.movImm(rPtr, uint32(disp))
	const byRegister = 3<<13 | 2<<10 | 1<<21 // [base, x16] in place of the offset
	e.reg(a.op&^(1<<24)|byRegister, r, base, rPtr)
}

// bits emits an operation with n ones from bit lo on.
func (e *emitter) bits(op uint32, d, src gpr, lo, n uint32) {
	e.reg(op|(64-lo)%64<<16|(n-1)<<10, d, src, 0)
}

// movImm emits the move of a constant.
func (e *emitter) movImm(r gpr, v uint32) {
	e.reg(movz|v&0xffff<<5, r, 0, 0)
	if v >>= 16; v != 0 {
		e.reg(movk|1<<21|v<<5, r, 0, 0)
	}
}

// loadWord emits ldr r, [base+disp].
func (e *emitter) loadWord(r, base gpr, disp int64) { e.mem(ldrX, r, base, disp) }

// storeWord emits str r, [base+disp].
func (e *emitter) storeWord(r, base gpr, disp int64) { e.mem(strX, r, base, disp) }

// addTo emits r = base + v, of less than 24 bits; either register may be the stack pointer.
func (e *emitter) addTo(r, base gpr, v int64) {
	op := uint32(addImm)
	if v < 0 {
		op, v = subImm, -v
	}
	if high := uint32(v) >> 12; high != 0 {
		e.reg(op|1<<22|high<<10, r, base, 0)
		base = r
	}
	if low := uint32(v) & 0xfff; low != 0 || base != r {
		e.reg(op|low<<10, r, base, 0)
	}
}

// callAt emits the call of what [base+disp] holds.
func (e *emitter) callAt(base gpr, disp int64) {
	e.loadWord(rPtr, base, disp)
	e.reg(blr, 0, rPtr, 0)
}
