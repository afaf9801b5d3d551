package frontend

import (
	"slices"

	"github.com/wasmaot/wasmaot/compiler/abi"
	"github.com/wasmaot/wasmaot/compiler/ssa"
	"github.com/wasmaot/wasmaot/compiler/wasm"
)

// tableLowerings are the operators on tables and references.
var tableLowerings = []lowering{
	wasm.OpTableGet:  {emit: emitTableGet},
	wasm.OpTableSet:  {emit: emitTableSet},
	wasm.OpTableSize: {emit: emitTableSize},
	wasm.OpTableGrow: {emit: emitTableGrow},
	wasm.OpTableFill: {emit: emitTableFill},
	wasm.OpTableCopy: {emit: emitTableCopy},
	wasm.OpTableInit: {emit: emitTableInit},
	wasm.OpElemDrop:  {emit: emitElemDrop},
	wasm.OpRefNull:   {emit: emitRefNull},
	wasm.OpRefIsNull: {emitUnary, ssa.OpEqz, abi.I32},
	wasm.OpRefFunc:   {emit: emitRefFunc},
}

// plainTable refuses tables with 64-bit indices.
func (b *Builder) plainTable(index uint32) bool {
	if b.m.Wasm.Tables[index].Is64 {
		b.unsupported("%s on a table with 64-bit indices needs %s", b.in.Op, wasm.FeatureMemory64)
		return false
	}
	return true
}

func emitTableGet(b *Builder, _ *lowering) {
	r := b.v.Results()
	r[0].Ref = b.emit(ssa.OpTabGet, Type(r[0].Type), b.in.Index, b.v.Args()[0], 0)
}

func emitTableSet(b *Builder, _ *lowering) {
	a := b.v.Args()
	b.emit(ssa.OpTabSet, abi.Void, b.in.Index, a[0], a[1])
}

func emitTableSize(b *Builder, _ *lowering) {
	if !b.plainTable(b.in.Index) {
		return
	}
	n := b.emit(ssa.OpTabSize, abi.I64, b.in.Index, 0, 0)
	b.result(b.emit(ssa.OpWrap, abi.I32, n, 0, 0))
}

func emitTableGrow(b *Builder, _ *lowering) {
	if !b.plainTable(b.in.Index) {
		return
	}
	a := b.v.Args()
	old := b.refBuiltin(abi.BuiltinTableGrow, 1, b.number(b.in.Index), a[0], b.zext(a[1]))
	b.result(b.emit(ssa.OpWrap, abi.I32, old, 0, 0))
}

func emitTableFill(b *Builder, _ *lowering) {
	if !b.plainTable(b.in.Index) {
		return
	}
	a := b.v.Args()
	b.refBuiltin(abi.BuiltinTableFill, 2, b.number(b.in.Index), b.zext(a[0]), a[1], b.zext(a[2]))
}

func emitTableCopy(b *Builder, _ *lowering) {
	if !b.plainTable(b.in.Index) || !b.plainTable(b.in.Index2) {
		return
	}
	a := b.v.Args()
	b.builtin(abi.BuiltinTableCopy, b.number(b.in.Index), b.number(b.in.Index2), b.zext(a[0]), b.zext(a[1]), b.zext(a[2]))
}

func emitTableInit(b *Builder, _ *lowering) {
	if !b.plainTable(b.in.Index) {
		return
	}
	a := b.v.Args()
	b.builtin(abi.BuiltinTableInit, b.number(b.in.Index), b.number(b.in.Index2), b.zext(a[0]), a[1], a[2])
}

func emitElemDrop(b *Builder, _ *lowering) {
	b.builtin(abi.BuiltinElemDrop, b.number(b.in.Index))
}

func emitRefNull(b *Builder, _ *lowering) {
	r := b.v.Results()
	r[0].Ref = uint32(b.f.Const(Type(r[0].Type), 0))
}

func emitRefFunc(b *Builder, _ *lowering) {
	b.result(b.emit(ssa.OpFuncRef, abi.FuncRef, b.in.Index, 0, 0))
}

// refBuiltin calls a builtin one of whose I64 parameters is a reference to an element of the current instruction's table, which
// travels alike. The call has a signature that says so.
func (b *Builder) refBuiltin(id abi.Builtin, param int, args ...uint32) uint32 {
	sig := abi.Builtins[id].Sig
	sig.Params = slices.Clone(sig.Params)
	sig.Params[param] = Type(b.m.Wasm.Tables[b.in.Index].Elem)
	return b.call(ssa.Call{Kind: ssa.CallBuiltin, Callee: uint32(id), Sig: &sig}, args...)
}
