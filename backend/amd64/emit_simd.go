package amd64

import (
	"math"

	"github.com/wasmaot/wasmaot/compiler/ssa"
)

// vectorEmitters has the sequences for operations on vectors. None of them writes to an operand; the
// result's register is no operand's.
var vectorEmitters [ssa.OpCount]func(e *emitter, d, a Reg)

func setVectorEmitters() {
	vectorEmitters = [ssa.OpCount]func(e *emitter, d, a Reg){
		ssa.OpVSplat:    (*emitter).vecSplat,
		ssa.OpVExtract:  (*emitter).vecExtract,
		ssa.OpVExtractS: (*emitter).vecExtract,
		ssa.OpVReplace:  (*emitter).vecReplace,

		ssa.OpVBitselect: (*emitter).vecBitselect,
		ssa.OpVAnyTrue:   (*emitter).vecAnyTrue,
		ssa.OpVAllTrue:   (*emitter).vecAllTrue,
		ssa.OpVBitmask:   (*emitter).vecBitmask,
		ssa.OpVShuffle:   (*emitter).vecShuffle,
		ssa.OpVSwizzle:   (*emitter).vecSwizzle,

		ssa.OpVMul:    (*emitter).vecMul64,
		ssa.OpVNeg:    (*emitter).vecNeg,
		ssa.OpVAbs:    (*emitter).vecAbs,
		ssa.OpVPopcnt: (*emitter).vecPopcnt,
		ssa.OpVShl:    (*emitter).vecShift,
		ssa.OpVShrS:   (*emitter).vecShift,
		ssa.OpVShrU:   (*emitter).vecShift,

		ssa.OpVEq:  (*emitter).vecCompareFloats,
		ssa.OpVLtS: (*emitter).vecCompareFloats,
		ssa.OpVGtS: (*emitter).vecCompareFloats,
		ssa.OpVNe:  (*emitter).vecCompare,
		ssa.OpVLeS: (*emitter).vecCompare,
		ssa.OpVGeS: (*emitter).vecCompare,
		ssa.OpVLtU: (*emitter).vecCompare,
		ssa.OpVGtU: (*emitter).vecCompare,
		ssa.OpVLeU: (*emitter).vecCompare,
		ssa.OpVGeU: (*emitter).vecCompare,

		ssa.OpVExtendHighS: (*emitter).vecExtendHigh,
		ssa.OpVExtendHighU: (*emitter).vecExtendHigh,
		ssa.OpVExtMulLowS:  (*emitter).vecExtMul,
		ssa.OpVExtMulLowU:  (*emitter).vecExtMul,
		ssa.OpVExtMulHighS: (*emitter).vecExtMul,
		ssa.OpVExtMulHighU: (*emitter).vecExtMul,
		ssa.OpVExtAddS:     (*emitter).vecExtAddS,
		ssa.OpVExtAddU:     (*emitter).vecExtAddU,
		ssa.OpVQ15Mul:      (*emitter).vecQ15Mul,

		ssa.OpVMin:       (*emitter).vecMin,
		ssa.OpVMax:       (*emitter).vecMax,
		ssa.OpVCeil:      (*emitter).vecRound,
		ssa.OpVFloor:     (*emitter).vecRound,
		ssa.OpVTrunc:     (*emitter).vecRound,
		ssa.OpVNearest:   (*emitter).vecRound,
		ssa.OpVTruncSatS: (*emitter).vecTruncSatS,
		ssa.OpVTruncSatU: (*emitter).vecTruncSatU,
		ssa.OpVConvU:     (*emitter).vecConvU,

		ssa.OpVLoadSplat: (*emitter).vecLoadSplat,
		ssa.OpVLoadLane:  (*emitter).vecLoadLane,
		ssa.OpVStoreLane: (*emitter).vecStoreLane,
	}
}

func (e *emitter) emitVector() {
	op := e.VectorOp()
	f := vectorEmitters[op]
	if f == nil {
		e.a.Fail("instruction %d: no sequence for %s.%s", e.At, op, e.Shape())
		return
	}
	d, a := e.Reg(0), NoReg
	if len(e.Locs) > 1 {
		a = e.Reg(1)
	}
	f(e, d, a)
}

func (e *emitter) has(feature uint64) bool { return e.Cfg.Features&feature != 0 }

