//go:build linux

package sandbox

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"golang.org/x/sys/unix"
)

// plain are operations as the kernel does them, by the names of operations. It
// follows wherever links lead: only for paths that stay inside.
var plain = map[string]func(dir int, path string) error{
	"open":                    plainOpen(unix.O_RDONLY),
	"open-write":              plainOpen(unix.O_RDWR),
	"open-nofollow":           plainOpen(unix.O_RDONLY | unix.O_NOFOLLOW),
	"open-directory":          plainOpen(unix.O_RDONLY | unix.O_DIRECTORY),
	"open-directory-nofollow": plainOpen(unix.O_RDONLY | unix.O_DIRECTORY | unix.O_NOFOLLOW),
	"open-path":               plainOpen(unix.O_PATH),
	"open-path-nofollow":      plainOpen(unix.O_PATH | unix.O_NOFOLLOW),
	"open-path-directory":     plainOpen(unix.O_PATH | unix.O_DIRECTORY),
	"create":                  plainOpen(unix.O_RDWR | unix.O_CREAT),
	"create-nofollow":         plainOpen(unix.O_RDWR | unix.O_CREAT | unix.O_NOFOLLOW),
	"create-exclusive":        plainOpen(unix.O_RDWR | unix.O_CREAT | unix.O_EXCL),
	"truncate":                plainOpen(unix.O_RDWR | unix.O_TRUNC),
	"stat": func(dir int, path string) error {
		return unix.Fstatat(dir, path, &unix.Stat_t{}, 0)
	},
	"lstat": func(dir int, path string) error {
		return unix.Fstatat(dir, path, &unix.Stat_t{}, unix.AT_SYMLINK_NOFOLLOW)
	},
	"readlink": func(dir int, path string) error {
		_, err := unix.Readlinkat(dir, path, make([]byte, 100))
		return err
	},
	"times": func(dir int, path string) error {
		return unix.UtimesNanoAt(dir, path, []unix.Timespec{{Sec: 1}, {Sec: 2}}, 0)
	},
	"ltimes": func(dir int, path string) error {
		return unix.UtimesNanoAt(dir, path, []unix.Timespec{{Sec: 1}, {Sec: 2}}, unix.AT_SYMLINK_NOFOLLOW)
	},
	"mkdir":             func(dir int, path string) error { return unix.Mkdirat(dir, path, 0o755) },
	"rmdir":             func(dir int, path string) error { return unix.Unlinkat(dir, path, unix.AT_REMOVEDIR) },
	"unlink":            func(dir int, path string) error { return unix.Unlinkat(dir, path, 0) },
	"symlink":           func(dir int, path string) error { return unix.Symlinkat("file", dir, path) },
	"link-from":         func(dir int, path string) error { return unix.Linkat(dir, path, dir, "linked", 0) },
	"link-from-follow":  func(dir int, path string) error { return unix.Linkat(dir, path, dir, "linked", unix.AT_SYMLINK_FOLLOW) },
	"link-to":           func(dir int, path string) error { return unix.Linkat(dir, "file", dir, path, 0) },
	"rename-from":       func(dir int, path string) error { return unix.Renameat(dir, path, dir, "renamed") },
	"rename-from-slash": func(dir int, path string) error { return unix.Renameat(dir, path, dir, "renamed/") },
	"rename-file-to":    func(dir int, path string) error { return unix.Renameat(dir, "file", dir, path) },
	"rename-dir-to":     func(dir int, path string) error { return unix.Renameat(dir, "dir", dir, path) },
}

func plainOpen(flags int) func(dir int, path string) error {
	return func(dir int, path string) error {
		fd, err := unix.Openat(dir, path, flags|unix.O_CLOEXEC, 0o644)
		if err == nil {
			unix.Close(fd)
		}
		return err
	}
}

// staysInside tells of a path of hostilePaths, by its text alone, that it leads
// nowhere else.
func staysInside(path string) bool {
	if strings.HasPrefix(path, "+") {
		return true
	}
	for _, s := range []string{"..", "up", "abs", "via", "OUTER", "DOTS", "DEEP", "out", "\x00"} {
		if strings.Contains(path, s) {
			return false
		}
	}
	return path != "" && path[0] != '/'
}

// TestLikeKernel: for paths that stay inside, the portable walker does what the
// kernel does, trailing slashes and errors included. TestHostilePaths has the other
// walker agree with it.
func TestLikeKernel(t *testing.T) {
	w := Portable()
	compared := 0
	for _, op := range operations {
		want, got := map[string]string{}, map[string]string{}
		ours, theirs := newTree(t), newTree(t)
		inside := snapshot(t, ours.root, false, "")
		for _, path := range hostilePaths {
			if !staysInside(path) {
				continue
			}
			compared++
			fd, err := op.do(w, ours, expand(ours, path))
			if fd >= 0 {
				unix.Close(fd)
			}
			kernelErr := plain[op.name](theirs.dir, expand(theirs, path))
			got[path], want[path] = errText(err), errText(kernelErr)
			if !op.changes || err != nil && kernelErr != nil {
				continue
			}
			a, b := snapshot(t, ours.root, false, ""), snapshot(t, theirs.root, false, "")
			if a != b {
				t.Errorf("%s of %q differs in effect (-kernel +walker):\n%s", op.name, path, cmp.Diff(b, a))
			}
			if a != inside || b != inside {
				ours, theirs = newTree(t), newTree(t)
			}
		}
		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("%s (-kernel +walker):\n%s", op.name, diff)
		}
	}
	t.Logf("%d comparisons", compared)
}
