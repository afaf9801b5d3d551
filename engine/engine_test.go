//go:build linux && (amd64 || arm64)

package engine_test

import (
	"bytes"
	"context"
	"errors"
	"runtime"
	"strings"
	"testing"
	"time"

	"github.com/wasmaot/wasmaot/engine"
)

var background = context.Background()

func TestCalls(t *testing.T) {
	i := instance(t, env(engine.Host1("host", func(c engine.Caller, x int32) (int32, error) {
		v, _ := c.Memory().Uint32(16)
		return x + int32(v), nil
	})))
	add, err := engine.Get2[int32, int32, int32](i, "add")
	if err != nil {
		t.Fatal(err)
	}
	if sum, err := add.Call(background, -3, 5); sum != 2 || err != nil {
		t.Errorf("add: %d, %v", sum, err)
	}
	call, err := engine.Get1[uint32, uint32](i, "call")
	if err != nil {
		t.Fatal(err)
	}
	if v, err := call.Call(background, 2); v != 42 || err != nil {
		t.Errorf("call: %d, %v", v, err)
	}
	stack := []uint64{20, 22}
	if err := i.Func("add").Call(background, stack); err != nil || stack[0] != 42 {
		t.Errorf("add: %d, %v", stack, err)
	}
	if _, err := engine.Get2[int64, int32, int32](i, "add"); err == nil || !strings.Contains(err.Error(), "expected [i64 i32] -> [i32], found [i32 i32] -> [i32]") {
		t.Errorf("wrong type: %v", err)
	}
	if _, err := engine.Get0[engine.None](i, "none"); err == nil {
		t.Error("a function that is not there was found")
	}
	var trap *engine.Trap
	trapping, err := engine.Get0[engine.None](i, "trap")
	if err != nil {
		t.Fatal(err)
	}
	if _, err := trapping.Call(background); !errors.As(err, &trap) || trap.Code != engine.TrapUnreachable || len(trap.Frames) != 1 {
		t.Errorf("trap: %v", err)
	}
	i.Close()
	if _, err := add.Call(background, 1, 2); !errors.Is(err, engine.ErrClosed) {
		t.Errorf("call of a closed instance: %v", err)
	}
}

func TestNoAllocations(t *testing.T) {
	i := instance(t, env(engine.Host1("host", identity)))
	add, _ := engine.Get2[int32, int32, int32](i, "add")
	loop, _ := engine.Get1[int32, int32](i, "loop")
	grow, _ := engine.Get1[int32, int32](i, "grow")
	f, stack := i.Func("add"), make([]uint64, 2)
	pool := engine.NewPool(load(t, testModule), &engine.PoolConfig{Instance: *env(engine.Host1("host", identity))})
	defer pool.Close()
	cancellable, cancel := context.WithCancel(background)
	defer cancel()
	for name, call := range map[string]func(){
		"cancellable": func() { add.Call(cancellable, 1, 2) },
		"typed":       func() { add.Call(background, 1, 2) },
		"untyped":     func() { f.Call(background, stack) },
		"host calls":  func() { loop.Call(background, 100) },
		"grow":        func() { grow.Call(background, 0) },
		"pool": func() {
			i, err := pool.Get(background)
			if err != nil {
				t.Fatal(err)
			}
			i.Memory().SetUint32(0, 1)
			pool.Put(i)
		},
	} {
		if n := testing.AllocsPerRun(100, call); n != 0 {
			t.Errorf("%s: %v allocations", name, n)
		}
	}
}

func TestHostErrors(t *testing.T) {
	sorry := errors.New("sorry")
	var inner *engine.Instance
	todo := func() error { return nil }
	i := instance(t, env(engine.Host1("host", func(engine.Caller, int32) (int32, error) { return 1, todo() })))
	inner = i
	call, _ := engine.Get1[int32, int32](i, "call")
	ok := func(when string) {
		t.Helper()
		todo = func() error { return nil }
		if v, err := call.Call(background, 0); v != 1 || err != nil {
			t.Errorf("after %s: %d, %v", when, v, err)
		}
	}
	todo = func() error { return sorry }
	if _, err := call.Call(background, 0); !errors.Is(err, sorry) {
		t.Errorf("expected %v, found %v", sorry, err)
	}
	ok("an error")
	todo = func() error { // a trap in a guest's call in a host's call in a guest's call
		return inner.Func("trap").Call(background, nil)
	}
	var trap *engine.Trap
	if _, err := call.Call(background, 0); !errors.As(err, &trap) {
		t.Errorf("expected a trap, found %v", err)
	}
	ok("a nested trap")
	todo = func() error { panic("oh") }
	func() {
		defer func() {
			if r := recover(); r != "oh" {
				t.Errorf("recovered %v", r)
			}
		}()
		call.Call(background, 0)
	}()
	ok("a panic")
	todo = func() error { runtime.Goexit(); return nil }
	done := make(chan bool)
	go func() {
		defer close(done)
		call.Call(background, 0)
		t.Error("Goexit came back")
	}()
	<-done
	ok("Goexit")
}

