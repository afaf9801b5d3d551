package wasm_test

import "encoding/binary"

// Pieces of binary modules, put together for tests.

func cat(parts ...[]byte) (b []byte) {
	for _, p := range parts {
		b = append(b, p...)
	}
	return b
}

func leb(n uint64) []byte { return binary.AppendUvarint(nil, n) }

func str(s string) []byte { return cat(leb(uint64(len(s))), []byte(s)) }

// vec is a vector: the number of entries and the entries.
func vec(entries ...[]byte) []byte { return cat(leb(uint64(len(entries))), cat(entries...)) }

// sized is content with its length in front.
func sized(content []byte) []byte { return cat(leb(uint64(len(content))), content) }

func section(id byte, content []byte) []byte { return cat([]byte{id}, sized(content)) }

func module(sections ...[]byte) []byte {
	return cat([]byte("\x00asm\x01\x00\x00\x00"), cat(sections...))
}

func funcType(params, results string) []byte {
	return cat([]byte{0x60}, str(params), str(results))
}

const (
	i32 = "\x7f"
	i64 = "\x7e"
	f32 = "\x7d"
	f64 = "\x7c"
)

// body is a code entry: local declarations, then code.
func body(locals []byte, code ...byte) []byte { return sized(cat(locals, code)) }

var noLocals = []byte{0}

// oneFunc is a module with a memory, a table, an immutable and a mutable global of type i32, and a function of
// type 0. Type 1 is (i32 i64) → (i64 i32).
func oneFunc(params, results string, code ...byte) []byte {
	return module(
		section(1, vec(funcType(params, results), funcType(i32+i64, i64+i32))),
		section(3, vec(leb(0))),
		section(4, vec([]byte{0x70, 0, 1})),
		section(5, vec([]byte{0, 1})),
		section(6, vec([]byte{0x7f, 0, 0x41, 0, 0x0b}, []byte{0x7f, 1, 0x41, 0, 0x0b})),
		section(7, vec(cat(str("f"), []byte{0, 0}))),
		section(10, vec(body(noLocals, code...))),
		section(0, cat(str("name"), section(1, vec(cat(leb(0), str("main.f")))))),
	)
}
