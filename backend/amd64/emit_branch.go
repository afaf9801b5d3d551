package amd64

// Jump jumps to l.
func (e *emitter) Jump(l Label) { e.a.Jmp(l) }

// Compare sets the flags by a comparison whose operands are k and following.
func (e *emitter) Compare(k int) { e.comparison(k) }

// JumpIf jumps if c holds, which may be one of the two that take two flags.
func (e *emitter) JumpIf(cond uint8, l Label) {
	a := &e.a
	switch c := Cond(cond); c {
	case condFNe:
		a.Jcc(CondNE, l)
		a.Jcc(CondP, l)
	case condFEq:
		no := a.NewLabel()
		a.Jcc(CondNE, no)
		a.Jcc(CondNP, l)
		a.Bind(no)
	default:
		a.Jcc(c, l)
	}
}

// Repeats reports whether an instruction may be assembled twice.
func (e *emitter) Repeats(t template) bool { return t >= tMove32 && t <= tAddBit }

// JumpIndex jumps if the index of a switch is i.
func (e *emitter) JumpIndex(i uint32, l Label) {
	if index := e.Reg(1); i == 0 {
		e.a.RR(TEST, 4, index, index)
	} else {
		e.a.RI(CMP, 4, index, int64(i))
	}
	e.a.Jcc(CondE, l)
}

// JumpTable jumps to the label selected by operand 1, the last if it is beyond them: by a conditional move, so that no guess
// of the processor can lead elsewhere.
func (e *emitter) JumpTable(labels []Label) {
	a := &e.a
	temp, index := e.Reg(0), e.Reg(1)
	t := a.AddTable(labels)
	a.RI(MOV, 4, temp, int64(len(labels)-1))
	a.RR(CMP, 4, index, temp)
	a.RR(CMOVcc.If(CondB), 4, temp, index)
	a.RM(LEA, 8, regScratch, AtConst(t))
	a.RM(MOVSXD, 8, temp, AtIndex(regScratch, temp, 4, 0))
	a.RR(ADD, 8, regScratch, temp)
	a.JmpR(regScratch)
}

// Return leaves the frame and the function.
func (e *emitter) Return() {
	e.epilogue()
	e.a.Bare(RET)
}
