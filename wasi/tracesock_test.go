//go:build linux

package wasi

import (
	"context"
	"net"
	"net/netip"
	"os"
	"regexp"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// TestTraceSockets: addresses, options and flags in words.
func TestTraceSockets(t *testing.T) {
	var got []string
	n := network(t, "listen:127.0.0.1", "dial:127.0.0.1")
	n.Lookup = func(context.Context, string, string) ([]netip.Addr, error) {
		return []netip.Addr{netip.MustParseAddr("192.0.2.1"), netip.MustParseAddr("2001:db8::1")}, nil
	}
	port := regexp.MustCompile(`port=\d+`)
	g := newGuest(t, &Config{Network: n, Listeners: []*os.File{listener(t)}, Trace: func(c Call) {
		c.Duration = 0
		text := strings.TrimSuffix(c.String(), " <0s>")
		got = append(got, c.Group+" "+port.ReplaceAllStringFunc(text, func(s string) string {
			if len(s) > len("port=80") { // one that the kernel chose
				return "port=N"
			}
			return s
		}))
	}})
	const out = 64
	g.call("sock_open", familyINET, socketDgram, out)
	g.call("sock_open", 9, 9, out)
	g.call("sock_bind", 4, g.address(familyINET, "127.0.0.1"), 0)
	g.call("sock_getlocaladdr", 4, g.address(familyUnspec, ""), out)
	self := g.u32(out)
	g.call("sock_send_to", 4, g.iov(256, 8), 1, g.address(familyINET, "127.0.0.1"), self, 0, out)
	g.call("sock_recv_from", 4, g.iov(256, 4), 1, g.address(familyUnspec, ""), recvPeek, out, out+4, out+8)
	g.call("sock_connect", 4, g.address(familyINET6, "2001:db8::7"), 80)
	g.call("sock_connect", 4, g.address(familyUnix, "/run/s"), 0)
	g.call("sock_connect", 4, -8, 80)
	g.call("sock_connect", 4, g.iov(77, 3), 80)
	g.call("sock_getpeeraddr", 4, g.address(familyUnspec, ""), out)
	g.call("sock_getsockopt", 4, levelSocket, optionError, out, 4)
	g.call("sock_getsockopt", 4, levelSocket, 7, out, 4)
	g.put32(out, 1)
	g.call("sock_setsockopt", 4, levelTCP, 1, out, 4)
	g.call("sock_setsockopt", 4, 5, 99, out, 4)
	g.call("sock_listen", 4, 5)
	g.call("sock_accept", 3, int(fdflagNonblock), out)
	g.call("sock_recv", 3, g.iov(256, 8), 1, recvPeek|recvWaitall, out, out+4)
	g.call("sock_send", 3, g.iov(256, 8), 1, 1, out)
	g.call("sock_shutdown", 3, shutRead|shutWrite)
	g.call("sock_getaddrinfo", "guest.test", "http", g.hints(familyUnspec, socketStream, passive), g.results(2), 2, out)
	g.call("sock_getaddrinfo", "", "", -28, out, 2, out)
	want := strings.Split(strings.TrimSpace(`
sock sock_open(af=inet, type=dgram) = fd=4
sock sock_open(af=9, type=9) = EAFNOSUPPORT
sock sock_bind(fd=4, addr=127.0.0.1, port=0) = ok
sock sock_getlocaladdr(fd=4) = addr=127.0.0.1, port=N
sock sock_send_to(fd=4, iovs=[8], addr=127.0.0.1, port=N, siflags=0x0) = nwritten=8
sock sock_recv_from(fd=4, iovs=[4], riflags=peek) = addr=127.0.0.1, port=N, nread=4, roflags=truncated
sock sock_connect(fd=4, addr=2001:db8::7, port=80) = EAFNOSUPPORT
sock sock_connect(fd=4, addr="/run/s", port=0) = EAFNOSUPPORT
sock sock_connect(fd=4, addr=0xfffffff8[8], port=80) = EFAULT
sock sock_connect(fd=4, addr={0x4d[3]}, port=80) = EINVAL
sock sock_getpeeraddr(fd=4) = ENOTCONN
sock sock_getsockopt(fd=4, level=socket, option=error) = value=ESUCCESS
sock sock_getsockopt(fd=4, level=socket, option=keepalive) = value=0
sock sock_setsockopt(fd=4, level=tcp, option=nodelay, value=1, size=4) = ENOPROTOOPT
sock sock_setsockopt(fd=4, level=5, option=99, value=1, size=4) = ENOPROTOOPT
sock sock_listen(fd=4, backlog=5) = ENOTCAPABLE
sock sock_accept(fd=3, fdflags=nonblock) = EAGAIN
sock sock_recv(fd=3, iovs=[8], riflags=peek|waitall) = ENOTSUP
sock sock_send(fd=3, iovs=[8], siflags=0x1) = EINVAL
sock sock_shutdown(fd=3, how=rd|wr) = ok
sock sock_getaddrinfo(node="guest.test", service="http", hints={flags=passive family=unspec type=stream}, max=2) = result=[192.0.2.1:80 [2001:db8::1]:80], n=2
sock sock_getaddrinfo(node="", service="", hints=0xffffffe4[28], max=2) = EFAULT
`), "\n")
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("(-want +got)\n%s", diff)
	}
}

// TestTraceV1: an address of version 1 does not say its family.
func TestTraceV1(t *testing.T) {
	l := must[net.Listener](t)(net.Listen("tcp", "127.0.0.1:0"))
	defer l.Close()
	file := must[*os.File](t)(l.(*net.TCPListener).File())
	defer file.Close()
	var got string
	g := newGuest(t, &Config{Listeners: []*os.File{file}, Trace: func(c Call) { got = strings.Join(c.Results, " ") }})
	const record, buf, out = 64, 128, 256
	g.put32(record, buf)
	g.put32(record+4, sizeAddressV1)
	if errno := g.raw(lookupArity(t, "sock_getlocaladdr", 4), []uint64{3, record, out, out + 4}); errno != 0 {
		t.Fatal(errno)
	}
	want := "addr=127.0.0.1 version=4 port=" + l.Addr().String()[len("127.0.0.1:"):]
	if got != want {
		t.Errorf("%q, expected %q", got, want)
	}
}
