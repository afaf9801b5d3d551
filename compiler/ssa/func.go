package ssa

import (
	"encoding/binary"

	"github.com/wasmaot/wasmaot/compiler/abi"
)

// Value names an instruction and its result: an index into Func.Insts. 0 is no value.
type Value uint32

// Block is an index into Func.Blocks. Block 0 is the entry; it has no predecessors
// and its parameters are the function's.
type Block uint32

// NoBlock is the absent block.
const NoBlock = ^Block(0)

// Edge is an index into Func.Edges.
type Edge uint32

// Inst is one instruction: small and free of pointers, so that the garbage
// collector never looks at a function's body and arenas can be reused. What A, B and C
// mean follows from the op (see Ops).
//
// That it has four fields matters: Go keeps copies of structs of up to four in registers, those of more in memory, where what is
// made field by field and read as a whole waits for the stores.
type Inst struct {
	Head
	A, B, C uint32
}

// Head is what instructions of all operations have.
type Head struct {
	Op    Op
	Type  abi.Type
	Flags Flags
}

// NewInst makes an instruction without flags.
func NewInst(op Op, t abi.Type, a, b, c uint32) Inst {
	return Inst{Head{Op: op, Type: t}, a, b, c}
}

// Nop makes a deleted instruction.
func Nop() Inst { return Inst{Head: Head{Op: OpNop}} }

// Flags refine an instruction.
type Flags uint8

const (
	// FlagChecked on OpAddr: the address is compared with the memory's size and traps;
	// without it the guard region catches the access.
	FlagChecked Flags = 1 << iota
	// FlagAliased marks a value that a pass has replaced: A is its replacement.
	// It is in no order, and no one refers to it once the pass has resolved its aliases.
	FlagAliased
	// FlagSafe on loads: an access before shows that this one does not trap.
	FlagSafe
)

// BlockKind says how a block ends.
type BlockKind uint8

const (
	BlockNone   BlockKind = iota // under construction
	BlockJump                    // one successor
	BlockIf                      // Ctl ≠ 0: successor 0, else successor 1
	BlockSwitch                  // Ctl (I32, unsigned) selects via Func.Tables; the last entry is the default
	BlockReturn                  // Func.Lists[RetStart:RetEnd] are the results
	BlockTrap                    // traps with code Trap
)

// BlockData is a basic block.
type BlockData struct {
	Kind BlockKind
	Trap abi.Trap // BlockTrap
	Cold bool     // unlikely to run: placed out of line
	Loop uint8    // loop nesting depth, saturating; set by Func.Analyze
	Ctl  Value
	Pos  uint32 // position of the terminator

	InstStart, InstEnd   uint32 // in Func.Order
	ParamStart, ParamEnd uint32 // in Func.Lists: OpParam values
	RetStart, RetEnd     uint32 // in Func.Lists
	SuccStart, SuccEnd   uint32 // in Func.Edges
	PredStart, PredEnd   uint32 // in Func.Preds; set by Func.Analyze
	TabStart, TabEnd     uint32 // BlockSwitch: in Func.Tables

	Idom   Block  // immediate dominator, NoBlock for the entry; set by Func.Analyze
	RPO    uint32 // place in Func.RPO, ^0 if unreachable; set by Func.Analyze
	Header Block  // innermost loop header the block belongs to (itself for a header), NoBlock outside; set by Func.Analyze

	DomIn, DomOut uint32 // Func.DomTree[DomIn:DomOut] are the blocks this one dominates, itself first; set by Func.Analyze
}

// EdgeData leads from one block to another and carries its parameters' values.
// A switch has one edge for each distinct target.
type EdgeData struct {
	From, To         Block
	ArgStart, ArgEnd uint32 // in Func.Lists; as many as To has parameters
}

// CallKind says how a call finds its callee.
type CallKind uint8

const (
	CallDirect   CallKind = iota // Callee is a defined function's index among all functions (imports first)
	CallImport                   // Callee is an imported function's index
	CallIndirect                 // Table and Sig; the last argument is the element index (I32 or I64)
	CallBuiltin                  // Callee is an abi.Builtin
)

// Call describes the call of an OpCall.
type Call struct {
	Kind             CallKind
	Local            bool // CallIndirect: every element of the table is null or a function this module defines
	SameSig          bool // CallIndirect: every non-null element of the table has type Sig
	Callee           uint32
	Table            uint32
	TypeIndex        uint32 // CallIndirect: index in the type section
	Sig              *abi.Signature
	ArgStart, ArgEnd uint32 // in Func.Lists
}

// Module is what a function's body refers to beyond itself. It is shared by all
// functions and read-only while they are compiled.
type Module struct {
	Layout      abi.Layout
	FuncSigs    []*abi.Signature // all functions, imported first
	GlobalTypes []abi.Type       // all globals, imported first
	TableMin    []uint64         // all tables: least number of elements
	TableFixed  []bool           // all tables: the length never changes
	MemGap      []uint32         // all memories: how many bytes below 1<<32 never belong to it
	FuncNames   func(i uint32) string
	Pinned      uint32 // 1 + index of the pinned global, see abi.Convention; 0: there is none
	Limbs       bool   // OpMulAddLimbs may be made
	Polls       uint32 // index of an I32 global of the compiler's own that counts down to the next poll; NoPolls if there are none
}

// PinnedCell is where the pinned global's cell is, from the context on, if there is such a global.
func (m *Module) PinnedCell() (at uint32, ok bool) {
	l := &m.Layout
	return l.Globals + (m.Pinned-1-uint32(l.Shape.ImportedGlobals))*abi.GlobalCellSize, m.Pinned != 0
}

