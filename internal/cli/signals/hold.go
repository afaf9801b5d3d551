//go:build linux && (amd64 || arm64)

package signals

import (
	"sync/atomic"
	"syscall"
	"unsafe"
)

// noted is the last signal that the handler has seen.
var noted uint32

// note is the handler: it keeps to the kernel's convention, not Go's.
func note()

// noteAddr is the address of note itself, not of the wrapper that a func value would give.
func noteAddr() uintptr

// action is the kernel's structure (rt_sigaction(2)).
type action struct{ handler, flags, restorer, mask uint64 }

var old [len(held)]action

// Hold begins to keep the signals. It reports whether it could; then Release must follow.
func Hold() bool {
	for i, sig := range held {
		if sigaction(sig, nil, &old[i]) != nil {
			undo()
			return false
		}
		if old[i].handler <= 1 { // SIG_DFL, SIG_IGN: not a handler of Go's runtime
			continue
		}
		mine := old[i]
		mine.handler = uint64(noteAddr())
		if sigaction(sig, &mine, nil) != nil {
			undo()
			return false
		}
	}
	return true
}

// Release puts the handlers of Go's runtime back and gives the last signal that came meanwhile, 0 if there was none. Whoever wants the next ones
// has called signal.Notify before.
func Release() syscall.Signal {
	undo()
	return syscall.Signal(atomic.LoadUint32(&noted))
}

func undo() {
	for i, sig := range held {
		if old[i].handler > 1 {
			sigaction(sig, &old[i], nil) // it worked the other way
		}
	}
}

func sigaction(sig syscall.Signal, act, old *action) error {
	_, _, errno := syscall.RawSyscall6(syscall.SYS_RT_SIGACTION, uintptr(sig), uintptr(unsafe.Pointer(act)), uintptr(unsafe.Pointer(old)), 8, 0, 0)
	if errno != 0 {
		return errno
	}
	return nil
}
