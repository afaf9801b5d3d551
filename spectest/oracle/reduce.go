package oracle

import (
	"math/rand/v2"
	"slices"

	"github.com/wasmaot/wasmaot/compiler/wasm"
)

// Arguments are values for the types, made of a seed: interesting ones more often than not.
func Arguments(seed uint64, types []wasm.ValType) []Value {
	g := &generator{Rand: rand.New(rand.NewPCG(seed, 2))}
	values := make([]Value, len(types))
	for i, t := range types {
		values[i] = g.argument(t)
	}
	return values
}

// Reduce cuts the program down for as long as it fails, and gives the number of successful cuts. It leaves the
// smallest program for which fails said true.
func (p *Program) Reduce(fails func(*Program) bool) (cuts int) {
	r := &reducer{p: p, fails: fails}
	for before := -1; before != r.cuts; {
		before = r.cuts
		for i := range p.exported {
			if p.exported[i] {
				r.try(func() { p.exported[i] = false }, func() { p.exported[i] = true })
			}
		}
		for i, f := range p.funcs {
			r.emptyBody(i)
			for len(f.locals) > 0 && set(r, &f.locals, f.locals[:len(f.locals)-1]) {
			}
		}
		r.dropNodes()
		r.replaceNodes()
	}
	return r.cuts
}

type reducer struct {
	p     *Program
	fails func(*Program) bool
	cuts  int
}

// try makes a change and takes it back if the program is not valid or does not fail any more.
func (r *reducer) try(change, undo func()) bool {
	change()
	if r.valid() && r.fails(r.p) {
		r.cuts++
		return true
	}
	undo()
	return false
}

func (r *reducer) valid() bool {
	src, err := r.p.Encode()
	if err != nil {
		return false
	}
	m, err := wasm.Decode(src, wasm.Features20)
	if err != nil {
		return false
	}
	for i := m.ImportedFuncs; i < len(m.Funcs); i++ {
		if _, err := decode(m, uint32(i)); err != nil {
			return false
		}
	}
	return true
}

// set is try for a variable.
func set[T any](r *reducer, at *T, to T) bool {
	old := *at
	return r.try(func() { *at = to }, func() { *at = old })
}

func zero(t wasm.ValType) *node {
	op := map[wasm.ValType]wasm.Opcode{wasm.I32: wasm.OpI32Const, wasm.I64: wasm.OpI64Const, wasm.F32: wasm.OpF32Const, wasm.F64: wasm.OpF64Const,
		wasm.V128: wasm.OpV128Const, wasm.FuncRef: wasm.OpRefNull, wasm.ExternRef: wasm.OpRefNull}[t]
	return &node{op: op, types: one(t)}
}

func (r *reducer) emptyBody(i int) {
	f := r.p.funcs[i]
	var body []*node
	for _, t := range r.p.types[f.typ].Results {
		body = append(body, zero(t))
	}
	if len(f.body) > len(body) {
		set(r, &f.body, body)
	}
}

// lists are all lists of nodes, outer ones first.
func (r *reducer) lists() (all []*[]*node) {
	var walk func(list *[]*node)
	walk = func(list *[]*node) {
		if len(*list) == 0 {
			return
		}
		all = append(all, list)
		for _, n := range *list {
			walk(&n.args)
			walk(&n.body)
			walk(&n.alt)
		}
	}
	for _, f := range r.p.funcs {
		walk(&f.body)
	}
	return all
}

// dropNodes leaves out stretches of nodes, long ones first.
func (r *reducer) dropNodes() {
	for _, list := range r.lists() {
		for size := len(*list); size > 0; size /= 2 {
			for i := 0; i+size <= len(*list); {
				if !set(r, list, slices.Delete(slices.Clone(*list), i, i+size)) {
					i += size
				}
			}
		}
	}
}

// replaceNodes puts something simpler in the place of nodes: a constant, a part of the node, the inside of a block.
func (r *reducer) replaceNodes() {
	for _, list := range r.lists() {
		for i := range *list {
			r.replace(&(*list)[i])
		}
	}
}

func (r *reducer) replace(at **node) {
	n := *at
	if len(n.types) == 1 && (n.op != zero(n.types[0]).op || n.bits > 1) {
		if set(r, at, zero(n.types[0])) {
			return
		}
	}
	for _, part := range slices.Concat(n.args, n.body, n.alt) {
		if slices.Equal(part.types, n.types) && set(r, at, part) {
			r.replace(at)
			return
		}
	}
	if len(n.body) > 0 {
		if set(r, at, seq(n.types, slices.Concat(n.args, n.body)...)) || set(r, at, seq(n.types, slices.Concat(n.args, n.alt)...)) {
			return
		}
		if n.hasElse {
			set(r, &n.hasElse, false)
		}
	}
	if len(n.labels) > 1 {
		set(r, &n.labels, n.labels[:1])
	}
	if n.bits > 1 && wasm.Info(n.op).Size > 0 {
		set(r, &n.bits, 0)
	}
}
