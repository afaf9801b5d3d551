package amd64

import (
	"github.com/wasmaot/wasmaot/compiler/abi"
	"github.com/wasmaot/wasmaot/compiler/ssa"
)

// mulAddLimbs makes v = the carry out of z = x + y*factor + carry.
func (l *lowerer) mulAddLimbs(v ssa.Value, in *ssa.Inst, _ Op) {
	at, by := &l.F.Insts[in.A], &l.F.Insts[in.B]
	z, x, y := l.Use(ssa.Value(at.A)), l.Use(ssa.Value(at.B)), l.Use(ssa.Value(at.C))
	n, factor, carry := l.Use(ssa.Value(by.A)), l.Use(ssa.Value(by.B)), l.Use(ssa.Value(in.C))
	inst := l.Put(tMulAddLimbs, 8)
	inst.Imm = int64(l.F.Pos[in.A]) | int64(l.F.Pos[in.B])<<32
	l.FixedDef(l.Result(v), RAX)
	l.FixedArg(z, RDI)
	l.FixedArg(x, RBX)
	l.FixedArg(y, RSI)
	l.FixedArg(n, RCX)
	l.FixedArg(factor, RDX)
	l.FixedArg(carry, RAX)
	l.Clobber(clobberLimbs)
}

// limbGroup is how many limbs are done at a time, an even number.
const limbGroup = 4

// emitMulAddLimbs does single limbs until the rest is a multiple of limbGroup. Groups keep two carries in two flags: one from adding the high half of
// the last product, which alone would take two instructions that wait for each other, and one from adding x. All loads and stores
// are in the order of the limbs, so that numbers may overlap. Indices of 32 bits grow modulo 2^32, and within a group
// they cannot, for the memory ends before that and its first limb is inside.
func (e *emitter) emitMulAddLimbs() {
	const high, low, zero = R8, regScratch, R9
	a := &e.a
	single, groups, group, done := a.NewLabel(), a.NewLabel(), a.NewLabel(), a.NewLabel()

	a.Bind(single)
	a.RI(TEST, 4, RCX, limbGroup-1)
	a.Jcc(CondE, groups)
	e.limb(MULX, RSI, 0, high, low)
	e.limb(ADD, RBX, 0, low, low)
	a.RI(ADC, 8, high, 0)
	a.RR(ADD, 8, low, RAX)
	a.RI(ADC, 8, high, 0)
	e.limb(MOV, RDI, 0, low, low)
	a.RR(MOV, 8, RAX, high)
	e.nextLimbs(1)
	a.Jmp(single)

	a.Bind(groups)
	a.RR(TEST, 8, RCX, RCX)
	a.Jcc(CondE, done)
	a.Align(loopAlign)
	a.Bind(group)
	a.RR(XOR, 4, zero, zero) // both flags are clear
	before, after := RAX, high
	for k := range int32(limbGroup) {
		e.limb(MULX, RSI, 8*k, after, low)
		a.RR(ADCX, 8, low, before)
		e.limb(ADOX, RBX, 8*k, low, low)
		e.limb(MOV, RDI, 8*k, low, low)
		before, after = after, before
	}
	a.RR(ADCX, 8, RAX, zero)
	a.RR(ADOX, 8, RAX, zero)
	e.nextLimbs(limbGroup)
	a.Jcc(CondNE, group)
	a.Bind(done)
}

// limb accesses a limb of the number at index: of y, which is multiplied, of x, which is added, or of z, which is stored.
func (e *emitter) limb(op Op, index Reg, offset int32, d, low Reg) {
	m := AtIndex(regMemBase, index, 1, offset)
	pos := e.In.Pos
	switch op {
	case MULX:
		pos = uint32(e.In.Imm >> 32)
	case ADD, ADOX:
		pos = uint32(e.In.Imm)
	}
	e.a.Trap(abi.TrapMemoryOutOfBounds, pos)
	switch op {
	case MULX:
		e.a.VRRM(op, 8, d, low, m)
	case MOV:
		e.a.MR(op, 8, m, d)
	default:
		e.a.RM(op, 8, d, m)
	}
}

// nextLimbs goes on by n limbs; the flags tell whether there are more.
func (e *emitter) nextLimbs(n int32) {
	for _, r := range []Reg{RDI, RBX, RSI} {
		e.a.RM(LEA, 4, r, At(r, 8*n))
	}
	e.a.RI(SUB, 8, RCX, int64(n))
}
