// Package regalloc assigns machine registers and stack slots to virtual registers.
//
// It knows no machine and no instruction: a function is given as blocks of
// instructions, each a list of operands with constraints, in flat slices free of
// pointers. The result says where each operand is and which moves must be made
// where. Check verifies a result independently.
package regalloc

import "slices"

// Reg is a machine register: 0–31 integer, 32–63 float and vector.
type Reg uint8

// FirstFloat is the first register of the float class.
const FirstFloat Reg = 32

// RegSet is a set of registers.
type RegSet uint64

// VReg is a virtual register; 0 is none.
type VReg uint32

// Class is a register class.
type Class uint8

const (
	ClassInt   Class = iota // 64 bits
	ClassFloat              // f32, f64: 64 bits
	ClassVec                // 128 bits, same registers as ClassFloat, 16-byte slots
)

// VRegInfo describes a virtual register.
type VRegInfo struct {
	Class Class
	// Home says where the value can always be found without having been spilled.
	Home HomeKind
	// Slot: HomeIncoming: byte offset in the incoming argument area.
	Slot uint32
}

// HomeKind tells how a value can be had again.
type HomeKind uint8

const (
	HomeSpill    HomeKind = iota // spilled to a slot of the frame when needed
	HomeRemat                    // made anew by the target (a constant); has no defining instruction
	HomeIncoming                 // a stack parameter; has no defining instruction
)

// OperandKind says when an operand is read or written within its instruction.
type OperandKind uint8

const (
	Use      OperandKind = iota // read at the start: its register may be given to a Def
	UseLate                     // read until the end: shares no register with any Def
	Def                         // written at the end
	DefEarly                    // written at the start: shares no register with any use; also temporaries
)

// Constraint says where an operand may be.
type Constraint uint8

const (
	AnyReg    Constraint = iota // any register of its class
	Fixed                       // Operand.Reg
	Tied                        // Def only: the same register as operand number Operand.Reg of the instruction, a Use
	RegOrSlot                   // Use only: a register, or the value's slot or incoming argument (memory operand)
)

// Operand is one operand of an instruction. A virtual register may be defined once only (SSA);
// block parameters are defined by their block.
type Operand struct {
	V    VReg
	Kind OperandKind
	Con  Constraint
	Reg  Reg
}

// Inst is an instruction: Ops[OpStart:OpEnd] of the function, uses in any order with defs.
//
// What it clobbers is destroyed between the reading of its Uses and the writing of its Defs. Yet
// only a Use and what is Fixed may be in a clobbered register: late uses, early, tied and free
// definitions are kept clear of them.
type Inst struct {
	OpStart, OpEnd uint32
	Clobbers       uint8 // index into Func.ClobberSets, 0 = none
	// Move marks a register copy with one AnyReg Use and one AnyReg Def of one class: the allocator tries to give both one register.
	Move bool
}

// Block is a basic block: Insts[Start:End], in layout order. The last instruction is the terminator
// (it may have uses and temporaries, but defines nothing that is used; no moves are placed after it).
type Block struct {
	Start, End           uint32
	ParamStart, ParamEnd uint32 // Func.Params
	SuccStart, SuccEnd   uint32 // Func.Edges
	PredStart, PredEnd   uint32 // Func.Preds: edge indices
	Depth                uint8  // loop depth
	Cold                 bool
	Idom                 uint32 // immediate dominator, ^0 for the entry
	LoopHeader           uint32 // innermost loop header (itself for a header), ^0 outside
}

// Edge leads from block to block with the values of To's parameters in Func.EdgeArgs.
type Edge struct {
	From, To         uint32
	ArgStart, ArgEnd uint32
}

// Func is a function to allocate. Blocks are in reverse postorder, block 0 is the entry and has
// neither predecessors nor parameters. The input need not have its critical edges split.
type Func struct {
	VRegs       []VRegInfo // [0] unused
	Blocks      []Block
	Insts       []Inst
	Ops         []Operand
	Params      []VReg
	Edges       []Edge
	EdgeArgs    []VReg
	Preds       []uint32
	ClobberSets []RegSet // [0] = 0
}

// File describes the machine's registers.
type File struct {
	// Alloc lists the registers that may be allocated, by preference, for the integer and the float class.
	Alloc [2][]Reg
	// Scratch registers are never allocated: the target uses them to carry out moves between slots and to break cycles.
	Scratch [2]Reg
	Names   [64]string
}

// Without is the file without an integer register.
func (f *File) Without(r Reg) *File {
	less := *f
	ints := &less.Alloc[ClassInt]
	*ints = slices.DeleteFunc(slices.Clone(*ints), func(x Reg) bool { return x == r })
	return &less
}

// LocKind is a kind of location.
type LocKind uint8

const (
	LocNone     LocKind = iota
	LocReg              // N is the register
	LocSlot             // N is the byte offset in the frame's spill area
	LocIncoming         // N is the byte offset in the incoming argument area
	LocRemat            // N is the virtual register to make anew
)

// Loc is where a value is.
type Loc struct {
	Kind LocKind
	N    uint32
}

// Move copies V from Src to Dst. Src may be of any kind, Dst is a register or a slot of the frame.
type Move struct {
	Src, Dst Loc
	V        VReg
	Class    Class
	// Swap exchanges the integer registers Src and Dst instead (to break a cycle; float cycles go through the scratch register).
	Swap bool
}

// Result is an allocation. Moves lists are to be carried out one after the other, in order.
type Result struct {
	Locs      []Loc      // parallel to Func.Ops
	Moves     []Move     // all moves
	Before    []MoveList // sorted by At: moves before instruction At; before a switch also constants that its edges want
	OnEdge    []MoveList // sorted by At: moves on edge At (the target places them: at the end of From if that has one successor, at the start of To if that has one predecessor, else in a block of their own)
	FrameSize uint32     // bytes of spill slots, a multiple of 8; slots of 16 bytes have offsets divisible by 16
}

// MoveList is Moves[Start:End] at an instruction or edge.
type MoveList struct {
	At         uint32
	Start, End uint32
}
