package backend

// A Template says how an instruction over virtual registers is assembled (Inst.Op). Its operands come in the order
// given here or where the instruction set defines its own: definitions and temporaries, uses.
type Template uint16

// The templates of all instruction sets.
const (
	_          Template = iota
	TBranch             // operands of a comparison: to successor 0 if Cond, else to successor 1
	TEntry              // parameters in registers
	TCall               // arguments, results; Imm is the function
	TCallOwn            // the same; FuncDesc of a function of the module at context + Disp
	TCallDesc           // the same; FuncDesc address at context + Disp, or with AuxLocal the builtin's at Disp in their array
	TCallTable          // index in the callee register, the form for the length in the TableRec, arguments, results; Imm = type id's offset << 32 | constant length
	TReturn             // results in registers
	TJump
	TSwitch // temp, index; Imm entries in Func.Switches from Aux
	TTrap   // Imm is the trap
	TPoison // d = a: the upper half becomes garbage
	TPinned // d = the pinned global
	TPin    // the pinned global = u

	TCheckAddr // d (early), index, MemoryRec, base unless pinned: a checked address; Imm = offset + size, Aux = size, AuxIndex64
	TMemCopy   // destination, source, count where isel.Bulk says; Imm is the length, if it is a constant
	TMemFill   // destination, value, count; likewise
	TCopyShort // two temps, vector temps for the chunks, destination, source: Imm bytes; AuxUnchecked: one temp or those for the chunks
	TFillShort // two temps, destination, value: Imm bytes; AuxUnchecked: one temp
	TIndexMask // d (early), index, the form for the length unless AuxFixed: a checked index; Cond is the trap
	TCopysign  // d = a with the sign of b
	TBitcast   // d, a: between the register classes
	TVector    // as the instruction set has it; Imm = ssa.Op | number<<16, Cond = ssa.Shape
	TMachine
)

// AuxUnchecked in Inst.Aux of bulk operations: they rely on guard regions.
const AuxUnchecked = 1

// AuxZeros in Inst.Aux of fills: the byte is 0.
const AuxZeros = 2

// Parts of Inst.Aux of calls and of TIndexMask.
const (
	AuxLocal   = 1 << 25 // the callee belongs to the same instance
	AuxSameSig = 1 << 26 // no check of the type
	AuxFixed   = 1 << 27 // the table's length is constant: the low half of Imm
	AuxIndex64 = 1 << 29 // the index has 64 bits
)
