//go:build linux

package wasi

import (
	"fmt"
	"math"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"golang.org/x/sys/unix"
)

func TestReadWriteSeek(t *testing.T) {
	g, dir := newDirGuest(t)
	f := g.open("f", oflagCreat|oflagExcl, readWrite, 0)
	g.mustWrite(f, "hello, world")
	if at := g.seek(f, 0, unix.SEEK_CUR); at != 12 {
		t.Errorf("at %d", at)
	}
	g.seek(f, 7, unix.SEEK_SET)
	g.mustRead(f, "world")
	g.mustRead(f, "")
	if at := g.seek(f, -5, unix.SEEK_END); at != 7 {
		t.Errorf("at %d", at)
	}
	p := g.alloc(8)
	g.ok("fd_tell", f, p)
	if at := g.u64(p); at != 7 {
		t.Errorf("tell %d", at)
	}
	g.fails(EINVAL, "fd_seek", f, uint64(math.MaxUint64), unix.SEEK_SET, p)
	g.fails(EINVAL, "fd_seek", f, 0, 3, p)
	// A hole.
	g.seek(f, 20, unix.SEEK_SET)
	g.mustWrite(f, "x")
	if got := readFile(t, dir, "f"); got != "hello, world\x00\x00\x00\x00\x00\x00\x00\x00x" {
		t.Errorf("%q", got)
	}
	g.fails(EEXIST, "path_open", 3, 0, "f", oflagCreat|oflagExcl, readWrite, 0, 0, p)
}

// TestVectors: several buffers, empty ones and very many.
func TestVectors(t *testing.T) {
	g, dir := newDirGuest(t)
	f := g.open("f", oflagCreat, readWrite, 0)
	text := g.put("abcdefghij")
	list := g.alloc(3000 * sizeIovec)
	set := func(i int, p, n uint32) {
		le.PutUint32(g.mem[list+uint32(i)*sizeIovec:], p)
		le.PutUint32(g.mem[list+uint32(i)*sizeIovec+4:], n)
	}
	set(0, text, 3)
	set(1, text+9, 0)
	set(2, text+5, 5)
	n := g.alloc(4)
	g.ok("fd_write", f, list, 3, n)
	if got := readFile(t, dir, "f"); got != "abcfghij" || g.u32(n) != 8 {
		t.Errorf("wrote %q, %d", got, g.u32(n))
	}
	in := g.alloc(16)
	set(0, in+8, 2)
	set(1, in, 8)
	g.ok("fd_pread", f, list, 2, 1, n)
	if got := string(g.mem[in:][:10]); got != "fghij\x00\x00\x00bc" || g.u32(n) != 7 {
		t.Errorf("read %q, %d", got, g.u32(n))
	}
	// 3,000 buffers of one byte: at least the first 1,024 are used.
	for i := range 3000 {
		set(i, text, 1)
	}
	g.ok("fd_write", f, list, 3000, n)
	if got := g.u32(n); got != maxIovecs {
		t.Errorf("%d bytes written from 3,000 buffers, expected %d", got, maxIovecs)
	}
	// Buffers that sum up to more than 32 bits hold.
	for i := range 1024 {
		set(i, 0, uint32(len(g.mem)))
	}
	big := g.open("big", oflagCreat, readWrite, 0)
	for i := 16; i < 1024; i++ {
		set(i, 0, 0)
	}
	g.ok("fd_write", big, list, 1024, n)
	if got := g.u32(n); got != 16*uint32(len(g.mem)) {
		t.Errorf("%d bytes", got)
	}
	g.ok("fd_write", f, list, 0, n)
	g.ok("fd_read", f, list, 0, n)
}

// TestVectorTotal: whatever the guest adds up, a call moves less than 2 GiB.
func TestVectorTotal(t *testing.T) {
	g := newGuest(t, &Config{})
	c := &g.sys.call
	c.mem = g.mem
	list := g.alloc(maxIovecs * sizeIovec)
	for i := range uint32(maxIovecs) {
		le.PutUint32(g.mem[list+i*sizeIovec+4:], uint32(len(g.mem)))
	}
	for factor := range 3 { // the same memory, many times over
		if errno := c.decodeIovs(uint64(list), maxIovecs); errno != 0 {
			t.Fatal(errno)
		}
		total := 0
		for _, b := range c.iovs {
			total += len(b)
		}
		if total > math.MaxInt32 {
			t.Errorf("%d: %d bytes", factor, total)
		}
	}
}

