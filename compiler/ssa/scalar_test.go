package ssa_test

import (
	"math"
	"math/bits"
	"math/rand/v2"
	"testing"

	"github.com/wasmaot/wasmaot/compiler/abi"
	. "github.com/wasmaot/wasmaot/compiler/ssa"
	"github.com/wasmaot/wasmaot/compiler/ssa/ssatest"
)

const canonicalNaN32 = 0x7fc00000

func truth(b bool) uint64 {
	if b {
		return 1
	}
	return 0
}

// bit32 computes integer ops on 32 bits by Go's own 32-bit arithmetic.
var bit32 = map[Op]func(a, b uint32) uint32{
	OpAdd:    func(a, b uint32) uint32 { return a + b },
	OpSub:    func(a, b uint32) uint32 { return a - b },
	OpMul:    func(a, b uint32) uint32 { return a * b },
	OpAnd:    func(a, b uint32) uint32 { return a & b },
	OpOr:     func(a, b uint32) uint32 { return a | b },
	OpXor:    func(a, b uint32) uint32 { return a ^ b },
	OpShl:    func(a, b uint32) uint32 { return a << (b % 32) },
	OpShrU:   func(a, b uint32) uint32 { return a >> (b % 32) },
	OpShrS:   func(a, b uint32) uint32 { return uint32(int32(a) >> (b % 32)) },
	OpRotl:   func(a, b uint32) uint32 { return bits.RotateLeft32(a, int(b%32)) },
	OpRotr:   func(a, b uint32) uint32 { return bits.RotateLeft32(a, 32-int(b%32)) },
	OpClz:    func(a, _ uint32) uint32 { return uint32(bits.LeadingZeros32(a)) },
	OpCtz:    func(a, _ uint32) uint32 { return uint32(bits.TrailingZeros32(a)) },
	OpPopcnt: func(a, _ uint32) uint32 { return uint32(bits.OnesCount32(a)) },
	OpSext8:  func(a, _ uint32) uint32 { return uint32(int32(int8(a))) },
	OpSext16: func(a, _ uint32) uint32 { return uint32(int32(int16(a))) },
	OpEqz:    func(a, _ uint32) uint32 { return uint32(truth(a == 0)) },
	OpEq:     func(a, b uint32) uint32 { return uint32(truth(a == b)) },
	OpNe:     func(a, b uint32) uint32 { return uint32(truth(a != b)) },
	OpLtS:    func(a, b uint32) uint32 { return uint32(truth(int32(a) < int32(b))) },
	OpLtU:    func(a, b uint32) uint32 { return uint32(truth(a < b)) },
	OpGtS:    func(a, b uint32) uint32 { return uint32(truth(int32(a) > int32(b))) },
	OpGtU:    func(a, b uint32) uint32 { return uint32(truth(a > b)) },
	OpLeS:    func(a, b uint32) uint32 { return uint32(truth(int32(a) <= int32(b))) },
	OpLeU:    func(a, b uint32) uint32 { return uint32(truth(a <= b)) },
	OpGeS:    func(a, b uint32) uint32 { return uint32(truth(int32(a) >= int32(b))) },
	OpGeU:    func(a, b uint32) uint32 { return uint32(truth(a >= b)) },
}

func TestScalar32(t *testing.T) {
	corners := []uint32{0, 1, 2, 31, 32, 33, 0x7f, 0x80, 0xff, 0x7fff, 0x8000, 0xffff, 0x7fffffff, 0x80000000, 0x80000001, 0xfffffffe, 0xffffffff}
	r := rand.New(rand.NewPCG(ssatest.Seed(t), 0))
	for range 20 {
		corners = append(corners, r.Uint32())
	}
	for op := OpAdd; op < OpWrap; op++ {
		want, ok := bit32[op]
		if !ok {
			if !op.Is(PropTraps) && op != OpSext32 {
				t.Errorf("%s is not tested", op)
			}
			continue
		}
		for _, a := range corners {
			for _, b := range corners {
				// The upper halves of operands do not matter.
				got, trap, ok := Scalar(op, abi.I32, abi.I32, uint64(a)|r.Uint64()<<32, uint64(b)|r.Uint64()<<32)
				if got != uint64(want(a, b)) || trap != 0 || !ok {
					t.Fatalf("%s %#x, %#x: got %#x (trap %v, ok %v), expected %#x", op, a, b, got, trap, ok, want(a, b))
				}
			}
		}
	}
}

func f32(x float32) uint64 { return uint64(math.Float32bits(x)) }
func f64(x float64) uint64 { return math.Float64bits(x) }

