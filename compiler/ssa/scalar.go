package ssa

import (
	"math"
	"math/bits"

	"github.com/wasmaot/wasmaot/compiler/abi"
)

// Scalar computes an op on numbers: t is the result's type, from that of operand A. I32 and
// F32 bits are in the low half, the upper half of the result is 0 then and ignored in operands.
// A NaN made by arithmetic is the positive canonical one, which WebAssembly allows for
// any operands. ok is false for ops that are no functions of numbers.
func Scalar(op Op, t, from abi.Type, a, b uint64) (res uint64, trap abi.Trap, ok bool) {
	wide := from == abi.I64 || from == abi.F64
	switch {
	case op >= OpAdd && op <= OpSext:
		if wide || op == OpEqz && from.Size() == 8 {
			res, trap, ok = scalar64(op, a, b)
		} else {
			res, trap, ok = scalar32(op, uint32(a), uint32(b))
		}
	case op == OpMulHiU:
		res, _ = bits.Mul64(a, b)
		ok = true
	case op >= OpTruncS && op <= OpTruncSatU:
		res, trap = truncate(op, t, toFloat(wide, a))
		ok = true
	case op == OpConvS || op == OpConvU:
		res, ok = convert(op, t, wide, a), true
	case op == OpBitcast:
		res, ok = a, true
	case op == OpDemote:
		res, ok = canonical32(float32(math.Float64frombits(a))), true
	case op == OpPromote:
		res, ok = canonical64(float64(math.Float32frombits(uint32(a)))), true
	case op >= OpFEq && op <= OpFGe:
		res, ok = compareFloats(op, toFloat(wide, a), toFloat(wide, b)), true
	case op >= OpFAdd && op <= OpFNearest && wide:
		res, ok = float64Op(op, a, b), true
	case op >= OpFAdd && op <= OpFNearest:
		res, ok = float32Op(op, uint32(a), uint32(b)), true
	}
	if t == abi.I32 || t == abi.F32 {
		res = uint64(uint32(res))
	}
	return res, trap, ok
}

func truth(b bool) uint64 {
	if b {
		return 1
	}
	return 0
}

func scalar32(op Op, a, b uint32) (res uint64, trap abi.Trap, ok bool) {
	sa, sb := int32(a), int32(b)
	switch op {
	case OpRotl:
		return uint64(bits.RotateLeft32(a, int(b&31))), 0, true
	case OpRotr:
		return uint64(bits.RotateLeft32(a, -int(b&31))), 0, true
	case OpShl:
		return uint64(a << (b & 31)), 0, true
	case OpShrU:
		return uint64(a >> (b & 31)), 0, true
	case OpShrS:
		return uint64(sa >> (b & 31)), 0, true
	case OpClz:
		return uint64(bits.LeadingZeros32(a)), 0, true
	case OpCtz:
		return uint64(bits.TrailingZeros32(a)), 0, true
	case OpPopcnt:
		return uint64(bits.OnesCount32(a)), 0, true
	case OpZext:
		return uint64(a), 0, true
	case OpSext:
		return uint64(sa), 0, true
	case OpDivS:
		if sa == math.MinInt32 && sb == -1 {
			return 0, abi.TrapIntegerOverflow, true
		}
	case OpLtU, OpLeU, OpGtU, OpGeU, OpDivU, OpRemU:
		return scalar64(op, uint64(a), uint64(b))
	case OpWrap, OpSext32:
		return 0, 0, false
	}
	// The rest is right on sign-extended numbers, but for the upper half of the result.
	return scalar64(op, uint64(sa), uint64(sb))
}

func scalar64(op Op, a, b uint64) (res uint64, trap abi.Trap, ok bool) {
	sa, sb := int64(a), int64(b)
	switch op {
	case OpAdd:
		res = a + b
	case OpSub:
		res = a - b
	case OpMul:
		res = a * b
	case OpDivS, OpDivU, OpRemS, OpRemU:
		res, trap = divide(op, a, b)
	case OpAnd:
		res = a & b
	case OpOr:
		res = a | b
	case OpXor:
		res = a ^ b
	case OpShl:
		res = a << (b & 63)
	case OpShrS:
		res = uint64(sa >> (b & 63))
	case OpShrU:
		res = a >> (b & 63)
	case OpRotl:
		res = bits.RotateLeft64(a, int(b&63))
	case OpRotr:
		res = bits.RotateLeft64(a, -int(b&63))
	case OpClz:
		res = uint64(bits.LeadingZeros64(a))
	case OpCtz:
		res = uint64(bits.TrailingZeros64(a))
	case OpPopcnt:
		res = uint64(bits.OnesCount64(a))
	case OpSext8:
		res = uint64(int8(a))
	case OpSext16:
		res = uint64(int16(a))
	case OpSext32:
		res = uint64(int32(a))
	case OpEqz:
		res = truth(a == 0)
	case OpEq:
		res = truth(a == b)
	case OpNe:
		res = truth(a != b)
	case OpLtS:
		res = truth(sa < sb)
	case OpLtU:
		res = truth(a < b)
	case OpGtS:
		res = truth(sa > sb)
	case OpGtU:
		res = truth(a > b)
	case OpLeS:
		res = truth(sa <= sb)
	case OpLeU:
		res = truth(a <= b)
	case OpGeS:
		res = truth(sa >= sb)
	case OpGeU:
		res = truth(a >= b)
	case OpWrap:
		res = uint64(uint32(a))
	default:
		return 0, 0, false
	}
	return res, trap, true
}

