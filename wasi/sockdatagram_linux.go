package wasi

import (
	"math"
	"net/netip"

	"golang.org/x/sys/unix"
)

// maxHeard bounds socket.heard. When it is full, all are forgotten.
const maxHeard = 4096

// hear notes who sent a datagram.
func (s *socket) hear(from *address) {
	if s == nil || !s.bound || !from.ip.IsValid() {
		return
	}
	if s.heard == nil || len(s.heard) >= maxHeard {
		s.heard = map[netip.AddrPort]struct{}{}
	}
	s.heard[from.ip] = struct{}{}
}

func (c *call) sockRecvFrom() Errno {
	return c.receiveFrom(sizeAddressV2, sizeAddressV2, func(c *call, from *address, b []byte, n, flags uint32) Errno {
		c.put32(1, from.put(b))
		c.put32(2, n)
		return c.put32(3, flags)
	})
}

// sockRecvFromV1 has no place for the port.
func (c *call) sockRecvFromV1() Errno {
	return c.receiveFrom(4, math.MaxInt, func(c *call, from *address, b []byte, n, flags uint32) Errno {
		from.putV1(b)
		c.put32(1, n)
		return c.put32(2, flags)
	})
}

// receiveFrom receives once and stores what a version tells about it; least and most bound the buffer for the sender's address.
func (c *call) receiveFrom(least, most int, store func(c *call, from *address, b []byte, n, flags uint32) Errno) Errno {
	if _, errno := c.addressRoom(least, most); errno != 0 {
		return errno
	}
	from, flags, n, errno := c.receiveOne()
	if errno != 0 {
		return errno
	}
	b, errno := c.addressRoom(least, most) // the wait may have moved memory, the data may lie over the record
	if errno != 0 {
		return errno
	}
	return store(c, &from, b, uint32(n), flags)
}

// receiveOne takes one datagram, or what a stream has, and says from whom.
func (c *call) receiveOne() (from address, oflags uint32, n int, errno Errno) {
	f, iflags := c.file[0], c.n[0]
	switch {
	case !f.isSocket():
		return from, 0, 0, ENOTSOCK
	case iflags&^uint64(recvPeek|recvWaitall) != 0:
		return from, 0, 0, EINVAL
	}
	flags := unix.MSG_DONTWAIT
	if iflags&recvPeek != 0 {
		flags |= unix.MSG_PEEK
	}
	for {
		n, _, got, sa, err := unix.RecvmsgBuffers(f.fd, c.iovs, nil, flags)
		switch {
		case err == unix.EINTR:
		case err == unix.EAGAIN && f.flags&fdflagNonblock == 0:
			if errno := c.waitFile(f, unix.POLLIN); errno != 0 {
				return from, 0, 0, errno
			}
		case err != nil:
			return from, 0, 0, errnoOf(err)
		default:
			if got&unix.MSG_TRUNC != 0 {
				oflags = recvTruncated
			}
			from = addressOf(sa)
			f.socket.hear(&from)
			return from, oflags, n, ESUCCESS
		}
	}
}

// sockaddrIfHeard is the kernel's form of an address that may be answered, or nil.
func (a *address) sockaddrIfHeard(s *socket) unix.Sockaddr {
	if _, ok := s.heard[a.ip]; !ok {
		return nil
	}
	return a.sockaddr()
}

func (c *call) sockSendTo() Errno {
	f, errno := c.ownSocket()
	switch {
	case errno != 0:
		return errno
	case c.n[1] != 0: // flags, of which there are none
		return EINVAL
	}
	a, errno := c.getAddress(c.out[0], c.n[0])
	if errno != 0 {
		return errno
	}
	sa, done := a.sockaddrIfHeard(f.socket), func() {}
	if sa == nil {
		if sa, done, errno = c.target(f, &a); errno != 0 {
			return errno
		}
	}
	defer done()
	for {
		n, err := unix.SendmsgBuffers(f.fd, c.iovs, nil, sa, unix.MSG_DONTWAIT|unix.MSG_NOSIGNAL)
		switch {
		case err == unix.EINTR:
		case err == unix.EAGAIN && f.flags&fdflagNonblock == 0:
			if errno := c.waitFile(f, unix.POLLOUT); errno != 0 {
				return errno
			}
		case err != nil:
			return errnoOf(err)
		default:
			return c.put32(1, uint32(n))
		}
	}
}
