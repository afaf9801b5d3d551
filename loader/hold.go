package loader

import "sync/atomic"

// An instance keeps the native stack of its last call: the next call then needs two atomic operations in all, one to take the stack and one to put it back.
// Which of them is there also tells Close whether a call is in progress. Other calls, nested ones and those on other goroutines, are counted in
// Instance.state and take their stack from the pool.
//
// Instance.own is nil, such a stack, or one of these:
var (
	busyStack    = new(nativeStack) // it is in use
	evictedStack = new(nativeStack) // it is in use, and is to be given to the pool
	endedStack   = new(nativeStack) // the instance is closed
)

// holders are the instances that keep a stack; a new one takes the oldest's place.
var holders struct {
	next atomic.Uint32
	list [maxHolders]atomic.Pointer[Instance]
}

const maxHolders = 64

// acquire gives a stack for a call.
func (i *Instance) acquire() (*nativeStack, error) {
	if s := i.own.Load(); s != nil && s.e != nil && i.own.CompareAndSwap(s, busyStack) {
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
	s.inst = i
	return s, nil
}

// release ends a call.
func (i *Instance) release(s *nativeStack) {
	s.ctx, s.err, s.watched = nil, nil, false
	if s.owned {
		if !s.deep() && i.own.CompareAndSwap(busyStack, s) {
			return
		}
		s.owned = false
		counted := !i.own.CompareAndSwap(busyStack, nil) && !i.own.CompareAndSwap(evictedStack, nil)
		s.put()
		if counted { // by Close
			i.end()
		}
		return
	}
	if !i.keep(s) {
		s.put()
	}
	i.end()
}

// keep makes s, of a call in progress, the instance's own stack if it has none.
func (i *Instance) keep(s *nativeStack) bool {
	if i.own.Load() != nil || s.deep() {
		return false
	}
	k := holders.next.Add(1) % maxHolders
	if old := holders.list[k].Swap(i); old != nil && old != i {
		old.evict()
	}
	s.owned = true
	if i.own.CompareAndSwap(nil, s) {
		return true
	}
	s.owned = false
	return false
}

// evict takes the instance's own stack away.
func (i *Instance) evict() {
	for {
		s := i.own.Load()
		switch {
		case s == busyStack:
			if i.own.CompareAndSwap(s, evictedStack) {
				return
			}
		case s == nil || s.e == nil:
			return
		case i.own.CompareAndSwap(s, nil):
			s.owned = false
			s.put()
			return
		}
	}
}

// endHold is evict at the end of the instance, after which it keeps no stack. A call in progress is counted from now on.
func (i *Instance) endHold() {
	switch s := i.own.Swap(endedStack); s {
	case nil, endedStack:
		return
	case busyStack, evictedStack:
		i.state.Add(1)
	default:
		s.owned = false
		s.put()
	}
	for k := range holders.list {
		holders.list[k].CompareAndSwap(i, nil)
	}
}

// holding reports whether the instance's own stack is in use.
func (i *Instance) holding() bool {
	s := i.own.Load()
	return s == busyStack || s == evictedStack
}
