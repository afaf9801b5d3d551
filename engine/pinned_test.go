//go:build linux && (amd64 || arm64)

package engine_test

import (
	"bytes"
	"context"
	"errors"
	"runtime"
	"slices"
	"testing"
	"time"

	"github.com/wasmaot/wasmaot/compiler"
	"github.com/wasmaot/wasmaot/engine"
)

// pinnedModule writes its global so often that it is pinned. Its functions take x:
//
//	(import "env" "host" (func $host (param i32) (result i32)))
//	(import "other" "call" (func $call (param i32) (result i32)))
//	(memory 1 9) (global (export "global") (mut i32) (i32.const 0))
//	set    global = x, many times; x
//	host   global = x; $host(x); global
//	cross  global = x; $call(x); global
//	trap   global = x; unreachable
//	spin   global = x; forever: global += 1, and to address 0
//	deep   global += 1, and to address 0; deep(x)
//	grow   global = x; memory.grow(1); global
//	both   set(x) + global, by call_indirect
var pinnedModule = slices.Concat([]byte("\x00asm\x01\x00\x00\x00"),
	section(1, 1, []byte("\x60\x01\x7f\x01\x7f")),
	section(2, 2, name("env"), name("host"), []byte{0, 0}, name("other"), name("call"), []byte{0, 0}),
	section(3, 8, make([]byte, 8)),
	section(4, 1, []byte{0x70, 0, 1}),
	section(5, 1, []byte{1, 1, 9}),
	section(6, 1, []byte{0x7f, 1, 0x41, 0, 0x0b}),
	section(7, 10, name("global"), []byte{3, 0}, name("memory"), []byte{2, 0}, name("set"), []byte{0, 2}, name("host"), []byte{0, 3}, name("cross"), []byte{0, 4},
		name("trap"), []byte{0, 5}, name("spin"), []byte{0, 6}, name("deep"), []byte{0, 7}, name("grow"), []byte{0, 8}, name("both"), []byte{0, 9}),
	section(9, 1, []byte{0, 0x41, 0, 0x0b, 1, 2}),
	section(10, 8,
		body(append(bytes.Repeat([]byte{0x20, 0, 0x24, 0}, 30), 0x20, 0)...),
		body(0x20, 0, 0x24, 0, 0x20, 0, 0x10, 0, 0x1a, 0x23, 0),
		body(0x20, 0, 0x24, 0, 0x20, 0, 0x10, 1, 0x1a, 0x23, 0),
		body(0x20, 0, 0x24, 0, 0x00),
		body(0x20, 0, 0x24, 0, 0x03, 0x40, 0x23, 0, 0x41, 1, 0x6a, 0x24, 0, 0x41, 0, 0x23, 0, 0x36, 2, 0, 0x0c, 0, 0x0b, 0x00),
		body(0x23, 0, 0x41, 1, 0x6a, 0x24, 0, 0x41, 0, 0x23, 0, 0x36, 2, 0, 0x20, 0, 0x10, 7, 0x41, 1, 0x6a),
		body(0x20, 0, 0x24, 0, 0x41, 1, 0x40, 0, 0x1a, 0x23, 0),
		body(0x20, 0, 0x41, 0, 0x11, 0, 0, 0x23, 0, 0x6a),
	))

// otherModule's "call" sets its own global to 2x, many times, traps if x is 99, and returns the global.
var otherModule = slices.Concat([]byte("\x00asm\x01\x00\x00\x00"),
	section(1, 1, []byte("\x60\x01\x7f\x01\x7f")),
	section(3, 1, []byte{0}),
	section(6, 1, []byte{0x7f, 1, 0x41, 0, 0x0b}),
	section(7, 2, name("global"), []byte{3, 0}, name("call"), []byte{0, 0}),
	section(10, 1, body(append(bytes.Repeat([]byte{0x20, 0, 0x20, 0, 0x6a, 0x24, 0}, 8), 0x20, 0, 0x41, 0xe3, 0, 0x46, 0x04, 0x40, 0x00, 0x0b, 0x23, 0)...)))

// TestPinnedGlobal: a global that is in a register is in its cell whenever anyone may look, and what anyone stores there is found.
func TestPinnedGlobal(t *testing.T) {
	for _, off := range [][]string{nil, {"pinning"}} {
		for _, otherOff := range [][]string{nil, {"pinning"}} {
			testPinned(t, pinned(t, pinnedModule, off), pinned(t, otherModule, otherOff))
		}
	}
}

