package amd64

import (
	"github.com/wasmaot/wasmaot/compiler/abi"
	"github.com/wasmaot/wasmaot/compiler/ssa"
)

// floatOperand is v as the second operand of a scalar operation: a constant in
// memory, a load folded into it, or a register.
func (l *lowerer) floatOperand(v ssa.Value, size uint8) source {
	if c, ok := l.F.IsConst(v); ok {
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
	if l.Cfg.Features&FeatureAVX == 0 {
		l.two(op, size, l.Result(v), l.Use(a), &s)
		return
	}
	x := l.Use(a)
	inst := l.Put(tFloatTwo, size)
	l.Def(l.Result(v))
	l.Arg(x)
	l.attach(inst, op, &s)
}

func (l *lowerer) floatSwaps(a, b ssa.Value, size uint8) bool {
	if _, ok := l.F.IsConst(b); ok || l.canFold(b, size) {
		return false
	}
	_, ok := l.F.IsConst(a)
	return ok || l.canFold(a, size) || l.Info[a].Uses > 1 && l.Info[b].Uses == 1
}

// floatUnary makes v = op A, whose machine instruction keeps the destination's upper part and
// so waits for it unless that is cleared.
func (l *lowerer) floatUnary(v ssa.Value, in *ssa.Inst, op Op) {
	size := uint8(l.F.Insts[in.A].Type.Size())
	s := l.floatOperand(ssa.Value(in.A), size)
	l.loadFrom(tLoad, op, size, l.Result(v), &s)
	l.Last().Aux |= auxBreak
}

// round rounds to an integer; the immediate is ROUNDSD's: 8 keeps the inexact flag quiet.
func (l *lowerer) round(v ssa.Value, in *ssa.Inst, op Op) {
	size := uint8(in.Type.Size())
	s := l.registerOrMemory(ssa.Value(in.A), size)
	inst := l.Put(tLoadI, size)
	l.Def(l.Result(v))
	l.attach(inst, op, &s)
	inst.Aux |= auxBreak
	inst.Imm = 8 | [...]int64{ssa.OpFCeil - ssa.OpFCeil: 2, ssa.OpFFloor - ssa.OpFCeil: 1, ssa.OpFTrunc - ssa.OpFCeil: 3, ssa.OpFNearest - ssa.OpFCeil: 0}[in.Op-ssa.OpFCeil]
}

func (l *lowerer) minMax(v ssa.Value, in *ssa.Inst, op Op) {
	a, b := l.Use(ssa.Value(in.A)), l.Use(ssa.Value(in.B))
	inst := l.Put(tMinMax, uint8(in.Type.Size()))
	inst.Aux = uint32(op)
	l.Tied(l.Result(v), 1)
	l.Arg(a)
	l.Arg(b)
}

// floatMask makes v = A op the sign bit or, for ANDPS, its complement.
func (l *lowerer) floatMask(v ssa.Value, in *ssa.Inst, op Op) {
	a := l.Use(ssa.Value(in.A))
	inst := l.Put(tFloatMask, uint8(in.Type.Size()))
	inst.Aux = uint32(op)
	l.Tied(l.Result(v), 1)
	l.Arg(a)
}

// convertS makes a float of a signed integer.
func (l *lowerer) convertS(v ssa.Value, in *ssa.Inst, _ Op) {
	size := uint8(l.F.Insts[in.A].Type.Size())
	s := l.registerOrMemory(ssa.Value(in.A), size)
	l.loadFrom(tLoad, convertOp(in.Type), size, l.Result(v), &s)
	l.Last().Aux |= auxBreak
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
	if l.F.Insts[in.A].Type == abi.I32 {
		s := l.register(ssa.Value(in.A))
		l.loadFrom(tLoad, convertOp(in.Type), 8, l.Result(v), &s)
		l.Last().Aux |= auxBreak
		return
	}
	a := l.Use(ssa.Value(in.A))
	inst := l.Put(tConvU64, uint8(in.Type.Size()))
	inst.Aux = uint32(convertOp(in.Type))
	l.Def(l.Result(v))
	l.Arg(a)
}

// Truncate makes an integer of a float.
func (l *lowerer) Truncate(v ssa.Value, in *ssa.Inst) {
	a := l.Use(ssa.Value(in.A))
	t := [...]template{tTrunc, tTruncU, tTruncSat, tTruncSatU}[in.Op-ssa.OpTruncS]
	inst := l.Put(t, uint8(in.Type.Size()))
	if l.F.Insts[in.A].Type == abi.F64 {
		inst.Aux |= auxF64
	}
	l.Def(l.Result(v))
	l.Arg(a)
}
