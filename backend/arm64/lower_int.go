package arm64

import (
	"math/bits"

	"github.com/wasmaot/wasmaot/backend/isel"
	"github.com/wasmaot/wasmaot/backend/regalloc"
	"github.com/wasmaot/wasmaot/compiler/abi"
	"github.com/wasmaot/wasmaot/compiler/ssa"
)

// constant gives the bits of v as a signed number of the size.
func (l *lowerer) constant(v ssa.Value, size uint8) (int64, bool) {
	c, ok := l.F.IsConst(v)
	if !ok || l.F.Insts[v].Type.IsFloat() {
		return 0, false
	}
	return isel.Signed(c, min(max(size, 4), 8)), true
}

// arithImm gives v as an immediate of additions and subtractions.
func (l *lowerer) arithImm(v ssa.Value, size uint8) (int64, bool) {
	c, ok := l.constant(v, size)
	return c, ok && AddImm(c)
}

// logicImm gives v as an immediate of bitwise operations.
func (l *lowerer) logicImm(v ssa.Value, size uint8) (int64, bool) {
	c, ok := l.constant(v, size)
	return c, ok && LogicImm(size, c)
}

// constCount is the count of a shift by a constant.
func (l *lowerer) constCount(in *ssa.Inst) (uint8, bool) {
	c, ok := l.F.IsConst(ssa.Value(in.B))
	return uint8(c & (uint64(in.Type.Size())*8 - 1)), ok
}

// machineShifts are the shifts of second operands.
var machineShifts = [ssa.OpCount]struct {
	ok    bool
	shift Shift
}{ssa.OpShl: {true, ShLSL}, ssa.OpShrU: {true, ShLSR}, ssa.OpShrS: {true, ShASR}}

// shifted makes v, a shift by a constant for this use alone, part of its user.
func (l *lowerer) shifted(v ssa.Value, size uint8) (source, bool) {
	in := &l.F.Insts[v]
	s := machineShifts[in.Op]
	if !s.ok || !l.Only(v) || uint8(in.Type.Size()) != size && (in.Op != ssa.OpShl || uint8(in.Type.Size()) < size) {
		return source{}, false
	}
	n, ok := l.constCount(in)
	if !ok || n >= size*8 {
		return source{}, false
	}
	return source{form: formShift, ext: uint8(s.shift), disp: int32(n), a: l.Use(ssa.Value(in.A))}, true
}

// extensions are the sign extensions of second operands.
var extensions = [ssa.OpCount]struct {
	ok  bool
	ext Ext
}{ssa.OpSext: {true, ExtSXTW}, ssa.OpSext32: {true, ExtSXTW}, ssa.OpSext16: {true, ExtSXTH}, ssa.OpSext8: {true, ExtSXTB}}

// maxExtShift is the count by which an extended operand may be shifted.
const maxExtShift = 4

// extended makes v, an extension for this use alone, maybe shifted, part of an addition, subtraction or comparison.
func (l *lowerer) extended(v ssa.Value, size uint8) (source, bool) {
	in := &l.F.Insts[v]
	n := uint8(0)
	if in.Op == ssa.OpShl && l.Only(v) {
		var ok bool
		if n, ok = l.constCount(in); !ok || n > maxExtShift {
			return source{}, false
		}
		v = ssa.Value(in.A)
		in = &l.F.Insts[v]
	}
	if uint8(in.Type.Size()) != size || !l.Only(v) {
		return source{}, false
	}
	x := extensions[in.Op]
	if in.Op == ssa.OpAnd {
		c, ok := l.F.IsConst(ssa.Value(in.B))
		x.ok = ok && (c == 0xff || c == 0xffff)
		x.ext = ExtUXTB
		if c == 0xffff {
			x.ext = ExtUXTH
		}
	}
	if !x.ok {
		return source{}, false
	}
	return source{form: formExt, ext: uint8(x.ext), disp: int32(n), a: l.Use(ssa.Value(in.A))}, true
}

// arithSource is v as the second operand of an addition, subtraction or comparison.
func (l *lowerer) arithSource(v ssa.Value, size uint8) source {
	if c, ok := l.arithImm(v, size); ok {
		return immSource(c)
	}
	if s, ok := l.extended(v, size); ok {
		return s
	}
	if s, ok := l.shifted(v, size); ok {
		return s
	}
	return regSource(l.Use(v))
}

// logicSource is v as the second operand of a bitwise operation.
func (l *lowerer) logicSource(v ssa.Value, size uint8) source {
	if c, ok := l.logicImm(v, size); ok {
		return immSource(c)
	}
	if s, ok := l.shifted(v, size); ok {
		return s
	}
	return regSource(l.Use(v))
}

