package exec

import (
	"encoding/binary"
	"fmt"
	"sync"
	"syscall"
	"unsafe"
)

// State is what the assembly saves and loads.
type State struct {
	Int    [16]uint64    // general registers by number; rsp is the native stack pointer
	Float  [16][2]uint64 // vector registers
	Reason uint64        // why native code was left: number of a callout
	hostSP uint64
	hostBP uint64
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
	stubSize  = 32
)

// Code is executable memory: stubs for callouts and text behind them.
type Code struct {
	mem   []byte
	stubs int
}

// Load makes text executable. Before, the caller may patch it in fix, which is given the addresses of
// the text and of the stub of each callout.
func Load(text []byte, callouts int, fix func(text []byte, base uint64, callout []uint64)) (*Code, error) {
	stubs := callouts + firstCallout
	start := (stubs*stubSize + 63) &^ 63
	size := (start + len(text) + 4095) &^ 4095
	mem, err := syscall.Mmap(-1, 0, size, syscall.PROT_READ|syscall.PROT_WRITE, syscall.MAP_PRIVATE|syscall.MAP_ANON)
	if err != nil {
		return nil, fmt.Errorf("code: %w", err)
	}
	c := &Code{mem: mem, stubs: stubs}
	var addrs []uint64
	for i := range stubs {
		stub := mem[i*stubSize:]
		copy(stub, []byte{0x49, 0xbb}) // mov r11, i
		binary.LittleEndian.PutUint64(stub[2:], uint64(i))
		copy(stub[10:], []byte{0xff, 0x25, 0, 0, 0, 0}) // jmp [rip+0]
		binary.LittleEndian.PutUint64(stub[16:], leaveAddr())
		if i >= firstCallout {
			addrs = append(addrs, c.base()+uint64(i*stubSize))
		}
	}
	copy(mem[start:], text)
	if fix != nil {
		fix(mem[start:start+len(text)], c.base()+uint64(start), addrs)
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
	top := len(stack) - 8*len(args)&^15 - 64
	area := unsafe.Slice((*uint64)(unsafe.Pointer(&stack[top])), len(args))
	copy(area, args)
	binary.LittleEndian.PutUint64(stack[top-8:], c.base()+returned*stubSize)
	binary.LittleEndian.PutUint64(stack[top-16:], entry)
	s.Int[4] = uint64(uintptr(unsafe.Pointer(&stack[top-16])))
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
		sp := s.Int[4] - uint64(uintptr(unsafe.Pointer(&stack[0])))
		out := unsafe.Slice((*uint64)(unsafe.Pointer(&stack[sp+8])), (uint64(len(stack))-sp-8)/8)
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

// enter loads all registers, switches to the native stack and returns to the address on its top.
func enter(s *State)

// leaveAddr and handlerAddr are addresses of assembly routines.
func leaveAddr() uint64
func handlerAddr() uint64
