package arm64

import (
	"math/bits"

	"github.com/wasmaot/wasmaot/backend/isel"
	"github.com/wasmaot/wasmaot/backend/regalloc"
	"github.com/wasmaot/wasmaot/compiler/ssa"
)

// Divide makes the four divisions. The machine's own never trap: quotients of
// zero are 0, and the one that overflows is its dividend.
func (l *lowerer) Divide(v ssa.Value, in *ssa.Inst) {
	op := SDIV
	if in.Op == ssa.OpDivU || in.Op == ssa.OpRemU {
		op = UDIV
	}
	size := l.SizeOf(v)
	c, isConst := l.F.IsConst(ssa.Value(in.B))
	remainder := in.Op == ssa.OpRemS || in.Op == ssa.OpRemU
	a, b := l.Use(ssa.Value(in.A)), l.Use(ssa.Value(in.B))
	t := tDiv
	if remainder {
		t = tRem
	}
	inst := l.Put(t, size)
	inst.Aux = uint32(op)
	if op == UDIV {
		inst.Aux |= auxUnsigned
	}
	if isConst && c != 0 {
		inst.Aux |= auxNonZero
	}
	if remainder {
		l.Operand(l.Result(v), regalloc.DefEarly, regalloc.AnyReg, 0)
	} else {
		l.Def(l.Result(v))
	}
	l.Arg(a)
	l.Arg(b)
}

// What follows makes the steps of divisions by constants.

var ariths = [...]Op{isel.Add: ADD, isel.Sub: SUB, isel.And: AND, isel.Mul: MUL, isel.ShrU: LSR, isel.ShrS: ASR, isel.Neg: SUB}

// Arith makes d = a op b.
func (l *lowerer) Arith(op isel.Arith, size uint8, d, a, b regalloc.VReg) {
	if op == isel.Neg {
		a, b = 0, a
	}
	s := regSource(b)
	l.two(ariths[op], size, d, a, &s)
}

// ArithImm makes d = a op imm.
func (l *lowerer) ArithImm(op isel.Arith, size uint8, d, a regalloc.VReg, imm int64) {
	if size == 4 {
		imm = int64(int32(imm))
	}
	s := immSource(imm)
	switch {
	case op == isel.Mul:
		l.product(size, d, a, imm)
		return
	case op == isel.And && !LogicImm(size, imm), op <= isel.Sub && !AddImm(imm):
		s = regSource(l.Rematerialised(regalloc.ClassInt, imm))
	}
	l.two(ariths[op], size, d, a, &s)
}

// product makes d = a * c.
func (l *lowerer) product(size uint8, d, a regalloc.VReg, c int64) {
	n := int32(bits.TrailingZeros64(uint64(c - 1)))
	switch {
	case c > 0 && c&(c-1) == 0:
		s := immSource(int64(bits.TrailingZeros64(uint64(c))))
		l.two(LSL, size, d, a, &s)
	case c > 1 && (c-1)&(c-2) == 0 && n < int32(size)*8:
		s := source{form: formShift, ext: uint8(ShLSL), disp: n, a: a}
		l.two(ADD, size, d, a, &s)
	default:
		s := regSource(l.Rematerialised(regalloc.ClassInt, c))
		l.two(MUL, size, d, a, &s)
	}
}

// MulHigh makes d the high half of the product of x and m.
func (l *lowerer) MulHigh(d, x regalloc.VReg, m uint64, signed bool) {
	op := UMULH
	if signed {
		op = SMULH
	}
	s := regSource(l.Rematerialised(regalloc.ClassInt, int64(m)))
	l.two(op, 8, d, x, &s)
}

// MulWide makes d the product of the low half of x and m.
func (l *lowerer) MulWide(d, x regalloc.VReg, m uint64, signed, _ bool) {
	factor := l.Rematerialised(regalloc.ClassInt, int64(m))
	switch {
	case !signed:
		l.three(UMADDL, 8, d, x, factor, 0)
	case m < 1<<31:
		l.three(SMADDL, 8, d, x, factor, 0)
	default:
		y := l.NewVReg(regalloc.ClassInt)
		l.one(tOne, SXTW, 8, y, x)
		s := regSource(factor)
		l.two(MUL, 8, d, y, &s)
	}
}

// MulSub makes d = n - q*c.
func (l *lowerer) MulSub(size uint8, d, n, q regalloc.VReg, c int64) {
	if size == 4 {
		c = int64(int32(c))
	}
	if c > 0 && c&(c-1) == 0 {
		s := source{form: formShift, ext: uint8(ShLSL), disp: int32(bits.TrailingZeros64(uint64(c))), a: q}
		l.two(SUB, size, d, n, &s)
		return
	}
	l.three(MSUB, size, d, q, l.Rematerialised(regalloc.ClassInt, c), n)
}
