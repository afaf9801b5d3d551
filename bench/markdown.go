package main

import (
	"fmt"
	"math"
	"slices"
	"strings"
	"time"
)

// Markdown gives the tables: times as ratios to native code (programs, start), compilation in seconds.
func (r *Report) Markdown() string {
	var b strings.Builder
	fmt.Fprintf(&b, "Machine: %s. Least of %d interleaved rounds.", r.Machine, r.Rounds)
	for _, e := range r.Engines {
		fmt.Fprintf(&b, " %s: %s.", e, r.Versions[e])
	}
	b.WriteString("\n")
	for _, m := range r.Missing {
		fmt.Fprintf(&b, "Left out: %s.\n", m)
	}
	for _, t := range r.Tables {
		r.programs(&b, t)
	}
	if len(r.Compile) > 0 {
		r.compile(&b)
	}
	if len(r.Cold) > 0 {
		r.cold(&b)
	}
	if len(r.Start) > 0 {
		r.start(&b)
	}
	if len(r.HTTP) > 0 {
		r.http(&b)
	}
	return b.String()
}

func (r *Report) programs(b *strings.Builder, t Table) {
	fmt.Fprintf(b, "\n%s:\n\n| program | native ms |", t.Title)
	for _, e := range r.Engines[1:] {
		fmt.Fprintf(b, " %s |", e)
	}
	b.WriteString("\n|---|---|" + strings.Repeat("---|", len(r.Engines)-1) + "\n")
	logs, counts := map[string]float64{}, map[string]int{}
	for _, p := range t.Programs {
		fmt.Fprintf(b, "| %s | %.1f |", p.Name, float64(p.Ns["native"])/1e6)
		for _, e := range r.Engines[1:] {
			ratio := p.ratio(e)
			if ratio == 0 {
				b.WriteString(" failed |")
				continue
			}
			logs[e] += math.Log(ratio)
			counts[e]++
			fmt.Fprintf(b, " %.2f |", ratio)
		}
		b.WriteString("\n")
	}
	if len(t.Programs) == 1 {
		return
	}
	b.WriteString("| **geometric mean** | |")
	for _, e := range r.Engines[1:] {
		if counts[e] == 0 {
			b.WriteString(" – |")
			continue
		}
		fmt.Fprintf(b, " **%.2f** |", math.Exp(logs[e]/float64(counts[e])))
	}
	b.WriteString("\n")
}

// ratio is the time on an engine as a multiple of native code's; 0 if either failed.
func (p *ProgramResult) ratio(engine string) float64 {
	if p.Ns["native"] == 0 {
		return 0
	}
	return float64(p.Ns[engine]) / float64(p.Ns["native"])
}

func (r *Report) compile(b *strings.Builder) {
	b.WriteString("\nCompilation, in seconds (whole process; Wasmtime: the compilation alone; V8, which compiles functions when they are called: a whole run that does next to nothing); memory is the greatest resident size of the whole process:\n\n" +
		"| module | engine | CPU, one thread | CPU per MB | wall, one thread | CPU, two threads | wall, two threads | artifact MB | peak memory MB | memory : module |\n" +
		"|---|---|---|---|---|---|---|---|---|---|\n")
	for _, c := range r.Compile {
		fmt.Fprintf(b, "| %s (%s MB) | %s | %s | %s | %s | %s | %s | %s | %.0f | %.1f |\n", c.Guest, megabytes(c.Module), c.Engine, seconds(c.CPU1), seconds(c.perMB()),
			seconds(c.Wall1), seconds(c.CPUAll), seconds(c.WallAll), megabytes(c.Size), float64(c.Memory)/1e6, float64(c.Memory)/float64(max(c.Module, 1)))
	}
}

// perMB is the CPU time on one thread in seconds per megabyte of module.
func (c *CompileResult) perMB() time.Duration {
	return time.Duration(float64(c.CPU1) / (float64(max(c.Module, 1)) / 1e6))
}

// coldBase is the engine that first runs are compared with.
const coldBase = "V8"

func (r *Report) cold(b *strings.Builder) {
	fmt.Fprintf(b, "\nFirst run of a module, in seconds (whole process, of a program that does next to nothing): functions are compiled when they are called; in brackets as a ratio to %s:\n\n"+
		"| module | engine | wall | CPU | peak memory MB |\n|---|---|---|---|---|\n", coldBase)
	for _, c := range r.Cold {
		var base ColdResult
		if k := slices.IndexFunc(r.Cold, func(o ColdResult) bool { return o.Guest == c.Guest && o.Engine == coldBase }); k >= 0 {
			base = r.Cold[k]
		}
		fmt.Fprintf(b, "| %s (%s MB) | %s | %s%s | %s%s | %.0f%s |\n", c.Guest, megabytes(c.Module), c.Engine,
			seconds(c.Wall), inBrackets(c.Wall, base.Wall), seconds(c.CPU), inBrackets(c.CPU, base.CPU), float64(c.Memory)/1e6, inBrackets(c.Memory, base.Memory))
	}
}

// inBrackets is a ratio; empty if there is none.
func inBrackets[T ~int64](v, base T) string {
	if v == 0 || base == 0 {
		return ""
	}
	return fmt.Sprintf(" (%.2f ×)", float64(v)/float64(base))
}

func (r *Report) start(b *strings.Builder) {
	b.WriteString("\nStarting hello, wall time of the process in ms (ratio to native):\n\n| engine | warm, least | warm, median | peak memory MB (not below that of the program that measures) | cold (first run) |\n|---|---|---|---|---|\n")
	base, median := r.Start[0].Warm, r.Start[0].Median
	for _, s := range r.Start {
		fmt.Fprintf(b, "| %s | %s | %s | %s | %s |\n", s.Engine, milliseconds(s.Warm, base), milliseconds(s.Median, median), megabytes(s.Memory), milliseconds(s.Cold, base))
	}
}

func (r *Report) http(b *strings.Builder) {
	fmt.Fprintf(b, "\nA net/http server, %d requests over %d connections that stay open, from a client in another process on this machine:\n\n"+
		"| server | requests a second | of native's | CPU time of the server: native's |\n|---|---|---|---|\n", httpRequests, httpClients)
	native := r.HTTP[0]
	for _, h := range r.HTTP {
		fmt.Fprintf(b, "| %s | %.0f | %.2f | %.2f |\n", h.Server, httpRequests/h.Wall.Seconds(), float64(native.Wall)/float64(h.Wall), float64(h.CPU)/float64(native.CPU))
	}
}

func seconds(d time.Duration) string {
	if d == 0 {
		return "–"
	}
	return fmt.Sprintf("%.3f", d.Seconds())
}

func megabytes(n int64) string {
	if n == 0 {
		return "–"
	}
	return fmt.Sprintf("%.2f", float64(n)/1e6)
}

func milliseconds(d, base time.Duration) string {
	if d == 0 {
		return "–"
	}
	return fmt.Sprintf("%.1f (%.2f ×)", float64(d)/1e6, float64(d)/float64(base))
}
