package oracle

import (
	"slices"
	"strings"
	"sync"

	"github.com/wasmaot/wasmaot/compiler/wasm"
)

// opLists has the operators with fixed types, by the type of their result.
type opLists struct {
	pure, loads map[wasm.ValType][]wasm.Opcode
	stores      []wasm.Opcode
}

// operators lists the operators of Wasm 2.0; those that take or leave vectors only with simd.
var operators = func() func(simd bool) *opLists {
	lists := sync.OnceValue(func() *opLists { return listOps(wasm.Features20NoSIMD) })
	withSIMD := sync.OnceValue(func() *opLists { return listOps(wasm.Features20) })
	return func(simd bool) *opLists {
		if simd {
			return withSIMD()
		}
		return lists()
	}
}()

func listOps(features wasm.Features) *opLists {
	l := &opLists{pure: map[wasm.ValType][]wasm.Opcode{}, loads: map[wasm.ValType][]wasm.Opcode{}}
	for op := range wasm.Opcode(opcodes) {
		info := wasm.Info(op)
		if info.Name == "" || info.Feature&^features != 0 || !info.Sig.Fixed() {
			continue
		}
		switch t := info.Sig.Result(); info.Imm {
		case wasm.ImmNone, wasm.ImmLane, wasm.ImmShuffle:
			if t != wasm.Bottom {
				l.pure[t] = append(l.pure[t], op)
			}
		case wasm.ImmMemArg, wasm.ImmMemLane:
			if t != wasm.Bottom {
				l.loads[t] = append(l.loads[t], op)
			} else {
				l.stores = append(l.stores, op)
			}
		}
	}
	return l
}

// usual are the operators that programs mostly consist of.
var usual = map[wasm.ValType][]wasm.Opcode{
	wasm.I32: {wasm.OpI32Add, wasm.OpI32Add, wasm.OpI32Sub, wasm.OpI32Mul, wasm.OpI32And, wasm.OpI32Or, wasm.OpI32Xor, wasm.OpI32Shl, wasm.OpI32ShrU,
		wasm.OpI32ShrS, wasm.OpI32Eqz, wasm.OpI32Eq, wasm.OpI32LtS, wasm.OpI32LtU, wasm.OpI64LtU, wasm.OpI64Eqz, wasm.OpI32WrapI64, wasm.OpI32WrapI64},
	wasm.I64: {wasm.OpI64Add, wasm.OpI64Add, wasm.OpI64Sub, wasm.OpI64Mul, wasm.OpI64And, wasm.OpI64Or, wasm.OpI64Xor, wasm.OpI64Shl, wasm.OpI64ShrU,
		wasm.OpI64ShrS, wasm.OpI64ExtendI32U, wasm.OpI64ExtendI32S, wasm.OpI64Extend32S},
	wasm.F32:  {wasm.OpF32Add, wasm.OpF32Sub, wasm.OpF32Mul, wasm.OpF32Div, wasm.OpF32ConvertI32S, wasm.OpF32DemoteF64},
	wasm.F64:  {wasm.OpF64Add, wasm.OpF64Sub, wasm.OpF64Mul, wasm.OpF64Div, wasm.OpF64ConvertI32S, wasm.OpF64PromoteF32},
	wasm.V128: {wasm.OpI32x4Add, wasm.OpV128Xor, wasm.OpI32x4Splat, wasm.OpI8x16Shuffle},
}

const maxDepth = 6

func (g *funcGen) exprs(types []wasm.ValType, depth int) []*node {
	nodes := make([]*node, len(types))
	for i, t := range types {
		nodes[i] = g.expr(t, depth)
	}
	return nodes
}

