//go:build unix

package artifact

import (
	"errors"
	"fmt"
	"io"
	"os"

	"golang.org/x/sys/unix"
)

// Map maps an artifact that lies in an open file at offset off, a multiple of the page size. The header and the tables that loading reads are
// compared with their checksums; for the rest, most of the file, there is the result's Check. Its Release unmaps it and closes fd,
// which stays open if there is an error.
func Map(fd int, off, size int64) (*Artifact, error) {
	if size < pageSize || int64(int(size)) != size {
		return nil, fmt.Errorf("truncated artifact: expected at least %d bytes, found %d", pageSize, size)
	}
	m, err := unix.Mmap(fd, off, int(size), unix.PROT_READ, unix.MAP_PRIVATE)
	if err != nil {
		return nil, os.NewSyscallError("mmap", err)
	}
	a, spans, err := decode(m, loadReads)
	if err != nil {
		return nil, errors.Join(err, unix.Munmap(m))
	}
	a.setSource(spans, fd, off)
	a.Check = func() error { return checkRest(fd, off, spans) }
	a.Release = func() error { return errors.Join(unix.Munmap(m), unix.Close(fd)) }
	return a, nil
}

// loadReads tells which regions are read for loading. Traps, calls and names are asked for when something goes wrong.
func loadReads(r region) bool { return r == regFuncs || r == regModule }

// checkChunk is read at a time: it stays in the processor's cache. Reading costs less than mapping pages that are looked at
// once, and unmapping them at the end.
const checkChunk = 32 << 10

// checkRest compares the regions that Map has not compared.
func checkRest(fd int, off int64, spans *[regCount]sumSpan) error {
	buf := make([]byte, checkChunk)
	for r := range regTail {
		if loadReads(r) {
			continue
		}
		s := &spans[r]
		sum := newSummer()
		for at := s.off; at < s.end; {
			part := buf[:min(uint64(len(buf)), s.end-at)]
			if err := readFull(fd, part, off+int64(at)); err != nil {
				return err
			}
			sum.add(part)
			at += uint64(len(part))
		}
		if sum.sum() != s.sum {
			return s.damaged(r)
		}
	}
	return nil
}

func readFull(fd int, b []byte, at int64) error {
	for len(b) > 0 {
		n, err := unix.Pread(fd, b, at)
		switch {
		case errors.Is(err, unix.EINTR):
			continue
		case err != nil:
			return os.NewSyscallError("pread", err)
		case n == 0:
			return fmt.Errorf("truncated artifact: %w", io.ErrUnexpectedEOF)
		}
		b, at = b[n:], at+int64(n)
	}
	return nil
}
