package amd64

import (
	"fmt"
	"math"
)

// The methods below are named after their operands in Intel's order: R a register,
// M memory, I an immediate. Impossible combinations are errors.

// RR is op dst, src.
func (a *Asm) RR(op Op, size uint8, dst, src Reg) {
	e := row(op)
	switch {
	case a.regs(e.legacy(op, size, e.rm), dst, src):
	case a.regs(e.legacy(op, size, e.mr), src, dst):
	case op == MOVF && e.legacy(op, size, e.rm) != 0: // MOVSS and MOVSD would wait for dst's upper half
		a.RR(MOVAPS, 16, dst, src)
	default:
		a.bad(op, size, dst, src)
	}
}

// RM is op dst, m.
func (a *Asm) RM(op Op, size uint8, dst Reg, m Mem) {
	e := row(shorter(op, size))
	if !a.mem(e.legacy(op, size, e.rm), dst, &m, 0) {
		a.bad(op, size, dst, m)
	}
}

// shorter is MOVQ for a MOVD of 8 bytes from or to memory, which needs no REX.W.
func shorter(op Op, size uint8) Op {
	if op == MOVD && size == 8 {
		return MOVQ
	}
	return op
}

// MR is op m, src.
func (a *Asm) MR(op Op, size uint8, m Mem, src Reg) {
	e := row(shorter(op, size))
	if !a.mem(e.legacy(op, size, e.mr), src, &m, 0) {
		a.bad(op, size, m, src)
	}
}

// R is op r. Shifts are by cl.
func (a *Asm) R(op Op, size uint8, r Reg) {
	e := row(op)
	c := e.legacy(op, size, e.u) &^ byteReg
	if !a.regs(c, c.digit(), r) {
		a.bad(op, size, r)
	}
}

// M is op m.
func (a *Asm) M(op Op, size uint8, m Mem) {
	e := row(op)
	c := e.legacy(op, size, e.u) &^ byteReg
	if !a.mem(c, c.digit(), &m, 0) {
		a.bad(op, size, m)
	}
}

// Bare is an instruction without operands.
func (a *Asm) Bare(op Op) {
	v := row(op).bare
	if v == 0 || op > opMask {
		a.bad(op, 0)
		return
	}
	b := a.room()
	n := 0
	for shift := 24; shift >= 0; shift -= 8 {
		if v>>shift != 0 {
			b[n] = byte(v >> shift)
			n++
		}
	}
	a.N += n
}

// RI is op r, imm. The immediate of an operation of less than 8 bytes may be given
// as a signed or as an unsigned number.
func (a *Asm) RI(op Op, size uint8, r Reg, imm int64) {
	e := row(op)
	c := e.legacy(op, size, e.i) &^ byteReg
	if e.imm == immMove {
		if !a.moveImm(c, size, r, imm) {
			a.bad(op, size, r, imm)
		}
		return
	}
	c, n, ok := e.immCode(c, size, imm)
	if ok && r == RAX && (size == 1 || n > 1) && (e.imm == immALU || e.imm == immTest) {
		c = e.accumulator(c)
	}
	if !ok || !a.regs(c, c.digit(), r) {
		a.bad(op, size, r, imm)
		return
	}
	a.immediate(imm, n)
}

// MI is op m, imm.
func (a *Asm) MI(op Op, size uint8, m Mem, imm int64) {
	e := row(op)
	c, n, ok := e.immCode(e.legacy(op, size, e.i)&^byteReg, size, imm)
	if !ok || !a.mem(c, c.digit(), &m, n) {
		a.bad(op, size, m, imm)
		return
	}
	a.immediate(imm, n)
}

// RRI is op dst, src, imm.
func (a *Asm) RRI(op Op, size uint8, dst, src Reg, imm int64) {
	e := row(op)
	c, n, ok := e.immCode(e.legacy(op, size, e.rmi), size, imm)
	if !ok || !a.regs(c, dst, src) {
		c, n, ok = e.immCode(e.legacy(op, size, e.mri), size, imm)
		if !ok || !a.regs(c, src, dst) {
			a.bad(op, size, dst, src, imm)
			return
		}
	}
	a.immediate(imm, n)
}

// RMI is op dst, m, imm.
func (a *Asm) RMI(op Op, size uint8, dst Reg, m Mem, imm int64) {
	e := row(op)
	c, n, ok := e.immCode(e.legacy(op, size, e.rmi), size, imm)
	if !ok || !a.mem(c, dst, &m, n) {
		a.bad(op, size, dst, m, imm)
		return
	}
	a.immediate(imm, n)
}

// MRI is op m, src, imm.
func (a *Asm) MRI(op Op, size uint8, m Mem, src Reg, imm int64) {
	e := row(op)
	c, n, ok := e.immCode(e.legacy(op, size, e.mri), size, imm)
	if !ok || !a.mem(c, src, &m, n) {
		a.bad(op, size, m, src, imm)
		return
	}
	a.immediate(imm, n)
}

