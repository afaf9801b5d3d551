//go:build linux

package wasi

import (
	"math"
	"math/bits"
	"os"
	"path/filepath"
	"testing"
)

// matrix are calls on descriptor 9 that succeed with the rights that the table
// demands, and, where two descriptors are needed, 8 with all rights.
var matrix = []struct {
	name string
	dir  bool // 9 is a directory, else a file
	args []any
}{
	{"fd_advise", false, []any{9, 0, 0, 0}},
	{"fd_allocate", false, []any{9, 0, 1}},
	{"fd_datasync", false, []any{9}},
	{"fd_fdstat_set_flags", false, []any{9, 0}},
	{"fd_filestat_get", false, []any{9, 64}},
	{"fd_filestat_set_size", false, []any{9, 0}},
	{"fd_filestat_set_times", false, []any{9, 0, 0, 0}},
	{"fd_pread", false, []any{9, 0, 0, 0, 64}},
	{"fd_pwrite", false, []any{9, 0, 0, 0, 64}},
	{"fd_read", false, []any{9, 0, 0, 64}},
	{"fd_readdir", true, []any{9, 256, 256, 0, 64}},
	{"fd_seek", false, []any{9, 0, 1, 64}},
	{"fd_sync", false, []any{9}},
	{"fd_tell", false, []any{9, 64}},
	{"fd_write", false, []any{9, 0, 0, 64}},
	{"path_create_directory", true, []any{9, "made"}},
	{"path_filestat_get", true, []any{9, 0, "file", 64}},
	{"path_filestat_set_times", true, []any{9, 0, "file", 0, 0, 0}},
	{"path_link", true, []any{9, 0, "file", 8, "linked"}},
	{"path_link", true, []any{8, 0, "file", 9, "linked"}},
	{"path_open", true, []any{9, 0, "file", 0, 0, 0, 0, 64}},
	{"path_readlink", true, []any{9, "link", 256, 256, 64}},
	{"path_remove_directory", true, []any{9, "empty"}},
	{"path_rename", true, []any{9, "file", 8, "renamed"}},
	{"path_rename", true, []any{8, "file", 9, "renamed"}},
	{"path_symlink", true, []any{"x", 9, "made"}},
	{"path_unlink_file", true, []any{9, "file"}},
}

// needed are the rights that a call's descriptor 9 needs, by the table.
func needed(fn *function, args []any) (r rights) {
	fds := 0
	var numbers []int
	for _, a := range args {
		if n, ok := a.(int); ok && (n == 8 || n == 9) && len(numbers) < 2 {
			numbers = append(numbers, n)
		}
	}
	for _, p := range fn.params {
		if p.kind == kindFD {
			if numbers[fds] == 9 {
				r |= p.rights
			}
			fds++
		}
	}
	return r
}

// matrixGuest has a tree with what the calls need as 8 and 9.
func matrixGuest(t *testing.T, dir bool) (*guest, *file) {
	g, host := newDirGuest(t)
	writeFile(t, host, "file", "content")
	os.Mkdir(filepath.Join(host, "empty"), 0o755)
	os.Symlink("file", filepath.Join(host, "link"))
	path, oflags := "file", 0
	base := readWrite
	if dir {
		path, oflags, base = ".", oflagDirectory, readOnly|rightPathFilestatSetSize
	}
	var fds []int
	for range 6 {
		fds = append(fds, g.open(".", oflagDirectory, readOnly, 0))
	}
	fd := g.open(path, oflags, base, 0)
	g.ok("fd_renumber", fd, 9)
	if fds[4] != 8 {
		t.Fatalf("descriptor %d, expected 8", fds[4])
	}
	return g, g.sys.files.get(9)
}

// TestRightsMatrix: each call works with exactly the rights it needs, and not
// without any one of them.
func TestRightsMatrix(t *testing.T) {
	covered := map[string]bool{}
	cases := 0
	for _, m := range matrix {
		fn := lookup(t, m.name)
		covered[m.name] = true
		need := needed(fn, m.args)
		if need == 0 {
			t.Errorf("%s needs no right", m.name)
		}
		g, f := matrixGuest(t, m.dir)
		f.base = need
		if errno := g.call(m.name, m.args...); errno != 0 {
			t.Errorf("%s%v with exactly its rights: %v", m.name, m.args, errno)
		}
		for left := need; left != 0; left &= left - 1 {
			missing := rights(1) << bits.TrailingZeros64(uint64(left))
			g, f := matrixGuest(t, m.dir)
			f.base &^= missing
			if missing == rightFDTell {
				f.base &^= rightFDSeek
			}
			f.readOnly = false
			cases++
			switch errno := g.call(m.name, m.args...); errno {
			case ENOTCAPABLE, EBADF:
			default:
				t.Errorf("%s%v without right %#x: %v", m.name, m.args, missing, errno)
			}
		}
	}
	for i := range functions {
		for _, p := range functions[i].params {
			name := functions[i].name
			if p.kind == kindFD && p.rights != 0 && !covered[name] && functions[i].group() != GroupSock {
				t.Errorf("%s is not in the matrix", name)
			}
		}
	}
	t.Logf("%d missing rights", cases)
}

