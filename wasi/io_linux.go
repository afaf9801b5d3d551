package wasi

import (
	"math"

	"golang.org/x/sys/unix"
)

// pipeBuf is PIPE_BUF of pipe(7): a pipe that polls as writable takes this much
// without blocking.
const pipeBuf = 4096

// A transferFunc moves bytes between a file and buffers, once.
type transferFunc func(f *file, b [][]byte) (int, error)

func (c *call) fdRead() Errno {
	if v := c.file[0].mounted; v != nil {
		return c.readMounted(v)
	}
	return c.stored(c.transfer(c.file[0], unix.POLLIN, false, readOnce))
}

func (c *call) fdWrite() Errno {
	return c.stored(c.transfer(c.file[0], unix.POLLOUT, true, writeOnce))
}

// stored puts a count of bytes at out 0.
func (c *call) stored(n int, errno Errno) Errno {
	if errno != 0 {
		return errno
	}
	return c.put32(0, uint32(n))
}

// transfer moves bytes between f and c.iovs, waiting for events as f's flags say.
// If all is set, a blocking file takes all of them.
func (c *call) transfer(f *file, events int16, all bool, once transferFunc) (done int, errno Errno) {
	nonblock := f.flags&fdflagNonblock != 0
	for len(c.iovs) > 0 {
		if f.mode == ioPolled && !readyNow(f, events) {
			if nonblock {
				return finish(done, EAGAIN)
			}
			if errno := c.waitFor(f, events, done); errno != 0 {
				return 0, errno
			}
		}
		n, err := once(f, c.buffers(f, events))
		switch {
		case err == unix.EINTR:
			continue
		case err == unix.EAGAIN && !nonblock:
			if errno := c.waitFor(f, events, done); errno != 0 {
				return 0, errno
			}
			continue
		case err != nil:
			return finish(done, errnoOf(err))
		}
		done += n
		if n == 0 || !all || nonblock {
			break
		}
		c.iovs = advance(c.iovs, n)
	}
	return done, ESUCCESS
}

// finish hides an error behind what was already transferred: it will be met
// again.
func finish(done int, errno Errno) (int, Errno) {
	if done > 0 {
		return done, ESUCCESS
	}
	return 0, errno
}

// waitFor waits in the middle of a transfer, of which done bytes are made.
func (c *call) waitFor(f *file, events int16, done int) Errno {
	if errno := c.waitFile(f, events); errno != 0 {
		return errno
	}
	c.iovs = advance(c.iovs, done)
	return ESUCCESS
}

// buffers is c.iovs or, when a write to f might block, as much as does not.
func (c *call) buffers(f *file, events int16) [][]byte {
	if f.mode != ioPolled || events != unix.POLLOUT {
		return c.iovs
	}
	first := c.iovs[0]
	c.short[0] = first[:min(len(first), pipeBuf)]
	return c.short[:]
}

// advance drops the first n bytes.
func advance(b [][]byte, n int) [][]byte {
	for len(b) > 0 && n >= len(b[0]) {
		n -= len(b[0])
		b = b[1:]
	}
	if n > 0 {
		b[0] = b[0][n:]
	}
	return b
}

func readOnce(f *file, b [][]byte) (int, error) {
	switch {
	case f.mode == ioSocket:
		return receive(f, b, 0)
	case len(b) == 1:
		return unix.Read(f.fd, b[0])
	}
	return unix.Readv(f.fd, b)
}

func writeOnce(f *file, b [][]byte) (int, error) {
	switch flags := f.writeFlags(); {
	case f.mode == ioSocket:
		return send(f, b)
	case flags != 0:
		return writeWith(f, b, flags)
	case len(b) == 1:
		return unix.Write(f.fd, b[0])
	}
	return unix.Writev(f.fd, b)
}

