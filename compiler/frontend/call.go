package frontend

import (
	"github.com/wasmaot/wasmaot/compiler/abi"
	"github.com/wasmaot/wasmaot/compiler/ssa"
	"github.com/wasmaot/wasmaot/compiler/wasm"
)

// callLowerings are the calls.
var callLowerings = []lowering{
	wasm.OpCall:         {emit: emitCall},
	wasm.OpCallIndirect: {emit: emitCallIndirect},
}

// call appends the call c with its arguments and gives the first result.
func (b *Builder) call(c ssa.Call, args ...uint32) uint32 {
	f := b.f
	c.ArgStart, c.ArgEnd = b.list(args)
	f.Calls = append(f.Calls, c)
	t := abi.Void
	if len(c.Sig.Results) > 0 {
		t = c.Sig.Results[0]
	}
	return b.emit(ssa.OpCall, t, uint32(len(f.Calls)-1), 0, 0)
}

// callResults is call with the results pushed on the operand stack.
func (b *Builder) callResults(c ssa.Call, args []uint32) {
	v := b.call(c, args...)
	r := b.v.Results()
	for i := range r {
		if i == 0 {
			r[i].Ref = v
		} else {
			r[i].Ref = b.emit(ssa.OpResult, c.Sig.Results[i], v, uint32(i), 0)
		}
	}
}

// builtin calls a function of the runtime.
func (b *Builder) builtin(id abi.Builtin, args ...uint32) uint32 {
	return b.call(ssa.Call{Kind: ssa.CallBuiltin, Callee: uint32(id), Sig: &abi.Builtins[id].Sig}, args...)
}

func emitCall(b *Builder, _ *lowering) {
	callee := b.in.Index
	kind := ssa.CallDirect
	if int(callee) < b.m.Wasm.ImportedFuncs {
		kind = ssa.CallImport
	}
	b.callResults(ssa.Call{Kind: kind, Callee: callee, Sig: b.m.SSA.FuncSigs[callee]}, b.v.Args())
	if b.m.unwinds(callee) {
		b.result(b.number(1))
		b.f.Blocks[b.cur].Cold = true
	}
}

func emitCallIndirect(b *Builder, _ *lowering) {
	typ, table := b.in.Index, b.in.Index2
	fact := &b.m.tables[table]
	b.callResults(ssa.Call{
		Kind:      ssa.CallIndirect,
		Table:     table,
		TypeIndex: typ,
		Sig:       &b.m.sigs[typ],
		Local:     fact.local,
		SameSig:   fact.only(b.m.classes[typ]),
	}, b.v.Args())
}
