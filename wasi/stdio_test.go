//go:build linux

package wasi

import (
	"bytes"
	"io"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"

	"golang.org/x/sys/unix"
)

// hostFlags are the flags of a file's open file description.
func hostFlags(t *testing.T, f *os.File) (flags int) {
	t.Helper()
	conn := must[interface {
		Control(func(uintptr)) error
	}](t)(f.SyscallConn())
	conn.Control(func(fd uintptr) { flags, _ = unix.FcntlInt(fd, unix.F_GETFL, 0) })
	return flags
}

// blockingPipe is a pipe in blocking mode, as a shell makes it.
func blockingPipe(t *testing.T) (r, w *os.File) {
	t.Helper()
	var p [2]int
	must[any](t)(nil, unix.Pipe2(p[:], unix.O_CLOEXEC))
	r, w = os.NewFile(uintptr(p[0]), "r"), os.NewFile(uintptr(p[1]), "w")
	t.Cleanup(func() { r.Close(); w.Close() })
	return r, w
}

// TestStdioNonblock: what Go does at its start must not leave the streams
// non-blocking for anybody else.
func TestStdioNonblock(t *testing.T) {
	for _, polled := range []bool{false, true} {
		inR, inW := blockingPipe(t)
		outR, outW := blockingPipe(t)
		g := newGuest(t, &Config{Stdin: inR, Stdout: outW, Stderr: outW})
		if polled {
			usePolling(t, g, inR, outW, outW)
		} else if m := g.sys.files.get(0).mode; m != ioNonblock {
			t.Errorf("mode %d: the pipe was not reopened", m)
		}
		for fd := range 3 {
			g.ok("fd_fdstat_set_flags", fd, int(fdflagNonblock))
			if _, flags, _, _ := g.fdstat(fd); flags != fdflagNonblock {
				t.Errorf("flags %#x", flags)
			}
		}
		if _, errno := g.read(0, 10); errno != EAGAIN {
			t.Errorf("read of an empty pipe: %v", errno)
		}
		inW.WriteString("input")
		if s, _ := g.read(0, 2); s != "in" {
			t.Errorf("read %q", s)
		}
		g.mustRead(0, "put")
		if _, errno := g.read(0, 10); errno != EAGAIN {
			t.Errorf("read of an empty pipe: %v", errno)
		}
		total := 0
		for {
			n, errno := g.write(1, strings.Repeat("x", 50_000))
			if errno == EAGAIN {
				break
			}
			if errno != 0 || n == 0 {
				t.Fatalf("write: %d, %v", n, errno)
			}
			total += n
		}
		if total < 60_000 {
			t.Errorf("the pipe was full after %d bytes", total)
		}
		got := make([]byte, total)
		if _, err := io.ReadFull(outR, got); err != nil {
			t.Error(err)
		}
		g.mustWrite(2, "more")
		inW.Close()
		g.mustRead(0, "")
		for _, f := range []*os.File{inR, outW} {
			if hostFlags(t, f)&unix.O_NONBLOCK != 0 {
				t.Errorf("polled %v: %s was left non-blocking", polled, f.Name())
			}
		}
	}
}

// usePolling makes streams 0 to 2 what they are where they cannot be reopened.
func usePolling(t *testing.T, g *guest, streams ...*os.File) {
	t.Helper()
	for n, s := range streams {
		f := g.sys.files.get(uint32(n))
		unix.Close(f.fd)
		f.fd = must[int](t)(dup(s))
		f.mode = ioPolled
	}
}

// TestBlockingWrite: a blocking stream takes all, in whatever portions the reader
// leaves room for, and passes it on unchanged.
func TestBlockingWrite(t *testing.T) {
	for _, polled := range []bool{false, true} {
		outR, outW := blockingPipe(t)
		g := newGuest(t, &Config{Stdout: outW})
		if polled {
			f := g.sys.files.get(1)
			unix.Close(f.fd)
			f.fd, f.mode = must[int](t)(dup(outW)), ioPolled
		}
		outW.Close()
		want := bytes.Repeat([]byte("0123456789abcdef"), 12_000)
		got := make(chan []byte)
		go func() {
			b, _ := io.ReadAll(outR)
			got <- b
		}()
		g.mustWrite(1, string(want))
		g.ok("fd_close", 1)
		if b := <-got; !bytes.Equal(b, want) {
			t.Errorf("polled %v: %d bytes arrived of %d", polled, len(b), len(want))
		}
	}
}

// TestReadWaits: a blocking read waits for data.
func TestReadWaits(t *testing.T) {
	for _, polled := range []bool{false, true} {
		inR, inW := blockingPipe(t)
		g := newGuest(t, &Config{Stdin: inR})
		if polled {
			usePolling(t, g, inR)
		}
		go inW.WriteString("late")
		g.mustRead(0, "late")
		go inW.Close()
		g.mustRead(0, "")
	}
}

// TestNonblockingHostPipe: a stream that the host itself uses in non-blocking mode
// still blocks for the guest.
func TestNonblockingHostPipe(t *testing.T) {
	inR, inW := pipe(t) // os.Pipe's are non-blocking
	g := newGuest(t, &Config{Stdin: inR})
	usePolling(t, g, inR)
	go inW.WriteString("late")
	g.mustRead(0, "late")
}

