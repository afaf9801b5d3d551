//go:build linux

package sandbox

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"sort"
	"strconv"
	"strings"
	"testing"

	"golang.org/x/sys/unix"
)

// walkers are the implementations under test.
func walkers(t *testing.T) map[string]*Walker {
	t.Helper()
	w := map[string]*Walker{"portable": Portable()}
	if k, ok := Kernel(); ok {
		w["kernel"] = k
	} else {
		t.Log("this kernel has no openat2: only the portable walker is tested")
	}
	return w
}

// A tree is a sandbox and its surroundings:
//
//	outer/secret, outer/secretdir/target, outer/root/…
type tree struct {
	outer, root string
	dir         int // root, open
}

// entries of root: "name/" a directory, "name -> target" a symbolic link, else a
// file. OUTER stands for the absolute path of outer.
var entries = []string{
	"file", "dir/", "dir/file", "dir/target", "dir/sub/", "dir/sub/deep", "dir/sub/empty/", "empty/", "full/", "full/file",
	"to-file -> file",
	"to-file-slash -> file/",
	"to-dir -> dir",
	"to-dir-slash -> dir/",
	"to-deep -> dir/sub/deep",
	"to-dot -> .",
	"to-self-dot -> ./to-file",
	"dangling -> nowhere",
	"dangling-deep -> nowhere/file",
	"dangling-slash -> nowhere/",
	"dangling-in-dir -> dir/new",
	"loop -> loop",
	"loop-a -> loop-b", "loop-b -> loop-a",
	"loop-deep -> loop-deep/x",
	"up -> ..",
	"up-up -> ../..",
	"up-secret -> ../secret",
	"up-new -> ../new",
	"up-and-back -> ../root/file",
	"up-dir -> ../secretdir",
	"hidden-up -> dir/sub/../../../secret",
	"via-link-up -> dir/out/../secret",
	"abs -> OUTER/secret",
	"abs-new -> OUTER/new",
	"abs-in -> OUTER/root/file",
	"abs-dir -> OUTER/secretdir",
	"abs-root -> /",
	"abs-slashes -> ///",
	"abs-proc -> /proc/self/cwd",
	"dir/up -> ..",
	"dir/up-file -> ../file",
	"dir/up-up -> ../..",
	"dir/up-up-secret -> ../../secret",
	"dir/out -> ../..",
	"dir/sub/top -> ../../to-dir",
	"chain -> chain-1",
}

func newTree(t testing.TB) *tree {
	t.Helper()
	outer := filepath.Join(tempDir(t), "outer")
	tr := &tree{outer: outer, root: filepath.Join(outer, "root")}
	must(t, os.MkdirAll(tr.root, 0o755))
	must(t, os.WriteFile(filepath.Join(outer, "secret"), []byte("secret"), 0o644))
	must(t, os.Mkdir(filepath.Join(outer, "secretdir"), 0o755))
	must(t, os.WriteFile(filepath.Join(outer, "secretdir", "target"), []byte("secret"), 0o644))
	must(t, os.Mkdir(filepath.Join(outer, "secretempty"), 0o755))
	for _, e := range entries {
		name, target, link := strings.Cut(e, " -> ")
		full := filepath.Join(tr.root, name)
		switch {
		case link:
			must(t, os.Symlink(strings.Replace(target, "OUTER", outer, 1), full))
		case strings.HasSuffix(name, "/"):
			must(t, os.Mkdir(full, 0o755))
		default:
			must(t, os.WriteFile(full, []byte(name), 0o644))
		}
	}
	// chain-n needs n links to get to file: 40 are followed, 41 are not.
	for i := 45; i > 0; i-- {
		target := "chain-" + strconv.Itoa(i-1)
		if i == 1 {
			target = "file"
		}
		must(t, os.Symlink(target, filepath.Join(tr.root, "chain-"+strconv.Itoa(i))))
	}
	dir, err := OpenRoot(tr.root)
	must(t, err)
	tr.dir = dir
	t.Cleanup(func() { unix.Close(dir) })
	return tr
}

// tempDir is a temporary directory, in memory if possible: the tests make hundreds
// of trees.
func tempDir(t testing.TB) string {
	dir, err := os.MkdirTemp("/dev/shm", "sandbox")
	if err != nil {
		return t.TempDir()
	}
	t.Cleanup(func() { os.RemoveAll(dir) })
	return dir
}

func must(t testing.TB, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

// snapshot describes everything in dir: name, type, link target or content, and the
// number of links. With times it also has modification times.
func snapshot(t *testing.T, dir string, times bool, skip string) string {
	t.Helper()
	var lines []string
	must(t, filepath.WalkDir(dir, func(p string, d fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		if p == skip {
			return filepath.SkipDir
		}
		var st unix.Stat_t
		if err := unix.Lstat(p, &st); err != nil {
			return err
		}
		rel, _ := filepath.Rel(dir, p)
		line := fmt.Sprintf("%s %o", rel, st.Mode)
		if st.Mode&unix.S_IFMT != unix.S_IFDIR {
			line += fmt.Sprintf(" links %d", st.Nlink)
		}
		switch st.Mode & unix.S_IFMT {
		case unix.S_IFLNK:
			target, _ := os.Readlink(p)
			line += " -> " + strings.Replace(target, filepath.Dir(dir), "", 1)
		case unix.S_IFREG:
			content, _ := os.ReadFile(p)
			line += fmt.Sprintf(" %q", content)
		}
		if times {
			line += fmt.Sprint(" ", st.Mtim, st.Ctim)
		}
		lines = append(lines, line)
		return nil
	}))
	sort.Strings(lines)
	return strings.Join(lines, "\n")
}

// outside is all that must never change.
func (tr *tree) outside(t *testing.T) string {
	return snapshot(t, tr.outer, true, tr.root)
}

// where is the host path of an open file.
func where(fd int) string {
	p, _ := os.Readlink(procPath(fd))
	return p
}

func errText(err error) string {
	switch {
	case err == nil:
		return "ok"
	case errors.Is(err, ErrEscape):
		return "escape"
	}
	var e unix.Errno
	if errors.As(err, &e) {
		return unix.ErrnoName(e)
	}
	return err.Error()
}