// folds reports whether v is better the second operand of an operation than the first.
func (l *lowerer) folds(v ssa.Value) bool {
	in := &l.F.Insts[v]
	if in.Op == ssa.OpConst {
		return true
	}
	if !l.Only(v) {
		return false
	}
	if machineShifts[in.Op].ok {
		_, ok := l.constCount(in)
		return ok
	}
	return extensions[in.Op].ok
}

// ordered gives the operands of a commutative operation, that which may be part of the instruction last.
func (l *lowerer) ordered(in *ssa.Inst) (a, b ssa.Value) {
	a, b = ssa.Value(in.A), ssa.Value(in.B)
	if !l.folds(b) && l.folds(a) {
		a, b = b, a
	}
	return a, b
}

// plainTwo makes v = A op B of registers.
func (l *lowerer) plainTwo(v ssa.Value, in *ssa.Inst, op Op) {
	a, b := l.Use(ssa.Value(in.A)), l.Use(ssa.Value(in.B))
	s := regSource(b)
	l.two(op, l.SizeOf(v), l.Result(v), a, &s)
}

// unary makes v = op A.
func (l *lowerer) unary(v ssa.Value, in *ssa.Inst, op Op) {
	l.one(tOne, op, l.SizeOf(v), l.Result(v), l.Use(ssa.Value(in.A)))
}

// isMul reports whether v is a product for this use alone that is better made with what is done to it.
func (l *lowerer) isMul(v ssa.Value) bool {
	in := &l.F.Insts[v]
	return in.Op == ssa.OpMul && l.Only(v) && in.Type.Size() >= 4 && !l.easyProduct(in)
}

// easyProduct reports whether a product is a shift or an addition.
func (l *lowerer) easyProduct(in *ssa.Inst) bool {
	c, ok := l.constant(ssa.Value(in.B), uint8(in.Type.Size()))
	return ok && c > 0 && (c&(c-1) == 0 || (c-1)&(c-2) == 0)
}

// mulAdd makes v = acc ± product.
func (l *lowerer) mulAdd(v ssa.Value, acc, product ssa.Value, op, long Op) {
	size := l.SizeOf(v)
	in := &l.F.Insts[product]
	x := l.Use(acc)
	if a, b, ok := l.longFactors(in, size); ok {
		l.three(long, size, l.Result(v), a, b, x)
		return
	}
	l.three(op, size, l.Result(v), l.Use(ssa.Value(in.A)), l.Use(ssa.Value(in.B)), x)
}

// longFactors gives the factors of a 64-bit product of two sign-extended numbers.
func (l *lowerer) longFactors(in *ssa.Inst, size uint8) (a, b regalloc.VReg, ok bool) {
	x, y := &l.F.Insts[in.A], &l.F.Insts[in.B]
	if size != 8 || in.Type != abi.I64 || x.Op != ssa.OpSext || y.Op != ssa.OpSext {
		return 0, 0, false
	}
	return l.Use(ssa.Value(x.A)), l.Use(ssa.Value(y.A)), true
}

func (l *lowerer) add(v ssa.Value, in *ssa.Inst, op Op) {
	size := l.SizeOf(v)
	a, b := l.ordered(in)
	switch {
	case l.addBit(v, a, b) || l.addBit(v, b, a):
		return
	case l.isMul(b):
		l.mulAdd(v, a, b, MADD, SMADDL)
		return
	case l.isMul(a):
		l.mulAdd(v, b, a, MADD, SMADDL)
		return
	}
	s := l.arithSource(b, size)
	l.two(op, size, l.Result(v), l.Use(a), &s)
}

func (l *lowerer) sub(v ssa.Value, in *ssa.Inst, op Op) {
	size := l.SizeOf(v)
	a, b := ssa.Value(in.A), ssa.Value(in.B)
	if c, ok := l.constant(a, size); ok && c == 0 {
		s, ok := l.shifted(b, size)
		if !ok {
			s = regSource(l.Use(b))
		}
		l.two(SUB, size, l.Result(v), 0, &s)
		return
	}
	if l.isMul(b) {
		l.mulAdd(v, a, b, MSUB, SMSUBL)
		return
	}
	s := l.arithSource(b, size)
	l.two(op, size, l.Result(v), l.Use(a), &s)
}