func TestCancel(t *testing.T) {
	i := instance(t, env(engine.Host1("host", identity)))
	ctx, cancel := context.WithTimeout(background, 20*time.Millisecond)
	defer cancel()
	err := i.Func("spin").Call(ctx, nil)
	var stopped *engine.Interrupted
	if !errors.As(err, &stopped) || !errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("expected the deadline's end, found %v", err)
	}
}

// Calls that follow each other with the same context share what watches it.
func TestSameContext(t *testing.T) {
	i := instance(t, env(engine.Host1("host", identity)))
	add, _ := engine.Get2[int32, int32, int32](i, "add")
	sum := func(ctx context.Context, ok bool) {
		t.Helper()
		if v, err := add.Call(ctx, 1, 2); ok && (v != 3 || err != nil) || !ok && !errors.Is(err, context.Canceled) {
			t.Errorf("add: %d, %v", v, err)
		}
	}
	for range 3 {
		ctx, cancel := context.WithCancel(background)
		other, cancelOther := context.WithCancel(background)
		for range 10 {
			sum(ctx, true)
		}
		sum(other, true)
		sum(ctx, true)
		sum(ctx, true)
		time.AfterFunc(5*time.Millisecond, cancel)
		if err := i.Func("spin").Call(ctx, nil); !errors.Is(err, context.Canceled) {
			t.Errorf("spin: %v", err)
		}
		sum(ctx, false)
		sum(background, true)
		sum(other, true)
		sum(other, true)
		cancelOther() // between calls
		sum(other, false)
	}
}

func TestLimits(t *testing.T) {
	c := env(engine.Host1("host", identity))
	closed := 0
	c.MaxMemory, c.OnClose = 2<<16, func() { closed++ }
	i := instance(t, c)
	grow, _ := engine.Get1[int32, int32](i, "grow")
	if old, err := grow.Call(background, 1); old != 1 || err != nil {
		t.Errorf("grow: %d, %v", old, err)
	}
	if old, err := grow.Call(background, 1); old != -1 || err != nil {
		t.Errorf("growing beyond the limit: %d, %v", old, err)
	}
	i.Close()
	i.Close()
	if closed != 1 {
		t.Errorf("OnClose was called %d times", closed)
	}
	c.MaxMemory = 1
	if _, err := load(t, testModule).Instantiate(background, c); err == nil {
		t.Error("a limit of less than a page was accepted")
	}
	var link *engine.LinkError
	if _, err := load(t, testModule).Instantiate(background, nil); !errors.As(err, &link) || link.Name != "host" {
		t.Errorf("expected a link error, found %v", err)
	}
}

func TestPool(t *testing.T) {
	m := load(t, testModule)
	p := engine.NewPool(m, &engine.PoolConfig{
		Instance: *env(engine.Host1("host", identity)),
		Prepare:  func(ctx context.Context, i *engine.Instance) error { return i.Func("count").Call(ctx, nil) },
	})
	defer p.Close()
	var first *engine.Instance
	for n := range 3 {
		i, err := p.Get(background)
		if err != nil {
			t.Fatal(err)
		}
		if first == nil {
			first = i
		} else if i != first {
			t.Error("the instance was not used again")
		}
		state := func() (counter uint64, word uint32, pages uint64) {
			counter, _ = i.Export("counter").(*engine.Global).Get()
			word, _ = i.Memory().Uint32(16)
			return counter, word, i.Memory().Pages()
		}
		if counter, word, pages := state(); counter != 8 || word != 41 || pages != 1 {
			t.Errorf("round %d begins with counter %d, word %d, %d pages", n, counter, word, pages)
		}
		if err := i.Func("count").Call(background, nil); err != nil {
			t.Fatal(err)
		}
		i.Memory().Grow(3)
		i.Memory().SetUint32(3<<16, 99)
		if counter, word, pages := state(); counter != 9 || word != 42 || pages != 4 {
			t.Errorf("round %d ends with counter %d, word %d, %d pages", n, counter, word, pages)
		}
		p.Put(i)
		if n == 1 {
			first.Memory().Grow(3)
			if v, _ := first.Memory().Uint32(3 << 16); v != 0 {
				t.Errorf("memory that was given back holds %d", v)
			}
			first.Reset()
		}
	}
}

func TestResetInUse(t *testing.T) {
	var i *engine.Instance
	var inside error
	i = instance(t, env(engine.Host1("host", func(engine.Caller, int32) (int32, error) { inside = i.Reset(); return 0, nil })))
	if err := i.Reset(); err == nil {
		t.Error("reset without a checkpoint")
	}
	if err := i.Checkpoint(); err != nil {
		t.Fatal(err)
	}
	i.Func("call").Call(background, make([]uint64, 1))
	if !errors.Is(inside, engine.ErrBusy) {
		t.Errorf("reset by a host function: %v", inside)
	}
}

func TestLoadDamaged(t *testing.T) {
	if _, err := engine.Load("x", []byte("\x00asm\x01\x00\x00\x00")); err == nil {
		t.Error("a module was taken for an artifact")
	}
	if _, err := engine.Load("x", bytes.Repeat([]byte{0x7f}, 9000)); err == nil {
		t.Error("rubbish was taken for an artifact")
	}
}
