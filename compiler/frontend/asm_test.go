package frontend

import (
	"encoding/binary"
	"testing"

	"github.com/wasmaot/wasmaot/compiler/ssa"
	"github.com/wasmaot/wasmaot/compiler/wasm"
)

// code assembles instructions: a wasm.Opcode, an int (signed LEB128, for constants), a uint32 (unsigned,
// for indices and so on), a byte or bytes as they are, a string (its length and bytes).
func code(parts ...any) []byte {
	var out []byte
	for _, p := range parts {
		switch p := p.(type) {
		case wasm.Opcode:
			if p >= 0x200 {
				out = binary.AppendUvarint(append(out, 0xfd), uint64(p-0x200))
			} else if p >= 0x100 {
				out = binary.AppendUvarint(append(out, 0xfc), uint64(p-0x100))
			} else {
				out = append(out, byte(p))
			}
		case int:
			out = appendSigned(out, int64(p))
		case uint32:
			out = binary.AppendUvarint(out, uint64(p))
		case byte:
			out = append(out, p)
		case []byte:
			out = append(out, p...)
		case string:
			out = append(binary.AppendUvarint(out, uint64(len(p))), p...)
		default:
			panic(p)
		}
	}
	return out
}

func appendSigned(out []byte, x int64) []byte {
	for x < -64 || x > 63 {
		out = append(out, byte(x)|0x80)
		x >>= 7
	}
	return append(out, byte(x)&0x7f)
}

// Value and block types as encoded.
const (
	tI32     byte = 0x7f
	tI64     byte = 0x7e
	tF64     byte = 0x7c
	tFunc    byte = 0x70
	tExtern  byte = 0x6f
	tNothing byte = 0x40
)

// testModule is a module to be encoded. Entries of sections are encoded already; empty sections
// are left out.
type testModule struct {
	types, imports, tables, mems, globals, exports, elems [][]byte

	funcs []testFunc
}

type testFunc struct {
	typ    uint32
	locals []byte // types
	code   []byte // without the final end
}

// sig encodes a function type.
func sig(params, results []byte) []byte {
	return code(byte(0x60), string(params), string(results))
}

func (m *testModule) encode() []byte {
	out := []byte("\x00asm\x01\x00\x00\x00")
	section := func(id byte, entries [][]byte) {
		if len(entries) > 0 {
			body := binary.AppendUvarint(nil, uint64(len(entries)))
			for _, e := range entries {
				body = append(body, e...)
			}
			out = append(out, code(id, string(body))...)
		}
	}
	var funcs, bodies [][]byte
	for _, f := range m.funcs {
		funcs = append(funcs, code(f.typ))
		body := binary.AppendUvarint(nil, uint64(len(f.locals)))
		for _, t := range f.locals {
			body = append(body, 1, t)
		}
		body = append(append(body, f.code...), byte(wasm.OpEnd))
		bodies = append(bodies, code(string(body)))
	}
	for id, entries := range [...][][]byte{1: m.types, 2: m.imports, 3: funcs, 4: m.tables, 5: m.mems, 6: m.globals, 7: m.exports, 9: m.elems, 10: bodies} {
		section(byte(id), entries)
	}
	return out
}

// load decodes a module that must be valid.
func (m *testModule) load(t testing.TB) *Module {
	t.Helper()
	w, err := wasm.Decode(m.encode(), wasm.Features20|wasm.FeatureTailCall)
	if err != nil {
		t.Fatal(err)
	}
	mod, err := NewModule(w)
	if err != nil {
		t.Fatal(err)
	}
	return mod
}

// build builds the function at index and checks it.
func build(t testing.TB, m *Module, index uint32, opts Options) *ssa.Func {
	t.Helper()
	var b Builder
	var f ssa.Func
	if err := b.Build(m, index, opts, &f); err != nil {
		t.Fatal(err)
	}
	if err := check(&f); err != nil {
		t.Fatal(err)
	}
	return &f
}
