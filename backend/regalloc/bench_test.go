//go:build unix

package regalloc

import (
	"math/rand/v2"
	"syscall"
	"testing"
)

func benchmark(b *testing.B, blocks, wide, carried int) {
	file := amd64Like()
	rng := rand.New(rand.NewPCG(1, 1))
	var funcs []*Func
	insts := 0
	for range max(1, 2000/blocks) {
		f := typical(rng, file, blocks, wide, carried)
		funcs = append(funcs, f)
		insts += len(f.Insts)
	}
	var a Allocator
	var r Result
	b.ReportAllocs()
	b.ResetTimer()
	moves, cpu := 0, cpuTime()
	for i := 0; i < b.N; i++ {
		moves = 0
		for _, f := range funcs {
			if err := a.Run(f, file, &r); err != nil {
				b.Fatal(err)
			}
			moves += len(r.Moves)
		}
	}
	// Processor time: other programs disturb it less.
	b.ReportMetric(float64(cpuTime()-cpu)/float64(b.N)/float64(insts), "cpu-ns/inst")
	b.ReportMetric(float64(moves)/float64(insts), "moves/inst")
}

func cpuTime() int64 {
	var u syscall.Rusage
	if syscall.Getrusage(syscall.RUSAGE_SELF, &u) != nil {
		return 0
	}
	return u.Utime.Nano() + u.Stime.Nano()
}

func BenchmarkTiny(b *testing.B)   { benchmark(b, 3, 0, 2) }
func BenchmarkSmall(b *testing.B)  { benchmark(b, 30, 0, 2) }
func BenchmarkMedium(b *testing.B) { benchmark(b, 500, 0, 2) }
func BenchmarkSwitch(b *testing.B) { benchmark(b, 6000, 3000, 2) }
func BenchmarkLarge(b *testing.B)  { benchmark(b, 30000, 5491, 3) }
