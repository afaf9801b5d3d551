package main

import (
	"errors"
	"fmt"
	"os/exec"
	"path/filepath"
	"slices"
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
	Size                 int64 // of the artifact
	Module               int64 // bytes of wasm
	Memory               int64 // peak of the process's resident memory, in bytes
}

// ColdResult is the least cost of the first run of a guest that does next to nothing, by an engine that compiles what is called.
type ColdResult struct {
	Guest, Engine string
	Module        int64 // bytes of wasm
	Wall, CPU     time.Duration
	Memory        int64 // peak of the process's resident memory, in bytes
}

// StartResult is the least wall time of running hello.
type StartResult struct {
	Engine     string
	Warm, Cold time.Duration
	Median     time.Duration // of warm runs
	Memory     int64         // peak of a warm run's resident memory, in bytes; the kernel counts no less than this program's own
}

// measurePrograms runs each program on each engine in turn. What fails, or has another checksum than native code, has no result.
func (r *Report) measurePrograms(engines []*engine, programs []program) []ProgramResult {
	type pair struct {
		engine *engine
		module string
	}
	prepared := map[pair]bool{}
	var results []ProgramResult
	for _, p := range programs {
		result := ProgramResult{p.name, map[string]int64{}}
		sum := ""
		for range r.Rounds {
			for _, e := range engines {
				key := pair{e, p.guest.wasm}
				ok, seen := prepared[key]
				if !seen {
					err := e.prepare(p.guest)
					if ok = err == nil; !ok {
						r.miss(fmt.Errorf("%s prepared for %s: %w", p.guest.name, e.name, err))
					}
					prepared[key] = ok
				}
				if !ok {
					continue
				}
				ns, check, err := timed(e.run(p.guest, p.arg))
				if sum == "" {
					sum = check
				}
				if err == nil && check != sum {
					err = fmt.Errorf("checksum %s, expected %s", check, sum)
				}
				if err != nil {
					r.miss(fmt.Errorf("%s on %s: %w", p.name, e.name, err))
					continue
				}
				if old, ok := result.Ns[e.name]; !ok || ns < old {
					result.Ns[e.name] = ns
				}
			}
		}
		results = append(results, result)
	}
	return results
}

// timed runs a program that prints what its hot part took, in nanoseconds, and a checksum.
func timed(cmd *exec.Cmd) (ns int64, check string, err error) {
	_, out, err := measure(cmd)
	if err == nil {
		if _, err = fmt.Sscan(out, &ns, &check); err != nil {
			err = fmt.Errorf("output %q: %w", out, err)
		}
	}
	return ns, check, err
}

// bigModule is the size from which one round of compilations suffices: they take seconds to minutes.
const bigModule = 32 << 20

func (r *Report) measureCompile(engines []*engine, guests []guest) {
	for _, g := range guests {
		n := min(r.Rounds, 3)
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
				if err := byEngine[e].add(e, g); err != nil {
					r.miss(fmt.Errorf("compiling %s with %s: %w", g.name, e.name, err))
				}
			}
		}
		for _, e := range engines {
			if c := byEngine[e]; c != nil && c.WallAll+c.Wall1 != 0 {
				r.Compile = append(r.Compile, *c)
			}
		}
	}
}

// coldRuns is how many first runs a round has: they take tenths of a second.
const coldRuns = 2

func (r *Report) measureCold(engines []*engine, guests []guest) {
	for _, g := range guests {
		first := len(r.Cold)
		for _, e := range engines {
			if e.lazy {
				r.Cold = append(r.Cold, ColdResult{Guest: g.name, Engine: e.name, Module: fileSize(g.wasm)})
			}
		}
		for range coldRuns * r.Rounds {
			for _, e := range engines {
				k := slices.IndexFunc(r.Cold[first:], func(c ColdResult) bool { return c.Engine == e.name })
				if k < 0 {
					continue
				}
				u, _, err := measure(e.cold(g, g.quick...))
				if err != nil {
					r.miss(fmt.Errorf("first run of %s on %s: %w", g.name, e.name, err))
					continue
				}
				c := &r.Cold[first+k]
				least(&c.Wall, u.Wall)
				least(&c.CPU, u.CPU)
				c.Memory = max(c.Memory, u.Memory)
			}
		}
	}
}

