package loader

import (
	"fmt"
	"runtime"
	"sync"
	"sync/atomic"
	"unsafe"

	"github.com/wasmaot/wasmaot/compiler/abi"
	"github.com/wasmaot/wasmaot/compiler/artifact"
	"github.com/wasmaot/wasmaot/loader/vmem"
)

// defaultTableMax bounds tables if Config.TableMax is 0, as other engines do.
const defaultTableMax = 10_000_000

// Table is a table of references. Its methods are safe for concurrent use until its instance is closed; then it is empty.
type Table struct {
	*table // shared by all handles, so that a host-made table's end can be noticed by its handle's
}

// table is a table's state. Its elements lie in addresses reserved for its maximum: they never move, so that a
// guest on another goroutine never sees old ones.
type table struct {
	typ  artifact.Table
	max  uint64
	rec  *tableRec
	node *node
	mu   sync.Mutex // of Grow
}

// tableRec is a TableRec of package abi.
type tableRec struct{ base, len uint64 }

var _ = [1]struct{}{}[unsafe.Sizeof(tableRec{})-abi.TableRecSize]

// NewTable makes a table of the host, full of null references.
func NewTable(t artifact.Table) (*Table, error) {
	inner := &table{rec: new(tableRec)}
	if err := inner.make(t, 0); err != nil {
		return nil, err
	}
	region, err := vmem.Reserve(max(inner.size(), vmem.PageSize), vmem.PageSize)
	if err != nil {
		return nil, fmt.Errorf("table: %w", err)
	}
	if err := region.Commit(0, region.Size()); err != nil {
		region.Release()
		return nil, fmt.Errorf("table: %w", err)
	}
	inner.place(region.Base())
	inner.node = newNode(func() { region.Release() })
	handle := &Table{inner}
	runtime.AddCleanup(handle, (*node).close, inner.node)
	return handle, nil
}

// make makes a table without elements; rec is set by others.
func (t *table) make(typ artifact.Table, limit uint64) error {
	if limit == 0 {
		limit = defaultTableMax
	}
	t.typ, t.max = typ, min(typ.Max, limit)
	if typ.Min > t.max {
		return fmt.Errorf("table of at least %d elements: expected at most %d", typ.Min, t.max)
	}
	return nil
}

// size is the room in bytes, whole pages, of all elements that the table may ever have.
func (t *table) size() uint64 { return vmem.PageUp(t.max * 8) }

// place puts the elements into zeroed memory of that size.
func (t *table) place(base uint64) { t.rec.base, t.rec.len = base, t.typ.Min }

// Type is the table's type as declared.
func (t *table) Type() artifact.Table { return t.typ }

// Len is the current number of elements.
func (t *table) Len() uint64 { return atomic.LoadUint64(&t.rec.len) }

// Get is element i; ok is false outside the table.
func (t *table) Get(i uint64) (ref uint64, ok bool) {
	if e := t.elems(); i < uint64(len(e)) {
		return e[i], true
	}
	return 0, false
}

// Set stores a reference in element i; it reports false outside the table.
func (t *table) Set(i, ref uint64) bool {
	e := t.elems()
	if i >= uint64(len(e)) {
		return false
	}
	t.hold(ref)
	e[i] = ref
	return true
}

// Grow adds delta elements of value ref and gives the old length, or reports that it cannot.
func (t *table) Grow(delta, ref uint64) (old uint64, ok bool) {
	t.hold(ref)
	return t.grow(delta, ref)
}

func (t *table) hold(ref uint64) {
	if t.typ.Elem == abi.FuncRef && ref != 0 {
		holdRef(t.node, ref)
	}
}

func (t *table) grow(delta, ref uint64) (old uint64, ok bool) {
	t.mu.Lock()
	defer t.mu.Unlock()
	old = t.Len()
	if t.rec.base == 0 || delta > t.max-old {
		return 0, false
	}
	added := unsafe.Slice((*uint64)(pointer(t.rec.base+8*old)), delta)
	for i := range added {
		added[i] = ref
	}
	atomic.StoreUint64(&t.rec.len, old+delta)
	return old, true
}

func (t *table) elems() []uint64 {
	return unsafe.Slice((*uint64)(pointer(t.rec.base)), t.Len())
}

// free forgets the elements; their memory is the instance's.
func (t *table) free() { t.rec = &noTable }

// noTable is never written.
var noTable tableRec

// init copies n references from src to dst.
func (t *table) init(refs []uint64, dst, src, n uint64) abi.Trap {
	e := t.elems()
	if !inBounds(src, n, uint64(len(refs))) || !inBounds(dst, n, uint64(len(e))) {
		return abi.TrapTableOutOfBounds
	}
	copy(e[dst:dst+n], refs[src:src+n])
	return abi.TrapNone
}

// fill sets n elements.
func (t *table) fill(dst, ref, n uint64) abi.Trap {
	e := t.elems()
	if !inBounds(dst, n, uint64(len(e))) {
		return abi.TrapTableOutOfBounds
	}
	for i := range e[dst : dst+n] {
		e[dst+uint64(i)] = ref
	}
	return abi.TrapNone
}