// writeFlags are the flags of pwritev2(2) that f's flags ask for. The kernel's file
// has neither O_APPEND nor O_SYNC, because the one makes pwrite append as well and
// the other cannot be changed.
func (f *file) writeFlags() (flags int) {
	if f.filetype != filetypeRegularFile {
		return 0
	}
	if f.flags&fdflagAppend != 0 {
		flags |= unix.RWF_APPEND
	}
	if f.flags&fdflagDsync != 0 {
		flags |= unix.RWF_DSYNC
	}
	if f.flags&(fdflagSync|fdflagRsync) != 0 {
		flags |= unix.RWF_SYNC
	}
	return flags
}

// writeWith writes at the file's offset with flags.
func writeWith(f *file, b [][]byte, flags int) (int, error) {
	n, err := unix.Pwritev2(f.fd, b, -1, flags)
	if err != unix.ENOSYS && err != unix.EOPNOTSUPP {
		return n, err
	}
	return writePlain(f, b, flags)
}

// writePlain is writeWith for old kernels, and for file systems that implement
// their own write.
func writePlain(f *file, b [][]byte, flags int) (int, error) {
	if flags&unix.RWF_APPEND != 0 {
		if _, err := unix.FcntlInt(uintptr(f.fd), unix.F_SETFL, unix.O_APPEND); err != nil {
			return 0, err
		}
		defer unix.FcntlInt(uintptr(f.fd), unix.F_SETFL, 0)
	}
	n, err := unix.Writev(f.fd, b)
	return n, synced(f, err, flags)
}

// pwriteWith writes at an offset of its own. There, append has no meaning.
func pwriteWith(f *file, b [][]byte, offset int64, flags int) (int, error) {
	flags &^= unix.RWF_APPEND
	if flags != 0 {
		n, err := unix.Pwritev2(f.fd, b, offset, flags)
		if err != unix.ENOSYS && err != unix.EOPNOTSUPP {
			return n, err
		}
	}
	n, err := unix.Pwritev(f.fd, b, offset)
	return n, synced(f, err, flags)
}

// synced completes a write without RWF_SYNC or RWF_DSYNC.
func synced(f *file, err error, flags int) error {
	switch {
	case err != nil:
		return err
	case flags&unix.RWF_SYNC != 0:
		return unix.Fsync(f.fd)
	case flags&unix.RWF_DSYNC != 0:
		return unix.Fdatasync(f.fd)
	}
	return nil
}

func (c *call) fdPread() Errno {
	return c.transferAt(unix.POLLIN, func(f *file, b [][]byte, offset int64) (int, error) {
		if len(b) == 1 {
			return unix.Pread(f.fd, b[0], offset)
		}
		return unix.Preadv(f.fd, b, offset)
	})
}

func (c *call) fdPwrite() Errno {
	return c.transferAt(unix.POLLOUT, func(f *file, b [][]byte, offset int64) (int, error) {
		flags := f.writeFlags()
		if flags == 0 && len(b) == 1 {
			return unix.Pwrite(f.fd, b[0], offset)
		}
		return pwriteWith(f, b, offset, flags)
	})
}

// transferAt makes a transfer that leaves the file's offset alone.
func (c *call) transferAt(events int16, once func(f *file, b [][]byte, offset int64) (int, error)) Errno {
	f, offset := c.file[0], c.n[0]
	if offset > math.MaxInt64 {
		return EINVAL
	}
	if len(c.iovs) == 0 {
		return c.stored(0, ESUCCESS)
	}
	if f.mounted != nil { // which only reads
		return c.stored(c.readMountedAt(f.mounted, int64(offset)))
	}
	for {
		n, err := once(f, c.iovs, int64(offset))
		switch err {
		case unix.EINTR:
			continue
		case unix.EAGAIN: // a device that can seek
			if f.flags&fdflagNonblock == 0 {
				if errno := c.waitFile(f, events); errno != 0 {
					return errno
				}
				continue
			}
		}
		return c.stored(n, errnoOf(err))
	}
}
