package main

import (
	"bufio"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/wasmaot/wasmaot/internal/nativetest"
)

// networkGuest is the guest with sockets: the command that runs it, to which arguments are added, and the same program
// built natively.
type networkGuest struct {
	run    []string
	native string
}

// TestNetwork builds the guest once for all tests with sockets.
func TestNetwork(t *testing.T) {
	nativetest.Require(t)
	g := newNetworkGuest(t)
	t.Run("Denied", g.testDenied)
	t.Run("Datagrams", g.testDatagrams)
	t.Run("UnixSockets", g.testUnixSockets)
	t.Run("TicksWhileWaiting", g.testTicksWhileWaiting)
	t.Run("HTTPClient", g.testHTTPClient)
	t.Run("HTTPClientHostNames", g.testHTTPClientHostNames)
	t.Run("HTTPServer", g.testHTTPServer)
}

func newNetworkGuest(t *testing.T) *networkGuest {
	t.Helper()
	tmp := t.TempDir()
	wasmaot, module, native := filepath.Join(tmp, "wasmaot"), filepath.Join(tmp, "network.wasm"), filepath.Join(tmp, "network")
	mustBuild(t, wasmaot, ".", ".")
	mustBuild(t, module, "testdata/network", ".", "GOOS=wasip1", "GOARCH=wasm")
	mustBuild(t, native, "testdata/network", ".")
	compiled := filepath.Join(tmp, "network.cwasm")
	if o := runProgram(t, tmp, nil, wasmaot, "compile", module, "-o", compiled); o.Exit != 0 {
		t.Fatalf("%+v", o)
	}
	return &networkGuest{[]string{wasmaot, "run", compiled}, native}
}

// with puts flags before the module.
func (g *networkGuest) with(flags []string, args ...string) []string {
	return slices.Concat(g.run[:2], flags, g.run[2:], args)
}

// start starts a program and returns its first line of output. It is killed in the end.
func start(t *testing.T, stdin io.Reader, args ...string) (line string, out *bufio.Reader, process *os.Process) {
	t.Helper()
	cmd := exec.Command(args[0], args[1:]...)
	cmd.Stderr, cmd.Stdin = os.Stderr, stdin
	pipe, err := cmd.StdoutPipe()
	if err == nil {
		err = cmd.Start()
	}
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		cmd.Process.Kill()
		cmd.Wait()
	})
	out = bufio.NewReader(pipe)
	line, err = out.ReadString('\n')
	if err != nil {
		t.Fatalf("%v: no output: %v", args, err)
	}
	return strings.TrimSpace(line), out, cmd.Process
}

// load makes requests over 64 connections that stay open, and returns how long it took.
func load(t *testing.T, address string, requests int) time.Duration {
	t.Helper()
	const clients = 64
	client := &http.Client{Transport: &http.Transport{MaxIdleConnsPerHost: clients, MaxConnsPerHost: clients}}
	defer client.CloseIdleConnections()
	var next, answered atomic.Int64
	var wg sync.WaitGroup
	start := time.Now()
	for range clients {
		wg.Add(1)
		go func() {
			defer wg.Done()
			for {
				n := next.Add(1)
				if n > int64(requests) {
					return
				}
				resp, err := client.Get(fmt.Sprintf("http://%s/%d", address, n))
				if err != nil {
					t.Error(err)
					return
				}
				b, err := io.ReadAll(resp.Body)
				resp.Body.Close()
				if want := fmt.Sprintf("GET /%d 0", n); err != nil || string(b) != want {
					t.Errorf("%q, %v, expected %q", b, err, want)
					return
				}
				answered.Add(1)
			}
		}()
	}
	wg.Wait()
	if answered.Load() != int64(requests) {
		t.Errorf("%d of %d requests were answered", answered.Load(), requests)
	}
	return time.Since(start)
}

