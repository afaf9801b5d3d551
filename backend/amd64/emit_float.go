package amd64

import (
	"math"

	"github.com/wasmaot/wasmaot/compiler/abi"
)

func (e *emitter) emitFloatTwo() {
	d, first, op, size := e.Reg(0), e.Reg(1), opOf(e.In), e.In.Size
	if r, m, isMem := e.operand(2); isMem {
		e.a.VRRM(op, size, d, first, m)
	} else {
		e.a.VRRR(op, size, d, first, r)
	}
}

// signMask is a constant with the sign bits of floats of the size, or all others.
func (e *emitter) signMask(size uint8, others bool) Mem {
	m := uint64(1 << 63)
	if size == 4 {
		m |= 1 << 31
	}
	if others {
		m = ^m
	}
	return AtConst(e.a.Const128(m, m))
}

func (e *emitter) emitFloatMask() {
	op := opOf(e.In)
	e.a.RM(op, 16, e.Reg(0), e.signMask(e.In.Size, op == ANDPS))
}

func (e *emitter) emitCopysign() {
	a, d, size := &e.a, e.Reg(0), e.In.Size
	a.RR(MOVAPS, 16, regScratchX, e.Reg(2))
	a.RM(ANDPS, 16, regScratchX, e.signMask(size, false))
	a.RM(ANDPS, 16, d, e.signMask(size, true))
	a.RR(ORPS, 16, d, regScratchX)
}

// emitMinMax: MINF takes the second operand if both are zero or one is NaN. Zeros differ in
// their signs at most: OR makes the least, AND the greatest. A sum with NaN is a quiet NaN.
func (e *emitter) emitMinMax() {
	a, d, b, op, size := &e.a, e.Reg(0), e.Reg(2), opOf(e.In), e.In.Size
	zeros := ORPS
	if op == MAXF {
		zeros = ANDPS
	}
	differ, nan, done := a.NewLabel(), a.NewLabel(), a.NewLabel()
	a.RR(UCOMIF, size, d, b)
	a.Jcc(CondNE, differ)
	a.Jcc(CondP, nan)
	a.RR(zeros, 16, d, b)
	a.Jmp(done)
	a.Bind(nan)
	a.RR(ADDF, size, d, b)
	a.Jmp(done)
	a.Bind(differ)
	a.RR(op, size, d, b)
	a.Bind(done)
}

func (e *emitter) emitConvU64() {
	a, d, u := &e.a, e.Reg(0), e.Reg(1)
	a.RR(TEST, 8, u, u)
	back := e.slowAround(CondS)
	a.RR(XORPS, 16, d, d)
	a.RR(opOf(e.In), 8, d, u)
	a.Bind(back)
}

// slowConvU64 converts an integer of 1<<63 or more: half of it, then doubled. The bit shifted out is
// kept in the lowest place so that rounding sees it.
func (e *emitter) slowConvU64(back Label) {
	a, d, u := &e.a, e.Reg(0), e.Reg(1)
	even := a.NewLabel()
	a.RR(MOV, 8, regScratch, u)
	a.RI(SHR, 8, regScratch, 1)
	a.Jcc(CondAE, even)
	a.RI(OR, 8, regScratch, 1)
	a.Bind(even)
	a.RR(XORPS, 16, d, d)
	a.RR(opOf(e.In), 8, d, regScratch)
	a.RR(ADDF, e.In.Size, d, d)
	a.Jmp(back)
}

// truncOp is the machine's conversion for the instruction, and the size of its float. It gives
// the least integer for NaN and all that does not fit.
func (e *emitter) truncOp() (op Op, floatSize uint8) {
	if e.In.Aux&auxF64 != 0 {
		return CVTTSD2SI, 8
	}
	return CVTTSS2SI, 4
}

// floatConst is a constant float of the size.
func (e *emitter) floatConst(x float64, size uint8) Mem {
	if size == 4 {
		return AtConst(e.a.Const32(math.Float32bits(float32(x))))
	}
	return AtConst(e.a.Const64(math.Float64bits(x)))
}

// emitTrunc looks closer at the least integer: D - 1 overflows.
func (e *emitter) emitTrunc() {
	op, _ := e.truncOp()
	d, size := e.Reg(0), e.In.Size
	e.a.RR(op, size, d, e.Reg(1))
	e.a.RI(CMP, size, d, 1)
	e.slowIf(CondO)
}

