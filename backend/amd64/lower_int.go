package amd64

import (
	"math/bits"

	"github.com/wasmaot/wasmaot/backend/regalloc"
	"github.com/wasmaot/wasmaot/compiler/ssa"
	"github.com/wasmaot/wasmaot/internal/mutant"
)

// immediate gives v as a sign-extended 32-bit immediate for an operation of the size.
func (l *lowerer) immediate(v ssa.Value, size uint8) (int64, bool) {
	c, ok := l.F.IsConst(v)
	if !ok || l.F.Insts[v].Type.IsFloat() {
		return 0, false
	}
	if size <= 4 {
		return int64(int32(c)), true
	}
	if mutant.Lowering && c>>32 == 0 {
		return int64(int32(c)), true
	}
	return int64(c), int64(c) == int64(int32(c))
}

// register is v in a register or, where the instruction allows, its slot.
func (l *lowerer) register(v ssa.Value) source {
	return source{form: formReg, slot: true, a: l.Use(v)}
}

// operandOf is v as an operand of an instruction with operands of the size: an immediate,
// a load folded into it, or a register.
func (l *lowerer) operandOf(v ssa.Value, size uint8) source {
	if c, ok := l.immediate(v, size); ok {
		return source{form: formImm, imm: c}
	}
	return l.registerOrMemory(v, size)
}

func (l *lowerer) registerOrMemory(v ssa.Value, size uint8) source {
	if s, ok := l.foldLoad(v, size); ok {
		return s
	}
	return l.register(v)
}

// two makes d = a op b in the two-address form.
func (l *lowerer) two(op Op, size uint8, d, a regalloc.VReg, b *source) {
	in := l.Put(tTwo, size)
	l.Tied(d, 1)
	l.Arg(a)
	l.attach(in, op, b)
}

// commutative makes v = A op B with the operands in the order that suits best.
func (l *lowerer) commutative(v ssa.Value, in *ssa.Inst, op Op) {
	size := l.SizeOf(v)
	a, b := ssa.Value(in.A), ssa.Value(in.B)
	if l.prefersSwap(a, b, size) {
		a, b = b, a
	}
	s := l.operandOf(b, size)
	l.two(op, size, l.Result(v), l.Use(a), &s)
}

// prefersSwap reports whether a should be the second operand rather than b, which can
// be an immediate, memory, or a value that lives on.
func (l *lowerer) prefersSwap(a, b ssa.Value, size uint8) bool {
	if _, ok := l.immediate(b, size); ok {
		return false
	}
	if _, ok := l.immediate(a, size); ok {
		return true
	}
	if l.canFold(b, size) {
		return false
	}
	return l.canFold(a, size) || l.Info[a].Uses > 1 && l.Info[b].Uses == 1
}

func (l *lowerer) sub(v ssa.Value, in *ssa.Inst, op Op) {
	size := l.SizeOf(v)
	if c, ok := l.F.IsConst(ssa.Value(in.A)); ok && c == 0 {
		l.inPlace(NEG, v, ssa.Value(in.B))
		return
	}
	if c, ok := l.immediate(ssa.Value(in.B), size); ok && -c == int64(int32(-c)) {
		l.lea(v, size, &leaParts{base: ssa.Value(in.A), disp: -c})
		return
	}
	s := l.operandOf(ssa.Value(in.B), size)
	l.two(op, size, l.Result(v), l.Use(ssa.Value(in.A)), &s)
}

// inPlace makes d = op a.
func (l *lowerer) inPlace(op Op, v, a ssa.Value) {
	in := l.Put(tOne, l.SizeOf(v))
	in.Aux = uint32(op)
	l.Tied(l.Result(v), 1)
	l.Arg(l.Use(a))
}

func (l *lowerer) xor(v ssa.Value, in *ssa.Inst, op Op) {
	if c, ok := l.immediate(ssa.Value(in.B), l.SizeOf(v)); ok && c == -1 {
		l.inPlace(NOT, v, ssa.Value(in.A))
		return
	}
	l.commutative(v, in, op)
}

// and has short forms for masks of 8, 16 and 32 bits; a mask of fewer than 32 bits
// needs no 64-bit operation.
func (l *lowerer) and(v ssa.Value, in *ssa.Inst, op Op) {
	a, b := ssa.Value(in.A), ssa.Value(in.B)
	if _, ok := l.F.IsConst(a); ok {
		a, b = b, a
	}
	size := l.SizeOf(v)
	c, ok := l.F.IsConst(b)
	if ok && size == 4 {
		c = uint64(uint32(c))
	}
	switch {
	case !ok:
		l.commutative(v, in, op)
	case c == 0xff:
		l.simple(tLoad, MOVZX8, 4, v, a)
	case c == 0xffff:
		l.simple(tLoad, MOVZX16, 4, v, a)
	case c == 0xffffffff:
		l.simple(tMove32, MOV, 4, v, a)
	case c>>32 == 0:
		s := source{form: formImm, imm: int64(int32(c))}
		l.two(op, 4, l.Result(v), l.Use(a), &s)
	default:
		l.commutative(v, in, op)
	}
}