func divide(op Op, a, b uint64) (uint64, abi.Trap) {
	sa, sb := int64(a), int64(b)
	switch {
	case b == 0:
		return 0, abi.TrapDivideByZero
	case op == OpDivU:
		return a / b, 0
	case op == OpRemU:
		return a % b, 0
	case op == OpRemS && sb == -1:
		return 0, 0
	case op == OpRemS:
		return uint64(sa % sb), 0
	case sa == math.MinInt64 && sb == -1:
		return 0, abi.TrapIntegerOverflow
	}
	return uint64(sa / sb), 0
}

func toFloat(wide bool, x uint64) float64 {
	if wide {
		return math.Float64frombits(x)
	}
	return float64(math.Float32frombits(uint32(x)))
}

const (
	canonicalNaN32 = 0x7fc00000
	canonicalNaN64 = 0x7ff8000000000000
	signBit32      = 1 << 31
	signBit64      = 1 << 63
)

func canonical32(x float32) uint64 {
	if x != x {
		return canonicalNaN32
	}
	return uint64(math.Float32bits(x))
}

func canonical64(x float64) uint64 {
	if x != x {
		return canonicalNaN64
	}
	return math.Float64bits(x)
}

func float64Op(op Op, a, b uint64) uint64 {
	switch op { // these are on bits, NaN or not
	case OpFAbs:
		return a &^ signBit64
	case OpFNeg:
		return a ^ signBit64
	case OpFCopysign:
		return a&^signBit64 | b&signBit64
	}
	x, y := math.Float64frombits(a), math.Float64frombits(b)
	switch op {
	case OpFAdd:
		x += y
	case OpFSub:
		x -= y
	case OpFMul:
		x *= y
	case OpFDiv:
		x /= y
	default:
		x = sharedFloatOp(op, x, y)
	}
	return canonical64(x)
}

func float32Op(op Op, a, b uint32) uint64 {
	switch op {
	case OpFAbs:
		return uint64(a &^ signBit32)
	case OpFNeg:
		return uint64(a ^ signBit32)
	case OpFCopysign:
		return uint64(a&^signBit32 | b&signBit32)
	}
	x, y := math.Float32frombits(a), math.Float32frombits(b)
	switch op {
	case OpFAdd:
		x += y
	case OpFSub:
		x -= y
	case OpFMul:
		x *= y
	case OpFDiv:
		x /= y
	default:
		// Exact in 64 bits, and for the square root rounding twice does no harm
		// (53 ≥ 2·24+2, Figueroa 1995).
		x = float32(sharedFloatOp(op, float64(x), float64(y)))
	}
	return canonical32(x)
}

func sharedFloatOp(op Op, x, y float64) float64 {
	switch op {
	case OpFMin, OpFMax:
		// math.Min and Max put infinities before NaNs.
		if x != x || y != y {
			return math.NaN()
		}
		if op == OpFMin {
			return math.Min(x, y)
		}
		return math.Max(x, y)
	case OpFSqrt:
		return math.Sqrt(x)
	case OpFCeil:
		return math.Ceil(x)
	case OpFFloor:
		return math.Floor(x)
	case OpFTrunc:
		return math.Trunc(x)
	}
	return math.RoundToEven(x)
}

func compareFloats(op Op, x, y float64) uint64 {
	switch op {
	case OpFEq:
		return truth(x == y)
	case OpFNe:
		return truth(x != y)
	case OpFLt:
		return truth(x < y)
	case OpFGt:
		return truth(x > y)
	case OpFLe:
		return truth(x <= y)
	}
	return truth(x >= y)
}

// truncate converts a float to an integer of type t.
func truncate(op Op, t abi.Type, x float64) (uint64, abi.Trap) {
	signed := op == OpTruncS || op == OpTruncSatS
	width := int(8 * t.Size())
	low, high := 0.0, math.Ldexp(1, width) // low ≤ integer < high
	least, most := uint64(0), uint64(math.MaxUint64)>>(64-width)
	if signed {
		low, high = -high/2, high/2
		least, most = -(1 << (width - 1)), 1<<(width-1)-1
	}
	whole := math.Trunc(x)
	saturate := op == OpTruncSatS || op == OpTruncSatU
	switch {
	case x != x && saturate:
		return 0, 0
	case x != x:
		return 0, abi.TrapInvalidConversion
	case whole >= low && whole < high && signed:
		return uint64(int64(whole)), 0
	case whole >= low && whole < high && whole >= 1<<63:
		return uint64(int64(whole-1<<63)) + 1<<63, 0
	case whole >= low && whole < high:
		return uint64(int64(whole)), 0
	case !saturate:
		return 0, abi.TrapIntegerOverflow
	case x < 0:
		return least, 0
	}
	return most, 0
}

// convert converts an integer to a float of type t, rounding once.
func convert(op Op, t abi.Type, wide bool, a uint64) uint64 {
	if !wide {
		if op == OpConvS {
			a = uint64(int32(a))
		} else {
			a = uint64(uint32(a))
		}
	}
	switch {
	case op == OpConvS && t == abi.F32:
		return uint64(math.Float32bits(float32(int64(a))))
	case op == OpConvS:
		return math.Float64bits(float64(int64(a)))
	case t == abi.F32:
		return uint64(math.Float32bits(float32(a)))
	}
	return math.Float64bits(float64(a))
}
