package loader

import (
	"bytes"
	"errors"
	"fmt"
	"slices"
	"sync/atomic"

	"github.com/wasmaot/wasmaot/loader/vmem"
)

// ErrBusy is returned by Checkpoint and Reset while calls of the instance's functions are in progress.
var ErrBusy = errors.New("instance is in use")

// checkpoint is what Reset restores: everything that the instance owns. What it imports is not part of it.
type checkpoint struct {
	pages   []uint64    // of own memories, whose contents are mapped copy-on-write
	tables  [][]uint64  // elements of own tables
	globals [][2]uint64 // own globals
	elems   [][]uint64  // segments: nil where dropped
	datas   [][]byte
}

// Checkpoint makes the present state of the instance's own memories, tables and globals what Reset goes back to. The contents of memories are
// copied once to a file in memory and mapped copy-on-write from it, so that Reset costs as much as was written since.
func (i *Instance) Checkpoint() error {
	if err := i.idle(); err != nil {
		return err
	}
	defer i.end()
	s := &i.code.layout.Shape
	p := &checkpoint{elems: slices.Clone(i.elems), datas: slices.Clone(i.datas)}
	for k, m := range i.mems[s.ImportedMemories:] {
		if err := m.freeze(); err != nil {
			return fmt.Errorf("checkpoint of memory %d: %w", s.ImportedMemories+k, err)
		}
		p.pages = append(p.pages, m.Pages())
	}
	for _, t := range i.tables[s.ImportedTables:] {
		p.tables = append(p.tables, slices.Clone(t.elems()))
	}
	for _, g := range i.globals[s.ImportedGlobals:] {
		p.globals = append(p.globals, *g.cell)
	}
	i.saved = p
	return nil
}

// Reset goes back to the last Checkpoint. Imported memories, tables and globals stay as they are. Config.OnReset is called at the end; its error is that of Reset.
func (i *Instance) Reset() error {
	if err := i.idle(); err != nil {
		return err
	}
	defer i.end()
	p := i.saved
	if p == nil {
		return errors.New("reset of an instance without a checkpoint")
	}
	s := &i.code.layout.Shape
	for k, m := range i.mems[s.ImportedMemories:] {
		if err := m.thaw(p.pages[k]); err != nil {
			return fmt.Errorf("reset of memory %d: %w", s.ImportedMemories+k, err)
		}
	}
	for k, t := range i.tables[s.ImportedTables:] {
		t.restore(p.tables[k])
	}
	for k, g := range i.globals[s.ImportedGlobals:] {
		if g.typ.Mutable {
			*g.cell = p.globals[k]
		}
	}
	copy(i.elems, p.elems)
	copy(i.datas, p.datas)
	i.disown() // the next goroutine calls as fast
	if i.onReset != nil {
		return i.onReset()
	}
	return nil
}

// idle notes a use of the instance that no other may overlap; end ends it.
func (i *Instance) idle() error {
	if !i.holding() && i.state.CompareAndSwap(0, 1) {
		return nil
	}
	if i.Closed() {
		return ErrClosed
	}
	return ErrBusy
}

// freeze maps the memory's contents copy-on-write from a file in memory. Pages full of zeros are holes in it.
func (m *Memory) freeze() error {
	m.mu.Lock()
	defer m.mu.Unlock()
	b := m.Bytes()
	if m.region == nil {
		m.frozen = bytes.Clone(b)
		return nil
	}
	if len(b) > 0 {
		fd, err := vmem.MemoryFile(b)
		if err != nil {
			return err
		}
		defer vmem.CloseFile(fd) // the mapping keeps the contents
		m.fresh = max(m.fresh, uint64(len(b)))
		return m.region.MapFile(0, uint64(len(b)), fd, 0)
	}
	return nil
}

// thaw gives back what was written since freeze, and what lies behind the size then.
func (m *Memory) thaw(pages uint64) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	size, now := pages*wasmPage, atomic.LoadUint64(&m.rec.bytes)
	if m.region == nil {
		atomic.StoreUint64(&m.rec.bytes, size)
		copy(m.given, m.frozen)
		clear(m.given[size:now])
		return nil
	}
	if now > size {
		atomic.StoreUint64(&m.rec.bytes, size)
		if err := m.region.Guard(size, now-size); err != nil {
			return err
		}
	}
	return m.region.Reset(0, now)
}

// restore sets elements and length.
func (t *table) restore(elems []uint64) {
	t.mu.Lock()
	defer t.mu.Unlock()
	old := t.elems()
	clear(old[min(len(elems), len(old)):])
	copy(old, elems)
	atomic.StoreUint64(&t.rec.len, uint64(len(elems)))
}