// v2 is d = op a, v2i with an immediate.
func (e *emitter) v2(op Op, d, a Reg)             { e.a.RR(op, 16, d, a) }
func (e *emitter) v2i(op Op, d, a Reg, imm int64) { e.a.RRI(op, 16, d, a, imm) }

// copyVector is d = a.
func (e *emitter) copyVector(d, a Reg) {
	if d != a {
		e.a.RR(MOVAPS, 16, d, a)
	}
}

// v3 is d = a op b; b may be d only if a is.
func (e *emitter) v3(op Op, d, a, b Reg) {
	if e.has(FeatureAVX) {
		e.a.VRRR(op, 16, d, a, b)
		return
	}
	e.copyVector(d, a)
	e.a.RR(op, 16, d, b)
}

// v3m is d = a op constant.
func (e *emitter) v3m(op Op, d, a Reg, m Mem) {
	if e.has(FeatureAVX) {
		e.a.VRRM(op, 16, d, a, m)
		return
	}
	e.copyVector(d, a)
	e.a.RM(op, 16, d, m)
}

// v3i is d = a shifted.
func (e *emitter) v3i(op Op, d, a Reg, imm int64) {
	if e.has(FeatureAVX) {
		e.a.VRRI(op, 16, d, a, imm)
		return
	}
	e.copyVector(d, a)
	e.a.RI(op, 16, d, imm)
}

// v3bi is d = a op b with an immediate, for an operand size.
func (e *emitter) v3bi(op Op, size uint8, d, a, b Reg, imm int64) {
	if e.has(FeatureAVX) {
		e.a.VRRRI(op, size, d, a, b, imm)
		return
	}
	e.copyVector(d, a)
	e.a.RRI(op, size, d, b, imm)
}

// lanes is a constant with x in each lane.
func (e *emitter) lanes(s ssa.Shape, x uint64) Mem {
	for size := 8 * s.LaneSize(); size < 64; size *= 2 {
		x = x&(1<<size-1) | x<<size
	}
	return AtConst(e.a.Const128(x, x))
}

func (e *emitter) ones() Mem { return e.lanes(ssa.I64x2, math.MaxUint64) }

// by picks from operations for lanes of 1, 2, 4 and 8 bytes.
func (e *emitter) by(ops [4]Op) Op {
	return ops[[9]uint8{1: 0, 2: 1, 4: 2, 8: 3}[e.Shape().LaneSize()]]
}

func (e *emitter) float(single, double Op) Op {
	if e.Shape() == ssa.F32x4 {
		return single
	}
	return double
}

func (e *emitter) vecSplat(d, a Reg) {
	switch s := e.Shape(); s {
	case ssa.F32x4:
		e.v2i(PSHUFD, d, a, 0)
	case ssa.F64x2:
		e.v2(MOVDDUP, d, a)
	default:
		e.a.RR(MOVD, max(4, uint8(s.LaneSize())), d, a)
		e.spread(d)
	}
}

// spread copies lane 0 of d to all others.
func (e *emitter) spread(d Reg) {
	a := &e.a
	switch s := e.Shape().LaneSize(); {
	case s == 1 && e.has(FeatureAVX2):
		a.VRR(VPBROADCASTB, 16, d, d)
	case s == 1:
		a.RR(XORPS, 16, regScratchX, regScratchX)
		e.v2(PSHUFB, d, regScratchX)
	case s == 2:
		e.v2i(PSHUFLW, d, d, 0)
		e.v2i(PSHUFD, d, d, 0)
	case s == 4:
		e.v2i(PSHUFD, d, d, 0)
	default:
		e.v2i(PSHUFD, d, d, 0x44)
	}
}

func (e *emitter) vecExtract(d, a Reg) {
	lane := e.Number()
	switch s := e.Shape(); s {
	case ssa.I8x16:
		e.a.RRI(PEXTRB, 1, d, a, lane)
		if e.VectorOp() == ssa.OpVExtractS {
			e.a.RR(MOVSX8, 4, d, d)
		}
	case ssa.I16x8:
		e.a.RRI(PEXTRW, 2, d, a, lane)
		if e.VectorOp() == ssa.OpVExtractS {
			e.a.RR(MOVSX16, 4, d, d)
		}
	case ssa.I32x4, ssa.I64x2:
		if lane == 0 {
			e.a.RR(MOVD, uint8(s.LaneSize()), d, a)
		} else {
			e.a.RRI(PEXTR, uint8(s.LaneSize()), d, a, lane)
		}
	case ssa.F32x4:
		if lane == 0 {
			e.copyVector(d, a)
		} else {
			e.v2i(PSHUFD, d, a, lane)
		}
	case ssa.F64x2:
		if lane == 0 {
			e.copyVector(d, a)
		} else {
			e.v2i(PSHUFD, d, a, 0xEE)
		}
	}
}

