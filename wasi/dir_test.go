//go:build linux

package wasi

import (
	"fmt"
	"math"
	"os"
	"path/filepath"
	"slices"
	"testing"

	"github.com/google/go-cmp/cmp"
	"golang.org/x/sys/unix"
)

type dirent struct {
	next, ino uint64
	filetype  filetype
	name      string
}

// readdir makes one call and returns the whole entries, and whether it was the
// end.
func (g *guest) readdir(fd, size int, cookie uint64) (list []dirent, end bool) {
	g.t.Helper()
	buf, used := g.alloc(size), g.alloc(4)
	g.ok("fd_readdir", fd, buf, size, cookie, used)
	b := g.mem[buf:][:g.u32(used)]
	end = len(b) < size
	for len(b) >= sizeDirent {
		n := int(le.Uint32(b[16:]))
		if len(b) < sizeDirent+n {
			break
		}
		list = append(list, dirent{le.Uint64(b), le.Uint64(b[8:]), filetype(b[20]), string(b[sizeDirent:][:n])})
		b = b[sizeDirent+n:]
	}
	return list, end
}

// names reads a whole directory with buffers of size, without . and ..
func (g *guest) names(fd, size int) (names []string) {
	g.t.Helper()
	cookie := uint64(0)
	for {
		list, end := g.readdir(fd, size, cookie)
		for _, e := range list {
			cookie = e.next
			if e.name != "." && e.name != ".." {
				names = append(names, e.name)
			}
		}
		if end {
			return names
		}
		if len(list) == 0 {
			g.t.Fatalf("no entry fits %d bytes", size)
		}
	}
}

func makeFiles(t *testing.T, dir string, n int) (names []string) {
	for i := range n {
		name := fmt.Sprintf("file-%d", i)
		writeFile(t, dir, name, "")
		names = append(names, name)
	}
	slices.Sort(names)
	return names
}

// dirs are directories on the file systems at hand: what a cookie is differs.
func eachDir(t *testing.T, test func(t *testing.T, dir string)) {
	t.Run("memory", func(t *testing.T) { test(t, tempDir(t)) })
	t.Run("disk", func(t *testing.T) { test(t, t.TempDir()) })
}

func TestReaddir(t *testing.T) {
	eachDir(t, func(t *testing.T, dir string) {
		g := newGuest(t, &Config{Dirs: []Dir{{Host: dir, Guest: "/"}}})
		want := makeFiles(t, dir, 300)
		for _, size := range []int{64, 100, 1000, 4096, 60_000} {
			got := g.names(3, size)
			slices.Sort(got)
			if diff := cmp.Diff(want, got); diff != "" {
				t.Errorf("buffers of %d:\n%s", size, diff)
			}
		}
	})
}

