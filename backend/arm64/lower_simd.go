package arm64

import (
	"math"

	"github.com/wasmaot/wasmaot/backend/regalloc"
	"github.com/wasmaot/wasmaot/compiler/abi"
	"github.com/wasmaot/wasmaot/compiler/ssa"
)

// arrangements are those of all 16 bytes by ssa.Shape.
var arrangements = [...]uint8{0: A16B, ssa.I8x16: A16B, ssa.I16x8: A8H, ssa.I32x4: A4S, ssa.I64x2: A2D, ssa.F32x4: A4S, ssa.F64x2: A2D}

// narrower is the arrangement of the low half of a vector in lanes half as wide; |1 is that of the whole.
func narrower(arr uint8) uint8 { return arr - 3 }

// A vectorRule says how an operation on vectors is made of instructions for integers and for floats.
type vectorRule struct {
	fn          func(l *lowerer, v ssa.Value, in *ssa.Inst, op Op, arr uint8)
	ints, float Op
}

// vectorRules are the rules for vectors.
var vectorRules = [ssa.OpCount]vectorRule{
	ssa.OpVAnd:       {(*lowerer).vecTwo, VAND, 0},
	ssa.OpVOr:        {(*lowerer).vecTwo, VORR, 0},
	ssa.OpVXor:       {(*lowerer).vecXor, VEOR, 0},
	ssa.OpVAndNot:    {(*lowerer).vecTwo, VBIC, 0},
	ssa.OpVBitselect: {(*lowerer).vecBitselect, VBSL, 0},
	ssa.OpVSwizzle:   {(*lowerer).vecTwo, VTBL, 0}, // lanes beyond the last are 0

	ssa.OpVAdd:     {(*lowerer).vecTwo, VADD, VFADD},
	ssa.OpVSub:     {(*lowerer).vecTwo, VSUB, VFSUB},
	ssa.OpVMul:     {(*lowerer).vecMul, VMUL, VFMUL},
	ssa.OpVDiv:     {(*lowerer).vecTwo, 0, VFDIV},
	ssa.OpVAddSatS: {(*lowerer).vecTwo, VSQADD, 0},
	ssa.OpVAddSatU: {(*lowerer).vecTwo, VUQADD, 0},
	ssa.OpVSubSatS: {(*lowerer).vecTwo, VSQSUB, 0},
	ssa.OpVSubSatU: {(*lowerer).vecTwo, VUQSUB, 0},
	ssa.OpVMinS:    {(*lowerer).vecTwo, VSMIN, 0},
	ssa.OpVMinU:    {(*lowerer).vecTwo, VUMIN, 0},
	ssa.OpVMaxS:    {(*lowerer).vecTwo, VSMAX, 0},
	ssa.OpVMaxU:    {(*lowerer).vecTwo, VUMAX, 0},
	ssa.OpVAvgr:    {(*lowerer).vecTwo, VURHADD, 0},
	ssa.OpVQ15Mul:  {(*lowerer).vecTwo, VSQRDMULH, 0},
	ssa.OpVMin:     {(*lowerer).vecTwo, 0, VFMIN},
	ssa.OpVMax:     {(*lowerer).vecTwo, 0, VFMAX},
	ssa.OpVPmin:    {(*lowerer).vecPseudo, 0, VFCMGT},
	ssa.OpVPmax:    {(*lowerer).vecPseudo, 0, VFCMGT},
	ssa.OpVDot:     {(*lowerer).vecDot, VSMULL, 0},

	ssa.OpVEq:  {(*lowerer).vecCompare, VCMEQ, VFCMEQ},
	ssa.OpVNe:  {(*lowerer).vecCompare, VCMEQ, VFCMEQ},
	ssa.OpVGtS: {(*lowerer).vecCompare, VCMGT, VFCMGT},
	ssa.OpVGeS: {(*lowerer).vecCompare, VCMGE, VFCMGE},
	ssa.OpVGtU: {(*lowerer).vecCompare, VCMHI, 0},
	ssa.OpVGeU: {(*lowerer).vecCompare, VCMHS, 0},
	ssa.OpVLtS: {(*lowerer).vecCompare, VCMGT, VFCMGT},
	ssa.OpVLeS: {(*lowerer).vecCompare, VCMGE, VFCMGE},
	ssa.OpVLtU: {(*lowerer).vecCompare, VCMHI, 0},
	ssa.OpVLeU: {(*lowerer).vecCompare, VCMHS, 0},

	ssa.OpVNeg:     {(*lowerer).vecOne, VNEG, VFNEG},
	ssa.OpVAbs:     {(*lowerer).vecOne, VABS, VFABS},
	ssa.OpVPopcnt:  {(*lowerer).vecOne, VCNT, 0},
	ssa.OpVSqrt:    {(*lowerer).vecOne, 0, VFSQRT},
	ssa.OpVCeil:    {(*lowerer).vecOne, 0, VFRINTP},
	ssa.OpVFloor:   {(*lowerer).vecOne, 0, VFRINTM},
	ssa.OpVTrunc:   {(*lowerer).vecOne, 0, VFRINTZ},
	ssa.OpVNearest: {(*lowerer).vecOne, 0, VFRINTN},

	ssa.OpVShl:  {(*lowerer).vecShift, VUSHL, 0},
	ssa.OpVShrS: {(*lowerer).vecShift, VSSHL, 0},
	ssa.OpVShrU: {(*lowerer).vecShift, VUSHL, 0},

	ssa.OpVNarrowS:     {(*lowerer).vecNarrow, VSQXTN, 0},
	ssa.OpVNarrowU:     {(*lowerer).vecNarrow, VSQXTUN, 0},
	ssa.OpVExtendLowS:  {(*lowerer).vecExtend, VSSHLL, 0},
	ssa.OpVExtendLowU:  {(*lowerer).vecExtend, VUSHLL, 0},
	ssa.OpVExtendHighS: {(*lowerer).vecExtend, VSSHLL, 0},
	ssa.OpVExtendHighU: {(*lowerer).vecExtend, VUSHLL, 0},
	ssa.OpVExtMulLowS:  {(*lowerer).vecExtMul, VSMULL, 0},
	ssa.OpVExtMulLowU:  {(*lowerer).vecExtMul, VUMULL, 0},
	ssa.OpVExtMulHighS: {(*lowerer).vecExtMul, VSMULL, 0},
	ssa.OpVExtMulHighU: {(*lowerer).vecExtMul, VUMULL, 0},
	ssa.OpVExtAddS:     {(*lowerer).vecExtAdd, VSADDLP, 0},
	ssa.OpVExtAddU:     {(*lowerer).vecExtAdd, VUADDLP, 0},

	ssa.OpVTruncSatS: {(*lowerer).vecTruncSat, 0, VFCVTZS},
	ssa.OpVTruncSatU: {(*lowerer).vecTruncSat, 0, VFCVTZU},
	ssa.OpVConvS:     {(*lowerer).vecConv, 0, VSCVTF},
	ssa.OpVConvU:     {(*lowerer).vecConv, 0, VUCVTF},
	ssa.OpVDemote:    {(*lowerer).vecHalf, VFCVTN, VFCVTN},
	ssa.OpVPromote:   {(*lowerer).vecHalf, VFCVTL, VFCVTL},

	ssa.OpVLoadExtS:  {(*lowerer).vecLoadExt, VSSHLL, 0},
	ssa.OpVLoadExtU:  {(*lowerer).vecLoadExt, VUSHLL, 0},
	ssa.OpVLoadZero:  {fn: (*lowerer).vecLoadZero},
	ssa.OpVLoadSplat: {fn: (*lowerer).vecMemory},
	ssa.OpVLoadLane:  {fn: (*lowerer).vecMemory},
	ssa.OpVStoreLane: {fn: (*lowerer).vecMemory},

	ssa.OpVSplat:    {fn: (*lowerer).vecSequence},
	ssa.OpVExtract:  {fn: (*lowerer).vecSequence},
	ssa.OpVExtractS: {fn: (*lowerer).vecSequence},
	ssa.OpVReplace:  {fn: (*lowerer).vecReplace},
	ssa.OpVShuffle:  {fn: (*lowerer).vecShuffle},
	ssa.OpVAnyTrue:  {fn: (*lowerer).vecSequence},
	ssa.OpVAllTrue:  {fn: (*lowerer).vecSequence},
	ssa.OpVBitmask:  {fn: (*lowerer).vecSequence},
}

