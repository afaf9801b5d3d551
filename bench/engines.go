package main

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"slices"
	"strconv"
	"strings"
	"syscall"
	"time"
)

// An engine runs guests. cpu is what a compilation takes, measured by the engine's own rules where compile is nil.
type engine struct {
	name    string
	prepare func(g guest) error                       // compiles ahead of time or fills a cache, so that run is warm
	run     func(g guest, args ...string) *exec.Cmd   // warm
	cold    func(g guest, args ...string) *exec.Cmd   // of a module that is new to it; nil if there is no such thing
	lazy    bool                                      // cold compiles what is called
	compile func(g guest, threads int) (usage, error) // one compilation; nil if there is none
	size    func(g guest) int64                       // bytes of native code or artifact, 0 if unknown
}

// usage is what a command took; Memory is the greatest resident size, in bytes.
type usage struct {
	CPU, Wall time.Duration
	Memory    int64
}

// commandLimit ends commands that hang: nothing measured here takes minutes.
const commandLimit = 5 * time.Minute

// measure runs a command and gives what it took; the command's output is returned.
func measure(cmd *exec.Cmd) (usage, string, error) {
	var out strings.Builder
	cmd.Stdout, cmd.Stderr = &out, os.Stderr
	start := time.Now()
	err := cmd.Start()
	if err == nil {
		hung := time.AfterFunc(commandLimit, func() { cmd.Process.Kill() })
		err = cmd.Wait()
		hung.Stop()
	}
	wall := time.Since(start)
	if err != nil {
		return usage{}, "", fmt.Errorf("%s: %w", strings.Join(cmd.Args, " "), err)
	}
	u := usage{CPU: cmd.ProcessState.UserTime() + cmd.ProcessState.SystemTime(), Wall: wall}
	if r, ok := cmd.ProcessState.SysUsage().(*syscall.Rusage); ok {
		u.Memory = int64(r.Maxrss) << 10 // kilobytes on Linux: getrusage(2)
	}
	return u, out.String(), nil
}

func fileSize(path string) int64 {
	if info, err := os.Stat(path); err == nil {
		return info.Size()
	}
	return 0
}

// findEngines gives the engines that are there, native first, and notes their versions and what is missing.
func findEngines(dir string, chosen []string, r *Report) ([]*engine, error) {
	r.Versions["native"], r.Versions["wasmaot"] = runtime.Version(), "this tree"
	all := []*engine{nativeEngine()}
	ours, err := wasmaotEngine(dir)
	if err != nil {
		return nil, err
	}
	all = append(all, ours)
	for _, find := range []func(string) (*engine, string, error){wazeroEngine, wasmtimeEngine, nodeEngine} {
		e, version, err := find(dir)
		if err != nil {
			r.miss(err)
			continue
		}
		all = append(all, e)
		r.Versions[e.name] = version
	}
	if len(chosen) > 0 {
		all = slices.DeleteFunc(all, func(e *engine) bool { return e.name != "native" && !slices.Contains(chosen, e.name) })
	}
	return all, nil
}

func nativeEngine() *engine {
	return &engine{
		name:    "native",
		prepare: func(guest) error { return nil },
		run: func(g guest, args ...string) *exec.Cmd {
			cmd := exec.Command(g.native, args...)
			cmd.Env = append(os.Environ(), "GOMAXPROCS=1")
			return cmd
		},
	}
}

func wasmaotEngine(dir string) (*engine, error) {
	bin, cache := filepath.Join(dir, "wasmaot"), filepath.Join(dir, "cache")
	if err := goBuild(bin, "../cmd/wasmaot"); err != nil {
		return nil, err
	}
	run := func(g guest, args ...string) *exec.Cmd {
		return exec.Command(bin, append([]string{"run", "--on-demand=never", "--cachedir", cache, g.wasm}, args...)...)
	}
	caches := 0
	cold := func(g guest, args ...string) *exec.Cmd {
		caches++
		return exec.Command(bin, append([]string{"run", "--cachedir", filepath.Join(dir, "cold", strconv.Itoa(caches)), g.wasm}, args...)...)
	}
	return &engine{
		name:    "wasmaot",
		prepare: func(g guest) error { return exec.Command(bin, "compile", g.wasm, "-o", g.wasm+".cwasm").Run() },
		run:     run,
		cold:    cold,
		lazy:    true,
		compile: func(g guest, threads int) (usage, error) {
			cmd := exec.Command(bin, "compile", "--workers", strconv.Itoa(threads), g.wasm, "-o", g.wasm+".cwasm")
			if threads == 1 {
				cmd.Env = append(os.Environ(), "GOMAXPROCS=1")
			}
			u, _, err := measure(cmd)
			return u, err
		},
		size: func(g guest) int64 { return fileSize(g.wasm + ".cwasm") },
	}, nil
}