// cpuTicks is the CPU time of a process, in hundredths of a second.
func cpuTicks(t *testing.T, p *os.Process) int {
	t.Helper()
	b, err := os.ReadFile(fmt.Sprintf("/proc/%d/stat", p.Pid))
	if err != nil {
		t.Fatal(err)
	}
	f := strings.Fields(string(b[strings.LastIndexByte(string(b), ')'):])) // proc(5): fields 14 and 15 of all
	user, _ := strconv.Atoi(f[12])
	system, _ := strconv.Atoi(f[13])
	return user + system
}

// testHTTPServer: a guest's server loses no request. WASMAOT_HTTP_REQUESTS is how many there are; the log says how fast it was, and
// what it costs when idle.
func (g *networkGuest) testHTTPServer(t *testing.T) {
	requests := 5000
	if s := os.Getenv("WASMAOT_HTTP_REQUESTS"); s != "" {
		var err error
		if requests, err = strconv.Atoi(s); err != nil {
			t.Fatal(err)
		}
	}
	free, err := net.Listen("tcp", "127.0.0.1:0") // a preopened listener does not tell the guest its port
	if err != nil {
		t.Fatal(err)
	}
	address := free.Addr().String()
	free.Close()
	var native time.Duration
	for _, c := range []struct {
		name string
		args []string
	}{
		{"native", []string{g.native, "serve", "tcp", "127.0.0.1:0"}},
		{"extension", g.with([]string{"--net=listen"}, "serve", "tcp", "127.0.0.1:0")},
		{"preopened", g.with([]string{"--listen=" + address}, "preopened")},
	} {
		line, _, process := start(t, nil, c.args...)
		if c.name == "preopened" {
			line = address
		}
		load(t, line, 200)
		took := load(t, line, requests)
		if c.name == "native" {
			native = took
		}
		before := cpuTicks(t, process)
		time.Sleep(time.Second)
		t.Logf("%s: %d requests in %v, %.0f a second, %.2f of native's throughput; idle afterwards: %d %% of a CPU", c.name, requests,
			took.Round(time.Millisecond), float64(requests)/took.Seconds(), native.Seconds()/took.Seconds(), cpuTicks(t, process)-before)
	}
}

// testHTTPClient: a guest fetches by name, which it asks a resolver for.
func (g *networkGuest) testHTTPClient(t *testing.T) {
	port, resolver := nativeServer(t), resolver(t, [4]byte{127, 0, 0, 1})
	got := runProgram(t, t.TempDir(), nil, g.with([]string{"--net=dial:127.0.0.1"}, "fetch", "http://server.test:"+port+"/path", resolver)...)
	if diff := cmp.Diff(fetched, got); diff != "" {
		t.Error(diff)
	}
}

// fetched is what the guest says of its three requests.
var fetched = outcome{Stdout: strings.Repeat("200 OK \"POST /path 300000\"\n", 3)}

// nativeServer answers what it was asked, and how much came with it.
func nativeServer(t *testing.T) (port string) {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { l.Close() })
	go http.Serve(l, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		n, _ := io.Copy(io.Discard, r.Body)
		fmt.Fprintf(w, "%s %s %d", r.Method, r.URL.Path, n)
	}))
	_, port, _ = net.SplitHostPort(l.Addr().String())
	return port
}

// testHTTPClientHostNames: a guest fetches by name, for which its host asks a resolver (sock_getaddrinfo).
func (g *networkGuest) testHTTPClientHostNames(t *testing.T) {
	port := nativeServer(t)
	rule := "--net=dial:127.0.0.1,dns:" + resolver(t, [4]byte{127, 0, 0, 1})
	got := runProgram(t, t.TempDir(), nil, g.with([]string{rule}, "fetch", "http://server.test:"+port+"/path", "host")...)
	if diff := cmp.Diff(fetched, got); diff != "" {
		t.Error(diff)
	}
	for _, c := range []struct{ flag, name, want string }{
		{"--net=dial:127.0.0.1", "server.test", "Permission denied"}, // no rule dns
		{rule, "", "Invalid argument"},
		{rule, strings.Repeat("x.", 200), "Invalid argument"},
	} {
		got := runProgram(t, t.TempDir(), nil, g.with([]string{c.flag}, "fetch", "http://"+c.name+":"+port+"/path", "host")...)
		if got.Exit != 1 || !strings.Contains(got.Stderr, c.want) {
			t.Errorf("%s %s: %+v, expected %s", c.flag, c.name, got, c.want)
		}
	}
}

