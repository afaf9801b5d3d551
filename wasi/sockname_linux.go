package wasi

import "golang.org/x/sys/unix"

func (c *call) sockGetlocaladdr() Errno   { return c.putName(false, sizeAddressV2, putName) }
func (c *call) sockGetpeeraddr() Errno    { return c.putName(true, sizeAddressV2, putName) }
func (c *call) sockGetlocaladdrV1() Errno { return c.putName(false, sizeAddressV1, putNameV1) }
func (c *call) sockGetpeeraddrV1() Errno  { return c.putName(true, sizeAddressV1, putNameV1) }

// putName stores a socket's address, or that of its peer, as a version has it, in a buffer of size bytes.
func (c *call) putName(peer bool, size int, store func(*call, *address, []byte) Errno) Errno {
	b, errno := c.addressRoom(size, size)
	if errno != 0 {
		return errno
	}
	a, errno := c.nameOf(peer)
	if errno != 0 {
		return errno
	}
	return store(c, &a, b)
}

func putName(c *call, a *address, b []byte) Errno { return c.put32(1, a.put(b)) }

func putNameV1(c *call, a *address, b []byte) Errno {
	if a.unix {
		return EAFNOSUPPORT
	}
	kind, port := a.putV1(b)
	c.put32(1, kind)
	return c.put32(2, port)
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
