package oracle

import (
	"math"
	"math/bits"

	"github.com/wasmaot/wasmaot/compiler/wasm"
)

// scalar is the meaning of an operator on numbers, given by their bits. b is 0 if there is but one operand.
type scalar func(a, b uint64) (uint64, Trap)

// op1 is an operator with one operand that does not trap. The functions below make the others.
func op1[A, R num](f func(A) R) scalar {
	return func(a, _ uint64) (uint64, Trap) { return to(f(from[A](a))), noTrap }
}

func op2[A, R num](f func(a, b A) R) scalar {
	return func(a, b uint64) (uint64, Trap) { return to(f(from[A](a), from[A](b))), noTrap }
}

// relation is an operator whose result is 1 for true.
func relation[A num](f func(a, b A) bool) scalar {
	return func(a, b uint64) (uint64, Trap) { return truth(f(from[A](a), from[A](b))), noTrap }
}

func truth(b bool) uint64 {
	if b {
		return 1
	}
	return 0
}

func trapping1[A, R num](f func(A) (R, Trap)) scalar {
	return func(a, _ uint64) (uint64, Trap) {
		r, t := f(from[A](a))
		return to(r), t
	}
}

func trapping2[A, R num](f func(a, b A) (R, Trap)) scalar {
	return func(a, b uint64) (uint64, Trap) {
		r, t := f(from[A](a), from[A](b))
		return to(r), t
	}
}

// onBits is an operator that moves bits about, so that NaNs stay as they are.
func onBits(f func(a, b uint64) uint64) scalar {
	return func(a, b uint64) (uint64, Trap) { return f(a, b), noTrap }
}

const (
	sign32 = 1 << 31
	sign64 = 1 << 63
)

