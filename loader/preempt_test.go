//go:build linux && (amd64 || arm64)

package loader

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"os"
	"runtime"
	"runtime/debug"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/wasmaot/wasmaot/compiler/abi"
	"github.com/wasmaot/wasmaot/compiler/artifact"
	"github.com/wasmaot/wasmaot/internal/nativetest"
	"github.com/wasmaot/wasmaot/loader/vmem"
)

// spinner is a module with an endless loop.
func spinner(t testing.TB) *Instance {
	g := newGuest()
	f := g.fn("spin", sig(nil, nil), 8, g.spin)
	g.fn("outer", sig(nil, nil), 24, func() { g.callFunc(f) })
	return g.instance(t, nil)
}

// A spinning guest stops neither the garbage collector nor, on one processor, other goroutines. Without preemption this
// test never ends.
func TestPreemption(t *testing.T) {
	i := spinner(t)
	defer runtime.GOMAXPROCS(runtime.GOMAXPROCS(1))
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan error)
	go func() { done <- i.Func("outer").Call(ctx, nil) }()
	for range 5 {
		runtime.Gosched()
		runtime.GC()
	}
	cancel()
	var stopped *Interrupted
	if err := <-done; !errors.As(err, &stopped) || !errors.Is(err, context.Canceled) {
		t.Fatalf("found %v", err)
	}
	if f := stopped.Frames; len(f) != 2 || f[0].Name != "spin" || f[1].Name != "outer" || f[1].Offset == 0 {
		t.Errorf("frames %+v", f)
	}
}

func TestCancelCause(t *testing.T) {
	i := spinner(t)
	cause := errors.New("cause")
	for range 20 {
		ctx, cancel := context.WithCancelCause(context.Background())
		time.AfterFunc(time.Millisecond, func() { cancel(cause) })
		if err := i.Func("spin").Call(ctx, nil); !errors.Is(err, cause) {
			t.Fatalf("found %v", err)
		}
		if err := i.Func("spin").Call(ctx, nil); !errors.Is(err, cause) {
			t.Fatalf("with an ended context: %v", err)
		}
	}
}

// Calls in a row under one context share a watch. Its end stops the call in progress, or the next one, and none under another context.
func TestSharedWatch(t *testing.T) {
	if !closedKnown {
		t.Error("a closed channel is not known")
	}
	g := newGuest()
	s := sig(types(i64), types(i64))
	host := g.importFunc("host", s)
	g.addFunc()
	g.fn("call", s, 24, func() { g.callImport(host, 0) })
	g.fn("spin", sig(nil, nil), 8, g.spin)
	i := g.instance(t, env{"host": NewHostFunc("host", &s, func(context.Context, *Instance, []uint64) error { return nil })})
	add(t, i, 2*keepAfter)
	cause, stack := errors.New("cause"), make([]uint64, 2)
	interrupted := func(err error) bool {
		var stopped *Interrupted
		return errors.As(err, &stopped) && errors.Is(err, cause)
	}
	for n := range 300 {
		ctx, cancel := context.WithCancelCause(context.Background())
		defer cancel(nil)
		other, stop := context.WithCancel(context.Background())
		for range 4 {
			if err := i.Func("add").Call(ctx, stack); err != nil {
				t.Fatal(err)
			}
		}
		if own := i.own.Load(); own != noStack && (!own.watched || own.ctx != ctx || own.under != 0) {
			t.Fatalf("%d: watched %v, under %d", n, own.watched, own.under)
		}
		switch n % 4 {
		case 0: // between calls
			cancel(cause)
		case 1: // in a call
			go cancel(cause)
			if err := i.Func("spin").Call(ctx, nil); !interrupted(err) {
				t.Fatalf("found %v", err)
			}
		case 2: // in short ones
			go cancel(cause)
			err := error(nil)
			for err == nil {
				err = i.Func("call").Call(ctx, stack)
			}
			if !interrupted(err) {
				t.Fatalf("found %v", err)
			}
		case 3: // while calls have others
			go cancel(cause)
			for range 50 {
				for _, c := range []context.Context{context.Background(), other, other, context.TODO()} {
					if err := i.Func("call").Call(c, stack); err != nil {
						t.Fatal(err)
					}
				}
			}
			<-ctx.Done()
		}
		for range 2 {
			if err := i.Func("add").Call(ctx, stack); !interrupted(err) {
				t.Fatalf("%d: after the end: %v", n, err)
			}
		}
		add(t, i, 20)
		stop()
	}
	ctx, cancel := context.WithCancel(context.Background())
	defer cancel()
	for range 4 {
		if err := i.Func("add").Call(ctx, stack); err != nil {
			t.Fatal(err)
		}
	}
	own := i.own.Load()
	w := own.watcher
	i.Close()
	if w != nil && (own.watcher != nil || w.stop() || w.e != nil) {
		t.Error("the instance is closed, but the context watched")
	}
}