// insertOps put a lane of 1, 2, 4 or 8 bytes into a vector.
var insertOps = [4]Op{PINSRB, PINSRW, PINSR, PINSR}

func (e *emitter) vecReplace(d, a Reg) {
	b, lane := e.Reg(2), e.Number()
	switch s := e.Shape(); {
	case s == ssa.F32x4:
		e.v3bi(INSERTPS, 4, d, a, b, lane<<4)
	case s == ssa.F64x2 && lane == 0:
		e.v3bi(BLENDPD, 16, d, a, b, 1)
	case s == ssa.F64x2:
		e.v3(UNPCKLPD, d, a, b)
	default:
		e.v3bi(e.by(insertOps), uint8(s.LaneSize()), d, a, b, lane)
	}
}

// vecBitselect: where the third operand has ones the bits in which a and b differ are those of a.
func (e *emitter) vecBitselect(d, a Reg) {
	b := e.Reg(2)
	e.v3(PXOR, d, a, b)
	e.v3(PAND, d, d, e.Reg(3))
	e.v3(PXOR, d, d, b)
}

func (e *emitter) vecAnyTrue(d, v Reg) {
	e.a.RR(XOR, 4, d, d)
	e.a.RR(PTEST, 16, v, v)
	e.a.R(SETcc.If(CondNE), 1, d)
}

func (e *emitter) vecAllTrue(d, v Reg) {
	a := &e.a
	a.RR(XORPS, 16, regScratchX, regScratchX)
	a.RR(e.by([4]Op{PCMPEQB, PCMPEQW, PCMPEQD, PCMPEQQ}), 16, regScratchX, v)
	a.RR(XOR, 4, d, d)
	a.RR(PTEST, 16, regScratchX, regScratchX)
	a.R(SETcc.If(CondE), 1, d)
}

func (e *emitter) vecBitmask(d, v Reg) {
	a := &e.a
	switch e.Shape() {
	case ssa.I8x16:
		a.RR(PMOVMSKB, 16, d, v)
	case ssa.I16x8: // 16 bits, the upper eight of no use
		e.v3(PACKSSWB, regScratchX, v, v)
		a.RR(PMOVMSKB, 16, d, regScratchX)
		a.RI(AND, 4, d, 0xff)
	case ssa.I32x4:
		a.RR(MOVMSKPS, 16, d, v)
	default:
		a.RR(MOVMSKPD, 16, d, v)
	}
}

// vecSwizzle: PSHUFB makes 0 of lanes beyond 127. Saturating addition of 112 makes those of 16 and more.
func (e *emitter) vecSwizzle(d, a Reg) {
	e.v3m(PADDUSB, regScratchX, e.Reg(2), e.lanes(ssa.I8x16, 0x70))
	e.v3(PSHUFB, d, a, regScratchX)
}

// vecMul64 adds the products of low and high halves to that of the low halves.
func (e *emitter) vecMul64(d, a Reg) {
	b := e.Reg(2)
	e.v3i(PSRLQ, regScratchX, a, 32)
	e.v3(PMULUDQ, regScratchX, regScratchX, b)
	e.v3i(PSRLQ, d, b, 32)
	e.v3(PMULUDQ, d, d, a)
	e.v3(PADDQ, d, d, regScratchX)
	e.v3i(PSLLQ, d, d, 32)
	e.v3(PMULUDQ, regScratchX, a, b)
	e.v3(PADDQ, d, d, regScratchX)
}

var subOps = [4]Op{PSUBB, PSUBW, PSUBD, PSUBQ}

func (e *emitter) vecNeg(d, a Reg) {
	if s := e.Shape(); s.IsFloat() {
		e.v3m(XORPS, d, a, e.lanes(s, 1<<(8*s.LaneSize()-1)))
		return
	}
	e.v2(XORPS, d, d)
	e.v3(e.by(subOps), d, d, a)
}

