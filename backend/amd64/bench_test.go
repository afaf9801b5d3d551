package amd64

import (
	"math/rand/v2"
	"testing"

	"github.com/wasmaot/wasmaot/backend"
	"github.com/wasmaot/wasmaot/backend/regalloc"
	"github.com/wasmaot/wasmaot/compiler/ssa"
	"github.com/wasmaot/wasmaot/compiler/ssa/ssatest"
)

// BenchmarkCompile selects and assembles random functions; the metrics are nanoseconds for each SSA
// instruction.
func BenchmarkCompile(b *testing.B) {
	cfg := backend.Config{Features: FeatureV2}
	var fs []*ssa.Func
	instructions := 0
	for seed := range uint64(50) {
		f := ssatest.Func(rand.New(rand.NewPCG(seed, 0)), ssatest.Options{Blocks: 20, Insts: 30})
		m := *ssatest.Module
		m.Layout.Shape.ImportedFuncs = 1
		f.Module = &m
		fs = append(fs, f)
		instructions += len(f.Order)
	}
	var m backend.Func
	var code backend.Code
	run := func(b *testing.B, what func(f *ssa.Func)) {
		for b.Loop() {
			for _, f := range fs {
				what(f)
			}
		}
		b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N)/float64(instructions), "ns/inst")
	}
	b.Run("lower", func(b *testing.B) {
		run(b, func(f *ssa.Func) {
			if err := lower(&cfg, f, &m); err != nil {
				b.Fatal(err)
			}
		})
	})
	b.Run("emit", func(b *testing.B) {
		var a regalloc.Allocator
		ms, rs := make([]backend.Func, len(fs)), make([]regalloc.Result, len(fs))
		next := 0
		for i, f := range fs {
			if err := lower(&cfg, f, &ms[i]); err != nil {
				b.Fatal(err)
			}
			if err := a.Run(&ms[i].RA, Target.Regs, &rs[i]); err != nil {
				b.Fatal(err)
			}
		}
		run(b, func(*ssa.Func) {
			i := next % len(fs)
			next++
			if err := emitCode(&cfg, &ms[i], &rs[i], &code); err != nil {
				b.Fatal(err)
			}
		})
	})
}