// The guest stops where the host function returns in which the context ended.
func TestCancelInHostCall(t *testing.T) {
	g := newGuest()
	s := sig(nil, nil)
	host := g.importFunc("host", s)
	g.fn("f", s, 8, func() { g.callImport(host, 0); g.spin() })
	var cancel func()
	var result func(context.Context) error
	i := g.instance(t, env{"host": NewHostFunc("host", &s, func(ctx context.Context, _ *Instance, _ []uint64) error {
		go cancel()
		<-ctx.Done()
		return result(ctx)
	})})
	for n := range 100 {
		result = func(context.Context) error { return nil }
		if n%2 == 1 { // a host function that was waiting tells that it has given up
			result = func(ctx context.Context) error { return &Interrupted{Cause: context.Cause(ctx)} }
		}
		ctx, stop := context.WithCancel(context.Background())
		cancel = stop
		err := i.Func("f").Call(ctx, nil)
		stop()
		var stopped *Interrupted
		if !errors.As(err, &stopped) || !errors.Is(err, context.Canceled) || len(stopped.Frames) != 1 {
			t.Fatalf("found %v", err)
		}
	}
}

// Host calls in a tight loop: the end of the context may find the guest in stubs.
func TestCancelHostCalls(t *testing.T) {
	g := newGuest()
	s := sig(nil, nil)
	host := g.importFunc("host", s)
	g.fn("f", s, 8, func() {
		at := len(g.code)
		g.callImport(host, 0)
		g.jump(at)
	})
	var cancel func()
	calls := 0
	i := g.instance(t, env{"host": NewHostFunc("host", &s, func(context.Context, *Instance, []uint64) error {
		if calls++; calls == 1000 {
			go cancel()
		}
		return nil
	})})
	for range 100 {
		ctx, stop := context.WithCancel(context.Background())
		cancel = stop
		calls = 0
		err := i.Func("f").Call(ctx, nil)
		stop()
		if !errors.Is(err, context.Canceled) {
			t.Fatalf("found %v", err)
		}
	}
}

// The storm: guests on several goroutines lose their processor as often as can be, all their registers must survive.
func TestPreemptionKeepsRegisters(t *testing.T) {
	g := newGuest()
	g.registersFunc()
	i := g.instance(t, nil)
	stop := make(chan bool)
	var storm, guests sync.WaitGroup
	storm.Go(func() {
		for n := 0; ; n++ {
			select {
			case <-stop:
				return
			default:
				interruptThreads()
				if n%16 == 0 {
					runtime.GC()
				}
				// Dirty the vector registers of other threads.
				bytes.Equal(make([]byte, 4096), make([]byte, 4096))
			}
		}
	})
	for range 4 {
		guests.Go(func() {
			for range 20 {
				stack := []uint64{200_000}
				if err := i.Func("registers").Call(context.Background(), stack); err != nil || stack[0] != 0 {
					t.Errorf("%d registers were lost, %v", stack[0], err)
				}
			}
		})
	}
	guests.Wait()
	close(stop)
	storm.Wait()
}

