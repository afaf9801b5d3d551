package arena

import "golang.org/x/sys/unix"

// reserve makes the arena empty and at least size bytes large, if it can.
func (a *Arena) reserve(size int) bool {
	if size > len(a.mem) || unix.Madvise(a.mem[:a.used], unix.MADV_DONTNEED) != nil {
		a.Free()
		mem, err := unix.Mmap(-1, 0, size, unix.PROT_READ|unix.PROT_WRITE, unix.MAP_PRIVATE|unix.MAP_ANONYMOUS|unix.MAP_NORESERVE)
		if err != nil {
			return false
		}
		a.mem = mem
	}
	a.used = size
	return true
}

// Free gives the memory back: nothing may refer to it any more.
func (a *Arena) Free() {
	if a.mem != nil {
		unix.Munmap(a.mem) // of what Mmap returned: it cannot fail
	}
	*a = Arena{}
}
