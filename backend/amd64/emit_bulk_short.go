package amd64

import (
	"github.com/wasmaot/wasmaot/backend"
	"github.com/wasmaot/wasmaot/compiler/abi"
)

// shortRange puts the address of the n bytes at index start into d and traps unless they are within memory 0,
// whose size is in size. If the processor only guesses so the address is 0. The register zero is 0 or, if it is the
// same as size, becomes so.
func (e *emitter) shortRange(d, start, size, zero Reg) {
	a := &e.a
	a.RM(LEA, 8, d, At(start, int32(e.In.Imm)))
	a.RR(CMP, 8, size, d)
	e.trapIf(CondB, abi.TrapMemoryOutOfBounds)
	a.RM(LEA, 8, d, AtIndex(regMemBase, start, 1, 0))
	if zero == size {
		a.RI(MOV, 8, zero, 0)
	}
	a.RR(CMOVcc.If(CondB), 8, d, zero)
}

// chunkMove is the instruction that moves a chunk of n bytes through a vector register.
func chunkMove(n int64) (Op, uint8) {
	if n >= 16 {
		return MOVUPS, 16
	}
	return MOVF, uint8(backend.ChunkSize(n))
}

// emitCopyShort copies a constant number of bytes: all are loaded before any is stored.
func (e *emitter) emitCopyShort() {
	a, n := &e.a, e.In.Imm
	k := int(backend.VectorChunks(n))
	to, from, dst, src := e.Reg(0), e.Reg(1), e.Reg(k+2), e.Reg(k+3)
	e.memorySize()
	a.RR(XOR, 4, from, from)
	e.shortRange(to, dst, regScratch, from)
	e.shortRange(from, src, regScratch, regScratch)
	if n < 4 {
		e.copyBytes(to, from, n)
		return
	}
	op, size := chunkMove(n)
	for i := range k {
		a.RM(op, size, e.Reg(2+i), At(from, backend.ChunkOffset(int64(i), n)))
	}
	for i := range k {
		a.MR(op, size, At(to, backend.ChunkOffset(int64(i), n)), e.Reg(2+i))
	}
}

// copyBytes copies up to 3 bytes.
func (e *emitter) copyBytes(to, from Reg, n int64) {
	a := &e.a
	switch n {
	case 1:
		a.RM(MOVZX8, 4, regScratch, At(from, 0))
		a.MR(MOV, 1, At(to, 0), regScratch)
	case 2:
		a.RM(MOVZX16, 4, regScratch, At(from, 0))
		a.MR(MOV, 2, At(to, 0), regScratch)
	case 3:
		a.RM(MOVZX16, 4, regScratch, At(from, 0))
		a.RM(MOVZX8, 4, from, At(from, 2))
		a.MR(MOV, 2, At(to, 0), regScratch)
		a.MR(MOV, 1, At(to, 2), from)
	}
}

// emitFillShort fills a constant number of bytes.
func (e *emitter) emitFillShort() {
	a, n := &e.a, e.In.Imm
	to, temp, dst, value := e.Reg(0), e.Reg(1), e.Reg(2), e.Reg(3)
	e.memorySize()
	e.shortRange(to, dst, regScratch, regScratch)
	a.RR(MOVZX8, 4, temp, value)
	if n > 1 {
		a.RI(MOV, 8, regScratch, 0x0101010101010101)
		a.RR(IMUL, 8, temp, regScratch)
	}
	if n >= 16 {
		a.RR(MOVD, 8, regScratchX, temp)
		a.RR(UNPCKLPD, 16, regScratchX, regScratchX)
	}
	for i := range backend.Chunks(n) {
		at := At(to, backend.ChunkOffset(i, n))
		if n >= 16 {
			a.MR(MOVUPS, 16, at, regScratchX)
		} else {
			a.MR(MOV, uint8(backend.ChunkSize(n)), at, temp)
		}
	}
}
