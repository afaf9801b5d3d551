package isel

import (
	"math"
	"math/bits"

	"github.com/wasmaot/wasmaot/backend/regalloc"
	"github.com/wasmaot/wasmaot/compiler/ssa"
)

// Arith is an operation of arithmetic that every machine has.
type Arith uint8

const (
	Add Arith = iota
	Sub
	And
	Mul
	ShrU
	ShrS
	Neg // of the first operand
)

// Signed is a constant of the size as a signed number.
func Signed(c uint64, size uint8) int64 {
	if size == 4 {
		return int64(int32(c))
	}
	return int64(c)
}

// divideByConstant makes the division v by c, if c is not one of the few that are left to the machine.
func (l *Lowerer) divideByConstant(v ssa.Value, in *ssa.Inst, c uint64, size uint8) bool {
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
		d := Signed(c, size)
		if d >= -1 && d <= 1 || d == -d {
			return false
		}
		l.quotient(v, in, d, size)
	}
	return true
}

// quotient makes v = A / d by multiplication, or A % d as what that leaves.
func (l *Lowerer) quotient(v ssa.Value, in *ssa.Inst, d int64, size uint8) {
	n := l.Use(ssa.Value(in.A))
	remainder := in.Op == ssa.OpRemS || in.Op == ssa.OpRemU
	q := l.Result(v)
	if remainder {
		q = l.NewVReg(regalloc.ClassInt)
	}
	if in.Op == ssa.OpDivS || in.Op == ssa.OpRemS {
		l.quotientS(q, n, d, size)
	} else {
		l.quotientU(q, n, uint64(d), size, !l.Cfg.Poison && l.ZeroExtended(ssa.Value(in.A)))
	}
	if remainder {
		l.machine.MulSub(size, l.Result(v), n, q, d)
	}
}

// powerU makes an unsigned division by the power of two c.
func (l *Lowerer) powerU(v ssa.Value, op ssa.Op, n ssa.Value, c uint64, size uint8) {
	if op == ssa.OpDivU {
		l.machine.ArithImm(ShrU, size, l.Result(v), l.Use(n), int64(bits.TrailingZeros64(c)))
	} else {
		l.machine.ArithImm(And, size, l.Result(v), l.Use(n), Signed(c-1, size))
	}
}

// step makes a op imm in a new register.
func (l *Lowerer) step(op Arith, size uint8, a regalloc.VReg, imm int64) regalloc.VReg {
	d := l.NewVReg(regalloc.ClassInt)
	l.machine.ArithImm(op, size, d, a, imm)
	return d
}

// join makes a op b in a new register.
func (l *Lowerer) join(op Arith, size uint8, a, b regalloc.VReg) regalloc.VReg {
	d := l.NewVReg(regalloc.ClassInt)
	l.machine.Arith(op, size, d, a, b)
	return d
}

// mulHigh makes the high half of the product of x and m.
func (l *Lowerer) mulHigh(x regalloc.VReg, m uint64, signed bool) regalloc.VReg {
	d := l.NewVReg(regalloc.ClassInt)
	l.machine.MulHigh(d, x, m, signed)
	return d
}

// mulWide makes the product of the low half of x and m.
func (l *Lowerer) mulWide(x regalloc.VReg, m uint64, signed, clean bool) regalloc.VReg {
	d := l.NewVReg(regalloc.ClassInt)
	l.machine.MulWide(d, x, m, signed, clean)
	return d
}

// quotientU makes q = n / c: the product with 2^shift/c rounded up, shifted back. clean tells that n is zero-extended.
func (l *Lowerer) quotientU(q, n regalloc.VReg, c uint64, size uint8, clean bool) {
	mc := l.machine
	if size == 4 {
		// A product with a smaller factor may do.
		if m, shift, ok := magicU(c, 32); ok {
			mc.ArithImm(ShrU, 8, q, l.mulWide(n, m, false, clean), int64(32+shift))
			return
		}
		if !clean {
			x := n
			n = l.NewVReg(regalloc.ClassInt)
			mc.Extend(n, x)
		}
		mc.MulHigh(q, n, math.MaxUint64/c+1, false) // its error, n/2^64 at most, is below 1/c
		return
	}
	m, shift, ok := magicU(c, 64)
	switch {
	case ok:
		mc.ArithImm(ShrU, 8, q, l.mulHigh(n, m, false), int64(shift))
	case c&1 == 0:
		// The dividend without the divisor's zeros has room for the factor's last bit.
		k := bits.TrailingZeros64(c)
		half := l.step(ShrU, 8, n, int64(k))
		m, shift := magicShort(c>>k, 64-k)
		mc.ArithImm(ShrU, 8, q, l.mulHigh(half, m, false), int64(shift))
	default:
		// The factor is 2^64 + m: (n + high) >> shift without overflow.
		high := l.mulHigh(n, m, false)
		half := l.step(ShrU, 8, l.join(Sub, 8, n, high), 1)
		mc.ArithImm(ShrU, 8, q, l.join(Add, 8, half, high), int64(shift-1))
	}
}

// quotientS makes q = n / d: the product with 2^shift/d rounded up, plus 1 if n is negative.
func (l *Lowerer) quotientS(q, n regalloc.VReg, d int64, size uint8) {
	c := uint64(max(d, -d))
	if c&(c-1) == 0 {
		l.powerS(q, n, bits.TrailingZeros64(c), d < 0, size)
		return
	}
	width := int64(size) * 8
	m, shift := magicS(c, uint(width))
	var x regalloc.VReg
	if size == 4 {
		x = l.step(ShrS, 8, l.mulWide(n, m, true, false), 32+int64(shift))
	} else {
		x = l.mulHigh(n, m, true)
		if int64(m) < 0 { // taken as m - 2^64
			x = l.join(Add, 8, x, n)
		}
		if shift > 0 {
			x = l.step(ShrS, 8, x, int64(shift))
		}
	}
	sign := l.step(ShrS, size, n, width-1) // -1 if negative
	if d < 0 {
		x, sign = sign, x
	}
	l.machine.Arith(Sub, size, q, x, sign)
}

// powerS makes q = n / 2^k or its negative: what is added to a negative n makes the shift round
// towards zero.
func (l *Lowerer) powerS(q, n regalloc.VReg, k int, negative bool, size uint8) {
	width := int64(size) * 8
	bias := l.step(ShrU, size, l.step(ShrS, size, n, width-1), width-int64(k))
	sum := l.join(Add, size, n, bias)
	if !negative {
		l.machine.ArithImm(ShrS, size, q, sum, int64(k))
		return
	}
	l.machine.Arith(Neg, size, q, l.step(ShrS, size, sum, int64(k)), 0)
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
