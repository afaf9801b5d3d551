package arm64

import (
	"encoding/binary"

	"github.com/wasmaot/wasmaot/backend/asm"
)

// Label is a place in the code or in the constants behind it; 0 is none.
type Label = asm.Label

// Asm assembles one function at a time. Its methods are named after operands in the
// order of Arm's manual: R a register, I an immediate. Impossible combinations are
// errors, of which the first sticks.
type Asm struct{ asm.Buffer }

// Reset makes the assembler ready for another function, keeping its memory.
func (a *Asm) Reset() { a.Buffer.Reset(&machine) }

// Mem is a memory operand. As ssa.Inst it has no more than four fields, for speed.
type Mem struct {
	MemRegs
	Mode  Mode
	Disp  int32
	Const Label // not 0: what is at this label, there is no base or index
}

// MemRegs are the registers of a memory operand.
type MemRegs struct {
	Base, Index Reg   // NoReg is none
	Ext         Ext   // of the index: ExtUXTW, ExtSXTW or ExtUXTX
	Shift       uint8 // of the index: 0 or the logarithm of the access's size
}

// only is a base without an index.
func only(base Reg) MemRegs { return MemRegs{Base: base, Index: NoReg} }

// Mode says what becomes of the base register.
type Mode uint8

const (
	ModeOffset Mode = iota // it stays as it is
	ModePre                // the displacement is added before the access
	ModePost               // after the access
)

// At is [base, #disp].
func At(base Reg, disp int32) Mem { return Mem{MemRegs: only(base), Disp: disp} }

// AtIndex is [base, index, ext #shift].
func AtIndex(base, index Reg, ext Ext, shift uint8) Mem {
	return Mem{MemRegs: MemRegs{base, index, ext, shift}}
}

// AtConst is the constant at l.
func AtConst(l Label) Mem { return Mem{MemRegs: only(NoReg), Const: l} }

// Pre is [base, #disp]!, Post is [base], #disp.
func Pre(base Reg, disp int32) Mem { return Mem{MemRegs: only(base), Disp: disp, Mode: ModePre} }

// Post is [base], #disp.
func Post(base Reg, disp int32) Mem { return Mem{MemRegs: only(base), Disp: disp, Mode: ModePost} }

// instSize is the size of an instruction.
const instSize = 4

func (a *Asm) word(w uint32) {
	if len(a.Buf)-a.N < instSize {
		a.Grow()
	}
	binary.LittleEndian.PutUint32(a.Buf[a.N:], w)
	a.N += instSize
}

// Classes of what depends on distances (Arm ARM, C4.1: the immediates of branches
// and of PC-relative addressing).
const (
	classB       = iota // aux is the instruction
	classCond           // B.cond, CBZ, CBNZ
	classTest           // TBZ, TBNZ
	classLiteral        // LDR literal
	classAdr
)

const (
	reach26 = 1 << 27 // bytes, of a 26-bit immediate that counts instructions
	reach19 = 1 << 20
	reach14 = 1 << 15
	reach21 = 1 << 20 // ADR counts bytes

	// farReach is how far what regAddress is used for reaches.
	farReach = 2<<24 - 1<<13
)

var machine = asm.Machine{
	Name: "arm64",
	Classes: []asm.Class{
		classB: asm.Fixed(asm.Form{Size: 4}),
		// Out of reach a condition turns round and skips a branch, which is where
		// distances count from.
		classCond:    {Long: asm.Form{Size: 8, From: 4}, Short: asm.Form{Size: 4}, Min: -reach19, Max: reach19 - 4},
		classTest:    {Long: asm.Form{Size: 8, From: 4}, Short: asm.Form{Size: 4}, Min: -reach14, Max: reach14 - 4},
		classLiteral: {Long: asm.Form{Size: 16}, Short: asm.Form{Size: 4}, Min: -reach19, Max: reach19 - 4},
		classAdr:     {Long: asm.Form{Size: 12}, Short: asm.Form{Size: 4}, Min: -reach21, Max: reach21 - 1},
	},
	Encode: encodeDistance,
	Fill:   fillNOP,
}

func put(b []byte, i int, w uint32) { binary.LittleEndian.PutUint32(b[i*instSize:], w) }

func fillNOP(b []byte) {
	for i := range len(b) / instSize {
		put(b, i, wordNOP)
	}
}

// immAt is distance as an immediate of the given width that counts instructions.
func immAt(distance int64, bits, shift uint) (uint32, bool) {
	v := distance >> 2
	ok := distance&3 == 0 && v >= -1<<(bits-1) && v < 1<<(bits-1)
	return uint32(v) & (1<<bits - 1) << shift, ok
}

