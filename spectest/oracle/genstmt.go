package oracle

import (
	"slices"

	"github.com/wasmaot/wasmaot/compiler/wasm"
)

// fillBlock writes the inside of a block: it takes the parameters, does a few things, and leaves the results.
func (g *funcGen) fillBlock(n *node, count, depth int) {
	l := genLabel{n: n, types: n.types}
	if n.op == wasm.OpLoop {
		l.types = n.params
	}
	g.labels = append(g.labels, l)
	n.body = append(g.take(n.params), g.bodyOf(n.types, count, depth+1)...)
	if n.hasElse {
		n.alt = append(g.take(n.params), g.bodyOf(n.types, g.IntN(3), depth+1)...)
	}
	g.labels = g.labels[:len(g.labels)-1]
}

// bodyOf is a few statements and then the results, or instead of them something that does not come to the end.
func (g *funcGen) bodyOf(results []wasm.ValType, count, depth int) []*node {
	var nodes []*node
	for range count {
		nodes = append(nodes, g.statement(depth))
	}
	if depth > 0 && g.chance(6) {
		return append(nodes, g.leave(depth)...)
	}
	return append(nodes, g.handed(results, depth)...)
}

// leave ends a block by a branch; what comes then is never run.
func (g *funcGen) leave(depth int) []*node {
	var nodes []*node
	switch n := g.IntN(12); {
	case n == 0 && g.chance(3):
		nodes = []*node{{op: wasm.OpUnreachable}}
	case n < 4:
		nodes = []*node{{op: wasm.OpReturn, args: g.handed(g.typ.Results, depth+1)}}
	case n < 6:
		nodes = []*node{g.branchTable(depth)}
	default:
		l := pick(g.generator, g.labels)
		nodes = append(g.prepare(l, depth), &node{op: wasm.OpBr, args: g.exprs(l.types, depth+1), labels: []*node{l.n}})
	}
	if g.chance(5) {
		nodes = append(nodes, g.dead(depth)...)
	}
	return nodes
}

// dead is code behind a branch, where operands may be missing.
func (g *funcGen) dead(depth int) []*node {
	nodes := []*node{g.statement(depth)}
	switch g.IntN(5) {
	case 0:
		nodes = append(nodes, do(wasm.OpI64Add), &node{op: wasm.OpDrop})
	case 1:
		nodes = append(nodes, &node{op: wasm.OpSelect}, &node{op: wasm.OpDrop})
	case 2:
		nodes = append(nodes, &node{op: wasm.OpLocalTee, a: g.free[wasm.I32][0]}, &node{op: wasm.OpDrop})
	case 3:
		nodes = append(nodes, &node{op: wasm.OpUnreachable})
	}
	return nodes
}

// mayBurn burns fuel before a branch to a loop.
func (g *funcGen) mayBurn(labels ...genLabel) []*node {
	for _, l := range labels {
		if l.n != nil && l.n.op == wasm.OpLoop {
			return []*node{g.burn()}
		}
	}
	return nil
}

// statement leaves nothing on the stack.
func (g *funcGen) statement(depth int) *node {
	g.budget--
	if depth > maxDepth || g.budget < 0 {
		return g.assignment(depth)
	}
	switch n := g.IntN(100); {
	case n < 22:
		return g.assignment(depth)
	case n < 35:
		return g.store(depth)
	case n < 38:
		return g.update(depth)
	case n < 45:
		return g.ifStatement(depth)
	case n < 50:
		n := &node{op: wasm.OpBlock, types: g.typeList(g.IntN(3)*g.IntN(2), g.valType)}
		if g.chance(5) {
			n.params = g.typeList(g.between(1, 4), g.valType)
			n.args = g.exprs(n.params, depth+1)
		}
		g.fillBlock(n, g.between(1, 4), depth)
		return seq(nil, append([]*node{n}, g.take(n.types)...)...)
	case n < 60:
		return g.loop(depth)
	case n < 66:
		return g.branchIf(depth)
	case n < 69: // the rest of the block is not dead
		n := &node{op: wasm.OpBlock}
		g.labels = append(g.labels, genLabel{n: n})
		n.body = []*node{g.branchTable(depth)}
		g.labels = g.labels[:len(g.labels)-1]
		return n
	case n < 77:
		return g.callStatement(depth)
	case n < 82:
		return g.machineStatement(depth)
	case n < 87:
		return g.pressure(depth)
	case n < 91: // values stay on the stack meanwhile
		types := g.typeList(g.between(1, 4), g.valType)
		parts := append(g.exprs(types, depth+1), g.statement(depth+1), g.statement(depth+1))
		return seq(nil, append(parts, g.take(types)...)...)
	case n < 95:
		return g.bulk(depth)
	case n < 98:
		if !g.quiet {
			return g.tableStatement(depth)
		}
		return g.update(depth)
	case n == 98:
		return &node{op: wasm.OpDrop, args: []*node{g.expr(g.valType(), depth+1)}}
	}
	return &node{op: wasm.OpNop}
}