func setVectorRules() {
	for op := range vectorRules {
		if vectorRules[op].fn != nil {
			rules[op].fn = (*lowerer).vector
		}
	}
}

// vector makes an operation by its rule.
func (l *lowerer) vector(v ssa.Value, in *ssa.Inst, _ Op) {
	r := &vectorRules[in.Op]
	op, shape := r.ints, in.Shape()
	if shape.IsFloat() {
		op = r.float
	}
	r.fn(l, v, in, op, arrangements[shape])
}

func (l *lowerer) newVec() regalloc.VReg { return l.NewVReg(regalloc.ClassVec) }

// vec2 makes d = a op b; vecImm d = a op an immediate.
func (l *lowerer) vec2(op Op, arr uint8, d, a, b regalloc.VReg) {
	s := regSource(b)
	l.two(op, arr, d, a, &s)
}

func (l *lowerer) vecImm(op Op, arr uint8, d, a regalloc.VReg, imm int64) {
	s := immSource(imm)
	l.two(op, arr, d, a, &s)
}

func (l *lowerer) vec1(op Op, arr uint8, d, a regalloc.VReg) { l.one(tOne, op, arr, d, a) }

// tied makes d = op a, b, c where the machine writes the result over a; c may be 0.
func (l *lowerer) tied(op Op, arr uint8, d, a, b, c regalloc.VReg) {
	inst := l.Put(tTied, arr)
	inst.Aux |= uint32(op)
	l.Tied(d, 1)
	l.Arg(a)
	l.Arg(b)
	if c != 0 {
		l.Arg(c)
	} else {
		inst.Aux |= auxZeroB
	}
}

