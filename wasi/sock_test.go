//go:build linux

package wasi

import (
	"io"
	"net"
	"os"
	"testing"

	"github.com/google/go-cmp/cmp"
	"golang.org/x/sys/unix"
)

// connected is a guest with a listener as descriptor 3 and a connection as 4, and the
// connection's other end.
func connected(t *testing.T) (*guest, *net.TCPConn) {
	t.Helper()
	l := listener(t)
	ln := must[net.Listener](t)(net.FileListener(l))
	defer ln.Close()
	g := newGuest(t, &Config{Listeners: []*os.File{l}})
	if _, flags, _, _ := g.fdstat(3); flags != fdflagNonblock {
		t.Errorf("flags of a listener: %#x, expected nonblock: else Go's poller does not take it", flags)
	}
	g.fails(EAGAIN, "sock_accept", 3, 0, 64)
	g.expect([]event{nowEvent}, sub(1, eventFDRead, 3), now())
	conn := must[net.Conn](t)(net.Dial("tcp", ln.Addr().String()))
	t.Cleanup(func() { conn.Close() })
	g.poll(sub(1, eventFDRead, 3))
	g.ok("sock_accept", 3, int(fdflagNonblock), 64)
	if fd := g.u32(64); fd != 4 {
		t.Fatalf("descriptor %d, expected 4", fd)
	}
	return g, conn.(*net.TCPConn)
}

func (g *guest) recv(fd, n, flags int) (string, Errno) {
	g.t.Helper()
	buf, count, out := g.alloc(n), g.alloc(4), g.alloc(2)
	g.mem[out] = 0xff
	if errno := g.call("sock_recv", fd, g.iov(buf, n), 1, flags, count, out); errno != 0 {
		return "", errno
	}
	if g.mem[out] != 0 {
		g.t.Errorf("flags %#x", g.mem[out])
	}
	return string(g.mem[buf:][:g.u32(count)]), 0
}

func TestSockets(t *testing.T) {
	g, conn := connected(t)
	if typ, flags, _, _ := g.fdstat(4); typ != filetypeSocketStream || flags != fdflagNonblock {
		t.Errorf("type %d, flags %#x", typ, flags)
	}
	if _, errno := g.recv(4, 10, 0); errno != EAGAIN {
		t.Errorf("recv of nothing: %v", errno)
	}
	conn.Write([]byte("request"))
	g.expect([]event{{userdata: 1, typ: eventFDRead, nbytes: 7}}, sub(1, eventFDRead, 4))
	for _, c := range []struct {
		n, flags int
		want     string
	}{{4, recvPeek, "requ"}, {4, 0, "requ"}, {10, 0, "est"}} {
		if s, errno := g.recv(4, c.n, c.flags); s != c.want || errno != 0 {
			t.Errorf("recv %d flags %d: %q, %v", c.n, c.flags, s, errno)
		}
	}
	// A blocking one, and one that waits for all.
	g.ok("fd_fdstat_set_flags", 4, 0)
	go func() {
		conn.Write([]byte("one"))
		conn.Write([]byte("two"))
	}()
	if s, errno := g.recv(4, 6, recvWaitall); s != "onetwo" || errno != 0 {
		t.Errorf("recv of all: %q, %v", s, errno)
	}
	if _, errno := g.recv(4, 6, recvWaitall|recvPeek); errno != ENOTSUP {
		t.Errorf("%v", errno)
	}
	if _, errno := g.recv(4, 6, 4); errno != EINVAL {
		t.Errorf("%v", errno)
	}
	// fd_read and fd_write do as well.
	conn.Write([]byte("read"))
	g.mustRead(4, "read")
	g.mustWrite(4, "written ")
	n := g.alloc(4)
	g.ok("sock_send", 4, g.iov(g.put("sent"), 4), 1, 0, n)
	g.fails(EINVAL, "sock_send", 4, g.iov(64, 4), 1, 1, n)
	g.fails(EINVAL, "sock_shutdown", 4, 0)
	g.fails(EINVAL, "sock_shutdown", 4, 4)
	g.ok("sock_shutdown", 4, shutWrite)
	if b, err := io.ReadAll(conn); string(b) != "written sent" || err != nil {
		t.Errorf("%q, %v", b, err)
	}
	if _, errno := g.write(4, "x"); errno != EPIPE {
		t.Errorf("write after shutdown: %v", errno)
	}
	conn.CloseWrite()
	if s, errno := g.recv(4, 10, 0); s != "" || errno != 0 {
		t.Errorf("recv at the end: %q, %v", s, errno)
	}
	g.fails(ESPIPE, "fd_pread", 4, g.iov(64, 4), 1, 0, n)
}

