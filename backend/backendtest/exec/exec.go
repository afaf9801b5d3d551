//go:build linux && (amd64 || arm64)

package exec

import (
	"fmt"
	"sync"
	"syscall"
	"unsafe"
)

// State is what the assembly saves and loads.
type State struct {
	Int    [32]uint64    // general registers by number; StackPointer is the native stack pointer
	Float  [32][2]uint64 // vector registers
	Entry  uint64        // where native code goes on, if not on top of the stack
	Reason uint64        // why native code was left: number of a callout
	hostSP uint64
	hostBP uint64
	hostLR uint64
}

// Callouts numbers beyond those of the user.
const (
	returned = iota
	faulted
	firstCallout
)

// Fault is a fault of native code.
type Fault struct {
	PC     uint64
	Signal uint32
	Addr   uint64
}

const (
	stackSize = 1 << 20
	stubSize  = 64
)

// Code is executable memory: stubs for callouts and text behind them.
type Code struct {
	mem   []byte
	stubs int
}

// Load makes text executable. Before, the caller may patch it in fix, which is given the memory with everything, its address,
// where the text begins and where the stub of each callout is.
func Load(text []byte, callouts int, fix func(mem []byte, base uint64, start uint32, callout []uint32)) (*Code, error) {
	stubs := callouts + firstCallout
	start := (stubs*stubSize + 63) &^ 63
	size := (start + len(text) + 4095) &^ 4095
	mem, err := syscall.Mmap(-1, 0, size, syscall.PROT_READ|syscall.PROT_WRITE, syscall.MAP_PRIVATE|syscall.MAP_ANON)
	if err != nil {
		return nil, fmt.Errorf("code: %w", err)
	}
	c := &Code{mem: mem, stubs: stubs}
	var places []uint32
	for i := range stubs {
		writeStub(mem[i*stubSize:], uint64(i))
		if i >= firstCallout {
			places = append(places, uint32(i*stubSize))
		}
	}
	copy(mem[start:], text)
	if fix != nil {
		fix(mem, c.base(), uint32(start), places)
	}
	if err := syscall.Mprotect(mem, syscall.PROT_READ|syscall.PROT_EXEC); err != nil {
		return nil, fmt.Errorf("code: %w", err)
	}
	return c, nil
}

func (c *Code) base() uint64 { return uint64(uintptr(unsafe.Pointer(&c.mem[0]))) }

// Close unmaps the code.
func (c *Code) Close() { syscall.Munmap(c.mem) }

var (
	stack     []byte
	mutex     sync.Mutex
	codeLo    uint64 // of the code that runs
	codeHi    uint64
	faultStub uint64
	current   *State
	fault     Fault
	installed bool
)

// Call runs the code at entry with registers and stack arguments as given, and returns what
// is in the registers and in the argument area at the end. callout is called for each
// callout with the state, whose registers it changes to what the code finds on return, and the
// argument area.
func (c *Code) Call(entry uint64, s *State, args []uint64, callout func(n int, s *State, args []uint64) bool) (*Fault, error) {
	mutex.Lock()
	defer mutex.Unlock()
	if err := install(); err != nil {
		return nil, err
	}
	codeLo, codeHi = c.base(), c.base()+uint64(len(c.mem))
	faultStub = c.base() + faulted*stubSize
	top := (len(stack) - 8*len(args) - 64) &^ 15
	area := unsafe.Slice((*uint64)(unsafe.Pointer(&stack[top])), len(args))
	copy(area, args)
	s.begin(top, entry, c.base()+returned*stubSize)
	for {
		current = s
		enter(s)
		switch s.Reason {
		case returned:
			copy(args, area)
			return nil, nil
		case faulted:
			f := fault
			return &f, nil
		}
		sp := s.Int[StackPointer] - uint64(uintptr(unsafe.Pointer(&stack[0]))) + linkSize
		out := unsafe.Slice((*uint64)(unsafe.Pointer(&stack[sp])), (uint64(len(stack))-sp)/8)
		s.comeBack()
		if !callout(int(s.Reason)-firstCallout, s, out) {
			return nil, nil
		}
	}
}

// install puts the fault handler before Go's, keeping what else Go has asked for.
func install() error {
	if installed {
		return nil
	}
	var err error
	stack, err = syscall.Mmap(-1, 0, stackSize, syscall.PROT_READ|syscall.PROT_WRITE, syscall.MAP_PRIVATE|syscall.MAP_ANON)
	if err != nil {
		return fmt.Errorf("stack: %w", err)
	}
	for _, sig := range []syscall.Signal{syscall.SIGSEGV, syscall.SIGBUS, syscall.SIGFPE, syscall.SIGILL, syscall.SIGTRAP} {
		var act [4]uint64 // the kernel's sigaction: handler, flags, restorer, mask
		if err := sigaction(sig, nil, &act); err != nil {
			return err
		}
		next[sig] = act[0]
		act[0] = handlerAddr()
		if err := sigaction(sig, &act, nil); err != nil {
			return err
		}
	}
	installed = true
	return nil
}

// next has Go's handlers.
var next [32]uint64

func sigaction(sig syscall.Signal, act, old *[4]uint64) error {
	_, _, errno := syscall.RawSyscall6(syscall.SYS_RT_SIGACTION, uintptr(sig), uintptr(unsafe.Pointer(act)), uintptr(unsafe.Pointer(old)), 8, 0, 0)
	if errno != 0 {
		return fmt.Errorf("rt_sigaction(%v): %w", sig, errno)
	}
	return nil
}

// enter loads all registers, switches to the native stack and goes to native code.
func enter(s *State)

// leaveAddr and handlerAddr are addresses of assembly routines.
func leaveAddr() uint64
func handlerAddr() uint64