func TestPreadPwrite(t *testing.T) {
	g, dir := newDirGuest(t)
	f := g.open("f", oflagCreat, readWrite, 0)
	g.mustWrite(f, "0123456789")
	n := g.alloc(4)
	g.ok("fd_pwrite", f, g.iov(g.put("ab"), 2), 1, 3, n)
	if at := g.seek(f, 0, unix.SEEK_CUR); at != 10 {
		t.Errorf("offset %d after pwrite", at)
	}
	buf := g.alloc(4)
	g.ok("fd_pread", f, g.iov(buf, 4), 1, 2, n)
	if got := string(g.mem[buf:][:4]); got != "2ab5" {
		t.Errorf("%q", got)
	}
	g.ok("fd_pread", f, g.iov(buf, 4), 1, 100, n)
	if g.u32(n) != 0 {
		t.Errorf("%d bytes beyond the end", g.u32(n))
	}
	g.fails(EINVAL, "fd_pread", f, g.iov(buf, 4), 1, uint64(1)<<63, n)
	g.fails(EINVAL, "fd_pwrite", f, g.iov(buf, 4), 1, uint64(math.MaxUint64), n)
	if got := readFile(t, dir, "f"); got != "012ab56789" {
		t.Errorf("%q", got)
	}
}

// TestAppend: writes go to the end wherever the offset is, pwrite does not.
func TestAppend(t *testing.T) {
	for _, flags := range []fdflags{fdflagAppend, fdflagAppend | fdflagSync, fdflagAppend | fdflagDsync | fdflagRsync} {
		g, dir := newDirGuest(t)
		writeFile(t, dir, "f", "start")
		f := g.open("f", 0, readWrite, flags)
		g.mustWrite(f, "-one")
		g.seek(f, 0, unix.SEEK_SET)
		g.mustWrite(f, "-two")
		if at := g.seek(f, 0, unix.SEEK_CUR); at != 13 {
			t.Errorf("flags %#x: offset %d after append", flags, at)
		}
		writeFile(t, dir, "f", readFile(t, dir, "f")+"-other")
		g.mustWrite(f, "-three")
		n := g.alloc(4)
		g.ok("fd_pwrite", f, g.iov(g.put("S"), 1), 1, 0, n)
		if got := readFile(t, dir, "f"); got != "Start-one-two-other-three" {
			t.Errorf("flags %#x: %q", flags, got)
		}
		if _, got, _, _ := g.fdstat(f); got != flags {
			t.Errorf("flags %#x, expected %#x", got, flags)
		}
		// Without the flag, writes follow the offset again.
		g.ok("fd_fdstat_set_flags", f, 0)
		g.seek(f, 0, unix.SEEK_SET)
		g.mustWrite(f, "s")
		if got := readFile(t, dir, "f"); got != "start-one-two-other-three" {
			t.Errorf("%q", got)
		}
	}
}

// TestOldKernelWrites: without pwritev2's flags the effect is the same.
func TestOldKernelWrites(t *testing.T) {
	for _, flags := range []int{unix.RWF_APPEND, unix.RWF_SYNC, unix.RWF_APPEND | unix.RWF_DSYNC} {
		dir := tempDir(t)
		writeFile(t, dir, "f", "0123456789")
		host := must[*os.File](t)(os.OpenFile(filepath.Join(dir, "f"), os.O_RDWR, 0))
		defer host.Close()
		f := &file{fd: int(host.Fd()), filetype: filetypeRegularFile}
		n, err := writePlain(f, [][]byte{[]byte("a"), []byte("b")}, flags)
		if n != 2 || err != nil {
			t.Fatal(n, err)
		}
		want := "ab23456789"
		if flags&unix.RWF_APPEND != 0 {
			want = "0123456789ab"
		}
		if got := readFile(t, dir, "f"); got != want {
			t.Errorf("flags %#x: %q, expected %q", flags, got, want)
		}
		if kernel := must[int](t)(unix.FcntlInt(host.Fd(), unix.F_GETFL, 0)); kernel&unix.O_APPEND != 0 {
			t.Error("O_APPEND was left behind")
		}
	}
}

