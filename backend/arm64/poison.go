package arm64

import (
	"github.com/wasmaot/wasmaot/backend/emit"
	"github.com/wasmaot/wasmaot/backend/regalloc"
)

const poisonHigh = emit.PoisonHigh

// PoisonRegisters fills all registers with garbage but those that the instruction's operands are in.
func (e *emitter) PoisonRegisters() {
	free := e.Free(e.ClobberedByCalls(allocatable, regPinned) | 1<<regScratch | 1<<regScratchV)
	for r := V0; r <= V31; r++ {
		if free>>r&1 != 0 {
			e.a.MovImm(8, regScratch, emit.Poison)
			e.a.Dup(A2D, r, regScratch)
		}
	}
	for r := X0; r < regalloc.FirstFloat; r++ {
		if free>>r&1 != 0 {
			e.a.MovImm(8, r, emit.Poison+int64(r))
		}
	}
}

// PoisonSlots fills the spill slots with garbage.
func (e *emitter) PoisonSlots() {
	if e.R.FrameSize == 0 {
		return
	}
	e.a.MovImm(8, regScratch, emit.Poison)
	for at := int32(0); at < int32(e.R.FrameSize); at += 8 {
		e.a.Mem(STR, 8, regScratch, e.offset(8, SP, e.Slots+at, regLink))
	}
}
