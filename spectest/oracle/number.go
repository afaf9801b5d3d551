package oracle

import "math"

// num are the types of numbers and of lanes of vectors.
type num interface {
	int8 | int16 | int32 | int64 | uint8 | uint16 | uint32 | uint64 | float32 | float64
}

type integer interface {
	int8 | int16 | int32 | int64 | uint8 | uint16 | uint32 | uint64
}

type float interface{ float32 | float64 }

// from is the number with the given bits; those above its width do not count.
func from[T num](bits uint64) T {
	var zero T
	switch any(zero).(type) {
	case float32:
		return T(math.Float32frombits(uint32(bits)))
	case float64:
		return T(math.Float64frombits(bits))
	}
	return T(bits)
}

const (
	nan32 = 0x7fc00000
	nan64 = 0x7ff8000000000000
)

// to is the bits of a number, 0 above its width. NaNs become canonical: only what computes floats uses it.
func to[T num](x T) uint64 {
	switch x := any(x).(type) {
	case float32:
		if x != x {
			return nan32
		}
		return uint64(math.Float32bits(x))
	case float64:
		if x != x {
			return nan64
		}
		return math.Float64bits(x)
	case int8:
		return uint64(uint8(x))
	case int16:
		return uint64(uint16(x))
	case int32:
		return uint64(uint32(x))
	}
	return uint64(x)
}

// width is the number of bits.
func width[T num]() int {
	var zero T
	switch any(zero).(type) {
	case int8, uint8:
		return 8
	case int16, uint16:
		return 16
	case int32, uint32, float32:
		return 32
	}
	return 64
}

func add[T num](a, b T) T  { return a + b }
func sub[T num](a, b T) T  { return a - b }
func mul[T num](a, b T) T  { return a * b }
func neg[T integer](a T) T { return -a }

func and[T integer](a, b T) T { return a & b }
func or[T integer](a, b T) T  { return a | b }
func xor[T integer](a, b T) T { return a ^ b }

func equal[T num](a, b T) bool     { return a == b }
func notEqual[T num](a, b T) bool  { return a != b }
func less[T num](a, b T) bool      { return a < b }
func greater[T num](a, b T) bool   { return a > b }
func lessEq[T num](a, b T) bool    { return a <= b }
func greaterEq[T num](a, b T) bool { return a >= b }

// Shifts and rotations take the count modulo the width.
func shl[T integer](a, n T) T { return a << (uint64(n) % uint64(width[T]())) }
func shr[T integer](a, n T) T { return a >> (uint64(n) % uint64(width[T]())) }

// divS is division of signed integers.
func divS[T int32 | int64](a, b T) (T, Trap) {
	switch {
	case b == 0:
		return 0, TrapDivideByZero
	case b == -1 && a == -a && a != 0: // the smallest number has no counterpart
		return 0, TrapIntegerOverflow
	}
	return a / b, noTrap
}

func remS[T int32 | int64](a, b T) (T, Trap) {
	switch b {
	case 0:
		return 0, TrapDivideByZero
	case -1:
		return 0, noTrap
	}
	return a % b, noTrap
}

func divU[T uint32 | uint64](a, b T) (T, Trap) {
	if b == 0 {
		return 0, TrapDivideByZero
	}
	return a / b, noTrap
}

func remU[T uint32 | uint64](a, b T) (T, Trap) {
	if b == 0 {
		return 0, TrapDivideByZero
	}
	return a % b, noTrap
}

func div[T float](a, b T) T { return a / b }

// wide makes a function on float32 of one on float64. It is exact for those that round to integers, and for
// the square root, whose result of 53 bits rounds to 24 bits as the exact one would.
func wide(f func(float64) float64) func(float32) float32 {
	return func(a float32) float32 { return float32(f(float64(a))) }
}

// fmin is min as the specification has it: NaN if one operand is, and -0 is less than 0.
func fmin[T float](a, b T) T {
	switch {
	case a != a || b != b:
		return T(math.NaN())
	case a < b || a == b && math.Signbit(float64(a)):
		return a
	}
	return b
}

func fmax[T float](a, b T) T {
	switch {
	case a != a || b != b:
		return T(math.NaN())
	case a > b || a == b && !math.Signbit(float64(a)):
		return a
	}
	return b
}

// bounds are the floats between which, both exclusive, a float has to be for its integer part to be a T.
func bounds[T int32 | uint32 | int64 | uint64]() (low, high float64) {
	var zero T
	switch any(zero).(type) {
	case int32:
		return -1<<31 - 1, 1 << 31
	case uint32:
		return -1, 1 << 32
	case int64: // no float64 lies between this and -1<<63
		return math.Nextafter(-1<<63, math.Inf(-1)), 1 << 63
	}
	return -1, 1 << 64
}

// trunc turns a float into an integer. Every float32 is a float64.
func trunc[F float, T int32 | uint32 | int64 | uint64](f F) (T, Trap) {
	low, high := bounds[T]()
	switch x := float64(f); {
	case x != x:
		return 0, TrapInvalidConversion
	case x <= low || x >= high:
		return 0, TrapIntegerOverflow
	default:
		return T(math.Trunc(x)), noTrap
	}
}

// truncSat does so too, with the nearest integer for what is out of range, and 0 for NaN.
func truncSat[F float, T int32 | uint32 | int64 | uint64](f F) T {
	low, high := bounds[T]()
	switch x := float64(f); {
	case x != x:
		return 0
	case x <= low:
		return minOf[T]()
	case x >= high:
		return maxOf[T]()
	default:
		return T(math.Trunc(x))
	}
}

func minOf[T integer]() T {
	var zero T
	if zero-1 > 0 {
		return 0
	}
	return T(1) << (width[T]() - 1)
}

func maxOf[T integer]() T { return minOf[T]() - 1 }

// convert is Go's conversion between numbers: it rounds to the nearest, ties to even, and integers wrap.
func convert[A, R num](a A) R { return R(a) }