func TestSizeAndAllocate(t *testing.T) {
	g, dir := newDirGuest(t)
	f := g.open("f", oflagCreat, readWrite, 0)
	size := func() int { return len(readFile(t, dir, "f")) }
	g.mustWrite(f, "0123456789")
	g.ok("fd_filestat_set_size", f, 4)
	if size() != 4 {
		t.Errorf("size %d", size())
	}
	g.ok("fd_filestat_set_size", f, 100)
	if size() != 100 {
		t.Errorf("size %d", size())
	}
	g.fails(EINVAL, "fd_filestat_set_size", f, uint64(1)<<63)
	g.ok("fd_allocate", f, 50, 100)
	if size() != 150 {
		t.Errorf("size %d after allocating", size())
	}
	g.ok("fd_allocate", f, 0, 10)
	if size() != 150 {
		t.Errorf("size %d: allocating shrank the file", size())
	}
	g.fails(EINVAL, "fd_allocate", f, 0, 0)
	g.fails(EFBIG, "fd_allocate", f, 1, uint64(math.MaxInt64))
	g.fails(EFBIG, "fd_allocate", f, uint64(math.MaxUint64), 2)
	for advice := range 6 {
		g.ok("fd_advise", f, 0, 10, advice)
	}
	g.fails(EINVAL, "fd_advise", f, 0, 10, 6)
	g.fails(EINVAL, "fd_advise", f, uint64(1)<<63, 10, 0)
	g.ok("fd_sync", f)
	g.ok("fd_datasync", f)
	trunc := g.open("f", oflagTrunc, readWrite, 0)
	if size() != 0 {
		t.Errorf("size %d after truncation", size())
	}
	g.ok("fd_close", trunc)
}

func TestFilestat(t *testing.T) {
	g, dir := newDirGuest(t)
	writeFile(t, dir, "f", "four")
	os.Link(filepath.Join(dir, "f"), filepath.Join(dir, "second"))
	os.Symlink("f", filepath.Join(dir, "link"))
	os.Mkdir(filepath.Join(dir, "d"), 0o755)
	p := g.alloc(sizeFilestat)
	for _, c := range []struct {
		path   string
		follow int
		host   string
		want   filetype
	}{
		{"f", 0, "f", filetypeRegularFile},
		{"link", 1, "f", filetypeRegularFile},
		{"link", 0, "link", filetypeSymbolicLink},
		{"d", 0, "d", filetypeDirectory},
		{"d/", 1, "d", filetypeDirectory},
		{".", 0, ".", filetypeDirectory},
	} {
		g.ok("path_filestat_get", 3, c.follow, c.path, p)
		var st unix.Stat_t
		must[any](t)(nil, unix.Lstat(filepath.Join(dir, c.host), &st))
		want := stat{st.Dev, st.Ino, c.want, uint64(st.Nlink), uint64(st.Size), uint64(st.Atim.Nano()), uint64(st.Mtim.Nano()), uint64(st.Ctim.Nano())}
		if diff := cmp.Diff(want, g.statAt(p), cmp.AllowUnexported(stat{})); diff != "" {
			t.Errorf("%s: %s", c.path, diff)
		}
	}
	f := g.open("f", 0, readOnly, 0)
	g.ok("path_filestat_get", 3, 0, "f", p)
	byPath := g.statAt(p)
	g.ok("fd_filestat_get", f, p)
	if diff := cmp.Diff(byPath, g.statAt(p), cmp.AllowUnexported(stat{})); diff != "" {
		t.Error(diff)
	}
	g.fails(EINVAL, "path_filestat_get", 3, 2, "f", p)
}

