package oracle

import (
	"slices"

	"github.com/wasmaot/wasmaot/compiler/wasm"
)

// funcGen writes a function.
type funcGen struct {
	*generator
	index    int // among all functions
	f        *function
	typ      wasm.FuncType
	free     map[wasm.ValType][]uint32 // locals that random code uses
	count    uint32                    // of locals
	scratch  map[wasm.ValType]uint32   // locals for canonicalising NaNs
	labels   []genLabel                // innermost last; the first is the function's own
	budget   int                       // nodes to write
	loops    int                       // that are open
	machines []*stateMachine
	compared *node // the last comparison of a local with a constant
}

// genLabel is a block that branches may leave.
type genLabel struct {
	n       *node // nil for the function
	types   []wasm.ValType
	machine *stateMachine // of a loop that dispatches
}

func newFuncGen(g *generator, index int) *funcGen {
	f := g.p.funcs[index]
	fg := &funcGen{generator: g, index: len(g.p.imports) + index, f: f, typ: g.p.types[f.typ],
		free: map[wasm.ValType][]uint32{}, scratch: map[wasm.ValType]uint32{}}
	for i, t := range fg.typ.Params {
		fg.free[t] = append(fg.free[t], uint32(i))
	}
	fg.count = uint32(len(fg.typ.Params))
	fg.labels = []genLabel{{types: fg.typ.Results}}
	fg.budget = pick(g, []int{15, 40, 80, 80, 150, 300})
	return fg
}

// fill writes the body.
func (g *funcGen) fill() {
	for _, t := range []wasm.ValType{wasm.I32, wasm.I64} {
		g.free[t] = append(g.free[t], g.local(t))
	}
	n := g.IntN(6)
	if g.chance(15) {
		n = g.between(60, 140)
	}
	for range n {
		t := g.valType()
		g.free[t] = append(g.free[t], g.local(t))
	}
	if isGo(&g.typ) && g.chance(2) {
		g.f.body = g.goBody()
		return
	}
	g.f.body = append([]*node{g.burn()}, g.bodyOf(g.typ.Results, g.between(2, 7), 0)...)
}

// local adds a local that random code does not touch.
func (g *funcGen) local(t wasm.ValType) uint32 {
	g.f.locals = append(g.f.locals, t)
	g.count++
	return g.count - 1
}

// Leaves and small pieces.

func seq(types []wasm.ValType, parts ...*node) *node {
	return &node{op: opSeq, types: types, args: parts}
}

func one(t wasm.ValType) []wasm.ValType { return []wasm.ValType{t} }

func i32Const(n uint32) *node {
	return &node{op: wasm.OpI32Const, types: one(wasm.I32), bits: uint64(n)}
}

func i64Const(n uint64) *node { return &node{op: wasm.OpI64Const, types: one(wasm.I64), bits: n} }

// do is an operator with fixed types and no immediates.
func do(op wasm.Opcode, args ...*node) *node {
	n := &node{op: op, args: args}
	if t := wasm.Info(op).Sig.Result(); t != wasm.Bottom {
		n.types = one(t)
	}
	return n
}

func getLocal(i uint32, t wasm.ValType) *node {
	return &node{op: wasm.OpLocalGet, a: i, types: one(t)}
}

// setLocal sets a local to an expression or, without one, to what is on the stack.
func setLocal(i uint32, value ...*node) *node { return &node{op: wasm.OpLocalSet, a: i, args: value} }

func getGlobal(i uint32, t wasm.ValType) *node {
	return &node{op: wasm.OpGlobalGet, a: i, types: one(t)}
}

func setGlobal(i uint32, value *node) *node {
	return &node{op: wasm.OpGlobalSet, a: i, args: []*node{value}}
}

func access(op wasm.Opcode, offset uint32, align uint32, args ...*node) *node {
	n := do(op, args...)
	n.bits, n.align = uint64(offset), align
	return n
}

