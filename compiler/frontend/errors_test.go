package frontend

import (
	"bytes"
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/wasmaot/wasmaot/compiler/ssa"
	"github.com/wasmaot/wasmaot/compiler/wasm"
)

// TestUnsupported asks for what validates but has no lowering.
func TestUnsupported(t *testing.T) {
	m := goldenModule(testFunc{typ: noneToNone, code: code(
		wasm.OpReturnCall, 1,
	)}).load(t)
	var b Builder
	var f ssa.Func
	err := b.Build(m, 1, threading, &f)
	u, ok := err.(*Unsupported)
	if !ok {
		t.Fatalf("expected an error of type *Unsupported, found %v", err)
	}
	want := fmt.Sprintf("function 1 at 0x%x: return_call needs tail calls, which is not supported", u.Offset)
	if err.Error() != want {
		t.Errorf("expected %q, found %q", want, err)
	}
	if src := m.Wasm.Source; src[u.Offset] != 0x12 {
		t.Errorf("the error points at byte 0x%x", src[u.Offset])
	}

	// The builder is as good as new afterwards.
	m = goldenModule(goldenCases[0].fn).load(t)
	if err := b.Build(m, 1, threading, &f); err != nil {
		t.Error(err)
	}
	if err := check(&f); err != nil {
		t.Error(err)
	}
}

// TestTooLarge asks for more blocks times locals than a function may have.
func TestTooLarge(t *testing.T) {
	body := code(wasm.OpLocalGet, uint32(49_000))
	body = append(body, bytes.Repeat(code(wasm.OpLocalGet, uint32(0), wasm.OpIf, tNothing, wasm.OpEnd), 20_000)...)
	m := goldenModule(testFunc{i32ToI32, slices.Repeat([]byte{tI32}, 49_000), body}).load(t)
	var b Builder
	var f ssa.Func
	err := b.Build(m, 1, threading, &f)
	if _, ok := err.(*Unsupported); !ok || !strings.Contains(err.Error(), "49001 locals in") {
		t.Errorf("expected an error about 49001 locals, found %v", err)
	}
}
