package ssa

import (
	"github.com/wasmaot/wasmaot/compiler/abi"
	"github.com/wasmaot/wasmaot/internal/lazy"
)

// Shape is how a vector is divided into lanes.
type Shape uint8

const (
	I8x16 Shape = iota + 1
	I16x8
	I32x4
	I64x2
	F32x4
	F64x2
	shapeCount
)

type shapeInfo struct {
	name string
	size uint8    // bytes of a lane
	lane abi.Type // as a scalar
}

var shapes = [shapeCount]shapeInfo{
	{"shape?", 1, abi.Void}, {"i8x16", 1, abi.I32}, {"i16x8", 2, abi.I32}, {"i32x4", 4, abi.I32}, {"i64x2", 8, abi.I64},
	{"f32x4", 4, abi.F32}, {"f64x2", 8, abi.F64},
}

func (s Shape) known() Shape {
	if s >= shapeCount {
		return 0
	}
	return s
}

func (s Shape) String() string { return shapes[s.known()].name }

// LaneSize is the number of bytes of a lane.
func (s Shape) LaneSize() uint32 { return uint32(shapes[s.known()].size) }

// Lanes is the number of lanes.
func (s Shape) Lanes() uint32 { return 16 / s.LaneSize() }

// LaneType is the type of a lane as a scalar: I32 for lanes of 8 and 16 bits.
func (s Shape) LaneType() abi.Type { return shapes[s.known()].lane }

// IsFloat reports whether the lanes are floats.
func (s Shape) IsFloat() bool { return s == F32x4 || s == F64x2 }

// LaneOperand is the last operand of an op on a lane.
func LaneOperand(s Shape, lane uint32) uint32 { return uint32(s) | lane<<8 }

// Shape is the shape of a vector operation, 0 if it has none.
func (i *Inst) Shape() Shape {
	if !i.Op.Is(PropShape) {
		return 0
	}
	return Shape(*i.Operands()[Ops[i.Op].Arity-1])
}

// Lane is the lane of an operation on one.
func (i *Inst) Lane() uint32 { return *i.Operands()[Ops[i.Op].Arity-1] >> 8 }

// IsLoad reports whether op is a scalar load.
func (op Op) IsLoad() bool { return op >= OpLoad && op <= OpLoad32S }

// IsStore reports whether op is a scalar store.
func (op Op) IsStore() bool { return op >= OpStore && op <= OpStore32 }

// AccessSize is the number of bytes that a load or store touches, 0 for other instructions.
func (f *Func) AccessSize(in *Inst) uint32 {
	switch in.Op {
	case OpStore, OpStore8, OpStore16, OpStore32:
		return in.Op.AccessSize(f.Insts[in.B].Type)
	case OpVLoadExtS, OpVLoadExtU:
		return 8
	case OpVLoadSplat, OpVLoadZero, OpVLoadLane, OpVStoreLane:
		return in.Shape().LaneSize()
	}
	return in.Op.AccessSize(in.Type)
}

// VecConst gives the value of a vector constant; equal constants are one value.
func (f *Func) VecConst(bits [16]byte) Value {
	slot := f.consts.slot(f, abi.V128, hashVec(bits), &bits)
	if *slot == 0 {
		f.Vecs = append(f.Vecs, bits)
		*slot = f.NewValue(OpConst, abi.V128, uint32(len(f.Vecs)-1), 0, 0, 0)
	}
	return *slot
}

// IsVecConst reports whether v is a vector constant, and its bits.
func (f *Func) IsVecConst(v Value) (bits [16]byte, ok bool) {
	if in := &f.Insts[v]; in.Op == OpConst && in.Type == abi.V128 {
		return f.Vecs[in.A], true
	}
	return bits, false
}

// shapesOf has the shapes that ops may have which may not have all. Only checks ask.
func shapesOf(op Op) uint8 { return shapesMade.Get(makeShapes)[op] }

var shapesMade lazy.Value[*[OpCount]uint8]

