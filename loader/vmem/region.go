package vmem

import (
	"errors"
	"fmt"
	"math/bits"
	"os"
	"sync"
	"sync/atomic"
	"unsafe"
)

// ErrUnsupported is returned where address space cannot be reserved.
var ErrUnsupported = errors.New("reserving address space is not supported on this system")

// PageSize is the system's page size in bytes.
var PageSize = uint64(os.Getpagesize())

// PageUp rounds n up to a multiple of the page size.
func PageUp(n uint64) uint64 { return (n + PageSize - 1) &^ (PageSize - 1) }

// Region is a range of reserved addresses, inaccessible until committed. Its methods take
// offsets and lengths in bytes, multiples of the page size. They may be called from several
// goroutines for different parts.
type Region struct {
	base, size uint64
}

// Reserve reserves size bytes of addresses at a multiple of align, a power of two.
// Nothing is committed: no memory and no swap space is used.
func Reserve(size, align uint64) (*Region, error) {
	size = PageUp(size)
	if size == 0 || bits.OnesCount64(align) != 1 {
		return nil, fmt.Errorf("cannot reserve %d bytes aligned to %d", size, align)
	}
	if base := released.take(size, align); base != 0 {
		if got, err := osReserve(base, size); err == nil {
			if got == base {
				return &Region{base, size}, nil
			}
			if err := osRelease(got, size); err != nil {
				return nil, fmt.Errorf("reserving %d MiB of addresses: %w", size>>20, err)
			}
		}
	}
	room := size
	if align > PageSize {
		// Addresses are given out from the top: below those given last there mostly is room, and nothing needs to be given back.
		if at := (lastBase.Load() - size) &^ (align - 1); at < lastBase.Load() {
			got, err := osReserve(at, size)
			if err == nil && got == at {
				lastBase.Store(at)
				return &Region{at, size}, nil
			}
			if err == nil {
				err = osRelease(got, size)
			}
			if err != nil {
				return nil, fmt.Errorf("reserving %d MiB of addresses: %w", size>>20, err)
			}
		}
		room += align - PageSize
	}
	base, err := osReserve(0, room)
	if err != nil {
		return nil, fmt.Errorf("reserving %d MiB of addresses: %w", room>>20, err)
	}
	lastBase.Store(base)
	start := (base + align - 1) &^ (align - 1)
	// Give back what the alignment does not need.
	err = errors.Join(osRelease(base, start-base), osRelease(start+size, base+room-start-size))
	if err != nil {
		return nil, fmt.Errorf("trimming a reservation: %w", err)
	}
	return &Region{start, size}, nil
}

// lastBase is where the last reservation begins.
var lastBase atomic.Uint64

// Base is the region's first address.
func (r *Region) Base() uint64 { return r.base }

// Size is the region's length in bytes, 0 after Release.
func (r *Region) Size() uint64 { return r.size }

// Bytes is a part of the region as a slice. The caller touches only what is committed and
// drops the slice before Release.
func (r *Region) Bytes(off, n uint64) []byte {
	if off > r.size || n > r.size-off {
		panic(fmt.Sprintf("vmem: bytes [0x%x, +0x%x) of a region of 0x%x", off, n, r.size))
	}
	return unsafe.Slice((*byte)(pointer(r.base+off)), n)
}

// Commit makes a part readable and writable. What was never written reads as zero.
func (r *Region) Commit(off, n uint64) error { return r.protect(off, n, protRW) }

// Guard makes a part inaccessible and keeps its contents.
func (r *Region) Guard(off, n uint64) error { return r.protect(off, n, protNone) }

// Reset gives a part's memory back to the system: it reads as zero again.
func (r *Region) Reset(off, n uint64) error {
	if err := r.check(off, n); err != nil || n == 0 {
		return err
	}
	if err := osReset(r.base+off, n); err != nil {
		return fmt.Errorf("resetting %d KiB: %w", n>>10, err)
	}
	return nil
}

