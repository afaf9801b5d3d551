package oracle

import "github.com/wasmaot/wasmaot/compiler/wasm"

// Value is a value of any type. Its type is known from where it stands.
type Value struct {
	// Lo and Hi are the bits of a number (an i32 or f32 in the lower half of Lo, the rest 0) or vector. An externref is a
	// number of the host's in Lo, 0 for null.
	Lo, Hi uint64
	// Func is a funcref, nil for null.
	Func *Func
}

// isNull tells whether a reference is null.
func (v Value) isNull() bool { return v.Func == nil && v.Lo == 0 }

// Extern is what can be imported and exported: *Func, *Memory, *Table, *Global.
type Extern interface {
	// matches tells whether the extern can stand for import i of module m (core specification, "Import Matching").
	matches(m *wasm.Module, i *wasm.Import) bool
}

// Func is a function of an instance or of the host.
type Func struct {
	Type *wasm.FuncType
	Host func(args []Value) ([]Value, error) // nil for an instance's

	inst *Instance
	code *code
}

// Memory is a linear memory.
type Memory struct {
	Data   []byte
	Limits wasm.Limits // as declared; Min is not what it has now
}

// Table is a table.
type Table struct {
	Elems  []Value
	Elem   wasm.ValType
	Limits wasm.Limits
}

// Global is a global.
type Global struct {
	Value
	Type    wasm.ValType
	Mutable bool
}

func (f *Func) matches(m *wasm.Module, i *wasm.Import) bool {
	return i.Kind == wasm.ExternFunc && f.Type.Equal(m.FuncType(i.Index))
}

func (g *Global) matches(m *wasm.Module, i *wasm.Import) bool {
	if i.Kind != wasm.ExternGlobal {
		return false
	}
	want := &m.Globals[i.Index]
	return g.Type == want.Type && g.Mutable == want.Mutable
}

func (mem *Memory) matches(m *wasm.Module, i *wasm.Import) bool {
	return i.Kind == wasm.ExternMemory && limitsMatch(uint64(len(mem.Data))/pageSize, &mem.Limits, &m.Mems[i.Index].Limits)
}

func (t *Table) matches(m *wasm.Module, i *wasm.Import) bool {
	if i.Kind != wasm.ExternTable {
		return false
	}
	want := &m.Tables[i.Index]
	return t.Elem == want.Elem && limitsMatch(uint64(len(t.Elems)), &t.Limits, &want.Limits)
}

func limitsMatch(size uint64, have, want *wasm.Limits) bool {
	return size >= want.Min && (!want.HasMax || have.HasMax && have.Max <= want.Max)
}

const (
	pageSize = 1 << 16
	maxPages = 1 << 16
)

// NewMemory makes a memory of its minimal size.
func NewMemory(l wasm.Limits) *Memory { return &Memory{make([]byte, l.Min*pageSize), l} }

// NewTable makes a table of its minimal size.
func NewTable(elem wasm.ValType, l wasm.Limits) *Table {
	return &Table{make([]Value, l.Min), elem, l}
}

// grow adds n pages and gives the old size, or -1.
func (mem *Memory) grow(n uint64) uint32 {
	old := uint64(len(mem.Data)) / pageSize
	limit := uint64(maxPages)
	if mem.Limits.HasMax {
		limit = min(limit, mem.Limits.Max)
	}
	if old+n > limit {
		return 1<<32 - 1
	}
	mem.Data = append(mem.Data, make([]byte, n*pageSize)...)
	return uint32(old)
}

// maxElems bounds tables that declare no maximum, as implementations may.
const maxElems = 10_000_000

// grow adds n elements and gives the old size, or -1.
func (t *Table) grow(n uint64, v Value) uint32 {
	old := uint64(len(t.Elems))
	limit := uint64(maxElems)
	if t.Limits.HasMax {
		limit = min(limit, t.Limits.Max)
	}
	if old+n > limit {
		return 1<<32 - 1
	}
	for range n {
		t.Elems = append(t.Elems, v)
	}
	return uint32(old)
}

// slice is s[at:at+n], or nothing if that is not within s.
func slice[T any](s []T, at, n uint64) ([]T, bool) {
	if at > uint64(len(s)) || n > uint64(len(s))-at {
		return nil, false
	}
	return s[at : at+n], true
}
