//go:build linux

package wasi

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"golang.org/x/sys/unix"
)

// texts reads what args_get or environ_get stored.
func (g *guest) texts(sizes, get string) (list []string) {
	g.t.Helper()
	count, size := g.alloc(4), g.alloc(4)
	g.ok(sizes, count, size)
	pointers, buf := g.alloc(4*int(g.u32(count))), g.alloc(int(g.u32(size)))
	g.ok(get, pointers, buf)
	for i := range g.u32(count) {
		s, _, _ := strings.Cut(string(g.mem[g.u32(pointers+4*i):]), "\x00")
		list = append(list, s)
	}
	return list
}

func TestArgsEnviron(t *testing.T) {
	args := []string{"prog", "", "with space", "ünïcode \xff", strings.Repeat("x", 5000)}
	env := []string{"A=1", "EMPTY=", "EQ=a=b", "N=\n"}
	g := newGuest(t, &Config{Args: args, Env: env})
	if diff := cmp.Diff(args, g.texts("args_sizes_get", "args_get")); diff != "" {
		t.Error(diff)
	}
	if diff := cmp.Diff(env, g.texts("environ_sizes_get", "environ_get")); diff != "" {
		t.Error(diff)
	}
	none := newGuest(t, &Config{})
	if got := none.texts("args_sizes_get", "args_get"); got != nil {
		t.Errorf("arguments %q", got)
	}
}

// TestNewErrors: the error names what is wrong.
func TestNewErrors(t *testing.T) {
	dir := t.TempDir()
	writeFile(t, dir, "file", "")
	r, _ := pipe(t)
	closed := must[*os.File](t)(os.Open(dir))
	closed.Close()
	for _, c := range []struct {
		cfg  Config
		want string
	}{
		{Config{Dirs: []Dir{{Host: dir + "/missing"}}}, "directory " + dir + "/missing: no such file or directory"},
		{Config{Dirs: []Dir{{Host: dir + "/file"}}}, "directory " + dir + "/file: not a directory"},
		{Config{Dirs: []Dir{{Host: dir, Guest: "/a\x00b"}}}, `guest name "/a\x00b"`},
		{Config{Args: []string{"a\x00b"}}, `argument "a\x00b": expected no NUL`},
		{Config{Env: []string{"novalue"}}, `environment "novalue": expected NAME=VALUE`},
		{Config{Env: []string{"=x"}}, `environment "=x": expected NAME=VALUE`},
		{Config{Listeners: []*os.File{r}}, "expected a listening socket"},
		{Config{Stdin: closed}, "standard input"},
		{Config{MaxFiles: 3, Dirs: []Dir{{Host: dir}}}, "more than 3 open files"},
	} {
		sys, err := New(&c.cfg)
		if err == nil {
			sys.Close()
			t.Errorf("no error, expected %q", c.want)
		} else if !strings.Contains(err.Error(), c.want) {
			t.Errorf("%q, expected %q", err, c.want)
		}
	}
	if os.Geteuid() != 0 {
		locked := filepath.Join(dir, "locked")
		os.Mkdir(locked, 0)
		if _, err := New(&Config{Dirs: []Dir{{Host: locked}}}); err == nil || !strings.Contains(err.Error(), locked+": permission denied") {
			t.Errorf("unreadable directory: %v", err)
		}
	}
}

// TestNewLeavesNothing: a failed New closes what it had opened.
func TestNewLeavesNothing(t *testing.T) {
	before := openFiles(t)
	for range 10 {
		New(&Config{Dirs: []Dir{{Host: t.TempDir()}, {Host: "/nonexistent"}}})
		sys := must[*System](t)(New(&Config{Dirs: []Dir{{Host: t.TempDir()}}}))
		sys.Close()
	}
	if after := openFiles(t); after != before {
		t.Errorf("%d open files before, %d after", before, after)
	}
}

func openFiles(t *testing.T) int {
	return len(must[[]os.DirEntry](t)(os.ReadDir("/proc/self/fd")))
}