func (l *lowerer) vecOne(v ssa.Value, in *ssa.Inst, op Op, arr uint8) {
	l.vec1(op, arr, l.Result(v), l.Use(ssa.Value(in.A)))
}

func (l *lowerer) vecTwo(v ssa.Value, in *ssa.Inst, op Op, arr uint8) {
	l.vec2(op, arr, l.Result(v), l.Use(ssa.Value(in.A)), l.Use(ssa.Value(in.B)))
}

// isVec reports whether v is a vector constant of 16 equal bytes.
func (l *lowerer) isVec(v ssa.Value, b byte) bool {
	in := &l.F.Insts[v]
	if in.Op != ssa.OpConst || in.Type != abi.V128 {
		return false
	}
	for _, x := range l.F.Vecs[in.A] {
		if x != b {
			return false
		}
	}
	return true
}

func (l *lowerer) vecXor(v ssa.Value, in *ssa.Inst, op Op, arr uint8) {
	a, b := ssa.Value(in.A), ssa.Value(in.B)
	if l.isVec(a, math.MaxUint8) {
		a, b = b, a
	}
	if l.isVec(b, math.MaxUint8) {
		l.vec1(VNOT, A16B, l.Result(v), l.Use(a))
		return
	}
	l.vec2(op, arr, l.Result(v), l.Use(a), l.Use(b))
}

// vecBitselect: the mask is in the result's register.
func (l *lowerer) vecBitselect(v ssa.Value, in *ssa.Inst, op Op, arr uint8) {
	l.tied(op, arr, l.Result(v), l.Use(ssa.Value(in.C)), l.Use(ssa.Value(in.A)), l.Use(ssa.Value(in.B)))
}

// vecMul: of 64-bit lanes the products of low and high halves, exchanged, are added to that of the low halves.
func (l *lowerer) vecMul(v ssa.Value, in *ssa.Inst, op Op, arr uint8) {
	a, b, d := l.Use(ssa.Value(in.A)), l.Use(ssa.Value(in.B)), l.Result(v)
	if in.Shape() != ssa.I64x2 {
		l.vec2(op, arr, d, a, b)
		return
	}
	crossed, products, sums, high, x, y := l.newVec(), l.newVec(), l.newVec(), l.newVec(), l.newVec(), l.newVec()
	l.vec1(VREV64, A4S, crossed, b)
	l.vec2(VMUL, A4S, products, crossed, a)
	l.vec1(VUADDLP, A4S, sums, products)
	l.vecImm(VSHL, A2D, high, sums, 32)
	l.vec1(VXTN, A2S, x, a)
	l.vec1(VXTN, A2S, y, b)
	l.tied(VUMLAL, A2S, d, high, x, y)
}

// vecPseudo: b < a ? b : a, and a < b ? b : a.
func (l *lowerer) vecPseudo(v ssa.Value, in *ssa.Inst, op Op, arr uint8) {
	a, b, mask := l.Use(ssa.Value(in.A)), l.Use(ssa.Value(in.B)), l.newVec()
	if in.Op == ssa.OpVPmin {
		l.vec2(op, arr, mask, a, b)
	} else {
		l.vec2(op, arr, mask, b, a)
	}
	l.tied(VBSL, A16B, l.Result(v), mask, b, a)
}

// vecDot adds neighbouring products.
func (l *lowerer) vecDot(v ssa.Value, in *ssa.Inst, op Op, _ uint8) {
	a, b, low, high := l.Use(ssa.Value(in.A)), l.Use(ssa.Value(in.B)), l.newVec(), l.newVec()
	l.vec2(op, A4H, low, a, b)
	l.vec2(op, A8H, high, a, b)
	l.vec2(VADDP, A4S, l.Result(v), low, high)
}

