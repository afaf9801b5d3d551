package vmem

import (
	"errors"
	"fmt"
	"slices"
	"sync"
)

// Arena hands out pages of machine code from a part of a region. Safe for concurrent use.
type Arena struct {
	region   *Region
	off, end uint64 // the part, offsets in the region

	mu    sync.Mutex
	free  []span            // sorted, never adjacent
	taken map[uint64]uint64 // offset → length of what is in use
}

// span is a range of offsets in the region.
type span struct{ off, n uint64 }

// NewArena makes an arena of the pages [off, off+n) of a region that is not committed there.
func NewArena(r *Region, off, n uint64) (*Arena, error) {
	if err := r.check(off, n); err != nil {
		return nil, err
	}
	return &Arena{region: r, off: off, end: off + n, free: []span{{off, n}}, taken: map[uint64]uint64{}}, nil
}

// Base is the address where the arena begins.
func (a *Arena) Base() uint64 { return a.region.base + a.off }

// Size is the arena's length in bytes.
func (a *Arena) Size() uint64 { return a.end - a.off }

// Place copies code into free pages, makes them executable and returns their address.
// The code comes to lie at the beginning of a page. The pages are writable while
// they are written, then executable, never both.
func (a *Arena) Place(code []byte) (addr uint64, err error) {
	n := PageUp(uint64(len(code)))
	off, err := a.take(n)
	if err != nil {
		return 0, err
	}
	if err := a.fill(off, n, code); err != nil {
		return 0, errors.Join(err, a.empty(off, n))
	}
	return a.region.base + off, nil
}

// PlaceFile is Place of n bytes at an offset in a file, a multiple of the page size: they are mapped, not copied. What
// the file holds behind them up to the end of the last page is mapped too.
func (a *Arena) PlaceFile(fd int, at int64, n uint64) (addr uint64, err error) {
	n = PageUp(n)
	off, err := a.take(n)
	if err != nil {
		return 0, err
	}
	if err := a.region.mapFile(off, n, fd, at, protRX, false); err != nil {
		return 0, errors.Join(err, a.empty(off, n))
	}
	fenceCode()
	return a.region.base + off, nil
}

func (a *Arena) fill(off, n uint64, code []byte) error {
	if err := a.region.Commit(off, n); err != nil {
		return err
	}
	copy(a.region.Bytes(off, n), code)
	cleanCode(a.region.base+off, n)
	if err := a.region.protect(off, n, protRX); err != nil {
		return err
	}
	fenceCode()
	return nil
}

// Free gives back what Place returned. Nothing may run there any more.
func (a *Arena) Free(addr uint64) error {
	off := addr - a.region.base
	a.mu.Lock()
	n, ok := a.taken[off]
	a.mu.Unlock()
	if !ok {
		return fmt.Errorf("code arena: nothing was placed at 0x%x", addr)
	}
	return a.empty(off, n)
}

// empty makes pages inaccessible and empty, then lets others take them. Pages that cannot
// be emptied are lost.
func (a *Arena) empty(off, n uint64) error {
	if err := a.region.Clear(off, n); err != nil {
		return err
	}
	a.giveBack(off, n)
	return nil
}

// take finds the first free span that is large enough.
func (a *Arena) take(n uint64) (uint64, error) {
	if n == 0 {
		return 0, fmt.Errorf("code arena: no code to place")
	}
	a.mu.Lock()
	defer a.mu.Unlock()
	for i := range a.free {
		s := &a.free[i]
		if s.n < n {
			continue
		}
		off := s.off
		s.off, s.n = s.off+n, s.n-n
		if s.n == 0 {
			a.free = slices.Delete(a.free, i, i+1)
		}
		a.taken[off] = n
		return off, nil
	}
	return 0, fmt.Errorf("code arena: no room for %d KiB among %d MiB", n>>10, a.Size()>>20)
}

func (a *Arena) giveBack(off, n uint64) {
	a.mu.Lock()
	defer a.mu.Unlock()
	delete(a.taken, off)
	i, _ := slices.BinarySearchFunc(a.free, off, func(s span, off uint64) int {
		if s.off < off {
			return -1
		}
		return 1
	})
	a.free = slices.Insert(a.free, i, span{off, n})
	if i+1 < len(a.free) && off+n == a.free[i+1].off {
		a.free[i].n += a.free[i+1].n
		a.free = slices.Delete(a.free, i+1, i+2)
	}
	if i > 0 && a.free[i-1].off+a.free[i-1].n == off {
		a.free[i-1].n += a.free[i].n
		a.free = slices.Delete(a.free, i, i+1)
	}
}
