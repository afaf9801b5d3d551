//go:build linux && (amd64 || arm64)

package loader

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"strings"
	"testing"

	"github.com/wasmaot/wasmaot/compiler/abi"
	"github.com/wasmaot/wasmaot/compiler/artifact"
)

func constExpr(v uint64) *artifact.Expr {
	return &artifact.Expr{Insts: []artifact.ExprInst{{Op: artifact.ExprConst, Bits: v}}}
}

func opExpr(op artifact.ExprOp, index uint32) *artifact.Expr {
	return &artifact.Expr{Insts: []artifact.ExprInst{{Op: op, Index: index}}}
}

// builtins exports every builtin under its name.
func (g *guest) builtins() {
	for b := range abi.Builtins {
		info := &abi.Builtins[b]
		g.fn(info.Name, info.Sig, 8, func() { g.callBuiltin(abi.Builtin(b), 0) })
	}
}

func TestMemoryBuiltins(t *testing.T) {
	for _, tier := range []artifact.Tier{artifact.TierGuard, artifact.TierExplicit} {
		g := newGuest()
		g.a.Header.Tier = tier
		g.memory(1, 100)
		g.a.Module.Datas = []artifact.Data{
			{Mode: artifact.SegmentPassive, Init: []byte("passive")},
			{Index: 1, Mode: artifact.SegmentActive, Start: constExpr(100), Init: []byte("active")},
		}
		g.a.Image, g.a.ImageStart = []byte("image"), 4096
		g.builtins()
		i, err := g.load(t).Instantiate(context.Background(), &Config{MaxMemoryPages: 50})
		if err != nil {
			t.Fatal(err)
		}
		defer i.Close()
		m := i.Memory()
		if b := m.Bytes(); len(b) != wasmPage || string(b[100:106]) != "active" || string(b[4096:4102]) != "image\x00" {
			t.Errorf("memory of %d bytes: %q %q", len(b), b[100:106], b[4096:4102])
		}
		base := &m.Bytes()[0]
		for _, step := range []struct {
			delta, want uint64
		}{{0, 1}, {2, 1}, {48, minusOne}, {1 << 63, minusOne}, {minusOne, minusOne}, {47, 3}, {1, minusOne}, {0, 50}} {
			if got, err := call(t, i, "memory.grow", 0, step.delta); got != step.want || err != nil {
				t.Errorf("memory.grow by %d: %d, %v; expected %d", step.delta, int64(got), err, int64(step.want))
			}
		}
		if m.Pages() != 50 || base != &m.Bytes()[0] || m.Bytes()[50*wasmPage-1] != 0 {
			t.Errorf("memory of %d pages, moved %v", m.Pages(), base != &m.Bytes()[0])
		}
		size := uint64(50 * wasmPage)
		for _, step := range []struct {
			name string
			args []uint64
			ok   bool
		}{
			{"memory.fill", []uint64{0, 0, 'x', size}, true},
			{"memory.fill", []uint64{0, 0, 'y', size + 1}, false},
			{"memory.fill", []uint64{0, size, 'y', 0}, true},
			{"memory.fill", []uint64{0, size + 1, 'y', 0}, false},
			{"memory.fill", []uint64{0, size - 1, 'y', minusOne}, false},
			{"memory.init", []uint64{0, 0, 10, 0, 7}, true},
			{"memory.init", []uint64{0, 0, 20, 3, 4}, true},
			{"memory.init", []uint64{0, 0, 30, 3, 5}, false},
			{"memory.init", []uint64{0, 0, size - 2, 0, 3}, false},
			{"memory.init", []uint64{0, 1, 0, 0, 1}, false}, // active and merged segments are dropped
			{"memory.init", []uint64{0, 2, 0, 0, 1}, false},
			{"data.drop", []uint64{0}, true},
			{"memory.init", []uint64{0, 0, 30, 0, 1}, false},
			{"memory.init", []uint64{0, 0, 30, 0, 0}, true},
			{"memory.copy", []uint64{0, 0, 40, 10, 7}, true},
			{"memory.copy", []uint64{0, 0, size, 0, 1}, false},
			{"memory.copy", []uint64{0, 0, 0, size, 1}, false},
			{"memory.copy", []uint64{0, 0, size, size, 0}, true},
			{"memory.copy", []uint64{0, 0, minusOne, 0, 2}, false},
		} {
			_, err := call(t, i, step.name, step.args...)
			if step.ok && err != nil {
				t.Errorf("%s%d: %v", step.name, step.args, err)
			}
			if !step.ok {
				trap := wantTrap(t, err, abi.TrapMemoryOutOfBounds)
				if len(trap.Frames) != 1 || trap.Frames[0].Name != step.name {
					t.Errorf("%s%d: frames %+v", step.name, step.args, trap.Frames)
				}
			}
		}
		if got, want := string(m.Bytes()[9:48]), "xpassivexxxsivexxxxxxxxxxxxxxxxpassivex"; got != want {
			t.Errorf("memory %q, expected %q", got, want)
		}
	}
}