// burn uses fuel and traps when there is none left.
func (g *funcGen) burn() *node {
	fuel := func() *node { return getGlobal(fuelGlobal, wasm.I32) }
	out := &node{op: wasm.OpIf, args: []*node{do(wasm.OpI32Eqz, fuel())}, body: []*node{{op: wasm.OpUnreachable}}}
	return seq(nil, out, setGlobal(fuelGlobal, do(wasm.OpI32Sub, fuel(), i32Const(1))))
}

// take takes what lies on top of the stack, last type first: into locals, or nowhere.
func (g *funcGen) take(types []wasm.ValType) (nodes []*node) {
	for _, t := range slices.Backward(types) {
		if list := g.free[t]; len(list) > 0 && !g.chance(4) {
			nodes = append(nodes, setLocal(pick(g.generator, list)))
		} else {
			nodes = append(nodes, &node{op: wasm.OpDrop})
		}
	}
	return nodes
}

// Functions to call.

// callee is a function, one that comes later more often than not so that calls come to an end.
func (g *funcGen) callee(ok func(t *wasm.FuncType) bool) (int, bool) {
	n := len(g.p.exported)
	for range 6 {
		i := g.IntN(n)
		if i >= len(g.p.imports) && i <= g.index && !g.chance(6) {
			continue
		}
		if ok(g.p.funcType(i)) {
			return i, true
		}
	}
	return 0, false
}

// call is a call that leaves all its results; nil if there is nothing to call.
func (g *funcGen) call(ok func(t *wasm.FuncType) bool, depth int) (*node, *wasm.FuncType) {
	if g.chance(3) {
		return g.callIndirect(ok, depth)
	}
	i, found := g.callee(ok)
	if !found {
		return nil, nil
	}
	t := g.p.funcType(i)
	return &node{op: wasm.OpCall, a: uint32(i), args: g.handed(t.Params, depth+1), types: t.Results}, t
}

func (g *funcGen) callIndirect(ok func(t *wasm.FuncType) bool, depth int) (*node, *wasm.FuncType) {
	sig := pick(g.generator, g.sigs)
	table := uint32(g.IntN(len(g.byIndex)))
	if i, found := g.callee(ok); found && !g.chance(10) {
		sig = g.p.typeOf(i)
	}
	t := &g.p.types[sig]
	if !ok(t) || g.p.tables[table].Elem != wasm.FuncRef {
		return nil, nil
	}
	n := &node{op: wasm.OpCallIndirect, a: sig, b: table, types: t.Results}
	n.args = append(g.handed(t.Params, depth+1), g.element(table, sig, depth))
	return n, t
}

func (p *Program) typeOf(i int) uint32 {
	if i < len(p.imports) {
		return p.imports[i]
	}
	return p.funcs[i-len(p.imports)].typ
}

// element is the index of a table's element, mostly one that is a function of the given type.
func (g *funcGen) element(table, sig uint32, depth int) *node {
	at := g.byIndex[table]
	var good []int
	for i, f := range at {
		if f >= 0 && g.p.typeOf(f) == sig {
			good = append(good, i)
		}
	}
	switch n := g.IntN(40); {
	case n == 0:
		return i32Const(g.bits32())
	case n == 1:
		return g.expr(wasm.I32, depth+1)
	case n < 4 || len(good) == 0:
		return i32Const(uint32(g.IntN(len(at) + 1)))
	case n < 12: // not a constant for the compiler
		return do(wasm.OpI32Or, i32Const(uint32(pick(g.generator, good))), do(wasm.OpI32And, g.expr(wasm.I32, depth+1), i32Const(0)))
	case n < 20:
		i := uint32(pick(g.generator, good))
		return g.selectOf(wasm.I32, i32Const(i), i32Const(uint32(pick(g.generator, good))), depth+1)
	}
	return i32Const(uint32(pick(g.generator, good)))
}

func (g *funcGen) selectOf(t wasm.ValType, a, b *node, depth int) *node {
	n := &node{op: wasm.OpSelect, types: one(t), args: []*node{a, b, g.expr(wasm.I32, depth+1)}}
	if t.IsRef() || g.chance(4) {
		n.op = wasm.OpSelectT
	}
	return n
}
