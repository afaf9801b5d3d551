package oracle

import (
	"testing"

	"github.com/wasmaot/wasmaot/compiler/wasm"
)

// TestTables sees that every operator of Wasm 2.0 with fixed types has a meaning.
func TestTables(t *testing.T) {
	known := 0
	for op := range wasm.Opcode(opcodes) {
		info := wasm.Info(op)
		if info.Name == "" || info.Feature&^wasm.Features20 != 0 || !info.Sig.Fixed() {
			continue
		}
		switch op {
		case wasm.OpI32Const, wasm.OpI64Const, wasm.OpF32Const, wasm.OpF64Const, wasm.OpV128Const, wasm.OpNop:
			continue
		}
		known++
		if stateful[op] == nil && scalars[op] == nil && vectors[op] == nil && info.Size == 0 {
			t.Errorf("%s has no meaning", op)
		}
		isLoad := info.Imm == wasm.ImmMemArg && info.Sig.Result() != wasm.Bottom
		if isLoad && loads[op] == nil {
			t.Errorf("load %s has no meaning", op)
		}
	}
	if known < 350 {
		t.Errorf("only %d operators found", known)
	}
}