func makeShapes() *[OpCount]uint8 {
	var allowed [OpCount]uint8
	set := func(shapes []Shape, ops ...Op) {
		for _, op := range ops {
			for _, s := range shapes {
				allowed[op] |= 1 << s
			}
		}
	}
	floats := []Shape{F32x4, F64x2}
	for op := range allowed {
		if Op(op).Is(PropShape) {
			set([]Shape{I8x16, I16x8, I32x4, I64x2}, Op(op))
		}
	}
	only := func(shapes []Shape, ops ...Op) {
		for _, op := range ops {
			allowed[op] = 0
		}
		set(shapes, ops...)
	}
	set(floats, OpVSplat, OpVExtract, OpVReplace, OpVAdd, OpVSub, OpVMul, OpVNeg, OpVAbs,
		OpVEq, OpVNe, OpVLtS, OpVGtS, OpVLeS, OpVGeS)
	only(floats, OpVDiv, OpVMin, OpVMax, OpVPmin, OpVPmax, OpVSqrt, OpVCeil, OpVFloor, OpVTrunc, OpVNearest,
		OpVTruncSatS, OpVTruncSatU, OpVConvS, OpVConvU)
	only([]Shape{I16x8, I32x4, I64x2, F32x4, F64x2}, OpVMul)
	only([]Shape{I8x16, I16x8, I32x4}, OpVMinS, OpVMinU, OpVMaxS, OpVMaxU, OpVLtU, OpVGtU, OpVLeU, OpVGeU)
	only([]Shape{I8x16, I16x8}, OpVExtractS, OpVAddSatS, OpVAddSatU, OpVSubSatS, OpVSubSatU, OpVAvgr, OpVNarrowS, OpVNarrowU)
	only([]Shape{I16x8, I32x4, I64x2}, OpVExtendLowS, OpVExtendLowU, OpVExtendHighS, OpVExtendHighU,
		OpVExtMulLowS, OpVExtMulLowU, OpVExtMulHighS, OpVExtMulHighU, OpVLoadExtS, OpVLoadExtU)
	only([]Shape{I16x8, I32x4}, OpVExtAddS, OpVExtAddU)
	only([]Shape{I32x4, I64x2}, OpVLoadZero)
	only([]Shape{I8x16}, OpVPopcnt)
	only([]Shape{I16x8}, OpVQ15Mul)
	only([]Shape{I32x4}, OpVDot)
	only([]Shape{F32x4}, OpVDemote)
	only([]Shape{F64x2}, OpVPromote)
	return &allowed
}

// Shapes lists the shapes that an op may have.
func (op Op) Shapes() (list []Shape) {
	for s := I8x16; s < shapeCount; s++ {
		if shapesOf(op)>>s&1 != 0 {
			list = append(list, s)
		}
	}
	return list
}

// checkVector checks shape, lane and lane type of a vector operation.
func (c *checker) checkVector(in *Inst) {
	if in.Op == OpVShuffle {
		lanes, ok := c.f.IsVecConst(Value(in.C))
		for _, lane := range lanes {
			ok = ok && lane < 32
		}
		if !ok {
			c.fail("operand C: expected a constant of lanes below 32")
		}
	}
	if !in.Op.Is(PropShape) {
		return
	}
	s := in.Shape()
	if s >= shapeCount || shapesOf(in.Op)>>s&1 == 0 {
		c.fail("no operation on %s", s)
		return
	}
	lane := in.Lane()
	if lane != 0 && (!in.Op.Is(PropLane) || lane >= s.Lanes()) {
		c.fail("lane %d of %s", lane, s)
	}
	scalar := s.LaneType()
	switch in.Op {
	case OpVSplat:
		scalar = c.f.Insts[in.A].Type
	case OpVExtract:
		scalar = in.Type
	case OpVReplace:
		scalar = c.f.Insts[in.B].Type
	}
	if scalar != s.LaneType() {
		c.fail("lane of type %s in %s", scalar, s)
	}
}
