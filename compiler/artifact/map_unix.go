//go:build unix

package artifact

import (
	"errors"
	"fmt"
	"os"

	"golang.org/x/sys/unix"
)

// Map maps and checks an artifact that lies in an open file at offset off, a multiple of the page size. Its Release unmaps it and closes fd,
// which stays open if there is an error.
func Map(fd int, off, size int64) (*Artifact, error) {
	if size < pageSize || int64(int(size)) != size {
		return nil, fmt.Errorf("truncated artifact: expected at least %d bytes, found %d", pageSize, size)
	}
	m, err := unix.Mmap(fd, off, int(size), unix.PROT_READ, unix.MAP_PRIVATE)
	if err != nil {
		return nil, os.NewSyscallError("mmap", err)
	}
	a, err := DecodeFrom(m, fd, off)
	if err != nil {
		return nil, errors.Join(err, unix.Munmap(m))
	}
	a.Release = func() error { return errors.Join(unix.Munmap(m), unix.Close(fd)) }
	return a, nil
}
