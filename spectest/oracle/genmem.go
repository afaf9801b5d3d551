package oracle

import (
	"math/bits"
	"slices"

	"github.com/wasmaot/wasmaot/compiler/wasm"
)

// address is the address operand and the offset of an access of some bytes: mostly within memory, often at its
// ends, sometimes far away.
func (g *funcGen) address(size uint32, depth int) (*node, uint32) {
	end := uint32(g.p.mem.Min) * pageSize
	small := func() uint32 { return uint32(g.IntN(64)) * uint32(g.IntN(2)*7+1) }
	index := func(mask uint32) *node {
		return do(wasm.OpI32And, g.expr(wasm.I32, depth+1), i32Const(mask))
	}
	if g.chance(2) {
		return index(0xfff8), small()
	}
	switch n := g.IntN(64); {
	case n >= 62: // whatever a parameter or call gives
		if len(g.typ.Params) > 0 && g.typ.Params[0] == wasm.I32 {
			return getLocal(0, wasm.I32), small()
		}
		return g.expr(wasm.I32, depth+1), small()
	case n >= 60:
		return g.dirty(depth), small()
	case n < 18:
		return index(pick(g.generator, []uint32{0xff, 0x7ff, 0xfff8, 0xfff0, 0xfe00})), small()
	case n < 35:
		return getGlobal(spGlobal, wasm.I32), small()
	case n < 40:
		return i32Const(uint32(g.IntN(256))), small()
	case n < 44: // at the end
		at := end - size - uint32(g.IntN(3)*g.IntN(8))
		offset := min(at, small())
		if g.chance(2) {
			offset = at - uint32(g.IntN(4))
		}
		return i32Const(at - offset), offset
	case n < 45: // beyond
		at := end - size + uint32(g.between(1, 9))
		return i32Const(at - min(at, small())), small()
	case n < 49: // as Go computes addresses
		sum := do(wasm.OpI64Add, do(wasm.OpI64ExtendI32U, index(0xffff)), i64Const(uint64(g.between(-64, 256))))
		return do(wasm.OpI32WrapI64, sum), small()
	case n < 54: // scaled
		return do(wasm.OpI32Add, do(wasm.OpI32Shl, index(0x3f), i32Const(uint32(g.IntN(4)))), index(0xff0)), small()
	case n < 55: // wraps around as a sum of 32 bits only
		return do(wasm.OpI32Sub, index(0xff), i32Const(uint32(g.IntN(64)))), small()
	case n < 56:
		return index(0xff), pick(g.generator, []uint32{0x7fffffff, 0x80000000, 0xffffffff, 0xfffffff0, end, end - 256, 0x10000})
	case n < 58:
		return index(0xff), end - 0x100 - size + uint32(g.IntN(4)/3)
	case n < 59:
		return i32Const(g.bits32()), small()
	}
	return g.expr(wasm.I32, depth+1), g.bits32()
}

func (g *funcGen) alignment(size uint8) uint32 {
	if g.chance(2) {
		return uint32(bits.TrailingZeros8(size))
	}
	return uint32(g.IntN(bits.TrailingZeros8(size) + 1))
}

func (g *funcGen) load(t wasm.ValType, depth int) *node {
	op := pick(g.generator, operators(g.opts.SIMD).loads[t])
	info := wasm.Info(op)
	at, offset := g.address(uint32(info.Size), depth)
	n := access(op, offset, g.alignment(info.Size), at)
	if info.Imm == wasm.ImmMemLane {
		n.b = g.Uint32N(uint32(16 / info.Size))
		n.args = append(n.args, g.expr(t, depth+1))
	}
	return n
}

func (g *funcGen) store(depth int) *node {
	op := pick(g.generator, operators(g.opts.SIMD).stores)
	info := wasm.Info(op)
	at, offset := g.address(uint32(info.Size), depth)
	n := access(op, offset, g.alignment(info.Size), at, g.operand(op, 1, depth+1))
	if info.Imm == wasm.ImmMemLane {
		n.b = g.Uint32N(uint32(16 / info.Size))
	}
	return n
}

