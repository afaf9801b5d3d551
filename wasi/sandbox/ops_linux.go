package sandbox

import (
	"strconv"
	"strings"

	"golang.org/x/sys/unix"
)

// A place is the directory that a path's last component is in, and the component:
// a single name, without slashes.
type place struct {
	dir   int
	name  string
	slash bool // the path had a trailing slash
	owned bool // dir was opened for this place
}

// locate resolves all of path but its last component.
func (w *Walker) locate(dir int, path string) (place, error) {
	if err := checkPath(path); err != nil {
		return place{}, err
	}
	trimmed := strings.TrimRight(path, "/")
	p := place{dir: dir, name: trimmed, slash: len(trimmed) < len(path)}
	i := strings.LastIndexByte(trimmed, '/')
	if i < 0 {
		return p, nil
	}
	fd, err := w.open(dir, trimmed[:i], unix.O_PATH|unix.O_DIRECTORY|unix.O_CLOEXEC, 0)
	if err != nil {
		return place{}, err
	}
	p.dir, p.name, p.owned = fd, trimmed[i+1:], true
	return p, nil
}

func (p *place) close() {
	if p.owned {
		unix.Close(p.dir)
	}
}

// lstat is the status of the entry itself.
func (p *place) lstat() (st unix.Stat_t, err error) {
	if p.name == ".." {
		return st, ErrEscape // callers resolve ".." by walking
	}
	err = unix.Fstatat(p.dir, p.name, &st, unix.AT_SYMLINK_NOFOLLOW)
	return st, err
}

// isFree is nil if a new entry other than a directory can be made here.
func (p *place) isFree() error {
	if isDots(p.name) {
		return unix.EEXIST
	}
	if !p.slash {
		return nil // the kernel checks
	}
	if _, err := p.lstat(); err != nil {
		return err
	}
	return unix.EEXIST
}

// Mkdir creates a directory.
func (w *Walker) Mkdir(dir int, path string, mode uint32) error {
	p, err := w.locate(dir, path)
	if err != nil {
		return err
	}
	defer p.close()
	if isDots(p.name) {
		return unix.EEXIST
	}
	return unix.Mkdirat(p.dir, p.name, mode)
}

// Rmdir removes an empty directory.
func (w *Walker) Rmdir(dir int, path string) error {
	p, err := w.locate(dir, path)
	if err != nil {
		return err
	}
	defer p.close()
	switch p.name {
	case ".":
		return unix.EINVAL
	case "..":
		return unix.ENOTEMPTY
	}
	return unix.Unlinkat(p.dir, p.name, unix.AT_REMOVEDIR)
}

// Unlink removes an entry that is no directory.
func (w *Walker) Unlink(dir int, path string) error {
	p, err := w.locate(dir, path)
	if err != nil {
		return err
	}
	defer p.close()
	if isDots(p.name) {
		return unix.EISDIR
	}
	if p.slash {
		st, err := p.lstat()
		switch {
		case err != nil:
			return err
		case st.Mode&unix.S_IFMT == unix.S_IFDIR:
			return unix.EISDIR
		}
		return unix.ENOTDIR
	}
	return unix.Unlinkat(p.dir, p.name, 0)
}

// Rename moves an entry. A trailing slash on either path demands a directory.
func (w *Walker) Rename(oldDir int, oldPath string, newDir int, newPath string) error {
	from, err := w.locate(oldDir, oldPath)
	if err != nil {
		return err
	}
	defer from.close()
	to, err := w.locate(newDir, newPath)
	if err != nil {
		return err
	}
	defer to.close()
	if isDots(from.name) || isDots(to.name) {
		return unix.EBUSY
	}
	if from.slash || to.slash {
		st, err := from.lstat()
		if err != nil {
			return err
		}
		if st.Mode&unix.S_IFMT != unix.S_IFDIR {
			return unix.ENOTDIR
		}
	}
	return unix.Renameat(from.dir, from.name, to.dir, to.name)
}

