package wasi

import (
	"golang.org/x/sys/unix"

	"github.com/wasmaot/wasmaot/wasi/sandbox"
)

// lookupFollow is the only lookup flag.
const lookupFollow = 1

const (
	oflagCreat = 1 << iota
	oflagDirectory
	oflagExcl
	oflagTrunc
	oflagsAll = oflagCreat | oflagDirectory | oflagExcl | oflagTrunc
)

// Modes of what is created; the host's umask applies. Guests have no say in them.
const (
	fileMode      = 0o666
	directoryMode = 0o777
)

// follow decodes lookup flags.
func follow(flags uint64) (bool, Errno) {
	if flags&^lookupFollow != 0 {
		return false, EINVAL
	}
	return flags&lookupFollow != 0, ESUCCESS
}

// An openRequest is path_open's arguments.
type openRequest struct {
	follow           bool
	oflags           uint64
	base, inheriting rights
	fdflags          fdflags
}

func (c *call) pathOpen() Errno {
	r := openRequest{
		oflags:     c.n[1],
		base:       rights(c.n[2]) & knownRights,
		inheriting: rights(c.n[3]) & knownRights,
		fdflags:    fdflags(c.n[4]),
	}
	var errno Errno
	if r.follow, errno = follow(c.n[0]); errno != 0 {
		return errno
	}
	if r.oflags&^oflagsAll != 0 || c.n[4]&^uint64(fdflagsAll) != 0 {
		return EINVAL
	}
	if r.oflags&oflagDirectory != 0 && r.oflags != oflagDirectory {
		return EINVAL // what Linux 6.4 made of it, and wasmtime
	}
	dir := c.file[0]
	if errno := r.check(dir); errno != 0 {
		return errno
	}
	if c.files.full() {
		return EMFILE
	}
	f, errno := c.openBelow(dir, c.path[0], &r)
	if errno != 0 {
		return errno
	}
	return c.put32(0, c.files.add(f))
}

// check refuses a request that goes beyond the directory's rights. Requested rights
// that do not decide how the file is opened are merely not granted: guests ask for
// all they know of.
func (r *openRequest) check(dir *file) Errno {
	if missing := r.base & (rightFDRead | rightFDWrite) &^ dir.inheriting; missing != 0 {
		if missing&rightFDWrite != 0 && dir.readOnly {
			return EROFS
		}
		return ENOTCAPABLE
	}
	if r.oflags&oflagCreat != 0 {
		if errno := dir.require(rightPathCreateFile); errno != 0 {
			return errno
		}
	}
	// Who may write the file and set its size can truncate it anyway. Go opens
	// directories without the right to truncate in them.
	const truncating = rightFDWrite | rightFDFilestatSetSize
	if r.oflags&oflagTrunc != 0 && r.base&dir.inheriting&truncating != truncating {
		return dir.require(rightPathFilestatSetSize)
	}
	return ESUCCESS
}

// hostFlags are the flags of open(2). O_NONBLOCK keeps opening devices and FIFOs
// from blocking. O_APPEND and O_SYNC come with each write.
func (r *openRequest) hostFlags() int {
	flags := unix.O_NONBLOCK | unix.O_NOCTTY
	switch read, write := r.base&(rightFDRead|rightFDReaddir) != 0, r.base&rightFDWrite != 0; {
	case write && read:
		flags |= unix.O_RDWR
	case write:
		flags |= unix.O_WRONLY
	}
	if !r.follow {
		flags |= unix.O_NOFOLLOW
	}
	for _, m := range [...]struct {
		guest uint64
		host  int
	}{
		{oflagCreat, unix.O_CREAT},
		{oflagDirectory, unix.O_DIRECTORY},
		{oflagExcl, unix.O_EXCL},
		{oflagTrunc, unix.O_TRUNC},
	} {
		if r.oflags&m.guest != 0 {
			flags |= m.host
		}
	}
	return flags
}

