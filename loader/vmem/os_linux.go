package vmem

import (
	"unsafe"

	"golang.org/x/sys/unix"
)

var osProt = [...]int{protNone: unix.PROT_NONE, protRW: unix.PROT_READ | unix.PROT_WRITE, protRX: unix.PROT_READ | unix.PROT_EXEC}

func osReserve(size uint64) (uint64, error) {
	if unsafe.Sizeof(uintptr(0)) < 8 {
		return 0, ErrUnsupported
	}
	p, err := unix.MmapPtr(-1, 0, nil, uintptr(size), unix.PROT_NONE, unix.MAP_PRIVATE|unix.MAP_ANON|unix.MAP_NORESERVE)
	return uint64(uintptr(p)), err
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
