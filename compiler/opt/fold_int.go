package opt

import (
	"math"
	"math/bits"

	"github.com/wasmaot/wasmaot/compiler/abi"
	"github.com/wasmaot/wasmaot/compiler/ssa"
)

// x + 0 = x
func addZero(x *folder, in ssa.Inst, c uint64) ssa.Value {
	if c == 0 {
		return ssa.Value(in.A)
	}
	return 0
}

// (y + c1) + c = y + (c1+c); (c1 - y) + c = (c1+c) - y
func addChain(x *folder, in ssa.Inst, c uint64) ssa.Value {
	if a, c1, ok := x.withNum(in.A, ssa.OpAdd); ok {
		return x.become(ssa.OpAdd, ssa.Value(a.A), x.constant(in.Type, c1+c))
	}
	if a, ok := x.is(in.A, ssa.OpSub); ok {
		if c1, ok := x.num(a.A); ok {
			return x.become(ssa.OpSub, x.constant(in.Type, c1+c), ssa.Value(a.B))
		}
	}
	return 0
}

// negated gives y if v is 0 - y.
func (x *folder) negated(v uint32) (ssa.Value, bool) {
	in, ok := x.is(v, ssa.OpSub)
	if ok {
		if c, isNum := x.num(in.A); isNum && c == 0 {
			return ssa.Value(in.B), true
		}
	}
	return 0, false
}

// a + (0-y) = a - y
func addNegated(x *folder, in ssa.Inst) ssa.Value {
	if y, ok := x.negated(in.B); ok {
		return x.become(ssa.OpSub, ssa.Value(in.A), y)
	}
	if y, ok := x.negated(in.A); ok {
		return x.become(ssa.OpSub, ssa.Value(in.B), y)
	}
	return 0
}

// x - c = x + (-c)
func subConst(x *folder, in ssa.Inst, c uint64) ssa.Value {
	return x.become(ssa.OpAdd, ssa.Value(in.A), x.constant(in.Type, -c))
}

// x - x = 0
func subSame(x *folder, in ssa.Inst) ssa.Value {
	if in.A == in.B {
		return x.constant(in.Type, 0)
	}
	return 0
}

// (p + q) - q = p; c - (y + c1) = (c-c1) - y
func subChain(x *folder, in ssa.Inst) ssa.Value {
	if a, ok := x.is(in.A, ssa.OpAdd); ok {
		if a.B == in.B {
			return ssa.Value(a.A)
		}
		if a.A == in.B {
			return ssa.Value(a.B)
		}
	}
	if c, ok := x.num(in.A); ok {
		if b, c1, ok := x.withNum(in.B, ssa.OpAdd); ok {
			return x.become(ssa.OpSub, x.constant(in.Type, c-c1), ssa.Value(b.A))
		}
	}
	return 0
}

// a - (0-y) = a + y
func subNegated(x *folder, in ssa.Inst) ssa.Value {
	if y, ok := x.negated(in.B); ok {
		return x.become(ssa.OpAdd, ssa.Value(in.A), y)
	}
	return 0
}

func mulConst(x *folder, in ssa.Inst, c uint64) ssa.Value {
	switch {
	case c == 0:
		return x.constant(in.Type, 0)
	case c == 1:
		return ssa.Value(in.A)
	case c == ones(in.Type):
		return x.become(ssa.OpSub, x.constant(in.Type, 0), ssa.Value(in.A))
	case c&(c-1) == 0:
		return x.become(ssa.OpShl, ssa.Value(in.A), x.constant(in.Type, uint64(bits.TrailingZeros64(c))))
	}
	return 0
}

// (y * c1) * c = y * (c1*c), and the same with a shift for the first
func mulChain(x *folder, in ssa.Inst, c uint64) ssa.Value {
	if a, c1, ok := x.withNum(in.A, ssa.OpMul); ok {
		return x.become(ssa.OpMul, ssa.Value(a.A), x.constant(in.Type, c1*c))
	}
	if a, k, ok := x.withNum(in.A, ssa.OpShl); ok {
		return x.become(ssa.OpMul, ssa.Value(a.A), x.constant(in.Type, c<<(k%width(in.Type))))
	}
	return 0
}

