package frontend

import (
	"math"

	"github.com/wasmaot/wasmaot/compiler/abi"
	"github.com/wasmaot/wasmaot/compiler/ssa"
	"github.com/wasmaot/wasmaot/compiler/wasm"
)

// pageShift is the logarithm of the page size in bytes.
const pageShift = 16

// memoryLowerings are the operators on linear memory. typ is the type of the value loaded.
var memoryLowerings = []lowering{
	wasm.OpI32Load:    {emitLoad, ssa.OpLoad, abi.I32},
	wasm.OpI64Load:    {emitLoad, ssa.OpLoad, abi.I64},
	wasm.OpF32Load:    {emitLoad, ssa.OpLoad, abi.F32},
	wasm.OpF64Load:    {emitLoad, ssa.OpLoad, abi.F64},
	wasm.OpI32Load8S:  {emitLoad, ssa.OpLoad8S, abi.I32},
	wasm.OpI32Load8U:  {emitLoad, ssa.OpLoad8U, abi.I32},
	wasm.OpI32Load16S: {emitLoad, ssa.OpLoad16S, abi.I32},
	wasm.OpI32Load16U: {emitLoad, ssa.OpLoad16U, abi.I32},
	wasm.OpI64Load8S:  {emitLoad, ssa.OpLoad8S, abi.I64},
	wasm.OpI64Load8U:  {emitLoad, ssa.OpLoad8U, abi.I64},
	wasm.OpI64Load16S: {emitLoad, ssa.OpLoad16S, abi.I64},
	wasm.OpI64Load16U: {emitLoad, ssa.OpLoad16U, abi.I64},
	wasm.OpI64Load32S: {emitLoad, ssa.OpLoad32S, abi.I64},
	wasm.OpI64Load32U: {emitLoad, ssa.OpLoad32U, abi.I64},

	wasm.OpI32Store:   {emit: emitStore, op: ssa.OpStore},
	wasm.OpI64Store:   {emit: emitStore, op: ssa.OpStore},
	wasm.OpF32Store:   {emit: emitStore, op: ssa.OpStore},
	wasm.OpF64Store:   {emit: emitStore, op: ssa.OpStore},
	wasm.OpI32Store8:  {emit: emitStore, op: ssa.OpStore8},
	wasm.OpI32Store16: {emit: emitStore, op: ssa.OpStore16},
	wasm.OpI64Store8:  {emit: emitStore, op: ssa.OpStore8},
	wasm.OpI64Store16: {emit: emitStore, op: ssa.OpStore16},
	wasm.OpI64Store32: {emit: emitStore, op: ssa.OpStore32},

	wasm.OpMemorySize: {emit: emitMemorySize},
	wasm.OpMemoryGrow: {emit: emitMemoryGrow},
	wasm.OpMemoryInit: {emit: emitMemoryInit},
	wasm.OpMemoryCopy: {emit: emitMemoryCopy},
	wasm.OpMemoryFill: {emit: emitMemoryFill},
	wasm.OpDataDrop:   {emit: emitDataDrop},
}

// address makes the host address for an access of the current instruction: the one place where
// values of type abi.Addr come from. OpAddr extends the index without sign to 64 bits and adds the
// offset there, so the sum cannot wrap around.
func (b *Builder) address(index uint32) uint32 {
	if !b.plainMemory(b.in.Index) {
		return 0
	}
	if b.in.Bits > math.MaxUint32 {
		b.unsupported("%s with offset 0x%x needs %s", b.in.Op, b.in.Bits, wasm.FeatureMemory64)
		return 0
	}
	size := uint32(wasm.Info(b.in.Op).Size)
	v := b.emit(ssa.OpAddr, abi.Addr, index, uint32(b.in.Bits), b.in.Index<<8|size)
	b.f.Insts[v].Flags = b.addrFlags
	return v
}

// plainMemory refuses memories that are not memory 0 with 32-bit addresses.
func (b *Builder) plainMemory(index uint32) bool {
	switch {
	case index != 0:
		b.unsupported("%s on memory %d needs %s", b.in.Op, index, wasm.FeatureMultiMemory)
	case b.m.Wasm.Mems[0].Is64:
		b.unsupported("%s on a memory with 64-bit addresses needs %s", b.in.Op, wasm.FeatureMemory64)
	default:
		return true
	}
	return false
}

func emitLoad(b *Builder, l *lowering) {
	b.result(b.emit(l.op, l.typ, b.address(b.v.Args()[0]), 0, 0))
}

func emitStore(b *Builder, l *lowering) {
	a := b.v.Args()
	b.emit(l.op, abi.Void, b.address(a[0]), a[1], 0)
}

func emitMemorySize(b *Builder, _ *lowering) {
	if !b.plainMemory(b.in.Index) {
		return
	}
	bytes := b.emit(ssa.OpMemSize, abi.I64, b.in.Index, 0, 0)
	pages := b.emit(ssa.OpShrU, abi.I64, bytes, uint32(b.f.Const(abi.I64, pageShift)), 0)
	b.result(b.emit(ssa.OpWrap, abi.I32, pages, 0, 0))
}

func emitMemoryGrow(b *Builder, _ *lowering) {
	if !b.plainMemory(b.in.Index) {
		return
	}
	old := b.builtin(abi.BuiltinMemoryGrow, b.number(b.in.Index), b.zext(b.v.Args()[0]))
	b.result(b.emit(ssa.OpWrap, abi.I32, old, 0, 0))
}

func emitMemoryInit(b *Builder, _ *lowering) {
	if !b.plainMemory(b.in.Index) {
		return
	}
	a := b.v.Args()
	b.builtin(abi.BuiltinMemoryInit, b.number(b.in.Index), b.number(b.in.Index2), b.zext(a[0]), a[1], a[2])
}

func emitMemoryCopy(b *Builder, _ *lowering) {
	if !b.plainMemory(b.in.Index) || !b.plainMemory(b.in.Index2) {
		return
	}
	a := b.v.Args()
	b.emit(ssa.OpMemCopy, abi.Void, a[0], a[1], a[2])
}

func emitMemoryFill(b *Builder, _ *lowering) {
	if !b.plainMemory(b.in.Index) {
		return
	}
	a := b.v.Args()
	b.emit(ssa.OpMemFill, abi.Void, a[0], a[1], a[2])
}

func emitDataDrop(b *Builder, _ *lowering) {
	b.builtin(abi.BuiltinDataDrop, b.number(b.in.Index))
}

// number is a constant argument of a builtin.
func (b *Builder) number(i uint32) uint32 { return uint32(b.f.Const(abi.I32, uint64(i))) }

// zext is an I32 as I64, without sign.
func (b *Builder) zext(v uint32) uint32 { return b.emit(ssa.OpZext, abi.I64, v, 0, 0) }