// Overlapping copies of more than a chunk.
// TestMemoryGap has memories that may not grow to their last page, on which generated code relies, and one that has it.
func TestMemoryGap(t *testing.T) {
	for _, c := range []struct {
		typ  artifact.Memory
		want uint64
	}{
		{artifact.Memory{Min: 0, Max: maxPages}, 65535},
		{artifact.Memory{Min: 1, Max: 65535}, 65535},
		{artifact.Memory{Min: 1, Max: 65534}, 65534},
		{artifact.Memory{Min: maxPages, Max: maxPages}, maxPages},
		{artifact.Memory{Min: 1, Max: maxPages, Is64: true}, maxPages},
	} {
		m := &Memory{}
		err := m.init(c.typ, new(memoryRec), !c.typ.Is64, 0, nil)
		if err != nil {
			t.Fatalf("%+v: %v", c.typ, err)
		}
		if m.max != c.want {
			t.Errorf("%+v: at most %d pages, expected %d", c.typ, m.max, c.want)
		}
		releaseMemory(m.region, m.guarded)
	}
}

func TestMemoryCopyOverlap(t *testing.T) {
	m, err := NewMemory(artifact.Memory{Min: 80, Max: 80})
	if err != nil {
		t.Fatal(err)
	}
	const n = 3*chunk + 123
	for _, c := range []struct{ dst, src uint64 }{{0, 1}, {1, 0}, {0, chunk + 5}, {chunk + 5, 0}, {77, 77}} {
		b := m.Bytes()
		for i := range b {
			b[i] = byte(i * 2654435761 >> 13)
		}
		want := append([]byte{}, b...)
		copy(want[c.dst:c.dst+n], want[c.src:c.src+n])
		if trap := copyMemory(m, m, c.dst, c.src, n); trap != abi.TrapNone || !bytes.Equal(b, want) {
			t.Errorf("copy from %d to %d went wrong: %v", c.src, c.dst, trap)
		}
		if trap := m.fill(c.dst, 7, n); trap != abi.TrapNone || bytes.Count(b[c.dst:c.dst+n], []byte{7}) != n {
			t.Errorf("fill at %d went wrong: %v", c.dst, trap)
		}
	}
}