// openBelow opens a path and grants what the request, the directory and the kind of
// file have in common.
func (c *call) openBelow(dir *file, path string, r *openRequest) (*file, Errno) {
	if dir.mounted != nil {
		return c.openMounted(dir, path, r)
	}
	flags := r.hostFlags()
	fd, err := c.walkerOf(dir).Open(dir.fd, path, flags, fileMode)
	if err != nil {
		return nil, errnoOf(err)
	}
	var st unix.Stat_t
	err = unix.Fstat(fd, &st)
	if err == nil {
		err = sandbox.CheckFile(fd, &st, flags&unix.O_ACCMODE != unix.O_RDONLY)
	}
	if err != nil {
		unix.Close(fd)
		return nil, errnoOf(err)
	}
	f := &file{fd: fd, filetype: filetypeOf(st.Mode)}
	f.grant(dir, r)
	switch st.Mode & unix.S_IFMT {
	case unix.S_IFIFO:
		f.mode = ioPolled // a read waits for the first writer, as open(2) would have
	case unix.S_IFCHR:
		f.mode = ioNonblock
	}
	return f, ESUCCESS
}

// grant gives the file what its directory and the request allow.
func (f *file) grant(dir *file, r *openRequest) {
	f.flags, f.readOnly = r.fdflags, dir.readOnly
	f.base, f.inheriting = r.base&dir.inheriting, r.inheriting&dir.inheriting
	if f.filetype == filetypeDirectory {
		f.base &= rightsDirectory
	} else {
		f.base &= rightsFile
		f.inheriting = 0
	}
}

func (c *call) pathCreateDirectory() Errno {
	return errnoOf(c.walkerOf(c.file[0]).Mkdir(c.file[0].fd, c.path[0], directoryMode))
}

func (c *call) pathRemoveDirectory() Errno {
	return errnoOf(c.walkerOf(c.file[0]).Rmdir(c.file[0].fd, c.path[0]))
}

func (c *call) pathUnlinkFile() Errno {
	return errnoOf(c.walkerOf(c.file[0]).Unlink(c.file[0].fd, c.path[0]))
}

func (c *call) pathRename() Errno {
	return errnoOf(c.walkerOf(c.file...).Rename(c.file[0].fd, c.path[0], c.file[1].fd, c.path[1]))
}

// walkerOf is the walker for paths below directories.
func (s *System) walkerOf(dirs ...*file) *sandbox.Walker {
	for _, d := range dirs {
		if !d.rooted {
			return s.walker(false)
		}
	}
	return s.walker(true)
}

func (s *System) walker(rooted bool) *sandbox.Walker {
	w, open := &s.walkers[0], sandbox.New
	if rooted {
		w, open = &s.walkers[1], sandbox.Rooted
	}
	if *w == nil {
		*w = open()
	}
	return *w
}

func (c *call) pathSymlink() Errno {
	return errnoOf(c.walkerOf(c.file[0]).Symlink(c.path[0], c.file[0].fd, c.path[1]))
}

func (c *call) pathLink() Errno {
	follow, errno := follow(c.n[0])
	if errno != 0 {
		return errno
	}
	return errnoOf(c.walkerOf(c.file...).Link(c.file[0].fd, c.path[0], follow, c.file[1].fd, c.path[1]))
}

// pathReadlink truncates, as readlink(2).
func (c *call) pathReadlink() Errno {
	if v := c.file[0].mounted; v != nil {
		return c.readlinkMounted(v, c.path[0])
	}
	target, err := c.walkerOf(c.file[0]).Readlink(c.file[0].fd, c.path[0])
	if err != nil {
		return errnoOf(err)
	}
	return c.put32(0, uint32(copy(c.buf, target)))
}

func (c *call) pathFilestatGet() Errno {
	follow, errno := follow(c.n[0])
	if errno != 0 {
		return errno
	}
	if v := c.file[0].mounted; v != nil {
		return c.statMounted(v, c.path[0], follow)
	}
	st, err := c.walkerOf(c.file[0]).Stat(c.file[0].fd, c.path[0], follow)
	if err != nil {
		return errnoOf(err)
	}
	return c.putFilestat(&st, filetypeOf(st.Mode))
}

func (c *call) pathFilestatSetTimes() Errno {
	follow, errno := follow(c.n[0])
	if errno != 0 {
		return errno
	}
	times, errno := timespecs(c.n[1], c.n[2], c.n[3])
	if errno != 0 {
		return errno
	}
	return errnoOf(c.walkerOf(c.file[0]).SetTimes(c.file[0].fd, c.path[0], follow, times))
}
