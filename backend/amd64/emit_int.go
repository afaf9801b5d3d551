package amd64

import (
	"github.com/wasmaot/wasmaot/backend"
	"github.com/wasmaot/wasmaot/compiler/abi"
)

// breakDependency clears a float destination whose upper part the instruction keeps, and so would
// wait for, unless it is the source as well.
func (e *emitter) breakDependency(d Reg) {
	if e.In.Aux&auxBreak != 0 && !(formOf(e.In) == formReg && e.UsedFrom(1, d)) {
		e.a.RR(XORPS, 16, d, d)
	}
}

func (e *emitter) emitLoad() {
	d, op := e.Reg(0), opOf(e.In)
	e.breakDependency(d)
	if r, m, isMem := e.operand(1); isMem {
		e.a.RM(op, e.In.Size, d, m)
	} else {
		e.a.RR(op, e.In.Size, d, r)
	}
}

func (e *emitter) emitLoadI() {
	d, op, size, imm := e.Reg(0), opOf(e.In), e.In.Size, e.In.Imm
	e.breakDependency(d)
	r, m, isMem := e.operand(1)
	switch {
	case op == RORX && isMem:
		e.a.VRMI(op, size, d, m, imm)
	case op == RORX:
		e.a.VRRI(op, size, d, r, imm)
	case isMem:
		e.a.RMI(op, size, d, m, imm)
	default:
		e.a.RRI(op, size, d, r, imm)
	}
}

func (e *emitter) emitStore() {
	m := e.memory(1)
	e.a.MR(opOf(e.In), e.In.Size, m, e.Reg(0))
}

func (e *emitter) emitStoreI() {
	m, op, imm := e.memory(0), opOf(e.In), e.In.Imm
	switch {
	case op == ADD && imm == 1 || op == SUB && imm == -1:
		e.a.M(INC, e.In.Size, m)
	case op == SUB && imm == 1 || op == ADD && imm == -1:
		e.a.M(DEC, e.In.Size, m)
	default:
		e.a.MI(op, e.In.Size, m, imm)
	}
}

func (e *emitter) emitTwo() {
	d, op, size := e.Reg(0), opOf(e.In), e.In.Size
	if formOf(e.In) == formImm {
		e.a.RI(op, size, d, e.In.Imm)
		return
	}
	if r, m, isMem := e.operand(2); isMem {
		e.a.RM(op, size, d, m)
	} else {
		e.a.RR(op, size, d, r)
	}
}

func (e *emitter) emitOne() { e.a.R(opOf(e.In), e.In.Size, e.Reg(0)) }

func (e *emitter) emitShiftX() {
	d, count, op, size := e.Reg(0), e.Reg(1), opOf(e.In), e.In.Size
	if r, m, isMem := e.operand(2); isMem {
		e.a.VRMR(op, size, d, m, count)
	} else {
		e.a.VRRR(op, size, d, r, count)
	}
}

// emitLea adds in place where it can, which is shorter; the sum's upper half is zero for size 4 either way.
func (e *emitter) emitLea() {
	a, d, size := &e.a, e.Reg(0), e.In.Size
	m := e.memory(1)
	switch {
	case m.Scale == 0 && m.Base == d:
		e.addImmediate(d, int64(m.Disp))
	case m.Scale == 0 && m.Disp == 0:
		a.RR(MOV, size, d, m.Base)
	case m.Scale == 1 && m.Disp == 0 && m.Base == d:
		a.RR(ADD, size, d, m.Index)
	case m.Scale == 1 && m.Disp == 0 && m.Index == d:
		a.RR(ADD, size, d, m.Base)
	default:
		if m.Scale == 2 && m.Base == NoReg {
			m.Base, m.Scale = m.Index, 1 // a displacement without base takes 4 bytes
		}
		if m.Scale == 1 && m.Base == RBP || m.Scale == 1 && m.Base == R13 {
			m.Base, m.Index = m.Index, m.Base // these take a displacement as bases
		}
		a.RM(LEA, size, d, m)
	}
}

