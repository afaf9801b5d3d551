package wasi

import (
	"net/netip"

	"golang.org/x/sys/unix"
)

// The socket extension of WasmEdge, in the two versions that are in use. They share the
// names of functions; the number of parameters tells which is meant. A name with "_v2"
// after it is the same as without.
//
// Where the versions differ, version 2 comes first.
var sockExtension = []function{
	{"sock_open", []param{argU32("af"), argU32("type"), argOut("fd", sizeU32)}, (*call).sockOpen},
	{"sock_bind", []param{argFD(0), argOut("addr", sizeAddress), argU32("port")}, (*call).sockBind},
	{"sock_listen", []param{argFD(rightSockAccept), argU32("backlog")}, (*call).sockListen},
	{"sock_connect", []param{argFD(rightFDWrite), argOut("addr", sizeAddress), argU32("port")}, (*call).sockConnect},
	{"sock_getsockopt", []param{argFD(0), argU32("level"), argU32("name"), argOut("value", sizeU32), argPtr("size")}, (*call).sockGetsockopt},
	{"sock_setsockopt", []param{argFD(rightFDStatSetFlags), argU32("level"), argU32("name"), argOut("value", sizeU32), argU32("size")}, (*call).sockSetsockopt},
	{"sock_getlocaladdr", []param{argFD(0), argOut("addr", sizeAddress), argOut("port", sizeU32)}, (*call).sockGetlocaladdr},
	{"sock_getpeeraddr", []param{argFD(0), argOut("addr", sizeAddress), argOut("port", sizeU32)}, (*call).sockGetpeeraddr},
	{"sock_recv_from", []param{argFD(rightFDRead), argIovs, argOut("addr", sizeAddress), argU32("flags"), argOut("port", sizeU32), argOut("nread", sizeU32), argOut("flags", sizeU32)}, (*call).sockRecvFrom},
	{"sock_send_to", []param{argFD(rightFDWrite), argIovs, argOut("addr", sizeAddress), argU32("port"), argU32("flags"), argOut("nwritten", sizeU32)}, (*call).sockSendTo},
	{"sock_getaddrinfo", []param{argBuf("node"), argBuf("service"), argOut("hints", sizeAddrinfo), argOut("result", sizeU32), argU32("max"), argOut("n", sizeU32)}, (*call).sockGetaddrinfo},

	{"sock_accept", []param{argFD(rightSockAccept), argOut("fd", sizeU32)}, (*call).sockAcceptV1},
	{"sock_getlocaladdr", []param{argFD(0), argOut("addr", sizeAddress), argOut("type", sizeU32), argOut("port", sizeU32)}, (*call).sockGetlocaladdrV1},
	{"sock_getpeeraddr", []param{argFD(0), argOut("addr", sizeAddress), argOut("type", sizeU32), argOut("port", sizeU32)}, (*call).sockGetpeeraddrV1},
	{"sock_recv_from", []param{argFD(rightFDRead), argIovs, argOut("addr", sizeAddress), argU32("flags"), argOut("nread", sizeU32), argOut("flags", sizeU32)}, (*call).sockRecvFromV1},
}

// Types of sockets.
const (
	socketAny    = 0
	socketDgram  = 1
	socketStream = 2
)

// socketFamilies are the kernel's numbers.
var socketFamilies = [...]int{familyINET: unix.AF_INET, familyINET6: unix.AF_INET6, familyUnix: unix.AF_UNIX}

var socketTypes = [...]int{socketDgram: unix.SOCK_DGRAM, socketStream: unix.SOCK_STREAM}

// Socket is what a file has of a socket of the guest's own.
type socket struct {
	family      uint64
	bound       bool
	local, peer string // paths of unix sockets as the guest gave them

	// heard are those whose datagrams a bound socket got: they may be answered.
	heard map[netip.AddrPort]struct{}
}

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

// ownSocket is the socket of a call's first descriptor. Sockets that the guest did not
// open are complete: nothing is left to bind or connect.
func (c *call) ownSocket() (*file, Errno) {
	f := c.file[0]
	switch {
	case !f.isSocket():
		return nil, ENOTSOCK
	case f.socket == nil:
		return nil, EINVAL
	}
	return f, ESUCCESS
}

