package sandbox

import (
	"strings"

	"golang.org/x/sys/unix"
)

// maxLinks is the number of symbolic links in one path that the kernel follows
// (MAXSYMLINKS).
const maxLinks = 40

// maxDepth bounds the descriptors that one walk holds.
const maxDepth = 512

// A walk is a path being resolved component by component. It holds each directory
// on the way open, so that ".." goes back to where the walk came from, even if
// directories are moved meanwhile.
type walk struct {
	root   int
	rooted bool  // root is the guest's "/": see Rooted
	dirs   []int // below root
	links  int   // symbolic links followed
}

// openWalk opens path below dir without openat2.
func openWalk(dir int, path string, flags int, mode uint32) (int, error) {
	return (&walk{root: dir}).open(path, flags, mode)
}

// openWalkRooted is openWalk for Rooted.
func openWalkRooted(dir int, path string, flags int, mode uint32) (int, error) {
	return (&walk{root: dir, rooted: true}).open(path, flags, mode)
}

func (w *walk) open(path string, flags int, mode uint32) (int, error) {
	defer w.close()
	rest := path
	for {
		name, more, slash := cut(rest)
		last := more == ""
		switch {
		case last && slash && flags&unix.O_CREAT != 0 && !isDots(name):
			return -1, unix.EISDIR
		case last && !slash && !isDots(name):
			fd, target, err := w.final(name, flags, mode)
			if target == "" {
				return fd, err
			}
			rest = target
			continue
		}
		target, err := w.enter(name)
		switch {
		case err != nil:
			return -1, err
		case target == "" && last:
			return w.openHere(flags)
		case target == "":
			rest = more
		case last:
			rest = target + "/"
		default:
			rest = target + "/" + more
		}
	}
}

// cut takes the first component off a path. more is the path after it without
// leading slashes; slash tells whether one followed the component.
func cut(path string) (name, more string, slash bool) {
	name, more, slash = strings.Cut(path, "/")
	return name, strings.TrimLeft(more, "/"), slash
}

func isDots(name string) bool { return name == "." || name == ".." }

func (w *walk) here() int {
	if n := len(w.dirs); n > 0 {
		return w.dirs[n-1]
	}
	return w.root
}

// enter goes into the directory name. If name is a symbolic link, it stays and
// returns the link's target.
func (w *walk) enter(name string) (target string, err error) {
	switch name {
	case ".":
		return "", nil
	case "..":
		n := len(w.dirs)
		switch {
		case n == 0 && w.rooted:
			return "", nil
		case n == 0:
			return "", ErrEscape
		}
		unix.Close(w.dirs[n-1])
		w.dirs = w.dirs[:n-1]
		return "", nil
	}
	if len(w.dirs) == maxDepth {
		return "", unix.ENAMETOOLONG
	}
	fd, kind, err := openPath(w.here(), name)
	if err != nil {
		return "", err
	}
	switch kind {
	case unix.S_IFDIR:
		w.dirs = append(w.dirs, fd)
		return "", nil
	case unix.S_IFLNK:
		defer unix.Close(fd)
		return w.readlink(fd, "")
	}
	unix.Close(fd)
	return "", unix.ENOTDIR
}

// final opens the last component, a name. If it is a symbolic link to be followed,
// it returns the target instead.
func (w *walk) final(name string, flags int, mode uint32) (fd int, target string, err error) {
	follow := flags&unix.O_NOFOLLOW == 0
	if flags&unix.O_PATH != 0 {
		return w.finalPath(name, flags, follow)
	}
	fd, err = ignoringEINTR(func() (int, error) {
		return unix.Openat(w.here(), name, flags|unix.O_NOFOLLOW, mode)
	})
	// A symbolic link gives ELOOP, with O_DIRECTORY ENOTDIR.
	if follow && (err == unix.ELOOP || err == unix.ENOTDIR) {
		target, lerr := w.readlink(w.here(), name)
		if lerr != unix.EINVAL { // EINVAL: no symbolic link (any more)
			return -1, target, lerr
		}
	}
	return fd, "", err
}

func (w *walk) finalPath(name string, flags int, follow bool) (fd int, target string, err error) {
	fd, kind, err := openPath(w.here(), name)
	switch {
	case err != nil:
		return -1, "", err
	case kind == unix.S_IFLNK && follow:
		defer unix.Close(fd)
		target, err = w.readlink(fd, "")
		return -1, target, err
	case kind != unix.S_IFDIR && flags&unix.O_DIRECTORY != 0:
		unix.Close(fd)
		return -1, "", unix.ENOTDIR
	}
	return fd, "", nil
}

// openHere opens the directory that the walk has come to.
func (w *walk) openHere(flags int) (int, error) {
	if flags&unix.O_CREAT != 0 {
		if flags&unix.O_EXCL != 0 {
			return -1, unix.EEXIST
		}
		return -1, unix.EISDIR
	}
	return ignoringEINTR(func() (int, error) {
		return unix.Openat(w.here(), ".", flags&^unix.O_NOFOLLOW|unix.O_DIRECTORY, 0)
	})
}

// readlink reads the symbolic link name in dir, or dir itself if name is empty,
// and counts it.
func (w *walk) readlink(dir int, name string) (string, error) {
	var buf [pathMax]byte
	n, err := unix.Readlinkat(dir, name, buf[:])
	if err != nil {
		return "", err
	}
	if w.links++; w.links > maxLinks {
		return "", unix.ELOOP
	}
	switch {
	case n == 0:
		return "", unix.ENOENT
	case n == len(buf):
		return "", unix.ENAMETOOLONG
	case buf[0] != '/':
		return string(buf[:n]), nil
	case !w.rooted:
		return "", ErrEscape
	}
	w.close()
	w.dirs = w.dirs[:0]
	return "./" + strings.TrimLeft(string(buf[:n]), "/"), nil
}

func (w *walk) close() {
	for _, fd := range w.dirs {
		unix.Close(fd)
	}
}

// openPath opens one name for its identity only and returns its type (S_IFMT).
// It never follows a symbolic link.
func openPath(dir int, name string) (fd int, kind uint32, err error) {
	fd, err = ignoringEINTR(func() (int, error) {
		return unix.Openat(dir, name, unix.O_PATH|unix.O_NOFOLLOW|unix.O_CLOEXEC, 0)
	})
	if err != nil {
		return -1, 0, err
	}
	var st unix.Stat_t
	if err := unix.Fstat(fd, &st); err != nil {
		unix.Close(fd)
		return -1, 0, err
	}
	return fd, st.Mode & unix.S_IFMT, nil
}
