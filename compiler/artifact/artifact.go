// Package artifact is the file that the compiler makes and the loader maps: native
// code, what the runtime must know about it, and the module's declarations.
package artifact

import "github.com/wasmaot/wasmaot/compiler/abi"

// Artifact is a compiled module in memory. All slices may point into a mapped
// file: read-only.
type Artifact struct {
	Header Header
	Module Module
	Text   []byte // position independent code
	Funcs  []Func // defined functions in index order
	Traps  Sites  // instructions that may fault
	Calls  Sites  // return addresses
	Names  string // all function names
	// Image is the initial contents of memory 0 from ImageStart on, all active segments with constant
	// offsets merged (page-aligned in the file so that it can be mapped copy-on-write); empty if segments
	// must be applied one by one (Module.Datas).
	Image      []byte
	ImageStart uint64

	// Compile, if not nil, gives the code of defined function i: the artifact has no Text, Traps and Calls, its functions are compiled when they are
	// first called, and only their Type, WasmOff and name are known before. It may be called by several goroutines, for a function more than once.
	Compile func(i int) (*Piece, error)

	// Source is where Text and Image can be mapped from, nil if they are only in memory.
	Source *Source
	// Check, if not nil, tells whether what Map has not compared with its checksum is sound. It is called before any of the artifact's code
	// runs and before its memory image is read: by whoever made the artifact, who then sets it to nil, or by the loader.
	Check func() error
	// Release, if not nil, is called once by the loader when it needs the artifact no more, after a successful
	// Load: a mapped file may go then.
	Release func() error
}

// Source is an open file with an artifact. The pages that hold Text and Image are filled up with zeros.
type Source struct {
	FD          int
	Text, Image int64 // offsets in the file
}

// Piece is the code of one function, position independent. Other functions of the module are called through their descriptors. Offsets are from
// the beginning of Text, which is to be placed at a multiple of Align.
type Piece struct {
	Text         []byte
	Align        uint32
	FrameSize    uint32 // as Func's
	Traps, Calls Sites
}

// Header identifies an artifact and what it needs.
type Header struct {
	Format   uint32 // FormatVersion
	ABI      uint32 // abi.Version
	Target   string // GOARCH
	Features uint64 // CPU features the code needs, as the target numbers them
	Build    string // the compiler's build
	Options  string // the options that shape code, canonical
	WasmHash [32]byte
	Tier     Tier
}

// Tier is how memory accesses are kept inside memory.
type Tier uint8

const (
	TierGuard    Tier = iota // 8 GiB are reserved, the guard catches everything
	TierExplicit             // every access compares with the size
)

// Func is a defined function. FuncName gives its name.
type Func struct {
	Off, Size        uint32 // in Text
	FrameSize        uint32 // bytes between return address and stack pointer in the body
	Type             uint32 // index in Module.Types
	WasmOff          uint32 // of the body in the wasm file
	NameOff, NameLen uint32 // in Names; from the name section, else empty
}

// FuncName is the name of defined function i, empty if the module gives none.
func (a *Artifact) FuncName(i int) string {
	f := &a.Funcs[i]
	return a.Names[f.NameOff : f.NameOff+f.NameLen]
}

// Module is the module's declarations as the loader needs them.
type Module struct {
	Name              string
	Types             []abi.Signature // equal signatures are equal types (Wasm 2.0)
	Imports           []Import
	Exports           []Export
	ImportedFuncTypes []uint32 // type index of each imported function
	Tables            []Table  // all, imported first
	Mems              []Memory // all, imported first
	Globals           []Global // all, imported first
	Pinned            uint32   // 1 + index of the pinned global, see abi.Convention; 0: there is none
	Elems             []Elem
	Datas             []Data // segments that are not part of the Image, in order; others are to be taken as dropped
	Start             int64  // function index or -1
}

// Kind is the kind of an import or export, with the numbers of the binary format.
type Kind uint8

const (
	KindFunc Kind = iota
	KindTable
	KindMemory
	KindGlobal
	KindTag
)

func (k Kind) String() string {
	return [...]string{"function", "table", "memory", "global", "tag", "?"}[min(k, 5)]
}

// Import is an import; Index is its place in the kind's index space.
type Import struct {
	Module, Name string
	Kind         Kind
	Index        uint32
}

// Export is an export.
type Export struct {
	Name  string
	Kind  Kind
	Index uint32
}

// Table is a table's type.
type Table struct {
	Elem     abi.Type
	Min, Max uint64 // Max is ^0 if there is none
	Init     *Expr  // initial value of all elements, nil for null
}

// Memory is a memory's type, in pages of 64 KiB.
type Memory struct {
	Min, Max uint64 // Max is ^0 if there is none
	Is64     bool
}

// Global is a global; Init is nil for imported ones.
type Global struct {
	Type    abi.Type
	Mutable bool
	Init    *Expr
}

// ExprOp is an instruction of a constant expression, in evaluation order on a stack.
type ExprOp uint8

const (
	ExprConst   ExprOp = iota // Bits (and Hi for vectors)
	ExprGlobal                // value of global Index
	ExprRefFunc               // function Index
	ExprRefNull
	ExprI32Add // extended constant expressions
	ExprI32Sub
	ExprI32Mul
	ExprI64Add
	ExprI64Sub
	ExprI64Mul
)

// ExprInst is one of them.
type ExprInst struct {
	Op       ExprOp
	Index    uint32
	Bits, Hi uint64
}

// Expr is a constant expression.
type Expr struct{ Insts []ExprInst }

// SegmentMode says when a segment is applied.
type SegmentMode uint8

const (
	SegmentActive SegmentMode = iota
	SegmentPassive
	SegmentDeclarative
)

// Elem is an element segment.
type Elem struct {
	Mode  SegmentMode
	Type  abi.Type
	Table uint32
	Start *Expr
	Funcs []uint32 // function indices; or
	Exprs []Expr
}

// Len is the number of elements.
func (e *Elem) Len() int { return len(e.Funcs) + len(e.Exprs) }

// Data is a data segment; Index is its place among all.
type Data struct {
	Index uint32
	Mode  SegmentMode
	Mem   uint32
	Start *Expr
	Init  []byte
}

// Shape is what the module's context layout depends on.
func (m *Module) Shape() abi.Shape {
	var s abi.Shape
	s.Types = len(m.Types)
	for _, im := range m.Imports {
		switch im.Kind {
		case KindFunc:
			s.ImportedFuncs++
		case KindTable:
			s.ImportedTables++
		case KindMemory:
			s.ImportedMemories++
		case KindGlobal:
			s.ImportedGlobals++
		}
	}
	s.Tables = len(m.Tables) - s.ImportedTables
	s.Memories = len(m.Mems) - s.ImportedMemories
	s.Globals = len(m.Globals) - s.ImportedGlobals
	return s // Funcs is the number of the artifact's functions
}

// Layout is the context layout of the artifact's module.
func (a *Artifact) Layout() abi.Layout {
	s := a.Module.Shape()
	s.Funcs = len(a.Funcs)
	return abi.NewLayout(s)
}

// PinnedCell is where CtxPinned points, from the context on.
func (m *Module) PinnedCell(l *abi.Layout) uint32 {
	if g := int(m.Pinned) - 1 - l.Shape.ImportedGlobals; g >= 0 && g < l.Shape.Globals {
		return l.Globals + uint32(g)*abi.GlobalCellSize
	}
	return l.Unpinned
}
