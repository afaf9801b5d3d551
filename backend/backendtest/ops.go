//go:build linux && (amd64 || arm64)

package backendtest

import (
	"cmp"
	"fmt"
	"math"
	"slices"
	"strings"
	"testing"

	"github.com/wasmaot/wasmaot/compiler/abi"
	"github.com/wasmaot/wasmaot/compiler/ssa"
)

// edgeValues has values of each type at which operations change their behaviour.
func edgeValues(t abi.Type) []uint64 {
	switch t {
	case abi.I32:
		return []uint64{0, 1, 2, 3, 7, 10, 31, 32, 33, 127, 128, 255, 256, 0x7fff, 0x8000, 0xffff, 0x10000, 0x7fffffff, 0x80000000, 0x80000001, 0xfffffff9, 0xfffffffe, 0xffffffff, 0x12345678}
	case abi.F32:
		return f32Values
	case abi.F64:
		return f64Values
	}
	return []uint64{0, 1, 2, 3, 7, 10, 31, 32, 33, 63, 64, 255, 0x8000, 0xffff, 0x7fffffff, 0x80000000, 0xffffffff, 1 << 32, 1<<53 + 1, 0x7fffffffffffffff, 1 << 63, 1<<63 + 1, 0xfffffffffffffffe, math.MaxUint64, 0x123456789abcdef0, 0xfffffffffffffc00, 0x7ffffffffffffdff}
}

var f64Values = func() (bits []uint64) {
	for _, x := range []float64{0, 0.5, 0.9999999999999999, 1, 1.5, 2, 2.5, 1e-320, 1e10, 2147483646.9, 2147483647, 2147483647.5, 2147483648, 2147483648.9, 2147483649,
		4294967295, 4294967295.9, 4294967296, 9007199254740993, 9223372036854774784, 9223372036854775808, 18446744073709549568, 18446744073709551616, 1e300, math.MaxFloat32 * 1.00001, 1e-300, math.Inf(1)} {
		bits = append(bits, math.Float64bits(x), math.Float64bits(-x))
	}
	return append(bits, 0x7ff8000000000000, 0xfff8000000000000, 0x7ff0000000000001, 0xfff4000000000123)
}()

var f32Values = func() (bits []uint64) {
	for _, x := range []float32{0, 0.5, 0.99999994, 1, 1.5, 2.5, 1e-40, 2147483520, 2147483648, 2147483904, 4294967040, 4294967296, 9223371487098961920, 9223372036854775808, 18446742974197923840, 18446744073709551616, 16777217, 1e38, float32(math.Inf(1))} {
		bits = append(bits, uint64(math.Float32bits(x)), uint64(math.Float32bits(-x)))
	}
	return append(bits, 0x7fc00000, 0xffc00000, 0x7f800001, 0xffa00123)
}()

// opTypes lists the types with which an operation of the table can be used: operands, then result.
func opTypes(op ssa.Op) (lists [][]abi.Type) {
	letters := ssa.Ops[op].Types
	operands, result, _ := strings.Cut(letters, ">")
	letters = operands + result
	var each func(i int, bound map[byte]abi.Type, list []abi.Type)
	each = func(i int, bound map[byte]abi.Type, list []abi.Type) {
		if i == len(letters) {
			lists = append(lists, append([]abi.Type(nil), list...))
			return
		}
		letter := letters[i]
		if t, ok := bound[letter]; ok {
			if letter == 'b' { // the same size in the other class
				t = map[abi.Type]abi.Type{abi.I32: abi.F32, abi.F32: abi.I32, abi.I64: abi.F64, abi.F64: abi.I64}[t]
			}
			each(i+1, bound, append(list, t))
			return
		}
		for _, t := range ssa.TypesOf(letter) {
			if t == abi.V128 || t == abi.FuncRef || t == abi.ExternRef {
				continue
			}
			bound[letter] = t
			each(i+1, bound, append(list, t))
			delete(bound, letter)
		}
	}
	each(0, make(map[byte]abi.Type), nil)
	return lists
}

// An opShape makes a function that computes op with given operands in some way.
type opShape struct {
	name     string
	constant func(n int) int // which of n operands is a constant
	fn       func(f *ssa.Func, op ssa.Op, types []abi.Type, vals []uint64) (results []ssa.Value)
}

