//go:build linux

package wasi

import (
	"net"
	"net/netip"
	"strconv"
	"testing"
)

// TestReceiveOverAddress: a datagram may be received over the record that says where the sender's address belongs.
func TestReceiveOverAddress(t *testing.T) {
	g := newGuest(t, &Config{Network: network(t, "all")})
	call := func(name string, args ...uint64) Errno {
		t.Helper()
		return g.raw(lookupArity(t, name, len(args)), args)
	}
	const record, name, result = 64, 512, 1024
	address := func(size uint32) {
		le.PutUint32(g.mem[record:], name)
		le.PutUint32(g.mem[record+4:], size)
	}
	ok := func(errno Errno) {
		t.Helper()
		if errno != 0 {
			t.Fatal(errno)
		}
	}
	ok(call("sock_open", familyINET, socketDgram, result))
	address(4)
	copy(g.mem[name:], []byte{127, 0, 0, 1})
	ok(call("sock_bind", 3, record, 0))
	address(sizeAddressV2)
	ok(call("sock_getlocaladdr", 3, record, result))
	port := uint64(g.u32(result))
	address(4)
	copy(g.mem[name:], []byte{127, 0, 0, 1})
	data := g.iov(2048, 8) // zeros
	ok(call("sock_send_to", 3, uint64(data), 1, record, port, 0, result))
	address(sizeAddressV2)
	over := g.iov(record, 8)
	if errno := call("sock_recv_from", 3, uint64(over), 1, record, 0, result, result+4, result+8); errno != EINVAL {
		t.Errorf("%v, expected %v", errno, EINVAL)
	}
}

// network is what the rules allow.
func network(t testing.TB, rules ...string) (n Network) {
	t.Helper()
	for _, rule := range rules {
		if err := n.Allow(rule); err != nil {
			t.Fatal(err)
		}
	}
	return n
}

// lookupArity is the version of a function that has so many parameters.
func lookupArity(t testing.TB, name string, params int) *function {
	t.Helper()
	for _, fn := range allFunctions() {
		if fn.name == name && len(fn.signature().Params) == params {
			return fn
		}
	}
	t.Fatalf("no function %s with %d parameters", name, params)
	return nil
}

func (g *guest) put32(p, v uint32) { le.PutUint32(g.mem[p:], v) }

// address puts an address of version 2 into memory, and its record, to which it points; without a family it is a place for one.
func (g *guest) address(family uint16, text string) (record uint32) {
	g.t.Helper()
	p := g.alloc(sizeAddressV2)
	clear(g.mem[p:][:sizeAddressV2])
	le.PutUint16(g.mem[p:], family)
	switch family {
	case familyINET, familyINET6:
		copy(g.mem[p+2:], netip.MustParseAddr(text).AsSlice())
	default:
		copy(g.mem[p+2:], text)
	}
	return g.iov(p, sizeAddressV2)
}

// hints are sock_getaddrinfo's.
func (g *guest) hints(family, typ uint8, flags uint16) uint32 {
	p := g.alloc(sizeAddrinfo)
	clear(g.mem[p:][:sizeAddrinfo])
	le.PutUint16(g.mem[p:], flags)
	g.mem[p+2], g.mem[p+3] = family, typ
	return p
}

// results are n linked places for results of sock_getaddrinfo, and a pointer to the first.
func (g *guest) results(n int) uint32 {
	first, next := g.alloc(4), uint32(0)
	for range n {
		info, sa, data := g.alloc(sizeAddrinfo), g.alloc(sizeSockaddr), g.alloc(26)
		clear(g.mem[info:][:sizeAddrinfo])
		g.put32(info+12, sa)
		g.put32(info+24, next)
		g.put32(sa+4, 26)
		g.put32(sa+8, data)
		next = info
	}
	g.put32(first, next)
	return first
}

// discardPort is what tests with any arguments may dial: nobody listens there.
const discardPort = 9

var socketKinds = []string{"datagram", "listener", "connection"}

// openSocket opens a socket that does not block: a datagram socket that is bound, a listener to which somebody has connected, or a
// connection that one has accepted.
func (g *guest) openSocket(kind string) (fd int) {
	g.t.Helper()
	typ := socketStream
	if kind == "datagram" {
		typ = socketDgram
	}
	p := g.alloc(4)
	g.ok("sock_open", familyINET, typ, p)
	fd = int(g.u32(p))
	g.ok("fd_fdstat_set_flags", fd, int(fdflagNonblock))
	g.ok("sock_bind", fd, g.address(familyINET, "127.0.0.1"), 0)
	if kind == "datagram" {
		return fd
	}
	g.ok("sock_listen", fd, 5)
	g.ok("sock_getlocaladdr", fd, g.address(familyUnspec, ""), p)
	conn := must[net.Conn](g.t)(net.Dial("tcp", "127.0.0.1:"+strconv.Itoa(int(g.u32(p)))))
	g.peers = append(g.peers, conn)
	if kind == "listener" {
		return fd
	}
	g.poll(sub(1, eventFDRead, fd))
	g.ok("sock_accept", fd, int(fdflagNonblock), p)
	g.ok("fd_renumber", int(g.u32(p)), fd)
	return fd
}
