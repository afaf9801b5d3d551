package amd64

import (
	"github.com/wasmaot/wasmaot/backend/regalloc"
	"github.com/wasmaot/wasmaot/compiler/abi"
	"github.com/wasmaot/wasmaot/compiler/ssa"
)

// laneOps is a machine operation by ssa.Shape: none, i8x16, i16x8, i32x4, i64x2, f32x4, f64x2.
type laneOps [7]Op

// all is an operation for which the lanes do not matter.
func all(op Op) laneOps { return laneOps{op, op, op, op, op, op, op} }

// vectorOps has the machine's operation where it has just the one for two operands, or for
// one.
var vectorOps = [ssa.OpCount]laneOps{
	ssa.OpVAnd:    all(PAND),
	ssa.OpVAndNot: all(PANDN), // of the first operand the complement is taken
	ssa.OpVOr:     all(POR),
	ssa.OpVXor:    all(PXOR),

	ssa.OpVAdd:     {0, PADDB, PADDW, PADDD, PADDQ, ADDPS, ADDPD},
	ssa.OpVSub:     {0, PSUBB, PSUBW, PSUBD, PSUBQ, SUBPS, SUBPD},
	ssa.OpVMul:     {0, 0, PMULLW, PMULLD, 0, MULPS, MULPD},
	ssa.OpVDiv:     {0, 0, 0, 0, 0, DIVPS, DIVPD},
	ssa.OpVAddSatS: {0, PADDSB, PADDSW},
	ssa.OpVAddSatU: {0, PADDUSB, PADDUSW},
	ssa.OpVSubSatS: {0, PSUBSB, PSUBSW},
	ssa.OpVSubSatU: {0, PSUBUSB, PSUBUSW},
	ssa.OpVMinS:    {0, PMINSB, PMINSW, PMINSD},
	ssa.OpVMinU:    {0, PMINUB, PMINUW, PMINUD},
	ssa.OpVMaxS:    {0, PMAXSB, PMAXSW, PMAXSD},
	ssa.OpVMaxU:    {0, PMAXUB, PMAXUW, PMAXUD},
	ssa.OpVAvgr:    {0, PAVGB, PAVGW},
	ssa.OpVEq:      {0, PCMPEQB, PCMPEQW, PCMPEQD, PCMPEQQ},
	ssa.OpVGtS:     {0, PCMPGTB, PCMPGTW, PCMPGTD, PCMPGTQ},
	ssa.OpVLtS:     {0, PCMPGTB, PCMPGTW, PCMPGTD, PCMPGTQ},
	ssa.OpVNarrowS: {0, PACKSSWB, PACKSSDW},
	ssa.OpVNarrowU: {0, PACKUSWB, PACKUSDW},
	ssa.OpVDot:     all(PMADDWD),
	ssa.OpVPmin:    {0, 0, 0, 0, 0, MINPS, MINPD}, // the second operand unless the first is less
	ssa.OpVPmax:    {0, 0, 0, 0, 0, MAXPS, MAXPD},

	ssa.OpVAbs:        {0, PABSB, PABSW, PABSD},
	ssa.OpVSqrt:       {0, 0, 0, 0, 0, SQRTPS, SQRTPD},
	ssa.OpVExtendLowS: {0, 0, PMOVSXBW, PMOVSXWD, PMOVSXDQ},
	ssa.OpVExtendLowU: {0, 0, PMOVZXBW, PMOVZXWD, PMOVZXDQ},
	ssa.OpVLoadExtS:   {0, 0, PMOVSXBW, PMOVSXWD, PMOVSXDQ},
	ssa.OpVLoadExtU:   {0, 0, PMOVZXBW, PMOVZXWD, PMOVZXDQ},
	ssa.OpVConvS:      {0, 0, 0, 0, 0, CVTDQ2PS, CVTDQ2PD},
	ssa.OpVDemote:     all(CVTPD2PS),
	ssa.OpVPromote:    all(CVTPS2PD),
}