func TestTableBuiltins(t *testing.T) {
	g := newGuest()
	g.a.Module.Tables = []artifact.Table{{Elem: funcref, Min: 4, Max: 10}, {Elem: abi.ExternRef, Min: 3, Max: minusOne}}
	g.builtins()
	add := g.addFunc()
	g.a.Module.Elems = []artifact.Elem{
		{Mode: artifact.SegmentActive, Type: funcref, Start: constExpr(1), Funcs: []uint32{add}},
		{Mode: artifact.SegmentPassive, Type: funcref, Exprs: []artifact.Expr{*opExpr(artifact.ExprRefFunc, add), *opExpr(artifact.ExprRefNull, 0)}},
		{Mode: artifact.SegmentDeclarative, Type: funcref, Funcs: []uint32{add}},
	}
	g.a.Module.Exports = append(g.a.Module.Exports, artifact.Export{Name: "t", Kind: artifact.KindTable})
	i := g.instance(t, nil)
	ref := i.Func("add").Ref()
	for _, step := range []struct {
		name string
		args []uint64
		want uint64
		ok   bool
	}{
		{"table.grow", []uint64{0, ref, 2}, 4, true},
		{"table.grow", []uint64{0, ref, 5}, minusOne, true},
		{"table.grow", []uint64{0, ref, minusOne}, minusOne, true},
		{"table.grow", []uint64{1, 9, 10_000_000}, minusOne, true},
		{"table.grow", []uint64{1, 9, 9_000_000}, 3, true},
		{"table.fill", []uint64{0, 5, 0, 1}, 0, true},
		{"table.fill", []uint64{0, 6, 0, 0}, 0, true},
		{"table.fill", []uint64{0, 5, 0, 2}, 0, false},
		{"table.fill", []uint64{0, 7, 0, 0}, 0, false},
		{"table.init", []uint64{0, 1, 2, 0, 2}, 0, true},
		{"table.init", []uint64{0, 1, 5, 0, 2}, 0, false},
		{"table.init", []uint64{0, 1, 0, 1, 2}, 0, false},
		{"table.init", []uint64{0, 0, 0, 0, 1}, 0, false},
		{"table.init", []uint64{0, 2, 0, 0, 1}, 0, false},
		{"elem.drop", []uint64{1}, 0, true},
		{"table.init", []uint64{0, 1, 0, 0, 1}, 0, false},
		{"table.copy", []uint64{0, 0, 0, 1, 2}, 0, true},
		{"table.copy", []uint64{0, 0, 5, 0, 2}, 0, false},
		{"table.copy", []uint64{0, 0, minusOne, 0, 2}, 0, false},
	} {
		got, err := call(t, i, step.name, step.args...)
		if !step.ok {
			wantTrap(t, err, abi.TrapTableOutOfBounds)
		} else if err != nil || step.name == "table.grow" && got != step.want {
			t.Errorf("%s%d: %d, %v", step.name, step.args, got, err)
		}
	}
	table := i.Export("t").(*Table)
	want := []uint64{ref, ref, ref, 0, ref, 0}
	if table.Len() != uint64(len(want)) {
		t.Errorf("table of %d elements", table.Len())
	}
	for k, w := range want {
		if got, ok := table.Get(uint64(k)); got != w || !ok {
			t.Errorf("element %d: %x, expected %x", k, got, w)
		}
	}
	if _, ok := table.Get(6); ok || table.Set(6, 0) {
		t.Error("the table has an element behind its end")
	}
	if FuncOf(ref) != i.Func("add") || FuncOf(0) != nil {
		t.Error("FuncOf is not the inverse of Ref")
	}
}

// indirect calls element k of table 0, of type () → i64.
func (g *guest) indirect(k int64) {
	l := g.layout()
	if l.Shape.ImportedTables > 0 {
		g.loadWord(conv.Callee, conv.Context, int64(l.TablePtrs))
		g.loadWord(conv.Callee, conv.Callee, abi.TableRecBase)
	} else {
		g.loadWord(conv.Callee, conv.Context, int64(l.Tables)+abi.TableRecBase)
	}
	g.loadWord(conv.Callee, conv.Callee, 8*k)
	g.callDesc(0)
}

var toI64 = sig(nil, types(i64))

// number is a function that returns a number.
func (g *guest) number(name string, n uint32) uint32 {
	return g.fn(name, toI64, 0, func() { g.movImm(result0, n) })
}

func (g *guest) importTable() {
	g.a.Module.Imports = append(g.a.Module.Imports, artifact.Import{Module: "env", Name: "t", Kind: artifact.KindTable})
	g.a.Module.Tables = append(g.a.Module.Tables, artifact.Table{Elem: funcref, Min: 2, Max: minusOne})
}

func TestHostFuncInTable(t *testing.T) {
	table, err := NewTable(artifact.Table{Elem: funcref, Min: 2, Max: minusOne})
	if err != nil {
		t.Fatal(err)
	}
	g := newGuest()
	g.importTable()
	g.fn("f", toI64, 8, func() { g.indirect(1) })
	i := g.instance(t, env{"t": table})
	table.Set(1, NewHostFunc("host", &toI64, func(_ context.Context, caller *Instance, stack []uint64) error {
		if caller != nil {
			t.Error("no instance imports the function")
		}
		stack[0] = 33
		return nil
	}).Ref())
	collect() // nothing but the table holds the function
	if got, err := call(t, i, "f"); got != 33 || err != nil {
		t.Errorf("found %d, %v", got, err)
	}
}