// CallR calls the address in r.
func (a *Asm) CallR(r Reg) { a.R(callInd, 8, r) }

// CallM calls the address in memory at m.
func (a *Asm) CallM(m Mem) { a.M(callInd, 8, m) }

// JmpR jumps to the address in r.
func (a *Asm) JmpR(r Reg) { a.R(jmpInd, 8, r) }

// JmpM jumps to the address in memory at m.
func (a *Asm) JmpM(m Mem) { a.M(jmpInd, 8, m) }

// asSigned is imm as a signed number of the given size; not all sizes of
// instructions have an 8-byte immediate: those that have 4 bytes sign-extended.
func asSigned(imm int64, size uint8) (int64, bool) {
	if size >= 8 {
		return imm, imm == int64(int32(imm))
	}
	n := 8 * size
	if imm < -1<<(n-1) || imm >= 1<<n {
		return 0, false
	}
	return imm << (64 - n) >> (64 - n), true
}

// immCode is c made fit for its immediate, which takes n bytes.
func (e *encoding) immCode(c code, size uint8, imm int64) (_ code, n uint8, ok bool) {
	if c == 0 {
		return 0, 0, false
	}
	switch e.imm {
	case immALU, immMul:
		v, ok := asSigned(imm, size)
		if size == 1 {
			return c, 1, ok
		}
		if v == int64(int8(v)) {
			return c ^ 2, 1, ok
		}
		return c, min(size, 4), ok
	case immTest, immMove:
		_, ok := asSigned(imm, size)
		return c, min(size, 4), ok
	case immShift:
		if imm == 1 {
			return c ^ 0x10, 0, true
		}
		return c, 1, imm >= 0 && imm < 8*int64(size)
	}
	_, ok = asSigned(imm, 1)
	return c, 1, ok
}

// accumulator is the form of c for al, ax, eax or rax and an immediate of full
// size, a byte shorter: it has no ModRM byte.
func (e *encoding) accumulator(c code) code {
	wide := c & 1
	op := code(0xA8)
	if e.imm == immALU {
		op = c&digits>>16<<3 | 4
	}
	return c&^(0xFF|digits) | plusR | op | wide
}

// moveImm loads a constant in the shortest way that leaves the flags alone; c is the
// form with an immediate of at most 32 bits.
func (a *Asm) moveImm(c code, size uint8, r Reg, imm int64) bool {
	_, fits := asSigned(imm, size)
	n := size
	switch {
	case c == 0 || size < 8 && !fits:
		return false
	case size == 8 && uint64(imm) <= math.MaxUint32: // a 32-bit move zeroes the upper half
		c, n = c&^w1, 4
	case size == 8 && fits: // 32 bits sign-extended
		if !a.regs(c, 0, r) {
			return false
		}
		a.immediate(imm, 4)
		return true
	}
	op := code(0xB8)
	if size == 1 {
		op = 0xB0
	}
	if !a.regs(c&^0xFF|plusR|op, 0, r) {
		return false
	}
	a.immediate(imm, n)
	return true
}

// bad notes that there is no such instruction.
func (a *Asm) bad(op Op, size uint8, operands ...any) {
	text := ""
	for i, o := range operands {
		if i > 0 {
			text += ", "
		}
		if r, ok := o.(Reg); ok {
			text += regName(r)
		} else {
			text += fmt.Sprintf("%+v", o)
		}
	}
	a.Fail("at %#x: there is no instruction %s %s of operand size %d", a.Offset(), op.mnemonic(size), text, size)
}

// mnemonic is the name of op for operands of the given size.
func (op Op) mnemonic(size uint8) string {
	e := row(op)
	switch {
	case e.size == szF || e.size == szU || e.size == szR || e.size == szFW:
		if size == 4 {
			return e.name + "s"
		}
		return e.name + "d"
	case (e.rm|e.u)&cc != 0:
		return e.name + Cond(op>>condShift).String()
	}
	return e.name
}

var condNames = [16]string{"o", "no", "b", "ae", "e", "ne", "be", "a", "s", "ns", "p", "np", "l", "ge", "le", "g"}

func (c Cond) String() string { return condNames[c&15] }

var intNames = [16]string{"rax", "rcx", "rdx", "rbx", "rsp", "rbp", "rsi", "rdi", "r8", "r9", "r10", "r11", "r12", "r13", "r14", "r15"}

// regName is the name of a register.
func regName(r Reg) string {
	switch {
	case r <= R15:
		return intNames[r]
	case r >= X0 && r <= X15:
		return fmt.Sprintf("xmm%d", r-X0)
	}
	return fmt.Sprintf("register %d", r)
}
