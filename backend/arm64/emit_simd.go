package arm64

import (
	"github.com/wasmaot/wasmaot/compiler/abi"
	"github.com/wasmaot/wasmaot/compiler/ssa"
)

// vectorEmitters has the operations on vectors that are not a single instruction of the table, or whose instruction has
// operands of its own kind.
var vectorEmitters [ssa.OpCount]func(e *emitter, d, a Reg)

func setVectorEmitters() {
	vectorEmitters = [ssa.OpCount]func(e *emitter, d, a Reg){
		ssa.OpVSplat:     (*emitter).vecSplat,
		ssa.OpVExtract:   (*emitter).vecExtract,
		ssa.OpVExtractS:  (*emitter).vecExtractS,
		ssa.OpVReplace:   (*emitter).vecReplace,
		ssa.OpVShuffle:   (*emitter).vecShuffle,
		ssa.OpVAnyTrue:   (*emitter).vecAnyTrue,
		ssa.OpVAllTrue:   (*emitter).vecAllTrue,
		ssa.OpVBitmask:   (*emitter).vecBitmask,
		ssa.OpVLoadSplat: (*emitter).vecLoadSplat,
		ssa.OpVLoadLane:  (*emitter).vecLoadLane,
		ssa.OpVStoreLane: (*emitter).vecStoreLane,
	}
}

// emitTied: the first operand is in the result's register.
func (e *emitter) emitTied() {
	op, arr := opOf(e.In), e.In.Size
	if e.In.Aux&auxZeroB != 0 {
		e.a.RR(op, arr, e.Reg(0), e.Reg(2))
		return
	}
	e.a.RRR(op, arr, e.Reg(0), e.Reg(2), e.Reg(3))
}

func (e *emitter) emitVector() {
	op := ssa.Op(e.In.Imm & 0xffff)
	f := vectorEmitters[op]
	if f == nil {
		e.Fail("instruction %d: no sequence for %s.%s", e.At, op, e.Shape())
		return
	}
	d, a := e.Reg(0), NoReg
	if op != ssa.OpVLoadSplat && op != ssa.OpVStoreLane {
		a = e.Reg(1)
	}
	f(e, d, a)
}

func (e *emitter) vecLane() uint8 { return uint8(e.Number()) }
func (e *emitter) arr() uint8     { return arrangements[e.Shape()] }

func (e *emitter) vecSplat(d, a Reg) {
	if e.Shape().IsFloat() {
		e.a.DupLane(e.arr(), d, a, 0)
	} else {
		e.a.Dup(e.arr(), d, a)
	}
}

func (e *emitter) vecExtract(d, a Reg) {
	switch lane := e.vecLane(); {
	case !e.Shape().IsFloat():
		e.a.Umov(e.arr(), d, a, lane)
	case lane == 0:
		e.a.Mov(uint8(e.Shape().LaneSize()), d, a)
	default:
		e.a.MovLane(e.arr(), d, a, lane)
	}
}

func (e *emitter) vecExtractS(d, a Reg) { e.a.Smov(e.arr(), 4, d, a, e.vecLane()) }

func (e *emitter) vecReplace(d, _ Reg) {
	if e.Shape().IsFloat() {
		e.a.InsLane(e.arr(), d, e.vecLane(), e.Reg(2), 0)
	} else {
		e.a.Ins(e.arr(), d, e.vecLane(), e.Reg(2))
	}
}

// vecAnyTrue takes the greatest of each two words, which are half a vector.
func (e *emitter) vecAnyTrue(d, v Reg) {
	e.a.RRR(VUMAXP, A4S, regScratchV, v, v)
	e.isZero(d, CondNE)
}

// isZero makes d whether the low half of the scratch register is 0, or is not.
func (e *emitter) isZero(d Reg, c Cond) {
	a := &e.a
	a.Mov(8, regScratch, regScratchV)
	a.RRI(SUBS, 8, ZR, regScratch, 0)
	a.Sel(CSINC, 4, d, ZR, ZR, c^1)
}

// vecAllTrue: the least lane is not 0. There is no minimum of 64-bit lanes.
func (e *emitter) vecAllTrue(d, v Reg) {
	a := &e.a
	if e.Shape() == ssa.I64x2 {
		a.RR(VCMEQ, A2D, regScratchV, v)
		a.RRR(VUMAXP, A4S, regScratchV, regScratchV, regScratchV)
		e.isZero(d, CondEQ)
		return
	}
	a.RR(VUMINV, e.arr(), regScratchV, v)
	a.Mov(4, regScratch, regScratchV)
	a.RRI(SUBS, 4, ZR, regScratch, 0)
	a.Sel(CSINC, 4, d, ZR, ZR, CondEQ)
}

// bitWeights have a bit of its own for each lane; of bytes for each half.
var bitWeights = [...][2]uint64{
	ssa.I8x16: {0x8040201008040201, 0x8040201008040201},
	ssa.I16x8: {0x0008_0004_0002_0001, 0x0080_0040_0020_0010},
	ssa.I32x4: {0x0000_0002_0000_0001, 0x0000_0008_0000_0004},
}

// vecBitmask adds up the weights of negative lanes: of bytes those of both halves side by side.
func (e *emitter) vecBitmask(d, v Reg) {
	a, arr := &e.a, e.arr()
	if e.Shape() == ssa.I64x2 {
		a.RRI(VUSHR, A2D, regScratchV, v, 63)
		a.Umov(A2D, regScratch, regScratchV, 1)
		a.Mov(8, d, regScratchV)
		a.RRRShift(ORR, 4, d, d, regScratch, ShLSL, 1)
		return
	}
	t := e.Reg(2)
	weights := bitWeights[e.Shape()]
	a.Mem(LDR, 16, t, AtConst(a.Const128(weights[0], weights[1])))
	a.RR(VCMLT, arr, regScratchV, v)
	a.RRR(VAND, A16B, regScratchV, regScratchV, t)
	if e.Shape() == ssa.I8x16 {
		a.Ext(t, regScratchV, regScratchV, 8)
		a.RRR(VZIP1, A16B, regScratchV, regScratchV, t)
		arr = A8H
	}
	a.RR(VADDV, arr, regScratchV, regScratchV)
	a.Mov(4, d, regScratchV)
}

// vecLoadSplat loads into all lanes from an address in a register, or one lane first.
func (e *emitter) vecLoadSplat(d, _ Reg) {
	a, arr := &e.a, e.arr()
	if f := formOf(e.In); (f == formAddr || f == formBase) && e.In.Disp == 0 {
		if f.isGuest() {
			a.Trap(abi.TrapMemoryOutOfBounds, e.In.Pos)
		}
		a.LoadDup(arr, d, e.Reg(1))
		return
	}
	size := uint8(e.Shape().LaneSize())
	a.Mem(LDR, size, d, e.memory(1, size))
	a.DupLane(arr, d, d, 0)
}

func (e *emitter) vecLoadLane(d, _ Reg) {
	size := uint8(e.Shape().LaneSize())
	e.a.Mem(LDR, size, regScratchV, e.memory(2, size))
	e.a.InsLane(e.arr(), d, e.vecLane(), regScratchV, 0)
}

func (e *emitter) vecStoreLane(v, _ Reg) {
	size, lane := uint8(e.Shape().LaneSize()), e.vecLane()
	if lane != 0 {
		e.a.MovLane(e.arr(), regScratchV, v, lane)
		v = regScratchV
	}
	m := e.memory(1, size)
	e.probe(size, m)
	e.a.Mem(STR, size, v, m)
}