// x / 1 = x
func divOne(x *folder, in ssa.Inst, c uint64) ssa.Value {
	if c == 1 {
		return ssa.Value(in.A)
	}
	return 0
}

// x / 2^k = x >> k without signs
func divPower(x *folder, in ssa.Inst, c uint64) ssa.Value {
	if c != 0 && c&(c-1) == 0 {
		return x.become(ssa.OpShrU, ssa.Value(in.A), x.constant(in.Type, uint64(bits.TrailingZeros64(c))))
	}
	return 0
}

// x % ±1 = 0 with signs
func remOne(x *folder, in ssa.Inst, c uint64) ssa.Value {
	if c == 1 || c == ones(in.Type) {
		return x.constant(in.Type, 0)
	}
	return 0
}

// x % 2^k = x & (2^k - 1) without signs
func remPower(x *folder, in ssa.Inst, c uint64) ssa.Value {
	if c != 0 && c&(c-1) == 0 {
		return x.become(ssa.OpAnd, ssa.Value(in.A), x.constant(in.Type, c-1))
	}
	return 0
}

// x & x = x, x | x = x
func sameOperands(x *folder, in ssa.Inst) ssa.Value {
	if in.A == in.B {
		return ssa.Value(in.A)
	}
	return 0
}

// x & c = x or 0 if c has all of x's bits or none
func andMask(x *folder, in ssa.Inst, c uint64) ssa.Value {
	m := x.mask(in.A)
	if m&^c == 0 {
		return ssa.Value(in.A)
	}
	if m&c == 0 {
		return x.constant(in.Type, 0)
	}
	return 0
}

// (y & c1) & c = y & (c1&c)
func andChain(x *folder, in ssa.Inst, c uint64) ssa.Value {
	if a, c1, ok := x.withNum(in.A, ssa.OpAnd); ok {
		return x.become(ssa.OpAnd, ssa.Value(a.A), x.constant(in.Type, c1&c))
	}
	return 0
}

// (p | q) & c = p & c if q has no bit of c
func andOr(x *folder, in ssa.Inst, c uint64) ssa.Value {
	if a := x.inst(in.A); a.Op == ssa.OpOr || a.Op == ssa.OpXor {
		if x.mask(a.B)&c == 0 {
			return x.become(ssa.OpAnd, ssa.Value(a.A), ssa.Value(in.B))
		}
		if x.mask(a.A)&c == 0 {
			return x.become(ssa.OpAnd, ssa.Value(a.B), ssa.Value(in.B))
		}
	}
	return 0
}

// x & 0xffffffff = zext(wrap x), which needs no constant
func andLow(x *folder, in ssa.Inst, c uint64) ssa.Value {
	if in.Type == abi.I64 && c == math.MaxUint32 {
		return x.become(ssa.OpZext, x.emit(ssa.OpWrap, abi.I32, ssa.Value(in.A), 0))
	}
	return 0
}

func orConst(x *folder, in ssa.Inst, c uint64) ssa.Value {
	switch c {
	case 0:
		return ssa.Value(in.A)
	case ones(in.Type):
		return ssa.Value(in.B)
	}
	return 0
}

// (y | c1) | c = y | (c1|c)
func orChain(x *folder, in ssa.Inst, c uint64) ssa.Value {
	if a, c1, ok := x.withNum(in.A, ssa.OpOr); ok {
		return x.become(ssa.OpOr, ssa.Value(a.A), x.constant(in.Type, c1|c))
	}
	return 0
}

