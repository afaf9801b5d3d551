//go:build linux && (amd64 || arm64)

package loader

import (
	"context"
	"errors"
	"runtime"
	"sync"
	"testing"

	"github.com/wasmaot/wasmaot/internal/nativetest"
)

// turns is an instance with add, and call, which calls host.
func turns(t *testing.T, host HostFunc) *Instance {
	t.Helper()
	g := newGuest()
	s := sig(types(i64), types(i64))
	imported := g.importFunc("host", s)
	g.addFunc()
	g.fn("call", s, 24, func() { g.callImport(imported, 0) })
	return g.instance(t, env{"host": NewHostFunc("host", &s, host)})
}

// add calls add n times.
func add(t *testing.T, i *Instance, n uint64) {
	f, stack := i.Func("add"), make([]uint64, 2)
	for k := range n {
		stack[0], stack[1] = k, 3
		if err := f.Call(context.Background(), stack); err != nil || stack[0] != k+3 {
			t.Errorf("%d + 3 = %d, %v", k, stack[0], err)
			return
		}
	}
}

// checkIdle checks that no call is accounted for.
func (i *Instance) checkIdle(t *testing.T) {
	t.Helper()
	i.mu.Lock()
	defer i.mu.Unlock()
	if s := i.own.Load(); s.busy != stackIdle || i.state.Load() != 0 || len(i.lost) != 0 {
		t.Errorf("without calls: own stack is in state %d, %d calls are counted, %d stacks were taken away", s.busy, i.state.Load(), len(i.lost))
	}
}

// The goroutine that calls keeps the stack; it is another's after that has come often.
func TestStackOwner(t *testing.T) {
	i := turns(t, nil)
	if add(t, i, keepAfter-1); i.own.Load() != noStack {
		t.Error("a stack is kept before it pays")
	}
	owns := func(sticky bool) {
		t.Helper()
		if s := i.own.Load(); s.sticky != sticky || sticky && s.owner != goroutine() || !sticky && s.owner != 0 {
			t.Errorf("owner %#x, this is %#x, kept between calls: %v, expected %v", s.owner, goroutine(), s.sticky, sticky)
		}
	}
	add(t, i, 1)
	owns(true)
	other := func(f func()) {
		done := make(chan bool)
		go func() { defer close(done); f() }()
		<-done
	}
	other(func() { add(t, i, takeAfter+keepAfter); owns(false) })
	for range firstPatience { // in turns
		add(t, i, 1)
		other(func() { add(t, i, 1); owns(false) })
	}
	if !raceDetector { // which keeps calls from enter
		add(t, i, firstPatience+2)
		owns(true)
	}
	i.checkIdle(t)
	i.disown()
	other(func() { add(t, i, 1); owns(!raceDetector || i.own.Load().sticky) })
}

// Goroutines call at the same time, in host functions too, some of which panic or end the goroutine, while the stack is taken away from them.
func TestStackTakenAway(t *testing.T) {
	var i *Instance
	failed := errors.New("failed")
	i = turns(t, func(_ context.Context, _ *Instance, s []uint64) error {
		switch s[0] % 64 {
		case 0:
			panic("host")
		case 1:
			runtime.Goexit()
		case 2:
			return failed
		}
		v := [2]uint64{s[0], 1}
		err := i.Func("add").Call(context.Background(), v[:])
		s[0] = v[0]
		return err
	})
	var all sync.WaitGroup
	const goroutines, calls = 8, 2000
	for range goroutines {
		all.Go(func() {
			for k := uint64(0); k < calls; {
				var round sync.WaitGroup
				round.Go(func() { // Goexit ends it
					defer func() { recover() }()
					f, stack := i.Func("call"), make([]uint64, 1)
					for k < calls {
						n := k
						stack[0], k = n, k+1
						if err := f.Call(context.Background(), stack); err == nil && stack[0] != n+1 || err != nil && (n%64 != 2 || err != failed) {
							t.Errorf("call of %d: %d, %v", n, stack[0], err)
						}
					}
				})
				round.Wait()
			}
		})
	}
	stop := make(chan bool)
	all.Go(func() {
		for {
			select {
			case <-stop:
				return
			default:
				i.evict()
				runtime.Gosched()
			}
		}
	})
	add(t, i, calls)
	close(stop)
	all.Wait()
	i.checkIdle(t)
	add(t, i, 2*keepAfter)
}

// The stack is taken away from a goroutine whose calls share a watch.
func TestWatchedStackTakenAway(t *testing.T) {
	i := turns(t, nil)
	ctx, cancel := context.WithCancel(context.Background())
	defer cancel()
	stop, done := make(chan bool), make(chan bool)
	go func() {
		defer close(done)
		for {
			select {
			case <-stop:
				return
			default:
				i.evict()
			}
		}
	}()
	f, stack := i.Func("add"), make([]uint64, 2)
	for k := range uint64(nativetest.Rounds(200_000)) {
		stack[0], stack[1] = k, 3
		if err := f.Call(ctx, stack); err != nil || stack[0] != k+3 {
			t.Fatalf("%d + 3 = %d, %v", k, stack[0], err)
		}
	}
	close(stop)
	<-done
	i.checkIdle(t)
}

// An instance that is closed by another goroutine while its stack's owner calls lives until the call ends.
func TestCloseDuringCall(t *testing.T) {
	inside, goOn := make(chan bool), make(chan bool)
	i := turns(t, func(context.Context, *Instance, []uint64) error { inside <- true; <-goOn; return nil })
	ended := 0
	i.onClose = func() { ended++ }
	done := make(chan error)
	go func() {
		add(t, i, 2*keepAfter)
		done <- i.Func("call").Call(context.Background(), make([]uint64, 1))
	}()
	<-inside
	i.Close()
	if err := i.Func("add").Call(context.Background(), make([]uint64, 2)); !errors.Is(err, ErrClosed) || ended != 0 {
		t.Errorf("after Close: %v, ended %d times", err, ended)
	}
	goOn <- true
	if err := <-done; err != nil || ended != 1 {
		t.Errorf("call: %v, ended %d times", err, ended)
	}
}
