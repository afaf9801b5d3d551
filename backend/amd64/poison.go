package amd64

import (
	"github.com/wasmaot/wasmaot/backend/regalloc"
)

// Config.Poison makes code that fills with garbage what no one may rely on: the upper halves of
// I32 values, registers and slots that hold nothing on entry and on return. Tests run with
// it to find what relies on them nevertheless.

const (
	poison     int64 = 0x7ffdeadc0ffee000
	poisonHigh int64 = 0x5ad5ad5a << 32
)

func (e *emitter) emitPoison() {
	e.a.RI(MOV, 8, regScratch, poisonHigh)
	e.a.RR(OR, 8, e.reg(0), regScratch)
}

// poisonRegisters fills all registers with garbage but those that the instruction's operands are in.
func (e *emitter) poisonRegisters() {
	free := allocatable | 1<<regScratch | 1<<regScratchX
	for _, l := range e.locs {
		if l.Kind == regalloc.LocReg {
			free &^= 1 << l.N
		}
	}
	for r := RAX; r <= X15; r++ {
		switch {
		case free>>r&1 == 0:
		case r < regalloc.FirstFloat:
			e.a.RI(MOV, 8, r, poison+int64(r))
		default:
			e.a.RM(MOVUPS, 16, r, AtConst(e.a.Const128(uint64(poison), uint64(poison))))
		}
	}
}

// poisonSlots fills the spill slots with garbage.
func (e *emitter) poisonSlots() {
	e.a.RI(MOV, 8, regScratch, poison)
	for at := int32(0); at < int32(e.r.FrameSize); at += 8 {
		e.a.MR(MOV, 8, At(RSP, e.slots+at), regScratch)
	}
}
