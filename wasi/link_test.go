//go:build linux

package wasi

import (
	"context"
	"errors"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/wasmaot/wasmaot/loader"
)

// TestResolve: every function is found, as one and the same, under its module only.
func TestResolve(t *testing.T) {
	g := newGuest(t, &Config{})
	for i := range functions {
		name := functions[i].name
		e, ok := g.sys.Resolve(ModuleName, name)
		f, isFunc := e.(*loader.Func)
		if !ok || !isFunc {
			t.Fatalf("%s: %v, %v", name, e, ok)
		}
		if diff := cmp.Diff(functions[i].signature(), f.Signature()); diff != "" {
			t.Errorf("%s: %s", name, diff)
		}
		if again, _ := g.sys.Resolve(ModuleName, name); again != e {
			t.Errorf("%s is another function each time", name)
		}
	}
	for _, c := range [][2]string{{"env", "fd_write"}, {ModuleName, "fd_dup"}, {"wasi_unstable", "fd_write"}, {"", ""}} {
		if e, ok := g.sys.Resolve(c[0], c[1]); ok {
			t.Errorf("%s.%s: %v", c[0], c[1], e)
		}
	}
}

// TestHostCallErrors: what ends a guest reaches the loader in its own types.
func TestHostCallErrors(t *testing.T) {
	g := newGuest(t, &Config{})
	var e *loader.Exit
	err := g.sys.hostCall(g.ctx, lookup(t, "proc_exit"), noMemory{}, []uint64{7})
	if !errors.As(err, &e) || e.Code != 7 {
		t.Errorf("%v", err)
	}
	ctx, cancel := context.WithCancelCause(context.Background())
	cause := errors.New("enough")
	cancel(cause)
	g.mem = make(testMemory, pageSize)
	g.sys.files.get(0).mode = ioPolled
	r, _ := pipe(t)
	usePolling(t, g, r)
	stack := []uint64{0, uint64(g.iov(64, 1)), 1, 72}
	var i *loader.Interrupted
	if err := g.sys.hostCall(ctx, lookup(t, "fd_read"), &g.mem, stack); !errors.As(err, &i) || i.Cause != cause {
		t.Errorf("%v", err)
	}
	if err := g.sys.hostCall(g.ctx, lookup(t, "sched_yield"), noMemory{}, []uint64{9}); err != nil {
		t.Error(err)
	}
}
