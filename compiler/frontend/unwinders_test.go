package frontend

import (
	"testing"

	"github.com/wasmaot/wasmaot/compiler/ssa"
	"github.com/wasmaot/wasmaot/compiler/wasm"
)

// TestUnwinders looks for functions that only return 1. Function 0 is imported, 1 the one of the case, 2 returns what
// function 3 returns, which returns 1, and 4 calls 1 and traps unless it has unwound.
func TestUnwinders(t *testing.T) {
	one, zero := code(wasm.OpI32Const, 1), code(wasm.OpI32Const, 0)
	end := wasm.OpEnd
	block := code(wasm.OpBlock, byte(0x40))
	typed := code(wasm.OpBlock, tI32)
	tail := code(wasm.OpReturn, wasm.OpUnreachable)
	call := func(f uint32) []byte { return code(wasm.OpLocalGet, 0, wasm.OpCall, f) }
	cases := []struct {
		name string
		body []byte
		want bool
	}{
		{"one", one, true},
		{"zero", zero, false},
		{"two", code(wasm.OpI32Const, 2), false},
		{"a parameter", code(wasm.OpLocalGet, 0), false},
		{"one twice", code(block, wasm.OpLocalGet, 0, wasm.OpBrIf, 0, one, wasm.OpReturn, end, one), true},
		{"a zero among them", code(block, wasm.OpLocalGet, 0, wasm.OpBrIf, 0, zero, wasm.OpReturn, end, one), false},
		{"a sum among them", code(block, wasm.OpLocalGet, 0, wasm.OpBrIf, 0, one, one, wasm.OpI32Add, wasm.OpReturn, end, one), false},
		{"a trap", code(block, wasm.OpLocalGet, 0, wasm.OpBrIf, 0, wasm.OpUnreachable, end, one), true},
		{"a branch to the end", code(zero, wasm.OpLocalGet, 0, wasm.OpBrIf, 0, wasm.OpDrop, one), false},
		{"a branch from a block", code(typed, zero, wasm.OpBr, 1, end, wasm.OpDrop, one), false},
		{"a branch table", code(block, zero, wasm.OpLocalGet, 0, wasm.OpBrTable, 1, 1, 1, end, one), false},
		{"the result of a block", code(typed, one, end), false},
		{"dead code", code(one, wasm.OpReturn, wasm.OpUnreachable, wasm.OpLocalGet, 0, tail), true},
		{"what 3 returns", code(call(3), wasm.OpI32Const, 7, wasm.OpLocalSet, 0, tail), true},
		{"what 2 returns, which 3 returns", code(call(2), tail), true},
		{"what an import returns", code(call(0), tail), false},
		{"what it returns itself", code(call(1), tail), true},
		{"what 4 returns", code(call(4), tail), false},
	}
	for _, c := range cases {
		m := (&testModule{
			types:   [][]byte{sig([]byte{tI32}, []byte{tI32})},
			imports: [][]byte{code("env", "f", byte(0), uint32(0))},
			funcs: []testFunc{
				{code: c.body}, {code: code(call(3), tail)}, {code: one},
				{code: code(block, call(1), wasm.OpBrIf, 0, wasm.OpI32Const, 3, wasm.OpReturn, end, wasm.OpI32Const, 5)},
			},
		}).load(t)
		m.FindUnwinders()
		if !m.unwinds(2) || !m.unwinds(3) || m.unwinds(0) || m.unwinds(4) {
			t.Errorf("%s: the functions beside it: %v", c.name, m.unwinders)
		}
		if got := m.unwinds(1); got != c.want {
			t.Errorf("%s: expected %v, found %v", c.name, c.want, got)
		}
		f := build(t, m, 4, threading)
		returns := 0
		for i := range f.Blocks {
			if f.Blocks[i].Kind == ssa.BlockReturn {
				returns++
			}
		}
		if goesOn := returns == 2; goesOn == c.want {
			t.Errorf("%s: its caller should have one way out if it unwinds, two otherwise, and has %d:\n%s", c.name, returns, f)
		}
	}
}
