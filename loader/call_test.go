//go:build linux && (amd64 || arm64)

package loader

import (
	"context"
	"errors"
	"runtime"
	"strings"
	"testing"

	"github.com/wasmaot/wasmaot/compiler/abi"
)

// addFunc adds two i32.
func (g *guest) addFunc() uint32 {
	return g.fn("add", sig(types(i32, i32), types(i32)), 0, func() {
		g.add32(result0, param0, param1)
	})
}

func TestCall(t *testing.T) {
	g := newGuest()
	g.addFunc()
	i := g.instance(t, nil)
	for _, x := range [][3]uint64{{1, 2, 3}, {0xffffffff, 2, 1}, {1 << 40, 5, 5}} {
		got, err := call(t, i, "add", x[0], x[1])
		if err != nil || got != x[2] {
			t.Errorf("add(%d, %d) = %d, %v; expected %d", x[0], x[1], got, err, x[2])
		}
	}
	if err := i.Func("add").Call(context.Background(), make([]uint64, 1)); err == nil {
		t.Error("a stack of one slot was accepted")
	}
}

func TestHostCall(t *testing.T) {
	g := newGuest()
	s := sig(types(i32, i64, f32, f64), types(i64))
	host := g.importFunc("host", s)
	g.fn("f", s, 8, func() { g.callImport(host, 0) })
	var inst *Instance
	inst = g.instance(t, env{"host": NewHostFunc("host", &s, func(ctx context.Context, caller *Instance, stack []uint64) error {
		if caller != inst {
			t.Errorf("caller is %v", caller)
		}
		if stack[0] != 0xfffffff0 || stack[1] != 2 || stack[2] != 3 || stack[3] != 4 {
			t.Errorf("parameters %#x", stack)
		}
		growStack(200)
		stack[0] = 77
		return nil
	})})
	got, err := call(t, inst, "f", 1<<40|0xfffffff0, 2, 5<<32|3, 4)
	if err != nil || got != 77 {
		t.Errorf("found %d, %v", got, err)
	}
}

// growStack makes the goroutine's stack move.
func growStack(n int) byte {
	var a [1024]byte
	if n > 0 {
		a[n] = growStack(n - 1)
	}
	return a[n/2]
}

func TestHostError(t *testing.T) {
	g := newGuest()
	s := sig(nil, nil)
	host := g.importFunc("host", s)
	g.fn("f", s, 8, func() { g.callImport(host, 0); g.raise(abi.TrapUnreachable) })
	want := &Exit{7}
	i := g.instance(t, env{"host": NewHostFunc("host", &s, func(context.Context, *Instance, []uint64) error { return want })})
	if _, err := call(t, i, "f"); err != error(want) {
		t.Errorf("expected the host function's error itself, found %v", err)
	}
}

func TestHostPanicAndGoexit(t *testing.T) {
	inBothModes(t, func(t *testing.T, newGuest func() *guest) {
		g := newGuest()
		s := sig(nil, nil)
		host := g.importFunc("host", s)
		g.fn("f", s, 8, func() { g.callImport(host, 0) })
		g.addFunc()
		do := func() {}
		i := g.instance(t, env{"host": NewHostFunc("host", &s, func(context.Context, *Instance, []uint64) error { do(); return nil })})
		for range 100 {
			do = func() { growStack(50); panic("host") }
			func() {
				defer func() {
					if r := recover(); r != "host" {
						t.Errorf("recovered %v", r)
					}
				}()
				call(t, i, "f")
				t.Error("no panic")
			}()
			do = runtime.Goexit
			done := make(chan bool)
			go func() {
				defer close(done)
				call(t, i, "f")
				t.Error("Goexit came back")
			}()
			<-done
			if got, err := call(t, i, "add", 1, 2); got != 3 || err != nil {
				t.Fatalf("add after a panic: %d, %v", got, err)
			}
		}
		if n := i.state.Load(); n != 0 {
			t.Errorf("%d calls are still counted", n)
		}
	})
}

