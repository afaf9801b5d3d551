package arm64

import (
	"github.com/wasmaot/wasmaot/backend"
	"github.com/wasmaot/wasmaot/backend/regalloc"
	"github.com/wasmaot/wasmaot/compiler/abi"
)

func (e *emitter) emitMove32() {
	if l := e.Locs[1]; l.Kind != regalloc.LocReg {
		e.a.Mem(LDR, 4, e.Reg(0), e.offset(4, SP, e.StackOffset(l), regScratch))
		return
	}
	e.a.Mov(4, e.Reg(0), e.Reg(1))
}

func (e *emitter) emitCopy() { e.a.Mov(8, e.Reg(0), e.Reg(1)) }

func (e *emitter) emitOne() { e.a.RR(opOf(e.In), e.In.Size, e.Reg(0), e.Reg(1)) }

func (e *emitter) emitTwo() {
	n, k := ZR, 1
	if e.In.Aux&auxZeroA == 0 {
		n, k = e.Reg(1), 2
	}
	e.second(opOf(e.In), e.In.Size, e.Reg(0), n, k)
}

func (e *emitter) emitThree() {
	x := ZR
	if e.In.Aux&auxZeroB == 0 {
		x = e.Reg(3)
	}
	e.a.RRRR(opOf(e.In), e.In.Size, e.Reg(0), e.Reg(1), e.Reg(2), x)
}

func (e *emitter) emitField() {
	imm := e.In.Imm
	e.a.Bits(FieldOp(uint32(imm)), e.In.Size, e.Reg(0), e.Reg(1), uint8(imm>>32), uint8(imm>>40))
}

func (e *emitter) emitInsert() {
	imm := e.In.Imm
	e.a.Bits(FieldOp(uint32(imm)), e.In.Size, e.Reg(0), e.Reg(2), uint8(imm>>32), uint8(imm>>40))
}

func (e *emitter) emitExtract() {
	e.a.Extr(e.In.Size, e.Reg(0), e.Reg(1), e.Reg(2), uint8(e.In.Imm))
}

func (e *emitter) emitPopcnt() {
	a := &e.a
	a.Mov(e.In.Size, regScratchV, e.Reg(1))
	a.RR(VCNT, A8B, regScratchV, regScratchV)
	a.RR(VADDV, A8B, regScratchV, regScratchV)
	a.Mov(4, e.Reg(0), regScratchV)
}

// accessed is the number of bytes that a load or store reaches.
func (e *emitter) accessed(op MemOp, r Reg) uint8 { return op.find(e.In.Size, r).bytes }

func (e *emitter) emitLoad() {
	op, d := MemOp(opOf(e.In)), e.Reg(0)
	if disp, ok := e.slotDisp(); ok {
		e.slotMem(op, e.In.Size, d, disp, regScratch)
		return
	}
	m := e.memory(1, e.accessed(op, d))
	e.a.Mem(op, e.In.Size, d, m)
}

func (e *emitter) emitStore() {
	r, k := ZR, 0
	if e.In.Aux&auxZeroA == 0 {
		r, k = e.Reg(0), 1
	}
	op := MemOp(opOf(e.In))
	if disp, ok := e.slotDisp(); ok {
		e.slotMem(op, e.In.Size, r, disp, regScratch)
		return
	}
	m := e.memory(k, e.accessed(op, r))
	e.probe(e.accessed(op, r), m)
	e.a.Mem(op, e.In.Size, r, m)
}

// probe loads what a store will write to, so that if either traps the load does.
func (e *emitter) probe(size uint8, m Mem) {
	if e.In.Aux&auxProbe == 0 {
		return
	}
	r := ZR
	if size == 16 {
		r = regScratchV
	}
	e.a.Mem(LDR, size, r, m)
	e.a.Trap(abi.TrapMemoryOutOfBounds, e.In.Pos)
}

// slotDisp gives the place on the stack of a call's parameters and results.
func (e *emitter) slotDisp() (disp int32, ok bool) {
	switch formOf(e.In) {
	case formOut:
		return e.In.Disp, true
	case formIn:
		return e.Incoming + e.In.Disp, true
	}
	return 0, false
}

