//go:build linux

package wasi

import (
	"bytes"
	"context"
	"net"
	"os"
	"path/filepath"
	"testing"
)

// A guest makes calls as compiled code would: numbers in slots, data in a linear
// memory, whose surroundings are watched.
type guest struct {
	t    testing.TB
	sys  *System
	ctx  context.Context
	mem  testMemory
	all  []byte // mem and a margin on either side
	next uint32 // free memory
	err  error  // what the last call ended the guest with

	peers []net.Conn // the other ends of its sockets
}

// close closes what the guest has.
func (g *guest) close() error {
	for _, conn := range g.peers {
		conn.Close()
	}
	return g.sys.Close()
}

type testMemory []byte

func (m *testMemory) Bytes() []byte { return *m }

const (
	pageSize = 1 << 16
	margin   = 4096
	canary   = 0xa5
)

func newGuest(t testing.TB, cfg *Config) *guest {
	t.Helper()
	sys, err := New(cfg)
	if err != nil {
		t.Fatal(err)
	}
	g := &guest{t: t, sys: sys, ctx: context.Background(), next: 16}
	g.all = bytes.Repeat([]byte{canary}, 2*margin+4*pageSize)
	g.mem = g.all[margin : len(g.all)-margin : len(g.all)-margin]
	clear(g.mem)
	t.Cleanup(func() {
		if err := g.close(); err != nil {
			t.Error(err)
		}
		for i, b := range g.all {
			if inside := i >= margin && i < len(g.all)-margin; !inside && b != canary {
				t.Errorf("byte %d of host memory was overwritten", i-margin)
				break
			}
		}
	})
	return g
}

// newDirGuest has a temporary directory as descriptor 3, "/".
func newDirGuest(t testing.TB) (g *guest, dir string) {
	t.Helper()
	dir = tempDir(t)
	return newGuest(t, &Config{Dirs: []Dir{{Host: dir, Guest: "/"}}}), dir
}

// tempDir is in memory if possible.
func tempDir(t testing.TB) string {
	dir, err := os.MkdirTemp("/dev/shm", "wasi")
	if err != nil {
		return t.TempDir()
	}
	t.Cleanup(func() { os.RemoveAll(dir) })
	return dir
}

// allFunctions are the rows of all tables.
func allFunctions() (all []*function) {
	for _, table := range tables {
		for i := range table {
			all = append(all, &table[i])
		}
	}
	return all
}

func lookup(t testing.TB, name string) *function {
	for _, table := range tables {
		for i := range table {
			if table[i].name == name {
				return &table[i]
			}
		}
	}
	t.Fatalf("no function %s", name)
	return nil
}

// call makes a call. An argument is an int, uint64 or rights, or a string, which is
// put into memory and passed as pointer and length.
func (g *guest) call(name string, args ...any) Errno {
	g.t.Helper()
	fn := lookup(g.t, name)
	var stack []uint64
	for _, a := range args {
		switch a := a.(type) {
		case int:
			stack = append(stack, uint64(a))
		case uint32:
			stack = append(stack, uint64(a))
		case uint64:
			stack = append(stack, a)
		case rights:
			stack = append(stack, uint64(a))
		case string:
			stack = append(stack, uint64(g.put(a)), uint64(len(a)))
		default:
			g.t.Fatalf("argument of type %T", a)
		}
	}
	if want := len(fn.signature().Params); len(stack) != want {
		g.t.Fatalf("%s: %d arguments, expected %d", name, len(stack), want)
	}
	return g.raw(fn, stack)
}

func (g *guest) raw(fn *function, stack []uint64) Errno {
	stack = append(stack, make([]uint64, max(0, 1-len(stack)))...)
	g.err = g.sys.invoke(g.ctx, fn, &g.mem, stack)
	if g.err != nil {
		return ECANCELED
	}
	return Errno(stack[0])
}

// ok makes a call that must succeed.
func (g *guest) ok(name string, args ...any) {
	g.t.Helper()
	if errno := g.call(name, args...); errno != 0 {
		g.t.Fatalf("%s%v: %v", name, args, errno)
	}
}

// fails makes a call that must fail with one of the errors.
func (g *guest) fails(want Errno, name string, args ...any) {
	g.t.Helper()
	if errno := g.call(name, args...); errno != want {
		g.t.Fatalf("%s%v: %v, expected %v", name, args, errno, want)
	}
}

