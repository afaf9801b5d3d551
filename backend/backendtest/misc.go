//go:build linux && (amd64 || arm64)

package backendtest

import (
	"bytes"
	"encoding/binary"
	"fmt"
	"math"
	"math/rand/v2"
	"strings"
	"testing"

	"github.com/wasmaot/wasmaot/backend"
	"github.com/wasmaot/wasmaot/compiler/abi"
	"github.com/wasmaot/wasmaot/compiler/ssa"
	"github.com/wasmaot/wasmaot/compiler/ssa/ssatest"
)

// mustLoad compiles a function given as text.
func mustLoad(t *testing.T, mc *Machine, src string) (*ssa.Func, *instance) {
	t.Helper()
	f, err := ssa.Parse(src)
	if err != nil {
		t.Fatalf("%v\n%s", err, src)
	}
	return f, mustLoadFunc(t, mc, f)
}

func mustLoadFunc(t *testing.T, mc *Machine, f *ssa.Func) *instance {
	t.Helper()
	return mustLoadConfig(t, mc, backend.Config{Features: mc.Target.Baseline}, f)
}

func mustLoadConfig(t *testing.T, mc *Machine, cfg backend.Config, f *ssa.Func) *instance {
	t.Helper()
	f.Module = testModule
	f.Analyze(new(ssa.Scratch))
	if err := ssa.Check(f); err != nil {
		t.Fatal(err)
	}
	c := &compiler{mc: mc, cfg: cfg}
	code, err := c.compile(f)
	if err != nil {
		t.Fatal(err)
	}
	in, err := newInstance(c.mc, code)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(in.code.Close)
	return in
}

// StoresAtEnd stores at the end of memory and across it, near where another access was: what traps has stored nothing. Emulators store vectors in
// halves, and so show it if something may be stored.
func StoresAtEnd(t *testing.T, mc *Machine) {
	const size = ssatest.MemoryBytes
	for _, before := range []uint32{0, 7} { // how many bytes from the index on are known to be in memory, but one
		for _, dist := range []int32{-20, -16, -8, -3, 0, 5} {
			for _, off := range []uint32{0, 2, 8} {
				src := fmt.Sprintf("func 3 (i32) -> ()\nb0(v1:i32):\nv2:addr = addr v1, %d, 1\nv3:i32 = load8u v2\nv4:i32 = add v1, %d:i32\n"+
					"v5:addr = addr v4, %d, 16\nstore v5, 0x00112233445566778899aabbccddeeff:v128\nreturn ()", before, dist, off)
				f, in := mustLoad(t, mc, src)
				for at := -30; at <= 30; at++ {
					for _, index := range []int{at, size + at} {
						if testRun(t, in, f, []uint64{uint64(index)}); t.Failed() {
							t.Fatalf("index %d:\n%s", index, src)
						}
					}
				}
			}
		}
	}
}

// Bulk copies and fills with all lengths up to where the routines change their ways, with
// all kinds of overlap, up to the end of memory and beyond.
func Bulk(t *testing.T, mc *Machine) {
	lengths := append([]uint64{5000}, mc.Lengths...)
	for n := range uint64(135) {
		lengths = append(lengths, n)
	}
	const size = ssatest.MemoryBytes
	r := rand.New(rand.NewPCG(1, 1))
	for _, op := range []string{"memcopy", "memfill"} {
		for _, n := range lengths {
			places := []uint64{8, 8 + n/2, 9 + n, 8 + n + n, 40, size - n, size - n + 1, math.MaxUint32, math.MaxUint32 - n + 1}
			g, variable := mustLoad(t, mc, "func 3 (i32, i32, i32) -> ()\nb0(v1:i32, v2:i32, v3:i32):\n"+op+" v1, v2, v3\nreturn ()")
			f, constant := mustLoad(t, mc, fmt.Sprintf("func 3 (i32, i32) -> ()\nb0(v1:i32, v2:i32):\n%s v1, v2, %d:i32\nreturn ()", op, n))
			explicit := backend.Config{Features: mc.Target.Baseline, Explicit: true}
			variableChecked, constantChecked := mustLoadConfig(t, mc, explicit, g), mustLoadConfig(t, mc, explicit, f)
			for _, dst := range places {
				src := places[r.IntN(len(places))] + r.Uint64N(20)
				testRun(t, variable, f, []uint64{dst, src, n})
				testRun(t, constant, f, []uint64{dst, src})
				testRun(t, variableChecked, f, []uint64{dst, src, n})
				testRun(t, constantChecked, f, []uint64{dst, src})
				if t.Failed() {
					t.Fatalf("%s: destination %#x, source %#x, length %d", op, dst, src, n)
				}
			}
		}
	}
}

// testRun runs a function of I32 parameters, without results, beside the evaluator.
func testRun(t *testing.T, in *instance, f *ssa.Func, args []uint64) {
	t.Helper()
	for i := range args {
		args[i] = uint64(uint32(args[i]))
	}
	m1, m2 := &ssa.Machine{Fuel: 10}, &ssa.Machine{}
	for _, m := range []*ssa.Machine{m1, m2} {
		mem := make([]byte, ssatest.MemoryBytes)
		for i := range mem {
			mem[i] = byte(i * 7 >> 3)
		}
		m.Memories, m.Globals, m.Tables = [][]byte{mem}, make([]uint64, len(testModule.GlobalTypes)), [][]uint64{nil}
	}
	_, wantTrap, _ := m1.Eval(f, args[:len(f.Sig.Params)])
	_, trap, err := in.run(&abi.Signature{Params: make([]abi.Type, len(args))}, args, m2)
	if err != nil || trap != wantTrap {
		t.Errorf("expected trap %v, found %v, %v", wantTrap, trap, err)
	}
	if !bytes.Equal(m1.Memories[0], m2.Memories[0]) {
		t.Error("memories differ")
	}
}