// NoPolls in Module.Polls: code does not poll.
const NoPolls = ^uint32(0)

// Func is a function in SSA form with block parameters. All its parts are flat
// slices that Reset keeps for the next function.
//
// Insts[0] is unused so that Value 0 is none. Constants and parameters are in no
// block's order. An instruction's operands that are values dominate it.
type Func struct {
	Module *Module
	Index  uint32 // among all functions of the module, imported first
	Name   string // may be empty
	Sig    *abi.Signature

	Insts  []Inst
	Pos    []uint32 // position of each instruction, parallel to Insts: a wasm offset, or one of Inlined
	Blocks []BlockData
	Order  []Value
	Edges  []EdgeData
	Lists  []Value // block parameters, edge arguments, call arguments, returned values
	Tables []Edge  // switch tables: for each index the edge to take
	Calls  []Call
	Vecs   [][16]byte // vector constants
	RPO    []Block    // reachable blocks in reverse postorder; set by Analyze
	Preds  []Edge     // set by Analyze

	DomTree []Block // reachable blocks in preorder of the dominator tree; set by Analyze

	Inlined []InlinedPos // positions of instructions of other functions

	consts constTable
}

// Reset empties f and keeps its memory. It comes before everything else that is done with a Func.
func (f *Func) Reset() {
	prepare.Do(makeTables)
	f.Module, f.Index, f.Name, f.Sig = nil, 0, "", nil
	f.Insts = append(f.Insts[:0], Inst{})
	f.Pos = append(f.Pos[:0], 0)
	f.Blocks = f.Blocks[:0]
	f.Order = f.Order[:0]
	f.Edges = f.Edges[:0]
	f.Lists = f.Lists[:0]
	f.Tables = f.Tables[:0]
	clear(f.Calls)
	f.Calls = f.Calls[:0]
	f.Vecs = f.Vecs[:0]
	f.RPO = f.RPO[:0]
	f.Preds = f.Preds[:0]
	f.DomTree = f.DomTree[:0]
	f.Inlined = f.Inlined[:0]
	f.consts.reset()
}

// InlinedPos is where an instruction of a function comes from that stands in the place of a call: its own wasm offset and the call's.
type InlinedPos struct{ Pos, Call uint32 }

// inlinedBit marks a position that is an index of Func.Inlined. Modules of 2 GiB have no inlined functions.
const inlinedBit = 1 << 31

// InlinedPos gives the position of an instruction at a wasm offset in a function that stands in the place of the call at another.
func (f *Func) InlinedPos(pos, call uint32) uint32 {
	if n := len(f.Inlined); n == 0 || f.Inlined[n-1] != (InlinedPos{pos, call}) {
		f.Inlined = append(f.Inlined, InlinedPos{pos, call})
	}
	return inlinedBit | uint32(len(f.Inlined)-1)
}

// Origin is where an instruction at a position comes from; Call is 0 if that is the function itself.
func (f *Func) Origin(pos uint32) InlinedPos {
	if i := pos &^ inlinedBit; i != pos && int(i) < len(f.Inlined) {
		return f.Inlined[i]
	}
	return InlinedPos{Pos: pos}
}

// NewValue adds an instruction that is in no block's order yet.
func (f *Func) NewValue(op Op, t abi.Type, a, b, c uint32, pos uint32) Value {
	f.Insts = append(f.Insts, NewInst(op, t, a, b, c))
	f.Pos = append(f.Pos, pos)
	return Value(len(f.Insts) - 1)
}

// Const gives the value of a constant of up to 64 bits, or a vector with these as its low half;
// equal constants are one value.
func (f *Func) Const(t abi.Type, bits uint64) Value {
	if t == abi.V128 {
		var vec [16]byte
		binary.LittleEndian.PutUint64(vec[:], bits)
		return f.VecConst(vec)
	}
	if t == abi.I32 || t == abi.F32 {
		bits = uint64(uint32(bits))
	}
	slot := f.consts.slot(f, t, bits, nil)
	if *slot == 0 {
		*slot = f.NewValue(OpConst, t, uint32(bits), uint32(bits>>32), 0, 0)
	}
	return *slot
}

// ConstBits returns the bits of a constant of up to 64 bits.
func (i *Inst) ConstBits() uint64 { return uint64(i.A) | uint64(i.B)<<32 }

// IsConst reports whether v is a constant of up to 64 bits, and its bits.
func (f *Func) IsConst(v Value) (uint64, bool) {
	i := &f.Insts[v]
	return i.ConstBits(), i.Op == OpConst && i.Type != abi.V128
}

// Order, parameters, successors and so on of a block.
func (f *Func) OrderOf(b *BlockData) []Value    { return f.Order[b.InstStart:b.InstEnd] }
func (f *Func) ParamsOf(b *BlockData) []Value   { return f.Lists[b.ParamStart:b.ParamEnd] }
func (f *Func) ReturnsOf(b *BlockData) []Value  { return f.Lists[b.RetStart:b.RetEnd] }
func (f *Func) SuccsOf(b *BlockData) []EdgeData { return f.Edges[b.SuccStart:b.SuccEnd] }
func (f *Func) PredsOf(b *BlockData) []Edge     { return f.Preds[b.PredStart:b.PredEnd] }
func (f *Func) TableOf(b *BlockData) []Edge     { return f.Tables[b.TabStart:b.TabEnd] }
func (f *Func) ArgsOf(e *EdgeData) []Value      { return f.Lists[e.ArgStart:e.ArgEnd] }
func (f *Func) CallArgs(c *Call) []Value        { return f.Lists[c.ArgStart:c.ArgEnd] }
