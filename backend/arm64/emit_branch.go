package arm64

import "github.com/wasmaot/wasmaot/backend"

// Jump jumps to l.
func (e *emitter) Jump(l Label) { e.a.B(l) }

// Compare prepares for JumpIf: there are comparisons that are part of the branch.
func (e *emitter) Compare(k int) {
	if op := opOf(e.In); op != cmpZero && op != cmpBit {
		e.comparison(k)
	}
}

// JumpIf jumps if c holds.
func (e *emitter) JumpIf(cond uint8, l Label) {
	a, c := &e.a, Cond(cond)
	if template(e.In.Op) == backend.TBranch {
		switch opOf(e.In) {
		case cmpZero:
			if c == CondEQ {
				a.CBZ(e.In.Size, e.Reg(0), l)
			} else {
				a.CBNZ(e.In.Size, e.Reg(0), l)
			}
			return
		case cmpBit:
			if c == CondEQ {
				a.TBZ(e.Reg(0), uint8(e.In.Imm), l)
			} else {
				a.TBNZ(e.Reg(0), uint8(e.In.Imm), l)
			}
			return
		}
	}
	a.BCond(c, l)
}

// comparison sets the flags; its operands are k and following.
func (e *emitter) comparison(k int) {
	a, in := &e.a, e.In
	size := in.Size
	switch op := opOf(in); op {
	case cmpFloat:
		a.FCmp(size, e.Reg(k), e.Reg(k+1))
	case cmpFloatZero:
		a.FCmp0(size, e.Reg(k))
	case cmpZero:
		a.RRI(SUBS, size, ZR, e.Reg(k), 0)
	case cmpBit:
		a.RRI(ANDS, size, ZR, e.Reg(k), int64(uint64(1)<<uint64(in.Imm)))
	default:
		e.second(op, size, ZR, e.Reg(k), k+1)
	}
}

// second makes d = op n and the instruction's second operand, operand k.
func (e *emitter) second(op Op, size uint8, d, n Reg, k int) {
	a, in := &e.a, e.In
	switch f := formOf(in); f {
	case formReg:
		a.RRR(op, size, d, n, e.Reg(k))
	case formImm:
		a.RRI(op, size, d, n, in.Imm)
	case formShift:
		a.RRRShift(op, size, d, n, e.Reg(k), Shift(extOf(in)), uint8(in.Disp))
	case formExt:
		a.RRRExt(op, size, d, n, e.Reg(k), Ext(extOf(in)), uint8(in.Disp))
	default:
		e.Fail("instruction %d: form %d is no second operand", e.At, f)
	}
}

// Repeats reports whether an instruction may be assembled twice.
func (e *emitter) Repeats(t template) bool { return t >= tMove32 && t <= tSelect }

// JumpIndex jumps if the index of a switch is i.
func (e *emitter) JumpIndex(i uint32, l Label) {
	index := e.Reg(1)
	if i == 0 {
		e.a.CBZ(4, index, l)
		return
	}
	e.a.RRI(SUBS, 4, ZR, index, int64(i))
	e.a.BCond(CondEQ, l)
}

// JumpTable jumps to the label selected by operand 1, the last if it is beyond them: by a conditional move, so that no guess
// of the processor can lead elsewhere.
func (e *emitter) JumpTable(labels []Label) {
	a := &e.a
	temp, index := e.Reg(0), e.Reg(1)
	t := a.AddTable(labels)
	a.MovImm(4, temp, int64(len(labels)-1))
	a.RRR(SUBS, 4, ZR, index, temp)
	a.Sel(CSEL, 4, temp, index, temp, CondLO)
	a.Adr(regScratch, t)
	a.Mem(LDRSW, 8, temp, AtIndex(regScratch, temp, ExtUXTX, 2))
	a.RRR(ADD, 8, regScratch, regScratch, temp)
	a.BR(regScratch)
}

// Return leaves the frame and the function.
func (e *emitter) Return() {
	e.epilogue()
	e.a.RET()
}
