package abi

// Builtin is a runtime function that generated code calls like an imported one:
// FuncDesc address from the array at CtxBuiltins, arguments by the ordinary
// calling convention. A builtin that fails traps and does not return.
type Builtin uint8

const (
	BuiltinMemoryGrow Builtin = iota // (memory i32, pages i64) → old size in pages or -1, i64
	BuiltinMemoryInit                // (memory i32, segment i32, dst i64, src i32, len i32)
	BuiltinMemoryCopy                // (dst memory i32, src memory i32, dst i64, src i64, len i64)
	BuiltinMemoryFill                // (memory i32, dst i64, value i32, len i64)
	BuiltinDataDrop                  // (segment i32)
	BuiltinTableGrow                 // (table i32, init ref, n i64) → old size or -1, i64
	BuiltinTableFill                 // (table i32, dst i64, value ref, len i64)
	BuiltinTableCopy                 // (dst table i32, src table i32, dst i64, src i64, len i64)
	BuiltinTableInit                 // (table i32, segment i32, dst i64, src i32, len i32)
	BuiltinElemDrop                  // (segment i32)
	BuiltinPoll                      // () lets the host's scheduler and the end of the call's context have their turn
	BuiltinCount
)

// BuiltinInfo is a builtin's name and signature. A reference parameter is passed
// as I64.
type BuiltinInfo struct {
	Name string
	Sig  Signature
}

var Builtins = [BuiltinCount]BuiltinInfo{
	BuiltinMemoryGrow: {"memory.grow", Signature{[]Type{I32, I64}, []Type{I64}}},
	BuiltinMemoryInit: {"memory.init", Signature{[]Type{I32, I32, I64, I32, I32}, nil}},
	BuiltinMemoryCopy: {"memory.copy", Signature{[]Type{I32, I32, I64, I64, I64}, nil}},
	BuiltinMemoryFill: {"memory.fill", Signature{[]Type{I32, I64, I32, I64}, nil}},
	BuiltinDataDrop:   {"data.drop", Signature{[]Type{I32}, nil}},
	BuiltinTableGrow:  {"table.grow", Signature{[]Type{I32, I64, I64}, []Type{I64}}},
	BuiltinTableFill:  {"table.fill", Signature{[]Type{I32, I64, I64, I64}, nil}},
	BuiltinTableCopy:  {"table.copy", Signature{[]Type{I32, I32, I64, I64, I64}, nil}},
	BuiltinTableInit:  {"table.init", Signature{[]Type{I32, I32, I64, I32, I32}, nil}},
	BuiltinElemDrop:   {"elem.drop", Signature{[]Type{I32}, nil}},
	BuiltinPoll:       {"poll", Signature{}},
}
