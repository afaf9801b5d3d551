package loader

import (
	"context"
	"fmt"
	"sync"
	"sync/atomic"
	"unsafe"

	"github.com/wasmaot/wasmaot/loader/vmem"
)

// A native stack is the upper part of a window of addresses aligned to its own size:
//
//	window                 limit             committed                exec       window+windowSize
//	| guard, never mapped  | mapped on demand | readable and writable | exec     |
//
// The handler maps the part above limit when it is first touched; below it is the
// guard. The guard is larger than any frame, so that code needs no probes.
const (
	windowSize       = 1 << 30
	execSize         = 8192
	minGuard         = 64 << 20
	initialStack     = 1 << 20 // committed from the start
	minStackSize     = 64 << 10
	DefaultStackSize = 512 << 20             // bytes of a native stack if Config.StackSize is 0
	MaxStackSize     = windowSize - minGuard // bound of Config.StackSize
)

// Why native code leaves for Go. enter returns on reasonDone and calls dispatch on the others.
const (
	reasonDone    = 0
	reasonHost    = 1 // a call of a host function or builtin
	reasonTrap    = 2 // a fault
	reasonPreempt = 3 // SIGURG
	reasonDemand  = 4 // a call of a function that is not compiled
)

// Signal numbers in exec.signal.
const (
	sigTRAP = 5
	sigBUS  = 7
	sigSEGV = 11
)

// exec is the state of the crossing between Go and guest at the top of a native stack. Assembly and stubs know
// its fields by their offsets. It holds no pointers into Go's memory but goSP and buffer, which are set
// anew each time the goroutine enters native code.
type exec struct {
	goSP     uint64 // of enter or run, with the return address pushed
	goPC     uint64 // where that expects native code to return
	nativeSP uint64 // of an exit stub that has left for Go,
	resume   uint64 // and where it goes on
	buffer   uint64 // slots of the call: the caller's, on Go's stack perhaps, so set anew like goSP

	desc  uint64 // of a host call: FuncDesc,
	vmctx uint64 // context register; its parameters are above nativeSP: see exitSlots

	limit     uint64 // lowest usable address
	committed uint64 // lowest mapped address
	shallow   uint64 // committed after no deep recursion

	guestState           // registers at a fault or preemption
	signal, fault uint64 // signal number and fault address

	thread    uint32        // id of the thread that was last known to run this
	native    uint32        // 0 while in a host function
	cancelled atomic.Uint32 // the context may have ended: see watch
	special   uint32        // a call may have been deep, or is watched, or the stack's owner does not stay: enter has more to do at its end

	_       [vectorsOffset - 112 - unsafe.Sizeof(guestState{})]byte
	vectors [execSize - vectorsOffset]byte // vector registers at a preemption
}

const vectorsOffset = 512 // a multiple of 64

// The exec fills its pages exactly.
var _ = [1]struct{}{}[unsafe.Sizeof(exec{})-execSize]

// switchStubs is the addresses of the stubs that change stacks.
type switchStubs struct {
	again, trap, preempt, restore uint64
}

var stubs switchStubs

func (e *exec) addr() uint64   { return uint64(uintptr(unsafe.Pointer(e))) }
func (e *exec) window() uint64 { return e.addr() &^ (windowSize - 1) }

// nativeStack is a native stack and the call that it serves.
type nativeStack struct {
	e      *exec
	region *vmem.Region
	pool   *stackPool

	inst    *Instance       // that was called
	ctx     context.Context // of the call; between calls the one that enter takes,
	free    [2]uintptr      // and its identity, if it cannot end
	watched bool            // ctx can end, and watcher watches it
	watcher *watch          // of this call, or left by an earlier one
	under   uint32          // 1 during a call with watched
	lastCtx [2]uintptr      // identity of the last call's context
	err     error           // how the call ended
	guarded uint32          // host calls by firstHostCalls in this call

	// See hold.go.
	owner, last    uintptr // goroutine that may use it, that used it last
	busy           uint32
	patience, left uint32 // calls of one goroutine in a row until it is sticky
	owned          bool   // inst keeps it
	sticky         bool   // its owner stays between calls
}

var background = context.Background()