// (y << k) | (y >> width-k) = rotl(y, k), and with ^ likewise
func rotate(x *folder, in ssa.Inst) ssa.Value {
	left, right := in.A, in.B
	if x.inst(left).Op != ssa.OpShl {
		left, right = right, left
	}
	l, k, ok := x.withNum(left, ssa.OpShl)
	r, n, also := x.withNum(right, ssa.OpShrU)
	if ok && also && l.A == r.A && k > 0 && k+n == width(in.Type) {
		return x.become(ssa.OpRotl, ssa.Value(l.A), ssa.Value(l.B))
	}
	return 0
}

func xorZero(x *folder, in ssa.Inst, c uint64) ssa.Value {
	if c == 0 {
		return ssa.Value(in.A)
	}
	return 0
}

// (y ^ c1) ^ c = y ^ (c1^c)
func xorChain(x *folder, in ssa.Inst, c uint64) ssa.Value {
	if a, c1, ok := x.withNum(in.A, ssa.OpXor); ok {
		return x.become(ssa.OpXor, ssa.Value(a.A), x.constant(in.Type, c1^c))
	}
	return 0
}

// b ^ 1 = !b
func xorTruth(x *folder, in ssa.Inst, c uint64) ssa.Value {
	if in.Type == abi.I32 && c == 1 && x.isBool(in.A) {
		return x.become(ssa.OpEqz, ssa.Value(in.A))
	}
	return 0
}

// x ^ x = 0
func xorSame(x *folder, in ssa.Inst) ssa.Value {
	if in.A == in.B {
		return x.constant(in.Type, 0)
	}
	return 0
}

// Counts are modulo the width, and a shift by 0 is none.
func shiftCount(x *folder, in ssa.Inst, c uint64) ssa.Value {
	k := c % width(in.Type)
	if k == 0 {
		return ssa.Value(in.A)
	}
	if k != c {
		return x.become(in.Op, ssa.Value(in.A), x.constant(in.Type, k))
	}
	return 0
}

// What has all its bits shifted out is 0.
func shiftOut(x *folder, in ssa.Inst, c uint64) ssa.Value {
	m := x.mask(in.A)
	if in.Op == ssa.OpShl && m<<c&ones(in.Type) == 0 || in.Op == ssa.OpShrU && m>>c == 0 {
		return x.constant(in.Type, 0)
	}
	return 0
}

// 0 shifted or rotated is 0.
func shiftZero(x *folder, in ssa.Inst) ssa.Value {
	if c, ok := x.num(in.A); ok && c == 0 {
		return ssa.Value(in.A)
	}
	return 0
}

// x << (y & 63) = x << y
func shiftMasked(x *folder, in ssa.Inst) ssa.Value {
	m := width(in.Type) - 1
	if b, c, ok := x.withNum(in.B, ssa.OpAnd); ok && c&m == m {
		return x.become(in.Op, ssa.Value(in.A), ssa.Value(b.A))
	}
	return 0
}

// (y << k) << c = y << (k+c)
func shlShl(x *folder, in ssa.Inst, c uint64) ssa.Value { return sameShifts(x, in, c) }

func shruShru(x *folder, in ssa.Inst, c uint64) ssa.Value { return sameShifts(x, in, c) }

func sameShifts(x *folder, in ssa.Inst, c uint64) ssa.Value {
	w := width(in.Type)
	a, k, ok := x.withNum(in.A, in.Op)
	if !ok || k >= w {
		return 0
	}
	if k+c >= w {
		return x.constant(in.Type, 0)
	}
	return x.become(in.Op, ssa.Value(a.A), x.constant(in.Type, k+c))
}

func shrsShrs(x *folder, in ssa.Inst, c uint64) ssa.Value {
	w := width(in.Type)
	if a, k, ok := x.withNum(in.A, in.Op); ok && k < w {
		return x.become(in.Op, ssa.Value(a.A), x.constant(in.Type, min(k+c, w-1)))
	}
	return 0
}

// cheapMask reports whether m can be an operand of an instruction on all machines we know.
func cheapMask(t abi.Type, m uint64) bool {
	s := signed(t, m)
	return s == int64(int32(s))
}

