//go:build linux

package sandbox

import (
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"golang.org/x/sys/unix"
)

// hostilePaths are tried with every operation. Those with a + lead nowhere but
// into the sandbox, and may succeed; the others must not open anything.
var hostilePaths = []string{
	"", "/", "//", "///etc/passwd", "/etc/passwd", "OUTER/secret", "OUTER/root/file",
	"+.", "+./", "+././.", "..", "../", "../..", "../secret", "../secretdir", "../secretdir/target", "../new",
	"../root", "../root/file", "./../secret", ".//..//secret", "dir/../../secret", "dir/../../root/file",
	"dir/sub/../../../secret", "dir/sub/../../../new", "empty/../../secretempty", "dir/./../..",
	"+dir/..", "+dir/../file", "+dir/../dir/sub/..", "+dir/sub/../../file", "+dir//file", "+dir///", "+dir/.", "+dir/sub/./../file",
	"+file", "file/", "file//", "file/.", "file/..", "file/../file", "file/x", "+dir", "+dir/", "+dir/sub/deep", "dir/sub/deep/",
	"+empty", "+empty/", "+full", "+full/", "missing", "missing/", "missing/x", "missing/..", "missing/../file",
	"+to-file", "to-file/", "to-file-slash", "to-file-slash/", "+to-dir", "+to-dir/", "+to-dir/file", "+to-dir-slash", "+to-dir-slash/",
	"+to-deep", "to-deep/", "+to-dot", "+to-dot/", "+to-dot/to-dot/file", "+to-self-dot", "+to-dir/..", "+to-dir/../file",
	"dangling", "dangling/", "dangling/x", "dangling-deep", "dangling-slash", "dangling-slash/", "dangling-in-dir", "dangling-in-dir/",
	"loop", "loop/", "loop/x", "loop-a", "loop-b/x", "loop-deep", "loop-deep/",
	"up", "up/", "up/secret", "up/secretdir/target", "up/new", "up/root/file", "up-up", "up-secret", "up-secret/", "up-new", "up-new/",
	"up-and-back", "up-dir", "up-dir/", "up-dir/target", "up-dir/new", "hidden-up", "via-link-up",
	"abs", "abs/", "abs-new", "abs-in", "abs-dir", "abs-dir/", "abs-dir/target", "abs-dir/..", "abs-root", "abs-root/",
	"abs-root/etc/passwd", "abs-slashes", "abs-slashes/etc", "abs-proc", "abs-proc/x",
	"+dir/up", "+dir/up/file", "+dir/up/", "+dir/up-file", "dir/up/..", "dir/up/../secret", "dir/up-up", "dir/up-up/secret",
	"dir/up-up-secret", "dir/out", "dir/out/secretdir", "+dir/sub/top/file", "+dir/sub/top/sub/top/sub/deep",
	"+chain-1", "+chain-40", "chain-41", "chain-45", "chain-40/", "+chain",
	"file\x00", "dir/\x00/file", "\x00", "file\x00/../../secret",
	"dir\\..\\..\\secret", "%2e%2e/secret", ".../secret", "dir/..../x", "~", "~root/file", "..\x00", "\n/../../secret", "/proc/self/root/etc/passwd",
	"/dev/null", "abs-proc/self/root/etc/passwd", "up/../secret", "dir/up/up-secret", "to-dot/up/secret", "+dir/up/dir/up/dir/up/file",
	"dir/up-up/root/up-up/secret", "full/../../secretdir/", "dir/sub/top/../secret", "dir/sub/top/up-dir/target",
	"LONG", "LONGNAME", "DOTS", "DEEP/../../secret",
}

// withDetours adds every relative path again after a way through a directory, its parent and a link.
func withDetours(paths []string) []string {
	all := slices.Clone(paths)
	for _, p := range paths {
		bare, inside := strings.CutPrefix(p, "+")
		if strings.Trim(bare, "/") == "" || strings.HasPrefix(bare, "/") {
			continue
		}
		p = "dir/../to-dot/./" + bare
		if inside {
			p = "+" + p
		}
		all = append(all, p)
	}
	return all
}

