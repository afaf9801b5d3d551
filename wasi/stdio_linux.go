package wasi

import (
	"fmt"
	"os"
	"strconv"
	"sync"

	"golang.org/x/sys/unix"
)

// addStream gives the guest a standard stream as descriptor n.
func (s *System) addStream(n int, stream *os.File) error {
	what := [...]string{"standard input", "standard output", "standard error"}[n]
	fd, err := streamFD(stream)
	if err != nil {
		return fmt.Errorf("%s: %w", what, err)
	}
	f := s.newFile()
	f.fd = fd
	var st unix.Stat_t
	if err := unix.Fstat(fd, &st); err != nil {
		unix.Close(fd)
		return fmt.Errorf("%s: %w", what, err)
	}
	f.filetype = filetypeOf(st.Mode)
	terminal := st.Mode&unix.S_IFMT == unix.S_IFCHR && isTerminal(fd)
	switch kind := st.Mode & unix.S_IFMT; {
	case stream == nil:
	case kind == unix.S_IFSOCK:
		f.mode = ioSocket
	case kind == unix.S_IFIFO || terminal:
		f.reopen()
	case kind == unix.S_IFCHR:
		f.mode = ioPolled
	}
	f.base = f.streamRights(n, terminal)
	return s.addOpened(f, what)
}

// streamFD is a descriptor of our own for a stream.
func streamFD(stream *os.File) (int, error) {
	if stream != nil {
		return dup(stream)
	}
	fd, err := devNull()
	if err != nil {
		return -1, err
	}
	return unix.FcntlInt(uintptr(fd), unix.F_DUPFD_CLOEXEC, 3)
}

// devNull is an open file that has no state.
var devNull = sync.OnceValues(func() (int, error) {
	return unix.Open(os.DevNull, unix.O_RDWR|unix.O_CLOEXEC, 0)
})

// dup duplicates a file's descriptor, without making it blocking as File.Fd does.
func dup(f *os.File) (int, error) {
	conn, err := f.SyscallConn()
	if err != nil {
		return -1, err
	}
	fd := -1
	var dupErr error
	err = conn.Control(func(h uintptr) {
		fd, dupErr = unix.FcntlInt(h, unix.F_DUPFD_CLOEXEC, 3)
	})
	if err == nil {
		err = dupErr
	}
	return fd, err
}

func isTerminal(fd int) bool {
	_, err := unix.IoctlGetTermios(fd, unix.TCGETS)
	return err == nil
}

// reopen replaces f, a pipe or terminal shared with other processes, by an open
// file description of our own, which can be non-blocking without their noticing.
// Where that is not allowed, f is polled before each transfer.
func (f *file) reopen() {
	f.mode = ioPolled
	flags, err := unix.FcntlInt(uintptr(f.fd), unix.F_GETFL, 0)
	if err != nil || isMaster(f.fd) {
		return
	}
	own, err := unix.Open("/proc/self/fd/"+strconv.Itoa(f.fd),
		flags&unix.O_ACCMODE|unix.O_NONBLOCK|unix.O_NOCTTY|unix.O_CLOEXEC, 0)
	if err != nil {
		return
	}
	unix.Close(f.fd)
	f.fd, f.mode = own, ioNonblock
}

// isMaster recognises the master side of a pseudoterminal: opening that again makes
// a new pair.
func isMaster(fd int) bool {
	_, err := unix.IoctlGetInt(fd, unix.TIOCGPTN)
	return err == nil
}

// streamRights are those of standard stream n. Guests take a character device that
// cannot seek for a terminal.
func (f *file) streamRights(n int, terminal bool) rights {
	r := rightsFile &^ rightFDRead
	if n == 0 {
		r = rightsFile &^ rightsChange
	}
	switch {
	case f.filetype == filetypeDirectory:
		r = rightsAny &^ rightsChange
	case f.isSocket():
		r &= rightsConnection
		r |= rightSockShutdown
	case terminal:
		r &^= rightFDSeek | rightFDTell
	}
	return r
}
