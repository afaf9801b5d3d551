package oracle

import (
	"math"

	"github.com/wasmaot/wasmaot/compiler/wasm"
)

var interesting32 = [...]uint32{0, 1, 2, 3, 4, 7, 8, 15, 16, 31, 32, 33, 63, 64, 127, 128, 129, 255, 256, 0x7fff, 0x8000, 0xffff, 0x10000, 0x12345678,
	0x7fffffff, 0x80000000, 0x80000001, 0xfffffff8, 0xffffff80, 0xffffff7f, 0xffff8000, 0xfffffffe, 0xffffffff}

var interestingFloats = [...]float64{0, math.Copysign(0, -1), 1, -1, 0.5, -0.5, 1.5, 2.5, -2.5, 0.1, 3.7, 1e10, -1e10, 1e30, 1e300, 1e-300, 5e-324, 1e-40,
	math.MaxFloat32, math.MaxFloat64, math.SmallestNonzeroFloat32, math.Inf(1), math.Inf(-1), 0.49999999999999994, 8388607.5, 4503599627370495.5,
	1 << 31, 1<<31 - 1, -1 << 31, -1<<31 - 1, 1 << 32, 1<<32 - 1, 1 << 63, -1 << 63, 1 << 64, 9223372036854774784, -9223372036854777856, 18446744073709549568,
	2147483520, 4294967040, 9223371487098961920, 18446742974197923840, 2147483648.5, -2147483648.9, 4294967295.9, -0.9999999}

// constant is an instruction that pushes a constant.
func (g *generator) constant(t wasm.ValType) *node {
	n := &node{types: []wasm.ValType{t}}
	switch t {
	case wasm.I32:
		n.op, n.bits = wasm.OpI32Const, uint64(g.bits32())
	case wasm.I64:
		n.op, n.bits = wasm.OpI64Const, g.bits64()
	case wasm.F32:
		n.op, n.bits = wasm.OpF32Const, uint64(g.float32Bits())
	case wasm.F64:
		n.op, n.bits = wasm.OpF64Const, g.float64Bits()
	case wasm.V128:
		n.op, n.vec = wasm.OpV128Const, g.vectorBits()
	default:
		n.op = wasm.OpRefNull
	}
	return n
}

// argument is a value for a parameter.
func (g *generator) argument(t wasm.ValType) Value {
	n := g.constant(t)
	if t == wasm.V128 {
		return vector(n.vec)
	}
	return Value{Lo: n.bits}
}

func (g *generator) bits32() uint32 {
	switch g.IntN(8) {
	case 0, 1, 2:
		return uint32(g.IntN(40) - 8)
	case 3:
		return 1 << g.IntN(32)
	case 4:
		return 1<<g.IntN(32) - 1
	case 5:
		return g.Uint32() >> g.IntN(32)
	}
	return pick(g, interesting32[:])
}

func (g *generator) bits64() uint64 {
	switch g.IntN(8) {
	case 0, 1:
		return uint64(int32(g.bits32()))
	case 2:
		return uint64(g.bits32())
	case 3:
		return 1<<g.IntN(64) - uint64(g.IntN(2))
	case 4:
		return -(1 << g.IntN(64))
	case 5:
		return g.Uint64() >> g.IntN(64)
	case 6:
		return uint64(g.bits32())<<32 | uint64(g.bits32())
	}
	return uint64(g.IntN(100) - 20)
}

func (g *generator) float32Bits() uint32 {
	switch g.IntN(10) {
	case 0:
		return math.Float32bits(float32(g.IntN(200) - 100))
	case 1:
		return g.Uint32()
	case 2: // NaNs, also signalling ones
		return uint32(g.IntN(2))<<31 | 0x7f800000 | max(1, g.Uint32()>>9>>g.IntN(23))
	case 3:
		return math.Float32bits(pick(g, []float32{math.MaxFloat32, math.SmallestNonzeroFloat32, 0x1p-126, 8388607.5, 2147483520, 4294967040}))
	}
	return math.Float32bits(float32(pick(g, interestingFloats[:])))
}

func (g *generator) float64Bits() uint64 {
	switch g.IntN(10) {
	case 0:
		return math.Float64bits(float64(g.IntN(200) - 100))
	case 1:
		return g.Uint64()
	case 2:
		return uint64(g.IntN(2))<<63 | 0x7ff<<52 | max(1, g.Uint64()>>12>>g.IntN(52))
	}
	return math.Float64bits(pick(g, interestingFloats[:]))
}

func (g *generator) vectorBits() (b [16]byte) {
	switch g.IntN(5) {
	case 0:
		for i := range 4 {
			le.PutUint32(b[4*i:], g.float32Bits())
		}
	case 1:
		for i := range 2 {
			le.PutUint64(b[8*i:], g.float64Bits())
		}
	case 2:
		for i := range 16 {
			b[i] = byte(g.bits32())
		}
	case 3:
		for i := range 8 {
			le.PutUint16(b[2*i:], uint16(g.bits32()))
		}
	default:
		for i := range 4 {
			le.PutUint32(b[4*i:], g.bits32())
		}
	}
	return b
}
