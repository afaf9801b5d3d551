package arm64

import (
	"math"

	"github.com/wasmaot/wasmaot/compiler/abi"
)

// emitCopysign inserts the sign bit.
func (e *emitter) emitCopysign() {
	mask := uint64(1 << 63)
	if e.In.Size == 4 {
		mask |= 1 << 31
		e.a.VecImm(regScratchV, mask, mask)
	} else {
		e.a.VecImm(regScratchV, 0, 0)
		e.a.RR(VFNEG, A2D, regScratchV, regScratchV)
	}
	e.a.RRR(VBIT, A16B, e.Reg(0), e.Reg(2), regScratchV)
}

func (e *emitter) emitConv() {
	op := SCVTF
	if e.In.Aux&auxUnsigned != 0 {
		op = UCVTF
	}
	e.a.Conv(op, uint8(e.In.Imm), e.In.Size, e.Reg(0), e.Reg(1))
}

// floatSize is the size of the float of a conversion to an integer.
func (e *emitter) floatSize() uint8 {
	if e.In.Aux&auxF64 != 0 {
		return 8
	}
	return 4
}

func (e *emitter) emitTruncSat() {
	op := FCVTZS
	if e.In.Aux&auxUnsigned != 0 {
		op = FCVTZU
	}
	e.a.Conv(op, e.In.Size, e.floatSize(), e.Reg(0), e.Reg(1))
}

// floatBits is x as a float of the size.
func floatBits(x float64, size uint8) uint64 {
	if size == 4 {
		return uint64(math.Float32bits(float32(x)))
	}
	return math.Float64bits(x)
}

// emitTrunc excludes all that does not fit: floats from the power of two on that is one more than the greatest integer, and
// those that truncation does not bring to the least. If the next integer below is no float, then no float is between.
func (e *emitter) emitTrunc() {
	a, u, size := &e.a, e.Reg(1), e.floatSize()
	bits := int(e.In.Size) * 8
	low, below := -1.0, CondLS
	if e.In.Aux&auxUnsigned == 0 {
		bits--
		low = -math.Ldexp(1, bits) - 1
		if bits == 63 || size == 4 {
			low, below = -math.Ldexp(1, bits), CondMI
		}
	}
	a.FCmp(size, u, u)
	e.trapIf(CondVS, abi.TrapInvalidConversion)
	e.floatConstant(regScratchV, floatBits(low, size))
	a.FCmp(size, u, regScratchV)
	e.trapIf(below, abi.TrapIntegerOverflow)
	e.floatConstant(regScratchV, floatBits(math.Ldexp(1, bits), size))
	a.FCmp(size, u, regScratchV)
	e.trapIf(CondGE, abi.TrapIntegerOverflow)
	e.emitTruncSat()
}

// emitBitcast moves bits between an integer and a float register.
func (e *emitter) emitBitcast() { e.a.Mov(e.In.Size, e.Reg(0), e.Reg(1)) }
