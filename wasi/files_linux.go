package wasi

import (
	"golang.org/x/sys/unix"
)

// A file is an open descriptor of the guest.
type file struct {
	fd         int      // the host's; ours to close
	mounted    *mounted // in place of fd, below a mount
	filetype   filetype
	mode       ioMode
	flags      fdflags
	base       rights
	inheriting rights // of files opened below
	readOnly   bool   // below a read-only directory
	preopen    bool
	name       string  // of a preopened directory
	dirPos     uint64  // directories: the cookie that the kernel's position stands for
	socket     *socket // of one that the guest opened itself, and what it accepted
	pollSlot   int     // 1 + index in the poll in progress, 0 = none
	rooted     bool    // "/" of the guest and of the host
}

func (f *file) close() error {
	if f.mounted != nil {
		return f.mounted.close()
	}
	return unix.Close(f.fd)
}

// ioMode is how reading and writing wait.
type ioMode uint8

const (
	// ioDirect never waits for anybody: regular files, directories.
	ioDirect ioMode = iota
	// ioNonblock has an open file description of our own with O_NONBLOCK.
	ioNonblock
	// ioPolled shares its open file description with other processes, whose
	// blocking mode is not ours to change: every transfer is preceded by a poll.
	ioPolled
	// ioSocket takes MSG_DONTWAIT with each transfer.
	ioSocket
)

// require checks rights. The errno is what a POSIX system would say.
func (f *file) require(r rights) Errno {
	have := f.base
	if have&rightFDSeek != 0 {
		have |= rightFDTell // witx: fd_seek includes fd_tell
	}
	missing := r &^ have
	switch {
	case missing == 0:
		return ESUCCESS
	case missing&rightsSocket != 0 && !f.isSocket():
		return ENOTSOCK
	case missing&rightsContent != 0 && f.filetype == filetypeDirectory:
		return EISDIR
	case missing&rightsPath != 0 && f.filetype != filetypeDirectory:
		return ENOTDIR
	case missing&(rightFDRead|rightFDWrite) != 0:
		return EBADF
	case missing&(rightFDSeek|rightFDTell) != 0 && (f.isSocket() || f.filetype == filetypeCharacterDevice):
		return ESPIPE
	case missing&rightsChange != 0 && f.readOnly:
		return EROFS
	}
	return ENOTCAPABLE
}

func (f *file) isSocket() bool {
	return f.mode == ioSocket
}

// filetypeOf translates st_mode. witx has no FIFO.
func filetypeOf(mode uint32) filetype {
	switch mode & unix.S_IFMT {
	case unix.S_IFREG:
		return filetypeRegularFile
	case unix.S_IFDIR:
		return filetypeDirectory
	case unix.S_IFLNK:
		return filetypeSymbolicLink
	case unix.S_IFCHR:
		return filetypeCharacterDevice
	case unix.S_IFBLK:
		return filetypeBlockDevice
	case unix.S_IFSOCK:
		return filetypeSocketStream
	}
	return filetypeUnknown
}

// fileTable maps the guest's numbers to files. New ones get the lowest free
// number.
type fileTable struct {
	files []*file
	free  int // nothing below is free
	count int
	max   int

	changed bool // since System.open
}

func (t *fileTable) get(n uint32) *file {
	if uint64(n) < uint64(len(t.files)) {
		return t.files[n]
	}
	return nil
}

func (t *fileTable) full() bool { return t.count >= t.max }

// add takes the file over; the caller has checked full.
func (t *fileTable) add(f *file) uint32 {
	n := t.free
	for n < len(t.files) && t.files[n] != nil {
		n++
	}
	if n == len(t.files) {
		t.files = append(t.files, nil)
	}
	t.files[n] = f
	t.changed = true
	t.free = n + 1
	t.count++
	return uint32(n)
}

// take removes the file at n, which is there.
func (t *fileTable) take(n uint32) *file {
	f := t.files[n]
	t.changed = true
	t.files[n] = nil
	t.free = min(t.free, int(n))
	t.count--
	return f
}