// alloc takes n bytes of memory, aligned; memory is used in a circle.
func (g *guest) alloc(n int) uint32 {
	if int(g.next)+n > len(g.mem) {
		g.next = 16
	}
	p := g.next
	g.next += uint32(n+15) &^ 15
	return p
}

func (g *guest) put(s string) uint32 {
	p := g.alloc(len(s))
	copy(g.mem[p:], s)
	return p
}

func (g *guest) u32(p uint32) uint32 { return le.Uint32(g.mem[p:]) }
func (g *guest) u64(p uint32) uint64 { return le.Uint64(g.mem[p:]) }

// open opens a path below descriptor 3 and returns the new descriptor.
func (g *guest) open(path string, oflags int, base rights, flags fdflags) int {
	g.t.Helper()
	p := g.alloc(4)
	g.ok("path_open", 3, lookupFollow, path, oflags, base, rightsInheriting, int(flags), p)
	return int(g.u32(p))
}

const (
	readOnly  = rightsInheriting &^ (rightFDWrite | rightFDAllocate)
	writeOnly = rightsInheriting &^ (rightFDRead | rightFDReaddir)
	readWrite = rightsInheriting
)

// iov is an array of one buffer.
func (g *guest) iov(buf uint32, n int) uint32 {
	p := g.alloc(sizeIovec)
	le.PutUint32(g.mem[p:], buf)
	le.PutUint32(g.mem[p+4:], uint32(n))
	return p
}

// write writes s and returns how much was taken.
func (g *guest) write(fd int, s string) (int, Errno) {
	g.t.Helper()
	n := g.alloc(4)
	errno := g.call("fd_write", fd, g.iov(g.put(s), len(s)), 1, n)
	return int(g.u32(n)), errno
}

func (g *guest) mustWrite(fd int, s string) {
	g.t.Helper()
	if n, errno := g.write(fd, s); errno != 0 || n != len(s) {
		g.t.Fatalf("write of %d bytes: %d, %v", len(s), n, errno)
	}
}

// read reads up to n bytes.
func (g *guest) read(fd int, n int) (string, Errno) {
	g.t.Helper()
	buf, count := g.alloc(n), g.alloc(4)
	if errno := g.call("fd_read", fd, g.iov(buf, n), 1, count); errno != 0 {
		return "", errno
	}
	return string(g.mem[buf:][:g.u32(count)]), 0
}

func (g *guest) mustRead(fd int, want string) {
	g.t.Helper()
	if s, errno := g.read(fd, len(want)+10); errno != 0 || s != want {
		g.t.Fatalf("read %q, %v, expected %q", s, errno, want)
	}
}

func (g *guest) seek(fd int, offset int64, whence int) uint64 {
	g.t.Helper()
	p := g.alloc(8)
	g.ok("fd_seek", fd, uint64(offset), whence, p)
	return g.u64(p)
}

// stat is a decoded filestat.
type stat struct {
	dev, ino         uint64
	filetype         filetype
	nlink, size      uint64
	atim, mtim, ctim uint64
}

func (g *guest) statAt(p uint32) stat {
	return stat{g.u64(p), g.u64(p + 8), filetype(g.mem[p+16]), g.u64(p + 24), g.u64(p + 32), g.u64(p + 40), g.u64(p + 48), g.u64(p + 56)}
}

func (g *guest) fdstat(fd int) (t filetype, flags fdflags, base, inheriting rights) {
	g.t.Helper()
	p := g.alloc(sizeFdstat)
	g.ok("fd_fdstat_get", fd, p)
	return filetype(g.mem[p]), fdflags(le.Uint16(g.mem[p+2:])), rights(g.u64(p + 8)), rights(g.u64(p + 16))
}

func writeFile(t testing.TB, dir, name, content string) {
	t.Helper()
	if err := os.WriteFile(filepath.Join(dir, name), []byte(content), 0o644); err != nil {
		t.Fatal(err)
	}
}

func readFile(t testing.TB, dir, name string) string {
	t.Helper()
	b, err := os.ReadFile(filepath.Join(dir, name))
	if err != nil {
		t.Fatal(err)
	}
	return string(b)
}

func must[T any](t testing.TB) func(v T, err error) T {
	return func(v T, err error) T {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
		return v
	}
}
