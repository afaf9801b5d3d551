package loader

import (
	"context"
	"sync"
	"sync/atomic"
	"time"
	"unsafe"
)

// watch stops a call when its context ends.
//
// It sets cancelled, then sends SIGURG to the thread that runs the guest, if that is known from a preemption, or to all. Native code leaves for dispatch, which asks
// the context. The goroutine may have moved to another thread, or be in a stub, where the signal does
// nothing, so it tries all threads until the call ends or is found in a host function. When that returns
// cancelled is looked at. native is set with a plain store before: that may become visible after the
// look, but not as late as the next round here. cancelled is no more than a hint, to ask the context: it may have been set for a call before.
//
// To watch a context costs more than a call. When two calls in a row have the same context its watch stays, and enter takes further calls with it, as with the background. It
// sets under, and then looks whether the context's channel is closed, without an atomic operation; the watch, when that is, has the kernel make every thread pass a barrier, and then
// looks at under. Either enter sees the end, or the watch sees the call.
type watch struct {
	ctx  context.Context
	s    *nativeStack
	done <-chan struct{} // the context's
	stop func() bool

	mu sync.Mutex
	e  *exec // nil when the stack has another watch, or none
}

// Pauses between attempts.
const (
	firstPause = 50 * time.Microsecond
	lastPause  = 10 * time.Millisecond
)

// begin makes the context that of the stack's call, unless it has ended.
func (s *nativeStack) begin(ctx context.Context) bool {
	done := ctx.Done()
	if done != nil && ctx.Err() != nil {
		s.ctx, s.watched = background, false
		return false
	}
	s.ctx, s.watched = ctx, done != nil
	s.e.native = 1 // a new exec's is 0
	if done == nil {
		return true
	}
	s.e.thread = 0
	if w := s.watcher; w == nil || identity(w.ctx) != identity(ctx) {
		s.stopWatch()
		w = &watch{ctx: ctx, done: done, s: s, e: s.e}
		s.watcher = w
		w.stop = context.AfterFunc(ctx, w.interrupt)
	}
	atomic.StoreUint32(&s.under, 1)
	return ctx.Err() == nil
}

// endCall ends what begin began. Context and watch stay for the next call if the last one had them, too.
func (s *nativeStack) endCall() {
	atomic.StoreUint32(&s.under, 0)
	s.e.native = 1
	id := identity(s.ctx)
	if s.lastCtx != id || s.watched && !closedKnown {
		if s.watched {
			s.stopWatch()
		}
		s.ctx, s.watched = background, false
	}
	s.lastCtx = id
	s.free = identity(s.ctx)
	if s.watched {
		s.free = noContext
	}
}

// chanClosed is the offset of a mark in a channel that it is closed, and closedKnown whether it is there: Go may change that.
const chanClosed = 28

var closedKnown = func() bool {
	c := make(chan struct{})
	mark := (*uint32)(unsafe.Add(*(*unsafe.Pointer)(unsafe.Pointer(&c)), chanClosed))
	before := *mark
	close(c)
	return before == 0 && *mark == 1
}()

// noContext is no context's identity.
var noContext = [2]uintptr{1}

// ended reports whether the call's context has ended.
func (s *nativeStack) ended() bool {
	s.e.cancelled.Store(0) // first: it may be set right after the look
	return s.watched && s.ctx.Err() != nil
}

// unwatch gives back what calls have left. It returns when the exec is no longer touched.
func (s *nativeStack) unwatch() {
	s.stopWatch()
	s.ctx, s.watched, s.lastCtx, s.free = background, false, noContext, identity(background)
}

func (s *nativeStack) stopWatch() {
	if w := s.watcher; w != nil {
		w.stop()
		w.mu.Lock()
		w.e = nil
		w.mu.Unlock()
		s.watcher = nil
	}
}

// identity tells contexts apart as long as they are in use. Comparing them may panic.
func identity(ctx context.Context) [2]uintptr { return *(*[2]uintptr)(unsafe.Pointer(&ctx)) }

func (w *watch) interrupt() {
	if barriers() { // else enter has no stack
		barrier()
	}
	first := true
	for pause := firstPause; w.attempt(first); pause = min(2*pause, lastPause) {
		first = false
		time.Sleep(pause)
	}
}

// attempt reports whether another one is needed. A signal that cannot be sent is as one that was lost.
func (w *watch) attempt(first bool) bool {
	w.mu.Lock()
	defer w.mu.Unlock()
	e := w.e
	if e == nil || atomic.LoadUint32(&w.s.under) == 0 {
		return false
	}
	e.cancelled.Store(1)
	switch inHost := atomic.LoadUint32(&e.native) == 0; {
	case first && !inHost && e.thread != 0:
		interruptThread(e.thread)
	case inHost && !first:
		return false
	case !inHost:
		interruptThreads()
	}
	return true
}