// TestSocketErrors: what is no socket says so, what is none of a listener's
// business as well.
func TestSocketErrors(t *testing.T) {
	g, dir := newDirGuest(t)
	writeFile(t, dir, "f", "")
	f := g.open("f", 0, readWrite, 0)
	for _, fd := range []int{0, 3, f} {
		g.fails(ENOTSOCK, "sock_accept", fd, 0, 64)
		g.fails(ENOTSOCK, "sock_shutdown", fd, 1)
	}
	g.fails(ENOTSOCK, "sock_recv", f, 0, 0, 0, 64, 72)
	g.fails(ENOTSOCK, "sock_send", f, 0, 0, 0, 64)
	g.fails(EBADF, "sock_accept", 99, 0, 64)
	g.fails(EBADF, "sock_shutdown", 99, 1)

	g, _ = connected(t)
	g.fails(ENOTCAPABLE, "sock_accept", 4, 0, 64)
	g.fails(EINVAL, "sock_accept", 3, int(fdflagAppend), 64)
	g.fails(ESPIPE, "fd_seek", 3, 1, 0, 64)
	if _, errno := g.recv(3, 10, 0); errno != ENOTCONN {
		t.Errorf("recv of a listener: %v", errno)
	}
	_, _, base, inheriting := g.fdstat(3)
	g.ok("fd_fdstat_set_rights", 3, base&^rightSockAccept, inheriting)
	g.fails(ENOTCAPABLE, "sock_accept", 3, 0, 64)
}

// TestListenerPreopen: guests that count preopened directories pass sockets by.
func TestListenerPreopen(t *testing.T) {
	g := newGuest(t, &Config{
		Dirs:      []Dir{{Host: t.TempDir(), Guest: "/"}},
		Listeners: []*os.File{listener(t), listener(t)},
	})
	if diff := cmp.Diff([]string{"/", "(socket)", "(socket)"}, g.preopens()); diff != "" {
		t.Error(diff)
	}
	g.fails(ENOTDIR, "fd_prestat_dir_name", 4, 0, 0)
}

// TestStreamSocket: a socket as standard stream is never made non-blocking.
func TestStreamSocket(t *testing.T) {
	p := must[[2]int](t)(unix.Socketpair(unix.AF_UNIX, unix.SOCK_STREAM|unix.SOCK_CLOEXEC, 0))
	host, peer := os.NewFile(uintptr(p[0]), "stream"), os.NewFile(uintptr(p[1]), "peer")
	defer host.Close()
	defer peer.Close()
	g := newGuest(t, &Config{Stdin: host, Stdout: host})
	g.ok("fd_fdstat_set_flags", 0, int(fdflagNonblock))
	if _, errno := g.read(0, 1); errno != EAGAIN {
		t.Errorf("read: %v", errno)
	}
	peer.WriteString("in")
	g.mustRead(0, "in")
	g.mustWrite(1, "out")
	buf := make([]byte, 10)
	if n, err := peer.Read(buf); string(buf[:n]) != "out" || err != nil {
		t.Errorf("%q, %v", buf[:n], err)
	}
	peer.Close()
	g.mustRead(0, "")
	if _, errno := g.write(1, "x"); errno != EPIPE {
		t.Errorf("write: %v", errno)
	}
	if hostFlags(t, host)&unix.O_NONBLOCK != 0 {
		t.Error("the socket was left non-blocking")
	}
}