// withZero are the comparisons with 0 of comparisons of two operands, and of exchanged operands.
var withZero = [opCount][2]Op{
	VCMEQ: {VCMEQ, VCMEQ}, VCMGT: {VCMGT, VCMLT}, VCMGE: {VCMGE, VCMLE},
	VFCMEQ: {VFCMEQ, VFCMEQ}, VFCMGT: {VFCMGT, VFCMLT}, VFCMGE: {VFCMGE, VFCMLE},
}

func (l *lowerer) vecCompare(v ssa.Value, in *ssa.Inst, op Op, arr uint8) {
	a, b, d := ssa.Value(in.A), ssa.Value(in.B), l.Result(v)
	switch in.Op {
	case ssa.OpVLtS, ssa.OpVLeS, ssa.OpVLtU, ssa.OpVLeU:
		a, b = b, a
	case ssa.OpVNe:
		d = l.newVec()
	}
	zero := withZero[op]
	ok := zero[0] != NoOp
	switch {
	case ok && l.isVec(b, 0):
		l.vec1(zero[0], arr, d, l.Use(a))
	case ok && l.isVec(a, 0):
		l.vec1(zero[1], arr, d, l.Use(b))
	default:
		l.vec2(op, arr, d, l.Use(a), l.Use(b))
	}
	if in.Op == ssa.OpVNe {
		l.vec1(VNOT, A16B, l.Result(v), d)
	}
}

// vecShift: shifts by a register are to the left by its lanes, or to the right if these are negative.
func (l *lowerer) vecShift(v ssa.Value, in *ssa.Inst, op Op, arr uint8) {
	width := int64(8 * in.Shape().LaneSize())
	a, d := l.Use(ssa.Value(in.A)), l.Result(v)
	if count, ok := l.F.IsConst(ssa.Value(in.B)); ok {
		n := int64(count) & (width - 1)
		switch {
		case in.Op == ssa.OpVShl:
			l.vecImm(VSHL, arr, d, a, n)
		case n == 0:
			l.vec2(VORR, A16B, d, a, a)
		case in.Op == ssa.OpVShrS:
			l.vecImm(VSSHR, arr, d, a, n)
		default:
			l.vecImm(VUSHR, arr, d, a, n)
		}
		return
	}
	count, lanes := l.NewVReg(regalloc.ClassInt), l.newVec()
	s := immSource(width - 1)
	l.two(AND, 4, count, l.Use(ssa.Value(in.B)), &s)
	if in.Op != ssa.OpVShl {
		s, right := regSource(count), l.NewVReg(regalloc.ClassInt)
		l.two(SUB, 4, right, 0, &s)
		count = right
	}
	l.splat(lanes, count, in.Shape())
	l.vec2(op, arr, d, a, lanes)
}

// splat puts integer register x into all lanes of d.
func (l *lowerer) splat(d, x regalloc.VReg, s ssa.Shape) {
	l.Vector(ssa.OpVSplat, s, 0)
	l.Def(d)
	l.Arg(x)
}

// vecNarrow: the second instruction writes the upper half.
func (l *lowerer) vecNarrow(v ssa.Value, in *ssa.Inst, op Op, arr uint8) {
	low := l.newVec()
	l.vec1(op, arr&^1, low, l.Use(ssa.Value(in.A)))
	l.tied(op, arr, l.Result(v), low, l.Use(ssa.Value(in.B)), 0)
}

// half is the arrangement of the operand of an operation that widens: of the low half or of the whole vector, of which the
// machine takes the high half.
func half(op ssa.Op, arr uint8) uint8 {
	switch op {
	case ssa.OpVExtendHighS, ssa.OpVExtendHighU, ssa.OpVExtMulHighS, ssa.OpVExtMulHighU:
		return narrower(arr) | 1
	}
	return narrower(arr)
}

func (l *lowerer) vecExtend(v ssa.Value, in *ssa.Inst, op Op, arr uint8) {
	l.vecImm(op, half(in.Op, arr), l.Result(v), l.Use(ssa.Value(in.A)), 0)
}

func (l *lowerer) vecExtMul(v ssa.Value, in *ssa.Inst, op Op, arr uint8) {
	l.vec2(op, half(in.Op, arr), l.Result(v), l.Use(ssa.Value(in.A)), l.Use(ssa.Value(in.B)))
}

func (l *lowerer) vecExtAdd(v ssa.Value, in *ssa.Inst, op Op, arr uint8) {
	l.vec1(op, narrower(arr)|1, l.Result(v), l.Use(ssa.Value(in.A)))
}

