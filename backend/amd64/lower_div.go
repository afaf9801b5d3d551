package amd64

import (
	"math"
	"math/bits"

	"github.com/wasmaot/wasmaot/backend/regalloc"
	"github.com/wasmaot/wasmaot/compiler/ssa"
)

// divide makes the four divisions. Those by a constant become multiplications; the others have
// dividend and quotient in rax, remainder in rdx.
func (l *lowerer) divide(v ssa.Value, in *ssa.Inst, _ Op) {
	size := l.sizeOf(v)
	a, b := ssa.Value(in.A), ssa.Value(in.B)
	c, isConst := l.f.IsConst(b)
	if isConst && l.divideByConstant(v, in, c, size) {
		return
	}
	t := [...]template{tDivS, tDiv, tRemS, tDiv}[in.Op-ssa.OpDivS]
	quotient, remainder := l.result(v), l.newVReg(regalloc.ClassInt)
	if in.Op == ssa.OpRemS || in.Op == ssa.OpRemU {
		quotient, remainder = remainder, quotient
	}
	dividend, divisor := l.use(a), l.use(b)
	inst := l.put(t, size)
	if isConst && c != 0 {
		inst.Aux |= auxNonZero
		if signed(c, size) != -1 {
			inst.Aux |= auxNoOverflow
		}
	}
	l.fixedDef(quotient, RAX)
	l.fixedDef(remainder, RDX)
	l.fixedArg(dividend, RAX)
	l.lateArg(divisor)
}

// signed is a constant of the size as a signed number.
func signed(c uint64, size uint8) int64 {
	if size == 4 {
		return int64(int32(c))
	}
	return int64(c)
}

// divideByConstant makes a division by c, if c is not one of the few that are left to the machine.
func (l *lowerer) divideByConstant(v ssa.Value, in *ssa.Inst, c uint64, size uint8) bool {
	n := ssa.Value(in.A)
	switch in.Op {
	case ssa.OpDivU, ssa.OpRemU:
		if c == 0 || c > 1<<63 {
			return false
		}
		if c&(c-1) != 0 {
			l.quotient(v, in, int64(c), size)
		} else {
			l.powerU(v, in.Op, n, c, size)
		}
	default:
		d := signed(c, size)
		if d >= -1 && d <= 1 || d == -d {
			return false
		}
		l.quotient(v, in, d, size)
	}
	return true
}

// quotient makes v = A / d by multiplication, or A % d as what that leaves.
func (l *lowerer) quotient(v ssa.Value, in *ssa.Inst, d int64, size uint8) {
	n := l.use(ssa.Value(in.A))
	remainder := in.Op == ssa.OpRemS || in.Op == ssa.OpRemU
	q := l.result(v)
	if remainder {
		q = l.newVReg(regalloc.ClassInt)
	}
	if in.Op == ssa.OpDivS || in.Op == ssa.OpRemS {
		l.quotientS(q, n, d, size)
	} else {
		l.quotientU(q, n, uint64(d), size, !l.cfg.Poison && l.zeroExtended(ssa.Value(in.A)))
	}
	if remainder {
		s := source{form: formReg, a: l.multiple(q, d, size)}
		l.two(SUB, size, l.result(v), n, &s)
	}
}

// multiple makes q * d.
func (l *lowerer) multiple(q regalloc.VReg, d int64, size uint8) regalloc.VReg {
	p := l.newVReg(regalloc.ClassInt)
	if size == 4 {
		d = int64(int32(d))
	}
	if d == int64(int32(d)) {
		s := source{form: formReg, a: q}
		in := l.put(tLoadI, size)
		l.def(p)
		l.attach(in, IMUL, &s)
		in.Imm = d
		return p
	}
	s := source{form: formReg, a: l.rematerialised(regalloc.ClassInt, d)}
	l.two(IMUL, size, p, q, &s)
	return p
}

