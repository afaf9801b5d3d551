package arm64

import "math/bits"

// MemOp is a load or store.
type MemOp uint8

const (
	STR   MemOp = iota // size bytes of an integer or vector register
	LDR                // likewise; the rest of the register becomes 0
	LDRSB              // loads of 1, 2, 4 bytes, sign-extended to size
	LDRSH
	LDRSW
	memOps
)

// access is what a load or store is like.
type access struct {
	bytes uint8 // that it reaches; 0: there is none
	vec   bool
	code  uint32 // with everything but operands, in the form with an unscaled offset
}

// The load/store register group; its fields are size (31:30), V (26) and opc (23:22).
const (
	memCode = 0x38000000
	memV    = 1 << 26
)

// accesses are by operation, register file and size.
var accesses = [memOps][2][17]access{
	STR: {
		{1: {1, false, memCode}, 2: {2, false, memCode | 1<<30}, 4: {4, false, memCode | 2<<30}, 8: {8, false, memCode | 3<<30}},
		{1: {1, true, memCode | memV}, 2: {2, true, memCode | 1<<30 | memV}, 4: {4, true, memCode | 2<<30 | memV}, 8: {8, true, memCode | 3<<30 | memV}, 16: {16, true, memCode | memV | 2<<22}},
	},
	LDR: {
		{1: {1, false, memCode | 1<<22}, 2: {2, false, memCode | 1<<30 | 1<<22}, 4: {4, false, memCode | 2<<30 | 1<<22}, 8: {8, false, memCode | 3<<30 | 1<<22}},
		{1: {1, true, memCode | memV | 1<<22}, 2: {2, true, memCode | 1<<30 | memV | 1<<22}, 4: {4, true, memCode | 2<<30 | memV | 1<<22}, 8: {8, true, memCode | 3<<30 | memV | 1<<22}, 16: {16, true, memCode | memV | 3<<22}},
	},
	LDRSB: {{4: {1, false, memCode | 3<<22}, 8: {1, false, memCode | 2<<22}}},
	LDRSH: {{4: {2, false, memCode | 1<<30 | 3<<22}, 8: {2, false, memCode | 1<<30 | 2<<22}}},
	LDRSW: {{8: {4, false, memCode | 2<<30 | 2<<22}}},
}

var memNames = [memOps]string{STR: "str", LDR: "ldr", LDRSB: "ldrsb", LDRSH: "ldrsh", LDRSW: "ldrsw"}

// Addressing modes, as what they change in a code (Arm ARM, C4.1.94).
const (
	bitsScaled   = 1 << 24 // unsigned offset in units of the access
	bitsPost     = 1 << 10
	bitsPre      = 3 << 10
	bitsRegister = 1<<21 | 2<<10
)

// find is the access of op and size for register t.
func (op MemOp) find(size uint8, t Reg) *access {
	vec := 0
	if t >= V0 && t < ZR {
		vec = 1
	}
	if op >= memOps || size > 16 {
		return &access{}
	}
	return &accesses[op][vec][size]
}

// Mem is op t, m.
func (a *Asm) Mem(op MemOp, size uint8, t Reg, m Mem) {
	x := op.find(size, t)
	ft, ok := field(t, x.vec, false)
	if !ok || x.bytes == 0 {
		a.badMem(op, size, t, m)
		return
	}
	if m.Const != 0 {
		a.literal(op, size, t, m)
		return
	}
	w, ok := x.address(&m)
	if !ok {
		a.badMem(op, size, t, m)
		return
	}
	a.word(w | ft)
}

func (a *Asm) badMem(op MemOp, size uint8, t Reg, m Mem) {
	name := "access"
	if op < memOps {
		name = memNames[op]
	}
	a.Fail("at %#x: there is no %s of size %d with %s at %+v", a.Offset(), name, size, regName(t), m)
}

