package wasi

import (
	"unsafe"

	"golang.org/x/sys/unix"
)

// systemRandom reads the kernel's random numbers (getrandom(2)). Package crypto/rand is more than a run needs: it starts a timer on its first
// read, and with it the poller and a thread.
type systemRandom struct{ asked bool }

func (r *systemRandom) Read(b []byte) (n int, err error) {
	for n < len(b) && err == nil {
		var k int
		k, err = r.get(b[n:])
		n += k
		if err == unix.EINTR {
			err = nil
		}
	}
	return n, err
}

// get asks by a system call the first time. The vDSO is much faster, but takes mappings and page faults for its
// state: nothing for guests that want a seed and no more.
func (r *systemRandom) get(b []byte) (int, error) {
	if r.asked {
		return unix.Getrandom(b, 0)
	}
	r.asked = true
	n, _, errno := unix.Syscall(unix.SYS_GETRANDOM, uintptr(unsafe.Pointer(&b[0])), uintptr(len(b)), 0)
	if errno != 0 {
		return 0, errno
	}
	return int(n), nil
}
