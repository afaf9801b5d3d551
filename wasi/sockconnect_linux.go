package wasi

import (
	"net/netip"

	"golang.org/x/sys/unix"
)

func (c *call) sockBind() Errno {
	f, errno := c.ownSocket()
	if errno != 0 {
		return errno
	}
	a, errno := c.getAddress(c.out[0], c.n[0])
	if errno != 0 {
		return errno
	}
	if errno := f.sameFamily(&a); errno != 0 {
		return errno
	}
	if !a.unix {
		if !c.network.mayListen(a.ip) {
			return EACCES
		}
		err := unix.Bind(f.fd, a.sockaddr())
		f.socket.bound = f.socket.bound || err == nil
		return errnoOf(err)
	}
	sa, dir, errno := c.unixPlace(a.path)
	if errno != 0 {
		return errno
	}
	defer unix.Close(dir)
	if err := unix.Bind(f.fd, sa); err != nil {
		return errnoOf(err)
	}
	f.socket.bound, f.socket.local = true, a.path
	return ESUCCESS
}

func (f *file) sameFamily(a *address) Errno {
	want := uint64(familyUnix)
	if !a.unix {
		want = familyINET6
		if a.ip.Addr().Is4() {
			want = familyINET
		}
	}
	if f.socket.family != want {
		return EAFNOSUPPORT
	}
	return ESUCCESS
}

func (c *call) sockListen() Errno {
	f, errno := c.ownSocket()
	if errno != 0 {
		return errno
	}
	if !f.socket.bound { // the kernel chooses a port of the wildcard address
		ip := netip.IPv4Unspecified()
		switch f.socket.family {
		case familyINET6:
			ip = netip.IPv6Unspecified()
		case familyUnix:
			return EINVAL
		}
		if !c.network.mayListen(netip.AddrPortFrom(ip, 0)) {
			return EACCES
		}
	}
	return errnoOf(unix.Listen(f.fd, int(min(c.n[0], unix.SOMAXCONN))))
}

// target is the kernel's address of what may be dialled. done frees what holds it.
func (c *call) target(f *file, a *address) (sa unix.Sockaddr, done func(), errno Errno) {
	if errno := f.sameFamily(a); errno != 0 {
		return nil, nil, errno
	}
	if a.unix {
		sa, fd, errno := c.unixTarget(a.path)
		return sa, func() { unix.Close(fd) }, errno
	}
	if !c.network.mayDial(a.ip) {
		return nil, nil, EACCES
	}
	return a.sockaddr(), func() {}, ESUCCESS
}

func (c *call) sockConnect() Errno {
	f, errno := c.ownSocket()
	if errno != 0 {
		return errno
	}
	a, errno := c.getAddress(c.out[0], c.n[0])
	if errno != 0 {
		return errno
	}
	sa, done, errno := c.target(f, &a)
	if errno != 0 {
		return errno
	}
	err := unix.Connect(f.fd, sa)
	done()
	if err == nil || err == unix.EINPROGRESS {
		f.socket.peer = a.path
	}
	if err == unix.EINTR {
		err = unix.EINPROGRESS // connect(2): it goes on
	}
	if err != unix.EINPROGRESS || f.flags&fdflagNonblock != 0 {
		return errnoOf(err)
	}
	if errno := c.waitFile(f, unix.POLLOUT); errno != 0 {
		return errno
	}
	code, err := unix.GetsockoptInt(f.fd, unix.SOL_SOCKET, unix.SO_ERROR)
	if err != nil || code == 0 {
		return errnoOf(err)
	}
	return errnoOf(unix.Errno(code))
}

// sockAcceptV1 lacks the parameter flags.
func (c *call) sockAcceptV1() Errno {
	c.n = append(c.n[:0], 0)
	return c.sockAccept()
}