// preopens scans as guests do.
func (g *guest) preopens() (names []string) {
	g.t.Helper()
	for n := 3; ; n++ {
		p := g.alloc(sizePrestat)
		switch errno := g.call("fd_prestat_get", n, p); errno {
		case EBADF:
			return names
		case ENOTDIR:
			names = append(names, "(socket)")
			continue
		case ESUCCESS:
		default:
			g.t.Fatal(errno)
		}
		if g.u32(p) != 0 {
			g.t.Errorf("tag %d, expected 0", g.u32(p))
		}
		length := g.u32(p + 4)
		buf := g.alloc(int(length) + 1)
		g.mem[buf+length] = '!'
		if length > 0 {
			g.fails(ENAMETOOLONG, "fd_prestat_dir_name", n, buf, length-1)
		}
		g.ok("fd_prestat_dir_name", n, buf, length+1)
		if g.mem[buf+length] != '!' {
			g.t.Error("a byte after the name was written")
		}
		names = append(names, string(g.mem[buf:][:length]))
	}
}

func TestPreopens(t *testing.T) {
	a, b := t.TempDir(), t.TempDir()
	t.Chdir(a)
	wd := must[string](t)(os.Getwd())
	writeFile(t, a, "in-a", "")
	for _, c := range []struct {
		dirs []Dir
		env  []string
		want []string
		pwd  string
	}{
		{nil, nil, nil, ""},
		{[]Dir{{Host: a, Guest: "/"}, {Host: b, Guest: "/data"}}, nil, []string{"/", "/data"}, ""},
		{[]Dir{{Host: b}}, nil, []string{b}, ""},
		{[]Dir{{Host: "."}}, nil, []string{".", wd}, wd},
		{[]Dir{{Host: ".", Guest: "."}}, []string{"PWD=/home/me"}, []string{".", "/home/me"}, "/home/me"},
		{[]Dir{{Host: "."}, {Host: a, Guest: wd}}, []string{"PWD=" + wd}, []string{".", wd}, wd},
		{[]Dir{{Host: b, Guest: "work/x"}, {Host: a, Guest: "."}}, nil, []string{"work/x", ".", wd + "/work/x", wd}, wd},
	} {
		g := newGuest(t, &Config{Dirs: c.dirs, Env: c.env})
		if diff := cmp.Diff(c.want, g.preopens()); diff != "" {
			t.Errorf("%v:\n%s", c.dirs, diff)
		}
		pwd := ""
		for _, e := range g.texts("environ_sizes_get", "environ_get") {
			if v, ok := strings.CutPrefix(e, "PWD="); ok {
				pwd = v
			}
		}
		if pwd != c.pwd {
			t.Errorf("%v: PWD %q, expected %q", c.dirs, pwd, c.pwd)
		}
	}
	g := newGuest(t, &Config{Dirs: []Dir{{Host: "."}}})
	for _, fd := range []int{3, 4} {
		g.ok("path_filestat_get", fd, 0, "in-a", g.alloc(sizeFilestat))
	}
}

func TestClock(t *testing.T) {
	at := time.Unix(1_700_000_000, 123_456_789)
	g := newGuest(t, &Config{Now: func() time.Time { return at }})
	p := g.alloc(8)
	g.ok("clock_time_get", 0, 0, p)
	if got := g.u64(p); got != 1_700_000_000_123_456_789 {
		t.Errorf("realtime %d", got)
	}
	g.ok("clock_time_get", 1, 0, p)
	first := g.u64(p)
	if first == 0 {
		t.Error("monotonic time 0, which Go guests take for a fault")
	}
	at = at.Add(5 * time.Second)
	g.ok("clock_time_get", 1, 0, p)
	if got := g.u64(p) - first; got != 5e9 {
		t.Errorf("monotonic: %d ns later, expected 5e9", got)
	}
	for id, want := range map[int]Errno{2: ENOTSUP, 3: ENOTSUP, 4: EINVAL, 1 << 31: EINVAL} {
		g.fails(want, "clock_time_get", id, 0, p)
		g.fails(want, "clock_res_get", id, p)
	}
	g.ok("clock_res_get", 0, p)
	if got := g.u64(p); got != 1 {
		t.Errorf("resolution %d", got)
	}
	// The system's clocks.
	g = newGuest(t, &Config{OwnProcess: true})
	before := time.Now()
	g.ok("clock_time_get", 0, 0, p)
	if got := time.Unix(0, int64(g.u64(p))); got.Before(before) || got.After(time.Now()) {
		t.Errorf("realtime %v is not between the calls", got)
	}
	g.ok("clock_time_get", 1, 0, p)
	first = g.u64(p)
	g.ok("clock_time_get", 1, 0, p)
	if g.u64(p) < first {
		t.Error("monotonic time went back")
	}
}