// resolver answers every question for an IPv4 address with one, any other with nothing.
func resolver(t *testing.T, ip [4]byte) string {
	t.Helper()
	c, err := net.ListenPacket("udp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { c.Close() })
	go func() {
		b := make([]byte, 1500)
		for {
			n, from, err := c.ReadFrom(b)
			if err != nil {
				return
			}
			end := 12 // RFC 1035, 4.1.1: the header, then the question's name, type and class
			for end < n && b[end] != 0 {
				end += int(b[end]) + 1
			}
			end += 5
			if end > n {
				continue
			}
			answer := append([]byte(nil), b[:end]...)
			answer[2], answer[3] = 0x81, 0x80 // a response without error
			clear(answer[6:12])
			if answer[end-3] == 1 { // type A
				answer[7] = 1
				answer = append(answer, 0xc0, 12, 0, 1, 0, 1, 0, 0, 0, 60, 0, 4, ip[0], ip[1], ip[2], ip[3])
			}
			c.WriteTo(answer, from)
		}
	}()
	return c.LocalAddr().String()
}

// testDatagrams: a server answers who wrote to it, on IPv4 and IPv6.
func (g *networkGuest) testDatagrams(t *testing.T) {
	for _, host := range []string{"127.0.0.1:0", "[::1]:0"} {
		if l, err := net.ListenPacket("udp", host); err != nil {
			t.Logf("%s: not on this machine: %v", host, err)
			continue
		} else {
			l.Close()
		}
		address, _, _ := start(t, nil, g.with([]string{"--net=listen:localhost"}, "udp", "udp", host)...)
		c, err := net.Dial("udp", address)
		if err != nil {
			t.Fatal(err)
		}
		defer c.Close()
		c.SetDeadline(time.Now().Add(20 * time.Second))
		b := make([]byte, 100)
		for _, s := range []string{"one", "two", "end"} {
			io.WriteString(c, s)
			if n, err := c.Read(b); string(b[:n]) != strings.ToUpper(s) || err != nil {
				t.Errorf("%q, %v", b[:n], err)
			}
		}
	}
}

// testUnixSockets: a server below a directory, a client that may dial it alone.
func (g *networkGuest) testUnixSockets(t *testing.T) {
	dir, err := os.MkdirTemp("", "s")
	if err != nil {
		t.Fatal(err)
	}
	defer os.RemoveAll(dir)
	path, secret, link := filepath.Join(dir, "d/s"), filepath.Join(dir, "secret"), filepath.Join(dir, "d/up")
	os.Mkdir(filepath.Join(dir, "d"), 0o755)
	l, err := net.Listen("unix", secret)
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	if err := os.Symlink("..", link); err != nil {
		t.Fatal(err)
	}
	if name, _, _ := start(t, nil, g.with([]string{"--net=listen:unix:" + dir + "/d"}, "serve", "unix", path)...); name != path {
		t.Errorf("listening on %q, expected %q", name, path)
	}
	got := runProgram(t, dir, nil, g.with([]string{"--net=dial:unix:" + path}, "echo", "unix", path, "GET /x HTTP/1.0\r\n\r\n")...)
	if !strings.Contains(got.Stdout, "GET /x 0") || !strings.Contains(got.Stdout, "from "+path) {
		t.Errorf("%+v", got)
	}
	got = runProgram(t, dir, nil, g.with([]string{"--net=dial:unix:" + dir + "/d"}, "dial", "unix", path, "unix", secret, "unix", dir+"/d/../secret", "unix", link+"/secret")...)
	lines := strings.Split(got.Stdout, "\n")
	if !strings.HasSuffix(lines[0], " <nil>") {
		t.Error(lines[0])
	}
	for _, line := range lines[1:4] {
		if strings.HasSuffix(line, "<nil>") {
			t.Errorf("outside: %s", line)
		}
	}
}

// testDenied: nothing without a rule, and nothing beyond it.
func (g *networkGuest) testDenied(t *testing.T) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	address := l.Addr().String()
	_, port, _ := net.SplitHostPort(address)
	for _, c := range []struct {
		rule, network, address string
		want                   string
	}{
		{"", "tcp", address, "Permission denied"},
		{"--net=listen", "tcp", address, "Permission denied"},
		{"--net=dial:10.0.0.0/8", "tcp", address, "Permission denied"},
		{"--net=dial:10.0.0.0/8", "tcp", "0.0.0.0:" + port, "Permission denied"},
		{"--net=dial:10.0.0.0/8", "tcp", "[::ffff:127.0.0.1]:" + port, "Permission denied"},
		{"--net=dial:[::]:0-65535", "tcp", "[::ffff:127.0.0.1]:" + port, "Permission denied"},
		{"--net=dial:127.0.0.1:1", "tcp", address, "Permission denied"},
		{"--net=dial:127.0.0.1:1", "tcp", "127.0.0.1:1", "refused"},
		{"--net=dial:localhost:" + port, "tcp", address, "<nil>"},
		{"--net=all", "tcp", address, "<nil>"},
	} {
		var flags []string
		if c.rule != "" {
			flags = append(flags, c.rule)
		}
		got := runProgram(t, t.TempDir(), nil, g.with(flags, "dial", c.network, c.address)...)
		if !strings.Contains(got.Stdout, c.want) {
			t.Errorf("%s: dial %s: %+v, expected %s", c.rule, c.address, got, c.want)
		}
	}
	for _, flag := range []string{"--net=everything", "--net=dial:host", "--net=dial:1.2.3.4:99999", "--net=listen:unix:rel", "--listen=8080"} {
		if got := runProgram(t, t.TempDir(), nil, g.with([]string{flag}, "dial")...); got.Exit != 2 || !strings.Contains(got.Stderr, "expected") {
			t.Errorf("%s: %+v", flag, got)
		}
	}
}

