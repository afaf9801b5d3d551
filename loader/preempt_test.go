//go:build linux && (amd64 || arm64)

package loader

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"os"
	osexec "os/exec"
	"runtime"
	"runtime/debug"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"golang.org/x/sys/cpu"

	"github.com/wasmaot/wasmaot/compiler/abi"
	"github.com/wasmaot/wasmaot/compiler/artifact"
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
		g.raw([]byte{0xe9}) // jmp back
		g.imm32(int64(at - len(g.code) - 4))
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

// registersFunc is a loop that computes with all general and vector registers and the flags until edi rounds are over,
// and counts in eax how often something was not as it must be.
func (g *guest) registersFunc() {
	g.fn("registers", sig(types(i32), types(i32)), 8, func() {
		regs := []gpr{rbx, rcx, rdx, rsi, rbp, r8, r9, r10, r11, r12, r13}
		g.mem(movStore, r14, rsp, 0)
		g.raw([]byte{0x31, 0xc0}) // xor eax, eax
		for _, r := range append(regs, r14, r15) {
			g.raw([]byte{0x48 | r>>3, 0xc7, 0xc0 | r&7}) // mov r, imm32
			g.imm32(int64(r) * 0x01010101)
		}
		for x := uint8(0); x < 16; x++ {
			g.reg(form{prefix: 0x66, wide: true, opcode: []byte{0x0f, 0x6e}}, x, regs[int(x)%len(regs)]) // movq x, r
			g.reg(form{opcode: []byte{0x0f, 0x16}}, x, x)                                                // movlhps x, x
		}
		// vinsertf128 and vextractf128 for the upper halves.
		upper := func(opcode byte, x uint8, v uint8) []byte {
			return []byte{0xc4, ^(x >> 3 << 7) & 0x80, ^v&15<<3 | 5, opcode}
		}
		if cpu.X86.HasAVX {
			for x := uint8(0); x < 16; x++ {
				in := upper(0x18, x, x)
				in[1] = ^(x>>3<<7|x>>3<<5)&0xa0 | 0x43
				g.raw(append(in, 0xc0|x&7<<3|x&7, 1)) // vinsertf128 x, x, x, 1
			}
		}
		loop := len(g.code)
		failed := func() { g.raw([]byte{0x74, 0x02, 0xff, 0xc0}) } // jz +2; inc eax
		for _, r := range append(regs, r14, r15) {
			g.raw([]byte{0x48 | r>>3, 0x81, 0xf8 | r&7}) // cmp r, imm32
			g.imm32(int64(r) * 0x01010101)
			failed()
		}
		for x := uint8(0); x < 16; x++ {
			r := regs[int(x)%len(regs)]
			for _, shift := range []bool{false, true} {
				if shift { // the upper half comes down: shufps x, x, 0x4e
					g.reg(form{opcode: []byte{0x0f, 0xc6}}, x, x)
					g.raw([]byte{0x4e})
				}
				// Compare in memory below the stack pointer: movq [rsp-16], x; cmp r, [rsp-16]
				g.mem(movsdTo, x, rsp, -16)
				g.mem(form{wide: true, opcode: []byte{0x3b}}, r, rsp, -16)
				failed()
			}
		}
		for x := uint8(0); x < 16 && cpu.X86.HasAVX; x++ {
			out := upper(0x19, x, 0)
			out[1] |= 0x63
			g.raw(append(out, 0x44|x&7<<3, 0x24, 0xe0, 1)) // vextractf128 [rsp-32], x, 1
			g.mem(form{wide: true, opcode: []byte{0x3b}}, regs[int(x)%len(regs)], rsp, -24)
			failed()
		}
		// Flags: stc; jc +2; inc eax.
		g.raw([]byte{0xf9, 0x72, 0x02, 0xff, 0xc0})
		g.raw([]byte{0xff, 0xcf, 0x0f, 0x85}) // dec edi; jnz loop
		g.imm32(int64(loop - len(g.code) - 4))
		g.mem(movLoad, r14, rsp, 0)
	})
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
	g.fn("unreachable", sig(nil, nil), 8, func() { g.ud2(abi.TrapUnreachable) })
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
	faults := map[string]func(g *guest){
		"null": func(g *guest) {
			g.trap(abi.TrapMemoryOutOfBounds)
			g.raw([]byte{0x8b, 0x04, 0x25, 8, 0, 0, 0}) // mov eax, [8]
		},
		"below memory": func(g *guest) {
			g.trap(abi.TrapMemoryOutOfBounds)
			g.mem(movLoad, rax, r15, -8)
		},
		"write to code": func(g *guest) {
			g.trap(abi.TrapMemoryOutOfBounds)
			g.raw([]byte{0x89, 0x05, 0xf0, 0xff, 0xff, 0xff}) // mov [rip-16], eax
		},
		"beyond explicitly checked memory": func(g *guest) {
			g.a.Header.Tier = artifact.TierExplicit
			g.a.Module.Mems[0].Max = 2
			g.trap(abi.TrapMemoryOutOfBounds)
			g.mem(movLoad, rax, r15, wasmPage)
		},
		"not in the map": func(g *guest) { g.raw([]byte{0x0f, 0x0b}) },
	}
	if name := os.Getenv(variable); name != "" {
		g := newGuest()
		g.memory(1, 1)
		g.fn("f", sig(nil, nil), 8, func() { faults[name](g) })
		_, err := call(t, g.instance(t, nil), "f")
		fmt.Println("survived with", err)
		os.Exit(0)
	}
	for name := range faults {
		cmd := osexec.Command(os.Args[0], "-test.run=^TestForeignFaults$")
		cmd.Env = append(os.Environ(), variable+"="+name)
		out, err := cmd.CombinedOutput()
		if err == nil || !strings.Contains(string(out), "this is a bug in the compiler") || !strings.Contains(string(out), "goroutine") {
			t.Errorf("%s: %v\n%s", name, err, out)
		}
	}
}
