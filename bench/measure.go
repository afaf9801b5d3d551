package main

import (
	"errors"
	"fmt"
	"log"
	"os/exec"
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
	Size                 int64 // of the artifact
	Module               int64 // bytes of wasm
	Memory               int64 // peak of the process's resident memory, in bytes
}

// StartResult is the least wall time of running hello.
type StartResult struct {
	Engine     string
	Warm, Cold time.Duration
}

// measurePrograms runs each program on each engine in turn. What fails is logged and missing in the result; differing checksums are
// an error.
func measurePrograms(engines []*engine, programs []program, rounds int) ([]ProgramResult, error) {
	type pair struct {
		engine *engine
		module string
	}
	prepared := map[pair]bool{}
	var results []ProgramResult
	for _, p := range programs {
		result := ProgramResult{p.name, map[string]int64{}}
		sum := ""
		for range rounds {
			for _, e := range engines {
				key := pair{e, p.guest.wasm}
				ok, seen := prepared[key]
				if !seen {
					err := e.prepare(p.guest)
					if ok = err == nil; !ok {
						log.Printf("preparing %s for %s: %v", p.guest.name, e.name, err)
					}
					prepared[key] = ok
				}
				if !ok {
					continue
				}
				_, out, err := measure(e.run(p.guest, p.arg))
				if err != nil {
					log.Printf("%s on %s: %v", p.name, e.name, err)
					continue
				}
				var ns int64
				var check string
				if _, err := fmt.Sscan(out, &ns, &check); err != nil {
					return nil, fmt.Errorf("%s on %s: output %q: %w", p.name, e.name, out, err)
				}
				if sum == "" {
					sum = check
				}
				if check != sum {
					return nil, fmt.Errorf("%s on %s: checksum %s, expected %s", p.name, e.name, check, sum)
				}
				if old, ok := result.Ns[e.name]; !ok || ns < old {
					result.Ns[e.name] = ns
				}
			}
		}
		results = append(results, result)
	}
	return results, nil
}

// bigModule is the size from which one round of compilations suffices: they take seconds to minutes.
const bigModule = 16 << 20

func measureCompile(engines []*engine, guests []guest, rounds int) []CompileResult {
	var results []CompileResult
	for _, g := range guests {
		n := min(rounds, 3)
		if fileSize(g.wasm) >= bigModule {
			n = 1
		}
		byEngine := map[*engine]*CompileResult{}
		for range n {
			for _, e := range engines {
				if e.compile == nil {
					continue
				}
				if byEngine[e] == nil {
					byEngine[e] = &CompileResult{Guest: g.name, Engine: e.name, Module: fileSize(g.wasm)}
				}
				byEngine[e].add(e, g)
			}
		}
		for _, e := range engines {
			if r := byEngine[e]; r != nil && r.CPU1 != 0 {
				results = append(results, *r)
			}
		}
	}
	return results
}

// add compiles with one thread and with two.
func (r *CompileResult) add(e *engine, g guest) {
	for threads := 1; threads <= 2; threads++ {
		u, err := e.compile(g, threads)
		if err == errNotApplicable {
			continue
		}
		if err != nil {
			log.Printf("compiling %s with %s: %v", g.name, e.name, err)
			return
		}
		if threads == 1 {
			least(&r.CPU1, u.CPU)
			least(&r.Wall1, u.Wall)
		} else {
			least(&r.CPUAll, u.CPU)
			least(&r.WallAll, u.Wall)
		}
		r.Memory = max(r.Memory, u.Memory)
	}
	if e.size != nil {
		r.Size = e.size(g)
	}
}

func least(d *time.Duration, v time.Duration) {
	if *d == 0 || v < *d {
		*d = v
	}
}

func measureStart(engines []*engine, hello guest, rounds int) []StartResult {
	results := make([]StartResult, len(engines))
	for i, e := range engines {
		results[i].Engine = e.name
		if err := e.prepare(hello); err != nil {
			log.Printf("preparing hello for %s: %v", e.name, err)
			continue
		}
		measure(e.run(hello)) // fills caches; what fails is told below
	}
	repeat := func(n int, command func(*engine) *exec.Cmd, result func(*StartResult) *time.Duration) {
		for range n {
			for i, e := range engines {
				cmd := command(e)
				if cmd == nil {
					continue
				}
				u, _, err := measure(cmd)
				if err != nil {
					log.Printf("hello on %s: %v", e.name, err)
					continue
				}
				least(result(&results[i]), u.Wall)
			}
		}
	}
	repeat(4*rounds, func(e *engine) *exec.Cmd { return e.run(hello) }, func(r *StartResult) *time.Duration { return &r.Warm })
	repeat(rounds, func(e *engine) *exec.Cmd {
		if e.cold == nil {
			return nil
		}
		return e.cold(hello)
	}, func(r *StartResult) *time.Duration { return &r.Cold })
	return results
}
