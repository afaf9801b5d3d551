package ssa

import (
	"encoding/binary"
	"math/bits"

	"github.com/wasmaot/wasmaot/compiler/abi"
)

// vector carries out an instruction that takes or leaves a vector, and reports whether in is one. Vectors
// are in a list of their own; calls cannot take them.
func (e *evaluation) vector(v Value, in *Inst) bool {
	switch {
	case in.Op >= OpVSplat:
	case in.Type == abi.V128 && (in.Op == OpLoad || in.Op == OpSelect):
	case in.Op == OpStore && e.f.Insts[in.B].Type == abi.V128:
	default:
		return false
	}
	var x [3][16]byte
	var n [3]uint64
	for i, o := range in.Operands() {
		switch {
		case in.Op.Uses()>>i&1 == 0:
		case e.f.Insts[*o].Type == abi.V128:
			x[i] = e.vec(Value(*o))
		default:
			n[i] = e.value(Value(*o))
		}
	}
	if size := e.f.AccessSize(in); size > 0 {
		if p := e.access(in, n[0], size); p != nil {
			e.vectorAccess(v, in, p, x[1])
		}
		return true
	}
	s := in.Shape()
	switch in.Op {
	case OpSelect:
		if n[0] == 0 {
			x[1] = x[2]
		}
		e.setVec(v, x[1])
	case OpVSplat:
		e.setVec(v, mapLanes(s, func(int) uint64 { return n[0] }))
	case OpVExtract:
		e.set(v, lane(x[0], s, int(in.Lane())))
	case OpVExtractS:
		e.set(v, uint64(signed(lane(x[0], s, int(in.Lane())), s)))
	case OpVReplace:
		setLane(&x[0], s, int(in.Lane()), n[1])
		e.setVec(v, x[0])
	case OpVAnyTrue:
		e.set(v, truth(x[0] != [16]byte{}))
	case OpVAllTrue, OpVBitmask:
		mask := uint64(0)
		all := true
		for i := range int(s.Lanes()) {
			l := lane(x[0], s, i)
			mask |= l >> (8*s.LaneSize() - 1) << i
			all = all && l != 0
		}
		if in.Op == OpVAllTrue {
			mask = truth(all)
		}
		e.set(v, mask)
	default:
		e.setVec(v, Vector(in.Op, s, x[0], x[1], x[2], n[1]))
	}
	return true
}

func (e *evaluation) vectorAccess(v Value, in *Inst, p []byte, x [16]byte) {
	s := in.Shape()
	at := in.Lane() * s.LaneSize()
	switch in.Op {
	case OpStore:
		copy(p, x[:])
		return
	case OpVStoreLane:
		copy(p, x[at:])
		return
	case OpVLoadLane:
		copy(x[at:], p)
	case OpVLoadSplat:
		for i := range x {
			x[i] = p[i%len(p)]
		}
	case OpVLoadExtS, OpVLoadExtU:
		copy(x[:], p)
		x = Vector(in.Op-OpVLoadExtS+OpVExtendLowS, s, x, x, x, 0)
	default:
		x = [16]byte{}
		copy(x[:], p)
	}
	e.setVec(v, x)
}

func (e *evaluation) vec(v Value) [16]byte {
	if x, ok := e.f.IsVecConst(v); ok {
		return x
	}
	return e.vecs[v]
}

func (e *evaluation) setVec(v Value, x [16]byte) {
	if e.vecs == nil {
		e.vecs = make([][16]byte, len(e.f.Insts))
	}
	e.vecs[v] = x
}

// lane gives the bits of lane i.
func lane(x [16]byte, s Shape, i int) uint64 {
	var raw [8]byte
	n := int(s.LaneSize())
	copy(raw[:], x[i*n:(i+1)*n])
	return binary.LittleEndian.Uint64(raw[:])
}

func setLane(x *[16]byte, s Shape, i int, l uint64) {
	var raw [8]byte
	binary.LittleEndian.PutUint64(raw[:], l)
	n := int(s.LaneSize())
	copy(x[i*n:], raw[:n])
}

func mapLanes(s Shape, f func(i int) uint64) (x [16]byte) {
	for i := range int(s.Lanes()) {
		setLane(&x, s, i, f(i))
	}
	return x
}

