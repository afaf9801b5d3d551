package opt

import (
	"math"

	"github.com/wasmaot/wasmaot/compiler/abi"
	"github.com/wasmaot/wasmaot/compiler/ssa"
)

// !(a < b) = a ≥ b, and so on; !!x = (x ≠ 0)
func eqzCompare(x *folder, in ssa.Inst) ssa.Value {
	a := x.inst(in.A)
	if inv := inverse[a.Op]; inv != 0 {
		return x.become(inv, ssa.Value(a.A), ssa.Value(a.B))
	}
	if a.Op == ssa.OpEqz {
		if x.typ(a.A) == abi.I32 && x.isBool(a.A) {
			return ssa.Value(a.A)
		}
		return x.become(ssa.OpNe, ssa.Value(a.A), x.constant(x.typ(a.A), 0))
	}
	return 0
}

// A widened number is 0 if the narrow one is, and a narrowed one if nothing was cut off.
func eqzWide(x *folder, in ssa.Inst) ssa.Value {
	a := x.inst(in.A)
	switch {
	case a.Op == ssa.OpZext || a.Op == ssa.OpSext:
	case a.Op == ssa.OpWrap && x.mask(a.A) <= math.MaxUint32:
	default:
		return 0
	}
	return x.become(ssa.OpEqz, ssa.Value(a.A))
}

// a - b = 0 if a = b, a ^ b likewise; c - b = 0 if b = c
func eqzDifference(x *folder, in ssa.Inst) ssa.Value {
	a := x.inst(in.A)
	if a.Op == ssa.OpSub || a.Op == ssa.OpXor {
		return x.become(ssa.OpEq, ssa.Value(a.A), ssa.Value(a.B))
	}
	if y, c, ok := x.withNum(in.A, ssa.OpAdd); ok {
		return x.become(ssa.OpEq, ssa.Value(y.A), x.constant(a.Type, -c))
	}
	return 0
}

// A number cannot be equal to one with a bit that it never has.
func eqMask(x *folder, in ssa.Inst, c uint64) ssa.Value {
	if c != 0 && c&^x.mask(in.A) != 0 {
		return x.truth(in.Op == ssa.OpNe)
	}
	return 0
}

func eqZero(x *folder, in ssa.Inst, c uint64) ssa.Value {
	if c == 0 {
		return x.become(ssa.OpEqz, ssa.Value(in.A))
	}
	return 0
}

// b = 1 is b itself
func eqOne(x *folder, in ssa.Inst, c uint64) ssa.Value {
	if c == 1 && x.isBool(in.A) {
		return x.boolOf(in.A)
	}
	return 0
}

// b ≠ 0 is b itself; a-b ≠ 0 is a ≠ b
func neZero(x *folder, in ssa.Inst, c uint64) ssa.Value {
	if c != 0 {
		return 0
	}
	a := x.inst(in.A)
	switch {
	case a.Op == ssa.OpSub || a.Op == ssa.OpXor:
		return x.become(ssa.OpNe, ssa.Value(a.A), ssa.Value(a.B))
	case a.Op == ssa.OpWrap && x.mask(a.A) <= math.MaxUint32:
		return x.become(ssa.OpNe, ssa.Value(a.A), x.constant(abi.I64, 0))
	case (a.Type == abi.I32 || a.Type == abi.I64) && x.isBool(in.A):
		return x.boolOf(in.A)
	}
	return 0
}

// b ≠ 1 is !b
func neOne(x *folder, in ssa.Inst, c uint64) ssa.Value {
	if c == 1 && x.isBool(in.A) {
		return x.become(ssa.OpEqz, ssa.Value(in.A))
	}
	return 0
}

// boolOf gives v, known to be 0 or 1, as I32.
func (x *folder) boolOf(v uint32) ssa.Value {
	switch in := x.inst(v); {
	case in.Type == abi.I32:
		return ssa.Value(v)
	case in.Op == ssa.OpZext:
		return ssa.Value(in.A)
	}
	return x.become(ssa.OpWrap, ssa.Value(v))
}

// y + c1 = c if y = c - c1; y ^ c1 = c if y = c ^ c1
func eqChain(x *folder, in ssa.Inst, c uint64) ssa.Value {
	t := x.typ(in.A)
	if a, c1, ok := x.withNum(in.A, ssa.OpAdd); ok {
		return x.become(in.Op, ssa.Value(a.A), x.constant(t, c-c1))
	}
	if a, c1, ok := x.withNum(in.A, ssa.OpXor); ok {
		return x.become(in.Op, ssa.Value(a.A), x.constant(t, c^c1))
	}
	return 0
}