// assignment sets a local or global.
func (g *funcGen) assignment(depth int) *node {
	if g.chance(4) {
		i := g.IntN(len(g.p.globals))
		if v := &g.p.globals[i]; v.mutable && i != fuelGlobal && i != spGlobal {
			return setGlobal(uint32(i), g.expr(v.typ, depth+1))
		}
	}
	t := g.valType()
	if len(g.free[t]) == 0 {
		t = wasm.I32
	}
	return setLocal(pick(g.generator, g.free[t]), g.expr(t, depth+1))
}

// condition is an i32 that is 0 not too often and not too rarely.
func (g *funcGen) condition(depth int) *node {
	if c := g.comparison(); c != nil {
		return c
	}
	if g.chance(3) {
		return do(wasm.OpI32And, g.expr(wasm.I32, depth+1), i32Const(1<<g.IntN(4)))
	}
	return g.expr(wasm.I32, depth+1)
}

// comparison compares a local with a constant, often as was done before or the other way round; or it is nil.
func (g *funcGen) comparison() *node {
	opposite := map[wasm.Opcode]wasm.Opcode{
		wasm.OpI32Eq: wasm.OpI32Ne, wasm.OpI32Ne: wasm.OpI32Eq, wasm.OpI32LtS: wasm.OpI32GeS, wasm.OpI32GeS: wasm.OpI32LtS,
		wasm.OpI32LtU: wasm.OpI32GeU, wasm.OpI32GeU: wasm.OpI32LtU, wasm.OpI32GtU: wasm.OpI32LeU, wasm.OpI32LeU: wasm.OpI32GtU,
	}
	last := g.compared
	switch n := g.IntN(16); {
	case n == 0:
		local := pick(g.generator, g.free[wasm.I32])
		op := pick(g.generator, []wasm.Opcode{wasm.OpI32Eq, wasm.OpI32Ne, wasm.OpI32LtS, wasm.OpI32GeS, wasm.OpI32LtU, wasm.OpI32GeU, wasm.OpI32GtU, wasm.OpI32LeU})
		g.compared = do(op, getLocal(local, wasm.I32), g.constant(wasm.I32))
		return g.compared
	case n < 3 && last != nil:
		op := last.op
		if n == 1 {
			op = opposite[op]
		}
		return do(op, getLocal(last.args[0].a, wasm.I32), i32Const(uint32(last.args[1].bits)))
	}
	return nil
}

func (g *funcGen) ifStatement(depth int) *node {
	n := &node{op: wasm.OpIf, hasElse: g.chance(2)}
	if g.chance(4) { // without an else, the parameters are the results
		n.params = g.typeList(g.between(1, 2), g.numType)
		n.types = n.params
		n.args = g.exprs(n.params, depth+1)
	}
	n.args = append(n.args, g.condition(depth))
	g.fillBlock(n, g.between(1, 3), depth)
	return seq(nil, append([]*node{n}, g.take(n.types)...)...)
}

// loop is one that counts or one that burns fuel.
func (g *funcGen) loop(depth int) *node {
	if g.loops >= 2 {
		return g.ifStatement(depth)
	}
	g.loops++
	defer func() { g.loops-- }()
	n := &node{op: wasm.OpLoop}
	if g.chance(4) {
		n.params = g.typeList(g.between(1, 3), g.valType)
		n.types = n.params
		n.args = g.exprs(n.params, depth+1)
	}
	g.labels = append(g.labels, genLabel{n: n, types: n.params})
	n.body = g.take(n.params)
	var before []*node
	var again *node
	switch g.IntN(4) {
	case 0:
		n.body = append(n.body, g.burn())
		again = g.condition(depth)
	case 1: // counts down
		c := g.local(wasm.I32)
		before = []*node{setLocal(c, i32Const(uint32(g.between(1, 6))))}
		again = &node{op: wasm.OpLocalTee, a: c, types: one(wasm.I32), args: []*node{do(wasm.OpI32Sub, getLocal(c, wasm.I32), i32Const(1))}}
	default: // counts up, in an i32 or i64
		again, before = g.countUp()
	}
	for range g.between(1, 4) {
		n.body = append(n.body, g.statement(depth+1))
	}
	n.body = append(n.body, g.exprs(n.params, depth+1)...)
	n.body = append(n.body, &node{op: wasm.OpBrIf, args: []*node{again}, labels: []*node{n}})
	g.labels = g.labels[:len(g.labels)-1]
	return seq(nil, slices.Concat(before, []*node{n}, g.take(n.types))...)
}

