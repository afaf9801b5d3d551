//go:build amd64 || arm64

package loader

import (
	"context"
	"errors"
	"fmt"
	"os"
	"strconv"
	"sync"
	"syscall"
	"unsafe"

	"golang.org/x/sys/unix"

	"github.com/wasmaot/wasmaot/compiler/abi"
	"github.com/wasmaot/wasmaot/compiler/artifact"
	"github.com/wasmaot/wasmaot/internal/lazy"
	"github.com/wasmaot/wasmaot/loader/vmem"
)

// Sizes in the one region that holds all machine code: rel32 reaches everything, and the signal
// handler knows code by its address.
const (
	codeSpace = 1 << 30
	stubSpace = 16 << 20 // at its start: the code that changes stacks, then stubs of types
)

var (
	stubArena, textArena *vmem.Arena

	startOnce sync.Once
	startErr  error
)

// start prepares the process for native code once.
func start() error {
	startOnce.Do(func() { startErr = startPlatform() })
	return startErr
}

func startPlatform() error {
	region, err := vmem.Reserve(codeSpace, vmem.PageSize)
	if err != nil {
		return fmt.Errorf("code arena: %w", err)
	}
	if stubArena, err = vmem.NewArena(region, 0, stubSpace); err != nil {
		return err
	}
	if textArena, err = vmem.NewArena(region, stubSpace, codeSpace-stubSpace); err != nil {
		return err
	}
	switching.code, switching.at = switchCode()
	n := uint64(len(switching.code))
	handled.stubLo, handled.stubSize = stubArena.Base()+n, stubArena.Size()-n
	handled.textLo, handled.textSize = textArena.Base(), textArena.Size()
	return installHandlers()
}

// placeText maps the text where it lies page-aligned in a file.
func placeText(a *artifact.Artifact) (uint64, error) {
	if s := a.Source; s != nil && uint64(s.Text)%vmem.PageSize == 0 {
		return textArena.PlaceFile(s.FD, s.Text, uint64(len(a.Text)))
	}
	return textArena.Place(a.Text)
}

func freeText(addr uint64) error { return textArena.Free(addr) }

// appendText gives a place for code that comes bit by bit.
func appendText() *vmem.Appender { return textArena.NewAppender() }

// switching is the code that changes stacks, until it is placed.
var switching struct {
	mu    sync.Mutex
	code  []byte
	at    switchStubs // offsets there
	first uint64      // stubs in the same pages
}

// placeStub places stubs: the first ones, which come before all native code, behind the code that changes stacks. Making pages executable costs more than
// what is put there.
func placeStub(code []byte) (uint64, error) {
	s := &switching
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.code == nil {
		return stubArena.Place(code)
	}
	base, err := stubArena.Place(append(s.code, code...))
	if err != nil {
		return 0, err
	}
	stubs = switchStubs{again: base + s.at.again, trap: base + s.at.trap, preempt: base + s.at.preempt, restore: base + s.at.restore}
	s.first, s.code = base+uint64(len(s.code)), nil
	return s.first, nil
}

// freeStub gives the pages of stubs back, but the first.
func freeStub(addr uint64) error {
	switching.mu.Lock()
	first := switching.first
	switching.mu.Unlock()
	if addr == first {
		return nil
	}
	return stubArena.Free(addr)
}

// isStub reports whether an address is in a stub of a type.
func isStub(addr uint64) bool { return addr-handled.stubLo < handled.stubSize }

// run runs a guest's function: the type's entry stub calls it with the slots. It returns when the guest is done, or hostCall or dispatch
// say that the call ends.
//
//go:noescape
func run(s *nativeStack, desc, entry uint64, slots *uint64) (done bool)

// enter is Func.Call. It runs the function on a stack that it takes and gives back as hold.go says, or leaves the call to entered.
func enter(f *Func, ctx context.Context, slots *uint64, n int) (err error)

// goroutine is the address of the calling goroutine's g: an identity as long as it lives.
func goroutine() uintptr

// Commands of membarrier(2).
const (
	membarrierPrivate  = 1 << 3 // MEMBARRIER_CMD_PRIVATE_EXPEDITED
	membarrierRegister = 1 << 4 // MEMBARRIER_CMD_REGISTER_PRIVATE_EXPEDITED
)

