//go:build linux && (amd64 || arm64)

package loader

import (
	"context"
	"errors"
	"math/rand/v2"
	"runtime"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/wasmaot/wasmaot/compiler/abi"
	"github.com/wasmaot/wasmaot/compiler/artifact"
)

// Parameters, results and the pinned global travel through the call of a function that is not compiled yet as through any other.
func TestDemandConvention(t *testing.T) {
	r := seeded(t)
	for range 60 {
		checkDemandConvention(t, r, sig(randomTypes(r, r.IntN(30)), randomTypes(r, r.IntN(20))))
	}
}

func checkDemandConvention(t *testing.T, r *rand.Rand, inner abi.Signature) {
	const passed, arrived, returned, got, pinned = 0, 0x1000, 0x2000, 0x3000, 0x4000
	g := newDemandGuest()
	g.memory(1, 1)
	g.a.Header.Tier = artifact.TierExplicit
	g.a.Module.Globals = []artifact.Global{{Type: i32, Mutable: true, Init: constExpr(7)}}
	g.a.Module.Pinned = 1
	g.a.Module.Exports = []artifact.Export{{Name: "pinned", Kind: artifact.KindGlobal}}
	in, a := conv.Params(inner.Params)
	out, b := conv.Results(inner.Results)
	area := int64(max(a, b))
	frame := frameFor(area)
	g.typ(inner)
	g.typ(sig(nil, nil))
	up := func() { g.addTo(conv.Pinned, conv.Pinned, 1) }
	g.fn("f", sig(nil, nil), uint32(frame+1), func() {
		g.places(in, 0, passed, false)
		up()
		g.callFunc(1)
		g.mem(storeForms[i32], conv.Pinned, conv.MemBase, pinned)
		up()
		g.places(out, 0, got, true)
	})
	g.fn("inner", inner, 0, func() {
		entry := int64(0) // where the incoming area begins: above the return address, where the call leaves it on the stack
		if frameSize(0) == 0 {
			entry = linkSize
		}
		g.places(in, entry, arrived, true)
		up()
		g.places(out, entry, returned, false)
	})
	i := g.instance(t, nil)
	memory := (*[8192]uint64)(pointer(i.mems[0].rec.base))
	params, results := randomSlots(r, inner.Params), randomSlots(r, inner.Results)
	for round := range uint32(2) {
		clear(memory[:])
		copy(memory[passed/8:], params)
		copy(memory[returned/8:], results)
		if _, err := call(t, i, "f"); err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(params, append([]uint64{}, memory[arrived/8:][:len(params)]...)); diff != "" {
			t.Errorf("%v: parameters (-want +got):\n%s", inner, diff)
		}
		if diff := cmp.Diff(results, append([]uint64{}, memory[got/8:][:len(results)]...)); diff != "" {
			t.Errorf("%v: results (-want +got):\n%s", inner, diff)
		}
		lo, _ := i.Export("pinned").(*Global).Get()
		if during := uint32(memory[pinned/8]); during != 9+3*round || uint32(lo) != 10+3*round {
			t.Errorf("%v: pinned global %d behind the call, %d at the end", inner, during, lo)
		}
	}
}

// The end of the stack is found by functions and by the stub, wherever it is. The global is in its cell then.
func TestDemandStackExhausted(t *testing.T) {
	g := newDemandGuest()
	g.a.Module.Globals = []artifact.Global{{Type: i32, Mutable: true, Init: constExpr(0)}}
	g.a.Module.Pinned = 1
	g.a.Module.Exports = []artifact.Export{{Name: "pinned", Kind: artifact.KindGlobal}}
	const room = 24
	s := sig(types(i32), types(i32))
	g.fn("down", s, room, func() {
		g.ifNot0(param0, func() {
			g.addTo(param0, param0, -1)
			g.callFunc(0)
		})
		g.addTo(conv.Pinned, conv.Pinned, 1)
		g.callFunc(1)
	})
	g.fn("last", s, 0, func() {})
	code := g.load(t)
	frame := uint64(frameFor(room) + linkSize)
	all := 64 << 10 / frame
	inStub := 0
	for n := all - 60; n < all+20; n++ {
		// New code each time, so that last is not compiled.
		c, err := Load(g.artifact())
		if err != nil {
			t.Fatal(err)
		}
		i, err := c.Instantiate(context.Background(), &Config{Name: t.Name(), StackSize: 64 << 10})
		if err != nil {
			t.Fatal(err)
		}
		_, err = call(t, i, "down", n)
		lo, _ := i.Export("pinned").(*Global).Get()
		switch {
		case err == nil && uint64(lo) != n+1:
			t.Errorf("depth %d: the global is %d", n, lo)
		case err != nil:
			trap := wantTrap(t, err, abi.TrapStackExhausted)
			if got := len(trap.Frames); lo == 1 {
				inStub++
				if got != int(n)+1 {
					t.Errorf("depth %d: %d frames", n, got)
				}
			} else if lo != 0 || got == 0 {
				t.Errorf("depth %d: the global is %d, %d frames", n, lo, got)
			}
		}
		if err := errors.Join(i.Close(), c.Close()); err != nil {
			t.Fatal(err)
		}
	}
	if inStub == 0 {
		t.Error("the stub never found the end of the stack")
	}
	if err := code.Close(); err != nil {
		t.Error(err)
	}
}

