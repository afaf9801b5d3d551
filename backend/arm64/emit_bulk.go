package arm64

import (
	"github.com/wasmaot/wasmaot/backend"
	"github.com/wasmaot/wasmaot/compiler/abi"
)

// Registers of copies and fills. The count says how many bytes are left.
const (
	bulkTo    = X0
	bulkFrom  = X1 // source, or the byte to fill with
	bulkCount = X2
	bulkTemp  = X3
	bulkTemp2 = X4
	bulkSize  = X5 // of the memory
)

// memorySize loads the size of memory 0.
func (e *emitter) memorySize(d Reg) {
	e.a.Mem(LDR, 8, d, At(regCtx, abi.CtxMemRec))
	e.a.Mem(LDR, 8, d, At(d, abi.MemoryRecBytes))
}

// checkRange traps unless the count of bytes from start on is within memory 0. If the processor only guesses so
// the length becomes 0.
func (e *emitter) checkRange(start Reg) {
	a := &e.a
	a.RRR(ADD, 8, bulkTemp, start, bulkCount)
	a.RRR(SUBS, 8, ZR, bulkTemp, bulkSize)
	e.trapIf(CondHI, abi.TrapMemoryOutOfBounds)
	a.Sel(CSEL, 8, bulkCount, bulkCount, ZR, CondLS)
}

// jumpAbove jumps to the label it returns if the count is above the limit.
func (e *emitter) jumpAbove(limit int64) Label {
	l := e.a.NewLabel()
	e.a.RRI(SUBS, 8, ZR, bulkCount, limit)
	e.a.BCond(CondHI, l)
	return l
}

// end is the place offset bytes from the start or, if that is negative, from the end of the bytes at base.
func (e *emitter) end(base Reg, offset int32) Mem {
	if offset >= 0 {
		return At(base, offset)
	}
	e.a.RRR(ADD, 8, regScratch, base, bulkCount)
	return At(regScratch, offset)
}

// emitMemCopy copies bytes; all of it is checked before. Up to 64 bytes are loaded before any is stored, so that overlapping
// does not matter. Of more the loops keep the end that they would overwrite in registers, and go in the direction in which
// the rest is read first.
func (e *emitter) emitMemCopy() {
	a := &e.a
	done := a.NewLabel()
	e.memorySize(bulkSize)
	e.checkRange(bulkTo)
	e.checkRange(bulkFrom)
	a.RRR(ADD, 8, bulkTo, bulkTo, regMemBase)
	a.RRR(ADD, 8, bulkFrom, bulkFrom, regMemBase)
	if e.In.Imm == 0 { // else it is a constant length beyond all these
		above15 := e.jumpAbove(15)
		e.copyBelow16(done)
		a.Bind(above15)
		above32 := e.jumpAbove(32)
		a.Mem(LDR, 16, V0, At(bulkFrom, 0))
		a.Mem(LDR, 16, V1, e.end(bulkFrom, -16))
		a.Mem(STR, 16, V0, At(bulkTo, 0))
		a.Mem(STR, 16, V1, e.end(bulkTo, -16))
		a.B(done)
		a.Bind(above32)
		above64 := e.jumpAbove(64)
		a.Pair(LDP, 16, V0, V1, At(bulkFrom, 0))
		a.Pair(LDP, 16, V2, V3, e.end(bulkFrom, -32))
		a.Pair(STP, 16, V0, V1, At(bulkTo, 0))
		a.Pair(STP, 16, V2, V3, e.end(bulkTo, -32))
		a.B(done)
		a.Bind(above64)
	}
	backward := a.NewLabel()
	a.RRR(SUB, 8, bulkTemp, bulkTo, bulkFrom)
	a.RRR(SUBS, 8, ZR, bulkTemp, bulkCount)
	a.BCond(CondLO, backward) // the destination begins within the source
	e.copyForward()
	a.B(done)
	a.Bind(backward)
	e.copyBackward()
	a.Bind(done)
}

