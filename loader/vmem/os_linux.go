package vmem

import (
	"slices"
	"unsafe"

	"golang.org/x/sys/unix"
)

var osProt = [...]int{protNone: unix.PROT_NONE, protRW: unix.PROT_READ | unix.PROT_WRITE, protRX: unix.PROT_READ | unix.PROT_EXEC}

// mapReserved makes addresses without memory.
const mapReserved = unix.MAP_PRIVATE | unix.MAP_ANON | unix.MAP_NORESERVE

// osReserve reserves addresses, at a place if that is free, else or if it is 0 anywhere.
func osReserve(at, size uint64) (uint64, error) {
	if unsafe.Sizeof(uintptr(0)) < 8 {
		return 0, ErrUnsupported
	}
	p, err := unix.MmapPtr(-1, 0, pointer(at), uintptr(size), unix.PROT_NONE, mapReserved)
	return uint64(uintptr(p)), err
}

// osMapFile and osClear replace mappings within a reservation.

func osMapFile(base, size uint64, fd int, at int64, p protection, shared bool) error {
	flags := unix.MAP_PRIVATE
	if shared {
		flags = unix.MAP_SHARED
	}
	_, err := unix.MmapPtr(fd, at, pointer(base), uintptr(size), osProt[p], flags|unix.MAP_FIXED)
	return err
}

func osClear(base, size uint64) error {
	_, err := unix.MmapPtr(-1, 0, pointer(base), uintptr(size), unix.PROT_NONE, mapReserved|unix.MAP_FIXED)
	return err
}

func osRelease(base, size uint64) error {
	if size == 0 {
		return nil
	}
	return unix.MunmapPtr(pointer(base), uintptr(size))
}

func osProtect(base, size uint64, p protection) error {
	return unix.Mprotect(unsafe.Slice((*byte)(pointer(base)), size), osProt[p])
}

func osReset(base, size uint64) error {
	return unix.Madvise(unsafe.Slice((*byte)(pointer(base)), size), unix.MADV_DONTNEED)
}

// osUntouched reports whether no page is in memory (mincore(2)).
func osUntouched(base, size uint64) bool {
	var resident [256]byte
	for end := base + size; base < end; {
		n := min(end-base, uint64(len(resident))*PageSize)
		_, _, errno := unix.RawSyscall(unix.SYS_MINCORE, uintptr(base), uintptr(n), uintptr(unsafe.Pointer(&resident)))
		if errno != 0 || slices.ContainsFunc(resident[:n/PageSize], func(b byte) bool { return b&1 != 0 }) {
			return false
		}
		base += n
	}
	return true
}
