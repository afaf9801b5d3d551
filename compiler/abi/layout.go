package abi

// The instance context ("vmctx") is one block of memory outside Go's heap, one
// for each instance. Generated code reaches it through the context register. It
// begins with a fixed header; what follows depends on the module's Shape and is
// given by its Layout, which compiler and loader compute alike.
const (
	CtxMemBase  = 0  // u64: host address of memory 0; never changes
	CtxMemRec   = 8  // u64: address of memory 0's MemoryRec
	CtxBuiltins = 16 // u64: address of the array of Builtin FuncDesc addresses
	CtxInstance = 24 // u64: the loader's handle of the instance
	CtxNullFunc = 32 // u64: address of the FuncDesc that stands for null (its type id is 0)
	CtxSelf     = 40 // u64: address of this context
	CtxFaults   = 48 // u64: address of the ranges in which a fault is a trap (the loader's: pairs of start and size, a size of 0 ends them)
	CtxPinned   = 56 // u64: address of the pinned global's cell, see Convention; of Layout.Unpinned if there is none
	CtxHeader   = 64
)

// A MemoryRec is what changes about a linear memory.
const (
	MemoryRecBase  = 0 // u64: host address
	MemoryRecBytes = 8 // u64: size in bytes, always a multiple of the page size
	MemoryRecSize  = 16
)

// A TableRec is a table: its elements are 8 bytes each, a FuncDesc address or a
// host handle, 0 for null.
const (
	TableRecBase = 0 // u64: address of element 0
	TableRecLen  = 8 // u64: number of elements, below 1<<32
	TableRecSize = 16
)

// A FuncDesc is what a function reference points at.
const (
	FuncDescCode   = 0  // u64: entry address
	FuncDescCtx    = 8  // u64: context register's value for it
	FuncDescTypeID = 16 // u32: canonical id of the function type, process-wide, never 0
	FuncDescIndex  = 20 // u32: function index in the module that owns it
	FuncDescHost   = 24 // u64: for host functions and builtins, the loader's handle; else 0
	FuncDescSize   = 32
)

// GlobalCellSize is the room of one global; all types fit.
const GlobalCellSize = 16

// Shape is what a module's context layout depends on. Each index space has the
// imported entries first.
type Shape struct {
	Types                      int // entries of the type section
	ImportedFuncs, Funcs       int // Funcs counts defined ones only, and so on
	ImportedGlobals, Globals   int
	ImportedTables, Tables     int
	ImportedMemories, Memories int
}

// Layout gives byte offsets from the context register.
type Layout struct {
	Shape      Shape
	Imports    uint32 // [ImportedFuncs]u64: FuncDesc address of each imported function
	GlobalPtrs uint32 // [ImportedGlobals]u64: address of each imported global's cell
	Globals    uint32 // [Globals]cell, 16-byte aligned
	TablePtrs  uint32 // [ImportedTables]u64: address of each imported TableRec
	Tables     uint32 // [Tables]TableRec
	MemoryPtrs uint32 // [ImportedMemories]u64: address of each imported MemoryRec
	Memories   uint32 // [Memories]MemoryRec
	TypeIDs    uint32 // [Types]u32: canonical id of each type
	Funcs      uint32 // [Funcs]FuncDesc of the defined functions
	Unpinned   uint32 // cell for what is in the pinned global's register where there is no such global
	Size       uint32
}

// NewLayout computes the layout of a module's context.
func NewLayout(s Shape) Layout {
	l := Layout{Shape: s}
	at := uint32(CtxHeader)
	room := func(n, size, align int) uint32 {
		a := uint32(align)
		at = (at + a - 1) &^ (a - 1)
		start := at
		at += uint32(n * size)
		return start
	}
	l.Globals = room(s.Globals, GlobalCellSize, 16) // first: the hot ones get short displacements
	l.Memories = room(s.Memories, MemoryRecSize, 8)
	l.MemoryPtrs = room(s.ImportedMemories, 8, 8)
	l.Tables = room(s.Tables, TableRecSize, 8)
	l.TablePtrs = room(s.ImportedTables, 8, 8)
	l.GlobalPtrs = room(s.ImportedGlobals, 8, 8)
	l.Imports = room(s.ImportedFuncs, 8, 8)
	l.TypeIDs = room(s.Types, 4, 4)
	l.Funcs = room(s.Funcs, FuncDescSize, 16)
	l.Unpinned = room(1, GlobalCellSize, 16)
	l.Size = room(0, 0, 16)
	return l
}

// MemoryGap is how many bytes below 1<<32 never belong to a memory with 32-bit addresses, unless some of them do from the start:
// no memory grows so far. Whoever accesses a memory at an address knows that this many more bytes do not take it around.
const MemoryGap = 65536
