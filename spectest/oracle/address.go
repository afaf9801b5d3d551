package oracle

import (
	"fmt"
	"math/bits"

	"github.com/wasmaot/wasmaot/compiler/wasm"
)

// Access is an instruction that accesses memory as one function of an address program does it.
type Access struct {
	Name  string // of the export
	Op    wasm.Opcode
	Shape string // how the index is made
	Size  uint64 // bytes accessed

	// Index is the index that the function always uses, if Fixed; otherwise Args gives the arguments for an index.
	// Not every shape can make every index.
	Fixed bool
	Index uint32
	args  func(index uint32) ([2]uint64, bool)
	value wasm.ValType // of the last parameter; Bottom if there is none
}

// Args are the arguments for an index, ok if the shape can make it. Value is what is stored.
func (a *Access) Args(index uint32, value Value) (args []Value, ok bool) {
	var list [2]uint64
	if list, ok = a.args(index); !ok {
		return nil, false
	}
	args = []Value{{Lo: list[0] & 0xffffffff}, {Lo: list[1]}}
	if a.value != wasm.Bottom {
		if a.value == wasm.I32 || a.value == wasm.F32 {
			value.Lo &= 0xffffffff
		}
		if a.value != wasm.V128 {
			value.Hi = 0
		}
		args = append(args, value)
	}
	return args, true
}

// shape is a way to make an index of a parameter of type i32 and one of type i64.
type shape struct {
	name string
	make func() *node
	args func(index uint32) ([2]uint64, bool)
}

func any32(f func(x uint32) [2]uint64) func(uint32) ([2]uint64, bool) {
	return func(x uint32) ([2]uint64, bool) { return f(x), true }
}

func param32() *node { return getLocal(0, wasm.I32) }
func param64() *node { return getLocal(1, wasm.I64) }

// dirt is what the upper half of a register may hold.
const dirt = 0xdeadbeef << 32

// shapes are the forms of an index that compilers make and ours tells apart.
var shapes = []shape{
	{"parameter", param32, any32(func(x uint32) [2]uint64 { return [2]uint64{uint64(x)} })},
	{"wrap", func() *node { return do(wasm.OpI32WrapI64, param64()) }, any32(func(x uint32) [2]uint64 { return [2]uint64{0, dirt | uint64(x)} })},
	{"sum", func() *node { return do(wasm.OpI32Add, param32(), i32Const(24)) }, any32(func(x uint32) [2]uint64 { return [2]uint64{uint64(x - 24)} })},
	{"difference", func() *node { return do(wasm.OpI32Sub, param32(), i32Const(8)) }, any32(func(x uint32) [2]uint64 { return [2]uint64{uint64(x + 8)} })},
	{"extended sum", func() *node {
		return do(wasm.OpI32WrapI64, do(wasm.OpI64Add, do(wasm.OpI64ExtendI32U, param32()), i64Const(40)))
	}, any32(func(x uint32) [2]uint64 { return [2]uint64{uint64(x - 40)} })},
	{"dirty sum", func() *node { return do(wasm.OpI32WrapI64, do(wasm.OpI64Add, param64(), i64Const(^uint64(15)))) },
		any32(func(x uint32) [2]uint64 { return [2]uint64{0, dirt + uint64(x) + 16} })},
	{"scaled", func() *node {
		return do(wasm.OpI32Add, do(wasm.OpI32Shl, param32(), i32Const(3)), do(wasm.OpI32WrapI64, param64()))
	}, any32(func(x uint32) [2]uint64 { return [2]uint64{uint64(x >> 3), dirt | uint64(x&7)} })},
	{"masked", func() *node { return do(wasm.OpI32And, param32(), i32Const(0x1ffff)) },
		func(x uint32) ([2]uint64, bool) { return [2]uint64{uint64(x) | 0xfffe0000}, x <= 0x1ffff }},
	{"global", func() *node {
		return seq(one(wasm.I32), setGlobal(spGlobal, param32()), getGlobal(spGlobal, wasm.I32))
	}, any32(func(x uint32) [2]uint64 { return [2]uint64{uint64(x)} })},
	{"local", func() *node {
		return seq(one(wasm.I32), setLocal(0, do(wasm.OpI32Xor, param32(), i32Const(0xffff))), param32())
	}, any32(func(x uint32) [2]uint64 { return [2]uint64{uint64(x ^ 0xffff)} })},
	{"selected", func() *node {
		return &node{op: wasm.OpSelect, types: one(wasm.I32), args: []*node{do(wasm.OpI32WrapI64, param64()), param32(), i32Const(1)}}
	}, any32(func(x uint32) [2]uint64 { return [2]uint64{7, dirt | uint64(x)} })},
}

