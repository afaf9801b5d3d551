package arm64

import "github.com/wasmaot/wasmaot/compiler/abi"

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

// guestMem and guestPair access memory 0 in the middle of a bulk operation: where nothing was checked before they may trap.

func (e *emitter) guestMem(op MemOp, size uint8, r Reg, m Mem) {
	e.MayTrap()
	e.a.Mem(op, size, r, m)
}

func (e *emitter) guestPair(op PairOp, size uint8, t, u Reg, m Mem) {
	e.MayTrap()
	e.a.Pair(op, size, t, u, m)
}

// unchecked begins a bulk operation on up to 64 bytes that relies on guard regions: it needs no check if all is loaded before anything is
// stored, and the last byte of where it goes is loaded as well. Where there are more bytes, or none, it goes to the label that it returns;
// else the pointers become addresses.
func (e *emitter) unchecked(pointers ...Reg) Label {
	a := &e.a
	other := e.jumpAbove(maxUnchecked)
	a.CBZ(8, bulkCount, other)
	for _, r := range pointers {
		a.RRR(ADD, 8, r, r, regMemBase)
	}
	return other
}

// maxUnchecked is how many bytes are copied and filled without a loop.
const maxUnchecked = 64

// probeEnd loads the last byte of the destination, so that if a store traps that does, before anything is stored: see probe.
func (e *emitter) probeEnd() {
	if !e.Cfg.Explicit {
		e.guestMem(LDR, 1, ZR, e.end(bulkTo, -1))
	}
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
	unchecked := e.In.Imm == 0 && !e.Cfg.Explicit
	if unchecked {
		other := e.unchecked(bulkTo, bulkFrom)
		e.copyUpTo64(done)
		a.Bind(other)
	}
	e.memorySize(bulkSize)
	e.checkRange(bulkTo)
	e.checkRange(bulkFrom)
	a.RRR(ADD, 8, bulkTo, bulkTo, regMemBase)
	a.RRR(ADD, 8, bulkFrom, bulkFrom, regMemBase)
	if e.In.Imm == 0 { // else it is a constant length beyond all these
		above := e.jumpAbove(maxUnchecked)
		if unchecked {
			a.B(done)
		} else {
			e.copyUpTo64(done)
		}
		a.Bind(above)
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

// copyUpTo64 copies 0 to 64 bytes.
func (e *emitter) copyUpTo64(done Label) {
	a := &e.a
	above15 := e.jumpAbove(15)
	e.copyBelow16(done)
	a.Bind(above15)
	above32 := e.jumpAbove(32)
	e.guestMem(LDR, 16, V0, At(bulkFrom, 0))
	e.guestMem(LDR, 16, V1, e.end(bulkFrom, -16))
	e.probeEnd()
	e.guestMem(STR, 16, V0, At(bulkTo, 0))
	e.guestMem(STR, 16, V1, e.end(bulkTo, -16))
	a.B(done)
	a.Bind(above32)
	e.guestPair(LDP, 16, V0, V1, At(bulkFrom, 0))
	e.guestPair(LDP, 16, V2, V3, e.end(bulkFrom, -32))
	e.probeEnd()
	e.guestPair(STP, 16, V0, V1, At(bulkTo, 0))
	e.guestPair(STP, 16, V2, V3, e.end(bulkTo, -32))
	a.B(done)
}

// copyBelow16 copies 0 to 15 bytes.
func (e *emitter) copyBelow16(done Label) {
	a := &e.a
	for _, size := range []uint8{8, 4} {
		less := a.NewLabel()
		a.RRI(SUBS, 8, ZR, bulkCount, int64(size))
		a.BCond(CondLO, less)
		e.guestMem(LDR, size, bulkTemp, At(bulkFrom, 0))
		e.guestMem(LDR, size, bulkTemp2, e.end(bulkFrom, -int32(size)))
		e.probeEnd()
		e.guestMem(STR, size, bulkTemp, At(bulkTo, 0))
		e.guestMem(STR, size, bulkTemp2, e.end(bulkTo, -int32(size)))
		a.B(done)
		a.Bind(less)
	}
	// The first, the middle and the last of up to 3.
	middle := bulkSize
	a.CBZ(8, bulkCount, done)
	a.RRI(LSR, 8, middle, bulkCount, 1)
	e.guestMem(LDR, 1, bulkTemp, At(bulkFrom, 0))
	e.guestMem(LDR, 1, bulkTemp2, e.end(bulkFrom, -1))
	e.guestMem(LDR, 1, bulkFrom, AtIndex(bulkFrom, middle, ExtUXTX, 0))
	e.guestMem(STR, 1, bulkTemp2, e.end(bulkTo, -1)) // it is this one that traps
	e.guestMem(STR, 1, bulkFrom, AtIndex(bulkTo, middle, ExtUXTX, 0))
	e.guestMem(STR, 1, bulkTemp, At(bulkTo, 0))
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
	a.Dup(A16B, V0, bulkFrom)
	unchecked := e.In.Imm == 0 && !e.Cfg.Explicit
	if unchecked {
		other := e.unchecked(bulkTo)
		e.fillUpTo64(done)
		a.Bind(other)
	}
	e.memorySize(bulkSize)
	e.checkRange(bulkTo)
	a.RRR(ADD, 8, bulkTo, bulkTo, regMemBase)
	if e.In.Imm == 0 { // else it is a constant length beyond all these
		above := e.jumpAbove(maxUnchecked)
		if unchecked {
			a.B(done)
		} else {
			e.fillUpTo64(done)
		}
		a.Bind(above)
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

// fillUpTo64 fills 0 to 64 bytes.
func (e *emitter) fillUpTo64(done Label) {
	a := &e.a
	above15 := e.jumpAbove(15)
	e.fillBelow16(done)
	a.Bind(above15)
	above32 := e.jumpAbove(32)
	e.probeEnd()
	e.guestMem(STR, 16, V0, At(bulkTo, 0))
	e.guestMem(STR, 16, V0, e.end(bulkTo, -16))
	a.B(done)
	a.Bind(above32)
	e.probeEnd()
	e.guestPair(STP, 16, V0, V0, At(bulkTo, 0))
	e.guestPair(STP, 16, V0, V0, e.end(bulkTo, -32))
	a.B(done)
}

// fillBelow16 fills 0 to 15 bytes.
func (e *emitter) fillBelow16(done Label) {
	a := &e.a
	for _, size := range []uint8{8, 4} {
		less := a.NewLabel()
		a.RRI(SUBS, 8, ZR, bulkCount, int64(size))
		a.BCond(CondLO, less)
		e.probeEnd()
		e.guestMem(STR, size, V0, At(bulkTo, 0))
		e.guestMem(STR, size, V0, e.end(bulkTo, -int32(size)))
		a.B(done)
		a.Bind(less)
	}
	a.CBZ(8, bulkCount, done)
	e.guestMem(STR, 1, bulkFrom, e.end(bulkTo, -1)) // it is this one that traps
	e.guestMem(STR, 1, bulkFrom, At(bulkTo, 0))
	a.RRI(LSR, 8, bulkCount, bulkCount, 1)
	e.guestMem(STR, 1, bulkFrom, AtIndex(bulkTo, bulkCount, ExtUXTX, 0))
	a.B(done)
}
