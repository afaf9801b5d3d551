package engine_test

import (
	"context"
	"slices"
	"testing"

	"github.com/wasmaot/wasmaot"
	"github.com/wasmaot/wasmaot/compiler"
	"github.com/wasmaot/wasmaot/engine"
)

// testModule is a module written by hand (core specification, 5.5):
//
//	(import "env" "host" (func $host (param i32) (result i32)))
//	(memory (export "memory") 1 100)
//	(global (export "counter") (mut i32) (i32.const 7))
//	(func (export "add") (param i32 i32) (result i32) …)
//	(func (export "call") (param i32) (result i32) (call $host (local.get 0)))
//	(func (export "loop") (param i32) (result i32) …)  ;; calls host that many times
//	(func (export "count") …)                          ;; counter += 1, and at address 16
//	(func (export "grow") (param i32) (result i32) (memory.grow (local.get 0)))
//	(func (export "spin") (loop (br 0)))
//	(func (export "trap") (unreachable))
//	(func (export "work") (param i32) (result i32) …)  ;; counts down without calls
var testModule = slices.Concat([]byte("\x00asm\x01\x00\x00\x00"),
	section(1, 3, []byte("\x60\x02\x7f\x7f\x01\x7f"), []byte("\x60\x01\x7f\x01\x7f"), []byte("\x60\x00\x00")),
	section(2, 1, name("env"), name("host"), []byte{0, 1}),
	section(3, 8, []byte{0, 1, 1, 2, 1, 2, 2, 1}),
	section(5, 1, []byte{1, 1, 100}),
	section(6, 1, []byte{0x7f, 1, 0x41, 7, 0x0b}),
	section(7, 10, name("memory"), []byte{2, 0}, name("counter"), []byte{3, 0}, name("add"), []byte{0, 1}, name("call"), []byte{0, 2},
		name("loop"), []byte{0, 3}, name("count"), []byte{0, 4}, name("grow"), []byte{0, 5}, name("spin"), []byte{0, 6}, name("trap"), []byte{0, 7},
		name("work"), []byte{0, 8}),
	section(10, 8,
		body(0x20, 0, 0x20, 1, 0x6a),
		body(0x20, 0, 0x10, 0),
		// loop: host(n) → drop; n -= 1; br_if n
		body(0x03, 0x40, 0x20, 0, 0x10, 0, 0x1a, 0x20, 0, 0x41, 1, 0x6b, 0x22, 0, 0x0d, 0, 0x0b, 0x20, 0),
		body(0x23, 0, 0x41, 1, 0x6a, 0x24, 0, 0x41, 16, 0x41, 16, 0x28, 2, 0, 0x41, 1, 0x6a, 0x36, 2, 0),
		body(0x20, 0, 0x40, 0),
		body(0x03, 0x40, 0x0c, 0, 0x0b),
		body(0x00),
		body(0x03, 0x40, 0x20, 0, 0x41, 1, 0x6b, 0x22, 0, 0x0d, 0, 0x0b, 0x20, 0),
	),
	section(11, 1, []byte{0, 0x41, 16, 0x0b, 4, 40, 0, 0, 0}), // 40 at address 16
)

func section(id byte, n byte, parts ...[]byte) []byte {
	b := append([]byte{n}, slices.Concat(parts...)...)
	size := []byte{byte(len(b))}
	if len(b) > 127 {
		size = []byte{byte(len(b)&127 | 128), byte(len(b) >> 7)}
	}
	return slices.Concat([]byte{id}, size, b)
}

func name(s string) []byte { return append([]byte{byte(len(s))}, s...) }

func body(code ...byte) []byte {
	return slices.Concat([]byte{byte(len(code) + 2), 0}, code, []byte{0x0b})
}

// load compiles a module to an artifact and loads that.
func load(t testing.TB, src []byte) *engine.Module {
	t.Helper()
	file, err := wasmaot.Precompile(context.Background(), "test.wasm", src, compiler.Options{})
	if err != nil {
		t.Fatal(err)
	}
	m, err := engine.Load("test", file)
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

// env is the host module of testModule with its host function.
func env(host *engine.Func) *engine.InstanceConfig {
	return &engine.InstanceConfig{Imports: []engine.Importer{engine.NewHostModule("env").Add("host", host)}}
}

func identity(c engine.Caller, x int32) (int32, error) { return x, nil }

func instance(t testing.TB, c *engine.InstanceConfig) *engine.Instance {
	t.Helper()
	i, err := load(t, testModule).Instantiate(context.Background(), c)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { i.Close() })
	return i
}