func wazeroEngine(dir string) (*engine, string, error) {
	bin, cache := filepath.Join(dir, "wazero"), filepath.Join(dir, "wazero-cache")
	if err := goBuild(bin, "github.com/tetratelabs/wazero/cmd/wazero"); err != nil {
		return nil, "", err
	}
	version, _ := exec.Command(bin, "version").Output()
	return &engine{
		name:    "wazero",
		prepare: func(g guest) error { return exec.Command(bin, "compile", "-cachedir", cache, g.wasm).Run() },
		run: func(g guest, args ...string) *exec.Cmd {
			return exec.Command(bin, append([]string{"run", "-cachedir", cache, g.wasm}, args...)...)
		},
		cold: func(g guest, args ...string) *exec.Cmd {
			return exec.Command(bin, append([]string{"run", g.wasm}, args...)...)
		},
		compile: func(g guest, threads int) (usage, error) {
			if threads > 1 {
				return usage{}, errNotApplicable // compiles on one thread
			}
			fresh, err := os.MkdirTemp(dir, "wazero-compile-")
			if err != nil {
				return usage{}, err
			}
			defer os.RemoveAll(fresh)
			cmd := exec.Command(bin, "compile", "-cachedir", fresh, g.wasm)
			cmd.Env = append(os.Environ(), "GOMAXPROCS=1")
			u, _, err := measure(cmd)
			return u, err
		},
	}, strings.TrimSpace(string(version)), nil
}

// wasmtimeScript runs and compiles with Python's package of Wasmtime.
const wasmtimeScript = "wasmtime_run.py"

func wasmtimeEngine(dir string) (*engine, string, error) {
	version, err := exec.Command("python3", "-c", "import importlib.metadata as m; print(m.version('wasmtime'))").Output()
	if err != nil {
		return nil, "", fmt.Errorf("wasmtime: expected Python's package wasmtime (pip install wasmtime)")
	}
	compile := func(g guest, threads int) (usage, error) {
		cmd := exec.Command("python3", wasmtimeScript, "compile", g.wasm, g.wasm+".wasmtime")
		cmd.Env = append(os.Environ(), "WASMTIME_THREADS="+strconv.Itoa(threads))
		u, out, err := measure(cmd)
		if err != nil {
			return usage{}, err
		}
		var cpu, wall float64 // of the compilation alone, without starting Python
		if _, err := fmt.Sscan(out, &cpu, &wall); err != nil {
			return usage{}, err
		}
		return usage{time.Duration(cpu * 1e9), time.Duration(wall * 1e9), u.Memory}, nil
	}
	return &engine{
		name:    "wasmtime",
		prepare: func(g guest) error { _, err := compile(g, 2); return err },
		run: func(g guest, args ...string) *exec.Cmd {
			return exec.Command("python3", append([]string{wasmtimeScript, "run", g.wasm + ".wasmtime"}, args...)...)
		},
		compile: compile,
		size:    func(g guest) int64 { return fileSize(g.wasm + ".wasmtime") },
	}, strings.TrimSpace(string(version)), nil
}

func nodeEngine(string) (*engine, string, error) {
	version, err := exec.Command("node", "--version").Output()
	if err != nil {
		return nil, "", fmt.Errorf("V8: expected node on PATH")
	}
	run := func(g guest, args ...string) *exec.Cmd {
		return exec.Command("node", append([]string{"--no-warnings", "node_run.mjs", g.wasm}, args...)...)
	}
	return &engine{
		name:    "V8",
		prepare: func(guest) error { return nil },
		run:     run,
		cold:    run,
		lazy:    true,
		compile: func(g guest, threads int) (usage, error) {
			if threads == 1 {
				return usage{}, errNotApplicable
			}
			u, _, err := measure(run(g, g.quick...)) // compiles what is called, on threads of its own
			return u, err
		},
	}, "node " + strings.TrimSpace(string(version)), nil
}