// Stack passes more parameters and results than there are registers, some in each
// other's places.
func Stack(t *testing.T, mc *Machine) {
	types := []abi.Type{abi.I32, abi.F64, abi.I64, abi.F32}
	for _, n := range []int{1, 12, 33, 200} {
		for _, rotate := range []int{0, 1, 13} {
			sig := &abi.Signature{}
			f := new(ssa.Func)
			f.Reset()
			f.Index, f.Sig = 3, sig
			b := f.AddBlock()
			for i := range n {
				sig.Params = append(sig.Params, types[i%len(types)])
			}
			f.AddParams(b, sig.Params...)
			f.Begin(b)
			var results []ssa.Value
			for i := range n {
				v := f.ParamsOf(&f.Blocks[b])[(i+rotate)%n]
				sig.Results = append(sig.Results, f.Insts[v].Type)
				results = append(results, v)
			}
			f.EndReturn(b, 0, results...)
			in := mustLoadFunc(t, mc, f)
			args := ssatest.Args(rand.New(rand.NewPCG(uint64(n), 1)), sig)
			compareRun(t, in, f, args)
		}
	}
}

// Frame keeps more values than there are registers across calls, in frames of all sizes.
func Frame(t *testing.T, mc *Machine) {
	for _, n := range []int{1, 20, 3000, 9000} {
		var src strings.Builder
		fmt.Fprintf(&src, "func 3 (i64, f64) -> (i64, f64)\nb0(v1:i64, v2:f64):\n")
		for i := range n {
			fmt.Fprintf(&src, "v%d:i64 = mul v1, %d:i64\nv%d:f64 = fmul v2, %d:f64\n", 3+2*i, i+3, 4+2*i, i+1)
		}
		fmt.Fprintf(&src, "call direct 2 () -> () []\n")
		v := 3 + 2*n
		for i := range n {
			fmt.Fprintf(&src, "v%d:i64 = xor v%d, v%d\nv%d:f64 = fadd v%d, v%d\n", v, max(1, v-2), 3+2*i, v+1, max(2, v-1), 4+2*i)
			v += 2
		}
		fmt.Fprintf(&src, "return (v%d, v%d)\n", v-2, v-1)
		f, in := mustLoad(t, mc, src.String())
		if want := uint32(16 * (n - 1)); in.native.FrameSize < want {
			t.Errorf("%d values: expected a frame of at least %d bytes, found %d", 2*n, want, in.native.FrameSize)
		}
		var log1, log2 strings.Builder
		m1, m2 := newMachine(1, &log1), newMachine(1, &log2)
		m1.Fuel = 10
		args := []uint64{12345, math.Float64bits(1.5)}
		results, trap, err := m1.Eval(f, args)
		want := outcome(m1, &log1, results, trap, err)
		results, trap, err = in.run(f.Sig, args, m2)
		if got := outcome(m2, &log2, results, trap, err); fmt.Sprint(got) != fmt.Sprint(want) {
			t.Errorf("%d values: expected %v, found %v", 2*n, want, got)
		}
	}
}

// Vectors moves vectors through registers, slots, memory, constants and calls' areas; the evaluator
// does not know them.
func Vectors(t *testing.T, mc *Machine) {
	f := new(ssa.Func)
	f.Reset()
	f.Index = 3
	f.Sig = &abi.Signature{Params: []abi.Type{abi.V128, abi.I32}, Results: []abi.Type{abi.V128}}
	for range 9 {
		f.Sig.Params = append(f.Sig.Params, abi.V128)
	}
	b := f.AddBlock()
	f.AddParams(b, f.Sig.Params...)
	p := f.ParamsOf(&f.Blocks[b])
	f.Begin(b)
	f.Vecs = append(f.Vecs, [16]byte{1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16})
	c := f.NewValue(ssa.OpConst, abi.V128, 0, 0, 0, 0)
	address := func(at uint32) uint32 {
		return uint32(f.Emit(ssa.OpAddr, abi.Addr, uint32(f.Const(abi.I32, uint64(at))), 0, 16, 0))
	}
	f.Emit(ssa.OpStore, abi.Void, address(0), uint32(p[0]), 0, 0)
	f.Emit(ssa.OpStore, abi.Void, address(16), uint32(p[10]), 0, 0)
	f.Emit(ssa.OpStore, abi.Void, address(32), uint32(c), 0, 0)
	l := f.Emit(ssa.OpLoad, abi.V128, address(0), 0, 0, 0)
	f.EmitCall(ssa.Call{Kind: ssa.CallDirect, Callee: 2, Sig: testModule.FuncSigs[2]}, nil, 0)
	s := f.Emit(ssa.OpSelect, abi.V128, uint32(p[1]), uint32(l), uint32(p[9]), 0)
	f.EndReturn(b, 0, s)
	in := mustLoadFunc(t, mc, f)
	for _, choice := range []uint64{0, 1} {
		var log strings.Builder
		m := newMachine(1, &log)
		places, area := mc.Target.Conv.Params(f.Sig.Params)
		got, mem := in.runVectors(t, m, places, area, choice)
		want := [2]uint64{9, 9 << 8}
		if choice != 0 {
			want = [2]uint64{0, 0}
		}
		if got != want {
			t.Errorf("selected %x, expected %x", got, want)
		}
		le := binary.LittleEndian
		if x := le.Uint64(mem[16:]); x != 10 {
			t.Errorf("parameter on the stack: expected 10, found %d", x)
		}
		if !bytes.Equal(mem[32:48], f.Vecs[0][:]) {
			t.Errorf("constant: found %x", mem[32:48])
		}
	}
}