// vecAbs is that of floats and of 64-bit integers, where it negates if the sign is set.
func (e *emitter) vecAbs(d, a Reg) {
	if s := e.Shape(); s.IsFloat() {
		e.v3m(ANDPS, d, a, e.lanes(s, 1<<(8*s.LaneSize()-1)-1))
		return
	}
	e.v2(XORPS, regScratchX, regScratchX)
	e.v3(PCMPGTQ, regScratchX, regScratchX, a)
	e.v3(PXOR, d, a, regScratchX)
	e.v3(PSUBQ, d, d, regScratchX)
}

// vecPopcnt looks up the number of bits of both halves of each byte.
func (e *emitter) vecPopcnt(d, a Reg) {
	t := e.Reg(2)
	low := e.lanes(ssa.I8x16, 0x0f)
	table := AtConst(e.a.Const128(0x0302_0201_0201_0100, 0x0403_0302_0302_0201))
	e.v3m(PAND, t, a, low)
	e.a.RM(MOVAPS, 16, d, table)
	e.v3(PSHUFB, d, d, t)
	e.v3i(PSRLW, t, a, 4)
	e.v3m(PAND, t, t, low)
	e.a.RM(MOVAPS, 16, regScratchX, table)
	e.v3(PSHUFB, regScratchX, regScratchX, t)
	e.v3(PADDB, d, d, regScratchX)
}

var shiftOps = [ssa.OpCount][4]Op{
	ssa.OpVShl:  {PSLLW, PSLLW, PSLLD, PSLLQ},
	ssa.OpVShrU: {PSRLW, PSRLW, PSRLD, PSRLQ},
	ssa.OpVShrS: {PSRAW, PSRAW, PSRAD, PSRLQ},
}

func (e *emitter) vecShift(d, a Reg) {
	op := e.by(shiftOps[e.VectorOp()])
	isS := e.VectorOp() == ssa.OpVShrS
	bytes := e.Shape() == ssa.I8x16
	var shift func(d, a Reg)
	n := e.Number()
	if e.In.Aux&auxImm != 0 {
		if bytes && isS {
			n += 8
		}
		shift = func(d, a Reg) { e.v3i(op, d, a, n) }
	} else {
		count := e.Reg(3)
		e.a.RR(MOV, 4, regScratch, e.Reg(2))
		e.a.RI(AND, 4, regScratch, int64(8*e.Shape().LaneSize()-1))
		if bytes && isS {
			e.a.RI(ADD, 4, regScratch, 8)
		}
		e.a.RR(MOVD, 4, count, regScratch)
		shift = func(d, a Reg) { e.v3(op, d, a, count) }
	}
	switch {
	case bytes && isS: // as words with the byte above, so that they come out sign-extended
		e.v3(PUNPCKLBW, d, a, a)
		shift(d, d)
		e.v3(PUNPCKHBW, regScratchX, a, a)
		shift(regScratchX, regScratchX)
		e.v3(PACKSSWB, d, d, regScratchX)
	case bytes:
		e.shiftBytes(shift, d, a)
	case isS && e.Shape() == ssa.I64x2: // the sign moves along; (x ^ sign) - sign spreads it
		e.a.RM(MOVAPS, 16, regScratchX, e.lanes(ssa.I64x2, 1<<63))
		shift(regScratchX, regScratchX)
		shift(d, a)
		e.v3(PXOR, d, d, regScratchX)
		e.v3(PSUBQ, d, d, regScratchX)
	default:
		shift(d, a)
	}
}

// shiftBytes shifts words; what crosses from byte to byte is masked: before a shift to the left,
// after one to the right. Both masks are 255 >> count.
func (e *emitter) shiftBytes(shift func(d, a Reg), d, a Reg) {
	left := e.VectorOp() == ssa.OpVShl
	mask := func(d, a Reg) { e.v3(PAND, d, a, regScratchX) }
	if e.In.Aux&auxImm != 0 {
		m := e.lanes(ssa.I8x16, 0xff>>e.Number())
		mask = func(d, a Reg) { e.v3m(PAND, d, a, m) }
	} else {
		e.a.RM(MOVAPS, 16, regScratchX, e.lanes(ssa.I16x8, 0xff))
		e.v3(PSRLW, regScratchX, regScratchX, e.Reg(3))
		e.v3(PACKUSWB, regScratchX, regScratchX, regScratchX)
	}
	if left {
		mask(d, a)
		shift(d, d)
	} else {
		shift(d, a)
		mask(d, d)
	}
}

