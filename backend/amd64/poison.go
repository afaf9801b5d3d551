package amd64

import (
	"github.com/wasmaot/wasmaot/backend/emit"
	"github.com/wasmaot/wasmaot/backend/regalloc"
)

func (e *emitter) emitPoison() {
	e.a.RI(MOV, 8, regScratch, emit.PoisonHigh)
	e.a.RR(OR, 8, e.Reg(0), regScratch)
}

// PoisonRegisters fills all registers with garbage but those that the instruction's operands are in.
func (e *emitter) PoisonRegisters() {
	free := e.Free(e.ClobberedByCalls(allocatable, regPinned) | 1<<regScratch | 1<<regScratchX)
	for r := RAX; r <= X15; r++ {
		switch {
		case free>>r&1 == 0:
		case r < regalloc.FirstFloat:
			e.a.RI(MOV, 8, r, emit.Poison+int64(r))
		default:
			e.a.RM(MOVUPS, 16, r, AtConst(e.a.Const128(uint64(emit.Poison), uint64(emit.Poison))))
		}
	}
}

// PoisonSlots fills the spill slots with garbage.
func (e *emitter) PoisonSlots() {
	e.a.RI(MOV, 8, regScratch, emit.Poison)
	for at := int32(0); at < int32(e.R.FrameSize); at += 8 {
		e.a.MR(MOV, 8, At(RSP, e.Slots+at), regScratch)
	}
}
