package amd64

import (
	"github.com/wasmaot/wasmaot/backend"
	"github.com/wasmaot/wasmaot/compiler/abi"
)

// Lengths from which the string instructions, which take long to start, are better
// than a loop.
const (
	longCopy = 2048
	longFill = 1024
)

// checkRange traps unless [start, start+rcx) is within memory 0, whose size is in r11. If the
// processor guesses so the length becomes 0. rdx is 0; rax is destroyed.
func (e *emitter) checkRange(start Reg) {
	a := &e.a
	a.RM(LEA, 8, RAX, AtIndex(start, RCX, 1, 0))
	a.RR(CMP, 8, RAX, regScratch)
	e.trapIf(CondA, abi.TrapMemoryOutOfBounds)
	a.RR(CMOVcc.If(CondA), 8, RCX, RDX)
}

func (e *emitter) memorySize() {
	e.a.RM(MOV, 8, regScratch, At(regCtx, abi.CtxMemRec))
	e.a.RM(MOV, 8, regScratch, At(regScratch, abi.MemoryRecBytes))
}

// jumpAbove jumps to the label it returns if the length in rcx is above the limit.
func (e *emitter) jumpAbove(limit int64) Label {
	l := e.a.NewLabel()
	e.a.RI(CMP, 8, RCX, limit)
	e.a.Jcc(CondA, l)
	return l
}

// guestLoad and guestStore access memory 0 in the middle of a bulk operation: where nothing was checked before they may trap.

func (e *emitter) guestLoad(op Op, size uint8, r Reg, m Mem) {
	e.MayTrap()
	e.a.RM(op, size, r, m)
}

func (e *emitter) guestStore(op Op, size uint8, m Mem, r Reg) {
	e.MayTrap()
	e.a.MR(op, size, m, r)
}

// unchecked begins a bulk operation on up to 64 bytes that relies on guard regions: it needs no check if all is loaded before anything is
// stored, and what is stored first is the end. Where there are more bytes, or none, it goes to the label that it returns; else
// the pointers become addresses. A processor stores nothing of what lies on two pages unless it may on both.
func (e *emitter) unchecked(pointers ...Reg) Label {
	a := &e.a
	other := e.jumpAbove(maxUnchecked)
	a.RR(TEST, 8, RCX, RCX)
	a.Jcc(CondE, other)
	for _, r := range pointers {
		a.RR(ADD, 8, r, regMemBase)
	}
	return other
}

// maxUnchecked is how many bytes are copied and filled without a loop.
const maxUnchecked = 64

// emitMemCopy copies rcx bytes from rsi to rdi; all of it is checked before. Up to 64 bytes are loaded before
// any is stored, so that overlapping does not matter. Of more the loops keep the end that
// they would overwrite in registers, and go in the direction in which the rest is read first.
func (e *emitter) emitMemCopy() {
	a := &e.a
	done := a.NewLabel()
	unchecked := e.In.Imm == 0 && !e.Cfg.Explicit
	if unchecked {
		other := e.unchecked(RDI, RSI)
		e.copyUpTo64(done)
		a.Bind(other)
	}
	e.memorySize()
	a.RR(XOR, 4, RDX, RDX)
	e.checkRange(RDI)
	e.checkRange(RSI)
	a.RR(ADD, 8, RDI, regMemBase)
	a.RR(ADD, 8, RSI, regMemBase)

	if e.In.Imm == 0 { // else it is a constant length beyond all these
		above := e.jumpAbove(maxUnchecked)
		if unchecked {
			a.Jmp(done)
		} else {
			e.copyUpTo64(done)
		}
		a.Bind(above)
	}
	a.RR(MOV, 8, RAX, RDI)
	a.RR(SUB, 8, RAX, RSI)
	a.RR(CMP, 8, RAX, RCX)
	backward := a.NewLabel()
	a.Jcc(CondB, backward) // the destination begins within the source
	long := e.jumpAbove(longCopy - 1)
	e.copyLoop(done, false)
	a.Bind(backward)
	e.copyLoop(done, true)
	a.Bind(long)
	a.Bare(REPMOVSB)
	a.Bind(done)
}

// end is the place offset bytes from the start or, if that is negative, from the end of the
// bytes at base.
func end(base Reg, offset int32) Mem {
	if offset < 0 {
		return AtIndex(base, RCX, 1, offset)
	}
	return At(base, offset)
}

