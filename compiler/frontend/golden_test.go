package frontend

import (
	"flag"
	"fmt"
	"os"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/wasmaot/wasmaot/compiler/wasm"
)

var update = flag.Bool("update", false, "rewrite testdata/golden.txt")

const goldenFile = "testdata/golden.txt"

type goldenCase struct {
	name string
	opts Options
	fn   testFunc
}

// Types of the golden module.
const (
	i32ToI32   = uint32(iota) // (i32) → (i32)
	noneToNone                // () → ()
	twoToTwo                  // (i32, i64) → (i64, i32)
	i32ToTwo                  // (i32) → (i32, i32)
	i32ToNone
)

func goldenModule(funcs ...testFunc) *testModule {
	return &testModule{
		types: [][]byte{
			sig([]byte{tI32}, []byte{tI32}), sig(nil, nil), sig([]byte{tI32, tI64}, []byte{tI64, tI32}),
			sig([]byte{tI32}, []byte{tI32, tI32}), sig([]byte{tI32}, nil),
		},
		imports: [][]byte{code("env", "f", byte(0), twoToTwo)},
		tables:  [][]byte{code(tFunc, byte(0), uint32(4))},
		mems:    [][]byte{code(byte(0), uint32(1))},
		globals: [][]byte{
			code(tI32, byte(1), wasm.OpI32Const, 0, wasm.OpEnd),
			code(tI64, byte(0), wasm.OpI64Const, -5, wasm.OpEnd),
		},
		funcs: funcs,
	}
}

var threading = Options{Threading: true}

// goShape is what Go makes of a function with a call and a loop.
var goShape = testFunc{i32ToI32, []byte{tI32}, code(
	wasm.OpGlobalGet, uint32(0), wasm.OpLocalSet, uint32(1),
	wasm.OpBlock, tNothing, wasm.OpLoop, tNothing,
	wasm.OpBlock, tNothing, wasm.OpBlock, tNothing, wasm.OpBlock, tNothing,
	wasm.OpLocalGet, uint32(0), wasm.OpBrTable, uint32(3), []byte{0, 1, 2}, uint32(2), wasm.OpEnd,
	wasm.OpLocalGet, uint32(1), wasm.OpI32Const, 8, wasm.OpI32Sub, wasm.OpLocalTee, uint32(1), wasm.OpGlobalSet, uint32(0),
	wasm.OpI32Const, 0, wasm.OpCall, uint32(1), wasm.OpGlobalGet, uint32(0), wasm.OpLocalSet, uint32(1),
	wasm.OpBrIf, uint32(3), wasm.OpEnd, // resume point
	wasm.OpLocalGet, uint32(1), wasm.OpI32Load, uint32(2), uint32(16), wasm.OpIf, tNothing,
	wasm.OpI32Const, 2, wasm.OpLocalSet, uint32(0), wasm.OpBr, uint32(2), wasm.OpEnd,
	wasm.OpI32Const, 1, wasm.OpLocalSet, uint32(0), wasm.OpBr, uint32(1), wasm.OpEnd,
	wasm.OpI32Const, 0, wasm.OpReturn, wasm.OpEnd, wasm.OpEnd, wasm.OpI32Const, 1,
)}

// goStraight is the same without the loop.
var goStraight = testFunc{i32ToI32, []byte{tI32}, code(
	wasm.OpGlobalGet, uint32(0), wasm.OpLocalSet, uint32(1),
	wasm.OpBlock, tNothing, wasm.OpLoop, tNothing,
	wasm.OpBlock, tNothing, wasm.OpBlock, tNothing,
	wasm.OpLocalGet, uint32(0), wasm.OpBrTable, uint32(2), []byte{0, 1}, uint32(1), wasm.OpEnd,
	wasm.OpLocalGet, uint32(1), wasm.OpI32Const, 8, wasm.OpI32Sub, wasm.OpLocalTee, uint32(1), wasm.OpGlobalSet, uint32(0),
	wasm.OpI32Const, 0, wasm.OpCall, uint32(1), wasm.OpGlobalGet, uint32(0), wasm.OpLocalSet, uint32(1),
	wasm.OpBrIf, uint32(2), wasm.OpEnd, // resume point
	wasm.OpLocalGet, uint32(1), wasm.OpI32Load, uint32(2), uint32(16), wasm.OpGlobalSet, uint32(0),
	wasm.OpI32Const, 0, wasm.OpReturn, wasm.OpEnd, wasm.OpEnd, wasm.OpI32Const, 1,
)}