// A module whose start traps leaves what it put into an imported table, and that stays callable.
func TestFailedInstanceStaysCallable(t *testing.T) {
	table, err := NewTable(artifact.Table{Elem: funcref, Min: 2, Max: minusOne})
	if err != nil {
		t.Fatal(err)
	}
	g := newGuest()
	g.importTable()
	g.memory(1, 1)
	f := g.number("number", 44)
	start := g.fn("start", sig(nil, nil), 0, func() { g.raise(abi.TrapUnreachable) })
	g.a.Module.Elems = []artifact.Elem{{Mode: artifact.SegmentActive, Start: constExpr(1), Funcs: []uint32{f}}}
	code := g.load(t)
	for _, c := range []struct {
		change func(m *artifact.Module)
		want   abi.Trap
	}{
		{func(m *artifact.Module) { m.Start = int64(start) }, abi.TrapUnreachable},
		{func(m *artifact.Module) {
			m.Datas = []artifact.Data{{Start: constExpr(65536), Init: []byte("x")}}
		}, abi.TrapMemoryOutOfBounds},
		{func(m *artifact.Module) {
			m.Elems = append(m.Elems, artifact.Elem{Start: constExpr(2), Funcs: []uint32{f}})
		}, abi.TrapTableOutOfBounds},
	} {
		saved := g.a.Module
		c.change(&g.a.Module)
		table.Set(1, 0)
		_, err := code.Instantiate(context.Background(), &Config{Resolve: env{"t": table}.resolve})
		wantTrap(t, err, c.want)
		g.a.Module = saved

		caller := newGuest()
		caller.importTable()
		caller.fn("f", toI64, 8, func() { caller.indirect(1) })
		if got, err := call(t, caller.instance(t, env{"t": table}), "f"); got != 44 || err != nil {
			t.Errorf("found %d, %v", got, err)
		}
	}
}

func TestGlobals(t *testing.T) {
	host := NewGlobal(artifact.Global{Type: i64, Mutable: true}, 5, 0)
	fixed := NewGlobal(artifact.Global{Type: i32}, 6, 0)
	g := newGuest()
	m := &g.a.Module
	m.Imports = []artifact.Import{
		{Module: "env", Name: "host", Kind: artifact.KindGlobal, Index: 0},
		{Module: "env", Name: "fixed", Kind: artifact.KindGlobal, Index: 1},
	}
	add := artifact.Expr{Insts: []artifact.ExprInst{
		{Op: artifact.ExprGlobal, Index: 1}, {Op: artifact.ExprConst, Bits: 7}, {Op: artifact.ExprI32Mul},
		{Op: artifact.ExprConst, Bits: 100}, {Op: artifact.ExprI32Sub}}}
	m.Globals = []artifact.Global{{Type: i64, Mutable: true}, {Type: i32},
		{Type: i32, Init: &add}, {Type: f64, Mutable: true, Init: constExpr(0x4000000000000000)},
		{Type: v128, Init: &artifact.Expr{Insts: []artifact.ExprInst{{Op: artifact.ExprConst, Bits: 1, Hi: 2}}}}}
	for k := range m.Globals {
		m.Exports = append(m.Exports, artifact.Export{Name: fmt.Sprint("g", k), Kind: artifact.KindGlobal, Index: uint32(k)})
	}
	l := g.layout()
	g.fn("count", toI64, 0, func() { // increments global 0 and returns global 2
		g.loadWord(regScratch, conv.Context, int64(l.GlobalPtrs))
		g.loadWord(result0, regScratch, 0)
		g.addTo(result0, result0, 1)
		g.storeWord(result0, regScratch, 0)
		g.loadWord(result0, conv.Context, int64(l.Globals))
	})
	i := g.instance(t, env{"host": host, "fixed": fixed})
	got, err := call(t, i, "count")
	if lo, _ := host.Get(); uint32(got) != ^uint32(57) || err != nil || lo != 6 {
		t.Errorf("count: %d, %v; host global %d", int32(got), err, lo)
	}
	i.Export("g0").(*Global).Set(99, 0)
	if lo, _ := host.Get(); lo != 99 {
		t.Errorf("host global %d", lo)
	}
	if lo, hi := i.Export("g4").(*Global).Get(); lo != 1 || hi != 2 {
		t.Errorf("vector %d, %d", lo, hi)
	}
}