// copyUpTo64 copies 0 to 64 bytes.
func (e *emitter) copyUpTo64(done Label) {
	above15 := e.jumpAbove(15)
	e.copyBelow16(done)
	e.a.Bind(above15)
	above32 := e.jumpAbove(32)
	e.copyEnds(done, -16, 0)
	e.a.Bind(above32)
	e.copyEnds(done, -16, 0, 16, -32)
}

// copyBelow16 copies 0 to 15 bytes.
func (e *emitter) copyBelow16(done Label) {
	a := &e.a
	for _, size := range []uint8{8, 4} {
		less := a.NewLabel()
		a.RI(CMP, 8, RCX, int64(size))
		a.Jcc(CondB, less)
		e.guestLoad(MOV, size, RAX, At(RSI, 0))
		e.guestLoad(MOV, size, RDX, end(RSI, -int32(size)))
		e.guestStore(MOV, size, end(RDI, -int32(size)), RDX)
		e.guestStore(MOV, size, At(RDI, 0), RAX)
		a.Jmp(done)
		a.Bind(less)
	}
	// The first, the middle and the last of up to 3.
	a.RR(TEST, 8, RCX, RCX)
	a.Jcc(CondE, done)
	a.RR(MOV, 8, regScratch, RCX)
	a.RI(SHR, 8, regScratch, 1)
	e.guestLoad(MOVZX8, 4, RAX, At(RSI, 0))
	e.guestLoad(MOVZX8, 4, RDX, end(RSI, -1))
	e.guestLoad(MOVZX8, 4, RSI, AtIndex(RSI, regScratch, 1, 0))
	e.guestStore(MOV, 1, end(RDI, -1), RDX)
	e.guestStore(MOV, 1, AtIndex(RDI, regScratch, 1, 0), RSI)
	e.guestStore(MOV, 1, At(RDI, 0), RAX)
	a.Jmp(done)
}

// copyEnds copies 16 bytes at each of the offsets.
func (e *emitter) copyEnds(done Label, offsets ...int32) {
	for i, o := range offsets {
		e.guestLoad(MOVUPS, 16, X0+Reg(i), end(RSI, o))
	}
	for i, o := range offsets {
		e.guestStore(MOVUPS, 16, end(RDI, o), X0+Reg(i))
	}
	e.a.Jmp(done)
}

// copyLoop copies more than 32 bytes from the start or, backward, from the end: 32 at a time as
// long as there are more, then the last 1 to 32 as part of the 32 bytes at the other end, which were loaded first.
func (e *emitter) copyLoop(done Label, backward bool) {
	a := &e.a
	first, second := int32(-32), int32(-16)
	if backward {
		first, second = 0, 16
	}
	a.RM(MOVUPS, 16, X2, end(RSI, first))
	a.RM(MOVUPS, 16, X3, end(RSI, second))
	if !backward {
		a.RM(LEA, 8, RAX, end(RDI, -32)) // where that belongs
	}
	loop := a.NewLabel()
	a.Align(loopAlign)
	a.Bind(loop)
	if backward {
		a.RM(MOVUPS, 16, X0, end(RSI, -16))
		a.RM(MOVUPS, 16, X1, end(RSI, -32))
		a.MR(MOVUPS, 16, end(RDI, -16), X0)
		a.MR(MOVUPS, 16, end(RDI, -32), X1)
	} else {
		a.RM(MOVUPS, 16, X0, At(RSI, 0))
		a.RM(MOVUPS, 16, X1, At(RSI, 16))
		a.MR(MOVUPS, 16, At(RDI, 0), X0)
		a.MR(MOVUPS, 16, At(RDI, 16), X1)
		a.RI(ADD, 8, RSI, 32)
		a.RI(ADD, 8, RDI, 32)
	}
	a.RI(SUB, 8, RCX, 32)
	a.RI(CMP, 8, RCX, 32)
	a.Jcc(CondA, loop)
	if backward {
		a.MR(MOVUPS, 16, At(RDI, 0), X2)
		a.MR(MOVUPS, 16, At(RDI, 16), X3)
	} else {
		a.MR(MOVUPS, 16, At(RAX, 0), X2)
		a.MR(MOVUPS, 16, At(RAX, 16), X3)
	}
	a.Jmp(done)
}

