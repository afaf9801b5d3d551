package opt

import (
	"math"
	"math/bits"

	"github.com/wasmaot/wasmaot/compiler/abi"
	"github.com/wasmaot/wasmaot/compiler/ssa"
)

// rule is one simplification of an instruction, of which in is a copy. It returns
// 0 if it does not apply, the value that replaces the instruction, or what become returns.
type rule func(x *folder, in ssa.Inst) ssa.Value

// constRule is a rule for an instruction whose operand B is the constant c, an integer,
// and whose operand A is none.
type constRule func(x *folder, in ssa.Inst, c uint64) ssa.Value

// maxSteps bounds how often one instruction is rewritten.
const maxSteps = 16

// maxDepth bounds how deep rules that make new instructions nest.
const maxDepth = 4

type folder struct {
	f       *ssa.Func
	v       ssa.Value // being simplified
	order   []ssa.Value
	depth   int
	changed bool // edges
	rules   *[ssa.OpCount]opRules
}

// fold simplifies instructions by rules, operands before their users.
func fold(f *ssa.Func, s *Scratch) { simplify(f, s, false, true) }

// visit simplifies v, whose operands are resolved, and puts it into the order if it is still needed.
func (x *folder) visit(v ssa.Value) {
	if w := x.rewrite(v); w != v {
		alias(x.f, v, w)
	} else {
		x.order = append(x.order, v)
	}
}

// rewrite applies rules to v until none fits. The value returned stands for v.
func (x *folder) rewrite(v ssa.Value) ssa.Value {
	for range maxSteps {
		x.v = v
		switch w := x.step(x.f.Insts[v]); w {
		case 0:
			return v
		case v:
		default:
			return w
		}
	}
	return v
}

func (x *folder) step(in ssa.Inst) ssa.Value {
	r := &x.rules[in.Op]
	if number := in.Op >= ssa.OpAdd && in.Op <= ssa.OpBitcast; !number && r.plain == nil {
		return 0
	}
	switch ssa.Ops[in.Op].Arity {
	case 1:
		if a, ok := x.num(in.A); ok {
			return x.compute(in, a, 0)
		}
	case 2:
		a, isA := x.num(in.A)
		b, isB := x.num(in.B)
		switch {
		case isA && isB:
			if w := x.compute(in, a, b); w != 0 {
				return w
			}
		case isA && r.swapped != 0:
			return x.become(r.swapped, ssa.Value(in.B), ssa.Value(in.A))
		case isB && !x.typ(in.A).IsFloat():
			for _, apply := range r.withConst {
				if w := apply(x, in, b); w != 0 {
					return w
				}
			}
		}
	}
	for _, apply := range r.plain {
		if w := apply(x, in); w != 0 {
			return w
		}
	}
	return 0
}

// compute folds an instruction on constants, unless it traps or a NaN takes part whose
// payload may differ from machine to machine.
func (x *folder) compute(in ssa.Inst, a, b uint64) ssa.Value {
	from := x.typ(in.A)
	if from == abi.V128 || in.Type == abi.V128 {
		return 0
	}
	res, trap, ok := ssa.Scalar(in.Op, in.Type, from, a, b)
	if !ok || trap != 0 {
		return 0
	}
	switch in.Op {
	case ssa.OpFAbs, ssa.OpFNeg, ssa.OpFCopysign, ssa.OpBitcast: // exact on bits
	default:
		if isNaN(in.Type, res) {
			return 0
		}
	}
	return x.f.Const(in.Type, res)
}

func isNaN(t abi.Type, bits uint64) bool {
	switch t {
	case abi.F32:
		return bits&0x7fffffff > 0x7f800000
	case abi.F64:
		return bits&math.MaxInt64 > 0x7ff0000000000000
	}
	return false
}

// become rewrites the instruction at hand in place, its type and place unchanged.
func (x *folder) become(op ssa.Op, operands ...ssa.Value) ssa.Value {
	in := &x.f.Insts[x.v]
	var args [3]uint32
	for i, v := range operands {
		args[i] = uint32(v)
	}
	*in = ssa.NewInst(op, in.Type, args[0], args[1], args[2])
	return x.v
}