// encodeDistance writes what has been noted with its class.
func encodeDistance(b []byte, class uint8, short bool, aux uint32, distance int64) (ok bool) {
	var imm uint32
	switch {
	case class == classB:
		imm, ok = immAt(distance, 26, 0)
		put(b, 0, aux|imm)
	case class == classCond && short, class == classLiteral && short:
		imm, ok = immAt(distance, 19, 5)
		put(b, 0, aux|imm)
	case class == classTest && short:
		imm, ok = immAt(distance, 14, 5)
		put(b, 0, aux|imm)
	case class == classAdr && short:
		put(b, 0, aux|adrImm(distance))
		ok = distance >= -reach21 && distance < reach21
	case class == classCond, class == classTest:
		put(b, 0, opposite(aux)|2<<5) // over the branch
		imm, ok = immAt(distance, 26, 0)
		put(b, 1, wordB|imm)
	case class == classAdr:
		ok = farAddress(b, aux&31, distance)
	case class == classLiteral:
		ok = farAddress(b, uint32(regAddress), distance)
		put(b, 3, literalLoads.far(aux)|uint32(regAddress)<<5|aux&31)
	}
	return ok
}

// opposite is a conditional branch with its condition turned round.
func opposite(w uint32) uint32 {
	if w>>24 == wordBCond>>24 {
		return w ^ 1
	}
	return w ^ 1<<24 // CBZ and CBNZ, TBZ and TBNZ
}

// adrImm is the immediate of ADR.
func adrImm(distance int64) uint32 {
	v := uint32(distance)
	return v&3<<29 | v>>2&(1<<19-1)<<5
}

// farAddress puts an address that is out of ADR's reach into register d.
func farAddress(b []byte, d uint32, distance int64) bool {
	op := wordAddImm
	if distance < 0 {
		op = wordSubImm
	}
	far := max(distance, -distance)
	if far >= farReach {
		return false
	}
	// ADR takes what is below 4096, and the rest is added in two steps of 12 bits each.
	pages := uint32(far >> 12)
	first := min(pages, 1<<12-1)
	near := far & (1<<12 - 1)
	if distance < 0 {
		near = -near
	}
	put(b, 0, wordADR|adrImm(near)|d)
	put(b, 1, op|1<<22|first<<10|d<<5|d)
	put(b, 2, op|1<<22|(pages-first)<<10|d<<5|d)
	return true
}

// B jumps to l.
func (a *Asm) B(l Label) { a.Jump(classB, l, wordB) }

// BCond jumps to l if c holds.
func (a *Asm) BCond(c Cond, l Label) { a.Jump(classCond, l, wordBCond|uint32(c&15)) }

// CBZ jumps to l if r is 0.
func (a *Asm) CBZ(size uint8, r Reg, l Label) { a.compareBranch(wordCBZ, size, r, l) }

// CBNZ jumps to l if r is not 0.
func (a *Asm) CBNZ(size uint8, r Reg, l Label) { a.compareBranch(wordCBZ|1<<24, size, r, l) }

func (a *Asm) compareBranch(w uint32, size uint8, r Reg, l Label) {
	if r >= SP || size != 4 && size != 8 {
		a.Fail("compare and branch of %d bytes of %s: expected 4 or 8 of an integer register", size, regName(r))
		return
	}
	a.Jump(classCond, l, w|uint32(size&8)<<28|uint32(r))
}

// TBZ jumps to l if the bit of r is 0.
func (a *Asm) TBZ(r Reg, bit uint8, l Label) { a.testBranch(wordTBZ, r, bit, l) }

// TBNZ jumps to l if the bit of r is 1.
func (a *Asm) TBNZ(r Reg, bit uint8, l Label) { a.testBranch(wordTBZ|1<<24, r, bit, l) }

func (a *Asm) testBranch(w uint32, r Reg, bit uint8, l Label) {
	if r >= SP || bit > 63 {
		a.Fail("test of bit %d of %s and branch: expected one of 64 of an integer register", bit, regName(r))
		return
	}
	a.Jump(classTest, l, w|uint32(bit>>5)<<31|uint32(bit&31)<<19|uint32(r))
}

// Adr is the address of l, in the code or behind it.
func (a *Asm) Adr(d Reg, l Label) {
	if d >= SP {
		a.Fail("address into %s: expected an integer register", regName(d))
		return
	}
	a.Reference(classAdr, l, wordADR|uint32(d))
}

// BL calls function target of the artifact.
func (a *Asm) BL(target uint32) {
	a.Reloc(target)
	a.word(wordBL)
}

// BFunc jumps to function target of the artifact.
func (a *Asm) BFunc(target uint32) {
	a.Reloc(target)
	a.word(wordB)
}

// BR jumps to the address in r.
func (a *Asm) BR(r Reg) { a.indirect(wordBR, r) }

// BLR calls the address in r.
func (a *Asm) BLR(r Reg) { a.indirect(wordBLR, r) }

// RET returns to the address in x30.
func (a *Asm) RET() { a.indirect(wordRET, X30) }

func (a *Asm) indirect(w uint32, r Reg) {
	if r >= SP {
		a.Fail("branch to the address in %s: expected an integer register", regName(r))
		return
	}
	a.word(w | uint32(r)<<5)
}

// UDF is undefined for good: the processor traps.
func (a *Asm) UDF(imm uint16) { a.word(uint32(imm)) }

// BRK is a breakpoint.
func (a *Asm) BRK(imm uint16) { a.word(wordBRK | uint32(imm)<<5) }

// NOP does nothing.
func (a *Asm) NOP() { a.word(wordNOP) }
