//go:build linux && (amd64 || arm64)

package backendtest

import (
	"math/rand/v2"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/wasmaot/wasmaot/compiler/ssa"
	"github.com/wasmaot/wasmaot/compiler/ssa/ssatest"
)

// Limbs runs the operations on numbers of many limbs on the evaluator and natively: numbers that overlap, that begin anywhere, and that go beyond
// the end of memory.
func Limbs(t *testing.T, mc *Machine, features uint64) {
	for _, op := range []string{"muladdlimbs", "addlimbs", "sublimbs"} {
		t.Run(op, func(t *testing.T) { runLimbs(t, mc, features, op) })
	}
}

func runLimbs(t *testing.T, mc *Machine, features uint64, op string) {
	by, mostCarry := "v4", uint64(1)
	if op == "muladdlimbs" {
		by, mostCarry = "v8", ^uint64(0)
	}
	f, err := ssa.Parse(`func 0 (i32, i32, i32, i64, i64, i64) -> (i64, i64)
b0(v1:i32, v2:i32, v3:i32, v4:i64, v5:i64, v6:i64):
  v7:i32 = limbs v1, v2, v3
  v8:i64 = limbfactor v4, v5
  v9:i64 = ` + op + ` v7, ` + by + `, v6
  return (v9, v5)`)
	if err != nil {
		t.Fatal(err)
	}
	f.Module = testModule
	f.Analyze(new(ssa.Scratch))
	if err := ssa.Check(f); err != nil {
		t.Fatal(err)
	}
	c := &compiler{mc: mc}
	c.cfg.Features = features
	code, err := c.compile(f)
	if err != nil {
		t.Fatal(err)
	}
	in, err := newInstance(mc, code)
	if err != nil {
		t.Fatal(err)
	}
	defer in.code.Close()
	seed := ssatest.Seed(t)
	r := rand.New(rand.NewPCG(seed, 0))
	edge := func() uint64 { // what makes carries
		return []uint64{0, 1, ^uint64(0), ^uint64(0) - 1, 1 << 63, r.Uint64(), r.Uint64()}[r.IntN(7)]
	}
	trapped := 0
	for range 500 {
		start := uint64(r.IntN(ssatest.MemoryBytes - 512))
		if r.IntN(4) == 0 {
			start = ssatest.MemoryBytes - uint64(r.IntN(300))
		}
		near := func() uint64 { return start + uint64(r.IntN(100)) }
		args := []uint64{near(), near(), near(), uint64(r.IntN(20)), edge(), edge() & mostCarry}
		var log1, log2 strings.Builder
		m1, m2 := newMachine(seed, &log1), newMachine(seed, &log2)
		for i := start &^ 7; i+8 <= min(start+300, ssatest.MemoryBytes); i += 8 {
			limb := edge()
			for k := range uint64(8) {
				m1.Memories[0][i+k] = byte(limb >> (8 * k))
			}
		}
		copy(m2.Memories[0], m1.Memories[0])
		m1.Fuel = 1000
		results, trap, err := m1.Eval(f, args)
		want := outcome(m1, &log1, results, trap, err)
		if trap != 0 {
			trapped++
		}
		results, trap, err = in.run(f.Sig, args, m2)
		got := outcome(m2, &log2, results, trap, err)
		if d := cmp.Diff(want, got); d != "" {
			t.Fatalf("arguments %x: (-want +got)\n%s", args, d)
		}
	}
	if trapped == 0 || trapped == 500 {
		t.Errorf("%d of 500 trapped", trapped)
	}
}
