package opt

import (
	"math"
	"slices"

	"github.com/wasmaot/wasmaot/compiler/abi"
	"github.com/wasmaot/wasmaot/compiler/ssa"
)

// wide recognises arithmetic on more than 64 bits that was written out because WebAssembly has no
// instruction for it: the high half of a product from four products of halves, and carries and
// borrows from the operands' and the result's highest bits. These are the expansions of package
// math/bits, which compilers inline, and of C's runtime library.
//
// Each match begins at one root and looks at a bounded number of instructions. It proves the identity for
// the very values it finds, so that whatever else was computed on the way stays as it is.
func wide(f *ssa.Func, s *Scratch) {
	w := &s.wide
	w.x = folder{f: f, rules: &simplifications}
	w.made, w.owner, w.either = w.made[:0], w.owner[:0], w.either[:0]
	for _, b := range f.RPO {
		bd := &f.Blocks[b]
		if isSeldom(bd) {
			continue
		}
		for _, v := range f.OrderOf(bd) {
			switch in := &f.Insts[v]; {
			case in.Type != abi.I64:
			case in.Op == ssa.OpAdd:
				w.product(v)
			case in.Op == ssa.OpShrU:
				if c, ok := f.IsConst(ssa.Value(in.B)); ok && c == 63 {
					w.carryOrBorrow(v)
				}
			}
		}
	}
	if len(w.made) > 0 {
		w.insert(s)
	}
	w.x.f = nil
}

type widener struct {
	x      folder      // for what it knows of values
	made   []insertion // in the order of the walk
	either []ssa.Value // sums of two bits of which one is 0
	owner  []ssa.Block // by parameter; empty until asked for
}

// insertion is an instruction to be placed before another one.
type insertion struct{ v, before ssa.Value }

// insert puts what was made into the order.
func (w *widener) insert(s *Scratch) {
	f, order, made := w.x.f, s.order[:0], w.made
	for _, b := range f.RPO {
		bd := &f.Blocks[b]
		start := uint32(len(order))
		for _, v := range f.OrderOf(bd) {
			for ; len(made) > 0 && made[0].before == v; made = made[1:] {
				order = append(order, made[0].v)
			}
			order = append(order, v)
		}
		bd.InstStart, bd.InstEnd = start, uint32(len(order))
	}
	f.Order, s.order = order, f.Order
}

// emit makes an I32 before the root.
func (w *widener) emit(root ssa.Value, op ssa.Op, a, b uint32) uint32 {
	return w.emitAs(abi.I32, root, op, a, b)
}

func (w *widener) emitAs(t abi.Type, root ssa.Value, op ssa.Op, a, b uint32) uint32 {
	v := w.x.f.NewValue(op, t, a, b, 0, w.x.f.Pos[root])
	w.made = append(w.made, insertion{v, root})
	return uint32(v)
}

// product makes v, if it is the high half of x * y, that:
//
//	t  = x1*y0 + x0*y0>>32
//	w  = x0*y1 + t0
//	hi = x1*y1 + t>>32 + w>>32
//
// where 0 and 1 stand for low and high halves.
func (w *widener) product(v ssa.Value) {
	f := w.x.f
	in := f.Insts[v]
	for range 2 {
		if sum, ok := w.x.is(in.A, ssa.OpAdd); ok {
			leaves := [3]uint32{sum.A, sum.B, in.B}
			for i := range leaves {
				p, t, u := leaves[i], leaves[(i+1)%3], leaves[(i+2)%3]
				if w.highProduct(v, p, t, u) || w.highProduct(v, p, u, t) {
					return
				}
			}
		}
		in.A, in.B = in.B, in.A
	}
}

