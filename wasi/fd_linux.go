package wasi

import (
	"math"

	"golang.org/x/sys/unix"

	"github.com/wasmaot/wasmaot/wasi/sandbox"
)

// advices are witx's, as posix_fadvise(2) has them.
var advices = [...]int{
	unix.FADV_NORMAL,
	unix.FADV_SEQUENTIAL,
	unix.FADV_RANDOM,
	unix.FADV_WILLNEED,
	unix.FADV_DONTNEED,
	unix.FADV_NOREUSE,
}

func (c *call) fdAdvise() Errno {
	offset, length, advice := c.n[0], c.n[1], c.n[2]
	if advice >= uint64(len(advices)) || offset > math.MaxInt64 || length > math.MaxInt64 {
		return EINVAL
	}
	if c.file[0].mounted != nil {
		return ESUCCESS
	}
	return errnoOf(unix.Fadvise(c.file[0].fd, int64(offset), int64(length), advices[advice]))
}

func (c *call) fdAllocate() Errno {
	offset, length := c.n[0], c.n[1]
	switch {
	case length == 0:
		return EINVAL
	case offset > math.MaxInt64 || length > math.MaxInt64-offset:
		return EFBIG
	}
	for {
		err := unix.Fallocate(c.file[0].fd, 0, int64(offset), int64(length))
		if err != unix.EINTR || c.ctx.Err() != nil {
			return errnoOf(err)
		}
	}
}

func (c *call) fdClose() Errno {
	n := uint32(c.n[0])
	if c.files.get(n) == nil {
		return EBADF
	}
	return closeFile(c.files.take(n))
}

// closeFile closes the host's file. It is gone whatever close says.
func closeFile(f *file) Errno {
	err := f.close()
	if err == unix.EINTR {
		return ESUCCESS
	}
	return errnoOf(err)
}

// fdRenumber moves a descriptor to a number in use.
func (c *call) fdRenumber() Errno {
	from, to := uint32(c.n[0]), uint32(c.n[1])
	if c.files.get(from) == nil || c.files.get(to) == nil {
		return EBADF
	}
	if from == to {
		return ESUCCESS
	}
	old := c.files.files[to]
	c.files.files[to] = c.files.take(from)
	closeFile(old) // what is lost here is lost with dup2(2) as well
	return ESUCCESS
}

func (c *call) fdSync() Errno     { return c.sync(unix.Fsync) }
func (c *call) fdDatasync() Errno { return c.sync(unix.Fdatasync) }

func (c *call) sync(how func(fd int) error) Errno {
	if c.file[0].mounted != nil { // nothing was written
		return ESUCCESS
	}
	return errnoOf(how(c.file[0].fd))
}

func (c *call) fdFdstatGet() Errno {
	f, b := c.file[0], c.out[0]
	clear(b)
	b[0] = uint8(f.filetype)
	le.PutUint16(b[2:], uint16(f.flags))
	le.PutUint64(b[8:], uint64(f.base))
	le.PutUint64(b[16:], uint64(f.inheriting))
	return ESUCCESS
}

// fdFdstatSetFlags needs no help of the kernel: writeFlags and transfer honour the
// flags of each file.
func (c *call) fdFdstatSetFlags() Errno {
	flags := c.n[0]
	if flags&^uint64(fdflagsAll) != 0 {
		return EINVAL
	}
	c.file[0].flags = fdflags(flags)
	c.files.changed = true
	return ESUCCESS
}

// knownRights are the bits that have a meaning. Go's guests and others set more.
const knownRights = rightSockAccept<<1 - 1

func (c *call) fdFdstatSetRights() Errno {
	f := c.file[0]
	base, inheriting := rights(c.n[0])&knownRights, rights(c.n[1])&knownRights
	if base&^f.base != 0 || inheriting&^f.inheriting != 0 {
		return ENOTCAPABLE
	}
	f.base, f.inheriting = base, inheriting
	c.files.changed = true
	return ESUCCESS
}

func (c *call) fdFilestatGet() Errno {
	if v := c.file[0].mounted; v != nil {
		return c.fstatMounted(v)
	}
	var st unix.Stat_t
	if err := unix.Fstat(c.file[0].fd, &st); err != nil {
		return errnoOf(err)
	}
	return c.putFilestat(&st, c.file[0].filetype)
}