// addImmediate adds in the shortest form.
func (e *emitter) addImmediate(d Reg, imm int64) {
	a, size := &e.a, e.In.Size
	switch imm {
	case 1:
		a.R(INC, size, d)
	case -1:
		a.R(DEC, size, d)
	case 128: // -128 takes one byte
		a.RI(SUB, size, d, -128)
	default:
		a.RI(ADD, size, d, imm)
	}
}

func (e *emitter) emitOffset() {
	d := e.Reg(0)
	e.a.RI(MOV, 8, d, e.In.Imm)
	e.a.RR(ADD, 8, d, e.Reg(1))
}

// comparison sets the flags; its operands are k and following.
func (e *emitter) comparison(k int) {
	a, in := &e.a, e.In
	op, size := opOf(in), in.Size
	if in.Aux&auxMemFirst != 0 {
		m := e.memory(k)
		a.MI(op, size, m, in.Imm)
		return
	}
	if formOf(in) == formImm {
		if r, m, isMem := e.place(k); isMem {
			a.MI(op, size, m, in.Imm)
		} else {
			a.RI(op, size, r, in.Imm)
		}
		return
	}
	first := e.Reg(k)
	if r, m, isMem := e.operand(k + 1); isMem {
		a.RM(op, size, first, m)
	} else {
		a.RR(op, size, first, r)
	}
}

func (e *emitter) emitSet() {
	a, d, c := &e.a, e.Reg(0), Cond(e.In.Cond)
	if c >= condFEq {
		e.comparison(1)
		parity, both := CondNP, AND
		if c == condFNe {
			parity, both = CondP, OR
		}
		a.R(SETcc.If(parity), 1, regScratch)
		a.R(SETcc.If(c&1|CondE), 1, d)
		a.RR(both, 1, d, regScratch)
		a.RR(MOVZX8, 4, d, d)
		return
	}
	if e.UsedFrom(1, d) {
		e.comparison(1)
		a.R(SETcc.If(c), 1, d)
		a.RR(MOVZX8, 4, d, d)
		return
	}
	a.RR(XOR, 4, d, d)
	e.comparison(1)
	a.R(SETcc.If(c), 1, d)
}

func (e *emitter) emitSelect() {
	a, d, c := &e.a, e.Reg(0), Cond(e.In.Cond)
	e.comparison(3)
	size := uint8(4)
	if e.In.Aux&auxWide != 0 {
		size = 8
	}
	r, m, isMem := e.place(2)
	move := func(c Cond) {
		if isMem {
			a.RM(CMOVcc.If(c), size, d, m)
		} else {
			a.RR(CMOVcc.If(c), size, d, r)
		}
	}
	if c == condFNe {
		move(CondNE)
		c = CondP
	}
	move(c)
}

func (e *emitter) emitSelectF() {
	d, other := e.Reg(0), e.Reg(2)
	skip := e.a.NewLabel()
	e.comparison(3)
	e.JumpIf(e.In.Cond^1, skip)
	e.a.RR(MOVAPS, 16, d, other)
	e.a.Bind(skip)
}

// The divisions. The machine faults where wasm traps, but it does not tell why, so for
// signed division 0 is excluded before.

func (e *emitter) emitDiv() {
	a := &e.a
	a.RR(XOR, 4, RDX, RDX)
	if e.In.Aux&auxNonZero == 0 {
		a.Trap(abi.TrapDivideByZero, e.In.Pos)
	}
	a.R(DIV, e.In.Size, e.Reg(3))
}

func (e *emitter) emitDivS() {
	a, divisor := &e.a, e.Reg(3)
	e.excludeZero(divisor)
	e.signExtend()
	if e.In.Aux&auxNoOverflow == 0 {
		a.Trap(abi.TrapIntegerOverflow, e.In.Pos)
	}
	a.R(IDIV, e.In.Size, divisor)
}

func (e *emitter) excludeZero(r Reg) {
	if e.In.Aux&auxNonZero == 0 {
		e.a.RR(TEST, e.In.Size, r, r)
		e.trapIf(CondE, abi.TrapDivideByZero)
	}
}