// floatPredicates are the immediates of CMPPS.
var floatPredicates = [ssa.OpCount]int64{ssa.OpVEq: 0, ssa.OpVLtS: 1, ssa.OpVGtS: 1, ssa.OpVLeS: 2, ssa.OpVGeS: 2, ssa.OpVNe: 4}

func (e *emitter) vecCompareFloats(d, a Reg) {
	b, op := e.Reg(2), e.VectorOp()
	if op == ssa.OpVGtS || op == ssa.OpVGeS {
		a, b = b, a
	}
	e.v3bi(e.float(CMPPS, CMPPD), 16, d, a, b, floatPredicates[op])
}

// boundOps are the operations whose result is the first operand if the comparison, or its opposite, holds.
var boundOps = [ssa.OpCount][4]Op{
	ssa.OpVLeS: {PMINSB, PMINSW, PMINSD}, ssa.OpVGeS: {PMAXSB, PMAXSW, PMAXSD},
	ssa.OpVLeU: {PMINUB, PMINUW, PMINUD}, ssa.OpVGeU: {PMAXUB, PMAXUW, PMAXUD},
	ssa.OpVGtU: {PMINUB, PMINUW, PMINUD}, ssa.OpVLtU: {PMAXUB, PMAXUW, PMAXUD},
}

// vecCompare makes what the machine does not have: x <= y is min(x, y) == x; x > y is the opposite.
func (e *emitter) vecCompare(d, a Reg) {
	if e.Shape().IsFloat() {
		e.vecCompareFloats(d, a)
		return
	}
	b, op := e.Reg(2), e.VectorOp()
	equal := e.by([4]Op{PCMPEQB, PCMPEQW, PCMPEQD, PCMPEQQ})
	opposite := op == ssa.OpVNe || op == ssa.OpVLtU || op == ssa.OpVGtU
	switch {
	case op == ssa.OpVNe:
		e.v3(equal, d, a, b)
	case e.Shape() == ssa.I64x2:
		if op == ssa.OpVGeS {
			a, b = b, a
		}
		e.v3(PCMPGTQ, d, a, b)
		opposite = true
	default:
		e.v3(e.by(boundOps[op]), d, a, b)
		e.v3(equal, d, d, a)
	}
	if opposite {
		e.v3m(PXOR, d, d, e.ones())
	}
}

func (e *emitter) vecExtendHigh(d, a Reg) {
	low := ssa.OpVExtendLowS
	if e.VectorOp() == ssa.OpVExtendHighU {
		low = ssa.OpVExtendLowU
	}
	e.v2i(PSHUFD, d, a, 0xEE)
	e.v2(vectorOps[low][e.Shape()], d, d)
}

func (e *emitter) vecExtMul(d, a Reg) {
	b, op := e.Reg(2), e.VectorOp()
	high := op == ssa.OpVExtMulHighS || op == ssa.OpVExtMulHighU
	isS := op == ssa.OpVExtMulLowS || op == ssa.OpVExtMulHighS
	pick := func(yes bool, x, y Op) Op {
		if yes {
			return x
		}
		return y
	}
	switch e.Shape() {
	case ssa.I16x8:
		extend := pick(isS, PMOVSXBW, PMOVZXBW)
		if high {
			e.v2i(PSHUFD, regScratchX, a, 0xEE)
			e.v2i(PSHUFD, d, b, 0xEE)
			a, b = regScratchX, d
		}
		e.v2(extend, regScratchX, a)
		e.v2(extend, d, b)
		e.v3(PMULLW, d, d, regScratchX)
	case ssa.I32x4: // low and high halves of the products, put together
		e.v3(pick(isS, PMULHW, PMULHUW), regScratchX, a, b)
		e.v3(PMULLW, d, a, b)
		e.v3(pick(high, PUNPCKHWD, PUNPCKLWD), d, d, regScratchX)
	default: // of each lane that is twice as wide only the low half counts
		order := int64(0x50)
		if high {
			order = 0xFA
		}
		e.v2i(PSHUFD, regScratchX, a, order)
		e.v2i(PSHUFD, d, b, order)
		e.v3(pick(isS, PMULDQ, PMULUDQ), d, d, regScratchX)
	}
}

// vecExtAddS multiplies by 1 and adds neighbours. PMADDUBSW takes its first operand as unsigned.
func (e *emitter) vecExtAddS(d, a Reg) {
	if e.Shape() == ssa.I16x8 {
		e.a.RM(MOVAPS, 16, d, e.lanes(ssa.I8x16, 1))
		e.v3(PMADDUBSW, d, d, a)
	} else {
		e.v3m(PMADDWD, d, a, e.lanes(ssa.I16x8, 1))
	}
}