func TestReaddirTypes(t *testing.T) {
	g, dir := newDirGuest(t)
	writeFile(t, dir, "file", "")
	os.Mkdir(filepath.Join(dir, "dir"), 0o755)
	os.Symlink("nowhere", filepath.Join(dir, "link"))
	unix.Mkfifo(filepath.Join(dir, "fifo"), 0o600)
	list, end := g.readdir(3, 4096, 0)
	if !end {
		t.Error("not the end")
	}
	got := map[string]filetype{}
	for _, e := range list {
		got[e.name] = e.filetype
		var st unix.Stat_t
		unix.Lstat(filepath.Join(dir, e.name), &st)
		if want := st.Ino; e.name != ".." && e.ino != want || e.name == ".." && e.ino != 0 {
			t.Errorf("%s: inode %d, on the host %d", e.name, e.ino, want)
		}
	}
	want := map[string]filetype{
		".": filetypeDirectory, "..": filetypeDirectory, "file": filetypeRegularFile, "dir": filetypeDirectory,
		"link": filetypeSymbolicLink, "fifo": filetypeUnknown,
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
	// Where d_type is missing, the file is asked.
	for name, want := range want {
		if got, err := direntType(g.sys.files.get(3), unix.DT_UNKNOWN, []byte(name)); err != nil || got != want {
			t.Errorf("%s: asked: %v, %v, expected %v", name, got, err, want)
		}
	}
	if got, err := direntType(g.sys.files.get(3), unix.DT_UNKNOWN, []byte("gone")); err != nil || got != filetypeUnknown {
		t.Errorf("a removed entry: %v, %v", got, err)
	}
}

// TestReaddirDeletion removes what was listed between calls, as RemoveAll does;
// nothing may be left out, whatever the size of the buffers.
func TestReaddirDeletion(t *testing.T) {
	eachDir(t, func(t *testing.T, dir string) {
		for _, size := range []int{64, 200, 5000} {
			g := newGuest(t, &Config{Dirs: []Dir{{Host: dir, Guest: "/"}}})
			want := makeFiles(t, dir, 500)
			var got []string
			cookie := uint64(0)
			for end := false; !end; {
				var list []dirent
				list, end = g.readdir(3, size, cookie)
				for _, e := range list {
					cookie = e.next
					if e.name != "." && e.name != ".." {
						got = append(got, e.name)
						g.ok("path_unlink_file", 3, e.name)
					}
				}
			}
			slices.Sort(got)
			if diff := cmp.Diff(want, got); diff != "" {
				t.Errorf("buffers of %d:\n%s", size, diff)
			}
		}
	})
}

// TestReaddirSeek: every cookie ever given leads to the entries after it, in any
// order, with another directory read in between, after deletions before it.
func TestReaddirSeek(t *testing.T) {
	eachDir(t, func(t *testing.T, dir string) {
		other := tempDir(t)
		makeFiles(t, other, 50)
		g := newGuest(t, &Config{Dirs: []Dir{{Host: dir, Guest: "/"}, {Host: other, Guest: "/other"}}})
		makeFiles(t, dir, 200)
		var all []dirent
		cookie := uint64(0)
		for end := false; !end; {
			var list []dirent
			list, end = g.readdir(3, 500, cookie)
			all = append(all, list...)
			cookie = all[len(all)-1].next
		}
		check := func(i int) {
			t.Helper()
			list, _ := g.readdir(3, 200, all[i].next)
			if i == len(all)-1 {
				if len(list) != 0 {
					t.Errorf("%v after the end", list)
				}
				return
			}
			if len(list) == 0 {
				t.Fatalf("nothing at the cookie of entry %d", i)
			}
			if diff := cmp.Diff(all[i+1].name, list[0].name); diff != "" {
				t.Errorf("entry %d: %s", i+1, diff)
			}
		}
		for i := range all {
			j := i * 67 % len(all)
			check(j)
			if i%5 == 0 {
				g.readdir(4, 300, 0)
			}
		}
		for i := range len(all) / 2 {
			if n := all[i].name; n != "." && n != ".." {
				g.ok("path_unlink_file", 3, n)
			}
		}
		for i := len(all) / 2; i < len(all); i += 7 {
			check(i)
			g.readdir(4, 300, 0)
		}
	})
}

// TestReaddirSmallBuffers: an entry is cut off where the buffer ends.
func TestReaddirSmallBuffers(t *testing.T) {
	g, dir := newDirGuest(t)
	makeFiles(t, dir, 3)
	whole, n := g.alloc(4096), g.alloc(4)
	g.ok("fd_readdir", 3, whole, 4096, 0, n)
	total := int(g.u32(n))
	part := g.alloc(total + 1)
	for size := range total + 2 {
		clear(g.mem[part:][:total+1])
		g.ok("fd_readdir", 3, part, size, 0, n)
		want := min(size, total)
		if int(g.u32(n)) != want || string(g.mem[part:][:want]) != string(g.mem[whole:][:want]) {
			t.Errorf("buffer of %d: %d bytes", size, g.u32(n))
		}
	}
	g.fails(EINVAL, "fd_readdir", 3, whole, 4096, uint64(math.MaxUint64), n)
	f := g.open("file-0", 0, readOnly, 0)
	g.fails(ENOTDIR, "fd_readdir", f, whole, 4096, 0, n)
}

// TestReaddirNew: reading from cookie 0 sees what came since; a closed and reused
// descriptor does not see the old directory.
func TestReaddirNew(t *testing.T) {
	g, dir := newDirGuest(t)
	os.Mkdir(filepath.Join(dir, "a"), 0o755)
	os.Mkdir(filepath.Join(dir, "b"), 0o755)
	makeFiles(t, filepath.Join(dir, "a"), 3)
	a := g.open("a", oflagDirectory, readOnly, 0)
	if got := len(g.names(a, 4096)); got != 3 {
		t.Errorf("%d entries", got)
	}
	makeFiles(t, filepath.Join(dir, "a"), 5)
	if got := len(g.names(a, 4096)); got != 5 {
		t.Errorf("%d entries after adding two", got)
	}
	list, _ := g.readdir(a, 4096, 0)
	g.ok("fd_close", a)
	b := g.open("b", oflagDirectory, readOnly, 0)
	if b != a {
		t.Fatalf("descriptor %d, expected %d again", b, a)
	}
	for _, e := range list {
		for _, f := range must2(g.readdir(b, 4096, e.next)) {
			if f.name != "." && f.name != ".." {
				t.Errorf("%s of a closed directory", f.name)
			}
		}
	}
}

func must2(list []dirent, _ bool) []dirent { return list }