func TestLinkErrors(t *testing.T) {
	declared := newGuest()
	m := &declared.a.Module
	declared.importFunc("f", sig(types(i32), types(i64)))
	m.Imports = append(m.Imports,
		artifact.Import{Module: "env", Name: "t", Kind: artifact.KindTable},
		artifact.Import{Module: "env", Name: "m", Kind: artifact.KindMemory},
		artifact.Import{Module: "env", Name: "g", Kind: artifact.KindGlobal})
	m.Tables = []artifact.Table{{Elem: funcref, Min: 5, Max: 10}}
	m.Mems = []artifact.Memory{{Min: 2, Max: 4}}
	m.Globals = []artifact.Global{{Type: i32, Mutable: true}}
	code := declared.load(t)

	fn := func(s abi.Signature) Extern {
		return NewHostFunc("f", &s, func(context.Context, *Instance, []uint64) error { return nil })
	}
	table := func(x artifact.Table) Extern { r, _ := NewTable(x); return r }
	memory := func(x artifact.Memory) Extern { r, _ := NewMemory(x); return r }
	good := env{"f": fn(sig(types(i32), types(i64))), "t": table(artifact.Table{Elem: funcref, Min: 5, Max: 10}),
		"m": memory(artifact.Memory{Min: 2, Max: 3}), "g": NewGlobal(artifact.Global{Type: i32, Mutable: true}, 0, 0)}
	for _, c := range []struct {
		name string
		x    Extern
		want string // empty: no error
	}{
		{"f", good["f"], ""},
		{"f", nil, `unknown import: "env" "f": expected function (i32) -> (i64)`},
		{"f", good["t"], `incompatible import type: "env" "f": expected function (i32) -> (i64), found table of funcref, 5 to 10 elements`},
		{"f", fn(sig(nil, types(i64))), `found function () -> (i64)`},
		{"f", fn(sig(types(i32, i64), nil)), `found function (i32, i64) -> ()`},
		{"t", table(artifact.Table{Elem: funcref, Min: 4, Max: 10}), `expected table of funcref, 5 to 10 elements, found table of funcref, 4 to 10`},
		{"t", table(artifact.Table{Elem: funcref, Min: 6, Max: minusOne}), `found table of funcref, 6 or more`},
		{"t", table(artifact.Table{Elem: abi.ExternRef, Min: 5, Max: 10}), `found table of externref`},
		{"t", table(artifact.Table{Elem: funcref, Min: 6, Max: 6}), ""},
		{"m", memory(artifact.Memory{Min: 1, Max: 4}), `expected memory, 2 to 4 pages, found memory, 1 to 4 pages`},
		{"m", memory(artifact.Memory{Min: 2, Max: minusOne}), `found memory, 2 or more pages`},
		{"m", memory(artifact.Memory{Min: 2, Max: 4, Is64: true}), `found memory with 64-bit addresses`},
		{"g", NewGlobal(artifact.Global{Type: i32}, 0, 0), `expected mutable global i32, found global i32`},
		{"g", NewGlobal(artifact.Global{Type: i64, Mutable: true}, 0, 0), `found mutable global i64`},
	} {
		e := env{}
		for k, v := range good {
			e[k] = v
		}
		if e[c.name] = c.x; c.x == nil {
			delete(e, c.name)
		}
		i, err := code.Instantiate(context.Background(), &Config{Resolve: e.resolve})
		if c.want == "" {
			if err != nil {
				t.Error(err)
				continue
			}
			i.Close()
			continue
		}
		var link *LinkError
		if !errors.As(err, &link) || !strings.Contains(err.Error(), c.want) || link.Name != c.name || link.Module != "env" {
			t.Errorf("expected %q, found %v", c.want, err)
		}
	}
	// A memory's and a table's current size count.
	grown := good["m"].(*Memory)
	if _, ok := grown.Grow(1); !ok || grown.Pages() != 3 {
		t.Error("the memory does not grow")
	}
	if _, ok := grown.Grow(1); ok {
		t.Error("the memory grows beyond its maximum")
	}
}

func TestBadArtifacts(t *testing.T) {
	for name, change := range map[string]func(a *artifact.Artifact){
		"ABI version":       func(a *artifact.Artifact) { a.Header.ABI++ },
		"wasm128":           func(a *artifact.Artifact) { a.Header.Target = "wasm128" },
		"tier":              func(a *artifact.Artifact) { a.Header.Tier = 9 },
		"start function":    func(a *artifact.Artifact) { a.Module.Start = 1 },
		"type 1 of 1":       func(a *artifact.Artifact) { a.Funcs[0].Type = 1 },
		"code [0x0, +0x64)": func(a *artifact.Artifact) { a.Funcs[0].Size = 100 },
		"export":            func(a *artifact.Artifact) { a.Module.Exports[0].Index = 1 },
		"do not agree": func(a *artifact.Artifact) {
			a.Module.Imports = []artifact.Import{{Kind: artifact.KindMemory}}
		},
		"64-bit addresses": func(a *artifact.Artifact) { a.Module.Mems = []artifact.Memory{{Is64: true}} },
	} {
		g := newGuest()
		g.addFunc()
		g.a.Text = g.code
		change(&g.a)
		if _, err := Load(&g.a); err == nil || !strings.Contains(err.Error(), name) {
			t.Errorf("expected an error with %q, found %v", name, err)
		}
	}
}