var goldenCases = []goldenCase{
	{"Go's shape without a loop: one body behind the test", Options{Threading: true, Split: true}, goStraight},
	{"Go's shape without a loop: two bodies where what is called will be part of one", Options{Threading: true, Split: true, Inlines: func(uint32) bool { return true }}, goStraight},
	{"Go's shape: a jump goes straight to its block, the resume switch stays", threading, goShape},
	{"Go's shape in two bodies: state 0 apart from all others", Options{Threading: true, Split: true}, goShape},
	{"a state machine whose first state is known: the switch goes", threading, testFunc{i32ToNone, []byte{tI32}, code(
		wasm.OpLoop, tNothing, wasm.OpBlock, tNothing, wasm.OpBlock, tNothing,
		wasm.OpLocalGet, uint32(1), wasm.OpBrTable, uint32(1), []byte{0, 1}, wasm.OpEnd,
		wasm.OpI32Const, 7, wasm.OpLocalSet, uint32(1), wasm.OpBr, uint32(1), wasm.OpEnd,
		wasm.OpLocalGet, uint32(1), wasm.OpGlobalSet, uint32(0), wasm.OpEnd,
	)}},
	{"the same without threading", Options{}, testFunc{i32ToNone, []byte{tI32}, code(
		wasm.OpLoop, tNothing, wasm.OpBlock, tNothing, wasm.OpBlock, tNothing,
		wasm.OpLocalGet, uint32(1), wasm.OpBrTable, uint32(1), []byte{0, 1}, wasm.OpEnd,
		wasm.OpI32Const, 7, wasm.OpLocalSet, uint32(1), wasm.OpBr, uint32(1), wasm.OpEnd,
		wasm.OpLocalGet, uint32(1), wasm.OpGlobalSet, uint32(0), wasm.OpEnd,
	)}},
	{"a loop: what changes in it becomes a parameter, what does not is used as it is", threading, testFunc{i32ToI32, []byte{tI32, tI32}, code(
		wasm.OpLoop, tNothing,
		wasm.OpLocalGet, uint32(1), wasm.OpLocalGet, uint32(0), wasm.OpI32Add, wasm.OpLocalSet, uint32(1),
		wasm.OpLocalGet, uint32(1), wasm.OpI32Const, 100, wasm.OpI32LtU, wasm.OpBrIf, uint32(0), wasm.OpEnd,
		wasm.OpLocalGet, uint32(1),
	)}},
	{"if with parameter and result", threading, testFunc{i32ToI32, nil, code(
		wasm.OpI32Const, 5, wasm.OpLocalGet, uint32(0),
		wasm.OpIf, i32ToI32, wasm.OpLocalGet, uint32(0), wasm.OpI32Add, wasm.OpElse, wasm.OpI32Eqz, wasm.OpEnd,
	)}},
	{"a block with one way out needs no parameter", threading, testFunc{i32ToI32, nil, code(
		wasm.OpBlock, tI32, wasm.OpLocalGet, uint32(0), wasm.OpI32Clz, wasm.OpBr, uint32(0), wasm.OpEnd, wasm.OpI32Eqz,
	)}},
	{"br_table with values: one edge for each target", threading, testFunc{i32ToTwo, nil, code(
		wasm.OpBlock, tI32, wasm.OpBlock, tI32, wasm.OpI32Const, 3, wasm.OpLocalGet, uint32(0),
		wasm.OpBrTable, uint32(4), []byte{1, 0, 1, 0}, uint32(0), wasm.OpEnd, wasm.OpI32Clz, wasm.OpEnd, wasm.OpLocalGet, uint32(0),
	)}},
	{"unreachable code leaves no trace", threading, testFunc{i32ToNone, nil, code(
		wasm.OpLocalGet, uint32(0), wasm.OpIf, tNothing, wasm.OpUnreachable,
		wasm.OpLoop, tNothing, wasm.OpBr, uint32(0), wasm.OpEnd, wasm.OpBlock, tNothing, wasm.OpEnd, wasm.OpEnd,
	)}},
	{"memory with explicit checks", Options{Explicit: true}, testFunc{i32ToI32, nil, code(
		wasm.OpLocalGet, uint32(0), wasm.OpLocalGet, uint32(0), wasm.OpI64Load8S, uint32(0), uint32(1<<32-1), wasm.OpI64Store16, uint32(1), uint32(8),
		wasm.OpLocalGet, uint32(0), wasm.OpI32Const, 0, wasm.OpI32Const, 9, wasm.OpMemoryCopy, uint32(0), uint32(0),
		wasm.OpMemorySize, uint32(0), wasm.OpMemoryGrow, uint32(0),
	)}},
	{"calls with several results, a constant global", threading, testFunc{twoToTwo, nil, code(
		wasm.OpLocalGet, uint32(0), wasm.OpGlobalGet, uint32(1), wasm.OpCall, uint32(0), wasm.OpDrop, wasm.OpDrop,
		wasm.OpLocalGet, uint32(0), wasm.OpLocalGet, uint32(1), wasm.OpI32Const, 3, wasm.OpCallIndirect, twoToTwo, uint32(0),
	)}},
	{"a local that is never set is zero; references", threading, testFunc{noneToNone, []byte{tFunc, tI64}, code(
		wasm.OpI32Const, 1, wasm.OpLocalGet, uint32(0), wasm.OpTableSet, uint32(0),
		wasm.OpLocalGet, uint32(1), wasm.OpDrop, wasm.OpLocalGet, uint32(0), wasm.OpI32Const, 2, wasm.OpTableGrow, uint32(0), wasm.OpDrop,
	)}},
}

func TestGolden(t *testing.T) {
	var b strings.Builder
	for _, c := range goldenCases {
		m := goldenModule(c.fn).load(t)
		fmt.Fprintf(&b, "; %s\n%s\n", c.name, build(t, m, 1, c.opts))
	}
	if *update {
		if err := os.WriteFile(goldenFile, []byte(b.String()), 0o666); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(goldenFile)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(strings.Split(string(want), "\n"), strings.Split(b.String(), "\n")); diff != "" {
		t.Errorf("run with -update if this is right (-golden +found):\n%s", diff)
	}
}
