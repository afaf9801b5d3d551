package loader

import (
	"runtime"
	"unsafe"

	"github.com/wasmaot/wasmaot/compiler/abi"
	"github.com/wasmaot/wasmaot/compiler/artifact"
)

// Global is a global variable. It must not be used while a guest that can change it runs on another goroutine.
type Global struct {
	*global // shared by all handles, as with Table
}

type global struct {
	typ  artifact.Global
	cell *[2]uint64
	node *node     // nil for host-made ones that hold no functions
	last [2]uint64 // value after free
}

var _ = [1]struct{}{}[unsafe.Sizeof([2]uint64{})-abi.GlobalCellSize]

// NewGlobal makes a global of the host; hi is the upper half of vectors.
func NewGlobal(t artifact.Global, lo, hi uint64) *Global {
	// A type of 16 bytes without pointers is aligned to 16 bytes by Go's allocator.
	g := &global{typ: artifact.Global{Type: t.Type, Mutable: t.Mutable}, cell: &[2]uint64{lo, hi}}
	handle := &Global{g}
	if t.Type == abi.FuncRef {
		g.node = newNode(func() {})
		runtime.AddCleanup(handle, (*node).close, g.node)
		holdRef(g.node, lo)
	}
	return handle
}

// Type is the global's type and mutability.
func (g *global) Type() artifact.Global { return g.typ }

// Get is the current value, of vectors in two halves.
func (g *global) Get() (lo, hi uint64) {
	lo, hi = g.cell[0], g.cell[1]
	switch g.typ.Type {
	case abi.I32, abi.F32:
		return uint64(uint32(lo)), 0
	case abi.V128:
		return lo, hi
	}
	return lo, 0
}

// Set changes the value. It does not look at mutability, which binds guests.
func (g *global) Set(lo, hi uint64) {
	if g.typ.Type == abi.FuncRef && lo != 0 {
		holdRef(g.node, lo)
	}
	g.cell[0], g.cell[1] = lo, hi
}

// free keeps the last value, without references.
func (g *global) free() {
	g.last = *g.cell
	if g.typ.Type == abi.FuncRef {
		g.last[0] = 0
	}
	g.cell = &g.last
}
