package oracle

import "github.com/wasmaot/wasmaot/compiler/wasm"

// intOps names the operators of an integer type that idioms are made of.
type intOps struct {
	width                                  int
	add, sub, mul, and, or, xor            wasm.Opcode
	shl, shrS, shrU, eqz, eq, ne, ltS, geU wasm.Opcode
	divS, divU, remS, remU, constOp        wasm.Opcode
}

var intOpsOf = map[wasm.ValType]*intOps{
	wasm.I32: {32, wasm.OpI32Add, wasm.OpI32Sub, wasm.OpI32Mul, wasm.OpI32And, wasm.OpI32Or, wasm.OpI32Xor,
		wasm.OpI32Shl, wasm.OpI32ShrS, wasm.OpI32ShrU, wasm.OpI32Eqz, wasm.OpI32Eq, wasm.OpI32Ne, wasm.OpI32LtS, wasm.OpI32GeU,
		wasm.OpI32DivS, wasm.OpI32DivU, wasm.OpI32RemS, wasm.OpI32RemU, wasm.OpI32Const},
	wasm.I64: {64, wasm.OpI64Add, wasm.OpI64Sub, wasm.OpI64Mul, wasm.OpI64And, wasm.OpI64Or, wasm.OpI64Xor,
		wasm.OpI64Shl, wasm.OpI64ShrS, wasm.OpI64ShrU, wasm.OpI64Eqz, wasm.OpI64Eq, wasm.OpI64Ne, wasm.OpI64LtS, wasm.OpI64GeU,
		wasm.OpI64DivS, wasm.OpI64DivU, wasm.OpI64RemS, wasm.OpI64RemU, wasm.OpI64Const},
}

// idiom is a combination of operators that compilers know: a chance for rules that see more than one operator. It is nil
// if there is none for the type.
func (g *funcGen) idiom(t wasm.ValType, depth int) *node {
	switch t {
	case wasm.F32:
		return do(wasm.OpF32Neg, g.apply(pick(g.generator, []wasm.Opcode{wasm.OpF32Neg, wasm.OpF32Abs, wasm.OpF32Sub, wasm.OpF32Mul}), depth))
	case wasm.F64:
		return do(wasm.OpF64Neg, g.apply(pick(g.generator, []wasm.Opcode{wasm.OpF64Neg, wasm.OpF64Abs, wasm.OpF64Sub, wasm.OpF64Mul}), depth))
	case wasm.I32, wasm.I64:
	default:
		return nil
	}
	o := intOpsOf[t]
	if len(g.free[t]) == 0 {
		return nil
	}
	local := pick(g.generator, g.free[t])
	x := func() *node { return getLocal(local, t) }
	num := func(n uint64) *node { return &node{op: o.constOp, types: one(t), bits: n} }
	count := func() *node {
		return num(uint64(pick(g.generator, []int{1, 2, 3, 7, 8, 16, 24, 31, 32, 48, 56, 63})))
	}
	shifts := []wasm.Opcode{o.shl, o.shrS, o.shrU}
	chain := []wasm.Opcode{o.add, o.sub, o.mul, o.and, o.or, o.xor, o.shl, o.shrS, o.shrU}
	switch g.IntN(16) {
	case 0: // shift and shift back
		k := count()
		return do(pick(g.generator, shifts), do(pick(g.generator, shifts), x(), k), num(k.bits))
	case 1:
		return do(pick(g.generator, shifts), do(pick(g.generator, shifts), g.expr(t, depth+1), count()), count())
	case 2: // rotation, by a constant or a variable
		k := uint64(g.between(1, o.width-1))
		return do(pick(g.generator, []wasm.Opcode{o.or, o.add, o.xor}), do(o.shl, x(), num(k)), do(o.shrU, x(), num(uint64(o.width)-k)))
	case 3:
		k := pick(g.generator, g.free[t])
		return do(o.or, do(o.shl, x(), getLocal(k, t)), do(o.shrU, x(), do(o.sub, num(uint64(o.width)*uint64(g.IntN(2))), getLocal(k, t))))
	case 4: // chains of constants
		return do(pick(g.generator, chain), do(pick(g.generator, chain), x(), g.constant(t)), g.constant(t))
	case 5:
		return do(pick(g.generator, chain), g.constant(t), do(pick(g.generator, chain), g.constant(t), x()))
	case 6: // by a constant
		n := g.constant(t)
		if n.bits == 0 {
			n.bits = 10
		}
		return do(pick(g.generator, []wasm.Opcode{o.divS, o.divU, o.remS, o.remU, o.mul}), g.expr(t, depth+1), n)
	case 7: // index scaled
		sum := do(o.add, do(o.shl, x(), num(uint64(g.IntN(5)))), g.expr(t, depth+1))
		return do(pick(g.generator, []wasm.Opcode{o.add, o.sub}), sum, num(uint64(g.between(-200, 200))))
	case 8: // the same twice
		return do(pick(g.generator, chain), x(), x())
	case 9:
		return do(pick(g.generator, chain), x(), num(pick(g.generator, []uint64{0, 1, ^uint64(0), 2, 1 << 31, 1<<32 - 1, 1 << 63})))
	case 10:
		return &node{op: wasm.OpSelect, types: one(t), args: []*node{num(uint64(g.IntN(2))), num(uint64(g.IntN(2))), g.truthValue(depth)}}
	case 11: // the smaller, the greater, the magnitude
		y := pick(g.generator, g.free[t])
		less := do(pick(g.generator, []wasm.Opcode{o.ltS, o.geU}), x(), getLocal(y, t))
		return &node{op: wasm.OpSelect, types: one(t), args: []*node{x(), getLocal(y, t), less}}
	}
	if t == wasm.I32 {
		return g.truthValue(depth)
	}
	return g.widened(depth)
}