// copyBelow16 copies 0 to 15 bytes.
func (e *emitter) copyBelow16(done Label) {
	a := &e.a
	for _, size := range []uint8{8, 4} {
		less := a.NewLabel()
		a.RRI(SUBS, 8, ZR, bulkCount, int64(size))
		a.BCond(CondLO, less)
		a.Mem(LDR, size, bulkTemp, At(bulkFrom, 0))
		a.Mem(LDR, size, bulkTemp2, e.end(bulkFrom, -int32(size)))
		a.Mem(STR, size, bulkTemp, At(bulkTo, 0))
		a.Mem(STR, size, bulkTemp2, e.end(bulkTo, -int32(size)))
		a.B(done)
		a.Bind(less)
	}
	// The first, the middle and the last of up to 3.
	middle := bulkSize
	a.CBZ(8, bulkCount, done)
	a.RRI(LSR, 8, middle, bulkCount, 1)
	a.Mem(LDR, 1, bulkTemp, At(bulkFrom, 0))
	a.Mem(LDR, 1, bulkTemp2, e.end(bulkFrom, -1))
	a.Mem(LDR, 1, bulkFrom, AtIndex(bulkFrom, middle, ExtUXTX, 0))
	a.Mem(STR, 1, bulkTemp, At(bulkTo, 0))
	a.Mem(STR, 1, bulkFrom, AtIndex(bulkTo, middle, ExtUXTX, 0))
	a.Mem(STR, 1, bulkTemp2, e.end(bulkTo, -1))
	a.B(done)
}

// copyForward copies more than 32 bytes: 32 at a time as long as there are more, then the last 1 to 32 as part of the last
// 32 bytes, which were loaded first.
func (e *emitter) copyForward() {
	a := &e.a
	loop := a.NewLabel()
	a.Pair(LDP, 16, V2, V3, e.end(bulkFrom, -32))
	a.RRR(ADD, 8, bulkTemp, bulkTo, bulkCount) // behind where they belong
	a.Align(16)
	a.Bind(loop)
	a.Pair(LDP, 16, V0, V1, At(bulkFrom, 0))
	a.Pair(STP, 16, V0, V1, At(bulkTo, 0))
	a.RRI(ADD, 8, bulkFrom, bulkFrom, 32)
	a.RRI(ADD, 8, bulkTo, bulkTo, 32)
	a.RRI(SUB, 8, bulkCount, bulkCount, 32)
	a.RRI(SUBS, 8, ZR, bulkCount, 32)
	a.BCond(CondHI, loop)
	a.Pair(STP, 16, V2, V3, At(bulkTemp, -32))
}

// copyBackward copies them from the end.
func (e *emitter) copyBackward() {
	a := &e.a
	loop := a.NewLabel()
	a.Pair(LDP, 16, V2, V3, At(bulkFrom, 0))
	a.Align(16)
	a.Bind(loop)
	a.Pair(LDP, 16, V0, V1, e.end(bulkFrom, -32))
	a.Pair(STP, 16, V0, V1, e.end(bulkTo, -32))
	a.RRI(SUB, 8, bulkCount, bulkCount, 32)
	a.RRI(SUBS, 8, ZR, bulkCount, 32)
	a.BCond(CondHI, loop)
	a.Pair(STP, 16, V2, V3, At(bulkTo, 0))
}

// emitMemFill stores the low byte of the value.
func (e *emitter) emitMemFill() {
	a := &e.a
	done, loop := a.NewLabel(), a.NewLabel()
	e.memorySize(bulkSize)
	e.checkRange(bulkTo)
	a.RRR(ADD, 8, bulkTo, bulkTo, regMemBase)
	a.Dup(A16B, V0, bulkFrom)
	if e.In.Imm == 0 { // else it is a constant length beyond all these
		above15 := e.jumpAbove(15)
		e.fillBelow16(done)
		a.Bind(above15)
		above32 := e.jumpAbove(32)
		a.Mem(STR, 16, V0, At(bulkTo, 0))
		a.Mem(STR, 16, V0, e.end(bulkTo, -16))
		a.B(done)
		a.Bind(above32)
	}
	a.Pair(STP, 16, V0, V0, e.end(bulkTo, -32))
	a.Align(16)
	a.Bind(loop)
	a.Pair(STP, 16, V0, V0, At(bulkTo, 0))
	a.RRI(ADD, 8, bulkTo, bulkTo, 32)
	a.RRI(SUB, 8, bulkCount, bulkCount, 32)
	a.RRI(SUBS, 8, ZR, bulkCount, 32)
	a.BCond(CondHI, loop)
	a.Bind(done)
}

