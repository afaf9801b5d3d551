package loader

import (
	"slices"
	"sync/atomic"
)

// An instance keeps a native stack, and the goroutine that calls it keeps the right to use that: nativeStack.owner is its g. While it does, a
// call takes and gives back the stack with plain stores, in assembly (enter): an atomic operation costs as much as all else in a call.
//
//	enter: owner is this goroutine, busy is 0; busy = 1; is the stack still the instance's? If not, busy = 0 and settle
//	…
//	enter: busy = 0; is the stack still the instance's? If not, settle
//
// The processor may look before its store is seen by others. So who takes the stack away from another goroutine replaces Instance.own, then asks
// the kernel to make every thread of the process pass a barrier, and only then looks at busy: either it sees the store, or the owner sees that the stack
// is gone. A call that is in progress then is counted in Instance.state instead, as all others are: nested ones and those of other goroutines,
// which take their stacks from the pool.
//
// A handle that was taken away is never used again, because its former owner may still be about to look at it: the stack gets a new one.
//
// Where goroutines take turns keeping the right does not pay. After it was taken away the stack is owned during calls only, by one atomic
// operation, until the same goroutine has come patience times in a row.

// What is in Instance.own where there is no stack; they are no goroutine's.
var (
	noStack    = &nativeStack{owner: ^uintptr(0)}
	endedStack = &nativeStack{owner: ^uintptr(0)} // the instance is closed
)

// nativeStack.busy.
const (
	stackIdle  = 0
	stackEnter = 1 // used by a call that enter gives back
	stackCall  = 2 // used by a call that callOn gives back
)

const (
	keepAfter     = 4  // calls from the pool after which an instance gets a stack
	takeAfter     = 16 // calls from the pool while another goroutine has the stack: about the cost of taking it away
	firstPatience = 64
	maxPatience   = 1 << 14
)

// holders are the instances that keep a stack; a new one takes the oldest's place.
var holders struct {
	next atomic.Uint32
	list [maxHolders]atomic.Pointer[Instance]
}

const maxHolders = 1024

// acquire gives a stack for a call.
func (i *Instance) acquire() (*nativeStack, error) {
	if s := i.claim(); s != nil {
		return s, nil
	}
	if !i.begin() {
		return nil, ErrClosed
	}
	s, err := i.stacks.get()
	if err != nil {
		i.end()
		return nil, err
	}
	s.inst, s.owner, s.busy = i, goroutine(), stackCall
	return s, nil
}

// claim gives the instance's own stack if it is idle and no other goroutine's.
func (i *Instance) claim() *nativeStack {
	s, g := i.own.Load(), goroutine()
	if owner := atomic.LoadUintptr(&s.owner); owner != g && (owner != 0 || !atomic.CompareAndSwapUintptr(&s.owner, 0, g)) {
		return nil
	}
	if atomic.LoadUint32(&s.busy) != stackIdle {
		return nil
	}
	atomic.StoreUint32(&s.busy, stackCall)
	if i.own.Load() != s {
		atomic.StoreUint32(&s.busy, stackIdle)
		i.settle(s)
		return nil
	}
	return s
}

// release ends a call that has the stack.
func (i *Instance) release(s *nativeStack) {
	s.err = nil
	s.endCall()
	if !s.owned {
		if !i.keep(s) {
			s.put()
		}
		i.end()
		return
	}
	if s.deep() && s.trim() != nil {
		i.evict() // leaves it to settle, which tells the pool
	}
	s.setSpecial()
	atomic.StoreUint32(&s.busy, stackIdle)
	if !s.sticky {
		atomic.StoreUintptr(&s.owner, 0)
	}
	if i.own.Load() != s {
		i.settle(s)
	}
}

// settle ends a call that found its stack taken away, at its end or at its beginning: who took it may have seen the mark of a call that then
// did not come about.
func (i *Instance) settle(s *nativeStack) {
	i.mu.Lock()
	k := slices.Index(i.lost, s)
	if k >= 0 {
		i.lost = slices.Delete(i.lost, k, k+1)
	}
	i.mu.Unlock()
	if k >= 0 {
		s.again().put()
		i.end()
	}
}

// keep makes s, from the pool and of a call that ends, the instance's own stack if it has none and is called often enough.
func (i *Instance) keep(s *nativeStack) bool {
	own := i.own.Load()
	n := i.pooled.Add(1)
	switch {
	case own == endedStack || own == noStack && n < keepAfter || own != noStack && n < takeAfter || s.deep() || !barriers():
		return false
	case own != noStack:
		i.pooled.Store(0)
		if atomic.LoadUintptr(&own.owner) == goroutine() {
			return false // a nested call
		}
		i.mu.Lock()
		i.patience = min(max(2*i.patience, firstPatience), maxPatience)
		if old := i.take(noStack); old != nil {
			old.put()
		}
		i.mu.Unlock()
	}
	k := holders.next.Add(1) % maxHolders
	if old := holders.list[k].Swap(i); old != nil && old != i {
		old.evict()
	}
	i.mu.Lock()
	defer i.mu.Unlock()
	if i.own.Load() != noStack {
		return false
	}
	i.holder = k
	s.inst, s.owned, s.patience, s.sticky = i, true, i.patience, i.patience == 0
	s.left = s.patience
	s.setSpecial()
	if !s.sticky {
		s.owner = 0
	}
	s.busy = stackIdle
	i.own.Store(s)
	return true
}

// take puts next in the place of the instance's own stack and gives that if it is idle. A call in progress gives it to the pool at its end. Called
// with i.mu.
func (i *Instance) take(next *nativeStack) *nativeStack {
	s := i.own.Load()
	if s == noStack || s == endedStack {
		return nil
	}
	i.own.Store(next)
	// Without an owner the next one finds the stack replaced: it becomes the owner by an atomic operation.
	if owner := atomic.LoadUintptr(&s.owner); owner != 0 && owner != goroutine() {
		barrier()
	}
	if atomic.LoadUint32(&s.busy) == stackIdle {
		return s.again()
	}
	i.lost = append(i.lost, s)
	i.state.Add(1)
	return nil
}

// evict takes the instance's own stack away for others.
func (i *Instance) evict() {
	i.mu.Lock()
	s := i.take(noStack)
	i.mu.Unlock()
	if s != nil {
		s.put()
	}
}

// endHold is evict at the end of the instance, after which it keeps no stack. Called with i.mu.
func (i *Instance) endHold() {
	s := i.take(endedStack)
	i.own.Store(endedStack)
	if s == nil {
		return
	}
	s.put()
	holders.list[i.holder].CompareAndSwap(i, nil)
}

// disown lets the goroutine that has the instance's own stack leave it to the next one.
func (i *Instance) disown() {
	if s := i.own.Load(); atomic.LoadUintptr(&s.owner) == goroutine() && atomic.LoadUint32(&s.busy) == stackIdle {
		s.unwatch() // what was done for its last user
		atomic.StoreUintptr(&s.owner, 0)
	}
}

// holding reports whether the instance's own stack is in use.
func (i *Instance) holding() bool {
	return atomic.LoadUint32(&i.own.Load().busy) != stackIdle
}

// setSpecial tells enter whether the stack's owner stays and nothing is to be done for the context. The signal handler may set the mark again.
func (s *nativeStack) setSpecial() {
	s.e.special = 0
	if !s.sticky || s.watched {
		s.e.special = 1
	}
}

// again is a new handle of the stack, which is idle, for others to use.
func (s *nativeStack) again() *nativeStack {
	s.unwatch()
	return &nativeStack{e: s.e, region: s.region, pool: s.pool, ctx: background, free: identity(background)}
}
