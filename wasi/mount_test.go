//go:build linux

package wasi

import (
	"archive/zip"
	"bytes"
	"context"
	"embed"
	"errors"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"testing"
	"testing/fstest"
	"time"

	"github.com/google/go-cmp/cmp"
)

//go:embed testdata/mount
var embedded embed.FS

// mounts is one tree in file systems of several kinds.
func mounts(t *testing.T) map[string]fs.FS {
	t.Helper()
	tree, err := fs.Sub(embedded, "testdata/mount")
	if err != nil {
		t.Fatal(err)
	}
	dir, inMemory := tempDir(t), fstest.MapFS{}
	var zipped bytes.Buffer
	w := zip.NewWriter(&zipped)
	if err := errors.Join(os.CopyFS(dir, tree), w.AddFS(tree), w.Close()); err != nil {
		t.Fatal(err)
	}
	err = fs.WalkDir(tree, ".", func(path string, d fs.DirEntry, err error) error {
		if err == nil && !d.IsDir() {
			inMemory[path] = &fstest.MapFile{}
			inMemory[path].Data, err = fs.ReadFile(tree, path)
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	archive, err := zip.NewReader(bytes.NewReader(zipped.Bytes()), int64(zipped.Len()))
	if err != nil {
		t.Fatal(err)
	}
	root, err := os.OpenRoot(dir)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { root.Close() })
	return map[string]fs.FS{"embed": tree, "dir": os.DirFS(dir), "root": root.FS(), "map": inMemory, "zip": archive, "reader": plainFS{inMemory, false}, "seeker": plainFS{inMemory, true}}
}

// plainFS hides what files can do but reading and, perhaps, seeking.
type plainFS struct {
	fs.FS
	seek bool
}

func (p plainFS) Open(name string) (fs.File, error) {
	f, err := p.FS.Open(name)
	if _, isDir := f.(fs.ReadDirFile); err != nil || isDir {
		return f, err
	}
	if p.seek {
		return struct {
			fs.File
			io.Seeker
		}{f, f.(io.Seeker)}, nil
	}
	return struct{ fs.File }{f}, nil
}

func mountGuest(t *testing.T, fsys fs.FS) *guest {
	return newGuest(t, &Config{Dirs: []Dir{{FS: fsys, Guest: "/"}}})
}

func eachMount(t *testing.T, test func(t *testing.T, g *guest)) {
	for name, fsys := range mounts(t) {
		t.Run(name, func(t *testing.T) { test(t, mountGuest(t, fsys)) })
	}
}

func TestMountRead(t *testing.T) {
	eachMount(t, func(t *testing.T, g *guest) {
		fd := g.open("dir/../file", 0, readOnly, 0)
		g.mustRead(fd, "0123456789")
		g.mustRead(fd, "")
		for _, s := range []struct {
			offset int64
			whence int
			want   string
		}{{3, io.SeekStart, "3456789"}, {-10, io.SeekCurrent, "0123456789"}, {-1, io.SeekEnd, "9"}, {0, io.SeekStart, "0123456789"}, {5, io.SeekCurrent, ""}, {1 << 40, io.SeekStart, ""}, {0, io.SeekStart, "0123456789"}} {
			g.seek(fd, s.offset, s.whence)
			g.mustRead(fd, s.want)
		}
		at := g.alloc(8)
		g.fails(EINVAL, "fd_seek", fd, ^uint64(10), io.SeekEnd, at)
		g.seek(fd, 7, io.SeekStart)
		for _, offset := range []uint64{4, 8, 2, 10, 1 << 50} {
			buf, n := g.alloc(3), g.alloc(4)
			g.ok("fd_pread", fd, g.iov(buf, 3), 1, offset, n)
			want := ""
			if offset < 10 {
				want = "0123456789"[offset:min(offset+3, 10)]
			}
			if got := string(g.mem[buf:][:g.u32(n)]); got != want {
				t.Errorf("at %d: %q, expected %q", offset, got, want)
			}
		}
		g.ok("fd_tell", fd, at)
		if got := g.u64(at); got != 7 {
			t.Errorf("position %d after fd_pread, expected 7", got)
		}
		if events := g.poll(sub(1, eventFDRead, fd), clockSub(2, clockMonotonic, uint64(time.Hour), 0)); len(events) != 1 || events[0].nbytes != 3 {
			t.Errorf("events %v", events)
		}
		for _, name := range []string{"fd_sync", "fd_datasync"} {
			g.ok(name, fd)
		}
		g.ok("fd_advise", fd, 0, 0, 0)
		g.mustRead(g.open("dir/nothing", 0, readOnly, 0), "")
		g.ok("fd_close", fd)
	})
}

func TestMountDirectories(t *testing.T) {
	eachMount(t, func(t *testing.T, g *guest) {
		want := []string{"deeper", "inner", "nothing"}
		dir := g.open("dir/./", oflagDirectory, readOnly, 0)
		for size := sizeDirent + 10; size < 200; size += 7 {
			if diff := cmp.Diff(want, g.names(dir, size)); diff != "" {
				t.Fatalf("buffers of %d bytes: %s", size, diff)
			}
		}
		all, _ := g.readdir(dir, 4096, 0)
		for i, e := range all {
			if rest, _ := g.readdir(dir, 4096, e.next); !slices.Equal(rest, all[i+1:]) {
				t.Errorf("from %d: %v", e.next, rest)
			}
			if e.name == ".." {
				continue
			}
			p := g.alloc(sizeFilestat)
			g.ok("path_filestat_get", dir, 0, e.name, p)
			if s := g.statAt(p); s.ino != e.ino || s.filetype != e.filetype || s.dev != firstDevice {
				t.Errorf("%v: status %v", e, s)
			}
		}
		g.readdir(dir, 4096, 1<<62)
		p, fd := g.alloc(sizeFilestat), g.alloc(4)
		g.ok("path_open", dir, 0, "deeper/../inner", 0, readOnly, rights(0), 0, fd)
		g.ok("fd_filestat_get", int(g.u32(fd)), p)
		opened := g.statAt(p)
		g.ok("path_filestat_get", 3, 0, "dir/inner", p)
		if found := g.statAt(p); found != opened || found.size != 5 || found.filetype != filetypeRegularFile {
			t.Errorf("status %v and %v", found, opened)
		}
		g.ok("fd_filestat_get", dir, p)
		if s := g.statAt(p); s.filetype != filetypeDirectory {
			t.Errorf("status %v", s)
		}
		g.fails(EPERM, "path_filestat_get", dir, 0, "..", p)
	})
}

func TestMountErrors(t *testing.T) {
	eachMount(t, func(t *testing.T, g *guest) {
		p := g.alloc(sizeFilestat)
		for path, want := range map[string]Errno{
			"": ENOENT, "nothing": ENOENT, "nothing/x": ENOENT, "dir/nothing/x": ENOTDIR, "file/": ENOTDIR, "file/.": ENOTDIR, "file/..": ENOTDIR, "..": EPERM, "/": EPERM, "/file": EPERM,
			"dir/../../mount/file": EPERM, "dir/..": ESUCCESS, "./dir//inner": ESUCCESS, "dir/\xff": ENOENT, `dir\inner`: ENOENT, "file ": ENOENT,
			strings.Repeat("dir/../", 500) + "file": ESUCCESS, strings.Repeat("x/", 2000): ENOENT,
		} {
			g.fails(want, "path_filestat_get", 3, lookupFollow, path, p)
			g.fails(want, "path_open", 3, lookupFollow, path, 0, readOnly, rights(0), 0, p)
		}
		g.fails(ENOTDIR, "path_open", 3, 0, "file", oflagDirectory, readOnly, rights(0), 0, p)
		g.fails(EINVAL, "path_readlink", 3, "file", p, 64, p)
		g.fails(EROFS, "path_open", 3, 0, "file", 0, rightFDWrite, rights(0), 0, p)
		g.fails(EROFS, "path_open", 3, 0, "new", oflagCreat, readOnly, rights(0), 0, p)
		g.fails(EROFS, "path_open", 3, 0, "file", oflagTrunc, readOnly, rights(0), 0, p)
	})
}

// A mount answers as a read-only directory of the host does.
func TestMountMatrix(t *testing.T) {
	for _, m := range matrix {
		var got [2]Errno
		for k := range got {
			_, host := newDirGuest(t)
			writeFile(t, host, "file", "content")
			os.Mkdir(filepath.Join(host, "empty"), 0o755)
			os.Symlink("file", filepath.Join(host, "link"))
			d := []Dir{{Host: host, Guest: "/", ReadOnly: true}, {FS: os.DirFS(host), Guest: "/"}}[k]
			g := newGuest(t, &Config{Dirs: []Dir{d, {Host: host, Guest: "/other"}}})
			g.ok("fd_renumber", 4, g.open(".", oflagDirectory, readOnly, 0))
			for g.open(".", oflagDirectory, readOnly, 0) < 9 {
			}
			g.ok("fd_renumber", 5, 8)
			if !m.dir {
				g.ok("fd_renumber", g.open("file", 0, readOnly, 0), 9)
			}
			got[k] = g.call(m.name, m.args...)
		}
		if got[0] != got[1] {
			t.Errorf("%s%v: %v, with a directory of the host %v", m.name, m.args, got[1], got[0])
		}
	}
}

func TestMountLinks(t *testing.T) {
	outer := tempDir(t)
	dir := filepath.Join(outer, "root")
	writeFile(t, outer, "secret", "secret")
	links := map[string]string{"up": "../secret", "abs": "/etc/passwd", "loop": "loop", "ok": "dir/file", "in": "dir", "through": "in/../dir/back/file", "dir/back": "../dir", "dangling": "none", "updir": ".."}
	files := fstest.MapFS{"dir/file": {Data: []byte("content")}}
	os.MkdirAll(filepath.Join(dir, "dir"), 0o755)
	writeFile(t, filepath.Join(dir, "dir"), "file", "content")
	for name, target := range links {
		files[name] = &fstest.MapFile{Data: []byte(target), Mode: fs.ModeSymlink}
		if err := os.Symlink(target, filepath.Join(dir, name)); err != nil {
			t.Fatal(err)
		}
	}
	for kind, fsys := range map[string]fs.FS{"dir": os.DirFS(dir), "map": files} {
		t.Run(kind, func(t *testing.T) {
			g := mountGuest(t, fsys)
			p := g.alloc(sizeFilestat)
			for path, want := range map[string]Errno{"up": EPERM, "abs": EPERM, "loop": ELOOP, "ok": 0, "through": 0, "in/file": 0, "dir/back/back/file": 0, "dangling": ENOENT,
				"updir/secret": EPERM, "updir": EPERM, "ok/": ENOTDIR, "in/../in/file": 0, "loop/x": ELOOP} {
				g.fails(want, "path_filestat_get", 3, lookupFollow, path, p)
				g.fails(want, "path_open", 3, lookupFollow, path, 0, readOnly, rights(0), 0, p)
			}
			g.mustRead(g.open("through", 0, readOnly, 0), "content")
			g.fails(ELOOP, "path_open", 3, 0, "ok", 0, readOnly, rights(0), 0, p)
			g.ok("path_filestat_get", 3, 0, "up", p)
			if s := g.statAt(p); s.filetype != filetypeSymbolicLink {
				t.Errorf("status %v", s)
			}
			buf, n := g.alloc(64), g.alloc(4)
			for name, target := range links {
				g.ok("path_readlink", 3, name, buf, 64, n)
				if got := string(g.mem[buf:][:g.u32(n)]); got != target {
					t.Errorf("link %s: %q, expected %q", name, got, target)
				}
			}
			in := g.open("in", oflagDirectory, readOnly, 0)
			g.fails(EPERM, "path_filestat_get", in, lookupFollow, "back/../dir/file", p) // back leads above dir
			g.ok("path_filestat_get", in, lookupFollow, "file", p)
		})
	}
}

// hostileFS has a directory with names that no path can have, and a file that reads in bad ways.
type hostileFS struct{ read func(b []byte) (int, error) }

func (h hostileFS) Open(name string) (fs.File, error) {
	if name == "." {
		return hostileDir{}, nil
	}
	return hostileFile{h}, nil
}

type hostileDir struct{}

func (hostileDir) Stat() (fs.FileInfo, error) {
	return hostileInfo{name: ".", mode: fs.ModeDir}, nil
}
func (hostileDir) Read([]byte) (int, error) { return 0, io.EOF }
func (hostileDir) Close() error             { return nil }
func (hostileDir) ReadDir(int) (list []fs.DirEntry, err error) {
	for _, name := range []string{"..", "a/b", "", "\x00", "\xff", "../x", ".", "good"} {
		list = append(list, fs.FileInfoToDirEntry(hostileInfo{name: name}))
	}
	return list, nil
}

type hostileFile struct{ hostileFS }

func (f hostileFile) Stat() (fs.FileInfo, error) { return hostileInfo{name: "file", size: -1}, nil }
func (f hostileFile) Read(b []byte) (int, error) { return f.read(b) }
func (hostileFile) Close() error                 { return syscall.EIO }

type hostileInfo struct {
	name string
	mode fs.FileMode
	size int64
}

func (i hostileInfo) Name() string       { return i.name }
func (i hostileInfo) Size() int64        { return i.size }
func (i hostileInfo) Mode() fs.FileMode  { return i.mode }
func (i hostileInfo) ModTime() time.Time { return time.Time{} }
func (i hostileInfo) IsDir() bool        { return i.mode.IsDir() }
func (i hostileInfo) Sys() any           { return nil }

func TestMountHostile(t *testing.T) {
	for want, read := range map[Errno]func(b []byte) (int, error){
		EIO:     func(b []byte) (int, error) { return len(b) + 1, nil },
		EACCES:  func(b []byte) (int, error) { return 0, &fs.PathError{Op: "read", Err: fs.ErrPermission} },
		ENOSPC:  func(b []byte) (int, error) { return 0, &fs.PathError{Op: "read", Err: syscall.ENOSPC} },
		ENOTSUP: func(b []byte) (int, error) { return 0, errors.ErrUnsupported },
	} {
		g := mountGuest(t, hostileFS{read})
		fd := g.open("file", 0, readOnly, 0)
		for range 2 {
			if _, errno := g.read(fd, 10); errno != want {
				t.Errorf("read: %v, expected %v", errno, want)
			}
		}
		if diff := cmp.Diff([]string{"good"}, g.names(3, 100)); diff != "" {
			t.Error(diff)
		}
		g.ok("fd_filestat_get", fd, g.alloc(sizeFilestat))
		g.fails(EIO, "fd_close", fd)
		g.fails(EBADF, "fd_close", fd)
	}
	for _, read := range []func(b []byte) (int, error){
		func(b []byte) (int, error) { return -1, nil },
		func(b []byte) (int, error) { return 0, nil },
	} {
		g := mountGuest(t, hostileFS{read})
		if _, errno := g.read(g.open("file", 0, readOnly, 0), 10); errno != EIO {
			t.Errorf("read: %v, expected EIO", errno)
		}
		g.ok("fd_renumber", 3, 4) // its Close fails
	}
}

// A file that must be read from its beginning does not outlive the guest's context.
func TestMountCancel(t *testing.T) {
	ctx, cancel := context.WithCancelCause(context.Background())
	reads, cause := 0, errors.New("enough")
	g := mountGuest(t, hostileFS{func(b []byte) (int, error) {
		if reads++; reads == 1000 {
			cancel(cause)
		}
		return len(b), nil
	}})
	g.ctx = ctx
	buf, n := g.alloc(8), g.alloc(4)
	fd := g.open("endless", 0, readOnly, 0)
	g.fails(ECANCELED, "fd_pread", fd, g.iov(buf, 8), 1, uint64(1)<<60, n)
	if g.err != cause {
		t.Errorf("ended with %v", g.err)
	}
	g.ok("fd_renumber", 3, fd)
}

// What may wait for somebody else is not opened.
func TestMountFIFO(t *testing.T) {
	dir := tempDir(t)
	if err := syscall.Mkfifo(filepath.Join(dir, "fifo"), 0o600); err != nil {
		t.Fatal(err)
	}
	for _, fsys := range []fs.FS{os.DirFS(dir), struct{ fs.StatFS }{os.DirFS(dir).(fs.StatFS)}} {
		g := mountGuest(t, fsys)
		g.fails(ENOTSUP, "path_open", 3, lookupFollow, "fifo", 0, readOnly, rights(0), 0, g.alloc(4))
	}
}

// Mounts stand beside host directories, and come back with Reset.
func TestMounts(t *testing.T) {
	host := tempDir(t)
	writeFile(t, host, "a", "host")
	one, two := fstest.MapFS{"a": {Data: []byte("one")}}, fstest.MapFS{"a": {Data: []byte("two")}}
	g := newGuest(t, &Config{Env: []string{"PWD=/work"}, Dirs: []Dir{{FS: one, Guest: "/one"}, {Host: host, Guest: "/host"}, {FS: two, Guest: "two"}}})
	if diff := cmp.Diff([]string{"/one", "/host", "two", "/work/two"}, g.preopens()); diff != "" {
		t.Error(diff)
	}
	check := func() {
		t.Helper()
		var devices []uint64
		for k, want := range []string{"one", "host", "two", "two"} {
			fd, p := g.alloc(4), g.alloc(sizeFilestat)
			g.ok("path_open", 3+k, 0, "a", 0, readOnly, rights(0), 0, fd)
			g.mustRead(int(g.u32(fd)), want)
			g.ok("fd_filestat_get", int(g.u32(fd)), p)
			devices = append(devices, g.statAt(p).dev)
		}
		if devices[0] == devices[2] || devices[2] != devices[3] {
			t.Errorf("devices %v", devices)
		}
	}
	check()
	for range 3 {
		g.ok("fd_close", 3)
		g.ok("fd_renumber", 4, 5)
		if err := g.sys.Reset(); err != nil {
			t.Fatal(err)
		}
		check()
	}
	for want, d := range map[string]Dir{
		"expected a guest name":                  {FS: one},
		"expected its root to be a directory":    {FS: plainRoot{}, Guest: "/"},
		`file system for "/": open .: no access`: {FS: noFS{}, Guest: "/"},
	} {
		if _, err := New(&Config{Dirs: []Dir{d}}); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%v, expected %q", err, want)
		}
	}
}

type noFS struct{}

func (noFS) Open(name string) (fs.File, error) {
	return nil, &fs.PathError{Op: "open", Path: name, Err: errors.New("no access")}
}

type plainRoot struct{}

func (plainRoot) Open(string) (fs.File, error) { return hostileFile{}, nil }
