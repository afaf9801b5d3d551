package loader

import (
	"context"
	"sync"
	"sync/atomic"
	"time"
)

// watch stops a call when its context ends.
//
// It sets cancelled, then sends SIGURG to the thread that runs the guest. Native code leaves for dispatch, which finds the mark. The thread is
// the one last known, at first; the goroutine may have moved since, or be in a stub, where the signal does
// nothing, so it tries all threads until the call ends or is found in a host function. dispatch looks at the mark when
// that returns. It sets native with a plain store before it does: the store may become visible after the
// look, but not as late as the next round here.
type watch struct {
	mu   sync.Mutex
	e    *exec // nil when the call has ended
	stop func() bool
}

// Pauses between attempts.
const (
	firstPause = 50 * time.Microsecond
	lastPause  = 10 * time.Millisecond
)

// watch begins to watch the stack's call.
func (s *nativeStack) watch() *watch {
	e := s.e
	s.watched = true
	e.cancelled.Store(0)
	e.native = 1
	e.thread = threadID()
	w := &watch{e: e}
	w.stop = context.AfterFunc(s.ctx, w.interrupt)
	return w
}

// end returns when the exec is no longer touched.
func (w *watch) end() {
	w.mu.Lock()
	w.e = nil
	w.mu.Unlock()
	w.stop()
}

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
	e := w.e
	if e == nil {
		return false
	}
	e.cancelled.Store(1)
	switch inHost := atomic.LoadUint32(&e.native) == 0; {
	case first && !inHost:
		interruptThread(e.thread)
	case inHost && !first:
		return false
	case !inHost:
		interruptThreads()
	}
	return true
}