// address is x with its address.
func (x *access) address(m *Mem) (uint32, bool) {
	base, ok := field(m.Base, false, true)
	w := x.code | base<<5
	if m.Index != NoReg {
		index, okIndex := field(m.Index, false, false)
		scale := uint8(bits.TrailingZeros8(x.bytes))
		s := uint32(0)
		if m.Shift != 0 {
			s = 1 << 12
		}
		ok = ok && okIndex && m.Disp == 0 && m.Mode == ModeOffset && m.Ext&2 != 0 && m.Ext <= ExtSXTX && (m.Shift == 0 || m.Shift == scale)
		return w | bitsRegister | index<<16 | uint32(m.Ext)<<13 | s, ok
	}
	scaled := uint32(m.Disp) / uint32(x.bytes)
	switch small := m.Disp >= -256 && m.Disp < 256; {
	case m.Mode == ModeOffset && m.Disp >= 0 && scaled < 1<<12 && scaled*uint32(x.bytes) == uint32(m.Disp):
		return w | bitsScaled | scaled<<10, ok
	case !small || m.Mode > ModePost:
		return 0, false
	case m.Mode == ModePre:
		w |= bitsPre
	case m.Mode == ModePost:
		w |= bitsPost
	}
	return w | uint32(m.Disp)&0x1FF<<12, ok
}

// FitsDisp reports whether an access of size bytes takes the displacement.
func FitsDisp(size uint8, disp int32) bool {
	return disp >= -256 && disp < 256 || disp >= 0 && disp&int32(size-1) == 0 && disp < int32(size)<<12
}

// literalLoad is LDR of a constant: the instruction near it, and the load it takes
// from an address.
type literalLoad struct{ near, far uint32 }

type literalTable []literalLoad

// literalLoads are by size 4, 8, 16 of integers and vectors, and LDRSW.
var literalLoads = literalTable{
	{0x18000000, memCode | 2<<30 | 1<<22 | bitsScaled},
	{0x58000000, memCode | 3<<30 | 1<<22 | bitsScaled},
	{0x98000000, memCode | 2<<30 | 2<<22 | bitsScaled},
	{0x1C000000, memCode | 2<<30 | memV | 1<<22 | bitsScaled},
	{0x5C000000, memCode | 3<<30 | memV | 1<<22 | bitsScaled},
	{0x9C000000, memCode | memV | 3<<22 | bitsScaled},
}

// far is the load from an address for the near load w.
func (t literalTable) far(w uint32) uint32 {
	for _, l := range t {
		if l.near == w&^31 {
			return l.far
		}
	}
	return 0
}

// near is the near load for the access.
func (t literalTable) near(x *access) uint32 {
	for _, l := range t {
		if l.far == x.code|bitsScaled {
			return l.near
		}
	}
	return 0
}

func (a *Asm) literal(op MemOp, size uint8, t Reg, m Mem) {
	x := op.find(size, t)
	near := literalLoads.near(x)
	ft, ok := field(t, x.vec, false)
	if near == 0 || !ok || m.Base != NoReg || m.Index != NoReg || m.Disp != 0 || m.Mode != ModeOffset {
		a.badMem(op, size, t, m)
		return
	}
	a.Reference(classLiteral, m.Const, near|ft)
}

// PairOp is a load or store of two registers.
type PairOp uint32

const (
	STP PairOp = 0x28000000
	LDP PairOp = 0x28400000
)

// pairBits are by register file and size (Arm ARM, load/store register pair).
var pairBits = [2][17]struct {
	ok   bool
	bits uint32
}{
	{4: {true, 0}, 8: {true, 2 << 30}},
	{4: {true, 1 << 26}, 8: {true, 1<<26 | 1<<30}, 16: {true, 1<<26 | 2<<30}},
}

// pairModes are by Mode.
var pairModes = [...]uint32{ModeOffset: 2 << 23, ModePre: 3 << 23, ModePost: 1 << 23}

// Pair is op t, u, m: two registers of size bytes each.
func (a *Asm) Pair(op PairOp, size uint8, t, u Reg, m Mem) {
	vec := 0
	if t >= V0 && t < ZR {
		vec = 1
	}
	ft, okT := field(t, vec == 1, false)
	fu, okU := field(u, vec == 1, false)
	base, ok := field(m.Base, false, true)
	if !ok || !okT || !okU || size > 16 || !pairBits[vec][size].ok || m.Index != NoReg || m.Const != 0 || m.Mode > ModePost || !FitsPair(size, m.Disp) {
		a.Fail("at %#x: there is no pair of size %d with %s, %s at %+v", a.Offset(), size, regName(t), regName(u), m)
		return
	}
	disp := uint32(m.Disp/int32(size)) & 0x7F
	a.word(uint32(op) | pairBits[vec][size].bits | pairModes[m.Mode] | disp<<15 | fu<<10 | base<<5 | ft)
}

// FitsPair reports whether a pair of size bytes each takes the displacement.
func FitsPair(size uint8, disp int32) bool {
	s := int32(size)
	return disp%s == 0 && disp >= -64*s && disp < 64*s
}