// slowTrunc traps unless the float is indeed the least integer.
func (e *emitter) slowTrunc(back Label) {
	a, u := &e.a, e.Reg(1)
	_, size := e.truncOp()
	a.RR(UCOMIF, size, u, u)
	e.trapIf(CondP, abi.TrapInvalidConversion)
	if e.In.Size == 4 && size == 8 {
		a.RM(UCOMIF, size, u, e.floatConst(-1<<31-1, size)) // truncation comes before the comparison with the range
		e.trapIf(CondBE, abi.TrapIntegerOverflow)
	} else {
		// Between the least integer and the next float below there is none.
		a.RM(UCOMIF, size, u, e.floatConst(-math.Ldexp(1, int(e.In.Size)*8-1), size))
		e.trapIf(CondB, abi.TrapIntegerOverflow)
	}
	a.RR(XORPS, 16, regScratchX, regScratchX)
	a.RR(UCOMIF, size, regScratchX, u)
	e.trapIf(CondB, abi.TrapIntegerOverflow)
	a.Jmp(back)
}

// slowTruncSat saturates: 0 for NaN, the greatest integer for what is positive, else the least is right.
func (e *emitter) slowTruncSat(back Label) {
	a, d, u := &e.a, e.Reg(0), e.Reg(1)
	_, size := e.truncOp()
	nan := a.NewLabel()
	a.RR(UCOMIF, size, u, u)
	a.Jcc(CondP, nan)
	a.RR(XORPS, 16, regScratchX, regScratchX)
	a.RR(UCOMIF, size, regScratchX, u)
	a.Jcc(CondAE, back)
	a.RI(MOV, e.In.Size, d, math.MaxInt64>>(64-8*uint(e.In.Size)))
	a.Jmp(back)
	a.Bind(nan)
	a.RR(XOR, 4, d, d)
	a.Jmp(back)
}

// emitTruncU converts to a signed I64: for 32 bits the result must be below 1<<32, for 64
// it must not be negative.
func (e *emitter) emitTruncU() {
	a, d := &e.a, e.Reg(0)
	op, _ := e.truncOp()
	a.RR(op, 8, d, e.Reg(1))
	if e.In.Size == 8 {
		a.RR(TEST, 8, d, d)
		e.slowIf(CondS)
		return
	}
	a.RR(MOV, 8, regScratch, d)
	a.RI(SHR, 8, regScratch, 32)
	e.slowIf(CondNE)
}

// slowTruncU traps, but for floats from 1<<63 on.
func (e *emitter) slowTruncU(back Label) {
	a, d, u := &e.a, e.Reg(0), e.Reg(1)
	op, size := e.truncOp()
	limit := e.floatConst(1<<63, size)
	a.RM(UCOMIF, size, u, limit)
	e.trapIf(CondP, abi.TrapInvalidConversion)
	if e.In.Size == 4 {
		a.Trap(abi.TrapIntegerOverflow, e.In.Pos)
		a.Bare(UD2)
		return
	}
	e.trapIf(CondB, abi.TrapIntegerOverflow)
	e.truncUpper(op, size, d, u, limit)
	e.trapIf(CondS, abi.TrapIntegerOverflow)
	a.RI(BTC, 8, d, 63)
	a.Jmp(back)
}

// truncUpper makes u - 1<<63 an integer; the flags tell whether that is negative.
func (e *emitter) truncUpper(op Op, size uint8, d, u Reg, limit Mem) {
	a := &e.a
	a.RR(MOVAPS, 16, regScratchX, u)
	a.RM(SUBF, size, regScratchX, limit)
	a.RR(op, 8, d, regScratchX)
	a.RR(TEST, 8, d, d)
}

// slowTruncSatU saturates: 0 for NaN and what is negative.
func (e *emitter) slowTruncSatU(back Label) {
	a, d, u := &e.a, e.Reg(0), e.Reg(1)
	op, size := e.truncOp()
	if e.In.Size == 4 {
		a.RR(XOR, 4, d, d)
		a.RR(XORPS, 16, regScratchX, regScratchX)
		a.RR(UCOMIF, size, u, regScratchX)
		a.Jcc(CondBE, back)
		a.RI(MOV, 4, d, math.MaxUint32)
		a.Jmp(back)
		return
	}
	limit := e.floatConst(1<<63, size)
	upper, fits := a.NewLabel(), a.NewLabel()
	a.RM(UCOMIF, size, u, limit)
	a.Jcc(CondAE, upper)
	a.RR(XOR, 4, d, d)
	a.Jmp(back)
	a.Bind(upper)
	e.truncUpper(op, size, d, u, limit)
	a.Jcc(CondNS, fits)
	a.RI(MOV, 8, d, -1)
	a.Jmp(back)
	a.Bind(fits)
	a.RI(BTC, 8, d, 63)
	a.Jmp(back)
}

// emitBitcast moves bits between an integer and a float register.
func (e *emitter) emitBitcast() { e.a.RR(MOVD, e.In.Size, e.Reg(0), e.Reg(1)) }