// An error or panic of the compiler ends the call, and the next one asks again.
func TestDemandFails(t *testing.T) {
	g := newDemandGuest()
	g.addFunc()
	s := sig(types(i64, i64), types(i64))
	g.fn("f", s, 24, func() { g.callFunc(0) })
	a := g.artifact()
	var compile func(i int) (*artifact.Piece, error)
	a.Compile = func(i int) (*artifact.Piece, error) { return compile(i) }
	c, err := Load(a)
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	i, err := c.Instantiate(context.Background(), &Config{Name: "m"})
	if err != nil {
		t.Fatal(err)
	}
	defer i.Close()
	for range 100 {
		compile = func(int) (*artifact.Piece, error) { return nil, errors.New("too hard") }
		if _, err := call(t, i, "f", 1, 2); err == nil || err.Error() != `compiling function "f" of "m": too hard` {
			t.Fatalf("found %v", err)
		}
		compile = func(int) (*artifact.Piece, error) { growStack(100); panic("bug") }
		func() {
			defer func() {
				if r := recover(); r != "bug" {
					t.Errorf("recovered %v", r)
				}
			}()
			call(t, i, "f", 1, 2)
			t.Error("no panic")
		}()
		compile = func(int) (*artifact.Piece, error) { runtime.Goexit(); return nil, nil }
		done := make(chan bool)
		go func() {
			defer close(done)
			call(t, i, "f", 1, 2)
			t.Error("Goexit came back")
		}()
		<-done
	}
	for _, bad := range []artifact.Piece{{}, {Text: []byte{1}}, {Text: []byte{1}, Align: 3}} {
		compile = func(int) (*artifact.Piece, error) { return &bad, nil }
		if _, err := call(t, i, "f", 1, 2); err == nil || !strings.Contains(err.Error(), "compiling function") {
			t.Errorf("%+v: found %v", bad, err)
		}
	}
	compile = func(k int) (*artifact.Piece, error) { growStack(100); return g.piece(k), nil }
	for range 3 {
		if got, err := call(t, i, "f", 1, 2); got != 3 || err != nil {
			t.Errorf("found %d, %v", got, err)
		}
	}
	if n := i.state.Load(); n != 0 {
		t.Errorf("%d calls are still counted", n)
	}
}

// A context that ends while a function is compiled ends the call, with a backtrace from there.
func TestDemandCancelled(t *testing.T) {
	g := newDemandGuest()
	s := sig(nil, nil)
	g.fn("f", s, 24, func() { g.callFunc(1) })
	g.fn("spin", s, 0, g.spin)
	a := g.artifact()
	ctx, cancel := context.WithCancel(context.Background())
	a.Compile = func(k int) (*artifact.Piece, error) {
		if k == 1 {
			cancel()
		}
		return g.piece(k), nil
	}
	c, err := Load(a)
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	i, err := c.Instantiate(context.Background(), nil)
	if err != nil {
		t.Fatal(err)
	}
	defer i.Close()
	var stopped *Interrupted
	if err := i.Func("f").Call(ctx, nil); !errors.As(err, &stopped) || len(stopped.Frames) == 0 || stopped.Frames[len(stopped.Frames)-1].Name != "f" {
		t.Errorf("found %+v", err)
	}
	short, cancel := context.WithTimeout(context.Background(), time.Millisecond)
	defer cancel()
	if err := i.Func("f").Call(short, nil); !errors.As(err, &stopped) || len(stopped.Frames) != 2 {
		t.Errorf("found %+v", err)
	}
}

// Goroutines and instances find each other's code, and large functions lie beside small ones.
func TestDemandTogether(t *testing.T) {
	g := newDemandGuest()
	s := sig(types(i32), types(i32))
	const count = 40
	for k := range uint32(count) {
		g.fn("f"+string(rune('0'+k)), s, 24, func() {
			for range k * k * 100 { // up to 600 KB
				g.addTo(testScratch, testScratch, 1)
			}
			g.addTo(param0, param0, 1)
			if k+1 < count {
				g.callFunc(k + 1)
			} else {
				g.addTo(result0, param0, 0)
			}
		})
	}
	a := g.artifact()
	var compiled atomic.Int64
	a.Compile = func(k int) (*artifact.Piece, error) {
		compiled.Add(1)
		return g.piece(k), nil
	}
	c, err := Load(a)
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	var wg sync.WaitGroup
	for range 3 {
		i, err := c.Instantiate(context.Background(), nil)
		if err != nil {
			t.Fatal(err)
		}
		defer i.Close()
		for range 3 {
			wg.Go(func() {
				stack := make([]uint64, 1)
				f := i.Func("f0")
				if err := f.Call(context.Background(), stack); err != nil || stack[0] != count {
					t.Errorf("found %d, %v", stack[0], err)
				}
			})
		}
	}
	wg.Wait()
	if n := compiled.Load(); n < count || n > 9*count {
		t.Errorf("%d functions were compiled", n)
	}
}
