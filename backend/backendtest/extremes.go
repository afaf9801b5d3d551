//go:build linux && (amd64 || arm64)

package backendtest

import (
	"fmt"
	"math"
	"strings"
	"testing"

	"github.com/wasmaot/wasmaot/compiler/abi"
	"github.com/wasmaot/wasmaot/compiler/ssa"
	"github.com/wasmaot/wasmaot/compiler/ssa/ssatest"
)

// LargeFunction branches over more than a mebibyte of code, in all ways a machine has, to constants behind it.
func LargeFunction(t *testing.T, mc *Machine) {
	const steps = 100_000
	sig := &abi.Signature{Params: []abi.Type{abi.I64, abi.F64}, Results: []abi.Type{abi.I64, abi.F64}}
	f := new(ssa.Func)
	f.Reset()
	f.Index, f.Sig = 3, sig
	entry, middle, long, end := f.AddBlock(), f.AddBlock(), f.AddBlock(), f.AddBlock()
	v := f.AddParams(entry, sig.Params...)
	x, d := f.AddParams(end, abi.I64), ssa.Value(0)
	f.Begin(entry)
	d = f.Emit(ssa.OpFAdd, abi.F64, uint32(v+1), uint32(f.Const(abi.F64, math.Float64bits(math.Pi))), 0, 0)
	f.AddEdge(entry, end, v)
	f.AddEdge(entry, middle)
	bit := f.Emit(ssa.OpAnd, abi.I64, uint32(v), uint32(f.Const(abi.I64, 1<<40)), 0, 0)
	f.EndIf(entry, f.Emit(ssa.OpEqz, abi.I32, uint32(bit), 0, 0, 0), 0)
	f.Begin(middle)
	f.AddEdge(middle, end, v)
	f.AddEdge(middle, long)
	f.EndIf(middle, f.Emit(ssa.OpLtU, abi.I32, uint32(v), uint32(f.Const(abi.I64, 1<<50)), 0, 0), 0)
	f.Begin(long)
	y := v
	for i := range uint64(steps) {
		y = f.Emit(ssa.OpMul, abi.I64, uint32(y), uint32(f.Const(abi.I64, i*0x9E3779B97F4A7C15|1)), 0, 0)
	}
	f.AddEdge(long, end, y)
	f.EndJump(long, 0)
	f.Begin(end)
	d = f.Emit(ssa.OpFMul, abi.F64, uint32(d), uint32(f.Const(abi.F64, math.Float64bits(math.E))), 0, 0)
	f.EndReturn(end, 0, x, d)
	in := mustLoadFunc(t, mc, f)
	if n := len(in.native.Text); n < 1<<20 {
		t.Errorf("code of %d bytes, expected more than a mebibyte", n)
	}
	for _, a := range []uint64{0, 1 << 40, 1<<50 | 1<<40 | 12345} {
		run(t, in, f, []uint64{a, math.Float64bits(1.5)}, steps+100)
	}
}

// LargeSwitch selects by a table of 60,000 entries.
func LargeSwitch(t *testing.T, mc *Machine) {
	const entries, targets = 60_000, 300
	f := new(ssa.Func)
	f.Reset()
	f.Index, f.Sig = 3, &abi.Signature{Params: []abi.Type{abi.I32}, Results: []abi.Type{abi.I32}}
	b := f.AddBlock()
	v := f.AddParams(b, abi.I32)
	f.Begin(b)
	var edges []ssa.Edge
	for range targets {
		edges = append(edges, f.AddEdge(b, f.AddBlock()))
	}
	var table []ssa.Edge
	for i := range entries {
		table = append(table, edges[i*7%targets])
	}
	f.EndSwitch(b, v, table, 0)
	for i := range ssa.Block(targets) {
		f.Begin(b + 1 + i)
		f.EndReturn(b+1+i, 0, f.Const(abi.I32, uint64(i)*7))
	}
	in := mustLoadFunc(t, mc, f)
	for _, i := range []uint64{0, 1, 2, 17, 299, 300, 30_001, entries - 2, entries - 1, entries, 1 << 31, math.MaxUint32} {
		run(t, in, f, []uint64{i}, 100)
	}
}

// LargeOffsets reaches memory with offsets and constant addresses of all magnitudes.
func LargeOffsets(t *testing.T, mc *Machine) {
	for _, offset := range []uint32{1, 255, 256, 4095, 4096, 16380, 16384, 32761, 0x7ff0, ssatest.MemoryBytes - 8, ssatest.MemoryBytes - 7, 1 << 24, math.MaxInt32, 1 << 31, math.MaxUint32} {
		var src strings.Builder
		fmt.Fprintf(&src, "func 3 (i32, i64) -> (i64, i32)\nb0(v1:i32, v2:i64):\n")
		fmt.Fprintf(&src, "v3:addr = addr v1, %d, 8\nstore v3, v2\nv4:i64 = load v3\n", offset)
		fmt.Fprintf(&src, "v5:addr = addr v1, %d, 1\nstore8 v5, v2\nv6:i32 = load8s v5\n", offset)
		fmt.Fprintf(&src, "v7:addr = addr 4:i32, %d, 4\nv8:i32 = load v7\nv9:i32 = add v6, v8\nreturn (v4, v9)\n", offset)
		f, in := mustLoad(t, mc, src.String())
		for _, index := range []uint64{0, 1, 7, 1 << 16, 1 << 31, math.MaxUint32} {
			run(t, in, f, []uint64{index, 0x123456789abcdef0}, 100)
		}
		if t.Failed() {
			t.Fatalf("offset %#x", offset)
		}
	}
}

// run compares the evaluator with native code, memory included.
func run(t *testing.T, in *instance, f *ssa.Func, args []uint64, fuel int) {
	t.Helper()
	var log1, log2 strings.Builder
	m1, m2 := newMachine(1, &log1), newMachine(1, &log2)
	m1.Fuel = fuel
	results, trap, err := m1.Eval(f, args)
	want := outcome(m1, &log1, results, trap, err)
	results, trap, err = in.run(f.Sig, args, m2)
	if got := outcome(m2, &log2, results, trap, err); fmt.Sprint(got) != fmt.Sprint(want) {
		t.Errorf("arguments %x: expected %v, found %v", args, want, got)
	}
}