// powerU makes an unsigned division by the power of two c.
func (l *lowerer) powerU(v ssa.Value, op ssa.Op, n ssa.Value, c uint64, size uint8) {
	if op == ssa.OpDivU {
		s := immediateSource(int64(bits.TrailingZeros64(c)))
		l.two(SHR, size, l.result(v), l.use(n), &s)
		return
	}
	s := source{form: formReg}
	if mask := int64(c - 1); size == 4 || mask == int64(int32(mask)) {
		s = immediateSource(int64(int32(mask)))
	} else {
		s.a = l.rematerialised(regalloc.ClassInt, mask)
	}
	l.two(AND, size, l.result(v), l.use(n), &s)
}

func immediateSource(imm int64) source { return source{form: formImm, imm: imm} }

// step makes op a, imm in a new register.
func (l *lowerer) step(op Op, size uint8, a regalloc.VReg, imm int64) regalloc.VReg {
	d := l.newVReg(regalloc.ClassInt)
	s := immediateSource(imm)
	l.two(op, size, d, a, &s)
	return d
}

// join makes a op b in a new register.
func (l *lowerer) join(op Op, size uint8, a, b regalloc.VReg) regalloc.VReg {
	d := l.newVReg(regalloc.ClassInt)
	s := source{form: formReg, a: b}
	l.two(op, size, d, a, &s)
	return d
}

// mulHi makes the high half of the product of x and m; op is MUL or IMUL1.
func (l *lowerer) mulHi(op Op, x regalloc.VReg, m uint64) regalloc.VReg {
	high := l.newVReg(regalloc.ClassInt)
	factor := l.rematerialised(regalloc.ClassInt, int64(m))
	in := l.put(tMulHi, 8)
	in.Aux = uint32(op) | uint32(formReg)<<auxFormShift
	l.fixedDef(high, RDX)
	l.fixedDef(l.newVReg(regalloc.ClassInt), RAX)
	l.fixedArg(factor, RAX)
	l.slotArg(x)
	return high
}

// quotientU makes q = n / c: the product with 2^shift/c rounded up, shifted back.
func (l *lowerer) quotientU(q, n regalloc.VReg, c uint64, size uint8, zext bool) {
	if size == 4 {
		if !zext {
			n = l.extended(tMove32, MOV, 4, n)
		}
		// A product with a smaller factor may do.
		if m, shift, ok := magicU(c, 32); ok {
			p := l.multiple(n, int64(m), 8)
			s := immediateSource(int64(32 + shift))
			l.two(SHR, 8, q, p, &s)
			return
		}
		l.copyTo(q, l.mulHi(MUL, n, math.MaxUint64/c+1)) // its error, n/2^64 at most, is below 1/c
		return
	}
	m, shift, ok := magicU(c, 64)
	switch {
	case ok:
		s := immediateSource(int64(shift))
		l.two(SHR, 8, q, l.mulHi(MUL, n, m), &s)
	case c&1 == 0:
		// The dividend without the divisor's zeros has room for the factor's last bit.
		k := bits.TrailingZeros64(c)
		half := l.step(SHR, 8, n, int64(k))
		m, shift := magicShort(c>>k, 64-k)
		s := immediateSource(int64(shift))
		l.two(SHR, 8, q, l.mulHi(MUL, half, m), &s)
	default:
		// The factor is 2^64 + m: (n + high) >> shift without overflow.
		high := l.mulHi(MUL, n, m)
		half := l.step(SHR, 8, l.join(SUB, 8, n, high), 1)
		s := immediateSource(int64(shift - 1))
		l.two(SHR, 8, q, l.join(ADD, 8, half, high), &s)
	}
}