// operations are what is done with a path; an opened file is returned.
var operations = []struct {
	name    string
	changes bool // success may change something
	do      func(w *Walker, tr *tree, path string) (fd int, err error)
}{
	{"open", false, opening(unix.O_RDONLY)},
	{"open-write", false, opening(unix.O_RDWR)},
	{"open-nofollow", false, opening(unix.O_RDONLY | unix.O_NOFOLLOW)},
	{"open-directory", false, opening(unix.O_RDONLY | unix.O_DIRECTORY)},
	{"open-directory-nofollow", false, opening(unix.O_RDONLY | unix.O_DIRECTORY | unix.O_NOFOLLOW)},
	{"open-path", false, opening(unix.O_PATH)},
	{"open-path-nofollow", false, opening(unix.O_PATH | unix.O_NOFOLLOW)},
	{"open-path-directory", false, opening(unix.O_PATH | unix.O_DIRECTORY)},
	{"create", true, opening(unix.O_RDWR | unix.O_CREAT)},
	{"create-nofollow", true, opening(unix.O_RDWR | unix.O_CREAT | unix.O_NOFOLLOW)},
	{"create-exclusive", true, opening(unix.O_RDWR | unix.O_CREAT | unix.O_EXCL)},
	{"truncate", true, opening(unix.O_RDWR | unix.O_TRUNC)},
	{"stat", false, func(w *Walker, tr *tree, path string) (int, error) {
		_, err := w.Stat(tr.dir, path, true)
		return -1, err
	}},
	{"lstat", false, func(w *Walker, tr *tree, path string) (int, error) {
		_, err := w.Stat(tr.dir, path, false)
		return -1, err
	}},
	{"readlink", false, func(w *Walker, tr *tree, path string) (int, error) {
		_, err := w.Readlink(tr.dir, path)
		return -1, err
	}},
	{"times", true, func(w *Walker, tr *tree, path string) (int, error) {
		return -1, w.SetTimes(tr.dir, path, true, [2]unix.Timespec{{Sec: 1}, {Sec: 2}})
	}},
	{"ltimes", true, func(w *Walker, tr *tree, path string) (int, error) {
		return -1, w.SetTimes(tr.dir, path, false, [2]unix.Timespec{{Sec: 1}, {Sec: 2}})
	}},
	{"mkdir", true, func(w *Walker, tr *tree, path string) (int, error) { return -1, w.Mkdir(tr.dir, path, 0o755) }},
	{"rmdir", true, func(w *Walker, tr *tree, path string) (int, error) { return -1, w.Rmdir(tr.dir, path) }},
	{"unlink", true, func(w *Walker, tr *tree, path string) (int, error) { return -1, w.Unlink(tr.dir, path) }},
	{"symlink", true, func(w *Walker, tr *tree, path string) (int, error) { return -1, w.Symlink("file", tr.dir, path) }},
	{"link-from", true, func(w *Walker, tr *tree, path string) (int, error) {
		return -1, w.Link(tr.dir, path, false, tr.dir, "linked")
	}},
	{"link-from-follow", true, func(w *Walker, tr *tree, path string) (int, error) {
		return -1, w.Link(tr.dir, path, true, tr.dir, "linked")
	}},
	{"link-to", true, func(w *Walker, tr *tree, path string) (int, error) {
		return -1, w.Link(tr.dir, "file", false, tr.dir, path)
	}},
	{"rename-from", true, func(w *Walker, tr *tree, path string) (int, error) {
		return -1, w.Rename(tr.dir, path, tr.dir, "renamed")
	}},
	{"rename-from-slash", true, func(w *Walker, tr *tree, path string) (int, error) {
		return -1, w.Rename(tr.dir, path, tr.dir, "renamed/")
	}},
	{"rename-file-to", true, func(w *Walker, tr *tree, path string) (int, error) {
		return -1, w.Rename(tr.dir, "file", tr.dir, path)
	}},
	{"rename-dir-to", true, func(w *Walker, tr *tree, path string) (int, error) {
		return -1, w.Rename(tr.dir, "dir", tr.dir, path)
	}},
}

func opening(flags int) func(*Walker, *tree, string) (int, error) {
	return func(w *Walker, tr *tree, path string) (int, error) { return w.Open(tr.dir, path, flags, 0o644) }
}

