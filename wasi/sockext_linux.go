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
	{"sock_bind", []param{argFD(0), argIn("addr", sizeAddress), argU32("port")}, (*call).sockBind},
	{"sock_listen", []param{argFD(rightSockAccept), argU32("backlog")}, (*call).sockListen},
	{"sock_connect", []param{argFD(rightFDWrite), argIn("addr", sizeAddress), argU32("port")}, (*call).sockConnect},
	{"sock_getsockopt", []param{argFD(0), argU32("level"), argU32("option"), argOut("value", sizeU32), argPtr("size")}, (*call).sockGetsockopt},
	{"sock_setsockopt", []param{argFD(rightFDStatSetFlags), argU32("level"), argU32("option"), argIn("value", sizeU32), argU32("size")}, (*call).sockSetsockopt},
	{"sock_getlocaladdr", []param{argFD(0), argOut("addr", sizeAddress), argOut("port", sizeU32)}, (*call).sockGetlocaladdr},
	{"sock_getpeeraddr", []param{argFD(0), argOut("addr", sizeAddress), argOut("port", sizeU32)}, (*call).sockGetpeeraddr},
	{"sock_recv_from", []param{argFD(rightFDRead), argIovs, argOut("addr", sizeAddress), argU32("riflags"), argOut("port", sizeU32), argOut("nread", sizeU32), argOut("roflags", sizeU32)}, (*call).sockRecvFrom},
	{"sock_send_to", []param{argFD(rightFDWrite), argIovs, argIn("addr", sizeAddress), argU32("port"), argU32("siflags"), argOut("nwritten", sizeU32)}, (*call).sockSendTo},
	{"sock_getaddrinfo", []param{argBuf("node"), argBuf("service"), argIn("hints", sizeAddrinfo), argOut("result", sizeU32), argU32("max"), argOut("n", sizeU32)}, (*call).sockGetaddrinfo},

	{"sock_accept", []param{argFD(rightSockAccept), argOut("fd", sizeU32)}, (*call).sockAcceptV1},
	{"sock_getlocaladdr", []param{argFD(0), argOut("addr", sizeAddress), argOut("version", sizeU32), argOut("port", sizeU32)}, (*call).sockGetlocaladdrV1},
	{"sock_getpeeraddr", []param{argFD(0), argOut("addr", sizeAddress), argOut("version", sizeU32), argOut("port", sizeU32)}, (*call).sockGetpeeraddrV1},
	{"sock_recv_from", []param{argFD(rightFDRead), argIovs, argOut("addr", sizeAddress), argU32("riflags"), argOut("nread", sizeU32), argOut("roflags", sizeU32)}, (*call).sockRecvFromV1},
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
// to :: is no bind to 0.0.0.0.
func prepareSocket(fd int, family, typ uint64) error {
	if family == familyINET6 {
		if err := unix.SetsockoptInt(fd, unix.IPPROTO_IPV6, unix.IPV6_V6ONLY, 1); err != nil {
			return err
		}
	}
	if family != familyUnix && typ == socketStream {
		return sendAtOnce(fd)
	}
	return nil
}