// pinned loads a module whose first global is pinned unless that is switched off.
func pinned(t *testing.T, src []byte, off []string) *engine.Module {
	t.Helper()
	var opts compiler.Options
	opts.Debug.Off, opts.Debug.Check = off, true
	a, err := compiler.Compile(background, src, opts)
	if err != nil {
		t.Fatal(err)
	}
	if on := a.Module.Pinned == 1; on != (len(off) == 0) {
		t.Fatalf("global pinned: %v, switched off: %v", a.Module.Pinned, off)
	}
	m, err := engine.FromArtifact("test", a)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { m.Close() })
	return m
}

func testPinned(t *testing.T, module, otherModule *engine.Module) {
	other, err := otherModule.Instantiate(background, nil)
	if err != nil {
		t.Fatal(err)
	}
	defer other.Close()
	var i *engine.Instance
	var global *engine.Global
	host := engine.Host1("host", func(c engine.Caller, x int32) (int32, error) {
		if lo, _ := global.Get(); int32(lo) != x {
			t.Errorf("a host function finds %d, expected %d", lo, x)
		}
		switch {
		case x == 5:
			return 0, errors.New("host error")
		case x > 1000:
			return 0, i.Func("set").Call(background, []uint64{uint64(x) + 1})
		}
		global.Set(uint64(x)+1, 0)
		return 0, nil
	})
	i, err = module.Instantiate(background, &engine.InstanceConfig{StackSize: 1 << 20, Imports: []engine.Importer{engine.NewHostModule("env").Add("host", host), engine.Exports("other", other)}})
	if err != nil {
		t.Fatal(err)
	}
	defer i.Close()
	global = globalOf(i)
	cell := func(g *engine.Global) uint32 {
		lo, _ := g.Get()
		return uint32(lo)
	}
	written := func() uint32 {
		v, _ := i.Memory().Uint32(0)
		return v
	}
	for _, c := range []struct {
		name      string
		x, result uint64 // 0: none
		global    uint32
		other     uint32
	}{
		{"set", 41, 41, 41, 0},
		{"host", 7, 8, 8, 0},
		{"host", 5, 0, 5, 0},
		{"host", 2000, 2001, 2001, 0},
		{"cross", 3, 3, 3, 6},
		{"cross", 99, 0, 99, 198},
		{"cross", 4, 4, 4, 8},
		{"trap", 9, 0, 9, 8},
		{"grow", 10, 10, 10, 8},
		{"both", 11, 22, 11, 8},
	} {
		slots := []uint64{c.x}
		err := i.Func(c.name).Call(background, slots)
		if (err == nil) != (c.result != 0) || err == nil && slots[0] != c.result {
			t.Errorf("%s(%d): %d, %v: expected %d", c.name, c.x, slots[0], err, c.result)
		}
		if g, o := cell(global), cell(globalOf(other)); g != c.global || o != c.other {
			t.Errorf("%s(%d): globals are %d and %d, expected %d and %d", c.name, c.x, g, o, c.global, c.other)
		}
	}
	done := make(chan struct{})
	go func() { // the collector takes the guest off its thread
		defer close(done)
		for range 20 {
			runtime.GC()
		}
	}()
	for k, running := uint64(100), true; running; k++ {
		for _, name := range []string{"cross", "set", "both", "host"} {
			slots := []uint64{k % 800}
			if name == "host" {
				slots[0] += 1000
			}
			want := map[string]uint64{"both": 2 * slots[0], "host": slots[0] + 1}[name]
			if want == 0 {
				want = slots[0]
			}
			if slots[0] == 99 {
				continue
			}
			if err := i.Func(name).Call(background, slots); err != nil || slots[0] != want {
				t.Fatalf("%s: %d, %v: expected %d", name, slots[0], err, want)
			}
		}
		select {
		case <-done:
			running = false
		default:
		}
	}
	ctx, cancel := context.WithTimeout(background, 5*time.Millisecond)
	defer cancel()
	var stopped *engine.Interrupted
	if err := i.Func("spin").Call(ctx, []uint64{1}); !errors.As(err, &stopped) {
		t.Error(err)
	}
	if g, w := cell(global), written(); g-w > 1 || g < 2 {
		t.Errorf("stopped with a global of %d, of which %d is in memory", g, w)
	}
	global.Set(0, 0)
	var trap *engine.Trap
	if err := i.Func("deep").Call(background, []uint64{1}); !errors.As(err, &trap) || trap.Code != engine.TrapStackExhausted {
		t.Error(err)
	}
	if g, w := cell(global), written(); g-w > 1 || g < 100 {
		t.Errorf("stack exhausted with a global of %d, of which %d is in memory", g, w)
	}
}

func globalOf(i *engine.Instance) *engine.Global { return i.Export("global").(*engine.Global) }
