package frontend

import (
	"fmt"
	"slices"
	"testing"

	"github.com/wasmaot/wasmaot/compiler/ssa"
	"github.com/wasmaot/wasmaot/compiler/wasm"
)

// shapes are functions (i32) → (i32) of any size that make naive algorithms quadratic.
var shapes = []struct {
	name string
	make func(n int) (locals int, body []byte)
}{
	{"chain to one exit", func(n int) (int, []byte) {
		out := code(wasm.OpBlock, tNothing)
		for range n {
			out = append(out, code(bump(1), wasm.OpLocalGet, uint32(1), wasm.OpBrIf, uint32(0))...)
		}
		return 1, append(out, code(wasm.OpEnd, wasm.OpLocalGet, uint32(1))...)
	}},
	{"nested loops", func(n int) (int, []byte) {
		var out []byte
		for range n {
			out = append(out, code(wasm.OpLoop, tNothing)...)
		}
		for i := range n {
			out = append(out, code(bump(1+i%3), wasm.OpLocalGet, uint32(1+i%2), wasm.OpBrIf, uint32(0), wasm.OpEnd)...)
		}
		return 3, append(out, code(wasm.OpLocalGet, uint32(1))...)
	}},
	{"nested blocks", func(n int) (int, []byte) {
		var out []byte
		for range n {
			out = append(out, code(wasm.OpBlock, tNothing)...)
		}
		for i := range n {
			out = append(out, code(wasm.OpLocalGet, uint32(0), wasm.OpBrIf, uint32(n-1-i))...)
			out = append(out, code(bump(1+i%3), wasm.OpEnd)...)
		}
		return 3, append(out, code(wasm.OpLocalGet, uint32(1))...)
	}},
	{"state machine, states in order", func(n int) (int, []byte) { return 3, stateMachine(n, func(i int) int { return i + 1 }) }},
	{"state machine, states backwards", func(n int) (int, []byte) { return 3, stateMachine(n, func(i int) int { return i - 1 }) }},
	{"state machine, states at odds", func(n int) (int, []byte) { return 3, stateMachine(n, func(i int) int { return i * 7919 % n }) }},
	{"many locals", func(n int) (int, []byte) {
		locals := min(n, 20_000)
		out := code(wasm.OpLocalGet, uint32(0), wasm.OpIf, tNothing)
		for i := range locals {
			out = append(out, bump(1+i)...)
		}
		out = append(out, code(wasm.OpEnd)...)
		for i := range locals {
			out = append(out, code(wasm.OpLocalGet, uint32(i), wasm.OpLocalSet, uint32(1+i))...)
		}
		return locals, append(out, code(wasm.OpLocalGet, uint32(locals))...)
	}},
	{"copies from word to word", func(n int) (int, []byte) {
		var out []byte
		for i := range n {
			from, to := uint32(1+(i*64)%2000), uint32(1+((i+1)*64)%2000)
			out = append(out, code(wasm.OpLocalGet, uint32(0), wasm.OpIf, tNothing, wasm.OpEnd, wasm.OpLocalGet, from, wasm.OpLocalSet, to)...)
		}
		return 2000, append(out, code(wasm.OpLocalGet, uint32(1))...)
	}},
	{"one state machine after the other", func(n int) (int, []byte) {
		var out []byte
		for range n / 4 {
			out = append(out, code(wasm.OpI32Const, 1, wasm.OpLocalSet, uint32(1))...)
			out = append(out, code(wasm.OpLoop, tNothing, wasm.OpBlock, tNothing, wasm.OpBlock, tNothing, wasm.OpLocalGet, uint32(1))...)
			out = append(out, code(wasm.OpBrTable, uint32(1), []byte{0, 1}, wasm.OpEnd, wasm.OpUnreachable, wasm.OpEnd, wasm.OpEnd)...)
		}
		return 1, append(out, code(wasm.OpLocalGet, uint32(1))...)
	}},
}

// bump adds 1 to a local.
func bump(local int) []byte {
	return code(wasm.OpLocalGet, uint32(local), wasm.OpI32Const, 1, wasm.OpI32Add, wasm.OpLocalSet, uint32(local))
}

// stateMachine dispatches on the parameter over n states; next is the state that follows i.
func stateMachine(n int, next func(i int) int) []byte {
	out := code(wasm.OpLoop, tNothing)
	for range n {
		out = append(out, code(wasm.OpBlock, tNothing)...)
	}
	out = append(out, code(wasm.OpLocalGet, uint32(0), wasm.OpBrTable, uint32(n-1))...)
	for i := range n {
		out = append(out, code(uint32(i))...)
	}
	for i := range n {
		out = append(out, code(wasm.OpEnd)...)
		if i%(n/4+1) == 0 {
			out = append(out, bump(1+i%3)...)
		}
		out = append(out, code(wasm.OpI32Const, next(i), wasm.OpLocalSet, uint32(0), wasm.OpLocalGet, uint32(2), wasm.OpBrIf, uint32(n-1-i))...)
	}
	return append(out, code(wasm.OpEnd, wasm.OpLocalGet, uint32(1))...)
}

func shapeModule(t testing.TB, i, n int) *Module {
	locals, body := shapes[i].make(n)
	return goldenModule(testFunc{i32ToI32, slices.Repeat([]byte{tI32}, locals), body}).load(t)
}

// TestShapes builds the shapes small and large. If anything were quadratic in the number of blocks, the
// large ones would take minutes.
func TestShapes(t *testing.T) {
	var b Builder
	var f ssa.Func
	for i, s := range shapes {
		for _, n := range []int{1, 2, 3, 100, 30_000} {
			m := shapeModule(t, i, n)
			for _, opts := range allOptions[:2] {
				if err := b.Build(m, 1, opts, &f); err != nil {
					t.Fatalf("%s of %d: %v", s.name, n, err)
				}
				if n > 100 && !opts.Threading {
					continue // Check takes its time
				}
				if err := ssa.Check(&f); err != nil {
					t.Fatalf("%s of %d: %v", s.name, n, err)
				}
			}
		}
	}
}

// BenchmarkShapes shows how the time for an operator grows with the size.
func BenchmarkShapes(b *testing.B) {
	var bd Builder
	var f ssa.Func
	for i, s := range shapes {
		for _, n := range []int{10_000, 40_000, 160_000} {
			b.Run(fmt.Sprintf("%s of %d", s.name, n), func(b *testing.B) {
				m := shapeModule(b, i, n)
				operators := countOperators(b, m.Wasm)
				for b.Loop() {
					if err := bd.Build(m, 1, threading, &f); err != nil {
						b.Fatal(err)
					}
				}
				b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N)/float64(operators), "ns/operator")
			})
		}
	}
}