// simple makes v = op a from a register or slot.
func (l *lowerer) simple(t template, op Op, size uint8, v, a ssa.Value) {
	s := l.register(a)
	l.loadFrom(t, op, size, l.Result(v), &s)
}

// loadFrom makes d = op source.
func (l *lowerer) loadFrom(t template, op Op, size uint8, d regalloc.VReg, s *source) {
	in := l.Put(t, size)
	l.Def(d)
	l.attach(in, op, s)
}

// unary makes v = op A from a register or memory.
func (l *lowerer) unary(v ssa.Value, in *ssa.Inst, op Op) {
	size := l.SizeOf(v)
	s := l.registerOrMemory(ssa.Value(in.A), size)
	l.loadFrom(tLoad, op, size, l.Result(v), &s)
}

func (l *lowerer) extend(v ssa.Value, in *ssa.Inst, op Op) {
	s := l.register(ssa.Value(in.A))
	if in.Op == ssa.OpSext {
		s = l.registerOrMemory(ssa.Value(in.A), 4)
	}
	l.loadFrom(tLoad, op, l.SizeOf(v), l.Result(v), &s)
}

// wrap makes a zero-extended I32; all other wraps are their operands' registers. The result
// gets a register of its own: renaming makes such a copy free, but not one in place.
func (l *lowerer) wrap(v ssa.Value, in *ssa.Inst, _ Op) {
	x := l.Use(ssa.Value(in.A))
	inst := l.Put(tMove32, 4)
	inst.Aux = uint32(MOV) | uint32(formReg)<<auxFormShift
	l.Def(l.Result(v))
	l.LateArg(x)
}

// leaParts is an address: base + index<<scale + disp, modulo 2^32 or 2^64.
type leaParts struct {
	base, index ssa.Value
	scale       uint8
	disp        int64
}

// constantAdd takes x apart if it is y + constant for this use alone.
func (l *lowerer) constantAdd(x ssa.Value, size uint8) (y ssa.Value, c int64, ok bool) {
	in := &l.F.Insts[x]
	if in.Op != ssa.OpAdd && in.Op != ssa.OpSub || !l.Only(x) {
		return x, 0, false
	}
	c, ok = l.immediate(ssa.Value(in.B), size)
	if in.Op == ssa.OpSub {
		c = -c
	}
	return ssa.Value(in.A), c, ok
}

// addDisp adds c to the displacement if it still fits.
func (p *leaParts) addDisp(c int64, size uint8) bool {
	d := p.disp + c
	if size == 4 {
		d = int64(int32(d))
	}
	if d != int64(int32(d)) {
		return false
	}
	p.disp = d
	return true
}

// term takes constants off x.
func (p *leaParts) term(l *lowerer, x ssa.Value, size uint8) ssa.Value {
	for {
		y, c, ok := l.constantAdd(x, size)
		if !ok || !p.addDisp(c, size) {
			return x
		}
		x = y
	}
}

// scaled makes index<<scale of an x that is a shift by 1 to 3 for this use alone.
func (p *leaParts) scaled(l *lowerer, x ssa.Value) bool {
	in := &l.F.Insts[x]
	if in.Op != ssa.OpShl || !l.Only(x) {
		return false
	}
	c, ok := l.F.IsConst(ssa.Value(in.B))
	if c &= uint64(in.Type.Size())*8 - 1; !ok || c < 1 || c > 3 {
		return false
	}
	p.index, p.scale = ssa.Value(in.A), uint8(c)
	return true
}

// add makes an addition: one LEA for a whole tree of additions and shifts, which the
// emitter writes as ADD where that does.
func (l *lowerer) add(v ssa.Value, in *ssa.Inst, op Op) {
	size := l.SizeOf(v)
	if w, ok := l.Partner(v); ok {
		l.withCarry(v, w)
		return
	}
	a, b := ssa.Value(in.A), ssa.Value(in.B)
	if l.addBit(v, a, b) || l.addBit(v, b, a) {
		return
	}
	if _, ok := l.immediate(a, size); ok {
		a, b = b, a
	}
	var p leaParts
	if c, ok := l.immediate(b, size); ok {
		p.disp = c
		a = p.term(l, a, size)
		x := &l.F.Insts[a]
		sum := x.Op == ssa.OpAdd && l.Only(a)
		if sum { // B of other operators may be no value
			_, constant := l.F.IsConst(ssa.Value(x.B))
			sum = !constant
		}
		if !sum {
			if !p.scaled(l, a) {
				p.base = a
			}
			l.lea(v, size, &p)
			return
		}
		a, b = ssa.Value(x.A), ssa.Value(x.B)
	}
	if p.disp == 0 && (l.canFold(a, size) || l.canFold(b, size)) {
		l.commutative(v, in, op)
		return
	}
	a, b = p.term(l, a, size), p.term(l, b, size)
	switch {
	case p.scaled(l, b):
		p.base = a
	case p.scaled(l, a):
		p.base = b
	default:
		p.base, p.index = a, b
	}
	l.lea(v, size, &p)
}