func TestTimes(t *testing.T) {
	g, dir := newDirGuest(t)
	writeFile(t, dir, "f", "")
	os.Symlink("f", filepath.Join(dir, "link"))
	f := g.open("f", 0, readWrite, 0)
	p := g.alloc(sizeFilestat)
	times := func(path string) (atim, mtim uint64) {
		t.Helper()
		g.ok("path_filestat_get", 3, 0, path, p)
		s := g.statAt(p)
		return s.atim, s.mtim
	}
	check := func(path string, atim, mtim uint64) {
		t.Helper()
		if a, m := times(path); a != atim || m != mtim {
			t.Errorf("%s: times %d, %d, expected %d, %d", path, a, m, atim, mtim)
		}
	}
	_, linkTime := times("link")
	g.ok("fd_filestat_set_times", f, 1_000_000_001, 2_000_000_002, fstAtim|fstMtim)
	check("f", 1_000_000_001, 2_000_000_002)
	g.ok("fd_filestat_set_times", f, 5, 6, fstMtim)
	check("f", 1_000_000_001, 6)
	g.ok("path_filestat_set_times", 3, lookupFollow, "link", 7, 8, fstAtim)
	check("f", 7, 6)
	if _, m := times("link"); m != linkTime { // following it is an access
		t.Errorf("the link's time changed with its target's")
	}
	g.ok("path_filestat_set_times", 3, 0, "link", 9, 10, fstAtim|fstMtim)
	check("f", 7, 6)
	check("link", 9, 10)
	before1970 := uint64(math.MaxUint64) - 1_500_000_000 + 1
	g.ok("path_filestat_set_times", 3, 0, "f", before1970, before1970, fstAtim|fstMtim)
	check("f", before1970, before1970)
	g.ok("fd_filestat_set_times", f, 0, 0, fstAtimNow|fstMtimNow)
	if a, m := times("f"); a < 1e18 || m < 1e18 {
		t.Errorf("now is %d, %d", a, m)
	}
	g.ok("fd_filestat_set_times", f, 0, 0, 0)
	for _, flags := range []int{fstAtim | fstAtimNow, fstMtim | fstMtimNow, 16, -1} {
		g.fails(EINVAL, "fd_filestat_set_times", f, 0, 0, flags)
		g.fails(EINVAL, "path_filestat_set_times", 3, 0, "f", 0, 0, flags)
	}
}