// TestCPUClocks: in a process of its own, a guest's CPU time grows with what is done.
func TestCPUClocks(t *testing.T) {
	g := newGuest(t, &Config{OwnProcess: true})
	p := g.alloc(8)
	for _, id := range []int{clockProcess, clockThread} {
		g.ok("clock_res_get", id, p)
		g.ok("clock_time_get", id, 0, p)
		first := g.u64(p)
		if first > uint64(time.Hour) {
			t.Errorf("clock %d starts at %v", id, time.Duration(first))
		}
		for g.u64(p) < first+uint64(time.Millisecond) { // or the test does not end
			g.ok("clock_time_get", id, 0, p)
		}
	}
	g.fails(EINVAL, "clock_time_get", 4, 0, p)
}

func TestRandom(t *testing.T) {
	g := newGuest(t, &Config{})
	buf := g.alloc(100_000)
	g.ok("random_get", buf, 4)
	g.ok("random_get", buf, 100_000)
	var seen [256]bool
	for _, b := range g.mem[buf:][:100_000] {
		seen[b] = true
	}
	for b, ok := range seen {
		if !ok {
			t.Errorf("byte %#x does not occur in 100,000 random ones", b)
		}
	}
	g.ok("random_get", buf, 0)

	g = newGuest(t, &Config{Rand: strings.NewReader("deterministic")})
	g.ok("random_get", buf, 13)
	if got := string(g.mem[buf:][:13]); got != "deterministic" {
		t.Errorf("%q", got)
	}
	g.fails(EIO, "random_get", buf, 1)

	ctx, cancel := context.WithCancelCause(context.Background())
	cause := errors.New("enough")
	cancel(cause)
	g = newGuest(t, &Config{})
	g.ctx = ctx
	if g.call("random_get", buf, 100_000); g.err != cause {
		t.Errorf("after the end of the context: %v", g.err)
	}
}

func TestExit(t *testing.T) {
	g := newGuest(t, &Config{})
	for _, code := range []uint32{0, 1, 7, 255, 256, 1 << 31} {
		g.call("proc_exit", code)
		if e, ok := g.err.(*exit); !ok || e.code != code {
			t.Errorf("proc_exit(%d): %v", code, g.err)
		}
	}
	for _, sig := range []int{0, 1, 6, 9, 100} {
		g.fails(ENOTSUP, "proc_raise", sig)
	}
	g.ok("sched_yield")
}

func TestClosed(t *testing.T) {
	g, _ := newDirGuest(t)
	must[any](t)(nil, g.sys.Close())
	g.fails(EBADF, "fd_close", 3)
	g.fails(EBADF, "path_create_directory", 3, "x")
	must[any](t)(nil, g.sys.Close())
}

