//go:build linux && (amd64 || arm64)

package loader

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"runtime"
	"runtime/debug"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/wasmaot/wasmaot/compiler/abi"
	"github.com/wasmaot/wasmaot/compiler/artifact"
	"github.com/wasmaot/wasmaot/internal/nativetest"
)

// The storm of code compiled on demand: goroutines make two modules' functions be compiled, of which each may be compiled ahead, and one calls the other, while threads are
// preempted, contexts end, instances and code are closed, and the compiler allocates, waits or fails.
func TestDemandStorm(t *testing.T) {
	defer debug.SetGCPercent(debug.SetGCPercent(10))
	seed := uint64(time.Now().UnixNano())
	t.Logf("seed %d", seed)
	stop := make(chan bool)
	var storm sync.WaitGroup
	storm.Go(func() {
		for n := 0; ; n++ {
			select {
			case <-stop:
				return
			default:
				interruptThreads()
				if n%64 == 0 {
					runtime.GC()
				}
				runtime.Gosched()
			}
		}
	})
	before := codeCount()
	for round := range uint64(nativetest.Rounds(24)) {
		newDemandStorm(t, seed+round, round).run()
		if t.Failed() {
			break
		}
	}
	close(stop)
	storm.Wait()
	if after := codeCount(); after > before {
		t.Errorf("%d loaded codes became %d", before, after)
	}
}

type demandStorm struct {
	t        *testing.T
	seed     uint64
	draws    atomic.Uint64
	lib, app *stormModule
}

type stormModule struct {
	code     *Code
	inst     *Instance
	released atomic.Int32
}

// draw is a random number for any goroutine.
func (d *demandStorm) draw() uint64 {
	return rand.New(rand.NewPCG(d.seed, d.draws.Add(1))).Uint64()
}

var (
	errTooHard = errors.New("too hard")
	unary      = sig(types(i64), types(i64))
)

const stormDepth = 12

func newDemandStorm(t *testing.T, seed, round uint64) *demandStorm {
	d := &demandStorm{t: t, seed: seed}
	host := NewHostFunc("host", &unary, func(_ context.Context, _ *Instance, stack []uint64) error {
		growStack(int(stack[0] % 40))
		if stack[0]%7 == 0 {
			panic("seven")
		}
		stack[0]++
		return nil
	})
	modes := [...]func() *guest{newDemandGuest, newGuest}
	g := modes[round/2%2]()
	g.memory(1, 4)
	imported := g.importFunc("host", unary)
	g.typ(sig(nil, nil))
	g.typ(sig(types(i32), types(i32)))
	g.typ(sig(types(i32, i32), types(i32)))
	caller := func(name string, s abi.Signature, callee uint32) uint32 {
		return g.fn(name, s, 24, func() { g.callFunc(callee) })
	}
	last := g.fn("f", unary, 0, func() { g.addTo(result0, param0, 1) })
	for k := range stormDepth - 1 {
		below := last
		last = g.fn(fmt.Sprint("f", k), unary, 24, func() {
			for range d.draw() % 5000 {
				g.addTo(testScratch, testScratch, 1)
			}
			g.addTo(param0, param0, 1)
			g.callFunc(below)
		})
	}
	g.a.Module.Exports[len(g.a.Module.Exports)-1].Name = "chain"
	caller("host1", unary, g.fn("host0", unary, 24, func() { g.callImport(imported, 0) }))
	caller("hard1", unary, g.fn("hard", unary, 0, func() { g.addTo(result0, param0, 0) }))
	caller("unreachable1", sig(nil, nil), g.fn("unreachable", sig(nil, nil), 8, func() { g.raise(abi.TrapUnreachable) }))
	caller("spin1", sig(nil, nil), g.fn("spin", sig(nil, nil), 8, g.spin))
	g.registersFunc()
	d.lib = d.load(g, env{"host": host})

	g = modes[round%2]()
	g.memory(1, 4)
	chain, trap := g.importFunc("chain", unary), g.importFunc("trap", sig(nil, nil))
	g.fn("through", unary, 24, func() { g.callImport(chain, 0) })
	g.fn("unreachable2", sig(nil, nil), 24, func() { g.callImport(trap, 0) })
	d.app = d.load(g, env{"chain": d.lib.inst.Func("chain"), "trap": d.lib.inst.Func("unreachable1")})
	return d
}