func expand(tr *tree, path string) string {
	path = strings.TrimPrefix(path, "+")
	for _, r := range [][2]string{
		{"LONGNAME", strings.Repeat("n", 256)},
		{"LONG", strings.Repeat("dir/../", 700)},
		{"DOTS", strings.Repeat("../", 500) + "secret"},
		{"DEEP", strings.Repeat("dir/sub/../../", 250) + "dir/sub/../.."},
		{"OUTER", tr.outer},
	} {
		path = strings.ReplaceAll(path, r[0], r[1])
	}
	return path
}

// TestHostilePaths does everything with every path. Nothing outside may change or
// be opened, and both walkers must agree in error and effect.
func TestHostilePaths(t *testing.T) { tryHostilePaths(t, walkers(t)) }

// TestHostilePathsRooted: walkers that take absolute links do not leave their directory either.
func TestHostilePathsRooted(t *testing.T) { tryHostilePaths(t, rootedWalkers()) }

func rootedWalkers() map[string]*Walker {
	w := map[string]*Walker{"portable": portableRooted()}
	if haveOpenat2() {
		w["kernel"] = Rooted()
	}
	return w
}

func tryHostilePaths(t *testing.T, all map[string]*Walker) {
	cases, paths := 0, withDetours(hostilePaths)
	if len(paths) < 300 {
		t.Errorf("%d paths, expected 300", len(paths))
	}
	for _, op := range operations {
		t.Run(op.name, func(t *testing.T) {
			results := map[string]map[string]string{}
			for name, w := range all {
				results[name] = map[string]string{}
				tr := newTree(t)
				inside := snapshot(t, tr.root, false, "")
				outside := tr.outside(t)
				for _, path := range paths {
					cases++
					fd, err := op.do(w, tr, expand(tr, path))
					result := errText(err)
					if fd >= 0 {
						at := where(fd)
						if at != tr.root && !strings.HasPrefix(at, tr.root+"/") {
							t.Errorf("%s: %q opened %s", name, path, at)
						}
						result = strings.TrimPrefix(at, tr.root)
						if err := unix.Close(fd); err != nil {
							t.Errorf("%s: %q: close: %v", name, path, err)
						}
					}
					results[name][path] = result
					if err != nil || !op.changes {
						continue // what failed must leave no trace: see below
					}
					if now := tr.outside(t); now != outside {
						t.Fatalf("%s: %q changed what is outside:\n%s", name, path, cmp.Diff(outside, now))
					}
					if after := snapshot(t, tr.root, false, ""); after != inside { // start afresh
						results[name][path] += "\n" + after
						tr = newTree(t)
						outside = tr.outside(t)
					}
				}
				if diff := cmp.Diff(outside, tr.outside(t)); diff != "" {
					t.Errorf("%s: one of the paths changed what is outside:\n%s", name, diff)
				}
				if diff := cmp.Diff(inside, snapshot(t, tr.root, false, "")); diff != "" {
					t.Errorf("%s: a failing call or one that only looks changed something:\n%s", name, diff)
				}
			}
			if diff := cmp.Diff(results["portable"], results["kernel"]); results["kernel"] != nil && diff != "" {
				t.Errorf("the walkers differ (-portable +kernel):\n%s", diff)
			}
			for path, result := range results["portable"] {
				opened := strings.HasPrefix(result, "/") && !strings.Contains(op.name, "path") && !op.changes
				if opened && !strings.HasPrefix(path, "+") && !all["portable"].rooted {
					t.Errorf("%q was opened: %s", path, result)
				}
			}
		})
	}
	t.Logf("%d paths, %d cases", len(paths), cases)
}