// hostLoop is a function f that calls host with its parameter, then one less, down to 1.
func (g *guest) hostLoop() abi.Signature {
	s := sig(types(i64), types(i64))
	host := g.importFunc("host", s)
	g.fn("f", s, 24, func() {
		g.storeWord(param0, regSP, 8)
		at := len(g.code)
		g.callImport(host, 0)
		g.loadWord(param0, regSP, 8)
		g.addTo(param0, param0, -1)
		g.storeWord(param0, regSP, 8)
		g.ifNot0(param0, func() { g.jump(at) })
	})
	return s
}

// A call of many host calls, during which enter leaves the guest to run, ends in every way at every point.
func TestManyHostCalls(t *testing.T) {
	if !directCalls {
		t.Error("assembly does not know how Go functions are called")
	}
	g := newGuest()
	s := g.hostLoop()
	failed := errors.New("failed")
	calls, last := 0, uint64(0)
	end := func() error { return nil }
	i := g.instance(t, env{"host": NewHostFunc("host", &s, func(_ context.Context, _ *Instance, stack []uint64) error {
		calls++
		growStack(calls % 64)
		if stack[0] == last {
			return end()
		}
		return nil
	})})
	ends := []func() error{
		func() error { return nil },
		func() error { return failed },
		func() error { panic("host") },
		func() error { runtime.Goexit(); return nil },
	}
	const most = 3*guardedCalls + 1
	for range 2 * keepAfter {
		call(t, i, "f", 1)
	}
	done := make(chan bool)
	for n := range most * len(ends) {
		calls, last = 0, uint64(n/len(ends)+1)
		end = ends[n%len(ends)]
		go func() {
			defer func() {
				if r := recover(); (r != nil) != (n%len(ends) == 2) {
					t.Errorf("recovered %v", r)
				}
				done <- true
			}()
			stack := []uint64{most}
			err := i.Func("f").Call(context.Background(), stack)
			if (err == nil) != (n%len(ends) == 0) || err != nil && err != failed {
				t.Errorf("%d: found %v", n, err)
			}
		}()
		<-done
		if want := most - int(last) + 1; n%len(ends) != 0 && calls != want || n%len(ends) == 0 && calls != most {
			t.Errorf("%d: %d host calls", n, calls)
		}
	}
	i.checkIdle(t)
}

// Guest, host, guest, … 100 deep, each on its own stack, with an error from the innermost.
func TestNestedCalls(t *testing.T) {
	g := newGuest()
	s := sig(types(i32), types(i32))
	host := g.importFunc("host", s)
	g.fn("f", s, 8, func() { g.callImport(host, 0) })
	bottom := errors.New("bottom")
	fail := false
	i := g.instance(t, env{"host": NewHostFunc("host", &s, func(ctx context.Context, caller *Instance, stack []uint64) error {
		if stack[0] == 0 {
			if fail {
				return bottom
			}
			runtime.GC()
			stack[0] = 1000
			return nil
		}
		inner := []uint64{stack[0] - 1}
		if err := caller.Func("f").Call(ctx, inner); err != nil {
			return err
		}
		stack[0] = inner[0] + 1
		return nil
	})})
	if got, err := call(t, i, "f", 100); err != nil || got != 1100 {
		t.Errorf("found %d, %v", got, err)
	}
	fail = true
	if _, err := call(t, i, "f", 100); err != bottom {
		t.Errorf("expected the innermost error, found %v", err)
	}
}