func emitOp(f *ssa.Func, op ssa.Op, t abi.Type, args ...ssa.Value) ssa.Value {
	var x [3]uint32
	for i, a := range args {
		x[i] = uint32(a)
	}
	return f.Emit(op, t, x[0], x[1], x[2], 77)
}

func params(f *ssa.Func) []ssa.Value { return append([]ssa.Value(nil), f.ParamsOf(&f.Blocks[0])...) }

// inMemory stores v at an address and loads it from there.
func inMemory(f *ssa.Func, v ssa.Value, at uint64) ssa.Value {
	t := f.Insts[v].Type
	addr := f.Emit(ssa.OpAddr, abi.Addr, uint32(f.Const(abi.I32, at)), 16, t.Size(), 77)
	f.Emit(ssa.OpStore, abi.Void, uint32(addr), uint32(v), 0, 77)
	return f.Emit(ssa.OpLoad, t, uint32(addr), 0, 0, 77)
}

var opShapes = []opShape{
	{"registers", nil, func(f *ssa.Func, op ssa.Op, types []abi.Type, _ []uint64) []ssa.Value {
		return []ssa.Value{emitOp(f, op, types[len(types)-1], params(f)...)}
	}},
	{"first constant", func(int) int { return 0 }, func(f *ssa.Func, op ssa.Op, types []abi.Type, vals []uint64) []ssa.Value {
		args := params(f)
		args[0] = f.Const(types[0], vals[0])
		return []ssa.Value{emitOp(f, op, types[len(types)-1], args...)}
	}},
	{"last constant", func(n int) int { return n - 1 }, func(f *ssa.Func, op ssa.Op, types []abi.Type, vals []uint64) []ssa.Value {
		args := params(f)
		n := len(args) - 1
		args[n] = f.Const(types[n], vals[n])
		return []ssa.Value{emitOp(f, op, types[len(types)-1], args...)}
	}},
	{"last in memory", nil, func(f *ssa.Func, op ssa.Op, types []abi.Type, _ []uint64) []ssa.Value {
		args := params(f)
		n := len(args) - 1
		args[n] = inMemory(f, args[n], 64)
		return []ssa.Value{emitOp(f, op, types[len(types)-1], args...)}
	}},
	{"first in memory, operands live on", nil, func(f *ssa.Func, op ssa.Op, types []abi.Type, _ []uint64) []ssa.Value {
		args := params(f)
		args[0] = inMemory(f, args[0], 64)
		v := emitOp(f, op, types[len(types)-1], args...)
		return append([]ssa.Value{v}, params(f)...)
	}},
	{"widened result, as a condition", nil, func(f *ssa.Func, op ssa.Op, types []abi.Type, _ []uint64) []ssa.Value {
		v := emitOp(f, op, types[len(types)-1], params(f)...)
		if f.Insts[v].Type != abi.I32 {
			return []ssa.Value{v}
		}
		z := emitOp(f, ssa.OpZext, abi.I64, v)
		s := emitOp(f, ssa.OpSelect, abi.I64, v, f.Const(abi.I64, 5), f.Const(abi.I64, 6))
		d := emitOp(f, ssa.OpSelect, abi.F64, emitOp(f, ssa.OpEqz, abi.I32, v), f.Const(abi.F64, 5<<52), f.Const(abi.F64, 6<<52))
		results := []ssa.Value{v, z, s, d}
		for _, c := range [][2]uint64{{0, 1}, {1, 0}, {0, math.MaxUint64}, {math.MaxUint64, 0}, {0, 10}, {10, 0}, {1, math.MaxUint64}} {
			results = append(results, emitOp(f, ssa.OpSelect, abi.I64, v, f.Const(abi.I64, c[0]), f.Const(abi.I64, c[1])))
		}
		return results
	}},
	{"narrowed result", nil, func(f *ssa.Func, op ssa.Op, types []abi.Type, _ []uint64) []ssa.Value {
		v := emitOp(f, op, types[len(types)-1], params(f)...)
		if f.Insts[v].Type != abi.I64 {
			return []ssa.Value{v}
		}
		return []ssa.Value{emitOp(f, ssa.OpZext, abi.I64, emitOp(f, ssa.OpWrap, abi.I32, v))}
	}},
}

