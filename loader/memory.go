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

const (
	wasmPage = 65536
	maxPages = 65536 // of a memory with 32-bit addresses, and without Config.MaxMemoryPages
	gapPages = abi.MemoryGap / wasmPage

	// A guarded memory reserves what a 32-bit index plus a 32-bit offset reaches, and the widest access beyond.
	guardedSize = 8<<30 + wasmPage
)

// Memory is a linear memory. Its methods are safe for concurrent use until its instance is closed; then it is empty.
type Memory struct {
	typ     artifact.Memory
	max     uint64 // pages
	guarded bool   // reserved so that no 32-bit index and offset leave it
	rec     *memoryRec
	region  *vmem.Region // nil if the bytes are Config.Allocate's:
	given   []byte
	release func()
	frozen  []byte     // given at the last checkpoint
	fresh   uint64     // from here on nobody has been told yet what is zero, and no file is mapped: see clear
	node    *node      // what the memory lives as long as
	mu      sync.Mutex // of Grow
}

// memoryRec is a MemoryRec of package abi.
type memoryRec struct{ base, bytes uint64 }

var _ = [1]struct{}{}[unsafe.Sizeof(memoryRec{})-abi.MemoryRecSize]

// noMemory stands for memory 0 where there is none, and for freed memories. It is never written.
var noMemory memoryRec

// NewMemory makes a memory of the host. It is guarded unless its addresses have 64 bits, so code of either tier may import it.
func NewMemory(t artifact.Memory) (*Memory, error) {
	m := &Memory{}
	err := m.init(t, new(memoryRec), !t.Is64, 0, nil)
	if err != nil {
		return nil, err
	}
	region, guarded := m.region, m.guarded
	m.node = newNode(func() { releaseMemory(region, guarded) })
	runtime.AddCleanup(m, (*node).close, m.node)
	return m, nil
}

// init reserves and commits a memory whose record is at rec.
func (m *Memory) init(t artifact.Memory, rec *memoryRec, guarded bool, limit uint64, allocate func(min, max uint64) ([]byte, func(), error)) error {
	if limit == 0 || !t.Is64 && limit > maxPages {
		limit = maxPages
	}
	if !t.Is64 && t.Min <= maxPages-gapPages {
		limit = min(limit, maxPages-gapPages)
	}
	m.typ, m.max, m.guarded, m.rec = t, min(t.Max, limit), guarded, rec
	if t.Min > m.max {
		return fmt.Errorf("memory of at least %d pages: expected at most %d", t.Min, m.max)
	}
	if allocate != nil {
		return m.allocate(allocate)
	}
	if err := m.reserve(); err != nil {
		return fmt.Errorf("linear memory: %w", err)
	}
	if err := m.region.Commit(0, t.Min*wasmPage); err != nil {
		releaseMemory(m.region, m.guarded)
		return fmt.Errorf("linear memory: %w", err)
	}
	rec.base, rec.bytes = m.region.Base(), t.Min*wasmPage
	return nil
}

// allocate takes the memory's bytes from the host.
func (m *Memory) allocate(from func(min, max uint64) ([]byte, func(), error)) (err error) {
	if m.guarded {
		return fmt.Errorf("linear memory: %w: the host allocates it without a guard", ErrAddressSpace)
	}
	lo := m.typ.Min * wasmPage
	if m.given, m.release, err = from(lo, m.max*wasmPage); err != nil {
		return fmt.Errorf("linear memory: %w", err)
	}
	if uint64(len(m.given)) < lo {
		return fmt.Errorf("linear memory: expected at least %d bytes from the host, found %d", lo, len(m.given))
	}
	m.max = min(m.max, uint64(len(m.given))/wasmPage)
	m.rec.base, m.rec.bytes = uint64(uintptr(unsafe.Pointer(unsafe.SliceData(m.given)))), lo
	return nil
}

// reserve gets the memory's addresses. Without a guard it makes do with fewer than the maximum, which then is smaller.
func (m *Memory) reserve() (err error) {
	if m.guarded {
		if guardedMemories.Add(1) <= maxGuarded {
			m.region, err = vmem.Reserve(guardedSize, vmem.PageSize)
		} else {
			err = fmt.Errorf("there are %d guarded memories", maxGuarded)
		}
		if err != nil {
			guardedMemories.Add(-1)
			err = fmt.Errorf("%w: %w", ErrAddressSpace, err)
		}
		return err
	}
	for {
		if m.region, err = vmem.Reserve(max(m.max*wasmPage, vmem.PageSize), vmem.PageSize); err == nil || m.max == m.typ.Min {
			return err
		}
		m.max = max(m.max/2, m.typ.Min)
	}
}

// maxGuarded memories leave an eighth of a process's addresses to those without a guard, to stacks and to the host.
const maxGuarded = 14_000

var guardedMemories atomic.Int64

// releaseMemory gives a memory's addresses back.
func releaseMemory(r *vmem.Region, guarded bool) {
	if guarded {
		guardedMemories.Add(-1)
	}
	r.Release()
}

// Type is the memory's type as declared.
func (m *Memory) Type() artifact.Memory { return m.typ }

// Bytes is the memory's current contents. The slice is valid until the instance is closed; after the memory
// has grown it does not show what was added.
func (m *Memory) Bytes() []byte {
	n := atomic.LoadUint64(&m.rec.bytes)
	return unsafe.Slice((*byte)(pointer(m.rec.base)), n)
}