// signed extends a lane's sign.
func signed(l uint64, s Shape) int64 {
	unused := 64 - 8*s.LaneSize()
	return int64(l<<unused) >> unused
}

// halfShape has lanes of half the size.
func halfShape(s Shape) Shape { return s - 1 }

// Vector computes an op on vectors whose result is a vector; n is the number of a shift.
// For NaNs it does as Scalar does.
func Vector(op Op, s Shape, a, b, c [16]byte, n uint64) [16]byte {
	bitwise := func(f func(a, b, c byte) byte) (x [16]byte) {
		for i := range x {
			x[i] = f(a[i], b[i], c[i])
		}
		return x
	}
	wide := func(x [16]byte, i int, isS bool) uint64 { // lane i of half the size, extended
		l := lane(x, halfShape(s), i)
		if isS {
			return uint64(signed(l, halfShape(s)))
		}
		return l
	}
	lanes := int(s.Lanes())
	isS := false
	switch op {
	case OpVExtendLowS, OpVExtendHighS, OpVExtMulLowS, OpVExtMulHighS, OpVExtAddS, OpVNarrowS:
		isS = true
	}
	switch op {
	case OpVAnd:
		return bitwise(func(a, b, _ byte) byte { return a & b })
	case OpVAndNot:
		return bitwise(func(a, b, _ byte) byte { return a &^ b })
	case OpVOr:
		return bitwise(func(a, b, _ byte) byte { return a | b })
	case OpVXor:
		return bitwise(func(a, b, _ byte) byte { return a ^ b })
	case OpVSHA256Rounds:
		return sha256Rounds(a, b, c)
	case OpVSHA256Msg1:
		return sha256Msg1(a, b)
	case OpVSHA256Msg2:
		return sha256Msg2(a, b)
	case OpVBitselect:
		return bitwise(func(a, b, c byte) byte { return a&c | b&^c })
	case OpVShuffle:
		both := append(append([]byte(nil), a[:]...), b[:]...)
		return mapLanes(I8x16, func(i int) uint64 { return uint64(both[c[i]]) })
	case OpVSwizzle:
		return mapLanes(I8x16, func(i int) uint64 {
			if b[i] < 16 {
				return uint64(a[b[i]])
			}
			return 0
		})
	case OpVNarrowS, OpVNarrowU:
		return mapLanes(s, func(i int) uint64 {
			from := a
			if i >= lanes/2 {
				from, i = b, i-lanes/2
			}
			return saturate(signed(lane(from, s+1, i), s+1), s, isS)
		})
	case OpVExtendLowS, OpVExtendLowU:
		return mapLanes(s, func(i int) uint64 { return wide(a, i, isS) })
	case OpVExtendHighS, OpVExtendHighU:
		return mapLanes(s, func(i int) uint64 { return wide(a, i+lanes, isS) })
	case OpVExtMulLowS, OpVExtMulLowU:
		return mapLanes(s, func(i int) uint64 { return wide(a, i, isS) * wide(b, i, isS) })
	case OpVExtMulHighS, OpVExtMulHighU:
		return mapLanes(s, func(i int) uint64 { return wide(a, i+lanes, isS) * wide(b, i+lanes, isS) })
	case OpVExtAddS, OpVExtAddU:
		return mapLanes(s, func(i int) uint64 { return wide(a, 2*i, isS) + wide(a, 2*i+1, isS) })
	case OpVDot:
		return mapLanes(s, func(i int) uint64 {
			return wide(a, 2*i, true)*wide(b, 2*i, true) + wide(a, 2*i+1, true)*wide(b, 2*i+1, true)
		})
	case OpVTruncSatS, OpVTruncSatU, OpVConvS, OpVConvU, OpVDemote, OpVPromote:
		return convertVector(op, s, a)
	}
	return mapLanes(s, func(i int) uint64 { return laneOp(op, s, lane(a, s, i), lane(b, s, i), n) })
}

