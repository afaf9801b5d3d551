//go:build linux && (amd64 || arm64)

package engine_test

import (
	"bytes"
	"context"
	"fmt"
	"os"
	"runtime"
	"runtime/debug"
	"strconv"
	"sync"
	"testing"
	"time"

	"github.com/wasmaot/wasmaot"
	"github.com/wasmaot/wasmaot/engine"
	"github.com/wasmaot/wasmaot/internal/nativetest"
)

// usage is what the process has of the things that leaks are made of.
type usage struct{ maps, fds, threads, rss int }

func used(t *testing.T) (u usage) {
	t.Helper()
	runtime.GC()
	count := func(dir string) int {
		list, err := os.ReadDir(dir)
		if err != nil {
			t.Fatal(err)
		}
		return len(list)
	}
	maps, err := os.ReadFile("/proc/self/maps")
	if err != nil {
		t.Fatal(err)
	}
	statm, err := os.ReadFile("/proc/self/statm")
	if err != nil {
		t.Fatal(err)
	}
	var pages int
	if _, err := fmt.Sscan(string(bytes.Fields(statm)[1]), &pages); err != nil {
		t.Fatal(err)
	}
	return usage{bytes.Count(maps, []byte("\n")), count("/proc/self/fd"), count("/proc/self/task"), pages * os.Getpagesize()}
}

// number is a test's size, from the environment for longer campaigns.
func number(t *testing.T, variable string, n int) int {
	t.Helper()
	if s := os.Getenv(variable); s != "" {
		var err error
		if n, err = strconv.Atoi(s); err != nil {
			t.Fatal(err)
		}
	}
	return n
}

// reservations is n, less under an emulator: that keeps a book about every page of what is reserved, 8 GiB for a memory.
func reservations(n int) int {
	if nativetest.Emulated() {
		return n / 100
	}
	return n
}

// TestManyInstances makes instances one after the other, calls and closes them: nothing is left behind.
func TestManyInstances(t *testing.T) {
	n := number(t, "WASMAOT_INSTANCES", reservations(20_000))
	m := load(t, testModule)
	c := env(engine.Host1("host", identity))
	round := func(n int) {
		for k := range n {
			i, err := m.Instantiate(background, c)
			if err != nil {
				t.Fatal(err)
			}
			stack := []uint64{uint64(k), 1}
			if err := i.Func("add").Call(background, stack); err != nil || stack[0] != uint64(k)+1 {
				t.Fatal(stack, err)
			}
			if err := i.Close(); err != nil {
				t.Fatal(err)
			}
		}
	}
	round(n / 20)
	before := used(t)
	round(n)
	after := used(t)
	t.Logf("%d instances: before %+v, after %+v", n, before, after)
	if after.maps > before.maps+16 || after.fds > before.fds+2 || after.threads > before.threads+8 || after.rss > before.rss+64<<20 {
		t.Errorf("after %d instances: before %+v, after %+v", n, before, after)
	}
}

// TestLiveInstances has many instances at once, each with its own memory. More than about 16,000, WASMAOT_LIVE=20000 say, are of both memory tiers.
func TestLiveInstances(t *testing.T) {
	n := number(t, "WASMAOT_LIVE", reservations(10_000))
	m, err := wasmaot.NewRuntime(nil).Compile(background, "test", testModule)
	if err != nil {
		t.Fatal(err)
	}
	defer m.Close()
	c := env(engine.Host1("host", identity))
	live := make([]*engine.Instance, 0, n)
	defer func() {
		for _, i := range live {
			i.Close()
		}
	}()
	for k := range n {
		i, err := m.Instantiate(background, c)
		if err != nil {
			t.Fatalf("instance %d: %v", k, err)
		}
		live = append(live, i)
		if !i.Memory().SetUint32(16, uint32(k)) {
			t.Fatal("no memory")
		}
	}
	for k, i := range live {
		if err := i.Func("count").Call(background, nil); err != nil {
			t.Fatal(err)
		}
		if v, _ := i.Memory().Uint32(16); v != uint32(k)+1 {
			t.Fatalf("instance %d: expected %d, found %d", k, k+1, v)
		}
	}
	t.Logf("%d live instances: %+v", n, used(t))
}

// TestStorm has goroutines that call guests, are preempted all the time, cancel and trap, beside a busy collector. WASMAOT_STORM is its length in rounds.
func TestStorm(t *testing.T) {
	rounds := number(t, "WASMAOT_STORM", 30)
	defer debug.SetGCPercent(debug.SetGCPercent(1))
	onDemand, err := wasmaot.NewRuntime(&wasmaot.Config{Demand: wasmaot.DemandAlways}).Compile(background, "test", testModule)
	if err != nil {
		t.Fatal(err)
	}
	defer onDemand.Close()
	modules := []*engine.Module{load(t, testModule), onDemand}
	var wg sync.WaitGroup
	for g := range 64 {
		m := modules[g%2]
		wg.Go(func() {
			i, err := m.Instantiate(background, env(engine.Host1("host", func(c engine.Caller, x int32) (int32, error) {
				garbage := make([]byte, 512)
				return x + int32(garbage[x&511]), nil
			})))
			if err != nil {
				t.Error(err)
				return
			}
			defer i.Close()
			work, _ := engine.Get1[int32, int32](i, "work")
			loop, _ := engine.Get1[int32, int32](i, "loop")
			call, _ := engine.Get1[int32, int32](i, "call")
			for n := range rounds {
				if v, err := call.Call(background, int32(n)); v != int32(n) || err != nil {
					t.Errorf("goroutine %d: call: %d, %v", g, v, err)
				}
				if v, err := work.Call(background, 200_000); v != 0 || err != nil {
					t.Errorf("goroutine %d: work: %d, %v", g, v, err)
				}
				if v, err := loop.Call(background, 500); v != 0 || err != nil {
					t.Errorf("goroutine %d: loop: %d, %v", g, v, err)
				}
				if n%10 == 0 {
					ctx, cancel := context.WithTimeout(background, time.Duration(g)*50*time.Microsecond)
					if err := i.Func("spin").Call(ctx, nil); err == nil || ctx.Err() == nil {
						t.Errorf("goroutine %d: spin: %v", g, err)
					}
					cancel()
				}
				runtime.Gosched()
			}
		})
	}
	wg.Wait()
}