// TestFileLimits: descriptors are bounded, numbers are the lowest free ones.
func TestFileLimits(t *testing.T) {
	dir := tempDir(t)
	g := newGuest(t, &Config{MaxFiles: 10, Dirs: []Dir{{Host: dir, Guest: "/"}}})
	var fds []int
	for range 6 {
		fds = append(fds, g.open("f", oflagCreat, readWrite, 0))
	}
	if diff := cmp.Diff([]int{4, 5, 6, 7, 8, 9}, fds); diff != "" {
		t.Error(diff)
	}
	before := openFiles(t)
	g.fails(EMFILE, "path_open", 3, 0, "f", 0, readOnly, readOnly, 0, 64)
	g.fails(EMFILE, "path_open", 3, 0, "new", oflagCreat, readWrite, readOnly, 0, 64)
	if _, err := os.Stat(filepath.Join(dir, "new")); err == nil {
		t.Error("a file was created beyond the limit of descriptors")
	}
	if after := openFiles(t); after != before {
		t.Errorf("%d open files before, %d after", before, after)
	}
	g.ok("fd_close", 5)
	g.ok("fd_close", 7)
	for _, want := range []int{5, 7} {
		if fd := g.open("f", 0, readOnly, 0); fd != want {
			t.Errorf("descriptor %d, expected %d", fd, want)
		}
	}
	// Renumbering frees one.
	g.ok("fd_renumber", 9, 4)
	g.fails(EBADF, "fd_tell", 9, 64)
	if fd := g.open("f", 0, readOnly, 0); fd != 9 {
		t.Errorf("descriptor %d, expected 9", fd)
	}
	g.fails(EMFILE, "path_open", 3, 0, "f", 0, readOnly, readOnly, 0, 64)
}

// TestRenumber moves files, streams and preopened directories.
func TestRenumber(t *testing.T) {
	g, dir := newDirGuest(t)
	writeFile(t, dir, "f", "content")
	before := openFiles(t)
	f := g.open("f", 0, readOnly, 0)
	g.fails(EBADF, "fd_renumber", f, 99)
	g.fails(EBADF, "fd_renumber", 99, f)
	g.ok("fd_renumber", f, f)
	g.mustRead(f, "content")
	g.ok("fd_renumber", f, 1)
	g.fails(EBADF, "fd_tell", f, 64)
	g.seek(1, 0, unix.SEEK_SET)
	g.mustRead(1, "content")
	g.ok("fd_renumber", 3, 2)
	g.fails(EBADF, "fd_prestat_get", 3, 64)
	g.ok("fd_prestat_get", 2, 64)
	g.ok("path_filestat_get", 2, 0, "f", 128)
	g.ok("fd_close", 1)
	g.fails(EBADF, "fd_close", 1)
	if after := openFiles(t); after != before-2 {
		t.Errorf("%d open files before, %d after, expected two less", before, after)
	}
}

func ExampleErrno() {
	fmt.Println(ENOENT, Errno(200))
	// Output: ENOENT errno 200
}

// TestReadClock compares the short way to the system's clocks with the ordinary one.
func TestReadClock(t *testing.T) {
	g := newGuest(t, &Config{})
	fn := lookup(t, "clock_time_get")
	size := uint64(len(g.mem.Bytes()))
	compare := func() {
		t.Helper()
		for _, id := range []uint64{0, 1, 2, 3, 4, 1 << 31, 1 << 32, 1<<32 | 1} {
			for _, p := range []uint64{0, size - 8, size - 7, size, 1<<32 - 1, 1 << 32} {
				mem := g.mem.Bytes()
				clear(mem[:8])
				clear(mem[size-8:])
				want := g.raw(fn, []uint64{id, 0, p})
				var before uint64
				if want == ESUCCESS {
					before = g.u64(uint32(p))
				}
				clear(mem[:8])
				clear(mem[size-8:])
				got := g.sys.readClock(g.mem.Bytes(), []uint64{id, 0, p})
				if got != want {
					t.Errorf("clock %#x at %#x: expected %v, found %v", id, p, want, got)
				} else if got == ESUCCESS {
					if after := g.u64(uint32(p)); after < before || after-before > uint64(time.Hour) {
						t.Errorf("clock %#x at %#x: %d after %d", id, p, after, before)
					}
				} else if le.Uint64(mem) != 0 || le.Uint64(mem[size-8:]) != 0 {
					t.Errorf("clock %#x at %#x: %v, but memory was written", id, p, got)
				}
			}
		}
	}
	compare()
	if err := g.sys.Close(); err != nil {
		t.Fatal(err)
	}
	compare()
}
