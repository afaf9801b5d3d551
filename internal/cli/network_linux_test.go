package cli

import (
	"context"
	"errors"
	"net"
	"net/netip"
	"os"
	"path/filepath"
	"testing"

	"github.com/google/go-cmp/cmp"
	"golang.org/x/net/dns/dnsmessage"

	"github.com/wasmaot/wasmaot/wasi"
)

func TestSplitHostPort(t *testing.T) {
	for _, c := range []struct {
		in, host string
		port     uint16
		ok       bool
	}{
		{"127.0.0.1:80", "127.0.0.1", 80, true}, {":0", "", 0, true}, {"[::1]:65535", "::1", 65535, true}, {"localhost:8080", "localhost", 8080, true},
		{"::1:80", "", 0, false}, {"host", "", 0, false}, {"host:65536", "", 0, false}, {"host:http", "", 0, false}, {"[::1:80", "", 0, false}, {"", "", 0, false},
	} {
		host, port, err := splitHostPort(c.in)
		if (err == nil) != c.ok || host != c.host || port != c.port {
			t.Errorf("%q: %q, %d, %v", c.in, host, port, err)
		}
	}
}

func TestListenOn(t *testing.T) {
	dir := t.TempDir()
	for _, where := range []string{"127.0.0.1:0", "localhost:0", ":0", unixPrefix + filepath.Join(dir, "s")} {
		file, path, err := listenOn(where)
		if err != nil {
			t.Errorf("%s: %v", where, err)
			continue
		}
		l, err := net.FileListener(file)
		if err != nil {
			t.Fatal(err)
		}
		accepted := make(chan error, 1)
		go func() {
			c, err := l.Accept()
			if err == nil {
				c.Close()
			}
			accepted <- err
		}()
		c, err := net.Dial(l.Addr().Network(), l.Addr().String())
		if err != nil {
			t.Fatalf("%s: %v", where, err)
		}
		c.Close()
		if err := <-accepted; err != nil {
			t.Errorf("%s: %v", where, err)
		}
		l.Close()
		if err := (listener{file, path}).Close(); err != nil {
			t.Errorf("%s: %v", where, err)
		}
		if _, err := os.Stat(path); path != "" && !os.IsNotExist(err) {
			t.Errorf("%s is still there: %v", path, err)
		}
	}
	if _, _, err := listenOn(unixPrefix + filepath.Join(dir, "none", "s")); err == nil {
		t.Error("a socket in a directory that is missing")
	}
}

// TestLookup asks a server of the test.
func TestLookup(t *testing.T) {
	server, err := net.ListenPacket("udp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer server.Close()
	go func() {
		buf := make([]byte, 512)
		for {
			n, from, err := server.ReadFrom(buf)
			if err != nil {
				return
			}
			var m dnsmessage.Message
			if m.Unpack(buf[:n]) != nil {
				continue
			}
			m.Response = true
			q := m.Questions[0]
			h := dnsmessage.ResourceHeader{Name: q.Name, Type: q.Type, Class: q.Class, TTL: 1}
			switch {
			case q.Name.String() == "other.test.":
				m.ID++
			case q.Name.String() != "guest.test.":
				m.RCode = dnsmessage.RCodeNameError
			case q.Type == dnsmessage.TypeA:
				m.Answers = []dnsmessage.Resource{{Header: h, Body: &dnsmessage.AResource{A: [4]byte{192, 0, 2, 1}}}}
			default:
				m.Answers = []dnsmessage.Resource{{Header: h, Body: &dnsmessage.AAAAResource{AAAA: netip.MustParseAddr("2001:db8::1").As16()}}}
			}
			if packed, err := m.Pack(); err == nil {
				server.WriteTo(packed, from)
			}
		}
	}()
	dir := t.TempDir()
	for _, f := range []struct {
		file       *string
		name, text string
	}{{&hostsFile, "hosts", "127.0.0.7 near.test n # comment\n::7 near.test\nbroken\n"}, {&resolvFile, "resolv", "options x\nnameserver 127.0.0.1\n"}} {
		old := *f.file
		t.Cleanup(func() { *f.file = old })
		*f.file = filepath.Join(dir, f.name)
		if err := os.WriteFile(*f.file, []byte(f.text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	oldPort := dnsPort
	t.Cleanup(func() { dnsPort = oldPort })
	dnsPort = server.LocalAddr().(*net.UDPAddr).AddrPort().Port()
	for _, c := range []struct {
		rule, network, host string
		want                []string
	}{
		{"dns", "ip", "10.1.2.3", []string{"10.1.2.3"}}, {"dns", "ip6", "::1", []string{"::1"}},
		{"dns", "ip", "near.test", []string{"127.0.0.7", "::7"}}, {"all", "ip4", "N.", []string{"127.0.0.7"}},
		{"dns", "ip", "guest.test", []string{"192.0.2.1", "2001:db8::1"}}, {"dns", "ip6", "guest.test.", []string{"2001:db8::1"}},
		{"dns", "ip", "missing.test", nil}, {"dns", "ip", "other.test", nil}, {"dns", "ip", "", nil},
		{"dns:127.0.0.1", "ip", "near.test", nil}, {"dns:" + server.LocalAddr().String(), "ip4", "guest.test", []string{"192.0.2.1"}},
		{"all,dns:127.0.0.1", "ip4", "guest.test", []string{"192.0.2.1"}}, {"dns:127.0.0.1,all", "ip4", "near.test", nil},
	} {
		var n wasi.Network
		if err := (&networkFlags{rules: []string{c.rule}}).allow(&n); err != nil {
			t.Fatal(err)
		}
		list, err := n.Lookup(context.Background(), c.network, c.host)
		var got []string
		for _, a := range list {
			got = append(got, a.String())
		}
		if d := cmp.Diff(c.want, got); d != "" || (err == nil) != (c.want != nil) {
			t.Errorf("%s: %s %q: %v (-want +got)\n%s", c.rule, c.network, c.host, err, d)
		}
	}
	for _, rule := range []string{"dns:", "dns:host", "dns:127.0.0.1:99999", "dns:[::1"} {
		if err := (&networkFlags{rules: []string{rule}}).allow(new(wasi.Network)); err == nil {
			t.Errorf("%s: no error", rule)
		}
	}
}

// TestLookupInterrupted: the end of the context ends a lookup whose server does not answer.
func TestLookupInterrupted(t *testing.T) {
	silent, err := net.ListenPacket("udp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer silent.Close()
	ctx, cancel := context.WithCancelCause(context.Background())
	cause := errors.New("enough")
	go func() {
		silent.ReadFrom(make([]byte, 512)) // it was asked
		cancel(cause)
	}()
	r := resolver{netip.MustParseAddrPort(silent.LocalAddr().String())}
	if list, err := r.lookup(ctx, "ip4", "guest.test"); !errors.Is(err, cause) {
		t.Errorf("%v, %v, expected %v", list, err, cause)
	}
}