// vecExtAddU takes 1<<15 off unsigned words, which makes them signed, and adds it twice to the sum.
func (e *emitter) vecExtAddU(d, a Reg) {
	if e.Shape() == ssa.I16x8 {
		e.v3m(PMADDUBSW, d, a, e.lanes(ssa.I8x16, 1))
		return
	}
	e.v3m(PXOR, d, a, e.lanes(ssa.I16x8, 1<<15))
	e.v3m(PMADDWD, d, d, e.lanes(ssa.I16x8, 1))
	e.v3m(PADDD, d, d, e.lanes(ssa.I32x4, 1<<16))
}

// vecQ15Mul: only -1 times -1 gives the least number, which becomes the greatest.
func (e *emitter) vecQ15Mul(d, a Reg) {
	e.v3(PMULHRSW, d, a, e.Reg(2))
	e.v3m(PCMPEQW, regScratchX, d, e.lanes(ssa.I16x8, 1<<15))
	e.v3(PXOR, d, d, regScratchX)
}

// vecMin: MINPS gives its second operand for zeros and NaNs, so both orders together tell all: OR makes
// the lesser zero, and a NaN of one.
func (e *emitter) vecMin(d, a Reg) {
	b := e.Reg(2)
	op := e.float(MINPS, MINPD)
	e.v3(op, regScratchX, a, b)
	e.v3(op, d, b, a)
	e.v3(ORPS, regScratchX, regScratchX, d)
	e.canonicalNaNs(d, false)
}

// vecMax: where both orders differ there is a NaN or zeros of different sign, which
// become greatest by subtracting the difference.
func (e *emitter) vecMax(d, a Reg) {
	b := e.Reg(2)
	op := e.float(MAXPS, MAXPD)
	e.v3(op, regScratchX, a, b)
	e.v3(op, d, b, a)
	e.v3(XORPS, d, d, regScratchX)
	e.v3(ORPS, regScratchX, regScratchX, d)
	e.v3(e.float(SUBPS, SUBPD), regScratchX, regScratchX, d)
	e.canonicalNaNs(d, true)
}

// canonicalNaNs makes d of the scratch register's lanes, NaNs with an empty payload; quiet says that
// they are quiet already. d is lost.
func (e *emitter) canonicalNaNs(d Reg, quiet bool) {
	const unordered = 3
	e.v3bi(e.float(CMPPS, CMPPD), 16, d, regScratchX, regScratchX, unordered)
	if !quiet {
		e.v3(ORPS, regScratchX, regScratchX, d)
	}
	if e.Shape() == ssa.F32x4 {
		e.v3i(PSRLD, d, d, 10)
	} else {
		e.v3i(PSRLQ, d, d, 13)
	}
	e.v3(ANDNPS, d, d, regScratchX)
}

// vecRound's immediates are those of lowerer.round.
func (e *emitter) vecRound(d, a Reg) {
	mode := [...]int64{2, 1, 3, 0}[e.VectorOp()-ssa.OpVCeil]
	e.v2i(e.float(ROUNDPS, ROUNDPD), d, a, 8|mode)
}

// vecTruncSatS: the conversion gives the least integer for what does not fit. NaNs become 0 first. If
// a number without sign becomes negative it was too large: all bits change then.
func (e *emitter) vecTruncSatS(d, a Reg) {
	if e.Shape() == ssa.F64x2 {
		e.v3bi(CMPPD, 16, regScratchX, a, a, 0)
		e.v3m(ANDPD, regScratchX, regScratchX, e.lanes(ssa.F64x2, math.Float64bits(math.MaxInt32)))
		e.v3(MINPD, d, a, regScratchX) // the second operand, 0, for NaN
		e.v2(CVTTPD2DQ, d, d)
		return
	}
	e.v3bi(CMPPS, 16, regScratchX, a, a, 0)
	e.v3(ANDPS, d, a, regScratchX)
	e.v3(PXOR, regScratchX, regScratchX, d)
	e.v2(CVTTPS2DQ, d, d)
	e.v3(PAND, regScratchX, regScratchX, d)
	e.v3i(PSRAD, regScratchX, regScratchX, 31)
	e.v3(PXOR, d, d, regScratchX)
}