// scalars has all operators whose operands and results are numbers.
var scalars = [opcodes]scalar{
	wasm.OpI32Eqz: op1(func(a uint32) uint32 { return uint32(truth(a == 0)) }),
	wasm.OpI32Eq:  relation(equal[uint32]),
	wasm.OpI32Ne:  relation(notEqual[uint32]),
	wasm.OpI32LtS: relation(less[int32]),
	wasm.OpI32LtU: relation(less[uint32]),
	wasm.OpI32GtS: relation(greater[int32]),
	wasm.OpI32GtU: relation(greater[uint32]),
	wasm.OpI32LeS: relation(lessEq[int32]),
	wasm.OpI32LeU: relation(lessEq[uint32]),
	wasm.OpI32GeS: relation(greaterEq[int32]),
	wasm.OpI32GeU: relation(greaterEq[uint32]),
	wasm.OpI64Eqz: op1(func(a uint64) uint32 { return uint32(truth(a == 0)) }),
	wasm.OpI64Eq:  relation(equal[uint64]),
	wasm.OpI64Ne:  relation(notEqual[uint64]),
	wasm.OpI64LtS: relation(less[int64]),
	wasm.OpI64LtU: relation(less[uint64]),
	wasm.OpI64GtS: relation(greater[int64]),
	wasm.OpI64GtU: relation(greater[uint64]),
	wasm.OpI64LeS: relation(lessEq[int64]),
	wasm.OpI64LeU: relation(lessEq[uint64]),
	wasm.OpI64GeS: relation(greaterEq[int64]),
	wasm.OpI64GeU: relation(greaterEq[uint64]),
	wasm.OpF32Eq:  relation(equal[float32]),
	wasm.OpF32Ne:  relation(notEqual[float32]),
	wasm.OpF32Lt:  relation(less[float32]),
	wasm.OpF32Gt:  relation(greater[float32]),
	wasm.OpF32Le:  relation(lessEq[float32]),
	wasm.OpF32Ge:  relation(greaterEq[float32]),
	wasm.OpF64Eq:  relation(equal[float64]),
	wasm.OpF64Ne:  relation(notEqual[float64]),
	wasm.OpF64Lt:  relation(less[float64]),
	wasm.OpF64Gt:  relation(greater[float64]),
	wasm.OpF64Le:  relation(lessEq[float64]),
	wasm.OpF64Ge:  relation(greaterEq[float64]),

	wasm.OpI32Clz:    op1(func(a uint32) uint32 { return uint32(bits.LeadingZeros32(a)) }),
	wasm.OpI32Ctz:    op1(func(a uint32) uint32 { return uint32(bits.TrailingZeros32(a)) }),
	wasm.OpI32Popcnt: op1(func(a uint32) uint32 { return uint32(bits.OnesCount32(a)) }),
	wasm.OpI32Add:    op2(add[uint32]),
	wasm.OpI32Sub:    op2(sub[uint32]),
	wasm.OpI32Mul:    op2(mul[uint32]),
	wasm.OpI32DivS:   trapping2(divS[int32]),
	wasm.OpI32DivU:   trapping2(divU[uint32]),
	wasm.OpI32RemS:   trapping2(remS[int32]),
	wasm.OpI32RemU:   trapping2(remU[uint32]),
	wasm.OpI32And:    op2(and[uint32]),
	wasm.OpI32Or:     op2(or[uint32]),
	wasm.OpI32Xor:    op2(xor[uint32]),
	wasm.OpI32Shl:    op2(shl[uint32]),
	wasm.OpI32ShrS:   op2(shr[int32]),
	wasm.OpI32ShrU:   op2(shr[uint32]),
	wasm.OpI32Rotl:   op2(func(a, n uint32) uint32 { return bits.RotateLeft32(a, int(n%32)) }),
	wasm.OpI32Rotr:   op2(func(a, n uint32) uint32 { return bits.RotateLeft32(a, -int(n%32)) }),
	wasm.OpI64Clz:    op1(func(a uint64) uint64 { return uint64(bits.LeadingZeros64(a)) }),
	wasm.OpI64Ctz:    op1(func(a uint64) uint64 { return uint64(bits.TrailingZeros64(a)) }),
	wasm.OpI64Popcnt: op1(func(a uint64) uint64 { return uint64(bits.OnesCount64(a)) }),
	wasm.OpI64Add:    op2(add[uint64]),
	wasm.OpI64Sub:    op2(sub[uint64]),
	wasm.OpI64Mul:    op2(mul[uint64]),
	wasm.OpI64DivS:   trapping2(divS[int64]),
	wasm.OpI64DivU:   trapping2(divU[uint64]),
	wasm.OpI64RemS:   trapping2(remS[int64]),
	wasm.OpI64RemU:   trapping2(remU[uint64]),
	wasm.OpI64And:    op2(and[uint64]),
	wasm.OpI64Or:     op2(or[uint64]),
	wasm.OpI64Xor:    op2(xor[uint64]),
	wasm.OpI64Shl:    op2(shl[uint64]),
	wasm.OpI64ShrS:   op2(shr[int64]),
	wasm.OpI64ShrU:   op2(shr[uint64]),
	wasm.OpI64Rotl:   op2(func(a, n uint64) uint64 { return bits.RotateLeft64(a, int(n%64)) }),
	wasm.OpI64Rotr:   op2(func(a, n uint64) uint64 { return bits.RotateLeft64(a, -int(n%64)) }),

	wasm.OpF32Abs:      onBits(func(a, _ uint64) uint64 { return a &^ sign32 }),
	wasm.OpF32Neg:      onBits(func(a, _ uint64) uint64 { return a ^ sign32 }),
	wasm.OpF32Ceil:     op1(wide(math.Ceil)),
	wasm.OpF32Floor:    op1(wide(math.Floor)),
	wasm.OpF32Trunc:    op1(wide(math.Trunc)),
	wasm.OpF32Nearest:  op1(wide(math.RoundToEven)),
	wasm.OpF32Sqrt:     op1(wide(math.Sqrt)),
	wasm.OpF32Add:      op2(add[float32]),
	wasm.OpF32Sub:      op2(sub[float32]),
	wasm.OpF32Mul:      op2(mul[float32]),
	wasm.OpF32Div:      op2(div[float32]),
	wasm.OpF32Min:      op2(fmin[float32]),
	wasm.OpF32Max:      op2(fmax[float32]),
	wasm.OpF32Copysign: onBits(func(a, b uint64) uint64 { return a&^sign32 | b&sign32 }),
	wasm.OpF64Abs:      onBits(func(a, _ uint64) uint64 { return a &^ sign64 }),
	wasm.OpF64Neg:      onBits(func(a, _ uint64) uint64 { return a ^ sign64 }),
	wasm.OpF64Ceil:     op1(math.Ceil),
	wasm.OpF64Floor:    op1(math.Floor),
	wasm.OpF64Trunc:    op1(math.Trunc),
	wasm.OpF64Nearest:  op1(math.RoundToEven),
	wasm.OpF64Sqrt:     op1(math.Sqrt),
	wasm.OpF64Add:      op2(add[float64]),
	wasm.OpF64Sub:      op2(sub[float64]),
	wasm.OpF64Mul:      op2(mul[float64]),
	wasm.OpF64Div:      op2(div[float64]),
	wasm.OpF64Min:      op2(fmin[float64]),
	wasm.OpF64Max:      op2(fmax[float64]),
	wasm.OpF64Copysign: onBits(func(a, b uint64) uint64 { return a&^sign64 | b&sign64 }),

	wasm.OpI32WrapI64:        op1(convert[uint64, uint32]),
	wasm.OpI32TruncF32S:      trapping1(trunc[float32, int32]),
	wasm.OpI32TruncF32U:      trapping1(trunc[float32, uint32]),
	wasm.OpI32TruncF64S:      trapping1(trunc[float64, int32]),
	wasm.OpI32TruncF64U:      trapping1(trunc[float64, uint32]),
	wasm.OpI64ExtendI32S:     op1(convert[int32, int64]),
	wasm.OpI64ExtendI32U:     op1(convert[uint32, uint64]),
	wasm.OpI64TruncF32S:      trapping1(trunc[float32, int64]),
	wasm.OpI64TruncF32U:      trapping1(trunc[float32, uint64]),
	wasm.OpI64TruncF64S:      trapping1(trunc[float64, int64]),
	wasm.OpI64TruncF64U:      trapping1(trunc[float64, uint64]),
	wasm.OpF32ConvertI32S:    op1(convert[int32, float32]),
	wasm.OpF32ConvertI32U:    op1(convert[uint32, float32]),
	wasm.OpF32ConvertI64S:    op1(convert[int64, float32]),
	wasm.OpF32ConvertI64U:    op1(convert[uint64, float32]),
	wasm.OpF32DemoteF64:      op1(convert[float64, float32]),
	wasm.OpF64ConvertI32S:    op1(convert[int32, float64]),
	wasm.OpF64ConvertI32U:    op1(convert[uint32, float64]),
	wasm.OpF64ConvertI64S:    op1(convert[int64, float64]),
	wasm.OpF64ConvertI64U:    op1(convert[uint64, float64]),
	wasm.OpF64PromoteF32:     op1(convert[float32, float64]),
	wasm.OpI32ReinterpretF32: onBits(func(a, _ uint64) uint64 { return a }),
	wasm.OpI64ReinterpretF64: onBits(func(a, _ uint64) uint64 { return a }),
	wasm.OpF32ReinterpretI32: onBits(func(a, _ uint64) uint64 { return a }),
	wasm.OpF64ReinterpretI64: onBits(func(a, _ uint64) uint64 { return a }),
	wasm.OpI32Extend8S:       op1(convert[int8, int32]),
	wasm.OpI32Extend16S:      op1(convert[int16, int32]),
	wasm.OpI64Extend8S:       op1(convert[int8, int64]),
	wasm.OpI64Extend16S:      op1(convert[int16, int64]),
	wasm.OpI64Extend32S:      op1(convert[int32, int64]),

	wasm.OpI32TruncSatF32S: op1(truncSat[float32, int32]),
	wasm.OpI32TruncSatF32U: op1(truncSat[float32, uint32]),
	wasm.OpI32TruncSatF64S: op1(truncSat[float64, int32]),
	wasm.OpI32TruncSatF64U: op1(truncSat[float64, uint32]),
	wasm.OpI64TruncSatF32S: op1(truncSat[float32, int64]),
	wasm.OpI64TruncSatF32U: op1(truncSat[float32, uint64]),
	wasm.OpI64TruncSatF64S: op1(truncSat[float64, int64]),
	wasm.OpI64TruncSatF64U: op1(truncSat[float64, uint64]),
}