// vecTruncSat: of doubles to 64 bits first, then narrowed.
func (l *lowerer) vecTruncSat(v ssa.Value, in *ssa.Inst, op Op, arr uint8) {
	a, d := l.Use(ssa.Value(in.A)), l.Result(v)
	if arr == A4S {
		l.vec1(op, arr, d, a)
		return
	}
	wide, narrow := l.newVec(), VSQXTN
	if in.Op == ssa.OpVTruncSatU {
		narrow = VUQXTN
	}
	l.vec1(op, arr, wide, a)
	l.vec1(narrow, A2S, d, wide)
}

// vecConv: to doubles by way of 64 bits.
func (l *lowerer) vecConv(v ssa.Value, in *ssa.Inst, op Op, arr uint8) {
	a, d := l.Use(ssa.Value(in.A)), l.Result(v)
	if arr == A2D {
		wide, widen := l.newVec(), VSSHLL
		if in.Op == ssa.OpVConvU {
			widen = VUSHLL
		}
		l.vecImm(widen, A2S, wide, a, 0)
		a = wide
	}
	l.vec1(op, arr, d, a)
}

// vecHalf converts between a vector and half of one.
func (l *lowerer) vecHalf(v ssa.Value, in *ssa.Inst, op Op, _ uint8) {
	l.vec1(op, A2S, l.Result(v), l.Use(ssa.Value(in.A)))
}

func (l *lowerer) vecLoadExt(v ssa.Value, in *ssa.Inst, op Op, arr uint8) {
	narrow := l.newVec()
	s := l.memoryOf(ssa.Value(in.A))
	l.loadFrom(LDR, 8, narrow, &s)
	l.vecImm(op, narrower(arr), l.Result(v), narrow, 0)
}

// vecLoadZero: loads of less than a register zero the rest.
func (l *lowerer) vecLoadZero(v ssa.Value, in *ssa.Inst, _ Op, _ uint8) {
	s := l.memoryOf(ssa.Value(in.A))
	l.loadFrom(LDR, uint8(in.Shape().LaneSize()), l.Result(v), &s)
}

// vecMemory makes other loads and stores: the result, if any, the vector, if any, the memory operand.
func (l *lowerer) vecMemory(v ssa.Value, in *ssa.Inst, _ Op, _ uint8) {
	s := l.memoryOf(ssa.Value(in.A))
	var x regalloc.VReg
	if in.Op != ssa.OpVLoadSplat {
		x = l.Use(ssa.Value(in.B))
	}
	number := uint32(0)
	if in.Op != ssa.OpVLoadSplat {
		number = in.Lane()
	}
	inst := l.Vector(in.Op, in.Shape(), number)
	switch in.Op {
	case ssa.OpVLoadLane:
		l.Tied(l.Result(v), 1)
	case ssa.OpVLoadSplat:
		l.Def(l.Result(v))
	}
	if x != 0 {
		l.Arg(x)
	}
	l.attach(inst, NoOp, &s)
	if in.Op == ssa.OpVStoreLane && l.tears(v, in, uint8(in.Shape().LaneSize())) {
		inst.Aux |= auxProbe
	}
}

// vecSequence makes an operation of one vector or number.
func (l *lowerer) vecSequence(v ssa.Value, in *ssa.Inst, _ Op, _ uint8) {
	number := uint32(0)
	if in.Op.Is(ssa.PropLane) {
		number = in.Lane()
	}
	a := l.Use(ssa.Value(in.A))
	l.Vector(in.Op, in.Shape(), number)
	l.Def(l.Result(v))
	l.Arg(a)
	if in.Op == ssa.OpVBitmask {
		l.Temp(regalloc.ClassVec)
	}
}

func (l *lowerer) vecReplace(v ssa.Value, in *ssa.Inst, _ Op, _ uint8) {
	a, b := l.Use(ssa.Value(in.A)), l.Use(ssa.Value(in.B))
	l.Vector(in.Op, in.Shape(), in.Lane())
	l.Tied(l.Result(v), 1)
	l.Arg(a)
	l.Arg(b)
}

// vecShuffle: the result is in place before the second operand is read for the last time.
func (l *lowerer) vecShuffle(v ssa.Value, in *ssa.Inst, _ Op, _ uint8) {
	a, b := l.Use(ssa.Value(in.A)), l.Use(ssa.Value(in.B))
	l.Vector(in.Op, in.Shape(), l.F.Insts[in.C].A)
	l.Operand(l.Result(v), regalloc.DefEarly, regalloc.AnyReg, 0)
	l.Arg(a)
	l.Arg(b)
}
