//go:build linux && (amd64 || arm64)

package backendtest

import (
	"flag"
	"math/rand/v2"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/wasmaot/wasmaot/compiler/ssa"
	"github.com/wasmaot/wasmaot/compiler/ssa/ssatest"
)

var update = flag.Bool("update", false, "write the golden files anew")

// Selection compares the instructions selected for the functions in testdata with the
// files beside them, and runs them on the evaluator and natively.
func Selection(t *testing.T, mc *Machine) {
	files, err := filepath.Glob("../backendtest/testdata/*.ssa")
	if err != nil || len(files) == 0 {
		t.Fatalf("testdata: %v, %d files", err, len(files))
	}
	for _, name := range files {
		t.Run(filepath.Base(name), func(t *testing.T) { testSelection(t, mc, name) })
	}
}

func testSelection(t *testing.T, mc *Machine, name string) {
	src, err := os.ReadFile(name)
	if err != nil {
		t.Fatal(err)
	}
	fs, err := ssa.ParseAll(string(src))
	if err != nil {
		t.Fatal(err)
	}
	var text strings.Builder
	for _, f := range fs {
		f.Module = testModule
		f.Analyze(new(ssa.Scratch))
		if err := ssa.Check(f); err != nil {
			t.Fatalf("%v\n%s", err, f)
		}
		n := len(mc.Features)
		for i := range 3 * n {
			features := mc.Features[i%n]
			c := &compiler{mc: mc}
			c.cfg.Features, c.cfg.Poison, c.cfg.ThroughDesc = features, i/n == 1, i/n == 2
			code, err := c.compile(f)
			if err != nil {
				t.Fatalf("%v\n%s", err, f)
			}
			if i == n-1 { // all machines have these
				text.WriteString(f.Name + "\n" + mc.Lowered(&c.m) + "\n")
			}
			in, err := newInstance(c.mc, code)
			if err != nil {
				t.Fatal(err)
			}
			for seed := range uint64(50) {
				args := ssatest.Args(rand.New(rand.NewPCG(seed, 2)), f.Sig)
				var log1, log2 strings.Builder
				m1, m2 := newMachine(seed, &log1), newMachine(seed, &log2)
				m1.Fuel = 1000
				results, trap, err := m1.Eval(f, args)
				want := outcome(m1, &log1, results, trap, err)
				results, trap, err = in.run(f.Sig, args, m2)
				got := outcome(m2, &log2, results, trap, err)
				for i := range min(len(got.Results), len(want.Results)) {
					if sameBits(f.Sig.Results[i], got.Results[i], want.Results[i]) {
						got.Results[i] = want.Results[i]
					}
				}
				if d := cmp.Diff(want, got); d != "" {
					t.Fatalf("arguments %x: (-want +got)\n%s\n%s", args, d, f)
				}
			}
			in.code.Close()
		}
	}
	golden := filepath.Join("testdata", strings.TrimSuffix(filepath.Base(name), ".ssa")+".txt")
	if *update {
		if err := os.WriteFile(golden, []byte(text.String()), 0o666); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(golden)
	if err != nil {
		t.Fatal(err)
	}
	if d := cmp.Diff(string(want), text.String()); d != "" {
		t.Errorf("%s: (-want +got; -update writes it anew)\n%s", golden, d)
	}
}