// putFilestat stores a file's status. Times before 1970 are two's complement, and
// so are those that fd_filestat_set_times takes.
func (c *call) putFilestat(st *unix.Stat_t, t filetype) Errno {
	b := c.out[0]
	clear(b)
	le.PutUint64(b, st.Dev)
	le.PutUint64(b[8:], st.Ino)
	b[16] = uint8(t)
	le.PutUint64(b[24:], uint64(st.Nlink))
	le.PutUint64(b[32:], uint64(st.Size))
	le.PutUint64(b[40:], uint64(st.Atim.Nano()))
	le.PutUint64(b[48:], uint64(st.Mtim.Nano()))
	le.PutUint64(b[56:], uint64(st.Ctim.Nano()))
	return ESUCCESS
}

func (c *call) fdFilestatSetSize() Errno {
	size := c.n[0]
	if size > math.MaxInt64 {
		return EINVAL
	}
	for {
		err := unix.Ftruncate(c.file[0].fd, int64(size))
		if err != unix.EINTR {
			return errnoOf(err)
		}
	}
}

// fstflags of the functions that set times.
const (
	fstAtim = 1 << iota
	fstAtimNow
	fstMtim
	fstMtimNow
	fstAll = fstAtim | fstAtimNow | fstMtim | fstMtimNow
)

func (c *call) fdFilestatSetTimes() Errno {
	times, errno := timespecs(c.n[0], c.n[1], c.n[2])
	if errno != 0 {
		return errno
	}
	return errnoOf(sandbox.SetTimes(c.file[0].fd, times))
}

// timespecs translates access and modification time for utimensat(2).
func timespecs(atim, mtim, flags uint64) (times [2]unix.Timespec, errno Errno) {
	if flags&^fstAll != 0 {
		return times, EINVAL
	}
	if times[0], errno = timespec(atim, flags&fstAtim != 0, flags&fstAtimNow != 0); errno != 0 {
		return times, errno
	}
	times[1], errno = timespec(mtim, flags&fstMtim != 0, flags&fstMtimNow != 0)
	return times, errno
}

func timespec(ns uint64, set, now bool) (unix.Timespec, Errno) {
	switch {
	case set && now:
		return unix.Timespec{}, EINVAL
	case now:
		return unix.Timespec{Nsec: unix.UTIME_NOW}, ESUCCESS
	case set:
		return unix.NsecToTimespec(int64(ns)), ESUCCESS
	}
	return unix.Timespec{Nsec: unix.UTIME_OMIT}, ESUCCESS
}

// fdPrestatGet answers EBADF for what is no preopened directory: guests count up
// until then. A preopened socket must not end their count.
func (c *call) fdPrestatGet() Errno {
	f := c.file[0]
	switch {
	case f.isSocket():
		return ENOTDIR
	case !f.preopen:
		return EBADF
	}
	clear(c.out[0]) // tag 0: a directory
	le.PutUint32(c.out[0][4:], uint32(len(f.name)))
	return ESUCCESS
}

func (c *call) fdPrestatDirName() Errno {
	f := c.file[0]
	switch {
	case f.isSocket():
		return ENOTDIR
	case !f.preopen:
		return EBADF
	case len(c.buf) < len(f.name):
		return ENAMETOOLONG
	}
	copy(c.buf, f.name)
	return ESUCCESS
}

// fdSeek: asking for the position is seeking by 0 from it, and needs fd_tell only.
func (c *call) fdSeek() Errno {
	offset, whence := int64(c.n[0]), c.n[1]
	if whence > unix.SEEK_END {
		return EINVAL
	}
	if offset != 0 || whence != unix.SEEK_CUR {
		if errno := c.file[0].require(rightFDSeek); errno != 0 {
			return errno
		}
	}
	return c.seek(offset, int(whence))
}

func (c *call) fdTell() Errno { return c.seek(0, unix.SEEK_CUR) }

func (c *call) seek(offset int64, whence int) Errno {
	if v := c.file[0].mounted; v != nil {
		return c.seekMounted(v, offset, whence)
	}
	at, err := unix.Seek(c.file[0].fd, offset, whence)
	if err != nil {
		return errnoOf(err)
	}
	return c.put64(0, uint64(at))
}
