package wasi

import "golang.org/x/sys/unix"

const (
	levelSocket = 0
	levelTCP    = 6
)

// Options of levelSocket that are not numbers of the kernel's unchanged.
const (
	optionType  = 1
	optionError = 2
)

// A sockOption is the kernel's form of an option.
type sockOption struct {
	level, name int
	set         bool // can be set
	text        string
}

// sockOptions are the options by level and name. What is missing is ENOPROTOOPT.
var sockOptions = [...]struct {
	level, name uint64
	is          sockOption
}{
	{levelSocket, 0, sockOption{unix.SOL_SOCKET, unix.SO_REUSEADDR, true, "reuseaddr"}},
	{levelSocket, optionType, sockOption{unix.SOL_SOCKET, unix.SO_TYPE, false, "type"}},
	{levelSocket, optionError, sockOption{unix.SOL_SOCKET, unix.SO_ERROR, false, "error"}},
	{levelSocket, 4, sockOption{unix.SOL_SOCKET, unix.SO_BROADCAST, true, "broadcast"}},
	{levelSocket, 5, sockOption{unix.SOL_SOCKET, unix.SO_SNDBUF, true, "sndbuf"}},
	{levelSocket, 6, sockOption{unix.SOL_SOCKET, unix.SO_RCVBUF, true, "rcvbuf"}},
	{levelSocket, 7, sockOption{unix.SOL_SOCKET, unix.SO_KEEPALIVE, true, "keepalive"}},
	{levelSocket, 13, sockOption{unix.SOL_SOCKET, unix.SO_ACCEPTCONN, false, "acceptconn"}},
	{levelTCP, 1, sockOption{unix.IPPROTO_TCP, unix.TCP_NODELAY, true, "nodelay"}},
}

func findSockOption(level, name uint64) (o sockOption, ok bool) {
	for i := range sockOptions {
		if r := &sockOptions[i]; r.level == level && r.name == name {
			return r.is, true
		}
	}
	return o, false
}

// sockGetsockopt: the size is a value, 4, in Go's packages and a pointer to it in
// WasmEdge's library. No pointer is 4 in a program that uses either.
func (c *call) sockGetsockopt() Errno {
	f, level, name, size := c.file[0], c.n[0], c.n[1], c.n[2]
	if !f.isSocket() {
		return ENOTSOCK
	}
	if size != sizeU32 {
		b, errno := c.bytes(size, sizeU32)
		switch {
		case errno != 0:
			return errno
		case le.Uint32(b) < sizeU32:
			return EINVAL
		}
		le.PutUint32(b, sizeU32)
	}
	o, ok := findSockOption(level, name)
	if !ok {
		return ENOPROTOOPT
	}
	v, err := unix.GetsockoptInt(f.fd, o.level, o.name)
	if err != nil {
		return optionErrno(err)
	}
	if level == levelSocket {
		v = guestOption(name, v)
	}
	return c.put32(0, uint32(v))
}

// guestOption translates a value.
func guestOption(name uint64, v int) int {
	switch {
	case name == optionError && v != 0:
		return int(errnoOf(unix.Errno(v)))
	case name == optionType && v == unix.SOCK_DGRAM:
		return socketDgram
	case name == optionType:
		return socketStream
	}
	return v
}

func (c *call) sockSetsockopt() Errno {
	f, level, name, size := c.file[0], c.n[0], c.n[1], c.n[2]
	switch {
	case !f.isSocket():
		return ENOTSOCK
	case size != sizeU32:
		return EINVAL
	}
	o, ok := findSockOption(level, name)
	if !ok || !o.set {
		return ENOPROTOOPT
	}
	return optionErrno(unix.SetsockoptInt(f.fd, o.level, o.name, int(int32(le.Uint32(c.out[0])))))
}

// optionErrno: the kernel says of a level that a socket does not have that it is not supported.
func optionErrno(err error) Errno {
	if err == unix.EOPNOTSUPP {
		return ENOPROTOOPT
	}
	return errnoOf(err)
}