// TestRightsByKind: rights that make no sense for a file are not granted, and the
// error says what it is.
func TestRightsByKind(t *testing.T) {
	g, dir := newDirGuest(t)
	writeFile(t, dir, "file", "")
	for _, m := range matrix {
		fd, want := g.open(".", oflagDirectory, readOnly, 0), EISDIR
		if m.dir {
			fd, want = g.open("file", 0, readWrite, 0), ENOTDIR
		}
		args := append([]any(nil), m.args...)
		for i, a := range args {
			if a == 8 || a == 9 {
				args[i] = fd
			}
		}
		errno := g.call(m.name, args...)
		fn := lookup(t, m.name)
		if needed(fn, m.args)&rightsAny != 0 {
			if errno != 0 && errno != want {
				t.Errorf("%s%v: %v", m.name, args, errno)
			}
		} else if errno != want {
			t.Errorf("%s%v: %v, expected %v", m.name, args, errno, want)
		}
	}
}

// TestRightsShrink: no way leads to more rights.
func TestRightsShrink(t *testing.T) {
	g, dir := newDirGuest(t)
	writeFile(t, dir, "file", "content")
	os.Mkdir(filepath.Join(dir, "sub"), 0o755)
	if _, _, _, inheriting := g.fdstat(g.open("file", 0, readWrite, 0)); inheriting != 0 {
		t.Errorf("a file hands down %#x", inheriting)
	}
	for bit := range 64 {
		r := rights(1) << bit
		f := g.open("file", 0, readWrite, 0)
		_, _, base, inheriting := g.fdstat(f)
		if r&knownRights == 0 {
			g.ok("fd_fdstat_set_rights", f, base|r, inheriting|r) // means nothing
			if _, _, got, _ := g.fdstat(f); got&r != 0 {
				t.Errorf("unknown right %#x was taken", r)
			}
		} else if base&r == 0 {
			g.fails(ENOTCAPABLE, "fd_fdstat_set_rights", f, base|r, inheriting)
		} else {
			g.ok("fd_fdstat_set_rights", f, base&^r, inheriting)
			g.fails(ENOTCAPABLE, "fd_fdstat_set_rights", f, base, inheriting)
			if _, _, got, _ := g.fdstat(f); got != base&^r {
				t.Errorf("rights %#x, expected %#x", got, base&^r)
			}
		}
		g.ok("fd_close", f)

		// A directory that does not hand the right down: neither do those below it.
		d := g.open("sub", oflagDirectory, readOnly, 0)
		_, _, base, inheriting = g.fdstat(d)
		if inheriting&r != 0 {
			g.ok("fd_fdstat_set_rights", d, base, inheriting&^r)
			p := g.alloc(4)
			g.ok("path_open", d, 0, ".", oflagDirectory, readOnly&^rightFDRead, uint64(math.MaxUint64), 0, p)
			below := int(g.u32(p))
			if _, _, b, i := g.fdstat(below); b&r != 0 || i&r != 0 {
				t.Errorf("right %#x came back below", r)
			}
			g.ok("fd_close", below)
		}
		g.ok("fd_close", d)
	}
}