func TestOpenFlags(t *testing.T) {
	g, dir := newDirGuest(t)
	writeFile(t, dir, "f", "content")
	os.Mkdir(filepath.Join(dir, "d"), 0o755)
	os.Symlink("f", filepath.Join(dir, "link"))
	os.Symlink("/f", filepath.Join(dir, "absolute"))
	os.Symlink("new", filepath.Join(dir, "dangling"))
	for _, c := range []struct {
		path    string
		look    int
		oflags  int
		base    rights
		fdflags int
		want    Errno
	}{
		{"f", 0, 0, readOnly, 0, 0},
		{"f", 0, 16, readOnly, 0, EINVAL},
		{"f", 2, 0, readOnly, 0, EINVAL},
		{"f", 0, 0, readOnly, 32, EINVAL},
		{"f", 0, oflagDirectory, readOnly, 0, ENOTDIR},
		{"d", 0, oflagDirectory, readOnly, 0, 0},
		{"d", 0, 0, readOnly, 0, 0},
		{"d", 0, 0, readWrite, 0, EISDIR},
		{"d", 0, oflagDirectory, readWrite, 0, EISDIR},
		{"d", 0, oflagDirectory | oflagCreat, readOnly, 0, EINVAL},
		{"d", 0, oflagDirectory | oflagTrunc, readOnly, 0, EINVAL},
		{"d", 0, oflagCreat, readOnly, 0, EISDIR},
		{"link", 0, 0, readOnly, 0, ELOOP},
		{"link", 1, 0, readOnly, 0, 0},
		{"absolute", 1, 0, readOnly, 0, EPERM},
		{"/f", 1, 0, readOnly, 0, EPERM},
		{"../x", 1, 0, readOnly, 0, EPERM},
		{"", 1, 0, readOnly, 0, ENOENT},
		{"missing", 1, 0, readOnly, 0, ENOENT},
		{"f/x", 1, 0, readOnly, 0, ENOTDIR},
		{"f/", 1, 0, readOnly, 0, ENOTDIR},
		{"d/", 1, 0, readOnly, 0, 0},
		{"f\x00", 1, 0, readOnly, 0, EINVAL},
		{strings.Repeat("x", 256), 1, 0, readOnly, 0, ENAMETOOLONG},
		{strings.Repeat("x/", 2500), 1, 0, readOnly, 0, ENAMETOOLONG},
		{"f", 0, oflagCreat, readWrite, int(fdflagNonblock), 0},
		{"f", 0, oflagExcl, readOnly, 0, 0},
		{"dangling", 0, oflagCreat, readWrite, 0, ELOOP},
		{"dangling", 1, oflagCreat | oflagExcl, readWrite, 0, EEXIST},
		{"dangling", 1, oflagCreat, readWrite, 0, 0},
	} {
		if errno := g.call("path_open", 3, c.look, c.path, c.oflags, c.base, readWrite, c.fdflags, 64); errno != c.want {
			t.Errorf("open %.20q lookup %d oflags %#x fdflags %#x: %v, expected %v", c.path, c.look, c.oflags, c.fdflags, errno, c.want)
		}
	}
	// The upper bits of rights do no harm.
	g.ok("path_open", 3, 0, "f", 0, uint64(readOnly)|0xffffffff<<32, uint64(math.MaxUint64), 0, 64)
	g.fails(EBADF, "path_open", 99, 0, "f", 0, readOnly, 0, 0, 64)
	g.fails(EBADF, "path_open", uint32(math.MaxUint32), 0, "f", 0, readOnly, 0, 0, 64)
	g.fails(EBADF, "path_open", 1<<31, 0, "f", 0, readOnly, 0, 0, 64)
	f := g.open("f", 0, readOnly, 0)
	g.fails(ENOTDIR, "path_open", f, 0, "f", 0, readOnly, 0, 0, 64)
}

// TestEntries: directories, links and their removal and renaming.
func TestEntries(t *testing.T) {
	g, dir := newDirGuest(t)
	g.ok("path_create_directory", 3, "d")
	g.ok("path_create_directory", 3, "d/e/")
	g.fails(EEXIST, "path_create_directory", 3, "d")
	f := g.open("d/f", oflagCreat, readWrite, 0)
	g.mustWrite(f, "x")
	g.ok("path_link", 3, 0, "d/f", 3, "hard")
	g.fails(EINVAL, "path_link", 3, 4, "d/f", 3, "other")
	g.fails(EPERM, "path_link", 3, 0, "d", 3, "dirlink")
	g.ok("path_symlink", "d/f", 3, "soft")
	g.fails(EPERM, "path_symlink", "/d/f", 3, "absolute")
	g.ok("path_link", 3, 0, "soft", 3, "softlink")
	g.ok("path_link", 3, lookupFollow, "soft", 3, "followed")
	if got := must[string](t)(os.Readlink(filepath.Join(dir, "softlink"))); got != "d/f" {
		t.Errorf("softlink -> %q", got)
	}
	if got := readFile(t, dir, "followed"); got != "x" {
		t.Errorf("%q", got)
	}
	buf, n := g.alloc(10), g.alloc(4)
	for size, want := range map[int]string{10: "d/f", 3: "d/f", 2: "d/", 0: ""} {
		g.ok("path_readlink", 3, "soft", buf, size, n)
		if got := string(g.mem[buf:][:g.u32(n)]); got != want {
			t.Errorf("readlink into %d bytes: %q", size, got)
		}
	}
	g.fails(EINVAL, "path_readlink", 3, "hard", buf, 10, n)
	g.fails(EINVAL, "path_readlink", 3, "d", buf, 10, n)
	g.ok("path_rename", 3, "d", 3, "moved")
	g.mustWrite(f, "y") // descriptors follow
	d := g.open("moved", oflagDirectory, readOnly, 0)
	g.ok("path_rename", 3, "moved", 3, "again")
	g.ok("path_rename", d, "f", 3, "out")
	if got := readFile(t, dir, "out"); got != "xy" {
		t.Errorf("%q", got)
	}
	g.fails(EPERM, "path_rename", d, "../out", d, "in")
	g.fails(EBUSY, "path_rename", 3, ".", 3, "x")
	g.fails(ENOTDIR, "path_rename", 3, "out", 3, "x/")
	g.fails(ENOENT, "path_rename", 3, "none", 3, "x")
	g.fails(EISDIR, "path_unlink_file", 3, "again")
	g.fails(ENOTDIR, "path_unlink_file", 3, "out/")
	g.fails(ENOTDIR, "path_remove_directory", 3, "out")
	g.fails(ENOTEMPTY, "path_remove_directory", 3, "again")
	g.ok("path_remove_directory", 3, "again/e/")
	g.ok("path_remove_directory", 3, "again")
	g.ok("path_unlink_file", 3, "out")
	g.fails(ENOENT, "path_unlink_file", 3, "out")
	g.ok("path_unlink_file", 3, "soft")
	g.fails(EINVAL, "path_remove_directory", 3, ".")
	var left []string
	for _, e := range must[[]os.DirEntry](t)(os.ReadDir(dir)) {
		left = append(left, e.Name())
	}
	if diff := cmp.Diff([]string{"followed", "hard", "softlink"}, left); diff != "" {
		t.Error(diff)
	}
}