// vecTruncSatU: doubles are limited to the range, and the place of their ones is that of 1<<52 + an
// integer. Singles are converted as they are and less 1<<31; one of both is 1<<31 or 0, and
// the sum what is wanted.
func (e *emitter) vecTruncSatU(d, a Reg) {
	t := e.Reg(2)
	e.v2(XORPS, regScratchX, regScratchX)
	if e.Shape() == ssa.F64x2 {
		e.v3(MAXPD, d, a, regScratchX) // the second operand, 0, for NaN
		e.v3m(MINPD, d, d, e.lanes(ssa.F64x2, math.Float64bits(math.MaxUint32)))
		e.v2i(ROUNDPD, d, d, 8|3)
		e.v3m(ADDPD, d, d, e.lanes(ssa.F64x2, math.Float64bits(1<<52)))
		e.v3bi(SHUFPS, 16, d, d, regScratchX, 0x88)
		return
	}
	limit := e.lanes(ssa.F32x4, uint64(math.Float32bits(1<<31)))
	e.v3(MAXPS, d, a, regScratchX)
	e.v3m(SUBPS, t, d, limit)
	e.a.RM(MOVAPS, 16, regScratchX, limit)
	e.v3bi(CMPPS, 16, regScratchX, regScratchX, t, 2) // 1<<32 or more
	e.v2(CVTTPS2DQ, t, t)
	e.v3(PXOR, t, t, regScratchX)
	e.v2(XORPS, regScratchX, regScratchX)
	e.v3(PMAXSD, t, t, regScratchX)
	e.v2(CVTTPS2DQ, d, d)
	e.v3(PADDD, d, d, t)
}

// vecConvU: 1<<52 + an integer has it in its low half. Singles are made of both halves; that above is
// halved, so that it has no sign, and is exact; only the sum is rounded.
func (e *emitter) vecConvU(d, a Reg) {
	if e.Shape() == ssa.F64x2 {
		e.v3m(UNPCKLPS, d, a, e.lanes(ssa.I32x4, 0x4330_0000))
		e.v3m(SUBPD, d, d, e.lanes(ssa.F64x2, math.Float64bits(1<<52)))
		return
	}
	e.v2(XORPS, regScratchX, regScratchX)
	e.v3bi(PBLENDW, 16, regScratchX, regScratchX, a, 0x55)
	e.v3(PSUBD, d, a, regScratchX)
	e.v2(CVTDQ2PS, regScratchX, regScratchX)
	e.v3i(PSRLD, d, d, 1)
	e.v2(CVTDQ2PS, d, d)
	e.v3(ADDPS, d, d, d)
	e.v3(ADDPS, d, d, regScratchX)
}

func (e *emitter) vecLoadSplat(d, _ Reg) {
	a := &e.a
	switch s := e.Shape().LaneSize(); {
	case s == 1 && e.has(FeatureAVX2):
		a.VRM(VPBROADCASTB, 16, d, e.memory(1))
	case s == 2 && e.has(FeatureAVX2):
		a.VRM(VPBROADCASTW, 16, d, e.memory(1))
	case s == 4 && e.has(FeatureAVX):
		a.VRM(VBROADCASTSS, 16, d, e.memory(1))
	case s == 8:
		a.RM(MOVDDUP, 16, d, e.memory(1))
	case s == 4:
		a.RM(MOVF, 4, d, e.memory(1))
		e.spread(d)
	default:
		a.RMI(e.by(insertOps), uint8(s), d, e.memory(1), 0)
		e.spread(d)
	}
}

func (e *emitter) vecLoadLane(d, v Reg) {
	size := uint8(e.Shape().LaneSize())
	e.copyVector(d, v)
	e.a.RMI(e.by(insertOps), size, d, e.memory(2), e.Number())
}

func (e *emitter) vecStoreLane(v, _ Reg) {
	size := uint8(e.Shape().LaneSize())
	op := e.by([4]Op{PEXTRB, PEXTRW, PEXTR, PEXTR})
	if e.Number() == 0 && size >= 4 {
		e.a.MR(MOVF, size, e.memory(1), v)
		return
	}
	e.a.MRI(op, size, e.memory(1), v, e.Number())
}

// emitRounds has its schedule in xmm0.
func (e *emitter) emitRounds() { e.a.RR(SHA256RNDS2, 16, e.Reg(0), e.Reg(2)) }