// Symlink creates a symbolic link to target, which must be relative unless the walker is rooted.
func (w *Walker) Symlink(target string, dir int, path string) error {
	if strings.HasPrefix(target, "/") && !w.rooted {
		return ErrEscape
	}
	p, err := w.locate(dir, path)
	if err != nil {
		return err
	}
	defer p.close()
	if err := p.isFree(); err != nil {
		return err
	}
	return unix.Symlinkat(target, p.dir, p.name)
}

// Link creates a hard link. If follow is set and the old path is a symbolic link,
// its target is linked.
func (w *Walker) Link(oldDir int, oldPath string, follow bool, newDir int, newPath string) error {
	to, err := w.locate(newDir, newPath)
	if err != nil {
		return err
	}
	defer to.close()
	if err := to.isFree(); err != nil {
		return err
	}
	from, err := w.locate(oldDir, oldPath)
	if err != nil {
		return err
	}
	defer from.close()
	if !follow && !from.slash && !isDots(from.name) {
		return unix.Linkat(from.dir, from.name, to.dir, to.name, 0)
	}
	fd, err := w.open(oldDir, oldPath, unix.O_PATH|unix.O_CLOEXEC, 0)
	if err != nil {
		return err
	}
	defer unix.Close(fd)
	// AT_EMPTY_PATH needs a capability, this does not (open(2), on O_TMPFILE).
	return unix.Linkat(unix.AT_FDCWD, procPath(fd), to.dir, to.name, unix.AT_SYMLINK_FOLLOW)
}

// Readlink returns the target of a symbolic link.
func (w *Walker) Readlink(dir int, path string) (string, error) {
	p, err := w.locate(dir, path)
	if err != nil {
		return "", err
	}
	defer p.close()
	if p.slash || isDots(p.name) {
		fd, err := w.open(dir, path, unix.O_PATH|unix.O_DIRECTORY|unix.O_CLOEXEC, 0)
		if err != nil {
			return "", err
		}
		unix.Close(fd)
		return "", unix.EINVAL // a directory
	}
	var buf [pathMax]byte
	n, err := unix.Readlinkat(p.dir, p.name, buf[:])
	if err != nil {
		return "", err
	}
	return string(buf[:n]), nil
}

// Stat returns the status of a file, or, unless follow is set, of a symbolic link
// itself.
func (w *Walker) Stat(dir int, path string, follow bool) (st unix.Stat_t, err error) {
	p, err := w.locate(dir, path)
	if err != nil {
		return st, err
	}
	defer p.close()
	if !p.slash && p.name != ".." {
		st, err = p.lstat()
		if err != nil || !follow || st.Mode&unix.S_IFMT != unix.S_IFLNK {
			return st, err
		}
	}
	fd, err := w.open(dir, path, unix.O_PATH|unix.O_CLOEXEC, 0)
	if err != nil {
		return st, err
	}
	defer unix.Close(fd)
	err = unix.Fstat(fd, &st)
	return st, err
}

// SetTimes sets access and modification time, unless follow is set also of a
// symbolic link itself.
func (w *Walker) SetTimes(dir int, path string, follow bool, times [2]unix.Timespec) error {
	p, err := w.locate(dir, path)
	if err != nil {
		return err
	}
	defer p.close()
	if !follow && !p.slash && p.name != ".." {
		return unix.UtimesNanoAt(p.dir, p.name, times[:], unix.AT_SYMLINK_NOFOLLOW)
	}
	fd, err := w.open(dir, path, unix.O_PATH|unix.O_CLOEXEC, 0)
	if err != nil {
		return err
	}
	defer unix.Close(fd)
	return SetTimes(fd, times)
}

// SetTimes sets access and modification time of an open file, which may be one
// opened with O_PATH.
func SetTimes(fd int, times [2]unix.Timespec) error {
	err := unix.UtimesNanoAt(fd, "", times[:], unix.AT_EMPTY_PATH)
	if err == unix.EINVAL { // the flag came with Linux 5.8
		err = unix.UtimesNanoAt(unix.AT_FDCWD, procPath(fd), times[:], 0)
	}
	return err
}

// procPath names an open file for calls that take only paths.
func procPath(fd int) string { return "/proc/self/fd/" + strconv.Itoa(fd) }
