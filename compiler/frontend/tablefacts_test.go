package frontend

import (
	"testing"

	"github.com/wasmaot/wasmaot/compiler/wasm"
)

// factsModule has an imported function of index 0, defined functions 1 (also type 0), 2 and 3
// (type 1, which equals type 2), 4 with the code of the case, and 5, which calls through table 0 with type 2.
func factsModule(body []byte, change func(*testModule)) *testModule {
	m := &testModule{
		types:   [][]byte{sig(nil, nil), sig([]byte{tI32}, nil), sig([]byte{tI32}, nil)},
		imports: [][]byte{code("env", "f", byte(0), uint32(0))},
		tables:  [][]byte{code(tFunc, byte(1), uint32(4), uint32(9)), code(tFunc, byte(1), uint32(4), uint32(9))},
		funcs: []testFunc{
			{typ: 0}, {typ: 1}, {typ: 2}, {typ: 0, code: body},
			{typ: 0, code: code(wasm.OpI32Const, 0, wasm.OpI32Const, 0, wasm.OpCallIndirect, uint32(2), uint32(0))},
		},
		// Active in table 0: functions 2 and 3; passive: the import; declarative: function 1.
		elems: [][]byte{
			code(byte(0), wasm.OpI32Const, 0, wasm.OpEnd, uint32(2), uint32(2), uint32(3)),
			code(byte(1), byte(0), uint32(1), uint32(0)),
			code(byte(3), byte(0), uint32(1), uint32(1)),
		},
	}
	if change != nil {
		change(m)
	}
	return m
}

func TestTableFacts(t *testing.T) {
	export := func(table uint32) func(*testModule) {
		return func(m *testModule) { m.exports = append(m.exports, code("t", byte(1), table)) }
	}
	null := code(wasm.OpRefNull, tFunc)
	zero := code(wasm.OpI32Const, 0)
	cases := []struct {
		name   string
		body   []byte
		change func(*testModule)
		want   string
	}{
		{"private", nil, nil, "local samesig fixed"},
		{"exported", nil, export(0), ""},
		{"another one exported", nil, export(1), "local samesig fixed"},
		{"imported", nil, func(m *testModule) {
			m.imports = append(m.imports, code("env", "t", byte(1), m.tables[0]))
			m.tables = m.tables[:1]
		}, ""},
		{"imported of fixed size", nil, func(m *testModule) {
			m.imports = append(m.imports, code("env", "t", byte(1), tFunc, byte(1), uint32(4), uint32(4)))
			m.tables = m.tables[:1]
		}, "fixed"},
		{"an element of another type", nil, func(m *testModule) { m.elems[0][len(m.elems[0])-1] = 4 }, "local fixed"},
		{"an imported element", nil, func(m *testModule) { m.elems[0][len(m.elems[0])-1] = 0 }, "fixed"},
		{"no elements", nil, func(m *testModule) { m.elems = nil }, "local samesig fixed"},
		{"elements as expressions", nil, func(m *testModule) {
			m.elems[0] = code(byte(4), wasm.OpI32Const, 0, wasm.OpEnd, uint32(2),
				wasm.OpRefFunc, uint32(2), wasm.OpEnd, wasm.OpRefNull, tFunc, wasm.OpEnd)
		}, "local samesig fixed"},
		{"an element of unknown origin", nil, func(m *testModule) {
			m.imports = append(m.imports, code("env", "g", byte(3), tFunc, byte(0)))
			m.elems[0] = code(byte(4), wasm.OpI32Const, 0, wasm.OpEnd, uint32(1), wasm.OpGlobalGet, uint32(0), wasm.OpEnd)
		}, "fixed"},
		{"table.set", code(zero, null, wasm.OpTableSet, uint32(0)), nil, "fixed"},
		{"table.set, index of two bytes", code(zero, null, wasm.OpTableSet, byte(0x80), byte(0)), nil, "fixed"},
		{"table.set of another table", code(zero, null, wasm.OpTableSet, uint32(1)), nil, "local samesig fixed"},
		{"table.get", code(zero, wasm.OpTableGet, uint32(0), wasm.OpDrop), nil, "local samesig fixed"},
		{"table.fill", code(zero, null, zero, wasm.OpTableFill, uint32(0)), nil, "fixed"},
		{"table.copy", code(zero, zero, zero, wasm.OpTableCopy, uint32(0), uint32(1)), nil, "fixed"},
		{"table.copy from it", code(zero, zero, zero, wasm.OpTableCopy, uint32(1), uint32(0)), nil, "local samesig fixed"},
		{"table.grow", code(null, zero, wasm.OpTableGrow, uint32(0), wasm.OpDrop), nil, ""},
		{"table.grow, opcode of two bytes", code(null, zero, []byte{0xfc, 0x8f, 0x00}, uint32(0), wasm.OpDrop), nil, ""},
		{"table.init with an import", code(zero, zero, zero, wasm.OpTableInit, uint32(1), uint32(0)), nil, "fixed"},
		{"table.init with the same", code(zero, zero, zero, wasm.OpTableInit, uint32(0), uint32(0)), nil, "local samesig fixed"},
		{"looks like table.set", code(wasm.OpI32Const, 0x26, wasm.OpDrop, wasm.OpI64Const, []byte{0xa6, 0x26}, wasm.OpDrop, wasm.OpUnreachable), nil, "local samesig fixed"},
	}
	for _, c := range cases {
		m := factsModule(c.body, c.change).load(t)
		f := build(t, m, 5, threading)
		got := ""
		if f.Calls[0].Local {
			got += " local"
		}
		if f.Calls[0].SameSig {
			got += " samesig"
		}
		if m.SSA.TableFixed[0] {
			got += " fixed"
		}
		if got != "" {
			got = got[1:]
		}
		if got != c.want {
			t.Errorf("%s: expected %q, found %q", c.name, c.want, got)
		}
		if m.SSA.TableMin[0] != 4 {
			t.Errorf("%s: expected a table of at least 4 elements, found %d", c.name, m.SSA.TableMin[0])
		}
	}
}
