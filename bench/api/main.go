// Command api compares the cost of embedding beside wazero: calls in both directions, instantiation of a Go guest with an image of 20 MB, a loop under a
// context that can be cancelled, the stall of a collection beside a spinning guest. Rounds of both engines alternate; the least CPU time of each counts.
package main

import (
	"bytes"
	"context"
	"fmt"
	"log"
	"math"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"time"

	"github.com/tetratelabs/wazero"
	"github.com/tetratelabs/wazero/api"
	"github.com/tetratelabs/wazero/imports/wasi_snapshot_preview1"
	"golang.org/x/sys/unix"

	"github.com/wasmaot/wasmaot"
	"github.com/wasmaot/wasmaot/compiler"
	"github.com/wasmaot/wasmaot/engine"
)

const rounds = 40

var (
	background          = context.Background()
	cancellable, cancel = context.WithCancel(context.Background())
)

// result is the least CPU time of an operation and its allocations.
type result struct {
	ns     float64
	allocs float64
	n      uint64 // operations a round
}

// run measures one round: what the thread used, which other load on the machine does not lengthen as much as the time that passed.
func (r *result) run(f func(n uint64)) {
	start := threadTime()
	f(r.n)
	d := threadTime() - start
	if ns := float64(d.Nanoseconds()) / float64(r.n); r.ns == 0 || ns < r.ns {
		r.ns = ns
	}
}

func threadTime() time.Duration {
	var t unix.Timespec
	check(unix.ClockGettime(unix.CLOCK_THREAD_CPUTIME_ID, &t))
	return time.Duration(t.Nano())
}

// compare runs functions that repeat an operation in turn.
func compare(fs ...func(n uint64)) []result {
	runtime.LockOSThread()
	defer runtime.UnlockOSThread()
	r := make([]result, len(fs))
	for i, f := range fs {
		for r[i].n = 1; ; r[i].n *= 2 {
			if r[i].run(f); r[i].ns*float64(r[i].n) >= float64(5*time.Millisecond) {
				break
			}
		}
		var before, after runtime.MemStats
		runtime.ReadMemStats(&before)
		f(r[i].n)
		runtime.ReadMemStats(&after)
		r[i].allocs = math.Floor(float64(after.Mallocs-before.Mallocs) / float64(r[i].n))
	}
	for range rounds {
		for i, f := range fs {
			r[i].run(f)
		}
	}
	return r
}

func check(err error) {
	if err != nil {
		log.Fatal(err)
	}
}

func must[T any](v T, err error) T {
	check(err)
	return v
}

// module imports env.host (i32, i64) → i64 and exports add (i32, i32) → i32, loop (i32) → i32, which calls host as often as its parameter says, work
// (i32) → i32, which counts its parameter down, spin, which never ends, and once (i32) → i32, which calls host once.
var module = []byte("\x00asm\x01\x00\x00\x00" +
	"\x01\x15\x04\x60\x02\x7f\x7f\x01\x7f\x60\x01\x7f\x01\x7f\x60\x00\x00\x60\x02\x7f\x7e\x01\x7e" +
	"\x02\x0c\x01\x03env\x04host\x00\x03" +
	"\x03\x06\x05\x00\x01\x01\x02\x01" +
	"\x07\x23\x05\x03add\x00\x01\x04loop\x00\x02\x04work\x00\x03\x04spin\x00\x04\x04once\x00\x05" +
	"\x0a\x46\x05\x07\x00\x20\x00\x20\x01\x6a\x0b" +
	"\x17\x00\x03\x40\x20\x00\x42\x07\x10\x00\x1a\x20\x00\x41\x01\x6b\x22\x00\x0d\x00\x0b\x20\x00\x0b" +
	"\x10\x00\x03\x40\x20\x00\x41\x01\x6b\x22\x00\x0d\x00\x0b\x20\x00\x0b" +
	"\x07\x00\x03\x40\x0c\x00\x0b\x0b" +
	"\x0b\x00\x20\x00\x42\x07\x10\x00\x1a\x20\x00\x0b")