// quotientS makes q = n / d: the product with 2^shift/d rounded up, plus 1 if n is negative.
func (l *lowerer) quotientS(q, n regalloc.VReg, d int64, size uint8) {
	c := uint64(max(d, -d))
	if c&(c-1) == 0 {
		l.powerS(q, n, bits.TrailingZeros64(c), d < 0, size)
		return
	}
	width := int64(size) * 8
	m, shift := magicS(c, uint(width))
	var x regalloc.VReg
	if size == 4 {
		wide := l.extended(tLoad, MOVSXD, 8, n)
		x = l.step(SAR, 8, l.multiple(wide, int64(m), 8), 32+int64(shift))
	} else {
		x = l.mulHi(IMUL1, n, m)
		if int64(m) < 0 { // taken as m - 2^64
			x = l.join(ADD, 8, x, n)
		}
		if shift > 0 {
			x = l.step(SAR, 8, x, int64(shift))
		}
	}
	sign := l.step(SAR, size, n, width-1) // -1 if negative
	if d < 0 {
		x, sign = sign, x
	}
	s := source{form: formReg, a: sign}
	l.two(SUB, size, q, x, &s)
}

// powerS makes q = n / 2^k or its negative: what is added to a negative n makes the shift round
// towards zero.
func (l *lowerer) powerS(q, n regalloc.VReg, k int, negative bool, size uint8) {
	width := int64(size) * 8
	bias := l.step(SHR, size, l.step(SAR, size, n, width-1), width-int64(k))
	sum := l.join(ADD, size, n, bias)
	if !negative {
		s := immediateSource(int64(k))
		l.two(SAR, size, q, sum, &s)
		return
	}
	x := l.step(SAR, size, sum, int64(k))
	in := l.put(tOne, size)
	in.Aux = uint32(NEG)
	l.tied(q, 1)
	l.arg(x)
}

// extended makes a copy of n by op.
func (l *lowerer) extended(t template, op Op, size uint8, n regalloc.VReg) regalloc.VReg {
	d := l.newVReg(regalloc.ClassInt)
	s := source{form: formReg, slot: true, a: n}
	l.loadFrom(t, op, size, d, &s)
	return d
}

func (l *lowerer) copyTo(d, x regalloc.VReg) {
	s := source{form: formReg, a: x}
	l.loadFrom(tLoad, MOV, 8, d, &s)
}

// magicU gives m and shift with n/c = n*m >> (width+shift) for all n of the width, c being no power
// of two (Granlund and Montgomery, "Division by Invariant Integers using Multiplication", 1994). If m does not
// fit into the width ok is false and m lacks 2^width.
func magicU(c uint64, width uint) (m uint64, shift uint, ok bool) {
	top := uint(bits.Len64(c)) // 2^(top-1) < c < 2^top
	// The least shift at which the error of the rounded up factor, m*c - 2^(width+shift), is at most 2^shift.
	for shift = 0; shift <= top; shift++ {
		hi, lo := shiftedOne(width + shift)
		q, r := divide128(hi, lo, c)
		if e := c - r; shift == top || e <= 1<<shift {
			m = q.lo + 1
			over := q.hi
			if m == 0 {
				over++
			}
			if width == 32 {
				return m & (1<<32 - 1), shift, m>>32 == 0
			}
			return m, shift, over == 0
		}
	}
	return 0, 0, false
}

// magicShort is magicU for 64-bit products with n of less than 64 bits.
func magicShort(c uint64, nbits int) (m uint64, shift uint) {
	for shift = 0; ; shift++ {
		hi, lo := shiftedOne(64 + shift)
		q, r := divide128(hi, lo, c)
		if e := c - r; e <= 1<<(shift+uint(64-nbits)) {
			return q.lo + 1, shift
		}
	}
}

// magicS gives m and shift with |n|/c = |n|*m >> (width+shift), m below 2^width, for signed n of the width.
func magicS(c uint64, width uint) (m uint64, shift uint) {
	for ; ; shift++ {
		hi, lo := shiftedOne(width + shift)
		q, r := divide128(hi, lo, c)
		if e := c - r; e <= 1<<(shift+1) {
			return q.lo + 1, shift
		}
	}
}

type uint128 struct{ hi, lo uint64 }

func shiftedOne(n uint) (hi, lo uint64) {
	if n >= 64 {
		return 1 << (n - 64), 0
	}
	return 0, 1 << n
}

func divide128(hi, lo, c uint64) (q uint128, r uint64) {
	q.hi, hi = hi/c, hi%c
	q.lo, r = bits.Div64(hi, lo, c)
	return q, r
}