// shapeFunc makes the function of a shape.
func shapeFunc(s *opShape, op ssa.Op, types []abi.Type, vals []uint64) *ssa.Func {
	f := new(ssa.Func)
	f.Reset()
	n := len(types) - 1
	f.Module, f.Index, f.Sig = testModule, 3, &abi.Signature{Params: types[:n]}
	b := f.AddBlock()
	f.AddParams(b, types[:n]...)
	f.Begin(b)
	results := s.fn(f, op, types, vals)
	for _, v := range results {
		f.Sig.Results = append(f.Sig.Results, f.Insts[v].Type)
	}
	f.EndReturn(b, 78, results...)
	f.Analyze(new(ssa.Scratch))
	return f
}

// sameBits reports whether results are equal, NaNs being equal if they are canonical where
// the expected one is, in any sign.
func sameBits(t abi.Type, got, want uint64) bool {
	if got == want {
		return true
	}
	switch t {
	case abi.F32:
		const quiet = 0x7fc00000
		return want&0x7fffffff > 0x7f800000 && got&quiet == quiet
	case abi.F64:
		const quiet = 0x7ff8000000000000
		return want&math.MaxInt64 > 0x7ff<<52 && got&quiet == quiet
	}
	return false
}

// Ops runs each operation on all pairs of edge values in several shapes.
func Ops(t *testing.T, mc *Machine) {
	for _, features := range mc.Features {
		c := &compiler{mc: mc}
		c.cfg.Features, c.cfg.Poison = features, features == mc.Target.Baseline
		for op := ssa.OpAdd; op <= ssa.OpSelect; op++ {
			for _, types := range opTypes(op) {
				t.Run(fmt.Sprintf("%#x/%s%v", features, op, types), func(t *testing.T) { testOp(t, c, op, types) })
			}
		}
	}
}

func testOp(t *testing.T, c *compiler, op ssa.Op, types []abi.Type) {
	n := len(types) - 1
	combos := [][]uint64{{}}
	for _, typ := range types[:n] {
		var next [][]uint64
		for _, vals := range combos {
			for i, x := range edgeValues(typ) {
				if n == 3 && i%5 > 0 { // fewer
					continue
				}
				next = append(next, append(vals[:len(vals):len(vals)], x))
			}
		}
		combos = next
	}
	for i := range opShapes {
		s := &opShapes[i]
		if s.constant == nil {
			runShape(t, c, s, op, types, combos)
			continue
		}
		at := s.constant(n)
		slices.SortStableFunc(combos, func(a, b []uint64) int { return cmp.Compare(a[at], b[at]) })
		for rest := combos; len(rest) > 0; {
			k := 1
			for k < len(rest) && rest[k][at] == rest[0][at] {
				k++
			}
			runShape(t, c, s, op, types, rest[:k])
			rest = rest[k:]
		}
	}
}

// runShape runs the function of a shape with all arguments.
func runShape(t *testing.T, c *compiler, s *opShape, op ssa.Op, types []abi.Type, combos [][]uint64) {
	f := shapeFunc(s, op, types, combos[0])
	code, err := c.compile(f)
	if err != nil {
		t.Fatalf("%s: %v\n%s", s.name, err, f)
	}
	in, err := newInstance(c.mc, code)
	if err != nil {
		t.Fatal(err)
	}
	defer in.code.Close()
	for _, vals := range combos {
		compareRun(t, in, f, vals)
		if t.Failed() {
			t.Fatalf("%s: %x\n%s", s.name, vals, f)
		}
	}
}

// compareRun runs f on the evaluator and natively.
func compareRun(t *testing.T, in *instance, f *ssa.Func, args []uint64) {
	t.Helper()
	m := &ssa.Machine{Memories: [][]byte{make([]byte, 128)}, Globals: make([]uint64, 5), Tables: [][]uint64{nil}, Fuel: 1000}
	want, wantTrap, err := m.Eval(f, args)
	if err != nil {
		t.Fatalf("evaluator: %v", err)
	}
	got, trap, err := in.run(f.Sig, args, m)
	if err != nil {
		t.Errorf("native: %v", err)
		return
	}
	if trap != wantTrap {
		t.Errorf("expected trap %v, found %v %x", wantTrap, trap, got)
		return
	}
	for i, x := range want {
		if !sameBits(f.Sig.Results[i], got[i], x) {
			t.Errorf("result %d: expected %#x, found %#x", i, x, got[i])
		}
	}
}