func main() {
	log.SetFlags(0)
	fmt.Printf("%44s%8s%14s%8s%9s\n", "wasmaot ns", "allocs", "wazero ns", "allocs", "ratio")
	row := func(name string, r []result) {
		fmt.Printf("%-33s%11.1f%8.0f%14.1f%8.0f%9.2f\n", name, r[0].ns, r[0].allocs, r[1].ns, r[1].allocs, r[1].ns/r[0].ns)
	}

	m := load(module)
	ours := instantiate(m, engine.Host2("host", func(_ engine.Caller, _ int32, y int64) (int64, error) { return y, nil }))
	stackHost := engine.FuncType{Params: []engine.ValueType{engine.I32, engine.I64}, Results: []engine.ValueType{engine.I64}}
	oursStack := instantiate(m, engine.HostFunc("host", stackHost, func(_ context.Context, _ *engine.Instance, s []uint64) error { s[0] = s[1]; return nil }))
	theirs := instantiateWazero(background, wazero.NewRuntime(background), module)

	add := must(engine.Get2[int32, int32, int32](ours, "add"))
	addW, stackW := theirs.ExportedFunction("add"), make([]uint64, 2)
	addStack, stack := ours.Func("add"), make([]uint64, 2)
	calls := compare(
		func(n uint64) {
			for range n {
				add.Call(background, 1, 2)
			}
		}, func(n uint64) {
			for range n {
				addStack.Call(background, stack)
			}
		}, func(n uint64) {
			for range n {
				addW.CallWithStack(background, stackW)
			}
		})
	row("host → guest, typed", []result{calls[0], calls[2]})
	row("host → guest, stack", calls[1:])

	row("… under a cancellable context", compare(
		func(n uint64) {
			for range n {
				add.Call(cancellable, 1, 2)
			}
		}, func(n uint64) {
			for range n {
				addW.CallWithStack(cancellable, stackW)
			}
		}))

	loop, loopStack, loopW := must(engine.Get1[int32, int32](ours, "loop")), must(engine.Get1[int32, int32](oursStack, "loop")), theirs.ExportedFunction("loop")
	hostCalls := compare(
		func(n uint64) { loop.Call(background, int32(n)) },
		func(n uint64) { loopStack.Call(background, int32(n)) },
		func(n uint64) { stackW[0] = n; loopW.CallWithStack(background, stackW) })
	row("guest → host, typed", []result{hostCalls[0], hostCalls[2]})
	row("guest → host, stack", hostCalls[1:])

	once, onceW := ours.Func("once"), theirs.ExportedFunction("once")
	row("host → guest → host", compare(
		func(n uint64) {
			for range n {
				once.Call(background, stack)
			}
		}, func(n uint64) {
			for range n {
				onceW.CallWithStack(background, stackW)
			}
		}))

	goGuest(row)

	work := must(engine.Get1[int32, int32](ours, "work"))
	closing := wazero.NewRuntimeWithConfig(background, wazero.NewRuntimeConfig().WithCloseOnContextDone(true))
	workW := instantiateWazero(background, closing, module).ExportedFunction("work")
	plainW := theirs.ExportedFunction("work")
	r := compare(
		func(n uint64) { work.Call(background, int32(n)) },
		func(n uint64) { work.Call(cancellable, int32(n)) },
		func(n uint64) { stackW[0] = n; plainW.CallWithStack(background, stackW) },
		func(n uint64) { stackW[0] = n; workW.CallWithStack(cancellable, stackW) })
	fmt.Printf("\nloop under a cancellable context, as a ratio to one without: wasmaot %.3f, wazero %.3f\n", r[1].ns/r[0].ns, r[3].ns/r[2].ns)

	guest, native := gcStall(func(ctx context.Context) { ours.Func("spin").Call(ctx, nil) }), gcStall(nativeLoop)
	for range 4 {
		guest = min(guest, gcStall(func(ctx context.Context) { ours.Func("spin").Call(ctx, nil) }))
		native = min(native, gcStall(nativeLoop))
	}
	fmt.Printf("longest of 20 runtime.GC(): beside a spinning guest %v, beside a native loop %v\n", guest, native)
}

func load(src []byte) *engine.Module {
	return must(engine.Load("bench", must(wasmaot.Precompile(background, "bench", src, compiler.Options{}))))
}