// expr leaves one value of a type.
func (g *funcGen) expr(t wasm.ValType, depth int) *node {
	g.budget--
	if depth > maxDepth || g.budget < 0 {
		return g.leaf(t)
	}
	if t.IsRef() {
		return g.reference(t, depth)
	}
	switch n := g.IntN(100); {
	case n < 8:
		if n := g.idiom(t, depth); n != nil {
			return n
		}
	case n < 45:
		return g.operation(t, depth)
	case n < 70:
		return g.leaf(t)
	case n < 78:
		return g.load(t, depth)
	case n < 82:
		if list := g.free[t]; len(list) > 0 {
			return &node{op: wasm.OpLocalTee, a: pick(g.generator, list), types: one(t), args: []*node{g.expr(t, depth+1)}}
		}
	case n < 86:
		return g.selectOf(t, g.expr(t, depth+1), g.expr(t, depth+1), depth)
	case n < 91:
		return g.blockExpr(t, depth)
	case n < 94:
		if n := g.callFor(t, depth); n != nil {
			return n
		}
	case n < 97 && t == wasm.I32:
		return g.question(depth)
	}
	return g.leaf(t)
}

// leaf is a local, a global or a constant.
func (g *funcGen) leaf(t wasm.ValType) *node {
	if list := g.free[t]; len(list) > 0 && !g.chance(3) {
		return getLocal(pick(g.generator, list), t)
	}
	if g.chance(3) {
		i := g.IntN(len(g.p.globals))
		if i != fuelGlobal && g.p.globals[i].typ == t {
			return getGlobal(uint32(i), t)
		}
	}
	return g.constant(t)
}

func (g *funcGen) reference(t wasm.ValType, depth int) *node {
	tables := g.tablesOf(t)
	switch n := g.IntN(10); {
	case n < 2 && t == wasm.FuncRef:
		return &node{op: wasm.OpRefFunc, a: uint32(g.IntN(len(g.p.exported))), types: one(t)}
	case n < 5 && len(tables) > 0:
		table := pick(g.generator, tables)
		return &node{op: wasm.OpTableGet, a: table, types: one(t), args: []*node{g.tableIndex(table, depth)}}
	case n < 6:
		return g.selectOf(t, g.expr(t, depth+1), g.expr(t, depth+1), depth)
	case n < 7:
		return g.blockExpr(t, depth)
	}
	return g.leaf(t)
}

func (g *funcGen) tablesOf(t wasm.ValType) (tables []uint32) {
	for i, table := range g.p.tables {
		if table.Elem == t {
			tables = append(tables, uint32(i))
		}
	}
	return tables
}

// tableIndex is an index of a table, mostly within it.
func (g *funcGen) tableIndex(table uint32, depth int) *node {
	size := uint32(g.p.tables[table].Min)
	switch n := g.IntN(30); {
	case n == 0:
		return i32Const(g.bits32())
	case n == 1 || size == 0:
		return g.expr(wasm.I32, depth+1)
	case n < 15:
		return do(wasm.OpI32RemU, g.expr(wasm.I32, depth+1), i32Const(size))
	}
	return i32Const(g.Uint32N(size))
}

// dirty is a small i32 that was made by cutting off the upper half of something large.
func (g *funcGen) dirty(depth int) *node {
	low := do(wasm.OpI64And, g.expr(wasm.I64, depth+1), i64Const(0xff8))
	return do(wasm.OpI32WrapI64, do(wasm.OpI64Or, do(wasm.OpI64Shl, g.expr(wasm.I64, depth+1), i64Const(32)), low))
}

// handed are values to hand to a function, a block or the caller.
func (g *funcGen) handed(types []wasm.ValType, depth int) []*node {
	nodes := g.exprs(types, depth)
	for i, t := range types {
		if t == wasm.I32 && g.chance(6) {
			nodes[i] = g.dirty(depth)
		}
	}
	return nodes
}

// question is an i32 that tells of the module's state.
func (g *funcGen) question(depth int) *node {
	table := uint32(g.IntN(len(g.p.tables)))
	switch g.IntN(8) {
	case 0, 1:
		return do(wasm.OpMemorySize)
	case 2:
		return do(wasm.OpMemoryGrow, g.growth(maxPages))
	case 3:
		return &node{op: wasm.OpTableSize, a: table, types: one(wasm.I32)}
	case 4:
		if g.quiet {
			return g.leaf(wasm.I32)
		}
		return &node{op: wasm.OpTableGrow, a: table, types: one(wasm.I32), args: []*node{g.expr(g.p.tables[table].Elem, depth+1), g.growth(maxElems + 1)}}
	}
	return &node{op: wasm.OpRefIsNull, types: one(wasm.I32), args: []*node{g.expr(g.p.tables[table].Elem, depth+1)}}
}