// update changes something in memory in place, or writes and reads it with different widths.
func (g *funcGen) update(depth int) *node {
	stores, loads := operators(g.opts.SIMD).stores, operators(g.opts.SIMD).loads
	var base func() *node
	if g.chance(3) {
		base = func() *node { return getGlobal(spGlobal, wasm.I32) }
	} else {
		tmp := pick(g.generator, g.free[wasm.I32])
		base = func() *node { return getLocal(tmp, wasm.I32) }
	}
	parts := []*node{}
	if x := base(); x.op == wasm.OpLocalGet {
		parts = append(parts, setLocal(x.a, do(wasm.OpI32And, g.expr(wasm.I32, depth+1), i32Const(0xff8))))
	}
	at := uint32(8 * g.IntN(4))
	near := func() uint32 { return at + pick(g.generator, []uint32{0, 0, 0, 1, 2, 4, 4, 7, 8}) }
	for range g.between(1, 6) {
		if g.chance(4) {
			t := pick(g.generator, []wasm.ValType{wasm.I32, wasm.I64})
			load, store := wasm.OpI32Load, wasm.OpI32Store
			if t == wasm.I64 {
				load, store = wasm.OpI64Load, wasm.OpI64Store
			}
			n := g.apply(pick(g.generator, usual[t]), maxDepth-2)
			if side := g.IntN(len(n.args)); n.args[side].types[0] == t {
				n.args[side] = access(load, at, 0, base())
				parts = append(parts, access(store, at, 0, base(), n))
				continue
			}
		}
		if op := pick(g.generator, stores); wasm.Info(op).Imm == wasm.ImmMemArg && g.chance(2) {
			parts = append(parts, access(op, near(), 0, base(), g.operand(op, 1, maxDepth-2)))
		}
		t := g.numType()
		list := g.free[t]
		if x := base(); x.op == wasm.OpLocalGet && t == wasm.I32 { // the base stays
			list = slices.DeleteFunc(slices.Clone(list), func(i uint32) bool { return i == x.a })
		}
		if op := pick(g.generator, loads[t]); wasm.Info(op).Imm == wasm.ImmMemArg && len(list) > 0 {
			parts = append(parts, setLocal(pick(g.generator, list), access(op, near(), 0, base())))
		}
	}
	return seq(nil, parts...)
}

// length is how much a bulk operation does.
func (g *funcGen) length(depth int) *node {
	switch n := g.IntN(20); {
	case n < 8:
		return i32Const(uint32(g.IntN(80)))
	case n < 10:
		return i32Const(uint32(g.IntN(5000)))
	case n < 11:
		return i32Const(g.bits32())
	}
	return do(wasm.OpI32And, g.expr(wasm.I32, depth+1), i32Const(uint32(1)<<g.IntN(8)-1))
}

// bulk fills or copies memory.
func (g *funcGen) bulk(depth int) *node {
	start := func() *node {
		n, offset := g.address(16, depth)
		if offset == 0 {
			return n
		}
		return do(wasm.OpI32Add, n, i32Const(offset))
	}
	if len(g.p.datas) > 0 && g.chance(3) {
		n := &node{a: uint32(g.IntN(len(g.p.datas)))}
		if n.op = wasm.OpDataDrop; g.chance(6) {
			return n
		}
		n.op = wasm.OpMemoryInit
		n.args = []*node{start(), i32Const(uint32(g.IntN(20) * g.IntN(3) / 2)), i32Const(uint32(g.IntN(30) * g.IntN(2)))}
		return n
	}
	if g.chance(2) {
		return do(wasm.OpMemoryFill, start(), g.expr(wasm.I32, depth+1), g.length(depth))
	}
	return do(wasm.OpMemoryCopy, start(), start(), g.length(depth))
}

// tableStatement changes a table.
func (g *funcGen) tableStatement(depth int) *node {
	table := uint32(g.IntN(len(g.p.tables)))
	elem := g.p.tables[table].Elem
	length := func() *node { return i32Const(uint32(g.IntN(4))) }
	switch g.IntN(6) {
	case 0:
		return &node{op: wasm.OpTableFill, a: table, args: []*node{g.tableIndex(table, depth), g.expr(elem, depth+1), length()}}
	case 1:
		from := pick(g.generator, g.tablesOf(elem))
		return &node{op: wasm.OpTableCopy, a: table, b: from, args: []*node{g.tableIndex(table, depth), g.tableIndex(from, depth), length()}}
	case 2:
		if elem == wasm.FuncRef {
			segment := uint32(g.IntN(len(g.p.elems)))
			return &node{op: wasm.OpTableInit, a: segment, b: table, args: []*node{g.tableIndex(table, depth), length(), i32Const(uint32(g.IntN(4) / 2))}}
		}
	case 3:
		if g.chance(3) {
			return &node{op: wasm.OpElemDrop, a: uint32(g.IntN(len(g.p.elems)))}
		}
	}
	return &node{op: wasm.OpTableSet, a: table, args: []*node{g.tableIndex(table, depth), g.expr(elem, depth+1)}}
}