// emitAddr makes the address of a field of the context, or of memory base + index + offset.
func (e *emitter) emitAddr() {
	a, d, in := &e.a, e.Reg(0), e.In
	switch f := formOf(in); f {
	case formCtx:
		e.addImm(d, regCtx, int64(in.Disp))
	case formGuest:
		a.RRRExt(ADD, 8, d, regMemBase, e.Reg(1), Ext(extOf(in)), 0)
	case formBaseIndex:
		base := e.Reg(1)
		if disp := int64(uint32(in.Disp)); disp != 0 {
			e.addImm(regScratch, base, disp)
			base = regScratch
		}
		a.RRRExt(ADD, 8, d, base, e.Reg(2), Ext(extOf(in)), 0)
	default:
		e.Fail("instruction %d: form %d has no address", e.At, f)
	}
}

// addImm makes d = n + imm by way of the scratch register.
func (e *emitter) addImm(d, n Reg, imm int64) {
	if AddImm(imm) {
		e.a.RRI(ADD, 8, d, n, imm)
		return
	}
	e.a.MovImm(8, regScratch, imm)
	e.a.RRR(ADD, 8, d, n, regScratch)
}

func (e *emitter) emitSet() {
	a, d, in := &e.a, e.Reg(0), e.In
	c := Cond(in.Cond)
	size := uint8(4)
	if in.Aux&auxWide != 0 {
		size = 8
	}
	minus := in.Aux&auxInv != 0
	if opOf(in) == cmpBit && c == CondNE {
		op := UBFM
		if minus {
			op = SBFM
		}
		a.Bits(op, max(size, in.Size), d, e.Reg(1), uint8(in.Imm), uint8(in.Imm))
		return
	}
	e.comparison(1)
	op := CSINC
	if minus {
		op = CSINV
	}
	a.Sel(op, size, d, ZR, ZR, c^1)
}

func (e *emitter) emitSelect() {
	a, d, in := &e.a, e.Reg(0), e.In
	k := 1
	use := func(zero uint32) Reg {
		if in.Aux&zero != 0 {
			return ZR
		}
		k++
		return e.Reg(k - 1)
	}
	n, m := use(auxZeroA), use(auxZeroB)
	e.compareOnce(k, d)
	size := uint8(4)
	if in.Aux&auxWide != 0 {
		size = 8
	}
	c := Cond(in.Cond)
	switch {
	case e.M.RA.VRegs[e.M.RA.Ops[e.M.RA.Insts[e.At].OpStart].V].Class == regalloc.ClassVec:
		skip := a.NewLabel()
		a.Mov(16, d, n)
		a.BCond(c, skip)
		a.Mov(16, d, m)
		a.Bind(skip)
	case d >= V0:
		a.Sel(FCSEL, size, d, n, m, c)
	case in.Aux&auxInc != 0:
		a.Sel(CSINC, size, d, n, m, c)
	case in.Aux&auxInv != 0:
		a.Sel(CSINV, size, d, n, m, c)
	case in.Aux&auxNeg != 0:
		a.Sel(CSNEG, size, d, n, m, c)
	default:
		a.Sel(CSEL, size, d, n, m, c)
	}
	e.compared.place = a.Place()
}

// compareOnce makes the comparison for a choice into d unless the choice just before was by the same one.
func (e *emitter) compareOnce(k int, d Reg) {
	in := e.In
	c := compared{aux: in.Aux &^ (auxInc | auxInv | auxNeg | auxZeroA | auxZeroB | auxWide), size: in.Size, n: e.Reg(k), m: NoReg, imm: in.Imm, disp: in.Disp}
	if k+1 < len(e.Locs) {
		c.m = e.Reg(k + 1)
	}
	last := e.compared
	c.place = last.place
	if c != last || last.place == 0 || last.place != e.a.Place() {
		e.comparison(k)
	}
	e.compared = c
	if d == c.n || d == c.m {
		e.compared.size = 0 // overwritten
	}
}

