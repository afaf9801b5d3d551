package wasm

import "iter"

// Module is a decoded module whose declarations are valid. Function bodies are not
// yet checked: a Validator does that, one body at a time.
//
// Slices of bytes point into the file that was decoded.
type Module struct {
	Source  []byte // the whole file
	Types   []FuncType
	Imports []Import
	Exports []Export
	Funcs   []Func       // all functions, imported first
	Tables  []TableType  // all tables, imported first
	Mems    []MemoryType // all memories, imported first
	Globals []Global     // all globals, imported first
	Tags    []Tag        // all tags, imported first (exception handling)
	Elems   []ElemSegment
	Start   int64 // function index, -1 if there is none

	ImportedFuncs, ImportedTables, ImportedMems, ImportedGlobals, ImportedTags int

	// DataCount is the data count section's value, -1 without one.
	DataCount int64
	// DataLen is the number of data segments; Datas gives them.
	DataLen int

	Names     NameSection
	Customs   []CustomSection
	Producers []byte // contents of the "producers" section, nil without one

	features Features
	dataAt   int // where the first data segment begins in Source
}

// ValType is a value type: number, vector or reference. References carry nullability and a heap
// type, which may be an index in the type section (Wasm 3.0).
type ValType uint32

// FuncType is a function type.
type FuncType struct {
	Params, Results []ValType
}

// ExternKind is the kind of an import or export, as encoded.
type ExternKind uint8

const (
	ExternFunc   ExternKind = 0
	ExternTable  ExternKind = 1
	ExternMemory ExternKind = 2
	ExternGlobal ExternKind = 3
	ExternTag    ExternKind = 4
)

// Import names something the module needs. Index is its place in the kind's index space.
type Import struct {
	Module, Name string
	Kind         ExternKind
	Index        uint32
	Offset       uint32 // in the file, for messages
}

// Export names something the module offers.
type Export struct {
	Name   string
	Kind   ExternKind
	Index  uint32
	Offset uint32
}

// Func is a function of the module.
type Func struct {
	Type uint32 // index in Types
	// Body is the code entry: local declarations and expression; nil for imports.
	Body   []byte
	Offset uint32 // of Body in the file

	// declared is set if the function occurs outside the bodies, so that ref.func may
	// name it in one (spec, "Modules", C.refs).
	declared bool
}

// Limits bound a table or memory; Max counts only if HasMax.
type Limits struct {
	Min, Max uint64
	HasMax   bool
	Is64     bool // 64-bit addresses (memory64, table64)
	Shared   bool
}

// TableType describes a table. Init, if any, is the initial value of every element (Wasm 3.0).
type TableType struct {
	Elem ValType
	Limits
	Init *ConstExpr
}

// MemoryType describes a linear memory, limits in pages of 64 KiB.
type MemoryType struct{ Limits }

// Global is a global; Init is nil for imported ones.
type Global struct {
	Type    ValType
	Mutable bool
	Init    *ConstExpr
}

// Tag is an exception tag.
type Tag struct{ Type uint32 }

// ConstExpr is a valid constant expression, already taken apart: a list of instructions in
// evaluation order (one for MVP modules; more with extended-const).
type ConstExpr struct {
	Instrs []ConstInstr
	Offset uint32
}

// ConstInstr is an instruction of a constant expression: OpI32Const, OpI64Const, OpF32Const,
// OpF64Const (Bits), OpV128Const (Vec), OpGlobalGet, OpRefFunc (Index), OpRefNull, …
type ConstInstr struct {
	Op    Opcode
	Index uint32
	Bits  uint64
	Vec   [16]byte
}

// SegmentMode says when a segment is applied.
type SegmentMode uint8

const (
	SegmentActive SegmentMode = iota
	SegmentPassive
	SegmentDeclarative // element segments only
)

// ElemSegment initialises a table.
type ElemSegment struct {
	Mode   SegmentMode
	Type   ValType
	Table  uint32     // active
	Start  *ConstExpr // active: index of the first element
	Funcs  []uint32   // elements that are function indices; nil if Exprs is used
	Exprs  []ConstExpr
	Offset uint32
}

// Len is the number of elements.
func (s *ElemSegment) Len() int { return max(len(s.Funcs), len(s.Exprs)) }

// DataSegment initialises a memory.
type DataSegment struct {
	Mode   SegmentMode // active or passive
	Mem    uint32
	Offset uint32
	Init   []byte

	known bool       // place is
	place uint64     // active: the constant where it begins, as ConstInstr.Bits
	start *ConstExpr // active: where it begins, if that is no constant
}

// Datas gives the data segments, decoded anew: Go's modules have tens of thousands. Each is valid until the next.
func (m *Module) Datas() iter.Seq2[int, *DataSegment] {
	return func(yield func(int, *DataSegment) bool) {
		d := decoder{reader: reader{src: m.Source, pos: m.dataAt}, m: m}
		var s DataSegment
		for i := range m.DataLen {
			d.dataSegment(&s)
			if !yield(i, &s) {
				return
			}
		}
	}
}

// DataStart is where an active data segment begins.
func (m *Module) DataStart(d *DataSegment) *ConstExpr {
	switch {
	case d.Mode != SegmentActive:
		return nil
	case !d.known:
		return d.start
	case m.Mems[d.Mem].Is64:
		return &ConstExpr{Instrs: []ConstInstr{{Op: OpI64Const, Bits: d.place}}}
	}
	return &ConstExpr{Instrs: []ConstInstr{{Op: OpI32Const, Bits: d.place}}}
}

// DataPlace is DataStart if that is a constant.
func (m *Module) DataPlace(d *DataSegment) (at uint64, ok bool) {
	if d.known && !m.Mems[d.Mem].Is64 {
		return uint64(uint32(d.place)), true
	}
	return d.place, d.known
}

// NameSection holds the debug names, empty where the file gives none.
type NameSection struct {
	Module string
	Funcs  map[uint32]string
}

// CustomSection is a custom section.
type CustomSection struct {
	Name   string
	Data   []byte
	Offset uint32
}

// FuncType is the type of function i.
func (m *Module) FuncType(i uint32) *FuncType { return &m.Types[m.Funcs[i].Type] }

// AddrType is the type of an address or element index.
func (l *Limits) AddrType() ValType {
	if l.Is64 {
		return I64
	}
	return I32
}
