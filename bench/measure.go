package main

import (
	"errors"
	"fmt"
	"log"
	"math"
	"strings"
	"time"
)

var errNotApplicable = errors.New("not applicable")

// ProgramResult is the least time of a program's hot part on each engine, in nanoseconds; an engine that failed is missing.
type ProgramResult struct {
	Name string
	Ns   map[string]int64
}

// CompileResult is the least cost of compiling a guest; CPU1 and Wall1 with one thread, WallAll with all.
type CompileResult struct {
	Guest, Engine        string
	CPU1, Wall1, WallAll time.Duration
	CPUAll               time.Duration
	Size                 int64
}

// StartResult is the least wall time of running hello.
type StartResult struct {
	Engine     string
	Warm, Cold time.Duration
}

func measurePrograms(engines []*engine, g guest, names []string, rounds int) ([]ProgramResult, error) {
	var results []ProgramResult
	for _, name := range names {
		p := ProgramResult{name, map[string]int64{}}
		sum := ""
		for range rounds {
			for _, e := range engines {
				_, out, err := measure(e.run(g, name))
				if err != nil {
					log.Printf("%s on %s: %v", name, e.name, err)
					continue
				}
				var ns int64
				var check string
				if _, err := fmt.Sscan(out, &ns, &check); err != nil {
					return nil, fmt.Errorf("%s on %s: output %q: %w", name, e.name, out, err)
				}
				if sum == "" {
					sum = check
				}
				if check != sum {
					return nil, fmt.Errorf("%s on %s: checksum %s, expected %s", name, e.name, check, sum)
				}
				if old, ok := p.Ns[e.name]; !ok || ns < old {
					p.Ns[e.name] = ns
				}
			}
		}
		results = append(results, p)
	}
	return results, nil
}

func measureCompile(dir string, engines []*engine, guests []guest, rounds int) ([]CompileResult, error) {
	least := func(d *time.Duration, v time.Duration) {
		if *d == 0 || v < *d {
			*d = v
		}
	}
	var results []CompileResult
	for _, g := range guests {
		byEngine := map[*engine]*CompileResult{}
		for range min(rounds, 3) {
			for _, e := range engines {
				if e.compile == nil {
					continue
				}
				if byEngine[e] == nil {
					byEngine[e] = &CompileResult{Guest: g.name, Engine: e.name}
				}
				r := byEngine[e]
				u, err := e.compile(g, 1)
				if err != nil {
					return nil, fmt.Errorf("%s: %w", e.name, err)
				}
				least(&r.CPU1, u.CPU)
				least(&r.Wall1, u.Wall)
				u, err = e.compile(g, 2)
				if err == nil {
					least(&r.CPUAll, u.CPU)
					least(&r.WallAll, u.Wall)
				} else if err != errNotApplicable {
					return nil, fmt.Errorf("%s: %w", e.name, err)
				}
				if e.size != nil {
					r.Size = e.size(g)
				}
			}
		}
		for _, e := range engines {
			if r := byEngine[e]; r != nil {
				results = append(results, *r)
			}
		}
	}
	return results, nil
}

func measureStart(engines []*engine, hello guest, rounds int) ([]StartResult, error) {
	results := make([]StartResult, len(engines))
	for i, e := range engines {
		results[i].Engine = e.name
		if _, _, err := measure(e.run(hello)); err != nil { // fills caches
			return nil, err
		}
	}
	for range 4 * rounds {
		for i, e := range engines {
			u, _, err := measure(e.run(hello))
			if err != nil {
				return nil, err
			}
			if r := &results[i]; r.Warm == 0 || u.Wall < r.Warm {
				r.Warm = u.Wall
			}
		}
	}
	for range rounds {
		for i, e := range engines {
			if e.cold == nil {
				continue
			}
			u, _, err := measure(e.cold(hello))
			if err != nil {
				return nil, err
			}
			if r := &results[i]; r.Cold == 0 || u.Wall < r.Cold {
				r.Cold = u.Wall
			}
		}
	}
	return results, nil
}

// Markdown gives the tables: times as ratios to native Go (programs, start) or to wasmaot (compilation).
func (r *Report) Markdown() string {
	var b strings.Builder
	fmt.Fprintf(&b, "Machine: %s. Least of %d interleaved rounds.", r.Machine, r.Rounds)
	for _, e := range r.Engines {
		fmt.Fprintf(&b, " %s: %s.", e, r.Versions[e])
	}
	b.WriteString("\n\nRun time of the hot part, as a ratio to native Go with GOMAXPROCS=1:\n\n| program | native ms |")
	for _, e := range r.Engines[1:] {
		fmt.Fprintf(&b, " %s |", e)
	}
	b.WriteString("\n|---|---|" + strings.Repeat("---|", len(r.Engines)-1) + "\n")
	logs, counts := map[string]float64{}, map[string]int{}
	for _, p := range r.Programs {
		native := float64(p.Ns["native"])
		fmt.Fprintf(&b, "| %s | %.1f |", p.Name, native/1e6)
		for _, e := range r.Engines[1:] {
			ns, ok := p.Ns[e]
			if !ok || native == 0 {
				b.WriteString(" failed |")
				continue
			}
			ratio := float64(ns) / native
			logs[e] += math.Log(ratio)
			counts[e]++
			fmt.Fprintf(&b, " %.2f |", ratio)
		}
		b.WriteString("\n")
	}
	b.WriteString("| **geometric mean** | |")
	for _, e := range r.Engines[1:] {
		fmt.Fprintf(&b, " **%.2f** |", math.Exp(logs[e]/float64(max(counts[e], 1))))
	}

	b.WriteString("\n\nCompilation, in seconds (whole process; Wasmtime: the compilation alone):\n\n| module | engine | CPU, one thread | wall, one thread | CPU, two threads | wall, two threads | artifact MB |\n|---|---|---|---|---|---|---|\n")
	for _, c := range r.Compile {
		fmt.Fprintf(&b, "| %s | %s | %s | %s | %s | %s | %s |\n", c.Guest, c.Engine, seconds(c.CPU1), seconds(c.Wall1), seconds(c.CPUAll), seconds(c.WallAll), megabytes(c.Size))
	}
	b.WriteString("\nStarting hello, wall time of the process in ms (ratio to native):\n\n| engine | warm | cold (compiling) |\n|---|---|---|\n")
	base := r.Start[0].Warm
	for _, s := range r.Start {
		fmt.Fprintf(&b, "| %s | %s | %s |\n", s.Engine, milliseconds(s.Warm, base), milliseconds(s.Cold, base))
	}
	return b.String()
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
	return fmt.Sprintf("%.1f (%.1f ×)", float64(d)/1e6, float64(d)/float64(base))
}
