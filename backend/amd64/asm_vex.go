package amd64

// VEX forms: the size is that of the operand, for packed ones 16 or 32 bytes. The
// CPU must have AVX, AVX2, BMI or FMA; whoever chooses the instruction knows.

// vexed is form c of row e in VEX, 0 if there is none or its operands are otherwise.
func (e *encoding) vexed(form vexForm, op Op, size uint8, c code) code {
	if e.vex&^vexOnly != form {
		return 0
	}
	return e.withSize(op, size, c)
}

// VRR is op dst, src.
func (a *Asm) VRR(op Op, size uint8, dst, src Reg) {
	e := row(op)
	d := e.vexed(vexDst, op, size, e.rm)
	switch {
	case src&8 > dst&8 && a.vexRegs(e.vexed(vex2, op, size, e.mr), src, 0, dst): // has the shorter prefix
	case a.vexRegs(e.vexed(vex2, op, size, e.rm), dst, 0, src):
	case a.vexRegs(e.vexed(vex2, op, size, e.mr), src, 0, dst):
	case dst <= R15 && a.vexRegs(d, d.digit(), dst, src):
	case op == MOVF && e.withSize(op, size, e.rm) != 0:
		a.VRR(MOVAPS, 16, dst, src)
	default:
		a.bad(op, size, dst, src)
	}
}

// VRM is op dst, m.
func (a *Asm) VRM(op Op, size uint8, dst Reg, m Mem) {
	e := row(shorter(op, size))
	d := e.vexed(vexDst, op, size, e.rm)
	if !a.vexMem(e.vexed(vex2, op, size, e.rm), dst, 0, &m, 0) &&
		!(dst <= R15 && a.vexMem(d, d.digit(), dst, &m, 0)) {
		a.bad(op, size, dst, m)
	}
}

// VMR is op m, src.
func (a *Asm) VMR(op Op, size uint8, m Mem, src Reg) {
	e := row(shorter(op, size))
	if e.vex == noVEX || !a.vexMem(e.withSize(op, size, e.mr), src, 0, &m, 0) {
		a.bad(op, size, m, src)
	}
}

// VRRI is op dst, src, imm.
func (a *Asm) VRRI(op Op, size uint8, dst, src Reg, imm int64) {
	e := row(op)
	shift := e.vexed(vex3, op, size, e.i)
	switch _, ok := asSigned(imm, 1); {
	case !ok:
		a.bad(op, size, dst, src, imm)
	case a.vexRegs(e.vexed(vex2, op, size, e.rmi), dst, 0, src),
		a.vexRegs(e.vexed(vex2, op, size, e.mri), src, 0, dst),
		suits(dst, shift, mx) && a.vexRegs(shift, shift.digit(), dst, src):
		a.immediate(imm, 1)
	default:
		a.bad(op, size, dst, src, imm)
	}
}

// VRMI is op dst, m, imm.
func (a *Asm) VRMI(op Op, size uint8, dst Reg, m Mem, imm int64) {
	e := row(op)
	if _, ok := asSigned(imm, 1); !ok || !a.vexMem(e.vexed(vex2, op, size, e.rmi), dst, 0, &m, 1) {
		a.bad(op, size, dst, m, imm)
		return
	}
	a.immediate(imm, 1)
}

// VMRI is op m, src, imm.
func (a *Asm) VMRI(op Op, size uint8, m Mem, src Reg, imm int64) {
	e := row(op)
	if _, ok := asSigned(imm, 1); !ok || !a.vexMem(e.vexed(vex2, op, size, e.mri), src, 0, &m, 1) {
		a.bad(op, size, m, src, imm)
		return
	}
	a.immediate(imm, 1)
}

// VRRR is op dst, s1, s2.
func (a *Asm) VRRR(op Op, size uint8, dst, s1, s2 Reg) {
	e := row(op)
	c := e.vexed(vex3, op, size, e.rm)
	switch {
	case suits(s1, c, rx) && a.vexRegs(c, dst, s1, s2):
	case s2 <= R15 && a.vexRegs(e.vexed(vexSwap, op, size, e.rm), dst, s2, s1):
	default:
		a.bad(op, size, dst, s1, s2)
	}
}

// VRRM is op dst, s1, m.
func (a *Asm) VRRM(op Op, size uint8, dst, s1 Reg, m Mem) {
	e := row(op)
	c := e.vexed(vex3, op, size, e.rm)
	if !suits(s1, c, rx) || !a.vexMem(c, dst, s1, &m, 0) {
		a.bad(op, size, dst, s1, m)
	}
}

// VRMR is op dst, m, s2.
func (a *Asm) VRMR(op Op, size uint8, dst Reg, m Mem, s2 Reg) {
	e := row(op)
	if s2 > R15 || !a.vexMem(e.vexed(vexSwap, op, size, e.rm), dst, s2, &m, 0) {
		a.bad(op, size, dst, m, s2)
	}
}

// VRRRI is op dst, s1, s2, imm.
func (a *Asm) VRRRI(op Op, size uint8, dst, s1, s2 Reg, imm int64) {
	e := row(op)
	c := e.vexed(vex3, op, size, e.rmi)
	if _, ok := asSigned(imm, 1); !ok || !suits(s1, c, rx) || !a.vexRegs(c, dst, s1, s2) {
		a.bad(op, size, dst, s1, s2, imm)
		return
	}
	a.immediate(imm, 1)
}

// VRRMI is op dst, s1, m, imm.
func (a *Asm) VRRMI(op Op, size uint8, dst, s1 Reg, m Mem, imm int64) {
	e := row(op)
	c := e.vexed(vex3, op, size, e.rmi)
	if _, ok := asSigned(imm, 1); !ok || !suits(s1, c, rx) || !a.vexMem(c, dst, s1, &m, 1) {
		a.bad(op, size, dst, s1, m, imm)
		return
	}
	a.immediate(imm, 1)
}

// VRRRR is op dst, s1, s2, mask.
func (a *Asm) VRRRR(op Op, size uint8, dst, s1, s2, mask Reg) {
	e := row(op)
	c := e.vexed(vexMask, op, size, e.rm)
	if !suits(s1, c, rx) || !suits(mask, c, rx) || !a.vexRegs(c, dst, s1, s2) {
		a.bad(op, size, dst, s1, s2, mask)
		return
	}
	a.immediate(int64(mask&15)<<4, 1)
}

// VRRMR is op dst, s1, m, mask.
func (a *Asm) VRRMR(op Op, size uint8, dst, s1 Reg, m Mem, mask Reg) {
	e := row(op)
	c := e.vexed(vexMask, op, size, e.rm)
	if !suits(s1, c, rx) || !suits(mask, c, rx) || !a.vexMem(c, dst, s1, &m, 1) {
		a.bad(op, size, dst, s1, m, mask)
		return
	}
	a.immediate(int64(mask&15)<<4, 1)
}
