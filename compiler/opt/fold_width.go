package opt

import (
	"math"

	"github.com/wasmaot/wasmaot/compiler/abi"
	"github.com/wasmaot/wasmaot/compiler/ssa"
)

// narrow gives the low half of 64-bit v, if it is at hand.
func (x *folder) narrow(v uint32) (ssa.Value, bool) {
	switch in := x.inst(v); in.Op {
	case ssa.OpZext, ssa.OpSext:
		return ssa.Value(in.A), true
	case ssa.OpConst:
		return x.constant(abi.I32, in.ConstBits()), true
	}
	return 0, false
}

// wrapOf tries the rules that fit what the low half is taken of: wraps are too many for trying all.
func wrapOf(x *folder, in ssa.Inst) ssa.Value {
	switch x.inst(in.A).Op {
	case ssa.OpZext, ssa.OpSext:
		return wrapWide(x, in)
	case ssa.OpSext32:
		return wrapAnd(x, in)
	case ssa.OpAnd:
		if w := wrapAnd(x, in); w != 0 {
			return w
		}
		return wrapArith(x, in)
	case ssa.OpAdd, ssa.OpSub, ssa.OpMul, ssa.OpOr, ssa.OpXor:
		return wrapArith(x, in)
	case ssa.OpShl, ssa.OpShrU, ssa.OpShrS:
		return wrapShift(x, in)
	case ssa.OpSelect:
		return wrapSelect(x, in)
	}
	return 0
}

// The low half of a widened number is that number.
func wrapWide(x *folder, in ssa.Inst) ssa.Value {
	if v, ok := x.narrow(in.A); ok {
		return v
	}
	return 0
}

// The low half does not depend on a mask that keeps it.
func wrapAnd(x *folder, in ssa.Inst) ssa.Value {
	if a, c, ok := x.withNum(in.A, ssa.OpAnd); ok && uint32(c) == math.MaxUint32 {
		return x.become(ssa.OpWrap, ssa.Value(a.A))
	}
	if a, ok := x.is(in.A, ssa.OpSext32); ok {
		return x.become(ssa.OpWrap, ssa.Value(a.A))
	}
	return 0
}

// The low half of a sum, product and so on follows from the low halves.
func wrapArith(x *folder, in ssa.Inst) ssa.Value {
	a := x.inst(in.A)
	if p, ok := x.narrow(a.A); ok {
		if q, ok := x.narrow(a.B); ok {
			return x.become(a.Op, p, q)
		}
	}
	return 0
}

// Shifts to the left likewise, and to the right if the upper half is all zeros or signs.
func wrapShift(x *folder, in ssa.Inst) ssa.Value {
	a := x.inst(in.A)
	if a.Op != ssa.OpShl && a.Op != ssa.OpShrU && a.Op != ssa.OpShrS {
		return 0
	}
	k, ok := x.num(a.B)
	if !ok {
		return 0
	}
	k %= 64
	if a.Op == ssa.OpShl && k >= 32 {
		return x.constant(abi.I32, 0)
	}
	p, ok := x.narrow(a.A)
	if !ok || k >= 32 {
		return 0
	}
	from := x.inst(a.A).Op
	if a.Op == ssa.OpShl || a.Op == ssa.OpShrU && from == ssa.OpZext || a.Op == ssa.OpShrS && from == ssa.OpSext {
		return x.become(a.Op, p, x.constant(abi.I32, k))
	}
	return 0
}

func wrapSelect(x *folder, in ssa.Inst) ssa.Value {
	a, isSelect := x.is(in.A, ssa.OpSelect)
	if !isSelect {
		return 0
	}
	p, ok := x.narrow(a.B)
	q, also := x.narrow(a.C)
	if ok && also {
		return x.become(ssa.OpSelect, ssa.Value(a.A), p, q)
	}
	return 0
}

// Cutting off zeros and putting them back changes nothing.
func zextWrap(x *folder, in ssa.Inst) ssa.Value {
	if a, ok := x.is(in.A, ssa.OpWrap); ok && x.mask(a.A) <= math.MaxUint32 {
		return ssa.Value(a.A)
	}
	return 0
}

// The sign of a positive number is a zero, which is easier to see through.
func sextPositive(x *folder, in ssa.Inst) ssa.Value {
	if x.mask(in.A) <= math.MaxInt32 {
		return x.become(ssa.OpZext, ssa.Value(in.A))
	}
	return 0
}

func sextWrap(x *folder, in ssa.Inst) ssa.Value {
	if a, ok := x.is(in.A, ssa.OpWrap); ok {
		return x.become(ssa.OpSext32, ssa.Value(a.A))
	}
	return 0
}

// A conversion from a sign-extended number is one from the number.
func convSext(x *folder, in ssa.Inst) ssa.Value {
	if a, ok := x.is(in.A, ssa.OpSext); ok {
		return x.become(ssa.OpConvS, ssa.Value(a.A))
	}
	return 0
}