// barriers reports whether barrier can be used. Asking the kernel to have it takes milliseconds once.
func barriers() bool {
	return barriersOnce.Get(func() bool {
		return membarrier(membarrierRegister) == 0
	})
}

var barriersOnce lazy.Value[bool]

// barrier makes every thread of the process pass a full memory barrier.
func barrier() {
	if errno := membarrier(membarrierPrivate); errno != 0 {
		panic(fmt.Sprintf("wasmaot: membarrier, which could be used before: %v", errno))
	}
}

func membarrier(cmd uintptr) syscall.Errno {
	_, _, errno := unix.Syscall(unix.SYS_MEMBARRIER, cmd, 0, 0)
	return errno
}

// crash ends the process with a goroutine trace.
// callDirect calls fn as DIRECT does.
func callDirect(fn SharedHostFunc, ctx context.Context, caller *Instance, stack []uint64, f *Func) error

func crash()

func sigHandler()

// sigHandlerAddr is the address of sigHandler itself, not of the wrapper that a func value would give.
func sigHandlerAddr() uint64

// handlerState is what the signal handler knows.
type handlerState struct {
	textLo, textSize uint64     // functions' bodies
	stubLo, stubSize uint64     // stubs of types, which are behind the code that changes stacks
	old              [65]uint64 // handlers to hand over to, by signal
}

// For assembly.
const (
	ctxFaults   = abi.CtxFaults
	ctxInstance = abi.CtxInstance
	stackGuard  = 16 // offset in g of what functions compare their stack pointer with
)

var handled handlerState

var foreignFault = "wasmaot: fault in compiled code at an address outside the guest's memory: this is a bug in the compiler\n"

var caughtSignals = [...]syscall.Signal{
	syscall.SIGSEGV, syscall.SIGBUS, syscall.SIGFPE, syscall.SIGILL, syscall.SIGTRAP, syscall.SIGURG,
}

// sigaction is the kernel's structure (rt_sigaction(2)).
type sigaction struct {
	handler, flags, restorer, mask uint64
}

// installHandlers replaces the handlers of Go's runtime, keeping its flags and masks: signal stack, all signals blocked. A signal that is
// ignored stays ignored: a host that ignores SIGURG has chosen to do without preemption.
func installHandlers() error {
	ours := sigHandlerAddr()
	for _, sig := range caughtSignals {
		var a sigaction
		if err := rtSigaction(sig, nil, &a); err != nil {
			return fmt.Errorf("reading the handler of %v: %w", sig, err)
		}
		if a.handler <= 1 { // SIG_DFL, SIG_IGN
			continue
		}
		handled.old[sig] = a.handler
		a.handler = ours
		if err := rtSigaction(sig, &a, nil); err != nil {
			return fmt.Errorf("setting the handler of %v: %w", sig, err)
		}
	}
	return nil
}

func rtSigaction(sig syscall.Signal, act, old *sigaction) error {
	_, _, errno := unix.RawSyscall6(unix.SYS_RT_SIGACTION, uintptr(sig),
		uintptr(unsafe.Pointer(act)), uintptr(unsafe.Pointer(old)), 8, 0, 0)
	if errno != 0 {
		return errno
	}
	return nil
}

// threadID is the id of the calling thread, which the goroutine may leave any time.
func threadID() uint32 { return uint32(unix.Gettid()) }

// interruptThread makes native code that runs on a thread leave for Go. Go code does not notice.
func interruptThread(id uint32) error {
	return unix.Tgkill(os.Getpid(), int(id), unix.SIGURG)
}

// interruptThreads does so for all threads.
func interruptThreads() error {
	dir, err := os.Open("/proc/self/task")
	if err != nil {
		return err
	}
	defer dir.Close()
	names, err := dir.Readdirnames(-1)
	if err != nil {
		return err
	}
	for _, name := range names {
		// A thread may be gone by now.
		if id, err := strconv.Atoi(name); err == nil {
			if err := interruptThread(uint32(id)); err != nil && !errors.Is(err, unix.ESRCH) {
				return err
			}
		}
	}
	return nil
}