// TestScalar has the corners of the specification, section 4.3 (numerics).
func TestScalar(t *testing.T) {
	const (
		i32, i64, f32t, f64t = abi.I32, abi.I64, abi.F32, abi.F64
		min32                = 1 << 31
		min64                = 1 << 63
		all                  = math.MaxUint64
	)
	var (
		inf      = math.Inf(1)
		nan      = uint64(0x7ff8000000000000)
		snan     = uint64(0xfff0000000000123)
		negZero  = math.Copysign(0, -1)
		divZero  = abi.TrapDivideByZero
		overflow = abi.TrapIntegerOverflow
		invalid  = abi.TrapInvalidConversion
	)
	for _, c := range []struct {
		op       Op
		t, from  abi.Type
		a, b     uint64
		want     uint64
		wantTrap abi.Trap
	}{
		{OpDivS, i32, i32, min32, all, 0, overflow},
		{OpDivS, i32, i32, 7, 0, 0, divZero},
		{OpDivS, i32, i32, uint64(uint32(1<<32 - 7)), 2, 0xfffffffd, 0},
		{OpDivU, i32, i32, 0xfffffff9, 2, 0x7ffffffc, 0},
		{OpDivU, i32, i32, min32, 0xffffffff, 0, 0},
		{OpRemS, i32, i32, min32, 0xffffffff, 0, 0},
		{OpRemS, i32, i32, 0xfffffff9, 2, 0xffffffff, 0},
		{OpRemU, i32, i32, 0xfffffff9, 10, 9, 0},
		{OpRemU, i32, i32, 7, 0, 0, divZero},
		{OpDivS, i64, i64, min64, all, 0, overflow},
		{OpDivU, i64, i64, min64, all, 0, 0},
		{OpRemS, i64, i64, min64, all, 0, 0},
		{OpRemS, i64, i64, 7, 0, 0, divZero},
		{OpShl, i64, i64, 1, 65, 2, 0},
		{OpShrS, i64, i64, min64, 127, all, 0},
		{OpRotr, i64, i64, 1, 1, min64, 0},
		{OpSext32, i64, i64, 0x180000000, 0, 0xffffffff80000000, 0},
		{OpLtU, i32, i64, 1, all, 1, 0},
		{OpLtS, i32, i64, 1, all, 0, 0},
		{OpEqz, i32, i64, 1 << 40, 0, 0, 0},
		{OpEqz, i32, abi.FuncRef, 1 << 40, 0, 0, 0},
		{OpWrap, i32, i64, 0x123456789, 0, 0x23456789, 0},
		{OpZext, i64, i32, 0xf00000000 | min32, 0, min32, 0},
		{OpSext, i64, i32, 0xf00000000 | min32, 0, 0xffffffff80000000, 0},

		{OpTruncS, i32, f64t, f64(2147483647.9), 0, 0x7fffffff, 0},
		{OpTruncS, i32, f64t, f64(2147483648), 0, 0, overflow},
		{OpTruncS, i32, f64t, f64(-2147483648.9), 0, min32, 0},
		{OpTruncS, i32, f64t, f64(-2147483649), 0, 0, overflow},
		{OpTruncS, i32, f64t, nan, 0, 0, invalid},
		{OpTruncU, i32, f64t, f64(-0.9), 0, 0, 0},
		{OpTruncU, i32, f64t, f64(-1), 0, 0, overflow},
		{OpTruncU, i32, f64t, f64(4294967295.9), 0, 0xffffffff, 0},
		{OpTruncU, i32, f64t, f64(4294967296), 0, 0, overflow},
		{OpTruncS, i64, f64t, f64(-9223372036854775808), 0, min64, 0},
		{OpTruncS, i64, f64t, f64(9223372036854775808), 0, 0, overflow},
		{OpTruncU, i64, f64t, f64(9223372036854775808), 0, min64, 0},
		{OpTruncU, i64, f64t, f64(18446744073709549568), 0, 0xfffffffffffff800, 0},
		{OpTruncU, i64, f64t, f64(18446744073709551616), 0, 0, overflow},
		{OpTruncU, i64, f32t, f32(1.5), 0, 1, 0},
		{OpTruncSatS, i32, f32t, f32(float32(inf)), 0, 0x7fffffff, 0},
		{OpTruncSatS, i32, f32t, f32(float32(-inf)), 0, min32, 0},
		{OpTruncSatS, i64, f64t, f64(-inf), 0, min64, 0},
		{OpTruncSatS, i64, f64t, f64(inf), 0, math.MaxInt64, 0},
		{OpTruncSatU, i64, f64t, f64(-inf), 0, 0, 0},
		{OpTruncSatU, i64, f64t, f64(inf), 0, all, 0},
		{OpTruncSatU, i32, f64t, f64(inf), 0, 0xffffffff, 0},
		{OpTruncSatU, i32, f64t, nan, 0, 0, 0},

		{OpConvS, f32t, i32, 16777217, 0, f32(16777216), 0},
		{OpConvS, f64t, i32, 0xffffffff, 0, f64(-1), 0},
		{OpConvU, f64t, i32, 0xffffffff, 0, f64(4294967295), 0},
		{OpConvU, f64t, i64, all, 0, f64(18446744073709551616), 0},
		{OpConvU, f32t, i64, 0x8000008000000001, 0, 0x5f000001, 0}, // rounds once
		{OpConvU, f32t, i64, 0x8000008000000000, 0, 0x5f000000, 0}, // to even
		{OpConvS, f32t, i64, 0x7fffff4000000001, 0, 0x5effffff, 0},

		{OpFMin, f64t, f64t, f64(0), f64(negZero), f64(negZero), 0},
		{OpFMax, f64t, f64t, f64(negZero), f64(0), f64(0), 0},
		{OpFMin, f64t, f64t, nan, f64(-inf), nan, 0},
		{OpFMax, f64t, f64t, f64(inf), nan, nan, 0},
		{OpFMin, f32t, f32t, f32(1), 0x7fa00000, canonicalNaN32, 0},
		{OpFNearest, f64t, f64t, f64(0.5), 0, f64(0), 0},
		{OpFNearest, f64t, f64t, f64(-0.5), 0, f64(negZero), 0},
		{OpFNearest, f64t, f64t, f64(1.5), 0, f64(2), 0},
		{OpFNearest, f32t, f32t, f32(2.5), 0, f32(2), 0},
		{OpFCeil, f64t, f64t, f64(-0.5), 0, f64(negZero), 0},
		{OpFTrunc, f32t, f32t, f32(-1.9), 0, f32(-1), 0},
		{OpFFloor, f32t, f32t, f32(-1.1), 0, f32(-2), 0},
		{OpFSqrt, f32t, f32t, f32(2), 0, 0x3fb504f3, 0},
		{OpFSqrt, f64t, f64t, f64(negZero), 0, f64(negZero), 0},
		{OpFSqrt, f64t, f64t, f64(-1), 0, nan, 0},
		{OpFAdd, f64t, f64t, snan, f64(0), nan, 0},
		{OpFAdd, f32t, f32t, f32(16777216), f32(1), f32(16777216), 0},
		{OpFSub, f64t, f64t, f64(inf), f64(inf), nan, 0},
		{OpFMul, f32t, f32t, f32(1e30), f32(1e30), f32(float32(inf)), 0},
		{OpFDiv, f64t, f64t, f64(1), f64(negZero), f64(-inf), 0},
		{OpFAbs, f64t, f64t, snan, 0, snan &^ min64, 0},
		{OpFNeg, f64t, f64t, snan, 0, snan ^ min64, 0},
		{OpFNeg, f32t, f32t, 0x7f800001, 0, 0xff800001, 0},
		{OpFCopysign, f32t, f32t, 0x7f800001, f32(-1), 0xff800001, 0},
		{OpFCopysign, f64t, f64t, snan, f64(1), snan &^ min64, 0},
		{OpDemote, f32t, f64t, snan, 0, canonicalNaN32, 0},
		{OpDemote, f32t, f64t, f64(1e300), 0, f32(float32(inf)), 0},
		{OpPromote, f64t, f32t, 0x7f800001, 0, nan, 0},
		{OpPromote, f64t, f32t, f32(0.1), 0, f64(float64(float32(0.1))), 0},
		{OpBitcast, f64t, i64, snan, 0, snan, 0},
		{OpFEq, i32, f64t, nan, nan, 0, 0},
		{OpFNe, i32, f64t, nan, nan, 1, 0},
		{OpFEq, i32, f64t, f64(0), f64(negZero), 1, 0},
		{OpFLe, i32, f64t, f64(1), nan, 0, 0},
		{OpFGe, i32, f32t, f32(2), f32(1), 1, 0},
		{OpFLt, i32, f32t, f32(2), f32(1), 0, 0},
		{OpFGt, i32, f32t, f32(2), f32(1), 1, 0},
	} {
		got, trap, ok := Scalar(c.op, c.t, c.from, c.a, c.b)
		if got != c.want || trap != c.wantTrap || !ok {
			t.Errorf("%s.%s %#x, %#x: got %#x (trap %v, ok %v), expected %#x (trap %v)", c.from, c.op, c.a, c.b, got, trap, ok, c.want, c.wantTrap)
		}
	}
	for _, op := range []Op{OpLoad, OpSelect, OpCall, OpConst, OpNop, OpAddr} {
		if _, _, ok := Scalar(op, i64, i64, 1, 2); ok {
			t.Errorf("%s is a function of numbers", op)
		}
	}
}