// load makes a module with an instance. Only the instance keeps the code.
func (d *demandStorm) load(g *guest, e env) *stormModule {
	m := &stormModule{}
	a := g.artifact()
	a.Release = func() error { m.released.Add(1); return nil }
	if compile := a.Compile; compile != nil {
		a.Compile = func(k int) (*artifact.Piece, error) {
			if m.released.Load() != 0 {
				d.t.Error("asked for code after the artifact was released")
			}
			x := d.draw()
			switch x % 8 {
			case 0:
				growStack(100)
			case 1:
				runtime.GC()
			case 2:
				time.Sleep(time.Duration(x>>32%200) * time.Microsecond)
			case 3:
				runtime.Gosched()
			}
			if x&(1<<20) != 0 && a.FuncName(k) == "hard" {
				return nil, errTooHard
			}
			return compile(k)
		}
	}
	var err error
	if m.code, err = Load(a); err != nil {
		d.t.Fatal(err)
	}
	if m.inst, err = m.code.Instantiate(context.Background(), &Config{Name: "m", Resolve: e.resolve}); err != nil {
		d.t.Fatal(err)
	}
	return m
}

func (d *demandStorm) run() {
	var wg sync.WaitGroup
	for range 6 {
		wg.Go(func() {
			for range 12 {
				d.step(d.draw())
			}
		})
	}
	for range d.draw() % 3 {
		runtime.Gosched()
	}
	closings := []func() error{d.lib.code.Close, d.app.code.Close, d.lib.inst.Close, d.app.inst.Close}
	for _, k := range rand.New(rand.NewPCG(d.seed, 0)).Perm(len(closings)) {
		time.Sleep(time.Duration(d.draw()%300) * time.Microsecond)
		if err := closings[k](); err != nil {
			d.t.Error(err)
		}
	}
	wg.Wait()
	for _, m := range []*stormModule{d.lib, d.app} {
		if n := m.released.Load(); n != 1 {
			d.t.Errorf("an artifact was released %d times", n)
		}
	}
}

// step does one call and checks its result, if the instance was not closed before.
func (d *demandStorm) step(x uint64) {
	inst, name, stack := d.lib.inst, "", []uint64{x}
	ctx := context.Background()
	var panics bool
	var expect func(err error) bool
	is := func(want uint64) func(err error) bool {
		return func(err error) bool { return err == nil && stack[0] == want }
	}
	switch x >> 60 % 7 {
	case 0:
		name, expect = "chain", is(x+stormDepth)
	case 1:
		name, panics, expect = "host1", x%7 == 0, is(x+1)
	case 2:
		frames := []string{"unreachable", "unreachable1"}
		if x>>32%2 != 0 {
			inst, frames = d.app.inst, append(frames, "unreachable2")
		}
		name, expect = frames[len(frames)-1], func(err error) bool {
			var trap *Trap
			return errors.As(err, &trap) && slices.EqualFunc(trap.Frames, frames, func(f Frame, name string) bool { return f.Name == name })
		}
	case 3:
		timed, cancel := context.WithTimeout(ctx, time.Duration(x%1000)*time.Microsecond)
		defer cancel()
		ctx = timed
		name, expect = "spin1", func(err error) bool { return errors.Is(err, context.DeadlineExceeded) }
	case 4:
		stack[0] = 500
		name, expect = "registers", is(0)
	case 5:
		name, expect = "hard1", func(err error) bool {
			return err == nil && stack[0] == x || errors.Is(err, errTooHard) && strings.Contains(err.Error(), `compiling function "hard" of "m"`)
		}
	case 6:
		timed, cancel := context.WithTimeout(ctx, time.Duration(x%400)*time.Microsecond)
		defer cancel()
		inst, name, ctx = d.app.inst, "through", timed
		expect = func(err error) bool { return is(x+stormDepth)(err) || errors.Is(err, context.DeadlineExceeded) }
	}
	defer func() {
		if r := recover(); r != nil && !panics {
			panic(r)
		}
	}()
	err := inst.Func(name).Call(ctx, stack)
	if !(errors.Is(err, ErrClosed) && inst.Closed()) && (panics || !expect(err)) {
		d.t.Errorf("%s of %#x: %#x, %v", name, x, stack[0], err)
	}
}