func newNativeStack(pool *stackPool) (*nativeStack, error) {
	r, err := vmem.Reserve(windowSize, windowSize)
	if err != nil {
		return nil, fmt.Errorf("native stack: %w", err)
	}
	committed := min(pool.size, initialStack) + execSize
	if err := r.Commit(windowSize-committed, committed); err != nil {
		r.Release()
		return nil, fmt.Errorf("native stack: %w", err)
	}
	e := (*exec)(pointer(r.Base() + windowSize - execSize))
	e.limit = e.addr() - pool.size
	e.committed = r.Base() + windowSize - committed
	e.shallow = e.committed
	return &nativeStack{e: e, region: r, pool: pool, ctx: background, free: identity(background)}, nil
}

// deep reports whether a deep recursion has left memory behind.
func (s *nativeStack) deep() bool { return s.e.committed < s.e.shallow }

// trim gives the memory of a deep recursion back.
func (s *nativeStack) trim() error {
	e := s.e
	off, n := e.committed-s.region.Base(), e.shallow-e.committed
	if err := s.region.Guard(off, n); err != nil {
		return err
	}
	e.committed = e.shallow
	return s.region.Reset(off, n)
}

// stackPool keeps idle native stacks of one size.
type stackPool struct {
	size uint64
	// Idle stacks are first looked for in the slot that the goroutine's own stack address selects,
	// so that goroutines do not contend for the lock.
	slots [poolSlots]struct {
		idle atomic.Pointer[nativeStack]
		_    [56]byte
	}
	mu   sync.Mutex
	idle []*nativeStack
}

const (
	poolSlots = 32
	poolIdle  = 32 // most that are kept besides the slots
)

var stackPools struct {
	mu     sync.Mutex
	bySize map[uint64]*stackPool
}

// poolFor is the pool for a Config.StackSize.
func poolFor(size uint64) (*stackPool, error) {
	if size == 0 {
		size = DefaultStackSize
	}
	if size > MaxStackSize {
		return nil, fmt.Errorf("native stack of %d bytes: expected at most %d", size, uint64(MaxStackSize))
	}
	size = vmem.PageUp(max(size, minStackSize))
	stackPools.mu.Lock()
	defer stackPools.mu.Unlock()
	p := stackPools.bySize[size]
	if p == nil {
		if stackPools.bySize == nil {
			stackPools.bySize = map[uint64]*stackPool{}
		}
		p = &stackPool{size: size}
		stackPools.bySize[size] = p
	}
	return p, nil
}

func (p *stackPool) get() (*nativeStack, error) {
	var here byte
	i := uintptr(unsafe.Pointer(&here)) >> 11 % poolSlots
	if s := p.slots[i].idle.Swap(nil); s != nil {
		return s, nil
	}
	p.mu.Lock()
	if n := len(p.idle); n > 0 {
		s := p.idle[n-1]
		p.idle = p.idle[:n-1]
		p.mu.Unlock()
		return s, nil
	}
	p.mu.Unlock()
	s, err := newNativeStack(p)
	if err != nil {
		reclaimStacks()
		s, err = newNativeStack(p)
	}
	return s, err
}

// reclaimStacks gives the addresses of all idle stacks back.
func reclaimStacks() {
	for k := range holders.list {
		if i := holders.list[k].Load(); i != nil {
			i.evict()
		}
	}
	stackPools.mu.Lock()
	defer stackPools.mu.Unlock()
	for _, p := range stackPools.bySize {
		p.mu.Lock()
		for _, s := range p.idle {
			s.region.Release()
		}
		p.idle = nil
		p.mu.Unlock()
		for k := range p.slots {
			if s := p.slots[k].idle.Swap(nil); s != nil {
				s.region.Release()
			}
		}
	}
}

func (s *nativeStack) put() {
	p := s.pool
	s.unwatch()
	s.inst, s.err = nil, nil
	s.owner, s.busy = 0, stackIdle
	if s.deep() && s.trim() != nil {
		s.region.Release()
		return
	}
	var here byte
	i := uintptr(unsafe.Pointer(&here)) >> 11 % poolSlots
	if p.slots[i].idle.CompareAndSwap(nil, s) {
		return
	}
	p.mu.Lock()
	if len(p.idle) < poolIdle {
		p.idle = append(p.idle, s)
		p.mu.Unlock()
		return
	}
	p.mu.Unlock()
	s.region.Release()
}

// pointer makes an address outside Go's heap, or of something that is kept alive otherwise, a pointer.
func pointer(addr uint64) unsafe.Pointer {
	a := uintptr(addr)
	return *(*unsafe.Pointer)(unsafe.Pointer(&a))
}