// convertVector converts as many lanes as the vector with the wider ones has.
func convertVector(op Op, s Shape, a [16]byte) (x [16]byte) {
	from, to, scalar := s, I32x4, OpTruncSatS+op-OpVTruncSatS
	switch op {
	case OpVConvS, OpVConvU:
		from, to, scalar = I32x4, s, OpConvS+op-OpVConvS
	case OpVDemote:
		from, to, scalar = F64x2, F32x4, OpDemote
	case OpVPromote:
		from, to, scalar = F32x4, F64x2, OpPromote
	}
	for i := range int(min(from.Lanes(), to.Lanes())) {
		l, _, _ := Scalar(scalar, to.LaneType(), from.LaneType(), lane(a, from, i), 0)
		setLane(&x, to, i, l)
	}
	return x
}

// saturate is the number nearest to x that a lane can hold.
func saturate(x int64, s Shape, isS bool) uint64 {
	w := 8 * s.LaneSize()
	if isS {
		return uint64(max(-1<<(w-1), min(1<<(w-1)-1, x)))
	}
	return uint64(max(0, min(1<<w-1, x)))
}

// floatOps has the scalar operations for lanes that are floats.
var floatOps = [OpCount]Op{
	OpVAdd: OpFAdd, OpVSub: OpFSub, OpVMul: OpFMul, OpVDiv: OpFDiv, OpVMin: OpFMin, OpVMax: OpFMax,
	OpVNeg: OpFNeg, OpVAbs: OpFAbs, OpVSqrt: OpFSqrt, OpVCeil: OpFCeil, OpVFloor: OpFFloor, OpVTrunc: OpFTrunc, OpVNearest: OpFNearest,
	OpVEq: OpFEq, OpVNe: OpFNe, OpVLtS: OpFLt, OpVGtS: OpFGt, OpVLeS: OpFLe, OpVGeS: OpFGe, OpVPmin: OpFLt, OpVPmax: OpFLt,
}

func laneOp(op Op, s Shape, a, b, n uint64) uint64 {
	if !s.IsFloat() {
		return intLane(op, s, a, b, n)
	}
	if op == OpVPmin {
		a, b = b, a
	}
	scalar, t := floatOps[op], s.LaneType()
	result := t
	if scalar.Is(PropCompare) {
		result = abi.I32
	}
	r, _, _ := Scalar(scalar, result, t, a, b)
	switch {
	case op == OpVPmin && r != 0, op == OpVPmax && r == 0: // operands of pmin are exchanged
		return a
	case op == OpVPmin || op == OpVPmax:
		return b
	case scalar.Is(PropCompare):
		return -r
	}
	return r
}

func intLane(op Op, s Shape, a, b, n uint64) uint64 {
	x, y := signed(a, s), signed(b, s)
	n %= uint64(8 * s.LaneSize())
	switch op {
	case OpVAdd:
		return a + b
	case OpVSub:
		return a - b
	case OpVMul:
		return a * b
	case OpVNeg:
		return -a
	case OpVAbs:
		return uint64(max(x, -x))
	case OpVAddSatS:
		return saturate(x+y, s, true)
	case OpVAddSatU:
		return saturate(int64(a+b), s, false)
	case OpVSubSatS:
		return saturate(x-y, s, true)
	case OpVSubSatU:
		return saturate(int64(a-b), s, false)
	case OpVMinS:
		return uint64(min(x, y))
	case OpVMinU:
		return min(a, b)
	case OpVMaxS:
		return uint64(max(x, y))
	case OpVMaxU:
		return max(a, b)
	case OpVAvgr:
		return (a + b + 1) / 2
	case OpVPopcnt:
		return uint64(bits.OnesCount64(a))
	case OpVShl:
		return a << n
	case OpVShrS:
		return uint64(x >> n)
	case OpVShrU:
		return a >> n
	case OpVQ15Mul:
		return saturate((x*y+1<<14)>>15, s, true)
	case OpVEq:
		return -truth(a == b)
	case OpVNe:
		return -truth(a != b)
	case OpVLtS:
		return -truth(x < y)
	case OpVLtU:
		return -truth(a < b)
	case OpVGtS:
		return -truth(x > y)
	case OpVGtU:
		return -truth(a > b)
	case OpVLeS:
		return -truth(x <= y)
	case OpVLeU:
		return -truth(a <= b)
	case OpVGeS:
		return -truth(x >= y)
	}
	return -truth(a >= b) // OpVGeU
}
