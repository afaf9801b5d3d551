package sandbox

import (
	"golang.org/x/sys/unix"

	"github.com/wasmaot/wasmaot/internal/lazy"
)

// Walker opens paths below directories. Directories are given and files returned
// as file descriptors that belong to the caller. Errors are unix.Errno values or
// ErrEscape.
type Walker struct {
	open   openFunc
	rooted bool // absolute targets of symbolic links are taken
}

// openFunc opens path below dir. The flags are those of open(2); O_NOFOLLOW
// concerns the last component only and is without effect if path ends in a slash.
type openFunc func(dir int, path string, flags int, mode uint32) (int, error)

// New returns the best walker that the kernel has.
func New() *Walker {
	if haveOpenat2() {
		return &Walker{open: openBeneath}
	}
	return Portable()
}

// Portable returns the walker that needs no openat2.
func Portable() *Walker { return &Walker{open: openWalk} }

// Kernel returns the walker built on openat2, and false if the kernel has none.
func Kernel() (*Walker, bool) { return &Walker{open: openBeneath}, haveOpenat2() }

// Rooted returns the best walker for a directory that is the guest's "/" as well as the host's: absolute targets of symbolic links lead
// back to it, and ".." ends there, as for a process that was put below it with chroot(2). Nothing outside can be reached through it, either.
func Rooted() *Walker {
	if haveOpenat2() {
		return &Walker{open: openInRoot, rooted: true}
	}
	return portableRooted()
}

// portableRooted is Rooted without openat2.
func portableRooted() *Walker { return &Walker{open: openWalkRooted, rooted: true} }

// OpenRoot opens a directory of the host, to be the root of walks.
func OpenRoot(hostPath string) (int, error) {
	return ignoringEINTR(func() (int, error) {
		return unix.Open(hostPath, unix.O_RDONLY|unix.O_DIRECTORY|unix.O_CLOEXEC, 0)
	})
}

// Open opens path below dir with the flags of open(2) and, if it is created,
// with mode. O_CLOEXEC is implied.
func (w *Walker) Open(dir int, path string, flags int, mode uint32) (int, error) {
	if err := checkPath(path); err != nil {
		return -1, err
	}
	return w.open(dir, path, flags|unix.O_CLOEXEC, mode)
}

// pathMax is PATH_MAX of linux/limits.h, with the terminating NUL.
const pathMax = 4096

// checkPath refuses what no walker takes.
func checkPath(path string) error {
	switch {
	case path == "":
		return unix.ENOENT
	case len(path) >= pathMax:
		return unix.ENAMETOOLONG
	case path[0] == '/':
		return ErrEscape
	}
	for i := range len(path) {
		if path[i] == 0 {
			return unix.EINVAL
		}
	}
	return nil
}

// haveOpenat2 asks the kernel once; container runtimes may also forbid the call.
func haveOpenat2() bool {
	return haveOpenat2Once.Get(func() bool {
		fd, err := ignoringEINTR(func() (int, error) {
			return unix.Openat2(unix.AT_FDCWD, ".", &unix.OpenHow{
				Flags:   unix.O_PATH | unix.O_DIRECTORY | unix.O_CLOEXEC,
				Resolve: unix.RESOLVE_BENEATH | unix.RESOLVE_NO_MAGICLINKS,
			})
		})
		if err != nil {
			return false
		}
		unix.Close(fd)
		return true
	})
}

var haveOpenat2Once lazy.Value[bool]

// openBeneath lets the kernel walk.
func openBeneath(dir int, path string, flags int, mode uint32) (int, error) {
	return openKernel(dir, path, flags, mode, unix.RESOLVE_BENEATH, openWalk)
}

// openInRoot is openBeneath for Rooted.
func openInRoot(dir int, path string, flags int, mode uint32) (int, error) {
	return openKernel(dir, path, flags, mode, unix.RESOLVE_IN_ROOT, openWalkRooted)
}

func openKernel(dir int, path string, flags int, mode uint32, resolve uint64, portable openFunc) (int, error) {
	how := unix.OpenHow{
		Flags:   uint64(flags),
		Resolve: resolve | unix.RESOLVE_NO_MAGICLINKS,
	}
	if flags&unix.O_CREAT != 0 {
		how.Mode = uint64(mode)
	}
	// EAGAIN: something was renamed or mounted while the kernel resolved "..", and
	// it cannot tell whether the path was left (openat2(2)). The other walker can.
	const attempts = 4
	for range attempts {
		fd, err := ignoringEINTR(func() (int, error) { return unix.Openat2(dir, path, &how) })
		switch err {
		case nil:
			return fd, nil
		case unix.EXDEV: // leaving dir is the only reason openat2 has for it here
			return -1, ErrEscape
		case unix.EAGAIN:
			continue
		}
		return -1, err
	}
	return portable(dir, path, flags, mode)
}

// ignoringEINTR repeats a call that a signal interrupted: slow file systems
// let them through even for open.
func ignoringEINTR(call func() (int, error)) (int, error) {
	for {
		n, err := call()
		if err != unix.EINTR {
			return n, err
		}
	}
}
