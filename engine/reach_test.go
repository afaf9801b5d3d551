//go:build linux && (amd64 || arm64)

package engine_test

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"testing"

	"github.com/wasmaot/wasmaot"
	"github.com/wasmaot/wasmaot/engine"
	"github.com/wasmaot/wasmaot/loader"
)

// What other APIs offer and a layer for them needs: listeners, allocators, import resolvers, close notifiers.

func TestListener(t *testing.T) {
	failed := errors.New("failed")
	c := env(engine.Host1("host", func(_ engine.Caller, x int32) (int32, error) {
		if x == 9 {
			return 0, failed
		}
		return x + 1, nil
	}))
	var log []string
	c.Listener = &engine.Listener{
		Before: func(_ context.Context, c *engine.ListenedCall) {
			log = append(log, fmt.Sprintf("%s(%d) from %d frames", c.Func.Name(), c.Values[0], len(c.Callers())))
		},
		After: func(_ context.Context, c *engine.ListenedCall, err error) {
			log = append(log, fmt.Sprintf("%s = %d, %v", c.Func.Name(), c.Values[0], err))
			if c.Func.Instance() == nil && err == nil {
				c.Values[0] *= 2
			}
		},
	}
	i := instance(t, c)
	f := i.Func("call")
	call, _ := engine.Get1[int32, int32](i, "call")
	for range 10 { // the first calls take another way than later ones
		log = nil
		if v, err := call.Call(background, 4); v != 10 || err != nil {
			t.Fatalf("call: %d, %v", v, err)
		}
		want := []string{f.Name() + "(4) from 0 frames", "host(4) from 1 frames", "host = 5, <nil>", f.Name() + " = 10, <nil>"}
		if !slices.Equal(log, want) {
			t.Fatalf("expected %q, found %q", want, log)
		}
	}
	log = nil
	if _, err := call.Call(background, 9); !errors.Is(err, failed) || len(log) != 4 || log[3] != f.Name()+" = 9, failed" {
		t.Errorf("%v, %q", err, log)
	}
}

func TestAllocate(t *testing.T) {
	m, err := wasmaot.NewRuntime(nil).Compile(background, "test", testModule)
	if err != nil {
		t.Fatal(err)
	}
	defer m.Close()
	const page = 65536
	bytes, released, closed := make([]byte, 3*page), 0, 0
	c := env(engine.Host1("host", identity))
	c.OnClose = func() { closed++ }
	c.Allocate = func(low, high uint64) ([]byte, func(), error) {
		if low != page || high != 100*page {
			t.Errorf("memory of %d to %d bytes", low, high)
		}
		return bytes, func() { released++ }, nil
	}
	i, err := m.Instantiate(background, c)
	if err != nil {
		t.Fatal(err)
	}
	if err := i.Func("count").Call(background, nil); err != nil || bytes[16] != 41 {
		t.Errorf("the host's bytes hold %d, %v", bytes[16], err)
	}
	if err := i.Checkpoint(); err != nil {
		t.Fatal(err)
	}
	grow, _ := engine.Get1[int32, int32](i, "grow")
	if old, err := grow.Call(background, 2); old != 1 || err != nil {
		t.Errorf("grow: %d, %v", old, err)
	}
	if old, err := grow.Call(background, 1); old != -1 || err != nil {
		t.Errorf("growing beyond what the host gave: %d, %v", old, err)
	}
	bytes[16], bytes[2*page] = 7, 7
	if err := i.Reset(); err != nil || i.Memory().Pages() != 1 || bytes[16] != 41 || bytes[2*page] != 0 {
		t.Errorf("reset: %v, %d pages, %d, %d", err, i.Memory().Pages(), bytes[16], bytes[2*page])
	}
	if i.Close(); released != 1 || closed != 1 {
		t.Errorf("released %d times, closed %d times", released, closed)
	}
	if _, err := load(t, testModule).Instantiate(background, c); !errors.Is(err, loader.ErrAddressSpace) {
		t.Errorf("code that needs guards: %v", err)
	}
	failed := errors.New("failed")
	c.Allocate = func(low, high uint64) ([]byte, func(), error) { return nil, nil, failed }
	if _, err := m.Instantiate(background, c); !errors.Is(err, failed) {
		t.Errorf("an allocator that fails: %v", err)
	}
	c.Allocate = func(low, high uint64) ([]byte, func(), error) { return bytes[:1], func() { released++ }, nil }
	if _, err := m.Instantiate(background, c); err == nil || released != 2 {
		t.Errorf("an allocator that gives too little: %v, released %d times", err, released)
	}
}

func TestResolverAndCloseNotifier(t *testing.T) {
	asked, closed := []string{}, 0
	c := &engine.InstanceConfig{
		Imports: []engine.Importer{engine.ResolveFunc(func(module, name string) (engine.Extern, bool) {
			asked = append(asked, module+"."+name)
			return engine.Host1("host", identity), true
		})},
		OnClose: func() { closed++ },
	}
	i := instance(t, c)
	if !slices.Equal(asked, []string{"env.host"}) {
		t.Errorf("asked for %q", asked)
	}
	if i.Close(); closed != 1 {
		t.Errorf("notified %d times", closed)
	}
}
