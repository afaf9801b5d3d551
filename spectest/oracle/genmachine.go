package oracle

import "github.com/wasmaot/wasmaot/compiler/wasm"

// stateMachine is a loop that dispatches on a local, as Go's compiler makes one of each function: states are reached
// by setting the local and going back to the loop.
type stateMachine struct {
	local   uint32
	states  int
	targets []int // of the br_table, the default last; nil if its operand is not the local itself
}

// comesLater tells whether setting the local leads to a state behind another one.
func (m *stateMachine) comesLater(value, state int) bool {
	return m.targets != nil && m.targets[min(value, len(m.targets)-1)] > state
}

func (g *funcGen) machineStatement(depth int) *node {
	if g.loops >= 2 {
		return g.ifStatement(depth)
	}
	m := &stateMachine{states: g.between(2, 7)}
	var before []*node
	if g.chance(4) {
		m.local = pick(g.generator, g.free[wasm.I32])
	} else {
		m.local = g.local(wasm.I32)
	}
	if g.chance(2) {
		before = append(before, setLocal(m.local, i32Const(uint32(g.IntN(m.states+1)))))
	}
	state := func(i int) []*node {
		var nodes []*node
		if g.chance(8) {
			nodes = append(nodes, g.machineStatement(depth+2))
		}
		for range g.between(1, 3) {
			nodes = append(nodes, g.statement(depth+2))
		}
		return nodes
	}
	return seq(nil, append(before, g.dispatch(m, depth, state))...)
}

// dispatch is the loop: one block for each state, which leads to the state's code behind its end. It comes out
// of the loop behind the last state.
func (g *funcGen) dispatch(m *stateMachine, depth int, state func(i int) []*node) *node {
	g.loops++
	g.machines = append(g.machines, m)
	loop := &node{op: wasm.OpLoop}
	g.labels = append(g.labels, genLabel{n: loop, machine: m})
	base := len(g.labels)
	blocks := make([]*node, m.states)
	for i := range blocks {
		blocks[i] = &node{op: wasm.OpBlock}
	}
	for i := range blocks {
		g.labels = append(g.labels, genLabel{n: blocks[m.states-1-i]})
	}
	blocks[0].body = g.switchOn(m, blocks, depth)
	for i, b := range blocks {
		g.labels = g.labels[:len(g.labels)-1]
		outer := loop
		if i+1 < m.states {
			outer = blocks[i+1]
		}
		outer.body = append([]*node{b}, state(i)...)
		if !g.chance(3) {
			outer.body = append(outer.body, g.jump(genLabel{n: loop, machine: m}, i, depth))
		}
	}
	g.labels = g.labels[:base-1]
	g.loops--
	if g.chance(12) { // something lies on the stack below the blocks
		loop.body = append(append([]*node{g.expr(wasm.I32, depth+1)}, loop.body...), &node{op: wasm.OpDrop})
	}
	return loop
}

// switchOn is what a loop begins with: nothing but a br_table on the local, with few exceptions.
func (g *funcGen) switchOn(m *stateMachine, blocks []*node, depth int) []*node {
	var nodes []*node
	index := getLocal(m.local, wasm.I32)
	table := &node{op: wasm.OpBrTable, args: []*node{index}}
	for i := range m.states + g.IntN(2) {
		if i == m.states || g.chance(8) {
			i = g.IntN(m.states)
		}
		m.targets = append(m.targets, i)
		table.labels = append(table.labels, blocks[i])
	}
	switch g.IntN(12) {
	case 0:
		m.targets = nil
		nodes = append(nodes, g.statement(depth+2))
	case 1:
		m.targets = nil
		table.args[0] = do(wasm.OpI32Sub, index, i32Const(1))
	case 2:
		m.targets = nil
		table.args[0] = do(wasm.OpI32And, index, i32Const(7))
	}
	return append(nodes, table)
}

// jump goes from a state to another one, always or on a condition.
func (g *funcGen) jump(l genLabel, from, depth int) *node {
	m := l.machine
	to := g.IntN(m.states + 1)
	var parts []*node
	if g.chance(2) {
		to = from + 1 // mostly the next one, or the default behind the last
	}
	if !m.comesLater(to, from) || g.chance(10) {
		parts = append(parts, g.burn())
	}
	if g.chance(4) { // a machine further in may begin at once
		other := pick(g.generator, g.machines)
		parts = append(parts, setLocal(other.local, i32Const(uint32(g.IntN(other.states+1)))))
	}
	br := &node{op: wasm.OpBr, labels: []*node{l.n}}
	set := setLocal(m.local, i32Const(uint32(to)))
	switch g.IntN(4) {
	case 0:
		br.op, br.args = wasm.OpBrIf, []*node{g.condition(depth)}
		parts = append(parts, set, br)
	case 1:
		parts = append(parts, &node{op: wasm.OpIf, args: []*node{g.condition(depth)}, body: []*node{set, br}})
	default:
		parts = append(parts, set, br)
	}
	return seq(nil, parts...)
}

