package wasi

import (
	"context"
	"math"
	"sync"

	"golang.org/x/sys/unix"
)

// noDeadline is a deadline that never comes.
const noDeadline = math.MaxInt64

// wait sleeps in the kernel until one of fds is ready, the monotonic clock reaches
// deadline, or ctx ends, whose cause it returns then. The last element of fds is
// for wait's own use.
func (s *System) wait(ctx context.Context, fds []unix.PollFd, deadline int64) error {
	wake := &fds[len(fds)-1]
	fd, err := s.waker.watch(ctx)
	if err != nil {
		return err
	}
	*wake = unix.PollFd{Fd: int32(fd), Events: unix.POLLIN} // the kernel skips -1
	for {
		if ctx.Err() != nil {
			return context.Cause(ctx)
		}
		var timeout *unix.Timespec
		if deadline != noDeadline {
			ts := unix.NsecToTimespec(max(0, deadline-s.clock.monotonic()))
			timeout = &ts
		}
		n, err := unix.Ppoll(fds, timeout, nil)
		switch {
		case err == unix.EINTR:
			// The Go scheduler sends signals.
		case err != nil:
			return err
		case wake.Revents == 0:
			return nil
		case n > 1 && ctx.Err() == nil:
			return nil
		default: // ctx has ended, or this is the late echo of an earlier one
			s.waker.drain()
		}
	}
}

// waitFile waits until f is ready for events.
func (c *call) waitFile(f *file, events int16) Errno {
	fds := [2]unix.PollFd{{Fd: int32(f.fd), Events: events}}
	if err := c.wait(c.ctx, fds[:], noDeadline); err != nil {
		return c.failed(err)
	}
	return c.refetch()
}

// failed is the errno for an error of wait: the end of the context ends the guest.
func (c *call) failed(err error) Errno {
	if c.ctx.Err() != nil {
		return c.end(err)
	}
	return errnoOf(err)
}

// readyNow tells whether f is ready for events without waiting.
func readyNow(f *file, events int16) bool {
	for {
		fds := [1]unix.PollFd{{Fd: int32(f.fd), Events: events}}
		n, err := unix.Ppoll(fds[:], &unix.Timespec{}, nil)
		if err != unix.EINTR {
			return n > 0
		}
	}
}

// A waker turns the end of a context into a readable descriptor.
type waker struct {
	mu   sync.Mutex // guards fd against a late echo of a context
	fd   int        // eventfd, or -1
	done <-chan struct{}
	stop func() bool
}

// watch returns the descriptor for ctx, or -1 if ctx never ends. It is cheap for
// the context of the call before.
func (w *waker) watch(ctx context.Context) (int, error) {
	done := ctx.Done()
	if done == nil {
		return -1, nil
	}
	if done == w.done {
		return w.fd, nil
	}
	if w.fd < 0 {
		fd, err := unix.Eventfd(0, unix.EFD_CLOEXEC|unix.EFD_NONBLOCK)
		if err != nil {
			return -1, err
		}
		w.mu.Lock()
		w.fd = fd
		w.mu.Unlock()
	}
	if w.stop != nil {
		w.stop()
	}
	w.drain()
	w.done = done
	w.stop = context.AfterFunc(ctx, w.wake)
	return w.fd, nil
}

func (w *waker) wake() {
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.fd >= 0 {
		unix.Write(w.fd, []byte{1, 0, 0, 0, 0, 0, 0, 0}) // eventfd(2): adds 1
	}
}

func (w *waker) drain() {
	var b [8]byte
	unix.Read(w.fd, b[:])
}

func (w *waker) close() {
	if w.stop != nil {
		w.stop()
	}
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.fd >= 0 {
		unix.Close(w.fd)
	}
	w.fd, w.done, w.stop = -1, nil, nil
}
