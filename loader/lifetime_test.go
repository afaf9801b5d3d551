//go:build linux && (amd64 || arm64)

package loader

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"os"
	"runtime"
	"strings"
	"testing"
	"time"

	"github.com/wasmaot/wasmaot/compiler/abi"
	"github.com/wasmaot/wasmaot/compiler/artifact"
	"github.com/wasmaot/wasmaot/internal/nativetest"
)

// alive counts the nodes whose memory is not yet freed, all or some.
func alive(some ...*node) int {
	lifetimes.mu.Lock()
	defer lifetimes.mu.Unlock()
	if some == nil {
		return len(lifetimes.nodes)
	}
	n := 0
	for _, x := range some {
		if _, ok := lifetimes.nodes[x]; ok {
			n++
		}
	}
	return n
}

// collect lets Go's collector find what is unreachable and run the cleanups.
func collect() {
	for range 4 {
		runtime.GC()
		time.Sleep(time.Millisecond)
	}
}

// eventually collects until ok. It gives up after a number of collections.
func eventually(t *testing.T, what string, ok func() bool) {
	t.Helper()
	for range 200 {
		if ok() {
			return
		}
		collect()
	}
	t.Errorf("%s never", what)
}

// Mappings, file descriptors and nodes stay as many as they were, with ways to end a call and an instance in each round.
func TestNoLeaks(t *testing.T) {
	inBothModes(t, func(t *testing.T, newGuest func() *guest) {
		g := newGuest()
		g.memory(4, 100)
		g.a.Module.Tables = []artifact.Table{{Elem: funcref, Min: 10, Max: minusOne}}
		s := sig(nil, nil)
		host := g.importFunc("host", s)
		g.fn("f", s, 8, func() { g.callImport(host, 0) })
		g.fn("unreachable", s, 8, func() { g.raise(abi.TrapUnreachable) })
		g.fn("spin", s, 8, g.spin)
		hostFunc := NewHostFunc("host", &s, func(ctx context.Context, i *Instance, _ []uint64) error {
			i.Memory().Bytes()[1000] = 1
			i.Memory().Grow(1)
			i.Close() // while it runs
			return nil
		})
		round := func() {
			code, err := Load(g.artifact())
			if err != nil {
				t.Fatal(err)
			}
			i, err := code.Instantiate(context.Background(), &Config{Resolve: env{"host": hostFunc}.resolve})
			if err != nil {
				t.Fatal(err)
			}
			code.Close() // its instance goes on
			_, err = call(t, i, "unreachable")
			wantTrap(t, err, abi.TrapUnreachable)
			ctx, cancel := context.WithTimeout(context.Background(), 10*time.Microsecond)
			if err := i.Func("spin").Call(ctx, nil); !errors.Is(err, context.DeadlineExceeded) {
				t.Fatal(err)
			}
			cancel()
			if _, err := call(t, i, "f"); err != nil {
				t.Fatal(err)
			}
			if _, err := call(t, i, "f"); !errors.Is(err, ErrClosed) {
				t.Fatalf("call of a closed instance: %v", err)
			}
			if i.Close() != nil || i.Close() != nil || code.Close() != nil {
				t.Fatal("Close is not idempotent")
			}
			if len(i.Memory().Bytes()) != 0 {
				t.Fatal("a closed instance has a memory")
			}
		}
		for range 20 {
			round()
		}
		maps, fds, nodes, loaded := mapCount(t), fdCount(t), alive(), codeCount()
		for range nativetest.Rounds(400) {
			round()
		}
		if n := mapCount(t); n > maps+10 {
			t.Errorf("%d mappings became %d", maps, n)
		}
		if n := fdCount(t); n > fds+2 {
			t.Errorf("%d file descriptors became %d", fds, n)
		}
		// Other tests' objects may be collected meanwhile.
		if n := alive(); n > nodes {
			t.Errorf("%d nodes became %d", nodes, n)
		}
		if n := codeCount(); n > loaded {
			t.Errorf("%d loaded codes became %d", loaded, n)
		}
	})
}

func codeCount() int {
	texts.mu.RLock()
	defer texts.mu.RUnlock()
	return len(texts.areas)
}

func mapCount(t *testing.T) int {
	b, err := os.ReadFile("/proc/self/maps")
	if err != nil {
		t.Fatal(err)
	}
	return bytes.Count(b, []byte{'\n'})
}

func fdCount(t *testing.T) int {
	d, err := os.ReadDir("/proc/self/fd")
	if err != nil {
		t.Fatal(err)
	}
	return len(d)
}

// importer is a module that imports number and adds 1 to what it gives.
func importer(t *testing.T, from *Instance) *Instance {
	g := newGuest()
	index := g.importFunc("number", toI64)
	g.fn("number", toI64, 8, func() {
		g.callImport(index, 0)
		g.addTo(result0, result0, 1)
	})
	i, err := g.load(t).Instantiate(context.Background(), &Config{Name: "importer", Resolve: env{"number": from.Func("number")}.resolve})
	if err != nil {
		t.Fatal(err)
	}
	return i
}

