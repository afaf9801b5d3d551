package wasm

// Instr is a decoded instruction. Only the fields that belong to the operator's
// immediates (see Imm) are meaningful, the others keep what they had.
type Instr struct {
	Op            Opcode
	Offset        uint32   // in the file
	Index, Index2 uint32   // local, global, function, type, table, memory, segment, depth, lane
	Bits          uint64   // constants of up to 64 bits (i32 sign-extended); offset of loads and stores
	Align         uint32   // of loads and stores: logarithm
	Vec           [16]byte // v128.const, shuffle lanes
	Targets       []uint32 // br_table: depths, default last; valid until the next call of Next
}

// Operand is an entry of the operand stack.
type Operand struct {
	Type ValType
	Ref  uint32 // belongs to the caller: an SSA value
}

// Frame is an entry of the control stack.
type Frame struct {
	Op              Opcode // OpBlock, OpLoop, OpIf, OpElse; OpBlock for the function itself
	Unreachable     bool   // code since an unconditional branch
	Ref             uint32 // belongs to the caller
	Height          int    // of the operand stack at entry, below the parameters
	Params, Results []ValType
}

// LabelTypes are the types that a branch to the frame takes.
func (f *Frame) LabelTypes() []ValType {
	if f.Op == OpLoop {
		return f.Params
	}
	return f.Results
}
