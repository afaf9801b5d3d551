package wasi

import (
	"bytes"
	"net/netip"
	"path"
	"strconv"
	"strings"

	"golang.org/x/sys/unix"

	"github.com/wasmaot/wasmaot/wasi/sandbox"
)

// Address families of the socket extension.
const (
	familyUnspec = 0
	familyINET   = 1
	familyINET6  = 2
	familyUnix   = 3
)

const (
	// sizeAddress is {u32 pointer, u32 length} of an address.
	sizeAddress = 8

	// sizeAddressV2 is version 2's address: u16 family, 126 bytes for an IP address or
	// a path with a NUL.
	sizeAddressV2 = 128

	// sizeAddressV1 is the buffer that version 1 wants for results.
	sizeAddressV1 = 16
)

// An address is one of the guest's: IP and port, or a path.
type address struct {
	ip   netip.AddrPort
	path string // for familyUnix, empty if the socket has no name
	unix bool
}

// addressBuffer is the memory that an address struct names.
func (c *call) addressBuffer(b []byte) ([]byte, Errno) {
	return c.bytes(uint64(le.Uint32(b)), uint64(le.Uint32(b[4:])))
}

// addressRoom is the memory for an address as a result, whose record is out 0.
func (c *call) addressRoom(least, most int) ([]byte, Errno) {
	b, errno := c.addressBuffer(c.out[0])
	if errno == 0 && (len(b) < least || len(b) > most) {
		return nil, EINVAL
	}
	return b, errno
}

// getAddress reads an address: 4 bytes are IPv4, 16 are IPv6, 128 say it themselves.
func (c *call) getAddress(record []byte, port uint64) (a address, errno Errno) {
	b, errno := c.addressBuffer(record)
	if errno != 0 {
		return a, errno
	}
	if len(b) == sizeAddressV2 {
		family := le.Uint16(b)
		b = b[2:]
		switch family {
		case familyINET:
			b = b[:4]
		case familyINET6:
			b = b[:16]
		case familyUnix:
			n := bytes.IndexByte(b, 0)
			if n <= 0 {
				return a, EINVAL
			}
			return address{path: string(b[:n]), unix: true}, ESUCCESS
		default:
			return a, EAFNOSUPPORT
		}
	}
	ip, ok := netip.AddrFromSlice(b)
	if !ok || port > 65535 {
		return a, EINVAL
	}
	return address{ip: netip.AddrPortFrom(ip, uint16(port))}, ESUCCESS
}

// put stores the address in version 2's form and returns the port.
func (a *address) put(b []byte) uint32 {
	clear(b)
	switch ip := a.ip.Addr(); {
	case a.unix:
		le.PutUint16(b, familyUnix)
		copy(b[2:len(b)-1], a.path)
	case ip.Is4():
		le.PutUint16(b, familyINET)
		copy(b[2:], ip.AsSlice())
	case ip.Is6():
		le.PutUint16(b, familyINET6)
		copy(b[2:], ip.AsSlice())
	}
	return uint32(a.ip.Port())
}

// putV1 stores the address in version 1's form and returns its type, 4 or 6, and
// the port.
func (a *address) putV1(b []byte) (kind, port uint32) {
	clear(b)
	copy(b, a.ip.Addr().AsSlice())
	switch {
	case a.ip.Addr().Is4():
		kind = 4
	case a.ip.Addr().Is6():
		kind = 6
	}
	return kind, uint32(a.ip.Port())
}

// sockaddr is the kernel's form of an IP address.
func (a *address) sockaddr() unix.Sockaddr {
	if ip := a.ip.Addr(); ip.Is4() {
		return &unix.SockaddrInet4{Addr: ip.As4(), Port: int(a.ip.Port())}
	}
	return &unix.SockaddrInet6{Addr: a.ip.Addr().As16(), Port: int(a.ip.Port())}
}

// addressOf is what the kernel says.
func addressOf(sa unix.Sockaddr) (a address) {
	switch sa := sa.(type) {
	case *unix.SockaddrInet4:
		a.ip = netip.AddrPortFrom(netip.AddrFrom4(sa.Addr), uint16(sa.Port))
	case *unix.SockaddrInet6:
		a.ip = netip.AddrPortFrom(netip.AddrFrom16(sa.Addr), uint16(sa.Port))
	case *unix.SockaddrUnix:
		a.unix = true
		if !strings.HasPrefix(sa.Name, procFD) && !strings.HasPrefix(sa.Name, "@") {
			a.path = sa.Name
		}
	}
	return a
}

// procFD names open files. A socket of the file system is bound and dialled through it,
// so that a symbolic link that the guest makes leads nowhere.
const procFD = "/proc/self/fd/"

// unixTarget walks to the socket that a path names and returns what to dial. The
// descriptor is to be closed.
func (s *System) unixTarget(p string) (unix.Sockaddr, int, Errno) {
	root, rest, ok := unixRule(s.network.DialUnix, p)
	if !ok {
		return nil, -1, EACCES
	}
	fd, errno := s.walkFrom(root, rest, unix.O_PATH|unix.O_NOFOLLOW)
	if errno != 0 {
		return nil, -1, errno
	}
	var st unix.Stat_t
	if err := unix.Fstat(fd, &st); err != nil || st.Mode&unix.S_IFMT != unix.S_IFSOCK {
		unix.Close(fd)
		return nil, -1, ECONNREFUSED // as connect(2) of another kind of file
	}
	return &unix.SockaddrUnix{Name: procFD + strconv.Itoa(fd)}, fd, ESUCCESS
}

// unixPlace walks to the directory in which a path is to be bound.
func (s *System) unixPlace(p string) (unix.Sockaddr, int, Errno) {
	root, rest, ok := unixRule(s.network.ListenUnix, p)
	if !ok {
		return nil, -1, EACCES
	}
	fd, errno := s.walkFrom(root, path.Dir(rest), unix.O_PATH|unix.O_DIRECTORY)
	if errno != 0 {
		return nil, -1, errno
	}
	return &unix.SockaddrUnix{Name: procFD + strconv.Itoa(fd) + "/" + path.Base(rest)}, fd, ESUCCESS
}

func (s *System) walkFrom(root, rest string, flags int) (int, Errno) {
	dir, err := sandbox.OpenRoot(root)
	if err != nil {
		return -1, errnoOf(err)
	}
	defer unix.Close(dir)
	fd, err := s.walker(false).Open(dir, rest, flags, 0)
	return fd, errnoOf(err)
}