func (g *funcGen) countUp() (again *node, before []*node) {
	t, add, less, num := wasm.I32, wasm.OpI32Add, wasm.OpI32LtU, func(n int) *node { return i32Const(uint32(n)) }
	if g.chance(3) {
		t, add, less, num = wasm.I64, wasm.OpI64Add, wasm.OpI64LtS, func(n int) *node { return i64Const(uint64(n)) }
	}
	c := g.local(t)
	step := g.between(1, 8)
	next := &node{op: wasm.OpLocalTee, a: c, types: one(t), args: []*node{do(add, getLocal(c, t), num(step))}}
	return do(less, next, num(step*g.between(1, 5))), []*node{setLocal(c, num(0))}
}

func (g *funcGen) branchIf(depth int) *node {
	l := pick(g.generator, g.labels)
	parts := append(g.prepare(l, depth), g.exprs(l.types, depth+1)...)
	parts = append(parts, &node{op: wasm.OpBrIf, args: []*node{g.condition(depth)}, labels: []*node{l.n}})
	return seq(nil, append(parts, g.take(l.types)...)...)
}

// branchTable goes to labels that take the same operands. Nothing comes behind it.
func (g *funcGen) branchTable(depth int) *node {
	types := pick(g.generator, g.labels).types
	var same []genLabel
	for _, l := range g.labels {
		if slices.Equal(l.types, types) {
			same = append(same, l)
		}
	}
	n := &node{op: wasm.OpBrTable}
	for range g.between(1, 6) {
		n.labels = append(n.labels, pick(g.generator, same).n)
	}
	index := g.expr(wasm.I32, depth+1)
	if !g.chance(4) {
		index = do(wasm.OpI32And, index, i32Const(7))
	}
	n.args = append(g.exprs(types, depth+1), index)
	return seq(nil, append(g.mayBurn(same...), n)...)
}

func (g *funcGen) callStatement(depth int) *node {
	if f, found := g.callee(isGo); found && g.chance(3) {
		return g.drive(f)
	}
	call, t := g.call(func(*wasm.FuncType) bool { return true }, depth)
	if call == nil {
		return g.assignment(depth)
	}
	return seq(nil, append([]*node{call}, g.take(t.Results)...)...)
}

// pressure has many values alive at once.
func (g *funcGen) pressure(depth int) *node {
	t := g.numType()
	combine := map[wasm.ValType][]wasm.Opcode{
		wasm.I32: {wasm.OpI32Add, wasm.OpI32Xor, wasm.OpI32Sub, wasm.OpI32Mul, wasm.OpI32Rotl, wasm.OpI32Shl},
		wasm.I64: {wasm.OpI64Add, wasm.OpI64Xor, wasm.OpI64Sub, wasm.OpI64Mul, wasm.OpI64Rotr, wasm.OpI64ShrU},
		wasm.F32: {wasm.OpF32Add, wasm.OpF32Sub, wasm.OpF32Mul, wasm.OpF32Min}, wasm.F64: {wasm.OpF64Add, wasm.OpF64Sub, wasm.OpF64Mul, wasm.OpF64Max},
		wasm.V128: {wasm.OpV128Xor, wasm.OpI8x16Sub, wasm.OpI64x2Add},
	}[t]
	n := g.between(5, 24)
	parts := make([]*node, 0, 2*n+1)
	for range n {
		parts = append(parts, g.expr(t, maxDepth-g.IntN(2)))
	}
	if g.chance(3) {
		parts = append(parts, g.callStatement(depth+1))
	}
	for range n - 1 {
		parts = append(parts, do(pick(g.generator, combine)))
	}
	return seq(nil, append(parts, g.take(one(t))...)...)
}