// growth is little, or more than there can ever be.
func (g *funcGen) growth(limit uint32) *node {
	return i32Const(pick(g.generator, []uint32{0, 0, 1, 1, 2, limit, 0xffffffff}))
}

// callFor is a call one of whose results is of type t.
func (g *funcGen) callFor(t wasm.ValType, depth int) *node {
	call, typ := g.call(func(f *wasm.FuncType) bool { return slices.Contains(f.Results, t) }, depth)
	if call == nil {
		return nil
	}
	if len(typ.Results) == 1 {
		return call
	}
	keep := slices.Index(typ.Results, t)
	if len(g.free[t]) == 0 {
		g.free[t] = append(g.free[t], g.local(t))
	}
	into := pick(g.generator, g.free[t])
	n := seq(one(t), call)
	n.args = append(n.args, g.drops(len(typ.Results)-1-keep)...)
	n.args = append(n.args, setLocal(into))
	n.args = append(n.args, g.drops(keep)...)
	n.args = append(n.args, getLocal(into, t))
	return n
}

func (g *funcGen) drops(n int) (nodes []*node) {
	for range n {
		nodes = append(nodes, &node{op: wasm.OpDrop})
	}
	return nodes
}

// operation is an operator with its operands.
func (g *funcGen) operation(t wasm.ValType, depth int) *node {
	op := pick(g.generator, operators(g.opts.SIMD).pure[t])
	if g.chance(2) {
		op = pick(g.generator, usual[t])
	}
	info := wasm.Info(op)
	n := g.apply(op, depth)
	if len(n.args) == 2 && info.Sig.Operand(0) == info.Sig.Operand(1) && !shows(op, 1) && g.chance(6) {
		switch x := n.args[0]; {
		case x.op == wasm.OpLocalGet:
			n.args[1] = getLocal(x.a, x.types[0])
		case !strings.Contains(info.Name, "div") && !strings.Contains(info.Name, "rem"):
			n.args[g.IntN(2)] = g.constant(info.Sig.Operand(0))
		}
	}
	switch info.Imm {
	case wasm.ImmLane:
		n.b = g.Uint32N(uint32(info.Lanes))
	case wasm.ImmShuffle:
		for i := range n.vec {
			n.vec[i] = byte(g.IntN(32))
		}
	}
	if t == wasm.V128 && makesNaNs(info.Name) {
		return g.canonical(n)
	}
	return n
}

// operand is operand i of an operator: one that does not make it trap, mostly, and one without a NaN
// whose bits are open where they would show.
func (g *funcGen) operand(op wasm.Opcode, i, depth int) *node {
	info := wasm.Info(op)
	t := info.Sig.Operand(i)
	_, method, _ := strings.Cut(info.Name, ".")
	switch {
	case i == 1 && t.IsNum() && (strings.HasPrefix(method, "div_") || strings.HasPrefix(method, "rem_")) && !g.chance(25):
		return g.divisor(t, depth)
	case strings.HasPrefix(method, "trunc_f") && !g.chance(25):
		return g.smallFloat(t, depth)
	case shows(op, i):
		return g.revealed(g.expr(t, depth))
	}
	return g.expr(t, depth)
}

func (g *funcGen) divisor(t wasm.ValType, depth int) *node {
	or, n := wasm.OpI32Or, i32Const(1)
	if t == wasm.I64 {
		or, n = wasm.OpI64Or, i64Const(1)
	}
	if g.chance(2) {
		if n := g.constant(t); n.bits != 0 {
			return n
		}
	}
	return do(or, g.expr(t, depth), n)
}