func (c *call) sockOpen() Errno {
	family, typ := c.n[0], c.n[1]
	switch {
	case family == familyUnspec || family >= uint64(len(socketFamilies)):
		return EAFNOSUPPORT
	case typ == socketAny || typ >= uint64(len(socketTypes)):
		return EPROTOTYPE
	case !c.network.some(family == familyUnix):
		return EACCES
	case c.files.full():
		return EMFILE
	}
	fd, err := unix.Socket(socketFamilies[family], socketTypes[typ]|unix.SOCK_CLOEXEC|unix.SOCK_NONBLOCK, 0)
	if err != nil {
		return errnoOf(err)
	}
	if err := prepareSocket(fd, family, typ); err != nil {
		unix.Close(fd)
		return errnoOf(err)
	}
	f := &file{
		fd:         fd,
		filetype:   filetypeSocketStream,
		mode:       ioSocket,
		base:       rightsListener,
		inheriting: rightsConnection,
		socket:     &socket{family: family},
	}
	if typ == socketDgram {
		f.filetype, f.base = filetypeSocketDgram, rightsConnection
	}
	return c.put32(0, c.files.add(f))
}

// prepareSocket sets what every socket has. IPv6 sockets carry no IPv4, so that a bind
// to :: is no bind to 0.0.0.0. Small writes are not held back: Go's native net package
// asks for that, in a guest it cannot.
func prepareSocket(fd int, family, typ uint64) error {
	if family == familyINET6 {
		if err := unix.SetsockoptInt(fd, unix.IPPROTO_IPV6, unix.IPV6_V6ONLY, 1); err != nil {
			return err
		}
	}
	if family != familyUnix && typ == socketStream {
		return unix.SetsockoptInt(fd, unix.IPPROTO_TCP, unix.TCP_NODELAY, 1)
	}
	return nil
}

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

// nameOf is an address of a socket, local or of its peer.
func (c *call) nameOf(peer bool) (a address, errno Errno) {
	f := c.file[0]
	if !f.isSocket() {
		return a, ENOTSOCK
	}
	ask := unix.Getsockname
	if peer {
		ask = unix.Getpeername
	}
	sa, err := ask(f.fd)
	if err != nil {
		return a, errnoOf(err)
	}
	a = addressOf(sa)
	if a.unix && f.socket != nil {
		a.path = f.socket.local
		if peer {
			a.path = f.socket.peer
		}
	}
	return a, ESUCCESS
}

func (c *call) sockGetlocaladdr() Errno   { return c.putName(false) }
func (c *call) sockGetpeeraddr() Errno    { return c.putName(true) }
func (c *call) sockGetlocaladdrV1() Errno { return c.putNameV1(false) }
func (c *call) sockGetpeeraddrV1() Errno  { return c.putNameV1(true) }

func (c *call) putName(peer bool) Errno {
	b, errno := c.addressBuffer(c.out[0])
	switch {
	case errno != 0:
		return errno
	case len(b) != sizeAddressV2:
		return EINVAL
	}
	a, errno := c.nameOf(peer)
	if errno != 0 {
		return errno
	}
	return c.put32(1, a.put(b))
}

func (c *call) putNameV1(peer bool) Errno {
	b, errno := c.addressBuffer(c.out[0])
	switch {
	case errno != 0:
		return errno
	case len(b) != sizeAddressV1:
		return EINVAL
	}
	a, errno := c.nameOf(peer)
	switch {
	case errno != 0:
		return errno
	case a.unix:
		return EAFNOSUPPORT
	}
	kind, port := a.putV1(b)
	c.put32(1, kind)
	return c.put32(2, port)
}

func (c *call) sockRecvFrom() Errno {
	b, errno := c.addressBuffer(c.out[0])
	switch {
	case errno != 0:
		return errno
	case len(b) != sizeAddressV2:
		return EINVAL
	}
	a, flags, n, errno := c.receiveFrom()
	if errno != 0 {
		return errno
	}
	b, errno = c.addressBuffer(c.out[0]) // the wait may have moved memory, the data may lie over the record
	switch {
	case errno != 0:
		return errno
	case len(b) != sizeAddressV2:
		return EINVAL
	}
	c.put32(1, a.put(b))
	c.put32(2, uint32(n))
	return c.put32(3, flags)
}

func (c *call) sockRecvFromV1() Errno {
	b, errno := c.addressBuffer(c.out[0])
	switch {
	case errno != 0:
		return errno
	case len(b) < 4:
		return EINVAL
	}
	a, flags, n, errno := c.receiveFrom()
	if errno != 0 {
		return errno
	}
	if b, errno = c.addressBuffer(c.out[0]); errno != 0 {
		return errno
	}
	a.putV1(b)
	c.put32(1, uint32(n))
	return c.put32(2, flags)
}

// receiveFrom receives once and says from whom.
func (c *call) receiveFrom() (from address, oflags uint32, n int, errno Errno) {
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