func (l *lowerer) lea(v ssa.Value, size uint8, p *leaParts) {
	s := source{scale: p.scale, disp: int32(p.disp)}
	switch {
	case p.index == 0:
		s.form, s.a = formBase, l.Use(p.base)
	case p.base == 0:
		s.form, s.a = formIndex, l.Use(p.index)
	default:
		s.form, s.a, s.b = formBaseIndex, l.Use(p.base), l.Use(p.index)
	}
	l.loadFrom(tLea, LEA, size, l.Result(v), &s)
}

func (l *lowerer) mul(v ssa.Value, in *ssa.Inst, op Op) {
	size := l.SizeOf(v)
	if size == 8 && l.withOtherHalf(v, in) {
		return
	}
	a, b := ssa.Value(in.A), ssa.Value(in.B)
	if _, ok := l.immediate(a, size); ok {
		a, b = b, a
	}
	c, ok := l.immediate(b, size)
	switch {
	case !ok:
		l.commutative(v, in, op)
	case c == 3 || c == 5 || c == 9:
		l.lea(v, size, &leaParts{base: a, index: a, scale: uint8(bits.TrailingZeros8(uint8(c - 1)))})
	case c > 0 && c&(c-1) == 0:
		s := source{form: formImm, imm: int64(bits.TrailingZeros64(uint64(c)))}
		l.two(SHL, size, l.Result(v), l.Use(a), &s)
	default:
		s := l.registerOrMemory(a, size)
		inst := l.Put(tLoadI, size)
		l.Def(l.Result(v))
		l.attach(inst, op, &s)
		inst.Imm = c
	}
}

func (l *lowerer) shift(v ssa.Value, in *ssa.Inst, op Op) {
	size := l.SizeOf(v)
	a := ssa.Value(in.A)
	if c, ok := l.F.IsConst(ssa.Value(in.B)); ok {
		s := source{form: formImm, imm: int64(c & (uint64(size)*8 - 1))}
		l.two(op, size, l.Result(v), l.Use(a), &s)
		return
	}
	count := l.Use(l.ShiftCount(ssa.Value(in.B), size))
	if l.Cfg.Features&FeatureBMI2 == 0 {
		l.shiftByCL(op, size, l.Result(v), l.Use(a), count)
		return
	}
	s := l.registerOrMemory(a, size)
	inst := l.Put(tShiftX, size)
	l.Def(l.Result(v))
	l.Arg(count)
	l.attach(inst, SHLX+(op-SHL), &s)
}

func (l *lowerer) shiftByCL(op Op, size uint8, d, a, count regalloc.VReg) {
	inst := l.Put(tShift, size)
	inst.Aux = uint32(op)
	l.Tied(d, 1)
	l.Arg(a)
	l.FixedArg(count, RCX)
}

func (l *lowerer) rotate(v ssa.Value, in *ssa.Inst, op Op) {
	size := l.SizeOf(v)
	a := ssa.Value(in.A)
	c, ok := l.F.IsConst(ssa.Value(in.B))
	if !ok {
		count := l.Use(l.ShiftCount(ssa.Value(in.B), size))
		l.shiftByCL(op, size, l.Result(v), l.Use(a), count)
		return
	}
	width := int64(size) * 8
	n := int64(c) & (width - 1)
	if l.Cfg.Features&FeatureBMI2 == 0 || l.Info[a].Uses == 1 && !l.canFold(a, size) {
		s := source{form: formImm, imm: n}
		l.two(op, size, l.Result(v), l.Use(a), &s)
		return
	}
	if op == ROL {
		n = (width - n) & (width - 1)
	}
	s := l.registerOrMemory(a, size)
	inst := l.Put(tLoadI, size)
	l.Def(l.Result(v))
	l.attach(inst, RORX, &s)
	inst.Imm = n
}

// countZeros uses LZCNT and TZCNT, or BSR and BSF, which know nothing of 0.
func (l *lowerer) countZeros(v ssa.Value, in *ssa.Inst, op Op) {
	t := tLoad
	switch {
	case op == LZCNT && l.Cfg.Features&FeatureLZCNT == 0:
		t, op = tBitScan, BSR
	case op == TZCNT && l.Cfg.Features&FeatureBMI1 == 0:
		t, op = tBitScan, BSF
	}
	size := l.SizeOf(v)
	s := l.registerOrMemory(ssa.Value(in.A), size)
	l.loadFrom(t, op, size, l.Result(v), &s)
}
