package amd64

import (
	"github.com/wasmaot/wasmaot/backend/regalloc"
	"github.com/wasmaot/wasmaot/compiler/abi"
	"github.com/wasmaot/wasmaot/compiler/ssa"
)

// limbs makes v = the carry out of z = x + y + carry, x - y - carry, or x + y*factor + carry.
func (l *lowerer) limbs(v ssa.Value, in *ssa.Inst, op Op) {
	at := &l.F.Insts[in.A]
	z, x, y := l.Use(ssa.Value(at.A)), l.Use(ssa.Value(at.B)), l.Use(ssa.Value(at.C))
	count, fromY := in.B, in.A
	template := tAddLimbs
	var by *ssa.Inst
	if op == MULX {
		template, fromY, by = tMulAddLimbs, in.B, &l.F.Insts[in.B]
		count = by.A
	}
	n, carry := l.Use(ssa.Value(count)), l.Use(ssa.Value(in.C))
	var factor regalloc.VReg
	if by != nil {
		factor = l.Use(ssa.Value(by.B))
	}
	inst := l.Put(template, 8)
	inst.Aux = uint32(op)
	inst.Imm = int64(l.F.Pos[in.A]) | int64(l.F.Pos[fromY])<<32
	l.FixedDef(l.Result(v), RAX)
	l.FixedArg(z, RDI)
	l.FixedArg(x, RBX)
	l.FixedArg(y, RSI)
	l.FixedArg(n, RCX)
	if by != nil {
		l.FixedArg(factor, RDX)
	}
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
	a.VRRM(MULX, 8, high, low, e.limb(RSI, 0))
	a.RM(ADD, 8, low, e.limb(RBX, 0))
	a.RI(ADC, 8, high, 0)
	a.RR(ADD, 8, low, RAX)
	a.RI(ADC, 8, high, 0)
	a.MR(MOV, 8, e.limb(RDI, 0), low)
	a.RR(MOV, 8, RAX, high)
	e.nextLimbs(1)
	a.RI(SUB, 8, RCX, 1)
	a.Jmp(single)

	a.Bind(groups)
	a.RR(TEST, 8, RCX, RCX)
	a.Jcc(CondE, done)
	a.Align(loopAlign)
	a.Bind(group)
	a.RR(XOR, 4, zero, zero) // both flags are clear
	before, after := RAX, high
	for k := range int32(limbGroup) {
		a.VRRM(MULX, 8, after, low, e.limb(RSI, 8*k))
		a.RR(ADCX, 8, low, before)
		a.RM(ADOX, 8, low, e.limb(RBX, 8*k))
		a.MR(MOV, 8, e.limb(RDI, 8*k), low)
		before, after = after, before
	}
	a.RR(ADCX, 8, RAX, zero)
	a.RR(ADOX, 8, RAX, zero)
	e.nextLimbs(limbGroup)
	a.RI(SUB, 8, RCX, limbGroup)
	a.Jcc(CondNE, group)
	a.Bind(done)
}

// emitAddLimbs does so for sums and differences, whose carry stays in its flag for all of the groups.
func (e *emitter) emitAddLimbs() {
	const sum = regScratch
	a, op := &e.a, opOf(e.In)
	single, groups, group, done := a.NewLabel(), a.NewLabel(), a.NewLabel(), a.NewLabel()
	limb := func(offset int32) {
		a.RM(MOV, 8, sum, e.limb(RBX, offset))
		a.RM(op, 8, sum, e.limb(RSI, offset))
		a.MR(MOV, 8, e.limb(RDI, offset), sum)
	}
	// The carry is set and taken without other instructions in between that change it.
	set := func() { a.RI(ADD, 4, RAX, -1) }
	take := func() {
		a.RI(MOV, 4, RAX, 0)
		a.RI(ADC, 4, RAX, 0)
	}

	a.Bind(single)
	a.RI(TEST, 4, RCX, limbGroup-1)
	a.Jcc(CondE, groups)
	set()
	limb(0)
	take()
	e.nextLimbs(1)
	a.RI(SUB, 8, RCX, 1)
	a.Jmp(single)

	a.Bind(groups)
	a.RI(SHR, 8, RCX, 2) // groups of limbGroup
	a.Jcc(CondE, done)
	set()
	a.Align(loopAlign)
	a.Bind(group)
	for k := range int32(limbGroup) {
		limb(8 * k)
	}
	e.nextLimbs(limbGroup)
	a.R(DEC, 8, RCX)
	a.Jcc(CondNE, group)
	take()
	a.Bind(done)
}

// limb is a limb of x, y or z in memory, by the register of its index. What comes next accesses it.
func (e *emitter) limb(index Reg, offset int32) Mem {
	pos := e.In.Pos // of the store
	switch index {
	case RBX:
		pos = uint32(e.In.Imm)
	case RSI:
		pos = uint32(e.In.Imm >> 32)
	}
	e.a.Trap(abi.TrapMemoryOutOfBounds, pos)
	return AtIndex(regMemBase, index, 1, offset)
}

// nextLimbs lets the indices grow by n limbs and changes no flag.
func (e *emitter) nextLimbs(n int32) {
	for _, r := range []Reg{RDI, RBX, RSI} {
		e.a.RM(LEA, 4, r, At(r, 8*n))
	}
}