func instantiate(m *engine.Module, host *engine.Func) *engine.Instance {
	imports := []engine.Importer{engine.NewHostModule("env").Add("host", host)}
	return must(m.Instantiate(background, &engine.InstanceConfig{Imports: imports}))
}

func instantiateWazero(ctx context.Context, r wazero.Runtime, src []byte) api.Module {
	must(r.NewHostModuleBuilder("env").NewFunctionBuilder().
		WithGoFunction(api.GoFunc(func(_ context.Context, s []uint64) { s[0] = s[1] }), []api.ValueType{api.ValueTypeI32, api.ValueTypeI64}, []api.ValueType{api.ValueTypeI64}).
		Export("host").Instantiate(ctx))
	return must(r.Instantiate(ctx, src))
}

// nativeLoop spins until the context ends.
func nativeLoop(ctx context.Context) {
	for ctx.Err() == nil {
		for n := 0; n < math.MaxInt16; n++ {
		}
	}
}

// gcStall is the longest collection beside something that computes.
func gcStall(spin func(ctx context.Context)) (longest time.Duration) {
	ctx, stop := context.WithCancel(background)
	done := make(chan bool)
	go func() { spin(ctx); close(done) }()
	time.Sleep(20 * time.Millisecond)
	for range 20 {
		start := time.Now()
		runtime.GC()
		longest = max(longest, time.Since(start))
	}
	stop()
	<-done
	return longest
}

// imageGuest has 20 MB of initialised data.
const imageGuest = `package main

import _ "embed"

//go:embed blob
var blob string

//go:wasmexport byteAt
func byteAt(i int32) int32 { return int32(blob[i]) }

func main() {}
`

// goGuest compares instantiating a Go guest whose memory image has 20 MB, without running it, and setting an instance back after 10 pages were written.
func goGuest(row func(string, []result)) {
	dir := must(os.MkdirTemp("", "wasmaot-bench-*"))
	defer os.RemoveAll(dir)
	blob := make([]byte, 20<<20)
	rand.NewChaCha8([32]byte{}).Read(blob)
	for name, contents := range map[string][]byte{"go.mod": []byte("module example.com/image\n\ngo 1.24\n"), "main.go": []byte(imageGuest), "blob": blob} {
		check(os.WriteFile(filepath.Join(dir, name), contents, 0o600))
	}
	wasm := filepath.Join(dir, "image.wasm")
	cmd := exec.Command("go", "build", "-buildmode=c-shared", "-o", wasm, ".")
	cmd.Dir, cmd.Env = dir, append(os.Environ(), "GOOS=wasip1", "GOARCH=wasm", "GOWORK=off")
	if out, err := cmd.CombinedOutput(); err != nil {
		log.Fatalf("%v\n%s", err, bytes.TrimSpace(out))
	}
	src := must(os.ReadFile(wasm))
	m := load(src)
	r := wazero.NewRuntime(background)
	wasi_snapshot_preview1.MustInstantiate(background, r)
	mW := must(r.CompileModule(background, src))
	start := wazero.NewModuleConfig().WithStartFunctions().WithName("")
	c := &engine.InstanceConfig{WASI: &engine.WASI{}}
	both := compare(
		func(n uint64) {
			for range n {
				check(must(m.Instantiate(background, c)).Close())
			}
		}, func(n uint64) {
			for range n {
				check(must(r.InstantiateModule(background, mW, start)).Close(background))
			}
		})
	row("instantiate 20 MB, fresh", both)

	pool := engine.NewPool(m, &engine.PoolConfig{Instance: *c})
	defer pool.Close()
	pooled := compare(func(n uint64) {
		for range n {
			pool.Put(must(pool.Get(background)))
		}
	})
	row("… from a Pool (wazero: fresh)", []result{pooled[0], both[1]})

	i := must(m.Instantiate(background, c))
	check(engine.Initialize(background, i))
	check(i.Checkpoint())
	reset := compare(func(n uint64) {
		for range n {
			for page := range uint64(10) {
				i.Memory().SetUint32(page<<16, 1)
			}
			check(i.Reset())
		}
	})
	row("reset after 10 pages (as above)", []result{reset[0], both[1]})
}
