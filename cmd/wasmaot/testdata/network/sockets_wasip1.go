package main

import (
	"context"
	"fmt"
	"net"
	"net/netip"
	"os"
	"strings"
	"syscall"
	"time"
	"unsafe"
)

// The socket extension, version 2, as packages for Go declare it.

//go:wasmimport wasi_snapshot_preview1 sock_open
//go:noescape
func sockOpen(af, typ int32, fd unsafe.Pointer) syscall.Errno

//go:wasmimport wasi_snapshot_preview1 sock_bind
//go:noescape
func sockBind(fd int32, addr unsafe.Pointer, port uint32) syscall.Errno

//go:wasmimport wasi_snapshot_preview1 sock_listen
//go:noescape
func sockListen(fd, backlog int32) syscall.Errno

//go:wasmimport wasi_snapshot_preview1 sock_connect
//go:noescape
func sockConnect(fd int32, addr unsafe.Pointer, port uint32) syscall.Errno

//go:wasmimport wasi_snapshot_preview1 sock_getsockopt
//go:noescape
func sockGetsockopt(fd int32, level, name uint32, value unsafe.Pointer, size uint32) syscall.Errno

//go:wasmimport wasi_snapshot_preview1 sock_setsockopt
//go:noescape
func sockSetsockopt(fd int32, level, name uint32, value unsafe.Pointer, size uint32) syscall.Errno

//go:wasmimport wasi_snapshot_preview1 sock_getlocaladdr
//go:noescape
func sockGetlocaladdr(fd int32, addr, port unsafe.Pointer) syscall.Errno

//go:wasmimport wasi_snapshot_preview1 sock_getpeeraddr
//go:noescape
func sockGetpeeraddr(fd int32, addr, port unsafe.Pointer) syscall.Errno

//go:wasmimport wasi_snapshot_preview1 sock_recv_from
//go:noescape
func sockRecvFrom(fd int32, iovs unsafe.Pointer, n int32, addr unsafe.Pointer, flags int32, port, nread, oflags unsafe.Pointer) syscall.Errno

//go:wasmimport wasi_snapshot_preview1 sock_send_to
//go:noescape
func sockSendTo(fd int32, iovs unsafe.Pointer, n int32, addr unsafe.Pointer, port, flags int32, nwritten unsafe.Pointer) syscall.Errno

const (
	familyINET, familyINET6, familyUnix = 1, 2, 3
	dgram, stream                       = 1, 2
	reuseaddr, sockError                = 0, 2
)

type rawAddress struct {
	family uint16
	data   [126]byte
}

// buffer is {pointer, length}: an iovec, and how addresses are passed.
type buffer struct{ at, size uint32 }

func (a *rawAddress) buffer() *buffer {
	return &buffer{uint32(uintptr(unsafe.Pointer(a))), uint32(unsafe.Sizeof(*a))}
}

// toRaw gives family, address and port of a name without lookup.
func toRaw(network, address string) (*rawAddress, uint32, error) {
	a := &rawAddress{family: familyUnix}
	if strings.HasPrefix(network, "unix") {
		copy(a.data[:125], address)
		return a, 0, nil
	}
	ap, err := netip.ParseAddrPort(address)
	if err != nil {
		return nil, 0, err
	}
	a.family = familyINET
	if ap.Addr().Is6() {
		a.family = familyINET6
	}
	copy(a.data[:], ap.Addr().AsSlice())
	return a, uint32(ap.Port()), nil
}

func (a *rawAddress) netAddr(network string, port uint32) net.Addr {
	var ip net.IP
	switch a.family {
	case familyINET:
		ip = append(ip, a.data[:4]...)
	case familyINET6:
		ip = append(ip, a.data[:16]...)
	default:
		name, _, _ := strings.Cut(string(a.data[:]), "\x00")
		return &net.UnixAddr{Net: network, Name: name}
	}
	if network == "udp" {
		return &net.UDPAddr{IP: ip, Port: int(port)}
	}
	return &net.TCPAddr{IP: ip, Port: int(port)}
}

func nameOf(fd int32, network string, ask func(fd int32, addr, port unsafe.Pointer) syscall.Errno) (net.Addr, error) {
	var a rawAddress
	var port uint32
	if e := ask(fd, unsafe.Pointer(a.buffer()), unsafe.Pointer(&port)); e != 0 {
		return nil, e
	}
	return a.netAddr(network, port), nil
}

// open opens a non-blocking socket and does something with it.
func open(network, address string, with func(fd int32, a *rawAddress, port uint32) error) (int32, error) {
	a, port, err := toRaw(network, address)
	if err != nil {
		return -1, err
	}
	typ := int32(stream)
	if network == "udp" || network == "unixgram" {
		typ = dgram
	}
	var fd int32
	if e := sockOpen(int32(a.family), typ, unsafe.Pointer(&fd)); e != 0 {
		return -1, os.NewSyscallError("socket", e)
	}
	if err = syscall.SetNonblock(int(fd), true); err == nil {
		err = with(fd, a, port)
	}
	if err != nil {
		syscall.Close(int(fd))
		return -1, err
	}
	return fd, nil
}