// TestStreamFiles: regular files keep sharing their offset with the host.
func TestStreamFiles(t *testing.T) {
	dir := tempDir(t)
	writeFile(t, dir, "in", "0123456789")
	in := must[*os.File](t)(os.Open(filepath.Join(dir, "in")))
	defer in.Close()
	out := must[*os.File](t)(os.OpenFile(filepath.Join(dir, "out"), os.O_CREATE|os.O_RDWR|os.O_APPEND, 0o644))
	defer out.Close()
	in.Seek(4, io.SeekStart)
	out.WriteString("host ")
	g := newGuest(t, &Config{Stdin: in, Stdout: out, Stderr: out})
	g.mustRead(0, "456789")
	g.mustWrite(1, "guest ")
	g.mustWrite(2, "error ")
	out.WriteString("host")
	if got := readFile(t, dir, "out"); got != "host guest error host" {
		t.Errorf("%q", got)
	}
	if _, errno := g.write(0, "x"); errno != EBADF {
		t.Errorf("write to standard input: %v", errno)
	}
	if _, errno := g.read(1, 1); errno != EBADF {
		t.Errorf("read of standard output: %v", errno)
	}
	if typ, _, _, _ := g.fdstat(0); typ != filetypeRegularFile {
		t.Errorf("type %d", typ)
	}
}

// TestNoStreams: without files, input is empty and output is taken.
func TestNoStreams(t *testing.T) {
	g := newGuest(t, &Config{})
	g.mustRead(0, "")
	g.mustWrite(1, "gone")
	g.mustWrite(2, "gone")
	// What no terminal is, can seek: that is how C's library tells.
	for fd := range 3 {
		if typ, _, base, _ := g.fdstat(fd); typ == filetypeCharacterDevice && base&(rightFDSeek|rightFDTell) == 0 {
			t.Errorf("descriptor %d looks like a terminal", fd)
		}
	}
}

// TestStreamDirectory: a directory as standard input gives no way into it.
func TestStreamDirectory(t *testing.T) {
	dir := must[*os.File](t)(os.Open(t.TempDir()))
	defer dir.Close()
	g := newGuest(t, &Config{Stdin: dir})
	if errno := g.call("path_open", 0, 0, ".", 0, readOnly, readOnly, 0, 64); errno != ENOTCAPABLE {
		t.Errorf("path_open below standard input: %v", errno)
	}
	if _, errno := g.read(0, 1); errno != EISDIR {
		t.Errorf("read: %v", errno)
	}
}

// terminal gives both sides of a pseudoterminal.
func terminal(t *testing.T) (master, slave *os.File) {
	t.Helper()
	master, err := os.OpenFile("/dev/ptmx", os.O_RDWR|unix.O_NOCTTY, 0)
	if err != nil {
		t.Skip("no pseudoterminals here: ", err)
	}
	t.Cleanup(func() { master.Close() })
	var n int
	conn := must[interface {
		Control(func(uintptr)) error
	}](t)(master.SyscallConn())
	conn.Control(func(fd uintptr) {
		n, err = unix.IoctlGetInt(int(fd), unix.TIOCGPTN)
		unix.IoctlSetPointerInt(int(fd), unix.TIOCSPTLCK, 0)
	})
	if err != nil {
		t.Fatal(err)
	}
	slave, err = os.OpenFile("/dev/pts/"+strconv.Itoa(n), os.O_RDWR|unix.O_NOCTTY, 0)
	if err != nil {
		t.Skip("no pseudoterminals here: ", err)
	}
	t.Cleanup(func() { slave.Close() })
	return master, slave
}

// TestTerminal: a terminal is a character device that cannot seek, is polled and
// not left non-blocking.
func TestTerminal(t *testing.T) {
	master, slave := terminal(t)
	before := hostFlags(t, slave)
	for _, polled := range []bool{false, true} {
		g := newGuest(t, &Config{Stdin: slave, Stdout: slave, Stderr: slave})
		if polled {
			usePolling(t, g, slave, slave, slave)
		}
		for fd := range 3 {
			g.ok("fd_fdstat_set_flags", fd, int(fdflagNonblock))
			if typ, _, base, _ := g.fdstat(fd); typ != filetypeCharacterDevice || base&(rightFDSeek|rightFDTell) != 0 {
				t.Errorf("descriptor %d does not look like a terminal: type %d, rights %#x", fd, typ, base)
			}
		}
		if _, errno := g.read(0, 10); errno != EAGAIN {
			t.Errorf("read: %v", errno)
		}
		master.WriteString("line\n")
		g.poll(sub(1, eventFDRead, 0))
		g.mustRead(0, "line\n")
		g.mustWrite(1, "out")
		buf := make([]byte, 100)
		got := ""
		for !strings.HasSuffix(got, "out") {
			k, err := master.Read(buf)
			if err != nil {
				t.Fatal(err)
			}
			got += string(buf[:k])
		}
		if after := hostFlags(t, slave); after != before {
			t.Errorf("flags of the terminal were %#x, are %#x", before, after)
		}
	}
	// The master itself is not reopened, which would make another terminal.
	g := newGuest(t, &Config{Stdin: master})
	if m := g.sys.files.get(0).mode; m != ioPolled {
		t.Errorf("mode %d of a master", m)
	}
}

// TestLargeOutput: 64 MiB through a pipe arrive, in few calls.
func TestLargeOutput(t *testing.T) {
	outR, outW := blockingPipe(t)
	g := newGuest(t, &Config{Stdout: outW})
	outW.Close()
	const total = 64 << 20
	got := make(chan int64)
	go func() {
		n, _ := io.Copy(io.Discard, outR)
		got <- n
	}()
	n := g.alloc(4)
	iov := g.iov(0, len(g.mem))
	for sent := 0; sent < total; sent += len(g.mem) {
		g.ok("fd_write", 1, iov, 1, n)
		if int(g.u32(n)) != len(g.mem) {
			t.Fatalf("%d bytes written of %d", g.u32(n), len(g.mem))
		}
	}
	g.ok("fd_close", 1)
	if n := <-got; n != total {
		t.Errorf("%d bytes arrived", n)
	}
}