// ResetUntouched is Reset of a part no page of which is in memory, and reports whether that is so. It takes no page, and little time. No file may be mapped there.
func (r *Region) ResetUntouched(off, n uint64) bool {
	if r.check(off, n) != nil || n == 0 {
		return false
	}
	// What was swapped out is not in memory either, so it must be reset.
	return osUntouched(r.base+off, n) && osReset(r.base+off, n) == nil
}

// MapFile puts a part of a file, from an offset that is a multiple of the page size, in place of a part of the region.
// It is readable and writable; what is written stays out of the file.
func (r *Region) MapFile(off, n uint64, fd int, at int64) error {
	return r.mapFile(off, n, fd, at, protRW, false)
}

// mapFile maps a file; shared says that what is written to it later shall be seen.
func (r *Region) mapFile(off, n uint64, fd int, at int64, p protection, shared bool) error {
	if err := r.check(off, n); err != nil || n == 0 {
		return err
	}
	if err := osMapFile(r.base+off, n, fd, at, p, shared); err != nil {
		return fmt.Errorf("mapping %d KiB of a file: %w", n>>10, err)
	}
	return nil
}

// Clear makes a part as it was when it was reserved, whatever lies there.
func (r *Region) Clear(off, n uint64) error {
	if err := r.check(off, n); err != nil || n == 0 {
		return err
	}
	if err := osClear(r.base+off, n); err != nil {
		return fmt.Errorf("clearing %d KiB: %w", n>>10, err)
	}
	return nil
}

// Release gives the addresses back. It is idempotent, not safe for concurrent use.
func (r *Region) Release() error {
	base, size := r.base, r.size
	r.base, r.size = 0, 0
	if err := osRelease(base, size); err != nil || size == 0 {
		return err
	}
	released.put(base, size)
	return nil
}

// released is addresses that were released lately, by size. The next reservation asks for them again: those that must be aligned
// then are so by themselves, and qemu, which keeps a record of every page ever reserved, does not grow.
var released releasedAddresses

type releasedAddresses struct {
	mu     sync.Mutex
	bySize map[uint64][]uint64
}

// releasedKept is how many are remembered of one size, and how many sizes.
const releasedKept = 32

func (a *releasedAddresses) put(base, size uint64) {
	a.mu.Lock()
	defer a.mu.Unlock()
	bases := a.bySize[size]
	switch {
	case a.bySize == nil:
		a.bySize = map[uint64][]uint64{}
	case bases == nil && len(a.bySize) == releasedKept:
		clear(a.bySize)
	}
	if len(bases) == releasedKept {
		bases = append(bases[:0], bases[1:]...)
	}
	a.bySize[size] = append(bases, base)
}

// take gives the last one of a size, 0 if there is none with the alignment.
func (a *releasedAddresses) take(size, align uint64) uint64 {
	a.mu.Lock()
	defer a.mu.Unlock()
	bases := a.bySize[size]
	n := len(bases)
	if n == 0 || bases[n-1]&(align-1) != 0 {
		return 0
	}
	a.bySize[size] = bases[:n-1]
	return bases[n-1]
}

func (r *Region) protect(off, n uint64, p protection) error {
	if err := r.check(off, n); err != nil || n == 0 {
		return err
	}
	if err := osProtect(r.base+off, n, p); err != nil {
		return fmt.Errorf("making %d KiB %s: %w", n>>10, p, err)
	}
	return nil
}

func (r *Region) check(off, n uint64) error {
	if off > r.size || n > r.size-off || off%PageSize != 0 || n%PageSize != 0 {
		return fmt.Errorf("pages [0x%x, +0x%x) of a region of 0x%x bytes", off, n, r.size)
	}
	return nil
}

// protection is what may be done with pages. There is none that allows writing and executing.
type protection uint8

const (
	protNone protection = iota
	protRW
	protRX
)

func (p protection) String() string {
	return [...]string{"inaccessible", "writable", "executable"}[p]
}

// pointer makes an address outside Go's heap a pointer.
func pointer(addr uint64) unsafe.Pointer {
	a := uintptr(addr)
	return *(*unsafe.Pointer)(unsafe.Pointer(&a))
}
