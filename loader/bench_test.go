//go:build linux && (amd64 || arm64)

package loader

import (
	"context"
	"runtime"
	"testing"
	"time"

	"github.com/wasmaot/wasmaot/compiler/abi"
)

func BenchmarkCall(b *testing.B) {
	g := newGuest()
	g.addFunc()
	i := g.instance(b, nil)
	f, stack, ctx := i.Func("add"), []uint64{1, 2}, context.Background()
	for b.Loop() {
		f.Call(ctx, stack)
	}
}

func BenchmarkCallCancellable(b *testing.B) {
	g := newGuest()
	g.addFunc()
	i := g.instance(b, nil)
	ctx, cancel := context.WithCancel(context.Background())
	defer cancel()
	f, stack := i.Func("add"), []uint64{1, 2}
	for b.Loop() {
		f.Call(ctx, stack)
	}
}

// BenchmarkRun leaves out taking a stack and giving it back: entering and leaving native code alone.
func BenchmarkRun(b *testing.B) {
	g := newGuest()
	g.addFunc()
	i := g.instance(b, nil)
	f := i.Func("add")
	entry := f.entry.Load()
	s, err := i.stacks.get()
	if err != nil {
		b.Fatal(err)
	}
	defer s.put()
	slots := [2]uint64{1, 2}
	for b.Loop() {
		run(s, f.desc, entry, &slots[0])
	}
}

func benchHostCalls(b *testing.B, ctx context.Context) {
	g := newGuest()
	s := g.hostLoop()
	i := g.instance(b, env{"host": NewHostFunc("host", &s, func(_ context.Context, _ *Instance, stack []uint64) error { return nil })})
	b.ResetTimer()
	if err := i.Func("f").Call(ctx, []uint64{uint64(b.N)}); err != nil {
		b.Fatal(err)
	}
}

func BenchmarkHostCall(b *testing.B) { benchHostCalls(b, context.Background()) }

func BenchmarkHostCallCancellable(b *testing.B) {
	ctx, cancel := context.WithCancel(context.Background())
	defer cancel()
	benchHostCalls(b, ctx)
}

func BenchmarkTrap(b *testing.B) {
	g := newGuest()
	g.memory(1, 1)
	g.fn("unreachable", sig(nil, nil), 8, func() { g.raise(abi.TrapUnreachable) })
	g.fn("outside", sig(nil, nil), 8, func() {
		g.addTo(conv.MemBase, conv.MemBase, wasmPage)
		g.trap(abi.TrapMemoryOutOfBounds)
		g.loadWord(result0, conv.MemBase, 0)
	})
	i := g.instance(b, nil)
	for _, name := range []string{"unreachable", "outside"} {
		b.Run(name, func(b *testing.B) {
			f := i.Func(name)
			for b.Loop() {
				if f.Call(context.Background(), nil) == nil {
					b.Fatal("no trap")
				}
			}
		})
	}
}

// BenchmarkGC is the latency of a collection beside a guest in an endless loop; BenchmarkGCBesideGo beside Go code that computes.
func BenchmarkGC(b *testing.B) {
	i := spinner(b)
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan error)
	go func() { done <- i.Func("spin").Call(ctx, nil) }()
	time.Sleep(time.Millisecond)
	for b.Loop() {
		runtime.GC()
	}
	cancel()
	<-done
}

func BenchmarkGCBesideGo(b *testing.B) {
	stop := false
	go func() {
		for n := 0; !stop; n++ {
		}
	}()
	time.Sleep(time.Millisecond)
	for b.Loop() {
		runtime.GC()
	}
	stop = true
}

// BenchmarkCancel is the time from the end of a context to the return of the call that it stops.
func BenchmarkCancel(b *testing.B) {
	i := spinner(b)
	f := i.Func("spin")
	var total time.Duration
	for b.Loop() {
		ctx, cancel := context.WithCancel(context.Background())
		var start time.Time
		time.AfterFunc(200*time.Microsecond, func() { start = time.Now(); cancel() })
		f.Call(ctx, nil)
		total += time.Since(start)
	}
	b.ReportMetric(float64(total.Nanoseconds())/float64(b.N), "ns/stop")
}

func BenchmarkInstantiate(b *testing.B) {
	g := newGuest()
	g.memory(4, 100)
	g.addFunc()
	c := g.load(b)
	for b.Loop() {
		i, err := c.Instantiate(context.Background(), nil)
		if err != nil {
			b.Fatal(err)
		}
		i.Close()
	}
}

// BenchmarkMemoryGrow grows a memory page by page, each touched once.
func BenchmarkMemoryGrow(b *testing.B) {
	var i *Instance
	g := newGuest()
	g.memory(0, 65536)
	c := g.load(b)
	for b.Loop() {
		if i == nil || i.Memory().Pages() == 65536 {
			if i != nil {
				i.Close()
			}
			i, _ = c.Instantiate(context.Background(), nil)
		}
		i.Memory().Grow(1)
	}
	i.Close()
}
