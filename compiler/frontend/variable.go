package frontend

import (
	"github.com/wasmaot/wasmaot/compiler/abi"
	"github.com/wasmaot/wasmaot/compiler/ssa"
	"github.com/wasmaot/wasmaot/compiler/wasm"
)

// variableLowerings are the operators on locals and globals, and those that only move operands.
var variableLowerings = []lowering{
	wasm.OpNop:       {emit: emitNothing},
	wasm.OpDrop:      {emit: emitNothing},
	wasm.OpSelect:    {emit: emitSelect},
	wasm.OpSelectT:   {emit: emitSelect},
	wasm.OpLocalGet:  {emit: emitLocalGet},
	wasm.OpLocalSet:  {emit: emitLocalSet},
	wasm.OpLocalTee:  {emit: emitLocalTee},
	wasm.OpGlobalGet: {emit: emitGlobalGet},
	wasm.OpGlobalSet: {emit: emitGlobalSet},
}

func emitNothing(*Builder, *lowering) {}

func emitSelect(b *Builder, _ *lowering) {
	a, r := b.v.Args(), b.v.Results()
	r[0].Ref = b.emit(ssa.OpSelect, Type(r[0].Type), a[2], a[0], a[1])
}

func emitLocalGet(b *Builder, _ *lowering) { b.result(b.locals.get(b.in.Index)) }

func emitLocalSet(b *Builder, _ *lowering) { b.locals.set(b.in.Index, b.v.Args()[0]) }

func emitLocalTee(b *Builder, _ *lowering) {
	v := b.v.Args()[0]
	b.locals.set(b.in.Index, v)
	b.result(v)
}

func emitGlobalGet(b *Builder, _ *lowering) {
	i := b.in.Index
	t := b.m.SSA.GlobalTypes[i]
	if g := &b.m.globals[i]; g.constant {
		b.result(uint32(b.f.Const(t, g.bits)))
		return
	}
	b.result(b.emit(ssa.OpGlobal, t, i, 0, 0))
}

func emitGlobalSet(b *Builder, _ *lowering) {
	b.emit(ssa.OpGlobalSet, abi.Void, b.in.Index, b.v.Args()[0], 0)
}
