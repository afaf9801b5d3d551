package opt

import (
	"math/rand/v2"
	"testing"

	"github.com/wasmaot/wasmaot/compiler/abi"
	"github.com/wasmaot/wasmaot/compiler/ssa"
	"github.com/wasmaot/wasmaot/compiler/ssa/ssatest"
)

// TestLimbs runs random loops that limbs makes one operation, and others that are nearly of that kind.
func TestLimbs(t *testing.T) {
	made, left := map[ssa.Op]int{}, 0
	count := Pass{"count", func(f *ssa.Func, s *Scratch) {
		f.Analyze(&s.Scratch)
		limbs(f, s)
		for _, in := range f.Insts {
			switch in.Op {
			case ssa.OpMulAddLimbs, ssa.OpAddLimbs, ssa.OpSubLimbs:
				made[in.Op]++
				return
			}
		}
		left++
	}}
	compareRandom(t, 1000, limbFunc, [][]Pass{{count}, {GVN, count, Simplify}})
	t.Logf("%v made, %d left", made, left)
	if len(made) != 3 || left == 0 {
		t.Errorf("%v made, %d left: expected all", made, left)
	}
}

// limbFunc is a function with a loop as package math/big has, in which now and then something is otherwise.
func limbFunc(r *rand.Rand, _ uint64) *ssa.Func {
	f := &ssa.Func{}
	f.Reset()
	f.Module, f.Index, f.Name = ssatest.Module, 3, "limbs"
	f.Sig = &abi.Signature{Params: []abi.Type{abi.I32, abi.I64, abi.I64}, Results: []abi.Type{abi.I64, abi.I64}}
	kind := r.IntN(3)
	wrong := r.IntN(24) // which of the places below is otherwise
	otherwise := func(place int) bool { return place == wrong }
	swapped := func(a, b ssa.Value) (uint32, uint32) {
		if r.IntN(2) == 0 {
			a, b = b, a
		}
		return uint32(a), uint32(b)
	}
	entry, header, body, exit := f.AddBlock(), f.AddBlock(), f.AddBlock(), f.AddBlock()
	first := f.AddParams(entry, f.Sig.Params...)
	factor, carryIn := first+1, first+2
	f.Begin(entry)
	bases := [3]ssa.Value{}
	start := f.Emit(ssa.OpZext, abi.I64, uint32(first), 0, 0, 1)
	start = f.Emit(ssa.OpAnd, abi.I64, uint32(start), uint32(f.Const(abi.I64, 0x7fff)), 0, 1)
	for i := range bases {
		bases[i] = f.Emit(ssa.OpAdd, abi.I64, uint32(start), uint32(f.Const(abi.I64, uint64(8*r.IntN(20)))), 0, 1)
	}
	limit := f.Const(abi.I64, uint64(r.IntN(30)))
	zero := f.Const(abi.I64, 0)
	switch {
	case kind != 0 && !otherwise(11):
		carryIn = f.Const(abi.I64, uint64(r.IntN(2)))
	case kind != 0 && r.IntN(2) == 0:
		carryIn = f.Const(abi.I64, 2)
	}
	f.AddEdge(entry, header, zero, carryIn, factor)
	f.EndJump(entry, 1)
	i := f.AddParams(header, abi.I64, abi.I64, abi.I64)
	carry, kept := i+1, i+2
	f.Begin(header)
	op := ssa.OpLtS
	if otherwise(0) {
		op = ssa.OpLtU
	}
	test := f.Emit(op, abi.I32, uint32(i), uint32(limit), 0, 1)
	f.AddEdge(header, body)
	f.AddEdge(header, exit)
	f.EndIf(header, test, 1)

	f.Begin(body)
	shift := f.Const(abi.I64, 3)
	if otherwise(1) {
		shift = f.Const(abi.I64, 2)
	}
	offset := f.Emit(ssa.OpShl, abi.I64, uint32(i), uint32(shift), 0, 1)
	at := func(k int) uint32 {
		a, b := swapped(bases[k], offset)
		sum := f.Emit(ssa.OpAdd, abi.I64, a, b, 0, 1)
		index := f.Emit(ssa.OpWrap, abi.I32, uint32(sum), 0, 0, 1)
		disp := uint32(0)
		if otherwise(2 + k) {
			disp = 8
		}
		return uint32(f.Emit(ssa.OpAddr, abi.Addr, uint32(index), disp, 8, 1))
	}
	load := func(k int) ssa.Value { return f.Emit(ssa.OpLoad, abi.I64, at(k), 0, 0, 1) }
	add := func(a, b ssa.Value) ssa.Value {
		x, y := swapped(a, b)
		return f.Emit(ssa.OpAdd, abi.I64, x, y, 0, 1)
	}
	carryOf := func(sum, a, b ssa.Value) ssa.Value {
		x, _ := swapped(a, b)
		op, l, g := ssa.OpLtU, uint32(sum), x
		if r.IntN(2) == 0 {
			op, l, g = ssa.OpGtU, g, l
		}
		return f.Emit(ssa.OpZext, abi.I64, uint32(f.Emit(op, abi.I32, l, g, 0, 1)), 0, 0, 1)
	}
	var x, y ssa.Value
	if r.IntN(2) == 0 {
		x = load(0)
		y = load(1)
	} else {
		y = load(1)
		x = load(0)
	}
	by := factor
	if otherwise(5) {
		by = kept // a parameter that stays the same: known to be that only later
	}
	a, b := swapped(y, by)
	low := f.Emit(ssa.OpMul, abi.I64, a, b, 0, 1)
	if otherwise(6) {
		b = uint32(x)
	}
	high := f.Emit(ssa.OpMulHiU, abi.I64, a, b, 0, 1)
	sum := add(low, x)
	stored := add(sum, carry)
	c1, c2 := carryOf(sum, low, x), carryOf(stored, sum, carry)
	switch kind {
	case 1:
		sum = add(y, x)
		stored = add(sum, carry)
		c1, c2 = carryOf(sum, y, x), carryOf(stored, sum, carry)
	case 2:
		sum = f.Emit(ssa.OpSub, abi.I64, uint32(x), uint32(y), 0, 1)
		stored = f.Emit(ssa.OpSub, abi.I64, uint32(sum), uint32(carry), 0, 1)
		c1, c2 = carryOf(x, y, y), carryOf(sum, carry, carry)
	}
	if otherwise(7) {
		c2 = c1
	}
	terms := []ssa.Value{high, c1, c2}
	r.Shuffle(3, func(i, j int) { terms[i], terms[j] = terms[j], terms[i] })
	next := add(add(terms[0], terms[1]), terms[2])
	if kind != 0 {
		next = add(c1, c2)
	}
	if otherwise(8) {
		next = add(next, f.Const(abi.I64, 1))
	}
	if otherwise(9) {
		f.Emit(ssa.OpGlobalSet, abi.Void, 1, uint32(next), 0, 1)
	}
	f.Emit(ssa.OpStore, abi.Void, at(2), uint32(stored), 0, 1)
	step := f.Emit(ssa.OpAdd, abi.I64, uint32(i), uint32(f.Const(abi.I64, 1)), 0, 1)
	if otherwise(10) {
		f.AddEdge(body, header, step, next, stored)
	} else {
		f.AddEdge(body, header, step, next, kept)
	}
	f.EndJump(body, 1)
	f.Begin(exit)
	f.EndReturn(exit, 1, carry, i)
	f.Analyze(new(ssa.Scratch))
	return f
}