// apply is an operator with operands.
func (g *funcGen) apply(op wasm.Opcode, depth int) *node {
	n := do(op)
	for i := range wasm.Info(op).Sig.Operands() {
		n.args = append(n.args, g.operand(op, i, depth+1))
	}
	return n
}

// truthValue is a comparison of a kind that rules look into.
func (g *funcGen) truthValue(depth int) *node {
	t := pick(g.generator, []wasm.ValType{wasm.I32, wasm.I64})
	o := intOpsOf[t]
	compare := do(pick(g.generator, []wasm.Opcode{o.eq, o.ne, o.ltS, o.geU}), g.expr(t, depth+1), g.constant(t))
	switch g.IntN(7) {
	case 0:
		return do(wasm.OpI32Eqz, compare)
	case 1:
		return do(wasm.OpI32Eqz, do(wasm.OpI32Eqz, compare))
	case 2:
		return do(wasm.OpI64Eqz, do(wasm.OpI64ExtendI32U, compare))
	case 3:
		return do(o.eqz, do(o.and, g.expr(t, depth+1), g.constant(t)))
	case 4:
		return do(pick(g.generator, []wasm.Opcode{o.eq, o.ne, o.ltS}), do(o.sub, g.expr(t, depth+1), g.expr(t, depth+1)), &node{op: o.constOp, types: one(t)})
	case 5:
		return do(pick(g.generator, []wasm.Opcode{wasm.OpI32And, wasm.OpI32Or, wasm.OpI32Xor, wasm.OpI32Ne}), compare, g.truthOf(depth))
	}
	narrow := do(pick(g.generator, []wasm.Opcode{wasm.OpI64ExtendI32U, wasm.OpI64ExtendI32S}), g.expr(wasm.I32, depth+1))
	return do(pick(g.generator, []wasm.Opcode{wasm.OpI64Eq, wasm.OpI64LtU, wasm.OpI64GtS, wasm.OpI64LeU}), narrow, g.constant(wasm.I64))
}

func (g *funcGen) truthOf(depth int) *node {
	return g.apply(pick(g.generator, []wasm.Opcode{wasm.OpF64Lt, wasm.OpF64Ge, wasm.OpF64Eq, wasm.OpF64Ne}), depth)
}

// widened is arithmetic on numbers of 32 bits in 64.
func (g *funcGen) widened(depth int) *node {
	x := g.expr(wasm.I32, depth+1)
	extend := pick(g.generator, []wasm.Opcode{wasm.OpI64ExtendI32U, wasm.OpI64ExtendI32S})
	switch g.IntN(6) {
	case 0:
		return do(extend, do(wasm.OpI32WrapI64, do(pick(g.generator, usual[wasm.I64][:8]), g.expr(wasm.I64, depth+1), g.constant(wasm.I64))))
	case 1:
		return do(wasm.OpI64And, do(extend, x), i64Const(pick(g.generator, []uint64{0xff, 0xffff, 0xffffffff, 0x7fffffff})))
	case 2:
		return do(wasm.OpI64Mul, do(extend, x), do(extend, g.expr(wasm.I32, depth+1)))
	case 3:
		return do(pick(g.generator, []wasm.Opcode{wasm.OpI64ShrU, wasm.OpI64Shl, wasm.OpI64ShrS}), do(extend, x), i64Const(32))
	case 4:
		return do(extend, g.truthValue(depth))
	}
	return do(pick(g.generator, []wasm.Opcode{wasm.OpI64Extend8S, wasm.OpI64Extend16S, wasm.OpI64Extend32S}), do(extend, x))
}