// smallFloat is a float that fits into every integer type.
func (g *funcGen) smallFloat(t wasm.ValType, depth int) *node {
	x := do(wasm.OpI32ShrU, g.expr(wasm.I32, depth), i32Const(uint32(g.between(1, 31))))
	if t == wasm.F32 {
		return do(wasm.OpF32ConvertI32U, x)
	}
	if g.chance(2) {
		return do(wasm.OpF64Mul, do(wasm.OpF64ConvertI32U, x), &node{op: wasm.OpF64Const, types: one(wasm.F64), bits: 0x3fe8000000000000})
	}
	return do(wasm.OpF64ConvertI32U, x)
}

// shows tells whether the bits of a NaN in an operand can be seen from the result.
func shows(op wasm.Opcode, i int) bool {
	switch op {
	case wasm.OpI32ReinterpretF32, wasm.OpI64ReinterpretF64, wasm.OpF32x4Splat, wasm.OpF64x2Splat:
		return true
	case wasm.OpF32Copysign, wasm.OpF64Copysign, wasm.OpF32x4ReplaceLane, wasm.OpF64x2ReplaceLane, wasm.OpF32Store, wasm.OpF64Store:
		return i == 1
	}
	return false
}

// makesNaNs tells whether a vector operator may make NaNs of which the specification does not say the bits.
func makesNaNs(name string) bool {
	shape, method, _ := strings.Cut(name, ".")
	if shape != "f32x4" && shape != "f64x2" {
		return false
	}
	switch method {
	case "sqrt", "ceil", "floor", "trunc", "nearest", "add", "sub", "mul", "div", "min", "max", "demote_f64x2_zero", "promote_low_f32x4":
		return true
	}
	return false
}

// revealed is an expression whose NaNs have known bits.
func (g *funcGen) revealed(n *node) *node {
	switch info := wasm.Info(n.op); {
	case n.op == wasm.OpF32Const, n.op == wasm.OpF64Const, info.Size != 0, strings.Contains(info.Name, ".convert_"), strings.Contains(info.Name, ".reinterpret_"):
		return n
	}
	return g.canonical(n)
}

// canonical replaces NaNs by a fixed one.
func (g *funcGen) canonical(n *node) *node {
	t := n.types[0]
	tmp, ok := g.scratch[t]
	if !ok {
		tmp = g.local(t)
		g.scratch[t] = tmp
	}
	x := func() *node { return getLocal(tmp, t) }
	set := &node{op: wasm.OpLocalTee, a: tmp, types: one(t), args: []*node{n}}
	switch t {
	case wasm.F32:
		nan := &node{op: wasm.OpF32Const, types: one(t), bits: nan32}
		return &node{op: wasm.OpSelect, types: one(t), args: []*node{set, nan, do(wasm.OpF32Eq, x(), x())}}
	case wasm.F64:
		nan := &node{op: wasm.OpF64Const, types: one(t), bits: nan64}
		return &node{op: wasm.OpSelect, types: one(t), args: []*node{set, nan, do(wasm.OpF64Eq, x(), x())}}
	}
	equal, nan := wasm.OpF32x4Eq, splat(32, nan32)
	if name := wasm.Info(n.op).Name; strings.HasPrefix(name, "f64x2") {
		equal, nan = wasm.OpF64x2Eq, splat(64, nan64)
	}
	c := &node{op: wasm.OpV128Const, types: one(t), vec: vectorBytes(nan)}
	return do(wasm.OpV128Bitselect, set, c, do(equal, x(), x()))
}

// blockExpr is a block, loop or if with a result.
func (g *funcGen) blockExpr(t wasm.ValType, depth int) *node {
	n := &node{op: wasm.OpBlock, types: one(t)}
	if g.chance(3) {
		n.params = g.typeList(g.between(1, 3), g.numType)
		n.args = g.exprs(n.params, depth+1)
	}
	switch g.IntN(5) {
	case 0:
		n.op = wasm.OpLoop // without a way back
	case 1, 2:
		n.op, n.hasElse = wasm.OpIf, true
		n.args = append(n.args, g.expr(wasm.I32, depth+1))
	}
	g.fillBlock(n, g.IntN(3), depth)
	return n
}