// vectorRules are the rules for vectors: operations that are one instruction of the machine's
// if vectorOps has it, and those that vectorEmitters knows.
func setVectorRules() {
	for op := ssa.OpVSplat; op < ssa.OpCount; op++ {
		rules[op].fn = (*lowerer).vector
	}
	for _, op := range []ssa.Op{ssa.OpVAndNot, ssa.OpVLtS, ssa.OpVPmin, ssa.OpVPmax} {
		rules[op].fn = (*lowerer).vectorSwapped
	}
	rules[ssa.OpVLoadExtS].fn = (*lowerer).vectorLoad
	rules[ssa.OpVLoadExtU].fn = (*lowerer).vectorLoad
	rules[ssa.OpVLoadZero].fn = (*lowerer).vectorLoad
	rules[ssa.OpVLoadSplat].fn = (*lowerer).vectorMemory
	rules[ssa.OpVLoadLane].fn = (*lowerer).vectorMemory
	rules[ssa.OpVStoreLane].fn = (*lowerer).vectorMemory
	rules[ssa.OpVSHA256Rounds].fn = (*lowerer).sha256
	rules[ssa.OpVSHA256Msg1].fn = (*lowerer).sha256
	rules[ssa.OpVSHA256Msg2].fn = (*lowerer).sha256
	for _, op := range []ssa.Op{ssa.OpVShl, ssa.OpVShrS, ssa.OpVShrU} {
		rules[op].fn = (*lowerer).vectorShift
	}
}

// vector makes an operation on registers.
func (l *lowerer) vector(v ssa.Value, in *ssa.Inst, _ Op) {
	op := vectorOps[in.Op][in.Shape()]
	switch {
	case op == NoOp:
		l.vectorSequence(v, in)
	case in.Op.Uses() == 3:
		a, b := ssa.Value(in.A), ssa.Value(in.B)
		if in.Op.Is(ssa.PropCommutes) && l.vectorSwaps(a, b) {
			a, b = b, a
		}
		l.vectorTwo(v, op, a, b)
	default:
		s := source{form: formReg, a: l.Use(ssa.Value(in.A))}
		l.loadFrom(tLoad, op, 16, l.Result(v), &s)
	}
}

func (l *lowerer) vectorSwapped(v ssa.Value, in *ssa.Inst, _ Op) {
	if op := vectorOps[in.Op][in.Shape()]; op != NoOp {
		l.vectorTwo(v, op, ssa.Value(in.B), ssa.Value(in.A))
	} else {
		l.vectorSequence(v, in)
	}
}

// vectorSwaps reports whether a should be the second operand rather than b.
func (l *lowerer) vectorSwaps(a, b ssa.Value) bool {
	if l.F.Insts[b].Op == ssa.OpConst || l.canFold(b, 16) {
		return false
	}
	return l.F.Insts[a].Op == ssa.OpConst || l.canFold(a, 16) || l.Info[a].Uses > 1 && l.Info[b].Uses == 1
}

// vectorTwo makes v = a op b. Without AVX operands in memory must be at multiples of 16: only
// constants are.
func (l *lowerer) vectorTwo(v ssa.Value, op Op, a, b ssa.Value) {
	avx := l.Cfg.Features&FeatureAVX != 0
	var s source
	switch in := &l.F.Insts[b]; {
	case in.Op == ssa.OpConst:
		s = source{form: formConst, imm: int64(in.A)}
	case avx:
		s = l.registerOrMemory(b, 16)
	default:
		s = source{form: formReg, a: l.Use(b)}
	}
	x := l.Use(a)
	if !avx {
		l.two(op, 16, l.Result(v), x, &s)
		return
	}
	inst := l.Put(tFloatTwo, 16)
	l.Def(l.Result(v))
	l.Arg(x)
	l.attach(inst, op, &s)
}

// vectorTemps is the number of temporaries that sequences need beside the scratch register.
var vectorTemps = [ssa.OpCount]uint8{ssa.OpVPopcnt: 1, ssa.OpVTruncSatU: 1, ssa.OpVShl: 1, ssa.OpVShrS: 1, ssa.OpVShrU: 1}