// TestRooted: absolute links mean the same to a rooted walker as after chroot(2).
func TestRooted(t *testing.T) {
	for name, w := range rootedWalkers() {
		tr := newTree(t)
		for _, c := range []struct{ target, link, path, want string }{
			{"/dir/sub/deep", "l1", "l1", "/dir/sub/deep"},
			{"/dir", "dir/sub/l2", "dir/sub/l2/sub/deep", "/dir/sub/deep"},
			{"//dir/../file", "dir/l3", "dir/l3", "/file"},
			{"/../../dir/l3", "l4", "to-dir/sub/../../l4", "/file"},
			{"/", "dir/l5", "dir/l5/dir/l5/../file", "/file"},
			{"/nowhere", "l6", "l6", "ENOENT"},
			{"/l7", "l7", "l7", "ELOOP"},
		} {
			if err := w.Symlink(c.target, tr.dir, c.link); err != nil {
				t.Errorf("%s: link to %s: %v", name, c.target, err)
			}
			if got, err := w.Readlink(tr.dir, c.link); got != c.target {
				t.Errorf("%s: link to %s: reads %q, %v", name, c.target, got, err)
			}
			fd, err := w.Open(tr.dir, c.path, unix.O_RDONLY, 0)
			got := errText(err)
			if err == nil {
				got = strings.TrimPrefix(where(fd), tr.root)
				unix.Close(fd)
			}
			if got != c.want {
				t.Errorf("%s: %s with a link to %s: %s, expected %s", name, c.path, c.target, got, c.want)
			}
		}
	}
}

// TestErrors fixes the errors of cases that matter, for both walkers.
func TestErrors(t *testing.T) {
	const (
		rd   = unix.O_RDONLY
		dir  = unix.O_DIRECTORY
		nof  = unix.O_NOFOLLOW
		make = unix.O_CREAT | unix.O_RDWR
	)
	for _, c := range []struct {
		path  string
		flags int
		want  string
	}{
		{"", rd, "ENOENT"},
		{"/", rd, "escape"},
		{"/file", make, "escape"},
		{".", rd, "ok"},
		{"..", rd, "escape"},
		{"../secret", rd, "escape"},
		{"dir/../../secret", rd, "escape"},
		{"dir/../file", rd, "ok"},
		{"missing/../file", rd, "ENOENT"},
		{"file/../file", rd, "ENOTDIR"},
		{"file/", rd, "ENOTDIR"},
		{"file/.", rd, "ENOTDIR"},
		{"to-file/", rd, "ENOTDIR"},
		{"to-file-slash", rd, "ENOTDIR"},
		{"to-file", rd | nof, "ELOOP"},
		{"to-file", rd | nof | dir, "ENOTDIR"},
		{"to-dir", rd | nof, "ELOOP"},
		{"to-dir/", rd | nof, "ok"},
		{"to-dir-slash", rd, "ok"},
		{"file", rd | dir, "ENOTDIR"},
		{"dir", unix.O_RDWR, "EISDIR"},
		{"dir", make, "EISDIR"},
		{"new/", make, "EISDIR"},
		{"file/", make, "EISDIR"},
		{".", make, "EISDIR"},
		{"..", make, "escape"},
		{"dangling", rd, "ENOENT"},
		{"dangling", make, "ok"},
		{"dangling", make | nof, "ELOOP"},
		{"dangling-deep", make | unix.O_EXCL, "EEXIST"},
		{"up-new", make, "escape"},
		{"up-new", make | unix.O_EXCL, "EEXIST"},
		{"abs-new", make, "escape"},
		{"abs-in", rd, "escape"},
		{"abs", rd | nof, "ELOOP"},
		{"loop", rd, "ELOOP"},
		{"loop/x", rd, "ELOOP"},
		{"chain-40", rd, "ok"},
		{"chain-41", rd, "ELOOP"},
		{"up-and-back", rd, "escape"},
		{"dir/up/file", rd, "ok"},
		{"dir/up/../secret", rd, "escape"},
		{"file\x00", rd, "EINVAL"},
		{strings.Repeat("a/", 2048), rd, "ENAMETOOLONG"},
		{strings.Repeat("x", 256), rd, "ENAMETOOLONG"},
	} {
		for name, w := range walkers(t) {
			tr := newTree(t)
			fd, err := w.Open(tr.dir, c.path, c.flags, 0o644)
			if err == nil {
				unix.Close(fd)
			}
			if got := errText(err); got != c.want {
				t.Errorf("%s: open %q flags %#x: %s, expected %s", name, c.path, c.flags, got, c.want)
			}
		}
	}
}

