package amd64

import (
	"github.com/wasmaot/wasmaot/compiler/abi"
	"github.com/wasmaot/wasmaot/compiler/ssa"
)

// floatOperand is v as the second operand of a scalar operation: a constant in
// memory, a load folded into it, or a register.
func (l *lowerer) floatOperand(v ssa.Value, size uint8) source {
	if c, ok := l.f.IsConst(v); ok {
		return source{form: formConst, imm: int64(c)}
	}
	return l.registerOrMemory(v, size)
}

// floatTwo makes v = A op B.
func (l *lowerer) floatTwo(v ssa.Value, in *ssa.Inst, op Op) {
	size := uint8(in.Type.Size())
	a, b := ssa.Value(in.A), ssa.Value(in.B)
	if in.Op.Is(ssa.PropCommutes) && l.floatSwaps(a, b, size) {
		a, b = b, a
	}
	s := l.floatOperand(b, size)
	if l.cfg.Features&FeatureAVX == 0 {
		l.two(op, size, l.result(v), l.use(a), &s)
		return
	}
	x := l.use(a)
	inst := l.put(tFloatTwo, size)
	l.def(l.result(v))
	l.arg(x)
	l.attach(inst, op, &s)
}

func (l *lowerer) floatSwaps(a, b ssa.Value, size uint8) bool {
	if _, ok := l.f.IsConst(b); ok || l.canFold(b, size) {
		return false
	}
	_, ok := l.f.IsConst(a)
	return ok || l.canFold(a, size) || l.info[a].uses > 1 && l.info[b].uses == 1
}

// floatUnary makes v = op A, whose machine instruction keeps the destination's upper part and
// so waits for it unless that is cleared.
func (l *lowerer) floatUnary(v ssa.Value, in *ssa.Inst, op Op) {
	size := uint8(l.f.Insts[in.A].Type.Size())
	s := l.floatOperand(ssa.Value(in.A), size)
	l.loadFrom(tLoad, op, size, l.result(v), &s)
	l.last().Aux |= auxBreak
}

// round rounds to an integer; the immediate is ROUNDSD's: 8 keeps the inexact flag quiet.
func (l *lowerer) round(v ssa.Value, in *ssa.Inst, op Op) {
	size := uint8(in.Type.Size())
	s := l.registerOrMemory(ssa.Value(in.A), size)
	inst := l.put(tLoadI, size)
	l.def(l.result(v))
	l.attach(inst, op, &s)
	inst.Aux |= auxBreak
	inst.Imm = 8 | [...]int64{ssa.OpFCeil - ssa.OpFCeil: 2, ssa.OpFFloor - ssa.OpFCeil: 1, ssa.OpFTrunc - ssa.OpFCeil: 3, ssa.OpFNearest - ssa.OpFCeil: 0}[in.Op-ssa.OpFCeil]
}

func (l *lowerer) minMax(v ssa.Value, in *ssa.Inst, op Op) {
	a, b := l.use(ssa.Value(in.A)), l.use(ssa.Value(in.B))
	inst := l.put(tMinMax, uint8(in.Type.Size()))
	inst.Aux = uint32(op)
	l.tied(l.result(v), 1)
	l.arg(a)
	l.arg(b)
}

func (l *lowerer) copysign(v ssa.Value, in *ssa.Inst, _ Op) {
	a, b := l.use(ssa.Value(in.A)), l.use(ssa.Value(in.B))
	l.put(tCopysign, uint8(in.Type.Size()))
	l.tied(l.result(v), 1)
	l.arg(a)
	l.arg(b)
}

// floatMask makes v = A op the sign bit or, for ANDPS, its complement.
func (l *lowerer) floatMask(v ssa.Value, in *ssa.Inst, op Op) {
	a := l.use(ssa.Value(in.A))
	inst := l.put(tFloatMask, uint8(in.Type.Size()))
	inst.Aux = uint32(op)
	l.tied(l.result(v), 1)
	l.arg(a)
}

// convertS makes a float of a signed integer.
func (l *lowerer) convertS(v ssa.Value, in *ssa.Inst, _ Op) {
	size := uint8(l.f.Insts[in.A].Type.Size())
	s := l.registerOrMemory(ssa.Value(in.A), size)
	l.loadFrom(tLoad, convertOp(in.Type), size, l.result(v), &s)
	l.last().Aux |= auxBreak
}

func convertOp(t abi.Type) Op {
	if t == abi.F32 {
		return CVTSI2SS
	}
	return CVTSI2SD
}

// convertU makes a float of an unsigned integer; an I32 is zero-extended and so
// a positive I64.
func (l *lowerer) convertU(v ssa.Value, in *ssa.Inst, _ Op) {
	if l.f.Insts[in.A].Type == abi.I32 {
		s := l.register(ssa.Value(in.A))
		l.loadFrom(tLoad, convertOp(in.Type), 8, l.result(v), &s)
		l.last().Aux |= auxBreak
		return
	}
	a := l.use(ssa.Value(in.A))
	inst := l.put(tConvU64, uint8(in.Type.Size()))
	inst.Aux = uint32(convertOp(in.Type))
	l.def(l.result(v))
	l.arg(a)
}

// truncate makes an integer of a float.
func (l *lowerer) truncate(v ssa.Value, in *ssa.Inst, _ Op) {
	a := l.use(ssa.Value(in.A))
	t := [...]template{tTrunc, tTruncU, tTruncSat, tTruncSatU}[in.Op-ssa.OpTruncS]
	inst := l.put(t, uint8(in.Type.Size()))
	if l.f.Insts[in.A].Type == abi.F64 {
		inst.Aux |= auxF64
	}
	l.def(l.result(v))
	l.arg(a)
}

// bitcast moves between the register classes.
func (l *lowerer) bitcast(v ssa.Value, in *ssa.Inst, _ Op) {
	a := l.use(ssa.Value(in.A))
	l.put(tBitcast, uint8(in.Type.Size()))
	l.def(l.result(v))
	l.arg(a)
}