// TestOpenWithoutRights: whether a file is opened for writing follows from rights.
func TestOpenWithoutRights(t *testing.T) {
	g, dir := newDirGuest(t)
	writeFile(t, dir, "file", "content")
	d := g.sys.files.get(3)
	all := *d
	for _, c := range []struct {
		drop         rights // from base
		dropBelow    rights
		oflags       int
		base         rights
		want         Errno
		wantTruncate bool
	}{
		{0, 0, 0, readWrite, 0, false},
		{0, rightFDWrite, 0, readOnly, 0, false},
		{0, rightFDWrite, 0, readWrite, ENOTCAPABLE, false},
		{0, rightFDRead, 0, readWrite, ENOTCAPABLE, false},
		{0, rightFDRead, 0, writeOnly, 0, false},
		{rightPathOpen, 0, 0, readOnly, ENOTCAPABLE, false},
		{rightPathCreateFile, 0, oflagCreat, readOnly, ENOTCAPABLE, false},
		{rightPathFilestatSetSize, 0, oflagTrunc, readOnly, ENOTCAPABLE, false},
		{rightPathFilestatSetSize, rightFDFilestatSetSize, oflagTrunc, readWrite, ENOTCAPABLE, false},
		{rightPathFilestatSetSize, 0, oflagTrunc, readWrite, 0, true},
		{0, rightFDFilestatSetSize, oflagTrunc, readOnly, 0, true},
	} {
		writeFile(t, dir, "file", "content")
		d.base, d.inheriting = all.base&^c.drop, all.inheriting&^c.dropBelow
		if errno := g.call("path_open", 3, 0, "file", c.oflags, c.base, 0, 0, 64); errno != c.want {
			t.Errorf("%+v: %v", c, errno)
		}
		if got := readFile(t, dir, "file") == ""; got != c.wantTruncate {
			t.Errorf("%+v: truncated: %v", c, got)
		}
	}
}

// TestReadOnlyDirectory: nothing in it can be changed in any way, and reading works.
func TestReadOnlyDirectory(t *testing.T) {
	dir, other := tempDir(t), tempDir(t)
	writeFile(t, dir, "file", "content")
	os.Mkdir(filepath.Join(dir, "empty"), 0o755)
	os.Symlink("file", filepath.Join(dir, "link"))
	writeFile(t, other, "file", "other")
	g := newGuest(t, &Config{Dirs: []Dir{{Host: dir, Guest: "/ro", ReadOnly: true}, {Host: other, Guest: "/rw"}}})
	list := func() (s string) {
		filepath.Walk(dir, func(p string, fi os.FileInfo, err error) error {
			s += p + fi.ModTime().String() + fi.Mode().String() + "\n"
			return err
		})
		return s + readFile(t, dir, "file")
	}
	before := list()

	// Reading, also with all the rights that Go asks for.
	f := g.open("file", 0, readOnly, 0)
	g.mustRead(f, "content")
	sub := g.open(".", oflagDirectory, readOnly, 0)
	for _, d := range []int{3, sub} {
		if got := len(g.names(d, 1000)); got != 3 {
			t.Errorf("%d entries", got)
		}
		for _, c := range []struct {
			name string
			args []any
		}{
			{"path_open", []any{d, 0, "file", 0, readWrite, 0, 0, 64}},
			{"path_open", []any{d, 0, "file", 0, rightFDWrite, 0, 0, 64}},
			{"path_open", []any{d, 0, "file", oflagTrunc, readOnly, 0, 0, 64}},
			{"path_open", []any{d, 0, "new", oflagCreat, readOnly, 0, 0, 64}},
			{"path_create_directory", []any{d, "new"}},
			{"path_remove_directory", []any{d, "empty"}},
			{"path_unlink_file", []any{d, "file"}},
			{"path_symlink", []any{"x", d, "new"}},
			{"path_filestat_set_times", []any{d, 0, "file", 1, 1, fstAtim | fstMtim}},
			{"path_rename", []any{d, "file", d, "new"}},
			{"path_rename", []any{d, "file", 4, "new"}},  // away
			{"path_rename", []any{4, "file", d, "new"}},  // in
			{"path_link", []any{d, 0, "file", 4, "new"}}, // out, to be written there
			{"path_link", []any{4, 0, "file", d, "new"}},
			{"fd_filestat_set_times", []any{d, 1, 1, fstAtim | fstMtim}},
			{"fd_filestat_set_times", []any{f, 1, 1, fstAtim | fstMtim}},
			{"fd_filestat_set_size", []any{f, 0}},
			{"fd_allocate", []any{f, 0, 100}},
		} {
			g.fails(EROFS, c.name, c.args...)
		}
	}
	if _, errno := g.write(f, "x"); errno != EBADF { // as of any file opened for reading
		t.Errorf("write: %v", errno)
	}
	_, _, base, inheriting := g.fdstat(3)
	g.fails(ENOTCAPABLE, "fd_fdstat_set_rights", 3, base|rightPathCreateFile, inheriting)
	g.fails(ENOTCAPABLE, "fd_fdstat_set_rights", 3, base, inheriting|rightFDWrite)
	if after := list(); after != before {
		t.Errorf("changed:\n%s\nto\n%s", before, after)
	}
}