// highProduct rewrites v if p is x1*y1, t and u are the shifted sums t and w of product.
func (w *widener) highProduct(v ssa.Value, p, t, u uint32) bool {
	pIn, ok1 := w.x.is(p, ssa.OpMul)
	t, ok2 := w.shiftedHalf(t)
	u, ok3 := w.shiftedHalf(u)
	if !ok1 || !ok2 || !ok3 {
		return false
	}
	low, x1y0, ok := w.sumWithProduct(t, func(a uint32) bool { _, ok := w.shiftedHalf(a); return ok })
	if !ok {
		return false
	}
	_, x0y1, ok := w.sumWithProduct(u, func(a uint32) bool { return w.isLow(a, t) })
	if !ok {
		return false
	}
	low, _ = w.shiftedHalf(low)
	x0y0, ok := w.x.is(low, ssa.OpMul)
	if !ok {
		return false
	}
	x, okX := w.shiftedHalf(pIn.A)
	y, okY := w.shiftedHalf(pIn.B)
	if okX && !okY {
		// The other factor is a constant of which the halves are known.
		c1, is1 := w.x.num(pIn.B)
		c0, is0 := w.x.num(x0y0.B)
		if !is1 || !is0 || c1|c0 > math.MaxUint32 {
			return false
		}
		y, okY = uint32(w.x.f.Const(abi.I64, c1<<32|c0)), true
	}
	if !okX || !okY {
		return false
	}
	for range 2 {
		if w.halves(x1y0, x, w.isHigh, y, w.isLow) && w.halves(x0y1, x, w.isLow, y, w.isHigh) && w.halves(x0y0, x, w.isLow, y, w.isLow) {
			w.x.f.Insts[v] = ssa.NewInst(ssa.OpMulHiU, abi.I64, x, y, 0)
			return true
		}
		x, y = y, x
	}
	return false
}

// shiftedHalf reports whether v is the high half of a value, and gives that.
func (w *widener) shiftedHalf(v uint32) (uint32, bool) {
	in, c, ok := w.x.withNum(v, ssa.OpShrU)
	return in.A, ok && c == 32 && in.Type == abi.I64
}

// sumWithProduct reports whether v is the sum of a product and of a value that is as it should.
func (w *widener) sumWithProduct(v uint32, should func(uint32) bool) (other uint32, product ssa.Inst, ok bool) {
	sum, ok := w.x.is(v, ssa.OpAdd)
	if !ok {
		return 0, product, false
	}
	for range 2 {
		if product, ok = w.x.is(sum.A, ssa.OpMul); ok && should(sum.B) {
			return sum.B, product, true
		}
		sum.A, sum.B = sum.B, sum.A
	}
	return 0, product, false
}

// isHigh reports whether v is the high half of x.
func (w *widener) isHigh(v, x uint32) bool {
	if c, ok := w.x.num(x); ok {
		half, ok := w.x.num(v)
		return ok && half == c>>32
	}
	of, ok := w.shiftedHalf(v)
	return ok && of == x
}

// isLow reports whether v is the low half of x, zero-extended.
func (w *widener) isLow(v, x uint32) bool {
	if c, ok := w.x.num(x); ok {
		half, ok := w.x.num(v)
		return ok && half == c&math.MaxUint32
	}
	if in, c, ok := w.x.withNum(v, ssa.OpAnd); ok {
		return in.A == x && c == math.MaxUint32
	}
	in, ok := w.x.is(v, ssa.OpZext)
	if !ok {
		return false
	}
	in, ok = w.x.is(in.A, ssa.OpWrap)
	return ok && in.A == x
}

// halves reports whether the operands are a half of x and a half of y, in any order.
func (w *widener) halves(product ssa.Inst, x uint32, ofX func(v, x uint32) bool, y uint32, ofY func(v, x uint32) bool) bool {
	return ofX(product.A, x) && ofY(product.B, y) || ofX(product.B, x) && ofY(product.A, y)
}

// carryOrBorrow makes v comparisons if it is the highest bit of
//
//	x&y | (x|y)&^sum    for sum = x + y + c, or
//	^x&y | ^(x^y)&diff  for diff = x - y - c
//
// where c is 0, left out, or 1.
func (w *widener) carryOrBorrow(v ssa.Value) {
	or, ok := w.x.is(w.x.f.Insts[v].A, ssa.OpOr)
	if !ok {
		return
	}
	for range 2 {
		first, ok1 := w.x.is(or.A, ssa.OpAnd)
		second, ok2 := w.x.is(or.B, ssa.OpAnd)
		if !ok1 || !ok2 {
			return
		}
		for range 2 {
			if w.carry(v, first, second.A, second.B) || w.carry(v, first, second.B, second.A) ||
				w.borrow(v, first.A, first.B, second.A, second.B) || w.borrow(v, first.A, first.B, second.B, second.A) {
				return
			}
			first.A, first.B = first.B, first.A
		}
		or.A, or.B = or.B, or.A
	}
}

// not reports whether v is ^x, and gives x.
func (w *widener) not(v uint32) (uint32, bool) {
	in, c, ok := w.x.withNum(v, ssa.OpXor)
	return in.A, ok && c == math.MaxUint64
}