// prepare is what has to come before a branch to a label: fuel is burnt before one to a loop, and a state chosen.
func (g *funcGen) prepare(l genLabel, depth int) []*node {
	nodes := g.mayBurn(l)
	if m := l.machine; m != nil {
		state := i32Const(uint32(g.IntN(m.states + 1)))
		if g.chance(5) {
			state = g.expr(wasm.I32, depth+1)
		}
		nodes = append(nodes, setLocal(m.local, state))
	}
	return nodes
}

// isGo reports whether a function has the type that all functions of Go's compiler have.
func isGo(t *wasm.FuncType) bool {
	return t.Equal(&wasm.FuncType{Params: one(wasm.I32), Results: one(wasm.I32)})
}

// goBody is a function as Go's compiler makes them: the parameter says where to resume, the result is 1 if it
// is to be resumed; what lives across calls is in memory, where global spGlobal points.
func (g *funcGen) goBody() []*node {
	frame := uint64(8 * g.between(1, 8))
	sp := g.local(wasm.I32)
	g.free[wasm.I32] = append(g.free[wasm.I32], sp)
	pc := uint32(0)
	getSP := func() *node { return getLocal(sp, wasm.I32) }
	moveSP := func(by uint64) *node {
		sum := do(wasm.OpI32Add, getSP(), i32Const(uint32(by)))
		return setGlobal(spGlobal, &node{op: wasm.OpLocalTee, a: sp, types: one(wasm.I32), args: []*node{sum}})
	}
	unwind := &node{op: wasm.OpBlock}
	g.labels = append(g.labels, genLabel{n: unwind})
	m := &stateMachine{local: pc, states: g.between(3, 10)}
	state := func(i int) []*node {
		var nodes []*node
		if i == 0 {
			nodes = append(nodes, moveSP(-frame))
		}
		for range g.between(1, 3) {
			nodes = append(nodes, g.statement(3))
		}
		next := func() *node { // where to resume
			return access(wasm.OpI64Store, 0, 3, getSP(), i64Const(uint64(i+1)))
		}
		switch callee, found := g.callee(isGo); {
		case found && g.chance(2):
			call := &node{op: wasm.OpCall, a: uint32(callee), args: []*node{i32Const(0)}, types: one(wasm.I32)}
			nodes = append(nodes, moveSP(-8&(1<<32-1)), next(), seq(nil, call, setLocal(sp, getGlobal(spGlobal, wasm.I32)),
				&node{op: wasm.OpBrIf, labels: []*node{unwind}}))
		case g.chance(4):
			nodes = append(nodes, &node{op: wasm.OpIf, args: []*node{g.condition(3)}, body: []*node{next(), {op: wasm.OpBr, labels: []*node{unwind}}}})
		case g.chance(4):
			nodes = append(nodes, &node{op: wasm.OpIf, args: []*node{g.condition(3)},
				body: []*node{moveSP(frame), {op: wasm.OpReturn, args: []*node{i32Const(0)}}}})
		}
		return nodes
	}
	unwind.body = []*node{setLocal(sp, getGlobal(spGlobal, wasm.I32)), g.dispatch(m, 1, state), moveSP(frame), {op: wasm.OpReturn, args: []*node{i32Const(0)}}}
	g.labels = g.labels[:1]
	return []*node{g.burn(), unwind, i32Const(1)}
}

// drive calls a function of Go's type and resumes it where it says for as long as it wants.
func (g *funcGen) drive(f int) *node {
	pc, saved := g.local(wasm.I32), g.local(wasm.I32)
	loop := &node{op: wasm.OpLoop}
	call := &node{op: wasm.OpCall, a: uint32(f), types: one(wasm.I32), args: []*node{getLocal(pc, wasm.I32)}}
	resume := access(wasm.OpI32Load, 0, 2, getGlobal(spGlobal, wasm.I32))
	again := &node{op: wasm.OpIf, args: []*node{call}, body: []*node{g.burn(), setLocal(pc, resume), {op: wasm.OpBr, labels: []*node{loop}}}}
	loop.body = []*node{again}
	return seq(nil, setLocal(saved, getGlobal(spGlobal, wasm.I32)), setLocal(pc, i32Const(0)), loop, setGlobal(spGlobal, getLocal(saved, wasm.I32)))
}