// fillBelow16 fills 0 to 15 bytes.
func (e *emitter) fillBelow16(done Label) {
	a := &e.a
	for _, size := range []uint8{8, 4} {
		less := a.NewLabel()
		a.RRI(SUBS, 8, ZR, bulkCount, int64(size))
		a.BCond(CondLO, less)
		a.Mem(STR, size, V0, At(bulkTo, 0))
		a.Mem(STR, size, V0, e.end(bulkTo, -int32(size)))
		a.B(done)
		a.Bind(less)
	}
	a.CBZ(8, bulkCount, done)
	a.Mem(STR, 1, bulkFrom, At(bulkTo, 0))
	a.Mem(STR, 1, bulkFrom, e.end(bulkTo, -1))
	a.RRI(LSR, 8, bulkCount, bulkCount, 1)
	a.Mem(STR, 1, bulkFrom, AtIndex(bulkTo, bulkCount, ExtUXTX, 0))
	a.B(done)
}

// shortRange puts the address of the n bytes at index start into d and traps unless they are within memory 0,
// whose size is in the scratch register. If the processor only guesses so the address is 0.
func (e *emitter) shortRange(d, start Reg) {
	a, n := &e.a, e.In.Imm
	a.RRI(ADD, 8, d, start, n)
	a.RRR(SUBS, 8, ZR, regScratch, d)
	e.trapIf(CondLO, abi.TrapMemoryOutOfBounds)
	a.RRR(ADD, 8, d, regMemBase, start)
	a.Sel(CSEL, 8, d, d, ZR, CondHS)
}

// emitCopyShort copies a constant number of bytes: all are loaded before any is stored.
func (e *emitter) emitCopyShort() {
	a, n := &e.a, e.In.Imm
	k := int(backend.VectorChunks(n))
	to, from, dst, src := e.Reg(0), e.Reg(1), e.Reg(k+2), e.Reg(k+3)
	e.memorySize(regScratch)
	e.shortRange(to, dst)
	e.shortRange(from, src)
	if n < 4 {
		e.copyBytes(to, from, n)
		return
	}
	size := uint8(backend.ChunkSize(n))
	for i := range k {
		a.Mem(LDR, size, e.Reg(2+i), At(from, backend.ChunkOffset(int64(i), n)))
	}
	for i := range k {
		a.Mem(STR, size, e.Reg(2+i), At(to, backend.ChunkOffset(int64(i), n)))
	}
}

// copyBytes copies up to 3 bytes.
func (e *emitter) copyBytes(to, from Reg, n int64) {
	a := &e.a
	switch n {
	case 1:
		a.Mem(LDR, 1, regScratch, At(from, 0))
		a.Mem(STR, 1, regScratch, At(to, 0))
	case 2:
		a.Mem(LDR, 2, regScratch, At(from, 0))
		a.Mem(STR, 2, regScratch, At(to, 0))
	case 3:
		a.Mem(LDR, 2, regScratch, At(from, 0))
		a.Mem(LDR, 1, from, At(from, 2))
		a.Mem(STR, 2, regScratch, At(to, 0))
		a.Mem(STR, 1, from, At(to, 2))
	}
}

// emitFillShort fills a constant number of bytes.
func (e *emitter) emitFillShort() {
	a, n := &e.a, e.In.Imm
	to, dst, value := e.Reg(0), e.Reg(2), e.Reg(3)
	e.memorySize(regScratch)
	e.shortRange(to, dst)
	if n > 1 {
		a.Dup(A16B, regScratchV, value)
	}
	for i := range backend.Chunks(n) {
		at := At(to, backend.ChunkOffset(i, n))
		if size := uint8(backend.ChunkSize(n)); size == 1 {
			a.Mem(STR, 1, value, at)
		} else {
			a.Mem(STR, size, regScratchV, at)
		}
	}
}