// TestSymlinkTargets: absolute targets are not created, relative ones are, wherever
// they lead.
func TestSymlinkTargets(t *testing.T) {
	for name, w := range walkers(t) {
		tr := newTree(t)
		for i, c := range []struct{ target, path, want string }{
			{"/etc/passwd", "new", "escape"},
			{"/", "new", "escape"},
			{"", "new", "ENOENT"},
			{"../secret", "new0", "ok"},
			{"x\x00y", "new1", "EINVAL"},
			{"x", "new2/", "ENOENT"},
			{"x", "file/", "EEXIST"},
			{"x", "..", "EEXIST"},
			{"x", "../new", "escape"},
			{"x", "up/new", "escape"},
		} {
			if got := errText(w.Symlink(c.target, tr.dir, c.path)); got != c.want {
				t.Errorf("%s: %d: symlink %q at %q: %s, expected %s", name, i, c.target, c.path, got, c.want)
			}
		}
		if _, err := w.Open(tr.dir, "new0", unix.O_RDONLY, 0); errText(err) != "escape" {
			t.Errorf("%s: open of a link to ../secret: %v", name, err)
		}
	}
}

// TestMagicLinks: the links of /proc that lead anywhere without a path are not
// followed.
func TestMagicLinks(t *testing.T) {
	dir, err := OpenRoot("/proc/self")
	must(t, err)
	defer unix.Close(dir)
	secret, err := os.Open(filepath.Join(newTree(t).outer, "secret"))
	must(t, err)
	defer secret.Close()
	for name, w := range walkers(t) {
		for _, path := range []string{"root", "root/", "root/etc", "cwd", "cwd/", "exe", "fd/" + itoa(secret.Fd()), "ns/mnt"} {
			fd, err := w.Open(dir, path, unix.O_RDONLY, 0)
			if err == nil {
				t.Errorf("%s: /proc/self/%s opened %s", name, path, where(fd))
				unix.Close(fd)
			}
		}
		if _, err := w.Stat(dir, "root", true); err == nil {
			t.Errorf("%s: stat followed /proc/self/root", name)
		}
	}
}

func itoa(n uintptr) string { return strings.TrimPrefix(procPath(int(n)), "/proc/self/fd/") }

// TestMovedDirectory: an open directory stays itself wherever it is moved, and is
// left by neither "..".
func TestMovedDirectory(t *testing.T) {
	for name, w := range walkers(t) {
		tr := newTree(t)
		fd, err := w.Open(tr.dir, "dir/sub", unix.O_RDONLY|unix.O_DIRECTORY, 0)
		must(t, err)
		must(t, os.Rename(filepath.Join(tr.root, "dir/sub"), filepath.Join(tr.outer, "secretdir/sub")))
		file, err := w.Open(fd, "deep", unix.O_RDONLY, 0)
		if err != nil {
			t.Errorf("%s: %v", name, err)
		}
		unix.Close(file)
		if _, err := w.Open(fd, "../target", unix.O_RDONLY, 0); errText(err) != "escape" {
			t.Errorf("%s: ../target of the moved directory: %v", name, err)
		}
		unix.Close(fd)
	}
}

// TestDepth: the portable walker holds a bounded number of descriptors and closes
// them all.
func TestDepth(t *testing.T) {
	tr := newTree(t)
	dir := tr.dir
	var open []int
	for range maxDepth + 1 {
		must(t, unix.Mkdirat(dir, "d", 0o755))
		fd, err := unix.Openat(dir, "d", unix.O_PATH|unix.O_CLOEXEC, 0)
		must(t, err)
		open = append(open, fd)
		dir = fd
	}
	for _, fd := range open {
		unix.Close(fd)
	}
	before := openFiles(t)
	for _, c := range []struct {
		depth int
		want  string
	}{{maxDepth, "ok"}, {maxDepth + 1, "ENAMETOOLONG"}} {
		fd, err := Portable().Open(tr.dir, strings.Repeat("d/", c.depth), unix.O_RDONLY, 0)
		if errText(err) != c.want {
			t.Errorf("depth %d: %v, expected %s", c.depth, err, c.want)
		}
		if err == nil {
			unix.Close(fd)
		}
	}
	if after := openFiles(t); after != before {
		t.Errorf("%d open files before, %d after", before, after)
	}
}

func openFiles(t *testing.T) int {
	list, err := os.ReadDir("/proc/self/fd")
	must(t, err)
	return len(list)
}
