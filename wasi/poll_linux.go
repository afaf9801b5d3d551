package wasi

import (
	"math"
	"time"

	"golang.org/x/sys/unix"
)

// Tags of subscriptions and types of events.
const (
	eventClock   = 0
	eventFDRead  = 1
	eventFDWrite = 2
)

const (
	subclockAbstime = 1 // subclockflags
	eventHangup     = 1 // eventrwflags

	// maxSubs bounds the subscriptions of one poll. Go's runtime has at most 65,536.
	maxSubs = 1 << 17

	// realtimeStep bounds one sleep until an absolute time of the realtime clock,
	// which may be set meanwhile.
	realtimeStep = int64(10 * time.Second)
)

// A subscription is one of poll_oneoff's.
type subscription struct {
	userdata uint64
	errno    Errno
	tag      uint8
	slot     int   // of files: index in poller.fds
	always   bool  // of files of a mount: ready
	deadline int64 // of clocks: monotonic, or realtime
	realtime bool  // deadline is absolute on the realtime clock
}

// A poller is a poll in progress; its slices are reused.
type poller struct {
	subs  []subscription
	fds   []unix.PollFd
	files []*file // of fds
}

// pollOneoff waits for any of the subscriptions in guest memory. All that are
// ready are reported, level-triggered, in their order.
func (c *call) pollOneoff() Errno {
	in, outAt, n := c.n[0], c.n[1], c.n[2]
	if n == 0 || n > maxSubs {
		return EINVAL
	}
	subs, errno := c.bytes(in, n*sizeSub)
	if errno != 0 {
		return errno
	}
	if _, errno := c.bytes(outAt, n*sizeEvent); errno != 0 {
		return errno
	}
	p := &c.poll
	defer p.reset()
	for ; len(subs) > 0; subs = subs[sizeSub:] {
		if errno := p.add(c, subs); errno != 0 {
			return errno
		}
	}
	p.fds = append(p.fds, unix.PollFd{}) // wait's
	for {
		if len(p.fds) > 1 || c.ctx.Done() != nil || p.deadline(&c.clock) > c.clock.monotonic() {
			if err := c.wait(c.ctx, p.fds, p.deadline(&c.clock)); err != nil {
				return c.failed(err)
			}
		}
		if errno := c.refetch(); errno != 0 {
			return errno
		}
		events, errno := c.bytes(outAt, n*sizeEvent)
		if errno != 0 {
			return errno
		}
		if count := p.report(&c.clock, events); count > 0 {
			return c.put32(0, count)
		}
	}
}

// add reads one subscription.
func (p *poller) add(c *call, b []byte) Errno {
	s := subscription{userdata: le.Uint64(b), tag: b[8], slot: -1, deadline: noDeadline}
	switch s.tag {
	case eventClock:
		s.errno = s.setClock(&c.clock, le.Uint32(b[16:]), le.Uint64(b[24:]), le.Uint16(b[40:]))
	case eventFDRead:
		s.slot, s.errno = p.addFile(c.files.get(le.Uint32(b[16:])), rightFDRead, unix.POLLIN)
	case eventFDWrite:
		s.slot, s.errno = p.addFile(c.files.get(le.Uint32(b[16:])), rightFDWrite, unix.POLLOUT)
	default:
		return EINVAL
	}
	s.always = s.slot >= 0 && p.files[s.slot].mounted != nil
	p.subs = append(p.subs, s)
	return ESUCCESS
}

// setClock gives the subscription its deadline.
func (s *subscription) setClock(clock *clock, id uint32, timeout uint64, flags uint16) Errno {
	if id > clockMonotonic {
		return unknownClock(uint64(id))
	}
	if flags&^subclockAbstime != 0 {
		return EINVAL
	}
	t := int64(min(timeout, math.MaxInt64))
	if flags&subclockAbstime != 0 {
		s.deadline, s.realtime = t, id == clockRealtime
		return ESUCCESS
	}
	now := clock.monotonic()
	s.deadline = now + min(t, noDeadline-now)
	return ESUCCESS
}

// addFile enters a file once, however many subscriptions it has: the kernel counts
// entries against the limit of open files.
func (p *poller) addFile(f *file, r rights, events int16) (slot int, errno Errno) {
	if f == nil {
		return -1, EBADF
	}
	if f.base&rightPollFDReadwrite == 0 || f.base&r == 0 {
		return -1, ENOTCAPABLE
	}
	if f.pollSlot == 0 {
		p.fds = append(p.fds, unix.PollFd{Fd: int32(f.fd)}) // the kernel skips -1, a mount's
		p.files = append(p.files, f)
		f.pollSlot = len(p.fds)
	}
	slot = f.pollSlot - 1
	p.fds[slot].Events |= events
	return slot, ESUCCESS
}

// deadline is when the poll must look again, on the monotonic clock.
func (p *poller) deadline(clock *clock) int64 {
	first := int64(noDeadline)
	for i := range p.subs {
		s := &p.subs[i]
		switch {
		case s.errno != 0 || s.always:
			return 0
		case s.realtime:
			left := min(max(0, s.deadline-clock.realtime()), realtimeStep)
			first = min(first, clock.monotonic()+left)
		default:
			first = min(first, s.deadline)
		}
	}
	return first
}

// report stores an event for every subscription that is ready and counts them.
func (p *poller) report(clock *clock, events []byte) (count uint32) {
	for i := range p.subs {
		s := &p.subs[i]
		var nbytes uint64
		var flags uint16
		errno := s.errno
		switch {
		case errno != 0:
		case s.tag == eventClock:
			now := clock.monotonic()
			if s.realtime {
				now = clock.realtime()
			}
			if now < s.deadline {
				continue
			}
		default:
			got := p.fds[s.slot].Revents
			if s.always {
				got = unix.POLLIN | unix.POLLOUT
			}
			if !s.ready(got) {
				continue
			}
			if got&unix.POLLNVAL != 0 {
				errno = EBADF
			}
			if got&unix.POLLHUP != 0 {
				flags = eventHangup
			}
			nbytes = s.available(p.files[s.slot])
		}
		e := events[count*sizeEvent:][:sizeEvent]
		clear(e)
		le.PutUint64(e, s.userdata)
		le.PutUint16(e[8:], uint16(errno))
		e[10] = s.tag
		le.PutUint64(e[16:], nbytes)
		le.PutUint16(e[24:], flags)
		count++
	}
	return count
}

// ready tells whether what the kernel saw is what the subscription waits for. An
// error or hang-up makes both directions ready: the transfer tells which it is.
func (s *subscription) ready(revents int16) bool {
	const always = unix.POLLERR | unix.POLLHUP | unix.POLLNVAL
	if s.tag == eventFDRead {
		return revents&(unix.POLLIN|always) != 0
	}
	return revents&(unix.POLLOUT|always) != 0
}

// available is how much can be read or, at least, written.
func (s *subscription) available(f *file) uint64 {
	if s.tag == eventFDWrite {
		return 1
	}
	if v := f.mounted; v != nil {
		info, err := v.stat()
		if err != nil {
			return 0
		}
		return uint64(max(0, info.Size()-v.at))
	}
	n, err := unix.IoctlGetInt(f.fd, unix.TIOCINQ) // FIONREAD
	if err != nil || n < 0 {
		return 0
	}
	return uint64(n)
}

func (p *poller) reset() {
	for i, f := range p.files {
		f.pollSlot = 0
		p.files[i] = nil
	}
	p.subs, p.fds, p.files = p.subs[:0], p.fds[:0], p.files[:0]
}
