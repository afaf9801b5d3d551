package wasi

import (
	"fmt"
	"os"

	"golang.org/x/sys/unix"
)

// Flags of sock_recv (riflags, roflags) and directions of sock_shutdown (sdflags).
const (
	recvPeek      = 1
	recvWaitall   = 2
	recvTruncated = 1

	shutRead  = 1
	shutWrite = 2
)

// shutdowns are the values of shutdown(2) by sdflags.
var shutdowns = [...]int{
	shutRead:             unix.SHUT_RD,
	shutWrite:            unix.SHUT_WR,
	shutRead | shutWrite: unix.SHUT_RDWR,
}

// addListener gives the guest a listening socket. It does not block: Go's os.NewFile leaves
// a blocking descriptor out of its poller, and one goroutine's accept would then stop all.
func (s *System) addListener(l *os.File) error {
	fd, err := dup(l)
	if err != nil {
		return fmt.Errorf("listener %s: %w", l.Name(), err)
	}
	listening, err := unix.GetsockoptInt(fd, unix.SOL_SOCKET, unix.SO_ACCEPTCONN)
	if err == nil && listening == 0 {
		err = unix.EINVAL
	}
	if err == nil {
		// accept4 has no flag for a single call, unlike recvmsg.
		err = unix.SetNonblock(fd, true)
	}
	if err != nil {
		unix.Close(fd)
		return fmt.Errorf("listener %s: expected a listening socket: %w", l.Name(), err)
	}
	return s.addOpened(&file{
		fd:         fd,
		filetype:   filetypeSocketStream,
		mode:       ioSocket,
		flags:      fdflagNonblock,
		base:       rightsListener,
		inheriting: rightsConnection,
	}, "listener "+l.Name())
}

func (c *call) sockAccept() Errno {
	f, flags := c.file[0], c.n[0]
	if flags&^uint64(fdflagNonblock) != 0 {
		return EINVAL
	}
	if c.files.full() {
		return EMFILE
	}
	for {
		fd, _, err := unix.Accept4(f.fd, unix.SOCK_CLOEXEC|unix.SOCK_NONBLOCK)
		switch {
		case err == nil:
			if f.socket == nil {
				sendAtOnce(fd) // one that the guest opened hands it down, unless the guest changed it
			}
			return c.put32(0, c.files.add(&file{
				socket:   f.socket.accepted(),
				fd:       fd,
				filetype: filetypeSocketStream,
				mode:     ioSocket,
				flags:    fdflags(flags),
				base:     rightsConnection & f.inheriting,
			}))
		case err == unix.EINTR:
		case err == unix.EAGAIN && f.flags&fdflagNonblock == 0:
			if errno := c.waitFile(f, unix.POLLIN); errno != 0 {
				return errno
			}
		default:
			return errnoOf(err)
		}
	}
}

// sendAtOnce has small writes not held back, as Go's native net package asks for; a guest of plain wasip1 cannot.
// Other sockets than TCP's have no such delay, and refuse.
func sendAtOnce(fd int) error { return unix.SetsockoptInt(fd, unix.IPPROTO_TCP, unix.TCP_NODELAY, 1) }

// accepted is what a connection inherits.
func (s *socket) accepted() *socket {
	if s == nil {
		return nil
	}
	return &socket{family: s.family, bound: true, local: s.local}
}

func (c *call) sockRecv() Errno {
	f, flags := c.file[0], c.n[0]
	if !f.isSocket() {
		return ENOTSOCK
	}
	if flags&^uint64(recvPeek|recvWaitall) != 0 {
		return EINVAL
	}
	peek, all := flags&recvPeek != 0, flags&recvWaitall != 0
	if peek && all {
		return ENOTSUP // a wait for more without taking what is there
	}
	once := readOnce
	if peek {
		once = func(f *file, b [][]byte) (int, error) { return receive(f, b, unix.MSG_PEEK) }
	}
	errno := c.stored(c.transfer(f, unix.POLLIN, all, once))
	if errno == 0 {
		c.put16(1, 0) // recvTruncated concerns datagrams only
	}
	return errno
}

func (c *call) sockSend() Errno {
	f := c.file[0]
	switch {
	case !f.isSocket():
		return ENOTSOCK
	case c.n[0] != 0: // siflags has no members
		return EINVAL
	}
	return c.stored(c.transfer(f, unix.POLLOUT, true, writeOnce))
}

func (c *call) sockShutdown() Errno {
	how := c.n[0]
	if how == 0 || how >= uint64(len(shutdowns)) {
		return EINVAL
	}
	return errnoOf(unix.Shutdown(c.file[0].fd, shutdowns[how]))
}

func receive(f *file, b [][]byte, flags int) (int, error) {
	n, _, _, _, err := unix.RecvmsgBuffers(f.fd, b, nil, flags|unix.MSG_DONTWAIT)
	return n, err
}

func send(f *file, b [][]byte) (int, error) {
	return unix.SendmsgBuffers(f.fd, b, nil, nil, unix.MSG_DONTWAIT|unix.MSG_NOSIGNAL)
}