// A widened number compares with a constant as the narrow one does: the extensions keep the
// order, with zeros that of unsigned numbers for either kind of comparison.
func compareWide(x *folder, in ssa.Inst, c uint64) ssa.Value {
	a := x.inst(in.A)
	switch {
	case a.Op == ssa.OpZext && c <= math.MaxUint32:
		return x.become(unsigned[in.Op], ssa.Value(a.A), x.constant(abi.I32, c))
	case a.Op == ssa.OpSext && c == uint64(int32(c)):
		return x.become(in.Op, ssa.Value(a.A), x.constant(abi.I32, c))
	}
	return 0
}

// outside gives the truth of a comparison whose result is known: the left side is
// less than the right (-1), equal (0) or greater (1).
func outside(x *folder, op ssa.Op, order int) ssa.Value {
	switch op {
	case ssa.OpEq:
		return x.truth(order == 0)
	case ssa.OpNe:
		return x.truth(order != 0)
	case ssa.OpLtS, ssa.OpLtU:
		return x.truth(order < 0)
	case ssa.OpGtS, ssa.OpGtU:
		return x.truth(order > 0)
	case ssa.OpLeS, ssa.OpLeU:
		return x.truth(order <= 0)
	}
	return x.truth(order >= 0)
}

// compareBounds folds ordered comparisons with constants at or beyond the ends of what the
// left side can be, and turns others near the ends into tests for zero.
func compareBounds(x *folder, in ssa.Inst, c uint64) ssa.Value {
	t := x.typ(in.A)
	if unsigned[in.Op] != in.Op {
		return signedBounds(x, in, t, c)
	}
	most := x.mask(in.A)
	if c > most {
		return outside(x, in.Op, -1)
	}
	zero := x.constant(t, 0)
	switch in.Op {
	case ssa.OpLtU:
		if c == 0 {
			return x.truth(false)
		}
		if c == 1 {
			return x.become(ssa.OpEqz, ssa.Value(in.A))
		}
	case ssa.OpGeU:
		if c == 0 {
			return x.truth(true)
		}
		if c == 1 {
			return x.become(ssa.OpNe, ssa.Value(in.A), zero)
		}
	case ssa.OpGtU:
		if c == most {
			return x.truth(false)
		}
		if c == 0 {
			return x.become(ssa.OpNe, ssa.Value(in.A), zero)
		}
	case ssa.OpLeU:
		if c == most {
			return x.truth(true)
		}
		if c == 0 {
			return x.become(ssa.OpEqz, ssa.Value(in.A))
		}
	}
	return 0
}

func signedBounds(x *folder, in ssa.Inst, t abi.Type, c uint64) ssa.Value {
	least, most := -int64(ones(t)>>1)-1, int64(ones(t)>>1)
	if m := x.mask(in.A); m <= uint64(most) {
		least, most = 0, int64(m)
	}
	switch s := signed(t, c); {
	case s > most:
		return outside(x, in.Op, -1)
	case s < least:
		return outside(x, in.Op, 1)
	case s == most && (in.Op == ssa.OpGtS || in.Op == ssa.OpLeS), s == least && (in.Op == ssa.OpLtS || in.Op == ssa.OpGeS):
		return x.truth(in.Op == ssa.OpLeS || in.Op == ssa.OpGeS)
	}
	return 0
}

// x compared with itself
func compareSame(x *folder, in ssa.Inst) ssa.Value {
	if in.A == in.B {
		return outside(x, in.Op, 0)
	}
	return 0
}

// Two numbers widened alike compare as the narrow ones do, see compareWide.
func compareBothWide(x *folder, in ssa.Inst) ssa.Value {
	a, b := x.inst(in.A), x.inst(in.B)
	if a.Op != b.Op {
		return 0
	}
	switch a.Op {
	case ssa.OpZext:
		return x.become(unsigned[in.Op], ssa.Value(a.A), ssa.Value(b.A))
	case ssa.OpSext:
		return x.become(in.Op, ssa.Value(a.A), ssa.Value(b.A))
	}
	return 0
}