// vectorSequence makes an operation of several instructions: the result early, operands, temporaries.
func (l *lowerer) vectorSequence(v ssa.Value, in *ssa.Inst) {
	var args [3]regalloc.VReg
	n := 0
	uses := in.Op.Uses()
	number := uint32(0)
	if in.Op == ssa.OpVShuffle {
		uses = 3
		number = l.F.Insts[in.C].A
	} else if in.Op.Is(ssa.PropLane) {
		number = in.Lane()
	}
	for i, x := range [...]uint32{in.A, in.B, in.C} {
		if uses>>i&1 != 0 {
			args[n] = l.Use(ssa.Value(x))
			n++
		}
	}
	l.Vector(in.Op, in.Shape(), number)
	l.Operand(l.Result(v), regalloc.DefEarly, regalloc.AnyReg, 0)
	for _, a := range args[:n] {
		l.Arg(a)
	}
	for range vectorTemps[in.Op] {
		l.Temp(regalloc.ClassVec)
	}
}

// vectorShift makes shifts: by constants without a temporary.
func (l *lowerer) vectorShift(v ssa.Value, in *ssa.Inst, _ Op) {
	count, ok := l.F.IsConst(ssa.Value(in.B))
	if !ok {
		l.vectorSequence(v, in)
		return
	}
	a := l.Use(ssa.Value(in.A))
	inst := l.Vector(in.Op, in.Shape(), uint32(count)&(8*in.Shape().LaneSize()-1))
	inst.Aux = auxImm
	l.Operand(l.Result(v), regalloc.DefEarly, regalloc.AnyReg, 0)
	l.Arg(a)
}

// vectorLoad makes loads that are one instruction.
func (l *lowerer) vectorLoad(v ssa.Value, in *ssa.Inst, _ Op) {
	op, size := vectorOps[in.Op][in.Shape()], uint8(16)
	if in.Op == ssa.OpVLoadZero {
		op, size = MOVF, uint8(in.Shape().LaneSize())
	}
	s := l.memoryOf(ssa.Value(in.A))
	l.loadFrom(tLoad, op, size, l.Result(v), &s)
}

// vectorMemory makes other loads and stores: the result, if any, the vector, if any, the memory operand.
func (l *lowerer) vectorMemory(v ssa.Value, in *ssa.Inst, _ Op) {
	s := l.memoryOf(ssa.Value(in.A))
	var x regalloc.VReg
	if in.Op != ssa.OpVLoadSplat {
		x = l.Use(ssa.Value(in.B))
	}
	inst := l.Vector(in.Op, in.Shape(), in.Lane())
	if in.Type != abi.Void {
		l.Operand(l.Result(v), regalloc.DefEarly, regalloc.AnyReg, 0)
	}
	if x != 0 {
		l.Arg(x)
	}
	l.attach(inst, NoOp, &s)
}

// sha256 makes the operations that are instructions of the SHA extensions. They take operands from memory at multiples
// of 16 alone.
func (l *lowerer) sha256(v ssa.Value, in *ssa.Inst, _ Op) {
	if l.Cfg.Features&FeatureSHA == 0 {
		l.Fail("%s needs the SHA extensions", in.Op)
		return
	}
	a, b := l.Use(ssa.Value(in.A)), l.Use(ssa.Value(in.B))
	if in.Op == ssa.OpVSHA256Rounds {
		schedule := l.Use(ssa.Value(in.C))
		l.Put(tRounds, 16)
		l.Tied(l.Result(v), 1)
		l.Arg(a)
		l.Arg(b)
		l.FixedArg(schedule, X0)
		return
	}
	op := SHA256MSG1
	if in.Op == ssa.OpVSHA256Msg2 {
		op = SHA256MSG2
	}
	l.two(op, 16, l.Result(v), a, &source{form: formReg, a: b})
}