func exporter(t *testing.T) *Instance {
	g := newGuest()
	g.number("number", 40)
	i, err := g.load(t).Instantiate(context.Background(), &Config{Name: "exporter"})
	if err != nil {
		t.Fatal(err)
	}
	return i
}

// What an open instance imports stays callable after its own instance was closed.
func TestImportsStayAlive(t *testing.T) {
	a := exporter(t)
	b := importer(t, a)
	c := importer(t, b)
	a.Close()
	b.Close()
	if got, err := call(t, c, "number"); got != 42 || err != nil {
		t.Errorf("found %d, %v", got, err)
	}
	if _, err := call(t, a, "number"); !errors.Is(err, ErrClosed) || !strings.Contains(err.Error(), "exporter") {
		t.Errorf("found %v", err)
	}
	if n := alive(a.node, b.node, c.node); n != 3 {
		t.Errorf("%d instances are alive, expected 3", n)
	}
	c.Close()
	if n := alive(a.node, b.node, c.node); n != 0 {
		t.Errorf("%d instances are alive, expected 0", n)
	}
}

// A library that lives long does not keep those who import from it.
func TestImportersGo(t *testing.T) {
	lib := exporter(t)
	defer lib.Close()
	for range 10 {
		i := importer(t, lib)
		if i.Close(); alive(i.node) != 0 {
			t.Fatal("an importer is left")
		}
	}
}

// Instances that share a table reach each other: they go together, and their code with them, which may be compiled after it was closed.
func TestSharedTableCycle(t *testing.T) { inBothModes(t, testSharedTableCycle) }

func testSharedTableCycle(t *testing.T, newGuest func() *guest) {
	released := 0
	instance := func(g *guest, e env) *Instance {
		t.Helper()
		a := g.artifact()
		a.Release = func() error { released++; return nil }
		code, err := Load(a)
		if err != nil {
			t.Fatal(err)
		}
		i, err := code.Instantiate(context.Background(), &Config{Resolve: e.resolve})
		if err != nil {
			t.Fatal(err)
		}
		if err := code.Close(); err != nil {
			t.Error(err)
		}
		return i
	}
	g := newGuest()
	g.a.Module.Tables = []artifact.Table{{Elem: funcref, Min: 2, Max: 2}}
	g.a.Module.Exports = []artifact.Export{{Name: "t", Kind: artifact.KindTable}}
	g.fn("f", toI64, 8, func() { g.indirect(1) })
	a := instance(g, nil)
	g = newGuest()
	g.importTable()
	f := g.number("n", 50)
	g.a.Module.Elems = []artifact.Elem{{Mode: artifact.SegmentActive, Start: constExpr(1), Funcs: []uint32{f}}}
	b := instance(g, env{"t": a.Export("t")})
	b.Close()
	ref, _ := a.Export("t").(*Table).Get(1)
	if f := FuncOf(ref); f == nil || f.Instance() != b || f.Name() != "n" {
		t.Errorf("found %v in the table", f)
	}
	for range 2 {
		if got, err := call(t, a, "f"); got != 50 || err != nil {
			t.Errorf("found %d, %v", got, err)
		}
	}
	if released != 0 {
		t.Errorf("%d artifacts were released too early", released)
	}
	a.Close()
	if n := alive(a.node, b.node); n != 0 || released != 2 {
		t.Errorf("%d instances are alive, expected 0, %d artifacts were released", n, released)
	}
}

// When all is closed and what the artifact was mapped from is gone, functions that nobody asked for before can be asked for, but not called.
func TestFuncsAfterRelease(t *testing.T) {
	inBothModes(t, func(t *testing.T, newGuest func() *guest) {
		g := newGuest()
		for n := range 2 {
			g.number(fmt.Sprint("n", n), uint32(n))
		}
		a := g.artifact()
		a.Release = func() error {
			a.Funcs, a.Names = nil, ""
			return nil
		}
		code, err := Load(a)
		if err != nil {
			t.Fatal(err)
		}
		i, err := code.Instantiate(context.Background(), &Config{Name: "m"})
		if err != nil {
			t.Fatal(err)
		}
		if got, err := call(t, i, "n1"); got != 1 || err != nil {
			t.Errorf("found %d, %v", got, err)
		}
		i.Close()
		code.Close()
		for _, name := range []string{"n0", "n1"} {
			for range 2 {
				if _, err := call(t, i, name); !errors.Is(err, ErrClosed) {
					t.Errorf("%s: found %v", name, err)
				}
			}
		}
		if ref := i.Func("n0").Ref(); ref != 0 {
			t.Errorf("a reference %#x", ref)
		}
		_, err = code.Instantiate(context.Background(), nil)
		t.Log(i.Func("n0"), err)
		if err == nil {
			t.Error("an instance of closed code")
		}
	})
}