// TestSpecialFiles: FIFOs and devices do not hold up opening them.
func TestSpecialFiles(t *testing.T) {
	g, dir := newDirGuest(t)
	must[any](t)(nil, unix.Mkfifo(filepath.Join(dir, "fifo"), 0o600))
	r := g.open("fifo", 0, readOnly, fdflagNonblock)
	if typ, _, _, _ := g.fdstat(r); typ != filetypeUnknown {
		t.Errorf("type %d", typ)
	}
	if _, errno := g.read(r, 10); errno != EAGAIN {
		t.Errorf("read of an empty FIFO: %v", errno)
	}
	w := g.open("fifo", 0, writeOnly, 0)
	g.mustWrite(w, "through")
	g.mustRead(r, "through")
	if _, errno := g.read(r, 10); errno != EAGAIN {
		t.Errorf("read of an empty FIFO: %v", errno)
	}
	g.ok("fd_close", w)
	g.mustRead(r, "") // no writer left
	g.ok("fd_close", r)
	// A writer without a reader cannot wait for one.
	g.fails(ENXIO, "path_open", 3, 0, "fifo", 0, writeOnly, 0, 0, 64)
	g.fails(ESPIPE, "fd_seek", g.open("fifo", 0, readOnly, 0), 1, 0, 64)
}

// TestBlockingFIFO: a blocking read of a FIFO waits for a writer to come.
func TestBlockingFIFO(t *testing.T) {
	g, dir := newDirGuest(t)
	path := filepath.Join(dir, "fifo")
	must[any](t)(nil, unix.Mkfifo(path, 0o600))
	r := g.open("fifo", 0, readOnly, 0)
	go func() {
		w, err := os.OpenFile(path, os.O_WRONLY, 0)
		if err != nil {
			return
		}
		w.WriteString("late")
		w.Close()
	}()
	g.mustRead(r, "late")
}

// TestManyFiles: writing, listing, renaming and removing 2,000 files.
func TestManyFiles(t *testing.T) {
	g, dir := newDirGuest(t)
	const n = 2000
	for i := range n {
		f := g.open(fmt.Sprint("f", i), oflagCreat, readWrite, 0)
		g.mustWrite(f, fmt.Sprint(i))
		g.ok("fd_close", f)
	}
	if got := len(g.names(3, 1000)); got != n {
		t.Errorf("%d entries, expected %d", got, n)
	}
	for i := range n {
		g.ok("path_rename", 3, fmt.Sprint("f", i), 3, fmt.Sprint("g", i))
	}
	for i := range n {
		g.ok("path_unlink_file", 3, fmt.Sprint("g", i))
	}
	if left := must[[]os.DirEntry](t)(os.ReadDir(dir)); len(left) != 0 {
		t.Errorf("%d files left", len(left))
	}
}