// Everything at once, on many goroutines: calls, host calls that allocate, traps, panics, cancellation, under constant collection.
func TestStorm(t *testing.T) {
	defer debug.SetGCPercent(debug.SetGCPercent(1))
	g := newGuest()
	g.memory(1, 4)
	s := sig(types(i64), types(i64))
	host := g.importFunc("host", s)
	g.fn("host1", s, 8, func() { g.callImport(host, 0) })
	g.fn("unreachable", sig(nil, nil), 8, func() { g.raise(abi.TrapUnreachable) })
	g.fn("spin", sig(nil, nil), 8, g.spin)
	g.addFunc()
	g.registersFunc()
	var garbage atomic.Pointer[[]byte]
	hostFunc := NewHostFunc("host", &s, func(_ context.Context, _ *Instance, stack []uint64) error {
		b := make([]byte, 10_000)
		garbage.Store(&b)
		growStack(int(stack[0] % 40))
		if stack[0]%7 == 0 {
			panic("seven")
		}
		stack[0]++
		return nil
	})
	code := g.load(t)
	seed := uint64(time.Now().UnixNano())
	t.Logf("seed %d", seed)
	var wg sync.WaitGroup
	for k := range uint64(16) {
		r := rand.New(rand.NewPCG(seed, k))
		wg.Go(func() {
			i, err := code.Instantiate(context.Background(), &Config{Resolve: env{"host": hostFunc}.resolve})
			if err != nil {
				t.Error(err)
				return
			}
			defer i.Close()
			for range 100 {
				stormStep(t, i, r.Uint64())
			}
		})
	}
	wg.Wait()
}

func stormStep(t *testing.T, i *Instance, x uint64) {
	stack := []uint64{x, x >> 32}
	ctx := context.Background()
	switch x >> 60 % 5 {
	case 0:
		defer func() {
			if r := recover(); (r == nil) != (x%7 != 0) {
				t.Errorf("host function of %d: %v", x, r)
			}
		}()
		if err := i.Func("host1").Call(ctx, stack); err != nil || stack[0] != x+1 {
			t.Errorf("host call: %d, %v", stack[0], err)
		}
	case 1:
		var trap *Trap
		if err := i.Func("unreachable").Call(ctx, nil); !errors.As(err, &trap) {
			t.Errorf("no trap: %v", err)
		}
	case 2:
		ctx, cancel := context.WithTimeout(ctx, time.Duration(x%1000)*time.Microsecond)
		defer cancel()
		if err := i.Func("spin").Call(ctx, nil); !errors.Is(err, context.DeadlineExceeded) {
			t.Errorf("spin: %v", err)
		}
	case 3:
		if err := i.Func("add").Call(ctx, stack); err != nil || stack[0] != uint64(uint32(x)+uint32(x>>32)) {
			t.Errorf("add: %d, %v", stack[0], err)
		}
	case 4:
		stack[0] = 1000
		if err := i.Func("registers").Call(ctx, stack); err != nil || stack[0] != 0 {
			t.Errorf("registers: %d, %v", stack[0], err)
		}
	}
}

// A fault outside the guest's memory ends the process loudly; it is no trap. So does a fault that the trap map does not know.
func TestForeignFaults(t *testing.T) {
	const variable = "WASMAOT_FOREIGN_FAULT"
	load := func(g *guest, base gpr) {
		g.trap(abi.TrapMemoryOutOfBounds)
		g.loadWord(result0, base, 0)
	}
	faults := map[string]func(g *guest){
		"null": func(g *guest) {
			g.movImm(result0, 8)
			load(g, result0)
		},
		"another reservation": func(g *guest) { load(g, param0) },
		"write to code": func(g *guest) {
			g.codeAddress(result0)
			g.trap(abi.TrapMemoryOutOfBounds)
			g.storeWord(result0, result0, 0)
		},
		"beyond explicitly checked memory": func(g *guest) {
			g.a.Header.Tier = artifact.TierExplicit
			g.a.Module.Mems[0].Max = 2
			g.addTo(result0, conv.MemBase, wasmPage)
			load(g, result0)
		},
		"not in the map": func(g *guest) { g.undefined() },
	}
	if name := os.Getenv(variable); name != "" {
		g := newGuest()
		g.memory(1, 1)
		g.fn("f", sig(types(i64), nil), 8, func() { faults[name](g) })
		other, err := vmem.Reserve(vmem.PageSize, vmem.PageSize)
		if err == nil {
			_, err = call(t, g.instance(t, nil), "f", other.Base())
		}
		fmt.Println("survived with", err)
		os.Exit(0)
	}
	for name := range faults {
		cmd := nativetest.Command(os.Args[0], "-test.run=^TestForeignFaults$")
		cmd.Env = append(os.Environ(), variable+"="+name)
		out, err := cmd.CombinedOutput()
		if err == nil || !strings.Contains(string(out), "this is a bug in the compiler") || !strings.Contains(string(out), "goroutine") {
			t.Errorf("%s: %v\n%s", name, err, out)
		}
	}
}