// testTicksWhileWaiting: a goroutine keeps ticking while another waits for standard input, a named pipe, a socket or a terminal.
func (g *networkGuest) testTicksWhileWaiting(t *testing.T) {
	t.Run("terminal", g.testTicksTerminal)
	t.Run("stdin", func(t *testing.T) {
		r, w, err := os.Pipe()
		if err != nil {
			t.Fatal(err)
		}
		defer r.Close()
		line, out, _ := start(t, r, g.with(nil, "ticks", "stdin")...)
		io.WriteString(w, "done")
		w.Close()
		wantTicks(t, line, out)
	})
	t.Run("pipe", func(t *testing.T) {
		dir := t.TempDir()
		pipe := filepath.Join(dir, "pipe")
		if err := syscall.Mkfifo(pipe, 0o600); err != nil {
			t.Fatal(err)
		}
		w, err := os.OpenFile(pipe, os.O_RDWR, 0) // the guest's open waits for nobody
		if err != nil {
			t.Fatal(err)
		}
		line, out, _ := start(t, nil, g.with([]string{"--dir=" + dir + "::/"}, "ticks", "file", "/pipe")...)
		io.WriteString(w, "done")
		w.Close()
		wantTicks(t, line, out)
	})
	t.Run("socket", func(t *testing.T) {
		l, err := net.Listen("tcp", "127.0.0.1:0")
		if err != nil {
			t.Fatal(err)
		}
		defer l.Close()
		conns := make(chan net.Conn, 1)
		go func() {
			c, _ := l.Accept()
			conns <- c
		}()
		line, out, _ := start(t, nil, g.with([]string{"--net=dial:localhost"}, "ticks", "socket", l.Addr().String())...)
		c := <-conns
		io.WriteString(c, "done")
		c.Close()
		wantTicks(t, line, out)
	})
}

func wantTicks(t *testing.T, line string, out *bufio.Reader) {
	t.Helper()
	rest, err := out.ReadString('\n')
	if line != "ten ticks" || rest != "\"done\" <nil>\n" {
		t.Errorf("%q, %q, %v", line, rest, err)
	}
}
