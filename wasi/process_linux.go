package wasi

import (
	"context"
	"io"
	"runtime"

	"golang.org/x/sys/unix"
)

// Clock ids.
const (
	clockRealtime  = 0
	clockMonotonic = 1
	clockProcess   = 2
	clockThread    = 3
)

func (c *call) argsGet() Errno         { return c.putList(&c.argv) }
func (c *call) argsSizesGet() Errno    { return c.putListSizes(&c.argv) }
func (c *call) environGet() Errno      { return c.putList(&c.environ) }
func (c *call) environSizesGet() Errno { return c.putListSizes(&c.environ) }

func (c *call) putListSizes(l *textList) Errno {
	c.put32(0, uint32(len(l.items)))
	return c.put32(1, l.size)
}

// putList stores the pointers at n[0] and the texts, each with a NUL, at n[1].
func (c *call) putList(l *textList) Errno {
	pointers, errno := c.bytes(c.n[0], uint64(len(l.items))*sizeU32)
	if errno != 0 {
		return errno
	}
	text, errno := c.bytes(c.n[1], uint64(l.size))
	if errno != 0 {
		return errno
	}
	at := uint32(c.n[1])
	for i, s := range l.items {
		le.PutUint32(pointers[i*sizeU32:], at)
		n := copy(text, s)
		text[n] = 0
		text = text[n+1:]
		at += uint32(n) + 1
	}
	return ESUCCESS
}

// unknownClock is the errno for a clock that cannot be read or waited for.
func unknownClock(id uint64) Errno {
	if id <= clockThread {
		return ENOTSUP
	}
	return EINVAL
}

// clockResGet: 1 is what clock_getres(2) says of all of them.
func (c *call) clockResGet() Errno {
	if id := c.n[0]; id > clockMonotonic && !c.clock.hasCPU(id) {
		return unknownClock(id)
	}
	return c.put64(0, 1)
}

func (c *call) clockTimeGet() Errno {
	t, errno := c.clock.read(c.n[0])
	if errno != 0 {
		return errno
	}
	return c.put64(0, uint64(t))
}

// read is the time of a clock in nanoseconds.
func (c *clock) read(id uint64) (int64, Errno) {
	switch {
	case id == clockRealtime:
		return c.realtime(), ESUCCESS
	case id == clockMonotonic:
		return c.monotonic(), ESUCCESS
	case c.hasCPU(id):
		return cpuTime() - c.cpuBase, ESUCCESS
	}
	return 0, unknownClock(id)
}

// cpuTime is what the host's process has used, in nanoseconds.
func cpuTime() int64 {
	var t unix.Timespec
	if err := unix.ClockGettime(unix.CLOCK_PROCESS_CPUTIME_ID, &t); err != nil {
		return 0 // there is no such kernel
	}
	return t.Nano()
}

// readClock is clock_time_get for the system's clocks, without what other functions need: nothing
// that it uses changes, so it takes no lock, and its arguments need no decoding. Errors come in the shim's order.
func (s *System) readClock(memory []byte, args []uint64) Errno {
	if s.closed.Load() {
		return EBADF
	}
	out, errno := guestBytes(memory, args[2], sizeU64)
	if errno != 0 {
		return errno
	}
	t, errno := s.clock.read(uint64(uint32(args[0])))
	if errno != 0 {
		return errno
	}
	le.PutUint64(out, uint64(t))
	return ESUCCESS
}

// randomChunk is how much is filled between looks at the context.
const randomChunk = 64 << 10

func (c *call) randomGet() Errno {
	for b := c.buf; len(b) > 0; {
		if c.ctx.Err() != nil {
			return c.end(context.Cause(c.ctx))
		}
		n := min(len(b), randomChunk)
		if _, err := io.ReadFull(c.rand, b[:n]); err != nil {
			return EIO
		}
		b = b[n:]
	}
	return ESUCCESS
}

func (c *call) procExit() Errno { return c.end(&exit{uint32(c.n[0])}) }

// procRaise: a guest has no signal handlers, and the host's process is not its to
// signal.
func (c *call) procRaise() Errno { return ENOTSUP }

func (c *call) schedYield() Errno {
	runtime.Gosched()
	return ESUCCESS
}