// emit makes a new instruction before the one at hand and gives what it is simplified to.
func (x *folder) emit(op ssa.Op, t abi.Type, a, b ssa.Value) ssa.Value {
	v := x.v
	n := x.f.NewValue(op, t, uint32(a), uint32(b), 0, x.f.Pos[v])
	w := n
	if x.depth < maxDepth {
		x.depth++
		w = x.rewrite(n)
		x.depth--
	}
	if w == n {
		x.order = append(x.order, n)
	} else {
		x.f.Insts[n] = ssa.Nop()
	}
	x.v = v
	return w
}

func (x *folder) inst(v uint32) ssa.Inst { return x.f.Insts[v] }

func (x *folder) typ(v uint32) abi.Type { return x.f.Insts[v].Type }

// num reports whether v is a constant of up to 64 bits, and its bits.
func (x *folder) num(v uint32) (uint64, bool) { return x.f.IsConst(ssa.Value(v)) }

// is reports whether v is made by op, and gives the instruction.
func (x *folder) is(v uint32, op ssa.Op) (ssa.Inst, bool) {
	in := x.f.Insts[v]
	return in, in.Op == op
}

// withNum reports whether v is made by op with a constant as operand B.
func (x *folder) withNum(v uint32, op ssa.Op) (in ssa.Inst, c uint64, ok bool) {
	in = x.f.Insts[v]
	if in.Op == op {
		c, ok = x.num(in.B)
	}
	return in, c, ok
}

func (x *folder) constant(t abi.Type, bits uint64) ssa.Value { return x.f.Const(t, bits) }

func (x *folder) truth(b bool) ssa.Value {
	if b {
		return x.f.Const(abi.I32, 1)
	}
	return x.f.Const(abi.I32, 0)
}

// width is the number of bits of an integer type.
func width(t abi.Type) uint64 {
	if t == abi.I32 {
		return 32
	}
	return 64
}

// ones has all bits of an integer type set.
func ones(t abi.Type) uint64 { return math.MaxUint64 >> (64 - width(t)) }

// signed is the number that the bits of an integer type stand for.
func signed(t abi.Type, bits uint64) int64 {
	if t == abi.I32 {
		return int64(int32(bits))
	}
	return int64(bits)
}

// maxMaskDepth bounds how far mask looks.
const maxMaskDepth = 5

// mask has a bit set wherever integer v may have one. As a number it is an upper bound of v.
func (x *folder) mask(v uint32) uint64 { return x.maskTo(v, maxMaskDepth) }

func (x *folder) maskTo(v uint32, depth int) uint64 {
	in := x.f.Insts[v]
	all := ones(in.Type)
	if depth == 0 {
		return all
	}
	depth--
	switch in.Op {
	case ssa.OpConst:
		return in.ConstBits()
	case ssa.OpAnd:
		return x.maskTo(in.A, depth) & x.maskTo(in.B, depth)
	case ssa.OpOr, ssa.OpXor:
		return x.maskTo(in.A, depth) | x.maskTo(in.B, depth)
	case ssa.OpSelect:
		return x.maskTo(in.B, depth) | x.maskTo(in.C, depth)
	case ssa.OpZext, ssa.OpWrap:
		return x.maskTo(in.A, depth) & math.MaxUint32
	case ssa.OpShl:
		if k, ok := x.num(in.B); ok {
			return x.maskTo(in.A, depth) << (k % width(in.Type)) & all
		}
	case ssa.OpShrU:
		m := x.maskTo(in.A, depth)
		if k, ok := x.num(in.B); ok {
			return m >> (k % width(in.Type))
		}
		return below(m)
	case ssa.OpAdd: // no carry beyond the bit above both
		if m := below(x.maskTo(in.A, depth) | x.maskTo(in.B, depth)); m <= all>>1 {
			return m<<1 | 1
		}
	case ssa.OpRemU:
		return below(x.maskTo(in.A, depth))
	case ssa.OpDivU:
		return below(x.maskTo(in.A, depth))
	case ssa.OpClz, ssa.OpCtz, ssa.OpPopcnt:
		return 2*width(in.Type) - 1
	case ssa.OpLoad8U:
		return math.MaxUint8
	case ssa.OpLoad16U:
		return math.MaxUint16
	case ssa.OpLoad32U:
		return math.MaxUint32
	default:
		if in.Op.Is(ssa.PropCompare) {
			return 1
		}
	}
	return all
}

// below has all bits set up to the highest one of m.
func below(m uint64) uint64 { return math.MaxUint64 >> bits.LeadingZeros64(m) }

// isBool reports whether v is 0 or 1.
func (x *folder) isBool(v uint32) bool { return x.mask(v) <= 1 }