// emitMemFill stores the low byte of rax to the rcx bytes at rdi.
func (e *emitter) emitMemFill() {
	a := &e.a
	done := a.NewLabel()
	e.eightTimes(RSI, RAX, RDX)
	unchecked := e.In.Imm == 0 && !e.Cfg.Explicit
	if unchecked {
		other := e.unchecked(RDI)
		e.fillUpTo64(done)
		a.Bind(other)
	}
	e.memorySize()
	a.RR(XOR, 4, RDX, RDX)
	e.checkRange(RDI)
	a.RR(ADD, 8, RDI, regMemBase)
	if e.In.Imm == 0 { // else it is a constant length beyond all these
		above := e.jumpAbove(maxUnchecked)
		if unchecked {
			a.Jmp(done)
		} else {
			e.fillUpTo64(done)
		}
		a.Bind(above)
	}
	e.twice(X0, RSI)
	long := e.jumpAbove(longFill - 1)
	loop := a.NewLabel()
	a.MR(MOVUPS, 16, end(RDI, -32), X0)
	a.MR(MOVUPS, 16, end(RDI, -16), X0)
	a.Align(loopAlign)
	a.Bind(loop)
	a.MR(MOVUPS, 16, At(RDI, 0), X0)
	a.MR(MOVUPS, 16, At(RDI, 16), X0)
	a.RI(ADD, 8, RDI, 32)
	a.RI(SUB, 8, RCX, 32)
	a.RI(CMP, 8, RCX, 32)
	a.Jcc(CondA, loop)
	a.Jmp(done)
	a.Bind(long)
	a.RR(MOV, 4, RAX, RSI)
	a.Bare(REPSTOSB)
	a.Bind(done)
}

// eightTimes puts the byte that is filled with, of value, into all bytes of d.
func (e *emitter) eightTimes(d, value, temp Reg) {
	a := &e.a
	if e.In.Aux&backend.AuxZeros != 0 {
		a.RR(XOR, 4, d, d)
		return
	}
	a.RR(MOVZX8, 4, d, value)
	a.RI(MOV, 8, temp, 0x0101010101010101)
	a.RR(IMUL, 8, d, temp)
}

// twice puts the bytes of r into both halves of vector x.
func (e *emitter) twice(x, r Reg) {
	if e.In.Aux&backend.AuxZeros != 0 {
		e.a.RR(XORPS, 16, x, x)
		return
	}
	e.a.RR(MOVD, 8, x, r)
	e.a.RR(UNPCKLPD, 16, x, x)
}

// fillUpTo64 fills 0 to 64 bytes with those of rsi.
func (e *emitter) fillUpTo64(done Label) {
	above15 := e.jumpAbove(15)
	e.fillBelow16(done)
	e.a.Bind(above15)
	e.twice(X0, RSI)
	above32 := e.jumpAbove(32)
	e.fillEnds(done, -16, 0)
	e.a.Bind(above32)
	e.fillEnds(done, -16, 0, 16, -32)
}

// fillBelow16 fills 0 to 15 bytes with those of rsi.
func (e *emitter) fillBelow16(done Label) {
	a := &e.a
	for _, size := range []uint8{8, 4} {
		less := a.NewLabel()
		a.RI(CMP, 8, RCX, int64(size))
		a.Jcc(CondB, less)
		e.guestStore(MOV, size, end(RDI, -int32(size)), RSI)
		e.guestStore(MOV, size, At(RDI, 0), RSI)
		a.Jmp(done)
		a.Bind(less)
	}
	a.RR(TEST, 8, RCX, RCX)
	a.Jcc(CondE, done)
	e.guestStore(MOV, 1, end(RDI, -1), RSI)
	e.guestStore(MOV, 1, At(RDI, 0), RSI)
	a.RI(SHR, 8, RCX, 1)
	e.guestStore(MOV, 1, AtIndex(RDI, RCX, 1, 0), RSI)
	a.Jmp(done)
}

// fillEnds stores xmm0 at each of the offsets.
func (e *emitter) fillEnds(done Label, offsets ...int32) {
	for _, o := range offsets {
		e.guestStore(MOVUPS, 16, end(RDI, o), X0)
	}
	e.a.Jmp(done)
}