// signExtend extends rax into rdx.
func (e *emitter) signExtend() {
	if e.In.Size == 8 {
		e.a.Bare(CQO)
	} else {
		e.a.Bare(CDQ)
	}
}

// emitRemS takes the remainder of -1 to be 0 out of line: the machine would fault on the
// least integer.
func (e *emitter) emitRemS() {
	a, divisor := &e.a, e.Reg(3)
	e.excludeZero(divisor)
	if e.In.Aux&auxNoOverflow != 0 {
		e.signExtend()
		a.R(IDIV, e.In.Size, divisor)
		return
	}
	a.RI(CMP, e.In.Size, divisor, -1)
	back := e.slowAround(CondE)
	e.signExtend()
	a.R(IDIV, e.In.Size, divisor)
	a.Bind(back)
}

func (e *emitter) slowRemS(back Label) {
	e.a.RR(XOR, 4, RDX, RDX)
	e.a.Jmp(back)
}

func (e *emitter) emitMulHi() {
	if r, m, isMem := e.operand(3); isMem {
		e.a.M(opOf(e.In), 8, m)
	} else {
		e.a.R(opOf(e.In), 8, r)
	}
}

func (e *emitter) emitBitScan() {
	a, d, op, size := &e.a, e.Reg(0), opOf(e.In), e.In.Size
	if r, m, isMem := e.operand(1); isMem {
		a.RM(op, size, d, m)
	} else {
		a.RR(op, size, d, r)
	}
	width := int64(size) * 8
	if op == BSF {
		a.RI(MOV, 4, regScratch, width)
		a.RR(CMOVcc.If(CondE), size, d, regScratch)
		return
	}
	a.RI(MOV, 4, regScratch, 2*width-1)
	a.RR(CMOVcc.If(CondE), size, d, regScratch)
	a.RI(XOR, size, d, width-1) // the place counted from below to that from above; 2·width-1 to width
}

// emitIndexMask traps if operand 1 is no index below the length; if the processor guesses
// otherwise the index becomes 0.
func (e *emitter) emitIndexMask() {
	a, d, index := &e.a, e.Reg(0), e.Reg(1)
	e.compareLength(index, 2)
	e.trapIf(CondAE, abi.Trap(e.In.Cond))
	a.RR(SBB, 8, d, d) // all ones if below
	a.RR(AND, 8, d, index)
}

// compareLength compares an index with the length of a table, whose form's registers are operand k and following.
func (e *emitter) compareLength(index Reg, k int) {
	if e.In.Aux&backend.AuxFixed != 0 {
		e.a.RI(CMP, 8, index, int64(int32(e.In.Imm)))
	} else {
		e.a.RM(CMP, 8, index, e.memory(k))
	}
}

// emitCheckAddr makes the address of a checked access: base + index + offset, where index + offset +
// size is at most the memory's size. If the processor only guesses so the address is 0.
func (e *emitter) emitCheckAddr() {
	a, in := &e.a, e.In
	d, index, record, base := e.Reg(0), e.Reg(1), e.Reg(2), regMemBase
	if len(e.Locs) > 3 {
		base = e.Reg(3)
	}
	wide := in.Aux&backend.AuxIndex64 != 0
	if !wide && in.Imm == int64(int32(in.Imm)) {
		a.RM(LEA, 8, d, At(index, int32(in.Imm)))
	} else {
		a.RI(MOV, 8, d, in.Imm)
		a.RR(ADD, 8, d, index)
		if wide {
			e.trapIf(CondB, abi.TrapMemoryOutOfBounds)
		}
	}
	a.RM(MOV, 8, regScratch, At(record, abi.MemoryRecBytes))
	a.RR(CMP, 8, regScratch, d)
	e.trapIf(CondB, abi.TrapMemoryOutOfBounds)
	a.RM(LEA, 8, d, AtIndex(base, d, 1, -int32(in.Aux&0xff)))
	a.RI(MOV, 4, regScratch, 0)
	a.RR(CMOVcc.If(CondB), 8, d, regScratch)
}