// excludeZero traps if the divisor is 0.
func (e *emitter) excludeZero(r Reg) {
	if e.In.Aux&auxNonZero == 0 {
		e.a.CBZ(e.In.Size, r, e.TrapLabel(abi.TrapDivideByZero))
	}
}

// emitDiv traps on what overflows: the least integer, from which 1 is subtracted with overflow, by -1.
func (e *emitter) emitDiv() {
	a, in, size := &e.a, e.In, e.In.Size
	n, m := e.Reg(1), e.Reg(2)
	e.excludeZero(m)
	if in.Aux&auxUnsigned == 0 {
		a.RRI(ADDS, size, ZR, m, 1)
		a.CCmpI(CCMP, size, n, 1, 0, CondEQ)
		e.trapIf(CondVS, abi.TrapIntegerOverflow)
	}
	a.RRR(opOf(in), size, e.Reg(0), n, m)
}

// emitRem: the remainder of what overflows comes out as 0.
func (e *emitter) emitRem() {
	d, n, m, size := e.Reg(0), e.Reg(1), e.Reg(2), e.In.Size
	e.excludeZero(m)
	e.a.RRR(opOf(e.In), size, d, n, m)
	e.a.RRRR(MSUB, size, d, d, m, n)
}

// indexAgainst compares the scratch register with an index of 32 or 64 bits.
func (e *emitter) indexAgainst(index Reg, wide bool) {
	if wide {
		e.a.RRR(SUBS, 8, ZR, regScratch, index)
	} else {
		e.a.RRRExt(SUBS, 8, ZR, regScratch, index, ExtUXTW, 0)
	}
}

// maskIndex makes d an index below the length of a table, whose form's registers are operand k and following, or traps; if the processor
// only guesses that it is below, the index becomes 0.
func (e *emitter) maskIndex(d, index Reg, k int, t abi.Trap) {
	if e.In.Aux&backend.AuxFixed != 0 {
		e.a.MovImm(8, regScratch, int64(int32(e.In.Imm)))
	} else {
		e.a.Mem(LDR, 8, regScratch, e.memory(k, 8))
	}
	wide, size := e.In.Aux&auxWide != 0, uint8(4)
	if wide {
		size = 8
	}
	e.indexAgainst(index, wide)
	e.trapIf(CondLS, t)
	e.a.Sel(CSEL, size, d, index, ZR, CondHI)
}

func (e *emitter) emitIndexMask() { e.maskIndex(e.Reg(0), e.Reg(1), 2, abi.Trap(e.In.Cond)) }

// emitCheckAddr makes the address of a checked access: base + index + offset, where index + offset +
// size is at most the memory's size. If the processor only guesses so the address is 0.
func (e *emitter) emitCheckAddr() {
	a, in := &e.a, e.In
	d, index, record, base := e.Reg(0), e.Reg(1), e.Reg(2), regMemBase
	if len(e.Locs) > 3 {
		base = e.Reg(3)
	}
	a.MovImm(8, d, in.Imm)
	if in.Aux&auxWide != 0 {
		a.RRR(ADDS, 8, d, d, index)
		e.trapIf(CondHS, abi.TrapMemoryOutOfBounds)
	} else {
		a.RRRExt(ADD, 8, d, d, index, ExtUXTW, 0)
	}
	a.Mem(LDR, 8, regScratch, At(record, abi.MemoryRecBytes))
	a.RRR(SUBS, 8, ZR, regScratch, d)
	e.trapIf(CondLO, abi.TrapMemoryOutOfBounds)
	a.RRI(SUB, 8, d, d, int64(in.Aux&0xff))
	a.RRR(ADD, 8, d, d, base)
	a.Sel(CSEL, 8, d, d, ZR, CondHS)
}

// emitPoison makes the upper half garbage.
func (e *emitter) emitPoison() {
	e.a.MovImm(8, regScratch, poisonHigh)
	e.a.RRR(ORR, 8, e.Reg(0), e.Reg(0), regScratch)
}