func (w *widener) carry(v ssa.Value, both ssa.Inst, either, notSum uint32) bool {
	x, y := both.A, both.B
	or, ok1 := w.x.is(either, ssa.OpOr)
	s, ok2 := w.not(notSum)
	if !ok1 || !ok2 || !(or.A == x && or.B == y || or.A == y && or.B == x) {
		return false
	}
	sum, ok := w.x.is(s, ssa.OpAdd)
	if !ok {
		return false
	}
	if sum.A == x && sum.B == y || sum.A == y && sum.B == x {
		w.become(v, w.emit(v, ssa.OpLtU, s, x))
		return true
	}
	for range 2 {
		if part, ok := w.x.is(sum.A, ssa.OpAdd); ok {
			if c, ok := third([3]uint32{part.A, part.B, sum.B}, x, y); ok && w.isBit(c) {
				inner := w.emit(v, ssa.OpLtU, sum.A, part.A)
				outer := w.emit(v, ssa.OpLtU, s, sum.B)
				w.becomeEither(v, inner, outer)
				return true
			}
		}
		sum.A, sum.B = sum.B, sum.A
	}
	return false
}

// third reports whether x and y are among three values, and gives the other one.
func third(of [3]uint32, x, y uint32) (uint32, bool) {
	for i := range of {
		if a, b := of[(i+1)%3], of[(i+2)%3]; a == x && b == y || a == y && b == x {
			return of[i], true
		}
	}
	return 0, false
}

func (w *widener) borrow(v ssa.Value, notX, y, notDiffers, d uint32) bool {
	x, ok1 := w.not(notX)
	differs, ok2 := w.not(notDiffers)
	if !ok1 || !ok2 {
		return false
	}
	xor, ok3 := w.x.is(differs, ssa.OpXor)
	diff, ok4 := w.x.is(d, ssa.OpSub)
	if !ok3 || !ok4 || !(xor.A == x && xor.B == y || xor.A == y && xor.B == x) {
		return false
	}
	if diff.A == x && diff.B == y {
		w.become(v, w.emit(v, ssa.OpLtU, x, y))
		return true
	}
	if part, ok := w.x.is(diff.A, ssa.OpSub); !ok || part.A != x || part.B != y || !w.isBit(diff.B) {
		return false
	}
	inner := w.emit(v, ssa.OpLtU, x, y)
	outer := w.emit(v, ssa.OpLtU, diff.A, diff.B)
	w.becomeEither(v, inner, outer)
	return true
}

// become makes v the I32 bit, zero-extended.
func (w *widener) become(v ssa.Value, bit uint32) {
	w.x.f.Insts[v] = ssa.NewInst(ssa.OpZext, abi.I64, bit, 0, 0)
}

// becomeEither makes v the sum of two I32 bits of which only one is 1: to add the second costs less than to make it a number first.
func (w *widener) becomeEither(v ssa.Value, inner, outer uint32) {
	a, b := w.emitAs(abi.I64, v, ssa.OpZext, inner, 0), w.emitAs(abi.I64, v, ssa.OpZext, outer, 0)
	w.x.f.Insts[v] = ssa.NewInst(ssa.OpAdd, abi.I64, a, b, 0)
	w.either = append(w.either, v)
}

// isBit reports whether v is 0 or 1, if it is a parameter by what arrives there.
func (w *widener) isBit(v uint32) bool {
	f := w.x.f
	in := &f.Insts[v]
	if in.Op != ssa.OpParam {
		return w.isBool(v)
	}
	if len(w.owner) == 0 {
		w.owner = sized(w.owner, len(f.Insts))
		for _, b := range f.RPO {
			for _, p := range f.ParamsOf(&f.Blocks[b]) {
				w.owner[p] = b
			}
		}
	}
	preds := f.PredsOf(&f.Blocks[w.owner[v]])
	if len(preds) == 0 || len(preds) > maxBitPreds {
		return false
	}
	for _, e := range preds {
		if a := uint32(f.ArgsOf(&f.Edges[e])[in.A]); a != v && !w.isBool(a) {
			return false
		}
	}
	return true
}

// isBool reports whether v is 0 or 1; the sums made here last are known to be.
func (w *widener) isBool(v uint32) bool {
	latest := w.either[max(0, len(w.either)-maxEither):]
	return w.x.isBool(v) || slices.Contains(latest, ssa.Value(v))
}

// maxEither bounds how many sums isBool looks at.
const maxEither = 16

// maxBitPreds bounds how many edges isBit looks at.
const maxBitPreds = 8
