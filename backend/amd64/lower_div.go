package amd64

import (
	"github.com/wasmaot/wasmaot/backend/isel"
	"github.com/wasmaot/wasmaot/backend/regalloc"
	"github.com/wasmaot/wasmaot/compiler/ssa"
)

// Divide makes the four divisions:
// dividend and quotient in rax, remainder in rdx.
func (l *lowerer) Divide(v ssa.Value, in *ssa.Inst) {
	size := l.SizeOf(v)
	a, b := ssa.Value(in.A), ssa.Value(in.B)
	c, isConst := l.F.IsConst(b)
	t := [...]template{tDivS, tDiv, tRemS, tDiv}[in.Op-ssa.OpDivS]
	quotient, remainder := l.Result(v), l.NewVReg(regalloc.ClassInt)
	if in.Op == ssa.OpRemS || in.Op == ssa.OpRemU {
		quotient, remainder = remainder, quotient
	}
	dividend, divisor := l.Use(a), l.Use(b)
	inst := l.Put(t, size)
	if isConst && c != 0 {
		inst.Aux |= auxNonZero
		if isel.Signed(c, size) != -1 {
			inst.Aux |= auxNoOverflow
		}
	}
	l.FixedDef(quotient, RAX)
	l.FixedDef(remainder, RDX)
	l.FixedArg(dividend, RAX)
	l.LateArg(divisor)
}

// What follows makes the steps of divisions by constants.

var ariths = [...]Op{isel.Add: ADD, isel.Sub: SUB, isel.And: AND, isel.Mul: IMUL, isel.ShrU: SHR, isel.ShrS: SAR}

// Arith makes d = a op b.
func (l *lowerer) Arith(op isel.Arith, size uint8, d, a, b regalloc.VReg) {
	if op == isel.Neg {
		in := l.Put(tOne, size)
		in.Aux = uint32(NEG)
		l.Tied(d, 1)
		l.Arg(a)
		return
	}
	s := source{form: formReg, a: b}
	l.two(ariths[op], size, d, a, &s)
}

// ArithImm makes d = a op imm.
func (l *lowerer) ArithImm(op isel.Arith, size uint8, d, a regalloc.VReg, imm int64) {
	if size == 4 {
		imm = int64(int32(imm))
	}
	s := source{form: formImm, imm: imm}
	if imm != int64(int32(imm)) {
		s = source{form: formReg, a: l.Rematerialised(regalloc.ClassInt, imm)}
	} else if op == isel.Mul {
		s = source{form: formReg, a: a}
		in := l.Put(tLoadI, size)
		l.Def(d)
		l.attach(in, IMUL, &s)
		in.Imm = imm
		return
	}
	l.two(ariths[op], size, d, a, &s)
}

// MulHigh makes d the high half of the product of x and m.
func (l *lowerer) MulHigh(d, x regalloc.VReg, m uint64, signed bool) {
	factor := l.Rematerialised(regalloc.ClassInt, int64(m))
	s := source{form: formReg, slot: true, a: x}
	if signed {
		l.productFixed(IMUL1, d, 0, factor, &s)
	} else {
		l.product(d, 0, factor, &s)
	}
}

// MulWide makes d the product of the low half of x and m.
func (l *lowerer) MulWide(d, x regalloc.VReg, m uint64, signed, clean bool) {
	if !clean {
		y := l.NewVReg(regalloc.ClassInt)
		if signed {
			s := source{form: formReg, slot: true, a: x}
			l.loadFrom(tLoad, MOVSXD, 8, y, &s)
		} else {
			l.Extend(y, x)
		}
		x = y
	}
	l.ArithImm(isel.Mul, 8, d, x, int64(m))
}

// MulSub makes d = n - q*c.
func (l *lowerer) MulSub(size uint8, d, n, q regalloc.VReg, c int64) {
	p := l.NewVReg(regalloc.ClassInt)
	l.ArithImm(isel.Mul, size, p, q, c)
	l.Arith(isel.Sub, size, d, n, p)
}