// add compiles with one thread and with two.
func (r *CompileResult) add(e *engine, g guest) error {
	for threads := 1; threads <= 2; threads++ {
		u, err := e.compile(g, threads)
		if err == errNotApplicable {
			continue
		}
		if err != nil {
			return err
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
	return nil
}

func least(d *time.Duration, v time.Duration) {
	if *d == 0 || v < *d {
		*d = v
	}
}

// startRuns is how many warm runs a round has: they take milliseconds.
const startRuns = 30

// settle is longer than a cache of ours distrusts a file that was just written.
const settle = 2500 * time.Millisecond

func (r *Report) measureStart(engines []*engine, dir string, hello guest) {
	engines = append(slices.Clone(engines), r.startersOnly(dir)...)
	results := make([]StartResult, len(engines))
	for i, e := range engines {
		results[i].Engine = e.name
		if err := e.prepare(hello); err != nil {
			r.miss(fmt.Errorf("hello prepared for %s: %w", e.name, err))
			continue
		}
		measure(e.run(hello)) // fills caches; what fails is told below
	}
	time.Sleep(settle)
	for _, e := range engines {
		measure(e.run(hello))
	}
	repeat := func(n int, command func(*engine) *exec.Cmd, result func(*StartResult, usage)) {
		for range n {
			for i, e := range engines {
				cmd := command(e)
				if cmd == nil {
					continue
				}
				u, _, err := measure(cmd)
				if err != nil {
					r.miss(fmt.Errorf("hello on %s: %w", e.name, err))
					continue
				}
				result(&results[i], u)
			}
		}
	}
	walls := make([][]time.Duration, len(engines))
	repeat(startRuns*r.Rounds, func(e *engine) *exec.Cmd {
		cmd := e.run(hello)
		if e.name == "native" {
			cmd.Env = nil // as it is run: on all processors
		}
		return cmd
	}, func(s *StartResult, u usage) {
		least(&s.Warm, u.Wall)
		s.Memory = max(s.Memory, u.Memory)
		i := slices.IndexFunc(results, func(x StartResult) bool { return x.Engine == s.Engine })
		walls[i] = append(walls[i], u.Wall)
	})
	for i, w := range walls {
		if slices.Sort(w); len(w) > 0 {
			results[i].Median = w[len(w)/2]
		}
	}
	repeat(r.Rounds, func(e *engine) *exec.Cmd {
		if e.cold == nil {
			return nil
		}
		return e.cold(hello)
	}, func(s *StartResult, u usage) { least(&s.Cold, u.Wall) })
	r.Start = results
}

// startersOnly are ways to run hello that have nothing else to measure: the executable that wasmaot makes, and Wasmtime without a Python around it. What is
// missing is told.
func (r *Report) startersOnly(dir string) []*engine {
	list := []*engine{{
		name: "wasmaot build",
		prepare: func(g guest) error {
			return exec.Command(filepath.Join(dir, "wasmaot"), "build", g.wasm, "-o", g.wasm+".app").Run()
		},
		run: func(g guest, args ...string) *exec.Cmd { return exec.Command(g.wasm+".app", args...) },
	}}
	lib, err := exec.Command("python3", "-c", "import glob, os, wasmtime; print(glob.glob(os.path.dirname(wasmtime.__file__) + '/**/*.so', recursive=True)[0])").Output()
	if err != nil {
		return list // told with the engine
	}
	bin := filepath.Join(dir, "wasmtime_start")
	if err := exec.Command("cc", "-O1", "-o", bin, "native/wasmtime_start.c", "-ldl").Run(); err != nil {
		r.miss(fmt.Errorf("wasmtime from C: cc: %w", err))
		return list
	}
	return append(list, &engine{
		name: "wasmtime from C",
		prepare: func(g guest) error {
			return exec.Command("python3", wasmtimeScript, "compile", g.wasm, g.wasm+".wasmtime").Run()
		},
		run: func(g guest, args ...string) *exec.Cmd {
			return exec.Command(bin, strings.TrimSpace(string(lib)), g.wasm+".wasmtime")
		},
	})
}
