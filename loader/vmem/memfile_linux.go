package vmem

import (
	"bytes"
	"errors"
	"fmt"
	"io"

	"golang.org/x/sys/unix"
)

// MemoryFile makes a file in memory with the given contents and gives its descriptor. Pages full of zeros are holes.
func MemoryFile(contents []byte) (fd int, err error) {
	fd, err = unix.MemfdCreate("wasmaot", unix.MFD_CLOEXEC)
	if err == unix.EACCES { // sysctl vm.memfd_noexec=2 wants files without the right to be started as programs; mapping is another matter
		fd, err = unix.MemfdCreate("wasmaot", unix.MFD_CLOEXEC|unix.MFD_NOEXEC_SEAL)
	}
	if err != nil {
		return -1, fmt.Errorf("file in memory: %w", err)
	}
	if err := writeSparse(fd, contents); err != nil {
		return -1, errors.Join(fmt.Errorf("file in memory: %w", err), unix.Close(fd))
	}
	return fd, nil
}

// CloseFile closes what MemoryFile gave.
func CloseFile(fd int) error { return unix.Close(fd) }

// sparseStep is how much is compared with zeros at a time.
const sparseStep = 64 << 10

func writeSparse(fd int, b []byte) error {
	if err := growFile(fd, int64(len(b))); err != nil {
		return err
	}
	zeros := make([]byte, sparseStep)
	for at := 0; at < len(b); at += sparseStep {
		part := b[at:min(at+sparseStep, len(b))]
		if bytes.Equal(part, zeros[:len(part)]) {
			continue
		}
		if err := writeFile(fd, part, int64(at)); err != nil {
			return err
		}
	}
	return nil
}

// growFile makes a file longer. What is new reads as zero. Beyond the limit for the size of files, which counts for those in memory too, the kernel would send
// a signal that ends the process.
func growFile(fd int, size int64) error {
	var limit unix.Rlimit
	if err := unix.Getrlimit(unix.RLIMIT_FSIZE, &limit); err == nil && uint64(size) > limit.Cur {
		return fmt.Errorf("%d KiB: beyond the limit of %d KiB for the size of files: %w", size>>10, limit.Cur>>10, unix.EFBIG)
	}
	return unix.Ftruncate(fd, size)
}

// writeFile writes all of b at an offset.
func writeFile(fd int, b []byte, at int64) error {
	for len(b) > 0 {
		n, err := unix.Pwrite(fd, b, at)
		switch {
		case err == nil && n == 0:
			return io.ErrShortWrite
		case err != nil && !errors.Is(err, unix.EINTR):
			return err
		}
		b, at = b[max(n, 0):], at+int64(max(n, 0))
	}
	return nil
}