func bind(fd int32, a *rawAddress, port uint32) error {
	one := int32(1)
	if e := sockSetsockopt(fd, 0, reuseaddr, unsafe.Pointer(&one), 4); e != 0 {
		return os.NewSyscallError("setsockopt", e)
	}
	if e := sockBind(fd, unsafe.Pointer(a.buffer()), port); e != 0 {
		return os.NewSyscallError("bind", e)
	}
	return nil
}

type listener struct {
	net.Listener
	network string
	addr    net.Addr
}

func (l *listener) Addr() net.Addr { return l.addr }

func listen(network, address string) (net.Listener, error) {
	l := &listener{network: network}
	fd, err := open(network, address, func(fd int32, a *rawAddress, port uint32) (err error) {
		if err := bind(fd, a, port); err != nil {
			return err
		}
		if e := sockListen(fd, 64); e != 0 {
			return os.NewSyscallError("listen", e)
		}
		l.addr, err = nameOf(fd, network, sockGetlocaladdr)
		return err
	})
	if err != nil {
		return nil, err
	}
	f := os.NewFile(uintptr(fd), "")
	defer f.Close()
	l.Listener, err = net.FileListener(f)
	return l, err
}

func dial(ctx context.Context, network, address string) (net.Conn, error) {
	inProgress := false
	fd, err := open(network, address, func(fd int32, a *rawAddress, port uint32) error {
		e := sockConnect(fd, unsafe.Pointer(a.buffer()), port)
		if inProgress = e == syscall.EINPROGRESS; inProgress || e == 0 {
			return nil
		}
		return os.NewSyscallError("connect", e)
	})
	if err != nil {
		return nil, err
	}
	f := os.NewFile(uintptr(fd), "")
	if inProgress {
		raw, err := f.SyscallConn()
		if err == nil {
			werr := raw.Write(func(uintptr) bool {
				var code int32
				if e := sockGetsockopt(fd, 0, sockError, unsafe.Pointer(&code), 4); e != 0 {
					err = e
				} else if code != 0 {
					err = os.NewSyscallError("connect", syscall.Errno(code))
				} else {
					_, missing := nameOf(fd, network, sockGetpeeraddr)
					return missing == nil
				}
				return true
			})
			if err == nil {
				err = werr
			}
		}
		if err != nil {
			f.Close()
			return nil, err
		}
	}
	c := &conn{File: f, network: network, fd: fd}
	if c.local, err = nameOf(fd, network, sockGetlocaladdr); err == nil {
		c.remote, err = nameOf(fd, network, sockGetpeeraddr)
	}
	if err != nil {
		f.Close()
		return nil, err
	}
	if network == "udp" {
		return &packetConn{c}, nil
	}
	return c, nil
}

// conn is a connection through a file in the runtime's poller.
type conn struct {
	*os.File
	network       string
	fd            int32
	local, remote net.Addr
}

func (c *conn) LocalAddr() net.Addr  { return c.local }
func (c *conn) RemoteAddr() net.Addr { return c.remote }

// packetConn is a datagram socket.
type packetConn struct{ *conn }

func listenPacket(network, address string) (net.PacketConn, error) {
	fd, err := open(network, address, bind)
	if err != nil {
		return nil, err
	}
	c := &conn{File: os.NewFile(uintptr(fd), ""), network: network, fd: fd}
	c.local, err = nameOf(fd, network, sockGetlocaladdr)
	return &packetConn{c}, err
}

func (c *packetConn) ReadFrom(b []byte) (int, net.Addr, error) {
	var a rawAddress
	var port, n, flags uint32
	iov := buffer{uint32(uintptr(unsafe.Pointer(unsafe.SliceData(b)))), uint32(len(b))}
	raw, err := c.SyscallConn()
	if err != nil {
		return 0, nil, err
	}
	var e syscall.Errno
	err = raw.Read(func(uintptr) bool {
		e = sockRecvFrom(c.fd, unsafe.Pointer(&iov), 1, unsafe.Pointer(a.buffer()), 0, unsafe.Pointer(&port), unsafe.Pointer(&n), unsafe.Pointer(&flags))
		return e != syscall.EAGAIN
	})
	if err == nil && e != 0 {
		err = e
	}
	return int(n), a.netAddr(c.network, port), err
}

func (c *packetConn) WriteTo(b []byte, to net.Addr) (int, error) {
	a, port, err := toRaw(c.network, to.String())
	if err != nil {
		return 0, err
	}
	var n uint32
	iov := buffer{uint32(uintptr(unsafe.Pointer(unsafe.SliceData(b)))), uint32(len(b))}
	if e := sockSendTo(c.fd, unsafe.Pointer(&iov), 1, unsafe.Pointer(a.buffer()), int32(port), 0, unsafe.Pointer(&n)); e != 0 {
		return 0, fmt.Errorf("send to %s: %w", to, e)
	}
	return int(n), nil
}

var _ interface{ SetDeadline(time.Time) error } = (*packetConn)(nil)
