//go:build linux

package wasi

import (
	"math/bits"
	"testing"
	"time"

	"golang.org/x/sys/unix"
)

// socketMatrix are calls on a socket of a kind as descriptor 3 that succeed with the rights that the table demands.
var socketMatrix = []struct {
	name string
	kind string
	args func(g *guest) []uint64 // after the descriptor
}{
	{"sock_accept", "listener", func(g *guest) []uint64 { return []uint64{0, 64} }},
	{"sock_accept", "listener", func(g *guest) []uint64 { return []uint64{64} }},
	{"sock_recv", "connection", func(g *guest) []uint64 { return []uint64{g.iov64(256, 4), 1, 0, 64, 72} }},
	{"sock_send", "connection", func(g *guest) []uint64 { return []uint64{g.iov64(256, 4), 1, 0, 64} }},
	{"sock_shutdown", "connection", func(g *guest) []uint64 { return []uint64{shutWrite} }},
	{"sock_listen", "listener", func(g *guest) []uint64 { return []uint64{7} }},
	{"sock_connect", "datagram", func(g *guest) []uint64 { return []uint64{uint64(g.address(familyINET, "127.0.0.1")), discardPort} }},
	{"sock_setsockopt", "datagram", func(g *guest) []uint64 { return []uint64{levelSocket, 4, 64, sizeU32} }},
	{"sock_recv_from", "connection", func(g *guest) []uint64 {
		return []uint64{g.iov64(256, 4), 1, uint64(g.address(familyUnspec, "")), 0, 64, 68, 72}
	}},
	{"sock_recv_from", "connection", func(g *guest) []uint64 {
		return []uint64{g.iov64(256, 4), 1, uint64(g.address(familyUnspec, "")), 0, 64, 68}
	}},
	{"sock_send_to", "datagram", func(g *guest) []uint64 {
		return []uint64{g.iov64(256, 4), 1, uint64(g.address(familyINET, "127.0.0.1")), discardPort, 0, 64}
	}},
	{"fd_read", "connection", func(g *guest) []uint64 { return []uint64{g.iov64(256, 4), 1, 64} }},
	{"fd_write", "connection", func(g *guest) []uint64 { return []uint64{g.iov64(256, 4), 1, 64} }},
	{"fd_fdstat_set_flags", "connection", func(g *guest) []uint64 { return []uint64{0} }},
	{"fd_filestat_get", "connection", func(g *guest) []uint64 { return []uint64{64} }},
}

func (g *guest) iov64(buf uint32, n int) uint64 { return uint64(g.iov(buf, n)) }

// socketGuest has a socket as descriptor 3, from which data, or a connection, can be had.
func socketGuest(t *testing.T, kind string) (*guest, *file) {
	t.Helper()
	g := newGuest(t, &Config{Network: network(t, "listen:127.0.0.1", "dial:127.0.0.1")})
	if fd := g.openSocket(kind); fd != 3 {
		t.Fatalf("descriptor %d, expected 3", fd)
	}
	if kind == "connection" {
		must[int](t)(g.peers[0].Write([]byte("data")))
		g.poll(sub(1, eventFDRead, 3))
	}
	return g, g.sys.files.get(3)
}

// TestSocketRights: each call works with exactly the rights it needs, and not without any one of them.
func TestSocketRights(t *testing.T) {
	covered := map[*function]bool{}
	for _, m := range socketMatrix {
		try := func(keep func(have, need rights) rights) (need rights, errno Errno) {
			g, f := socketGuest(t, m.kind)
			args := append([]uint64{3}, m.args(g)...)
			fn := lookupArity(t, m.name, len(args))
			covered[fn] = true
			need = fn.params[0].rights
			f.base = keep(f.base, need)
			return need, g.raw(fn, args)
		}
		need, errno := try(func(_, need rights) rights { return need })
		if errno != 0 || need == 0 {
			t.Errorf("%s with exactly its rights %#x: %v", m.name, need, errno)
		}
		for left := need; left != 0; left &= left - 1 {
			missing := rights(1) << bits.TrailingZeros64(uint64(left))
			if _, errno := try(func(have, _ rights) rights { return have &^ missing }); errno != ENOTCAPABLE && errno != EBADF {
				t.Errorf("%s without right %#x: %v", m.name, missing, errno)
			}
		}
	}
	for _, fn := range allFunctions() {
		for i := range fn.params {
			if p := &fn.params[i]; fn.group() == GroupSock && p.kind == kindFD && p.rights != 0 && !covered[fn] {
				t.Errorf("%s with %d parameters is not in the matrix", fn.name, len(fn.signature().Params))
			}
		}
	}
}

// TestSocketPollRights: a poll needs the right to poll and the one of its direction.
func TestSocketPollRights(t *testing.T) {
	for _, c := range []struct {
		base        rights
		read, write Errno
	}{
		{rightsConnection, 0, 0},
		{rightsConnection &^ rightPollFDReadwrite, ENOTCAPABLE, ENOTCAPABLE},
		{rightsConnection &^ rightFDRead, ENOTCAPABLE, 0},
		{rightsConnection &^ rightFDWrite, 0, ENOTCAPABLE},
	} {
		g, f := socketGuest(t, "connection")
		f.base = c.base
		events := g.poll(sub(1, eventFDRead, 3), clockSub(0, clockMonotonic, uint64(time.Second), 0))
		if len(events) != 1 || events[0].errno != c.read {
			t.Errorf("rights %#x: reading: %v, expected %v", c.base, events, c.read)
		}
		events = g.poll(sub(1, eventFDWrite, 3), clockSub(0, clockMonotonic, uint64(time.Second), 0))
		if len(events) != 1 || events[0].errno != c.write {
			t.Errorf("rights %#x: writing: %v, expected %v", c.base, events, c.write)
		}
	}
}

// TestAcceptedRights: a connection has no more rights than its listener hands down, of which it may give up some.
func TestAcceptedRights(t *testing.T) {
	for bit := range bits.Len64(uint64(rightsConnection)) {
		r := rights(1) << bit
		if rightsConnection&r == 0 {
			continue
		}
		g, _ := socketGuest(t, "listener")
		_, _, base, inheriting := g.fdstat(3)
		g.ok("fd_fdstat_set_rights", 3, base, inheriting&^r)
		g.ok("sock_accept", 3, 0, 64)
		if _, _, got, below := g.fdstat(int(g.u32(64))); got != rightsConnection&^r || below != 0 {
			t.Errorf("without %#x a connection has rights %#x and hands down %#x", r, got, below)
		}
		g.fails(ENOTCAPABLE, "fd_fdstat_set_rights", int(g.u32(64)), rightsConnection|rightSockAccept, 0)
	}
}

// TestSentAtOnce: small writes on TCP are not held back, neither on sockets of the guest's own nor on those of a listener that it
// was given.
func TestSentAtOnce(t *testing.T) {
	own, _ := socketGuest(t, "connection")
	given, _ := connected(t)
	for _, f := range []*file{own.sys.files.get(3), given.sys.files.get(4)} {
		if v, err := unix.GetsockoptInt(f.fd, unix.IPPROTO_TCP, unix.TCP_NODELAY); v == 0 || err != nil {
			t.Errorf("TCP_NODELAY is %d, %v", v, err)
		}
	}
}
