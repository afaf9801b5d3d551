package amd64

import (
	"encoding/binary"
	"math"

	"github.com/wasmaot/wasmaot/backend/asm"
)

// Label is a place in the code or in the constants behind it; 0 is none.
type Label = asm.Label

// Mem is a memory operand. Base NoReg is none; there is an index if Scale is not 0.
// As ssa.Inst it has no more than four fields, for speed.
type Mem struct {
	MemRegs
	MemPrefix
	Disp  int32
	Const Label // not 0: relative to this label, there is no other base or index
}

// MemRegs are the registers of a memory operand.
type MemRegs struct {
	Base, Index Reg
	Scale       uint8 // 0, 1, 2, 4, 8
}

// MemPrefix are the prefixes of a memory operand.
type MemPrefix struct {
	GS     bool // relative to the gs segment
	Addr32 bool // the address is truncated to 32 bits
}

// At is [base+disp].
func At(base Reg, disp int32) Mem { return Mem{MemRegs: MemRegs{Base: base}, Disp: disp} }

// AtIndex is [base+index*scale+disp].
func AtIndex(base, index Reg, scale uint8, disp int32) Mem {
	return Mem{MemRegs: MemRegs{base, index, scale}, Disp: disp}
}

// AtConst is the constant or code at l.
func AtConst(l Label) Mem { return Mem{Const: l} }

// Asm assembles one function at a time. The first error sticks and is returned by
// Finish.
type Asm struct{ asm.Buffer }

// Reset makes the assembler ready for another function, keeping its memory.
func (a *Asm) Reset() { a.Buffer.Reset(&machine) }

// Classes of what depends on distances: all count from an instruction's end.
const (
	classJmp      = iota
	classJcc      // aux is the condition
	classRelative // 32 bits before as many bytes as are added to the class, aux is added
)

var machine = asm.Machine{
	Name: "amd64",
	Classes: []asm.Class{
		classJmp: {Long: asm.Form{Size: 5, From: 5}, Short: asm.Form{Size: 2, From: 2}, Min: math.MinInt8, Max: math.MaxInt8},
		classJcc: {Long: asm.Form{Size: 6, From: 6}, Short: asm.Form{Size: 2, From: 2}, Min: math.MinInt8, Max: math.MaxInt8},

		classRelative:     asm.Fixed(asm.Form{Size: 4, From: 4}),
		classRelative + 1: asm.Fixed(asm.Form{Size: 4, From: 5}),
		classRelative + 2: asm.Fixed(asm.Form{Size: 4, From: 6}),
		classRelative + 4: asm.Fixed(asm.Form{Size: 4, From: 8}),
	},
	Encode:  encodeDistance,
	Fill:    fillNOP,
	Between: 0xCC,
}

// encodeDistance writes a jump, or the field of an operand.
func encodeDistance(b []byte, class uint8, short bool, aux uint32, distance int64) bool {
	switch {
	case class >= classRelative:
		distance += int64(int32(aux))
		binary.LittleEndian.PutUint32(b, uint32(distance))
	case short && class == classJmp:
		b[0], b[1] = 0xEB, byte(distance)
		return distance == int64(int8(distance))
	case short:
		b[0], b[1] = 0x70|byte(aux), byte(distance)
		return distance == int64(int8(distance))
	case class == classJmp:
		b[0] = 0xE9
		binary.LittleEndian.PutUint32(b[1:], uint32(distance))
	default:
		b[0], b[1] = 0x0F, 0x80|byte(aux)
		binary.LittleEndian.PutUint32(b[2:], uint32(distance))
	}
	return distance == int64(int32(distance))
}

// nops are the recommended instructions that do nothing, by length (Intel SDM,
// volume 2, NOP).
var nops = [...]string{
	1: "\x90",
	2: "\x66\x90",
	3: "\x0F\x1F\x00",
	4: "\x0F\x1F\x40\x00",
	5: "\x0F\x1F\x44\x00\x00",
	6: "\x66\x0F\x1F\x44\x00\x00",
	7: "\x0F\x1F\x80\x00\x00\x00\x00",
	8: "\x0F\x1F\x84\x00\x00\x00\x00\x00",
	9: "\x66\x0F\x1F\x84\x00\x00\x00\x00\x00",
}

func fillNOP(b []byte) {
	for len(b) > 0 {
		b = b[copy(b, nops[min(len(b), len(nops)-1)]):]
	}
}

// Jmp jumps to l.
func (a *Asm) Jmp(l Label) { a.Jump(classJmp, l, 0) }

// Jcc jumps to l if c holds.
func (a *Asm) Jcc(c Cond, l Label) { a.Jump(classJcc, l, uint32(c&15)) }

// Call calls function target of the artifact, by a relocation.
func (a *Asm) Call(target uint32) { a.relocated(0xE8, target) }

// JmpFunc jumps to function target of the artifact.
func (a *Asm) JmpFunc(target uint32) { a.relocated(0xE9, target) }

func (a *Asm) relocated(opcode byte, target uint32) {
	b := a.room()
	b[0], b[1], b[2], b[3], b[4] = opcode, 0, 0, 0, 0
	a.N++
	a.Reloc(target)
	a.N += 4
}
