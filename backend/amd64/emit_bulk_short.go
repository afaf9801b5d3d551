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

// emitCopyShort copies a constant number of bytes: all are loaded before any is stored, and the end is stored first.
func (e *emitter) emitCopyShort() {
	a, n := &e.a, e.In.Imm
	k := int(backend.VectorChunks(n))
	if e.In.Aux&auxUnchecked != 0 {
		if n < 4 {
			e.copyBytes(e.guestPlaces(e.Reg(1)), e.guestPlaces(e.Reg(2)), e.Reg(0))
			return
		}
		e.copyChunks(e.guestPlaces(e.Reg(k)), e.guestPlaces(e.Reg(k+1)), 0)
		return
	}
	to, from, dst, src := e.Reg(0), e.Reg(1), e.Reg(k+2), e.Reg(k+3)
	e.memorySize()
	a.RR(XOR, 4, from, from)
	e.shortRange(to, dst, regScratch, from)
	e.shortRange(from, src, regScratch, regScratch)
	if n < 4 {
		e.copyBytes(checkedPlaces(to), checkedPlaces(from), from)
		return
	}
	e.copyChunks(checkedPlaces(to), checkedPlaces(from), 2)
}

// places gives the memory operand for an offset from where a copy or fill begins.
type places func(offset int32) Mem

// guestPlaces are those from an index on of which nothing was checked.
func (e *emitter) guestPlaces(index Reg) places {
	return func(offset int32) Mem {
		e.MayTrap()
		return AtIndex(regMemBase, index, 1, offset)
	}
}

func checkedPlaces(start Reg) places { return func(offset int32) Mem { return At(start, offset) } }

// copyChunks copies at least 4 bytes through the vector registers that are operand first and following.
func (e *emitter) copyChunks(to, from places, first int) {
	n := e.In.Imm
	op, size := chunkMove(n)
	k := backend.Chunks(n)
	for i := range k {
		e.a.RM(op, size, e.Reg(first+int(i)), from(backend.ChunkOffset(i, n)))
	}
	for i := k - 1; i >= 0; i-- {
		e.a.MR(op, size, to(backend.ChunkOffset(i, n)), e.Reg(first+int(i)))
	}
}

// copyBytes copies up to 3 bytes. The temporary may be what the second place depends on.
func (e *emitter) copyBytes(to, from places, temp Reg) {
	a := &e.a
	switch e.In.Imm {
	case 1:
		a.RM(MOVZX8, 4, regScratch, from(0))
		a.MR(MOV, 1, to(0), regScratch)
	case 2:
		a.RM(MOVZX16, 4, regScratch, from(0))
		a.MR(MOV, 2, to(0), regScratch)
	case 3:
		a.RM(MOVZX16, 4, regScratch, from(0))
		a.RM(MOVZX8, 4, temp, from(2))
		a.MR(MOV, 1, to(2), temp)
		a.MR(MOV, 2, to(0), regScratch)
	}
}

// emitFillShort fills a constant number of bytes, the end first.
func (e *emitter) emitFillShort() {
	if e.In.Aux&auxUnchecked != 0 {
		e.fillChunks(e.guestPlaces(e.Reg(1)), e.Reg(0), e.Reg(2))
		return
	}
	to, temp, dst, value := e.Reg(0), e.Reg(1), e.Reg(2), e.Reg(3)
	e.memorySize()
	e.shortRange(to, dst, regScratch, regScratch)
	e.fillChunks(checkedPlaces(to), temp, value)
}

func (e *emitter) fillChunks(to places, temp, value Reg) {
	a, n := &e.a, e.In.Imm
	if n < 16 || e.In.Aux&backend.AuxZeros == 0 {
		e.eightTimes(temp, value, regScratch)
	}
	if n >= 16 {
		e.twice(regScratchX, temp)
	}
	for i := backend.Chunks(n) - 1; i >= 0; i-- {
		at := to(backend.ChunkOffset(i, n))
		if n >= 16 {
			a.MR(MOVUPS, 16, at, regScratchX)
		} else {
			a.MR(MOV, uint8(backend.ChunkSize(n)), at, temp)
		}
	}
}