// addBit makes v = a + bit, where the bit is a comparison made for that alone.
func (l *lowerer) addBit(v, a, bit ssa.Value) bool {
	if l.F.Insts[bit].Op == ssa.OpZext && l.Info[bit].Uses == 1 {
		bit = ssa.Value(l.F.Insts[bit].A)
	}
	if !l.Only(bit) || !l.F.Insts[bit].Op.Is(ssa.PropCompare) {
		return false
	}
	c := l.compare(bit, false)
	sum := l.Use(a)
	inst := l.Put(tSelect, 0)
	inst.Aux = auxInc
	l.Def(l.Result(v))
	l.Arg(sum)
	l.Arg(sum)
	c.cond ^= 1 // CSINC increments if not
	l.attachCompare(inst, &c)
	if l.SizeOf(v) == 8 {
		inst.Aux |= auxWide
	}
	return true
}

func (l *lowerer) mul(v ssa.Value, in *ssa.Inst, op Op) {
	size := l.SizeOf(v)
	a, b := ssa.Value(in.A), ssa.Value(in.B)
	if _, ok := l.F.IsConst(a); ok {
		a, b = b, a
	}
	if c, ok := l.constant(b, size); ok {
		l.ArithImm(isel.Mul, size, l.Result(v), l.Use(a), c)
		return
	}
	if x, y, ok := l.longFactors(in, size); ok {
		l.three(SMADDL, size, l.Result(v), x, y, 0)
		return
	}
	s := regSource(l.Use(b))
	l.two(op, size, l.Result(v), l.Use(a), &s)
}

// lowMask reports whether c is a mask of its n low bits.
func lowMask(c uint64) (n uint8, ok bool) {
	n = uint8(bits.Len64(c))
	return n, c != 0 && c&(c+1) == 0
}

func (l *lowerer) and(v ssa.Value, in *ssa.Inst, op Op) {
	a, b := ssa.Value(in.A), ssa.Value(in.B)
	if _, ok := l.F.IsConst(a); ok {
		a, b = b, a
	}
	size := l.SizeOf(v)
	c, ok := l.F.IsConst(b)
	if !ok {
		l.logic(v, in, op)
		return
	}
	if size == 4 {
		c = uint64(uint32(c))
	}
	if n, ok := lowMask(c); ok && l.extract(v, a, n, size) {
		return
	}
	if c>>32 == 0 {
		size = 4 // what remains is in the lower half
	}
	if c == 1<<32-1 {
		l.Extend(l.Result(v), l.Use(a))
		return
	}
	s := regSource(0)
	if signed := isel.Signed(c, size); LogicImm(size, signed) {
		s = immSource(signed)
	} else {
		s.a = l.Rematerialised(regalloc.ClassInt, int64(c))
	}
	l.two(op, size, l.Result(v), l.Use(a), &s)
}

// extract makes v the n bits of a >> constant for this use alone.
func (l *lowerer) extract(v, a ssa.Value, n, size uint8) bool {
	x := &l.F.Insts[a]
	if x.Op != ssa.OpShrU && x.Op != ssa.OpShrS || !l.Only(a) || uint8(x.Type.Size()) != size {
		return false
	}
	lsb, ok := l.constCount(x)
	if !ok || lsb+n > size*8 {
		return false
	}
	l.field(UBFM, size, l.Result(v), l.Use(ssa.Value(x.A)), lsb, lsb+n-1)
	return true
}

// complements has the operation with the complement of the second operand.
var complements = [...]Op{AND: BIC, ORR: ORN, EOR: EON}

// complement gives x of x ^ -1 made for this use alone.
func (l *lowerer) complement(v ssa.Value, size uint8) (ssa.Value, bool) {
	in := &l.F.Insts[v]
	if in.Op != ssa.OpXor || !l.Only(v) {
		return 0, false
	}
	c, ok := l.constant(ssa.Value(in.B), size)
	return ssa.Value(in.A), ok && c == -1
}

// logic makes a bitwise operation.
func (l *lowerer) logic(v ssa.Value, in *ssa.Inst, op Op) {
	size := l.SizeOf(v)
	a, b := l.ordered(in)
	if c, ok := l.constant(b, size); ok && op == EOR && c == -1 {
		s, ok := l.shifted(a, size)
		if !ok {
			s = regSource(l.Use(a))
		}
		l.two(ORN, size, l.Result(v), 0, &s)
		return
	}
	if op == ORR && l.double(v, in, size) {
		return
	}
	x, ok := l.complement(b, size)
	if !ok {
		if x, ok = l.complement(a, size); ok {
			a, b = b, a
		}
	}
	var s source
	if ok {
		op = complements[op]
		if s, ok = l.shifted(x, size); !ok {
			s = regSource(l.Use(x))
		}
	} else {
		s = l.logicSource(b, size)
	}
	l.two(op, size, l.Result(v), l.Use(a), &s)
}