// (y >> c) << c clears the low bits.
func shlShr(x *folder, in ssa.Inst, c uint64) ssa.Value {
	a, k, ok := x.withNum(in.A, ssa.OpShrU)
	if !ok {
		a, k, ok = x.withNum(in.A, ssa.OpShrS)
	}
	if m := ones(in.Type) << c & ones(in.Type); ok && k == c && cheapMask(in.Type, m) {
		return x.become(ssa.OpAnd, ssa.Value(a.A), x.constant(in.Type, m))
	}
	return 0
}

// (y << c) >> c clears the high bits.
func shruShl(x *folder, in ssa.Inst, c uint64) ssa.Value {
	a, k, ok := x.withNum(in.A, ssa.OpShl)
	if m := ones(in.Type) >> c; ok && k == c && (m == math.MaxUint32 || cheapMask(in.Type, m)) {
		return x.become(ssa.OpAnd, ssa.Value(a.A), x.constant(in.Type, m))
	}
	return 0
}

// The sign of a number that has none is 0.
func shrsPositive(x *folder, in ssa.Inst, c uint64) ssa.Value {
	if x.mask(in.A) <= ones(in.Type)>>1 {
		return x.become(ssa.OpShrU, ssa.Value(in.A), ssa.Value(in.B))
	}
	return 0
}

// (y << c) >> c with signs is a sign extension for some c.
func shrsShl(x *folder, in ssa.Inst, c uint64) ssa.Value {
	a, k, ok := x.withNum(in.A, ssa.OpShl)
	if !ok || k != c {
		return 0
	}
	switch width(in.Type) - c {
	case 8:
		return x.become(ssa.OpSext8, ssa.Value(a.A))
	case 16:
		return x.become(ssa.OpSext16, ssa.Value(a.A))
	case 32:
		return x.become(ssa.OpSext32, ssa.Value(a.A))
	}
	return 0
}

// sextBits is the number of bits that a sign extension extends.
func sextBits(op ssa.Op) uint64 {
	switch op {
	case ssa.OpSext8, ssa.OpLoad8S:
		return 8
	case ssa.OpSext16, ssa.OpLoad16S:
		return 16
	case ssa.OpSext32, ssa.OpSext, ssa.OpLoad32S:
		return 32
	}
	return 64
}

// Sign extension of a small positive number changes nothing.
func sextSmall(x *folder, in ssa.Inst) ssa.Value {
	if x.mask(in.A)>>(sextBits(in.Op)-1) == 0 {
		return ssa.Value(in.A)
	}
	return 0
}

// Sign extension of what is extended from as few bits changes nothing; inner operations on
// bits that are overwritten do not matter.
func sextNested(x *folder, in ssa.Inst) ssa.Value {
	n := sextBits(in.Op)
	a := x.inst(in.A)
	switch a.Op {
	case ssa.OpSext8, ssa.OpSext16, ssa.OpSext32, ssa.OpSext, ssa.OpLoad8S, ssa.OpLoad16S, ssa.OpLoad32S:
		if sextBits(a.Op) <= n {
			return ssa.Value(in.A)
		}
		if a.Op <= ssa.OpSext32 {
			return x.become(in.Op, ssa.Value(a.A))
		}
	case ssa.OpAnd:
		if c, ok := x.num(a.B); ok && c<<(64-n) == math.MaxUint64<<(64-n) {
			return x.become(in.Op, ssa.Value(a.A))
		}
	case ssa.OpZext:
		if n == 32 {
			return x.become(ssa.OpSext, ssa.Value(a.A))
		}
	}
	return 0
}

// mulHiSmall: the high half of a product with a power of two is a shift.
func mulHiSmall(x *folder, in ssa.Inst, c uint64) ssa.Value {
	switch {
	case c <= 1:
		return x.constant(in.Type, 0)
	case c&(c-1) == 0:
		return x.become(ssa.OpShrU, ssa.Value(in.A), x.constant(in.Type, uint64(64-bits.TrailingZeros64(c))))
	}
	return 0
}