func TestLimits(t *testing.T) {
	for name, c := range map[string]struct {
		change func(m *artifact.Module)
		config Config
	}{
		"memory of at least 3 pages: expected at most 2":           {func(m *artifact.Module) { m.Mems = []artifact.Memory{{Min: 3, Max: 5}} }, Config{MaxMemoryPages: 2}},
		"table of at least 3 elements: expected at most 2":         {func(m *artifact.Module) { m.Tables = []artifact.Table{{Min: 3, Max: 5}} }, Config{TableMax: 2}},
		"table of at least 20000000 elements: expected at most 10": {func(m *artifact.Module) { m.Tables = []artifact.Table{{Min: 20_000_000, Max: minusOne}} }, Config{}},
		"native stack of 1073741824 bytes":                         {func(m *artifact.Module) {}, Config{StackSize: 1 << 30}},
		"global 0 has no initial value":                            {func(m *artifact.Module) { m.Globals = []artifact.Global{{Type: i32}} }, Config{}},
		"function 7": {func(m *artifact.Module) {
			m.Elems = []artifact.Elem{{Mode: artifact.SegmentPassive, Funcs: []uint32{7}}}
		}, Config{}},
	} {
		g := newGuest()
		g.addFunc()
		c.change(&g.a.Module)
		code := g.load(t)
		if _, err := code.Instantiate(context.Background(), &c.config); err == nil || !strings.Contains(err.Error(), name) {
			t.Errorf("expected an error with %q, found %v", name, err)
		}
		if code.uses != 0 {
			t.Errorf("%s: an instance is left", name)
		}
	}
}

// TestClear: cleared memory is zero, whether it was touched before, comes from a file or not.
func TestClear(t *testing.T) {
	for _, frozen := range []bool{false, true} {
		g := newGuest()
		g.memory(8, 100)
		g.builtins()
		i, err := g.load(t).Instantiate(context.Background(), nil)
		if err != nil {
			t.Fatal(err)
		}
		defer i.Close()
		m := i.Memory()
		fill := func(at, value, n uint64) {
			t.Helper()
			if _, err := call(t, i, "memory.fill", 0, at, value, n); err != nil {
				t.Fatal(err)
			}
		}
		zero := func(at, n uint64) bool {
			return !bytes.ContainsFunc(m.Bytes()[at:at+n], func(r rune) bool { return r != 0 })
		}
		fill(0, 'x', 3*wasmPage)
		if frozen {
			if err := i.Checkpoint(); err != nil {
				t.Fatal(err)
			}
		}
		fill(100, 0, wasmPage)
		fill(4*wasmPage-5, 'y', 5)
		fill(4*wasmPage-3, 0, 3*wasmPage) // but a few bytes, nobody has touched it
		fill(6*wasmPage, 'z', wasmPage)
		fill(6*wasmPage, 0, 2*wasmPage)
		if m.Bytes()[99] != 'x' || !zero(100, wasmPage) || m.Bytes()[100+wasmPage] != 'x' || m.Bytes()[4*wasmPage-4] != 'y' || !zero(4*wasmPage-3, 4*wasmPage+3) {
			t.Errorf("frozen %v: what was cleared is not zero, or more was cleared", frozen)
		}
		if old, err := call(t, i, "memory.grow", 0, 10); old != 8 || err != nil {
			t.Fatal(old, err)
		}
		fill(9*wasmPage, 0, 9*wasmPage)
		if !zero(8*wasmPage, 10*wasmPage) {
			t.Errorf("frozen %v: grown memory is not zero", frozen)
		}
		if frozen {
			if err := i.Reset(); err != nil {
				t.Fatal(err)
			}
			if !bytes.Equal(m.Bytes()[:3*wasmPage], bytes.Repeat([]byte{'x'}, 3*wasmPage)) || !zero(3*wasmPage, 5*wasmPage) {
				t.Error("reset does not give back what was cleared")
			}
		}
	}
}