// NewAddressProgram makes a module with one memory of so many pages, in which every instruction that accesses memory is
// done at an offset with an index of every shape, and with each of the constant indices. It also does each after an access to the byte at the
// same index and offset, of which a compiler might draw conclusions.
func NewAddressProgram(pages uint64, offset uint32, constants []uint32) (*Program, []Access) {
	p := &Program{start: -1, mem: wasm.Limits{Min: pages, Max: pages, HasMax: true}}
	for range 2 {
		p.globals = append(p.globals, global{wasm.I32, true, i32Const(0)})
	}
	var list []Access
	add := func(a Access, body ...*node) {
		params, results := []wasm.ValType{wasm.I32, wasm.I64}, []wasm.ValType(nil)
		if a.value != wasm.Bottom {
			params = append(params, a.value)
		}
		if t := wasm.Info(a.Op).Sig.Result(); t != wasm.Bottom {
			results = one(t)
		}
		a.Name = fmt.Sprint("f", len(p.funcs))
		p.funcs = append(p.funcs, &function{typ: p.typeIndex(params, results), body: body})
		p.exported = append(p.exported, true)
		list = append(list, a)
	}
	none := func(uint32) (args [2]uint64, ok bool) { return args, true }
	for _, op := range memoryOps() {
		info := wasm.Info(op)
		a := Access{Op: op, Size: uint64(info.Size), value: wasm.Bottom}
		if info.Sig.Operands() == 2 {
			a.value = info.Sig.Operand(1)
		}
		of := func(index *node) *node {
			n := access(op, offset, uint32(bits.TrailingZeros8(info.Size)), index)
			if a.value != wasm.Bottom {
				n.args = append(n.args, getLocal(2, a.value))
			}
			return n
		}
		for _, s := range shapes {
			a.Shape, a.args = s.name, s.args
			add(a, of(s.make()))
		}
		a.Shape, a.args = "again", shapes[0].args
		add(a, &node{op: wasm.OpDrop, args: []*node{access(wasm.OpI32Load8U, offset, 0, param32())}}, of(param32()))
		for _, c := range constants {
			a.Shape, a.args, a.Fixed, a.Index = "constant", none, true, c
			add(a, of(i32Const(c)))
		}
	}
	return p, list
}

// memoryOps are all loads and stores.
func memoryOps() (ops []wasm.Opcode) {
	for op := range wasm.Opcode(opcodes) {
		info := wasm.Info(op)
		if info.Name != "" && info.Feature&^wasm.Features20 == 0 && (info.Imm == wasm.ImmMemArg || info.Imm == wasm.ImmMemLane) {
			ops = append(ops, op)
		}
	}
	return ops
}

// bulkLengths are around the lengths of which copies are made differently.
var bulkLengths = []uint32{0, 1, 3, 4, 7, 8, 15, 16, 17, 33, 64, 127, 128, 129, 300}

// NewBulkProgram makes a module whose functions fill or copy: with the length a constant, or the last parameter. The second bound of a
// copy is a parameter too.
func NewBulkProgram(pages uint64) (*Program, []Access) {
	p := &Program{start: -1, mem: wasm.Limits{Min: pages, Max: pages, HasMax: true}}
	for range 2 {
		p.globals = append(p.globals, global{wasm.I32, true, i32Const(0)})
	}
	p.datas = []dataSegment{{mode: wasm.SegmentPassive, bytes: []byte("what is in a data segment, of which parts are copied")}}
	typ := p.typeIndex([]wasm.ValType{wasm.I32, wasm.I64, wasm.I32}, nil)
	var list []Access
	add := func(a Access, n *node) {
		a.Name, a.Op, a.value, a.args = fmt.Sprint("f", len(p.funcs)), n.op, wasm.I32, shapes[0].args
		p.funcs = append(p.funcs, &function{typ: typ, body: []*node{n}})
		p.exported = append(p.exported, true)
		list = append(list, a)
	}
	low := func() *node { return do(wasm.OpI32WrapI64, param64()) }
	forms := func(shape string, size uint32, length func() *node) {
		a := Access{Shape: shape, Size: uint64(size)}
		add(a, do(wasm.OpMemoryFill, param32(), low(), length()))
		add(a, do(wasm.OpMemoryCopy, param32(), low(), length()))
		add(a, do(wasm.OpMemoryCopy, low(), param32(), length()))
		add(a, do(wasm.OpMemoryInit, param32(), low(), length()))
	}
	for _, n := range bulkLengths {
		forms("constant length", n, func() *node { return i32Const(n) })
	}
	forms("length", 0, func() *node { return getLocal(2, wasm.I32) })
	return p, list
}

// BulkLengths are lengths to try where the length is a parameter.
func BulkLengths() []uint32 { return append([]uint32{0xffffffff, 0x80000000, 65536}, bulkLengths...) }