// Pages is the current size in pages of 64 KiB.
func (m *Memory) Pages() uint64 { return atomic.LoadUint64(&m.rec.bytes) / wasmPage }

// Grow adds delta pages and gives the old size, or reports that it cannot: the memory's maximum, Config.MaxMemoryPages or the
// system does not allow it.
func (m *Memory) Grow(delta uint64) (old uint64, ok bool) {
	m.mu.Lock()
	defer m.mu.Unlock()
	old = m.Pages()
	if m.rec.base == 0 || delta > m.max-old {
		return 0, false
	}
	if m.region != nil && m.region.Commit(old*wasmPage, delta*wasmPage) != nil {
		return 0, false
	}
	atomic.StoreUint64(&m.rec.bytes, (old+delta)*wasmPage)
	return old, true
}

// applyImage sets the initial contents: it maps them copy-on-write where it can.
func (m *Memory) applyImage(a *artifact.Artifact) (abi.Trap, error) {
	n := uint64(len(a.Image))
	if !inBounds(a.ImageStart, n, m.Pages()*wasmPage) {
		return abi.TrapMemoryOutOfBounds, nil
	}
	s := a.Source
	if s == nil || m.region == nil || a.ImageStart%vmem.PageSize != 0 || uint64(s.Image)%vmem.PageSize != 0 || wasmPage%vmem.PageSize != 0 {
		return m.store(a.Image, a.ImageStart, 0, n), nil
	}
	if err := m.region.MapFile(a.ImageStart, vmem.PageUp(n), s.FD, s.Image); err != nil {
		return abi.TrapNone, fmt.Errorf("memory image: %w", err)
	}
	m.fresh = a.ImageStart + vmem.PageUp(n)
	return abi.TrapNone, nil
}

// free gives the memory's addresses back.
func (m *Memory) free() {
	m.rec = &noMemory
	if m.region != nil {
		releaseMemory(m.region, m.guarded)
	}
	if m.release != nil {
		m.release()
	}
}

// inBounds reports whether [at, at+n) lies within size.
func inBounds(at, n, size uint64) bool { return at <= size && n <= size-at }

// chunk is how much a bulk operation does at a stretch: Go's memmove is not preemptible.
const chunk = 1 << 20

// store copies n bytes of data from src to dst.
func (m *Memory) store(data []byte, dst, src, n uint64) abi.Trap {
	b := m.Bytes()
	if !inBounds(src, n, uint64(len(data))) || !inBounds(dst, n, uint64(len(b))) {
		return abi.TrapMemoryOutOfBounds
	}
	for at := uint64(0); at < n; at += chunk {
		k := min(n-at, chunk)
		copy(b[dst+at:dst+at+k], data[src+at:src+at+k])
	}
	return abi.TrapNone
}

// copyMemory copies n bytes between memories or within one.
func copyMemory(to, from *Memory, dst, src, n uint64) abi.Trap {
	d, s := to.Bytes(), from.Bytes()
	if !inBounds(src, n, uint64(len(s))) || !inBounds(dst, n, uint64(len(d))) {
		return abi.TrapMemoryOutOfBounds
	}
	backwards := to.rec.base == from.rec.base && dst > src
	for done := uint64(0); done < n; {
		k := min(n-done, chunk)
		at := done
		if backwards { // what is overwritten has been copied
			at = n - done - k
		}
		copy(d[dst+at:dst+at+k], s[src+at:src+at+k])
		done += k
	}
	return abi.TrapNone
}

// fill sets n bytes.
func (m *Memory) fill(dst uint64, value byte, n uint64) abi.Trap {
	b := m.Bytes()
	if !inBounds(dst, n, uint64(len(b))) {
		return abi.TrapMemoryOutOfBounds
	}
	if value == 0 {
		m.clear(dst, n)
		return abi.TrapNone
	}
	b = b[dst : dst+n]
	for len(b) > 0 {
		k := min(len(b), chunk)
		fillBytes(b[:k], value)
		b = b[k:]
	}
	return abi.TrapNone
}

// clear sets n bytes to zero. What nobody has touched is so already and stays without memory: at their start Go's guests clear what is left over
// of what they have reserved. The system is asked about each page at most once.
func (m *Memory) clear(at, n uint64) {
	end := at + n
	if from, to := vmem.PageUp(at), end&^(vmem.PageSize-1); from < to && m.isFresh(from, to) && m.region.ResetUntouched(from, to-from) {
		m.zero(at, from)
		at = to
	}
	m.zero(at, end)
}

// isFresh reports whether a range of pages is fresh, and makes it no longer so.
func (m *Memory) isFresh(from, to uint64) bool {
	if m.region == nil {
		return false
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	was := m.fresh
	m.fresh = max(was, to)
	return was <= from
}

func (m *Memory) zero(at, end uint64) {
	for b := m.Bytes()[at:end]; len(b) > 0; {
		k := min(len(b), chunk)
		clear(b[:k])
		b = b[k:]
	}
}

func fillBytes(b []byte, value byte) {
	b[0] = value
	for n := 1; n < len(b); n *= 2 {
		copy(b[n:], b[:n])
	}
}
