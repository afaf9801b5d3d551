package frontend

import (
	"github.com/wasmaot/wasmaot/compiler/abi"
	"github.com/wasmaot/wasmaot/compiler/leaf"
	"github.com/wasmaot/wasmaot/compiler/ssa"
	"github.com/wasmaot/wasmaot/compiler/wasm"
)

// Module is what the functions of a module share while they are built. It is
// read-only once it is made.
type Module struct {
	Wasm *wasm.Module
	SSA  *ssa.Module

	// Leaves are bodies to be built in the place of the functions' own, by function.
	Leaves map[uint32]leaf.Body

	sigs    []abi.Signature // by type index
	globals []globalFact
	tables  []tableFact
	classes []uint32 // by type index: the first equal type

	unwinders []bool // by function; nil: not looked for
	resumes   bool   // there are unwinders: functions (i32) → i32 are resumed in the state that they are called with
}

// globalFact says which globals are constants.
type globalFact struct {
	constant bool
	bits     uint64
}

// NewModule prepares a decoded module. Its function bodies need not be valid.
func NewModule(m *wasm.Module) (*Module, error) {
	mod := &Module{Wasm: m, SSA: &ssa.Module{Layout: abi.NewLayout(shape(m)), Polls: ssa.NoPolls}}
	mod.sigs = make([]abi.Signature, len(m.Types))
	for i := range m.Types {
		t := &m.Types[i]
		mod.sigs[i] = abi.Signature{Params: types(t.Params), Results: types(t.Results)}
	}
	mod.SSA.FuncSigs = make([]*abi.Signature, len(m.Funcs))
	for i := range m.Funcs {
		mod.SSA.FuncSigs[i] = &mod.sigs[m.Funcs[i].Type]
	}
	mod.SSA.GlobalTypes = make([]abi.Type, len(m.Globals))
	mod.globals = make([]globalFact, len(m.Globals))
	for i := range m.Globals {
		mod.SSA.GlobalTypes[i] = Type(m.Globals[i].Type)
		mod.globals[i] = globalFactOf(&m.Globals[i])
	}
	mod.SSA.MemGap = make([]uint32, len(m.Mems))
	for i := range m.Mems {
		if t := &m.Mems[i]; i >= m.ImportedMems && !t.Is64 && t.Min<<16 <= 1<<32-abi.MemoryGap {
			mod.SSA.MemGap[i] = abi.MemoryGap
		}
	}
	names := m.Names.Funcs
	mod.SSA.FuncNames = func(i uint32) string { return names[i] }
	mod.findTableFacts()
	return mod, nil
}

// Signature is the type section's entry typ in machine types.
func (m *Module) Signature(typ uint32) abi.Signature { return m.sigs[typ] }

func shape(m *wasm.Module) abi.Shape {
	return abi.Shape{
		Types:            len(m.Types),
		ImportedFuncs:    m.ImportedFuncs,
		Funcs:            len(m.Funcs) - m.ImportedFuncs,
		ImportedGlobals:  m.ImportedGlobals,
		Globals:          len(m.Globals) - m.ImportedGlobals,
		ImportedTables:   m.ImportedTables,
		Tables:           len(m.Tables) - m.ImportedTables,
		ImportedMemories: m.ImportedMems,
		Memories:         len(m.Mems) - m.ImportedMems,
	}
}

// Type is the machine type of a wasm type.
func Type(t wasm.ValType) abi.Type {
	switch t {
	case wasm.I32:
		return abi.I32
	case wasm.I64:
		return abi.I64
	case wasm.F32:
		return abi.F32
	case wasm.F64:
		return abi.F64
	case wasm.V128:
		return abi.V128
	case wasm.ExternRef:
		return abi.ExternRef
	case wasm.Bottom:
		return abi.Void
	}
	return abi.FuncRef
}

func types(ts []wasm.ValType) []abi.Type {
	if len(ts) == 0 {
		return nil
	}
	out := make([]abi.Type, len(ts))
	for i, t := range ts {
		out[i] = Type(t)
	}
	return out
}

func globalFactOf(g *wasm.Global) globalFact {
	if g.Mutable || g.Init == nil || len(g.Init.Instrs) != 1 {
		return globalFact{}
	}
	switch in := &g.Init.Instrs[0]; in.Op {
	case wasm.OpI32Const, wasm.OpI64Const, wasm.OpF32Const, wasm.OpF64Const:
		return globalFact{true, in.Bits}
	case wasm.OpRefNull:
		return globalFact{true, 0}
	}
	return globalFact{}
}