func TestTrap(t *testing.T) {
	inBothModes(t, func(t *testing.T, newGuest func() *guest) {
		g := newGuest()
		g.memory(1, 10)
		g.fn("unreachable", sig(nil, nil), 8, func() { g.raise(abi.TrapUnreachable) })
		inner := g.fn("load", sig(types(i32), types(i32)), 0, func() {
			g.loadAt(result0, param0)
		})
		g.fn("outer", sig(types(i32), types(i32)), 24, func() { g.callFunc(inner) })
		g.fn("div", sig(types(i32, i32), types(i32)), 0, func() {
			g.div32()
		})
		i := g.instance(t, nil)
		for range 3 {
			_, err := call(t, i, "unreachable")
			trap := wantTrap(t, err, abi.TrapUnreachable)
			if len(trap.Frames) != 1 || trap.Frames[0].Name != "unreachable" || trap.Frames[0].Module != t.Name() || trap.Frames[0].Offset != g.traps[0].Pos {
				t.Errorf("frames %+v", trap.Frames)
			}
			for _, at := range []uint64{65536 - 3, 65536, 1 << 31, 1<<32 - 1} {
				_, err = call(t, i, "outer", at)
				trap = wantTrap(t, err, abi.TrapMemoryOutOfBounds)
				if len(trap.Frames) != 2 || trap.Frames[0].Name != "load" || trap.Frames[1].Name != "outer" || trap.Frames[1].Offset != g.calls[0].Pos {
					t.Errorf("frames %+v", trap.Frames)
				}
			}
			if got, err := call(t, i, "outer", 65536-4); err != nil || got != 0 {
				t.Errorf("load of the last word: %d, %v", got, err)
			}
			_, err = call(t, i, "div", 1, 0)
			wantTrap(t, err, abi.TrapDivideByZero)
			if got, err := call(t, i, "div", 7, 2); err != nil || got != 3 {
				t.Errorf("div: %d, %v", got, err)
			}
		}
		if want := "wasm trap: out of bounds memory access"; !strings.Contains(func() string { _, err := call(t, i, "load", 1<<20); return err.Error() }(), want) {
			t.Errorf("no %q", want)
		}
	})
}

// Go's own faults are still Go's.
func TestGoFaults(t *testing.T) {
	newGuest().instance(t, nil)
	defer func() {
		if err, ok := recover().(runtime.Error); !ok || !strings.Contains(err.Error(), "nil pointer") {
			t.Errorf("recovered %v", err)
		}
	}()
	var p *[4]int
	p[1]++
	t.Error("no panic")
}

func TestStackExhausted(t *testing.T) {
	inBothModes(t, testStackExhausted)
}

func testStackExhausted(t *testing.T, newGuest func() *guest) {
	g := newGuest()
	s := sig(types(i32), types(i32))
	host := g.importFunc("host", s)
	const room = 24
	frame := uint64(frameFor(room) + linkSize)
	g.fn("down", s, room, func() { // to a depth, which it returns
		g.addTo(result0, param0, 0)
		g.ifNot0(param0, func() {
			g.addTo(param0, param0, -1)
			g.callFunc(1)
			g.addTo(result0, result0, 1)
		})
	})
	g.fn("hosts", s, room, func() { // recursion that ends in host calls
		g.ifNot0(param0, func() {
			g.addTo(param0, param0, -1)
			g.callFunc(2)
		})
		g.callImport(host, 0)
	})
	calls := 0
	i := g.instance(t, env{"host": NewHostFunc("host", &s, func(_ context.Context, _ *Instance, stack []uint64) error { calls++; return nil })})
	for range 2 {
		for _, n := range []uint64{10, 1000, 1_000_000, (DefaultStackSize - 1<<20) / frame} {
			if got, err := call(t, i, "down", n); err != nil || got != n {
				t.Fatalf("depth %d: %d, %v", n, got, err)
			}
		}
		_, err := call(t, i, "down", 1<<31)
		trap := wantTrap(t, err, abi.TrapStackExhausted)
		if len(trap.Frames) != MaxFrames || !trap.Elided {
			t.Errorf("%d frames, elided %v", len(trap.Frames), trap.Elided)
		}
		if text := trap.Backtrace(); strings.Count(text, "\n") != textFirst+textLast+2 {
			t.Errorf("backtrace:\n%s", text)
		}
	}
	small, err := i.code.Instantiate(context.Background(), &Config{StackSize: 64 << 10, Resolve: env{"host": i.imported[0]}.resolve})
	if err != nil {
		t.Fatal(err)
	}
	defer small.Close()
	// The stub finds the end of the stack at one of these depths.
	exhausted := 0
	all := 64 << 10 / frame
	for n := all - 150; n < all+50; n++ {
		_, err := call(t, small, "hosts", n)
		if err != nil {
			trap := wantTrap(t, err, abi.TrapStackExhausted)
			if exhausted++; uint64(len(trap.Frames)) < all-150 {
				t.Fatalf("depth %d: %d frames", n, len(trap.Frames))
			}
		}
	}
	if exhausted == 0 || calls == 0 {
		t.Errorf("%d times exhausted, %d host calls", exhausted, calls)
	}
}
