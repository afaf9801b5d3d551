package opt

import (
	"math"
	"slices"

	"github.com/wasmaot/wasmaot/compiler/abi"
	"github.com/wasmaot/wasmaot/compiler/ssa"
)

// Operations on the sign bit are exact for NaNs too: |-x| = |x|, ||x|| = |x|
func absSign(x *folder, in ssa.Inst) ssa.Value {
	switch a := x.inst(in.A); a.Op {
	case ssa.OpFAbs:
		return ssa.Value(in.A)
	case ssa.OpFNeg:
		return x.become(ssa.OpFAbs, ssa.Value(a.A))
	}
	return 0
}

// -(-x) = x
func negNeg(x *folder, in ssa.Inst) ssa.Value {
	if a, ok := x.is(in.A, ssa.OpFNeg); ok {
		return ssa.Value(a.A)
	}
	return 0
}

// There and back again.
func bitcastTwice(x *folder, in ssa.Inst) ssa.Value {
	if a, ok := x.is(in.A, ssa.OpBitcast); ok && x.typ(a.A) == in.Type {
		return ssa.Value(a.A)
	}
	return 0
}

func selectConst(x *folder, in ssa.Inst) ssa.Value {
	if c, ok := x.num(in.A); ok {
		if c != 0 {
			return ssa.Value(in.B)
		}
		return ssa.Value(in.C)
	}
	return 0
}

func selectSame(x *folder, in ssa.Inst) ssa.Value {
	if in.B == in.C {
		return ssa.Value(in.B)
	}
	return 0
}

// condition looks through what does not change the truth of an I32, and tells whether
// that turned it around.
func (x *folder) condition(v uint32) (cond ssa.Value, inverted, changed bool) {
	a := x.inst(v)
	if a.Op == ssa.OpEqz && x.typ(a.A) == abi.I32 {
		return ssa.Value(a.A), true, true
	}
	if _, c, ok := x.withNum(v, ssa.OpNe); ok && c == 0 && x.typ(a.A) == abi.I32 {
		return ssa.Value(a.A), false, true
	}
	return 0, false, false
}

func selectInverted(x *folder, in ssa.Inst) ssa.Value {
	cond, inverted, ok := x.condition(in.A)
	switch {
	case !ok:
		return 0
	case inverted:
		return x.become(ssa.OpSelect, cond, ssa.Value(in.C), ssa.Value(in.B))
	}
	return x.become(ssa.OpSelect, cond, ssa.Value(in.B), ssa.Value(in.C))
}

// b ? 1 : 0 = b, b ? 0 : 1 = !b
func selectTruth(x *folder, in ssa.Inst) ssa.Value {
	p, ok := x.num(in.B)
	q, also := x.num(in.C)
	if !ok || !also || p+q != 1 || p > 1 || in.Type.IsFloat() || !x.isBool(in.A) {
		return 0
	}
	cond := ssa.Value(in.A)
	if p == 0 {
		if in.Type == abi.I32 {
			return x.become(ssa.OpEqz, cond)
		}
		cond = x.emit(ssa.OpEqz, abi.I32, cond, 0)
	}
	switch in.Type {
	case abi.I32:
		return cond
	case abi.I64:
		return x.become(ssa.OpZext, cond)
	}
	return 0
}

// A constant index goes into the offset, so that all constant addresses look alike.
func addrConst(x *folder, in ssa.Inst) ssa.Value {
	c, ok := x.num(in.A)
	if !ok || c == 0 || c > math.MaxUint32-uint64(in.B) {
		return 0
	}
	zero := x.constant(x.typ(in.A), 0)
	at := &x.f.Insts[x.v]
	at.A, at.B = uint32(zero), in.B+uint32(c)
	return x.v
}

// terminator simplifies the end of a block.
func (x *folder) terminator(b ssa.Block) {
	f := x.f
	bd := &f.Blocks[b]
	bd.Ctl = resolve(f, bd.Ctl)
	switch bd.Kind {
	case ssa.BlockIf:
		// Selection turns a branch around for nothing; here the function would have to be analysed again.
		for {
			cond, inverted, ok := x.condition(uint32(bd.Ctl))
			if !ok || inverted {
				break
			}
			bd.Ctl = cond
		}
		if c, ok := f.IsConst(bd.Ctl); ok {
			taken := bd.SuccStart
			if c == 0 {
				taken++
			}
			x.jump(bd, taken)
			return
		}
		succs := f.SuccsOf(bd)
		if succs[0].To == succs[1].To && slices.Equal(f.ArgsOf(&succs[0]), f.ArgsOf(&succs[1])) {
			x.jump(bd, bd.SuccStart)
		}
	case ssa.BlockSwitch:
		table := f.TableOf(bd)
		if c, ok := f.IsConst(bd.Ctl); ok {
			x.jump(bd, uint32(table[min(c, uint64(len(table)-1))]))
		} else if bd.SuccEnd-bd.SuccStart == 1 {
			x.jump(bd, bd.SuccStart)
		}
	}
}

func (x *folder) jump(bd *ssa.BlockData, edge uint32) {
	alwaysTake(bd, edge)
	x.changed = true
}

// alwaysTake makes an edge of a block the only one.
func alwaysTake(bd *ssa.BlockData, edge uint32) {
	bd.Kind, bd.Ctl = ssa.BlockJump, 0
	bd.SuccStart, bd.SuccEnd = edge, edge+1
	bd.TabStart, bd.TabEnd = 0, 0
}