// double makes a<<n | b>>(width-n).
func (l *lowerer) double(v ssa.Value, in *ssa.Inst, size uint8) bool {
	a, b := ssa.Value(in.A), ssa.Value(in.B)
	if l.F.Insts[a].Op == ssa.OpShrU {
		a, b = b, a
	}
	x, y := &l.F.Insts[a], &l.F.Insts[b]
	if x.Op != ssa.OpShl || y.Op != ssa.OpShrU || !l.Only(a) || !l.Only(b) || uint8(x.Type.Size()) != size {
		return false
	}
	m, ok1 := l.constCount(x)
	n, ok2 := l.constCount(y)
	if !ok1 || !ok2 || m+n != size*8 {
		return false
	}
	high, low := l.Use(ssa.Value(x.A)), l.Use(ssa.Value(y.A))
	l.one(tExtract, NoOp, size, l.Result(v), high).Imm = int64(n)
	l.Arg(low)
	return true
}

func (l *lowerer) shift(v ssa.Value, in *ssa.Inst, op Op) {
	size := l.SizeOf(v)
	a := ssa.Value(in.A)
	n, ok := l.constCount(in)
	if !ok {
		s := regSource(l.Use(l.ShiftCount(ssa.Value(in.B), size)))
		l.two(op, size, l.Result(v), l.Use(a), &s)
		return
	}
	if l.shiftField(v, in, n, size) {
		return
	}
	s := immSource(int64(n))
	l.two(op, size, l.Result(v), l.Use(a), &s)
}

// shiftField makes a shift of a mask, of another shift or of a sign extension one bit field operation.
func (l *lowerer) shiftField(v ssa.Value, in *ssa.Inst, n, size uint8) bool {
	a := ssa.Value(in.A)
	x := &l.F.Insts[a]
	width := size * 8
	if !l.Only(a) || uint8(x.Type.Size()) != size {
		return false
	}
	switch {
	case x.Op == ssa.OpShl && in.Op != ssa.OpShl: // (y << m) >> n
		m, ok := l.constCount(x)
		if !ok {
			return false
		}
		op := UBFM
		if in.Op == ssa.OpShrS {
			op = SBFM
		}
		l.field(op, size, l.Result(v), l.Use(ssa.Value(x.A)), (n-m)&(width-1), width-1-m)
		return true
	case x.Op == ssa.OpAnd && in.Op == ssa.OpShl: // (y & mask) << n
		c, ok := l.F.IsConst(ssa.Value(x.B))
		if !ok {
			return false
		}
		k, ok := lowMask(c)
		if !ok || n == 0 {
			return false
		}
		l.field(UBFM, size, l.Result(v), l.Use(ssa.Value(x.A)), width-n, min(k, width-n)-1)
		return true
	case x.Op == ssa.OpSext && in.Op == ssa.OpShl && n > 0:
		l.field(SBFM, size, l.Result(v), l.Use(ssa.Value(x.A)), width-n, min(32, width-n)-1)
		return true
	}
	return false
}

func (l *lowerer) rotate(v ssa.Value, in *ssa.Inst, op Op) {
	size := l.SizeOf(v)
	a := l.Use(ssa.Value(in.A))
	if n, ok := l.constCount(in); ok {
		if in.Op == ssa.OpRotl {
			n = -n & (size*8 - 1)
		}
		s := immSource(int64(n))
		l.two(op, size, l.Result(v), a, &s)
		return
	}
	count := l.Use(l.ShiftCount(ssa.Value(in.B), size))
	if in.Op == ssa.OpRotl {
		s := regSource(count)
		count = l.NewVReg(regalloc.ClassInt)
		l.two(SUB, 4, count, 0, &s)
	}
	s := regSource(count)
	l.two(op, size, l.Result(v), a, &s)
}

// ctz counts the zeros at the other end.
func (l *lowerer) ctz(v ssa.Value, in *ssa.Inst, _ Op) {
	size := l.SizeOf(v)
	t := l.NewVReg(regalloc.ClassInt)
	l.one(tOne, RBIT, size, t, l.Use(ssa.Value(in.A)))
	l.one(tOne, CLZ, size, l.Result(v), t)
}

func (l *lowerer) popcnt(v ssa.Value, in *ssa.Inst, _ Op) {
	l.one(tPopcnt, NoOp, l.SizeOf(v), l.Result(v), l.Use(ssa.Value(in.A)))
}

// wrap makes a zero-extended I32; all other wraps are their operands' registers.
func (l *lowerer) wrap(v ssa.Value, in *ssa.Inst, _ Op) {
	l.Extend(l.Result(v), l.Use(ssa.Value(in.A)))
}
