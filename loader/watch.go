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
// It sets cancelled, then sends SIGURG to the thread that runs the guest, if that is known from a preemption, or to all. Native code leaves for dispatch, which finds the
// mark. The goroutine may have moved to another thread, or be in a stub, where the signal does
// nothing, so it tries all threads until the call ends or is found in a host function. dispatch looks at the mark when
// that returns. It sets native with a plain store before it does: the store may become visible after the
// look, but not as late as the next round here.
//
// When a stack's call has the context of the call before, the watch stays for the next one: to watch a context costs more than a call.
type watch struct {
	mu   sync.Mutex
	ctx  context.Context // nil when it has ended
	e    *exec           // nil between calls
	stop func() bool
}

// Pauses between attempts.
const (
	firstPause = 50 * time.Microsecond
	lastPause  = 10 * time.Millisecond
)

// watch begins to watch the stack's call.
func (s *nativeStack) watch() {
	e := s.e
	s.watched = true
	e.cancelled.Store(0)
	e.native = 1
	e.thread = 0
	if s.watcher != nil {
		if s.watcher.begin(e, s.ctx) {
			return
		}
		s.unwatch()
	}
	s.watcher = &watch{e: e, ctx: s.ctx}
	s.watcher.stop = context.AfterFunc(s.ctx, s.watcher.interrupt)
}

// endWatch returns when the exec is no longer touched.
func (s *nativeStack) endWatch() {
	w := s.watcher
	w.mu.Lock()
	w.e = nil
	w.mu.Unlock()
	if id := identity(s.ctx); s.lastCtx != id {
		s.lastCtx = id
		s.unwatch()
	}
}

// unwatch takes the watch back that a call has left.
func (s *nativeStack) unwatch() {
	if s.watcher != nil {
		s.watcher.stop()
		s.watcher = nil
	}
}

// begin goes on with another call, if the context is the same and has not ended.
func (w *watch) begin(e *exec, ctx context.Context) bool {
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.ctx == nil || identity(w.ctx) != identity(ctx) {
		return false
	}
	w.e = e
	return true
}

// identity tells contexts apart as long as they are in use. Comparing them may panic.
func identity(ctx context.Context) [2]uintptr { return *(*[2]uintptr)(unsafe.Pointer(&ctx)) }

func (w *watch) interrupt() {
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
	w.ctx = nil
	e := w.e
	if e == nil {
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