// Host-made memories, tables and globals go when Go no longer refers to them, also after instances have used them.
func TestHostObjectsGo(t *testing.T) {
	var nodes []*node
	use := func() {
		table, err := NewTable(artifact.Table{Elem: funcref, Min: 2, Max: minusOne})
		if err != nil {
			t.Fatal(err)
		}
		memory, err := NewMemory(artifact.Memory{Min: 1, Max: 1})
		if err != nil {
			t.Fatal(err)
		}
		global := NewGlobal(artifact.Global{Type: funcref, Mutable: true}, 0, 0)
		g := newGuest()
		g.importTable()
		g.a.Module.Imports = append(g.a.Module.Imports, artifact.Import{Module: "env", Name: "m", Kind: artifact.KindMemory},
			artifact.Import{Module: "env", Name: "g", Kind: artifact.KindGlobal})
		g.a.Module.Mems = []artifact.Memory{{Min: 1, Max: 1}}
		g.a.Module.Globals = []artifact.Global{{Type: funcref, Mutable: true}}
		f := g.number("n", 60)
		g.a.Module.Elems = []artifact.Elem{{Mode: artifact.SegmentActive, Start: constExpr(1), Funcs: []uint32{f}}}
		i, err := g.load(t).Instantiate(context.Background(), &Config{Resolve: env{"t": table, "m": memory, "g": global}.resolve})
		if err != nil {
			t.Fatal(err)
		}
		global.Set(i.Func("n").Ref(), 0)
		i.Close()
		collect()
		nodes = []*node{i.node, table.node, memory.node, global.node}
		if n := alive(nodes...); n != 4 {
			t.Errorf("%d objects are alive, expected 4", n)
		}
		runtime.KeepAlive(table)
		runtime.KeepAlive(memory)
		runtime.KeepAlive(global)
	}
	use()
	eventually(t, "the host's objects went", func() bool { return alive(nodes...) == 0 })
}

func TestFuncTypes(t *testing.T) {
	load := func(params []abi.Type) *Code {
		g := newGuest()
		g.fn("f", sig(params, nil), 0, func() {})
		c, err := Load(g.artifact())
		if err != nil {
			t.Fatal(err)
		}
		return c
	}
	unusual := types(i64, f32, v128, f32, f32, abi.ExternRef, funcref, i64)
	a, b, c := load(unusual), load(unusual), load(unusual[1:])
	if a.types[0] != b.types[0] || a.types[0] == c.types[0] || a.types[0].id == c.types[0].id || a.types[0].id == 0 {
		t.Errorf("ids %d, %d, %d", a.types[0].id, b.types[0].id, c.types[0].id)
	}
	// Parameters and results are told apart.
	x, err := typeOf(&abi.Signature{Params: unusual[:3], Results: unusual[3:]})
	if err != nil || x == a.types[0] {
		t.Errorf("the same type for %v and %v", x.sig, a.types[0].sig)
	}
	id, key := a.types[0].id, a.types[0].key
	known := func() bool {
		funcTypes.mu.Lock()
		defer funcTypes.mu.Unlock()
		_, ok := funcTypes.byKey[key]
		return ok
	}
	a.Close()
	a = nil
	collect()
	if y, _ := typeOf(&abi.Signature{Params: unusual}); y.id != id {
		t.Errorf("id %d became %d while in use", id, y.id)
	}
	runtime.KeepAlive(b)
	b.Close()
	b = nil
	eventually(t, "the type was forgotten", func() bool { return !known() })
	c.Close()
}

// Backtraces go through the frames of several instances.
func TestBacktraceThroughInstances(t *testing.T) {
	g := newGuest()
	g.fn("number", toI64, 40, func() { g.raise(abi.TrapUnreachable) })
	a, err := g.load(t).Instantiate(context.Background(), &Config{Name: "inner"})
	if err != nil {
		t.Fatal(err)
	}
	defer a.Close()
	b := importer(t, a)
	defer b.Close()
	_, err = call(t, b, "number")
	trap := wantTrap(t, err, abi.TrapUnreachable)
	if f := trap.Frames; len(f) != 2 || f[0].Module != "inner" || f[1].Module != "importer" || f[1].Func != 1 {
		t.Fatalf("frames %+v", f)
	}
	returned, _ := b.code.art.Calls.Before(uint32(len(b.code.art.Text)))
	want := fmt.Sprintf("  0: 0x%x number\n  1: 0x%x number (importer)\n", g.traps[0].Pos, returned.Pos)
	if got := trap.Backtrace(); got != want {
		t.Errorf("backtrace %q, expected %q", got, want)
	}
}
