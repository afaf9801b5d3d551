package wasmaot_test

import (
	"context"
	"encoding/hex"
	"errors"
	"runtime"
	"runtime/debug"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/wasmaot/wasmaot"
	"github.com/wasmaot/wasmaot/compiler/abi"
	"github.com/wasmaot/wasmaot/internal/nativetest"
	"github.com/wasmaot/wasmaot/loader"
)

// trapModules have one function, named "culprit", that is exported as _start and traps.
var trapModules = []struct {
	trap abi.Trap
	hex  string
}{
	{abi.TrapUnreachable, "0061736d01000000 010401600000 03020100 070a01065f737461727400 00 0a05010300000b"},
	{abi.TrapDivideByZero, "0061736d01000000 010401600000 03020100 070a01065f737461727400 00 0a0a010800 410141006d1a0b"},
	{abi.TrapMemoryOutOfBounds, "0061736d01000000 010401600000 03020100 0503010001 070a01065f737461727400 00 0a0c010a00 41808004280200 1a0b"},
	{abi.TrapStackExhausted, "0061736d01000000 010401600000 03020100 070a01065f737461727400 00 0a08010600 10001000 0b"},
	{abi.TrapIndirectCallType, "0061736d01000000 010802 600000 6000017f 03020100 040401700001 070a01065f737461727400 00 0907010041000b0100 0a0a010800 4100110100 1a0b"},
	{abi.TrapUndefinedElement, "0061736d01000000 010401600000 03020100 040401700001 070a01065f737461727400 00 0a09010700 4105110000 0b"},
	{abi.TrapUninitializedElement, "0061736d01000000 010401600000 03020100 040401700001 070a01065f737461727400 00 0a09010700 4100110000 0b"},
}

// spinModule's _start is an endless empty loop.
const spinModule = "0061736d01000000 010401600000 03020100 070a01065f737461727400 00 0a09010700 03400c000b0b"

const culpritName = "0011046e616d65010a010007" + "63756c70726974"

func compileHex(t *testing.T, digits string, demand wasmaot.Demand) *wasmaot.Module {
	t.Helper()
	src, err := hex.DecodeString(strings.ReplaceAll(digits, " ", ""))
	if err != nil {
		t.Fatal(err)
	}
	m, err := wasmaot.NewRuntime(&wasmaot.Config{Demand: demand}).Compile(context.Background(), "test.wasm", src)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := m.Close(); err != nil {
			t.Error(err)
		}
	})
	return m
}

// bothWays runs a test with code compiled ahead and on demand.
func bothWays(t *testing.T, test func(t *testing.T, demand wasmaot.Demand)) {
	nativetest.Require(t)
	t.Run("ahead", func(t *testing.T) { test(t, wasmaot.DemandNever) })
	t.Run("on demand", func(t *testing.T) { test(t, wasmaot.DemandAlways) })
}

// TestTraps runs guests that trap, 8 at a time beside a busy garbage collector: each gets its own trap with the culprit's
// name, and the host goes on.
func TestTraps(t *testing.T) { bothWays(t, testTraps) }

func testTraps(t *testing.T, demand wasmaot.Demand) {
	defer debug.SetGCPercent(debug.SetGCPercent(1))
	modules := make([]*wasmaot.Module, len(trapModules))
	for i, tm := range trapModules {
		modules[i] = compileHex(t, tm.hex+culpritName, demand)
	}
	var wg sync.WaitGroup
	for g := range 8 {
		wg.Go(func() {
			var garbage [][]byte
			for n := range 10 * len(modules) {
				i := (n + g) % len(modules)
				garbage = append(garbage[:n%50], make([]byte, 1000))
				_, err := modules[i].Run(context.Background(), &wasmaot.InstanceConfig{StackSize: 1 << 20})
				var trap *loader.Trap
				if !errors.As(err, &trap) {
					t.Errorf("expected the trap %q, found %v", trapModules[i].trap, err)
				} else if trap.Code != trapModules[i].trap || !strings.Contains(trap.Backtrace(), "culprit") {
					t.Errorf("expected the trap %q in culprit, found %q\n%.300s", trapModules[i].trap, trap.Code, trap.Backtrace())
				}
			}
		})
	}
	wg.Wait()
}

// TestSpinningGuest has a guest in an empty loop beside the host's collector: collections end, and so does the guest with its context.
func TestSpinningGuest(t *testing.T) { bothWays(t, testSpinningGuest) }

func testSpinningGuest(t *testing.T, demand wasmaot.Demand) {
	m := compileHex(t, spinModule, demand)
	ctx, cancel := context.WithCancelCause(context.Background())
	over := errors.New("it is over")
	done := make(chan error)
	go func() {
		_, err := m.Run(ctx, &wasmaot.InstanceConfig{})
		done <- err
	}()
	time.Sleep(20 * time.Millisecond)
	for range 10 {
		runtime.GC() // would wait for ever if the guest could not be stopped
	}
	cancel(over)
	err := <-done
	var stopped *loader.Interrupted
	if !errors.As(err, &stopped) || !errors.Is(err, over) {
		t.Errorf("expected an interruption because %v, found %v", over, err)
	}
}

// BenchmarkGC is runtime.GC beside a guest that spins, and beside a Go loop.
func BenchmarkGC(b *testing.B) {
	src, err := hex.DecodeString(strings.ReplaceAll(spinModule, " ", ""))
	if err != nil {
		b.Fatal(err)
	}
	var stop atomic.Bool
	for _, who := range []string{"guest", "loop"} {
		b.Run(who, func(b *testing.B) {
			ctx, cancel := context.WithCancel(context.Background())
			done := make(chan struct{})
			if who == "guest" {
				m, err := wasmaot.NewRuntime(nil).Compile(ctx, "spin.wasm", src)
				if err != nil {
					b.Fatal(err)
				}
				go func() { m.Run(ctx, &wasmaot.InstanceConfig{}); close(done) }()
			} else {
				go func() {
					for ctx.Err() == nil {
						for range 1 << 40 {
							if stop.Load() {
								break
							}
						}
					}
					close(done)
				}()
			}
			for b.Loop() {
				runtime.GC()
			}
			stop.Store(true)
			cancel()
			<-done
			stop.Store(false)
		})
	}
}
