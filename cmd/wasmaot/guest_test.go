package main

import (
	"bytes"
	"fmt"
	"io"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/wasmaot/wasmaot/internal/cli"
	"github.com/wasmaot/wasmaot/internal/nativetest"
)

// releases are the releases of Go whose modules must behave alike; the first is the one that runs the tests.
var releases = []string{"local", "go1.24.11", "go1.21.13"}

// build builds a package of testdata or of this module, for this machine unless env says another.
func build(t *testing.T, out, dir, pkg string, env ...string) error {
	t.Helper()
	cmd := exec.Command("go", "build", "-o", out, pkg)
	cmd.Dir = dir
	cmd.Env = append(append(os.Environ(), "CGO_ENABLED=0", "GOFLAGS=", "GOARCH="+runtime.GOARCH), env...)
	if b, err := cmd.CombinedOutput(); err != nil {
		return fmt.Errorf("go build %s: %v\n%s", pkg, err, b)
	}
	if slices.Contains(env, "GOARCH=wasm") {
		return nil
	}
	return nativetest.Wrap(out)
}

func mustBuild(t *testing.T, out, dir, pkg string, env ...string) {
	t.Helper()
	if err := build(t, out, dir, pkg, env...); err != nil {
		t.Fatal(err)
	}
}

// outcome is what a program's user sees.
type outcome struct {
	Stdout, Stderr string
	Exit           int
}

func runProgram(t *testing.T, dir string, stdin io.Reader, args ...string) outcome {
	t.Helper()
	cmd := exec.Command(args[0], args[1:]...)
	cmd.Dir = dir
	cmd.Stdin = stdin
	var stdout, stderr bytes.Buffer
	cmd.Stdout, cmd.Stderr = &stdout, &stderr
	err := cmd.Run()
	if _, ok := err.(*exec.ExitError); err != nil && !ok {
		t.Fatal(err)
	}
	return outcome{stdout.String(), stderr.String(), cmd.ProcessState.ExitCode()}
}

// TestGuests builds one program natively and for wasip1 by several releases of Go, and compares what they do.
func TestGuests(t *testing.T) {
	nativetest.Require(t)
	tmp := t.TempDir()
	wasmaot := filepath.Join(tmp, "wasmaot")
	mustBuild(t, wasmaot, ".", ".")
	text := randomText(t)
	for _, release := range releases {
		t.Run(release, func(t *testing.T) {
			native, module := filepath.Join(tmp, release), filepath.Join(tmp, release+".wasm")
			if err := build(t, module, "testdata/guests", ".", "GOOS=wasip1", "GOARCH=wasm", "GOTOOLCHAIN="+release); err != nil {
				if release != "local" && strings.Contains(err.Error(), "toolchain") {
					t.Skipf("no toolchain %s here (it comes from the module proxy): %v", release, err)
				}
				t.Fatal(err)
			}
			mustBuild(t, native, "testdata/guests", ".", "GOTOOLCHAIN="+release)
			for _, g := range []struct {
				args  []string
				stdin func() io.Reader
				panic bool // stderr is a trace: addresses in it differ
				ahead bool // takes long, and not for its code: compiled ahead only
			}{
				{args: []string{"hello"}},
				{args: []string{"args", "", "a b", "ü"}},
				{args: []string{"filter"}, stdin: func() io.Reader { return bytes.NewReader(text) }},
				{args: []string{"files", "work"}, ahead: true},
				{args: []string{"scheduler"}},
				{args: []string{"heap"}, ahead: true},
				{args: []string{"exit"}},
				{args: []string{"panic"}, panic: true},
				{args: []string{"nil"}},
				{args: []string{"recursion"}},
				{args: []string{"deadlock"}, panic: true},
				{args: []string{"clock"}},
				{args: []string{"arith"}},
				{args: []string{"ticks"}, stdin: func() io.Reader { return strings.NewReader("xyz") }},
				{args: []string{"nonsense"}},
			} {
				t.Run(g.args[0], func(t *testing.T) {
					in := func() io.Reader { return nil }
					if g.stdin != nil {
						in = g.stdin
					}
					want := runProgram(t, t.TempDir(), in(), append([]string{native}, g.args...)...)
					if g.panic {
						want.Stderr = traceHead(want.Stderr)
					}
					ways := ways(filepath.Join(tmp, "cache"))
					if g.ahead {
						ways = ways[:1]
					}
					for _, way := range ways {
						got := runProgram(t, t.TempDir(), in(), slices.Concat([]string{wasmaot, "run", "--dir=."}, way, []string{module}, g.args)...)
						if g.panic {
							got.Stderr = traceHead(got.Stderr)
						}
						if diff := cmp.Diff(want, got); diff != "" {
							t.Errorf("%v: differs from the native program (-native +wasmaot):\n%.4000s", way, diff)
						}
					}
				})
			}
		})
	}
}

// ways are the flags with which a module is compiled ahead of its run, in a cache, and on demand.
func ways(cache string) [][]string {
	return [][]string{{"--on-demand=never", "--cachedir=" + cache}, {"--on-demand=always", "--no-cache"}}
}

// traceHead keeps of a Go trace the message and the names of the functions, without addresses, arguments and what lies
// below main.main, which depends on the system.
func traceHead(s string) string {
	var keep []string
	for _, line := range strings.Split(s, "\n") {
		if strings.HasPrefix(line, "\t") {
			continue
		}
		name, _, _ := strings.Cut(line, "({")
		name, _, _ = strings.Cut(name, "(0x")
		name, _, _ = strings.Cut(name, "(...")
		keep = append(keep, name)
		if strings.HasPrefix(line, "main.main") {
			break
		}
	}
	return strings.Join(keep, "\n")
}

// randomText is what the filter reads: 100 MB, a tenth of it in short mode.
func randomText(t *testing.T) []byte {
	size := 100 << 20
	if testing.Short() {
		size /= 10
	}
	seed := time.Now().UnixNano()
	t.Logf("text from seed %d", seed)
	rng := rand.New(rand.NewPCG(uint64(seed), 1))
	b := make([]byte, size)
	for i := 0; i < len(b); i += 8 {
		v := rng.Uint64()
		for j := range min(8, len(b)-i) {
			b[i+j] = 'a' + byte(v>>(8*j))%26
		}
	}
	for i := rng.IntN(100); i < len(b); i += 1 + rng.IntN(150) {
		b[i] = '\n'
	}
	return b
}

// TestSignals ends a guest that spins, and one that sleeps, by SIGINT and by --timeout.
func TestSignals(t *testing.T) {
	nativetest.Require(t)
	tmp := t.TempDir()
	wasmaot, module := filepath.Join(tmp, "wasmaot"), filepath.Join(tmp, "guests.wasm")
	mustBuild(t, wasmaot, ".", ".")
	mustBuild(t, module, "testdata/guests", ".", "GOOS=wasip1", "GOARCH=wasm")
	for _, guest := range []string{"spin", "sleep"} {
		t.Run(guest+"/timeout", func(t *testing.T) {
			got := runProgram(t, tmp, nil, wasmaot, "run", "--no-cache", "--timeout=1s", module, guest)
			if got.Exit != cli.ExitTimeout || !strings.Contains(got.Stderr, "timeout") {
				t.Errorf("expected exit code %d and a message, found %+v", cli.ExitTimeout, got)
			}
		})
		t.Run(guest+"/interrupt", func(t *testing.T) {
			cmd := exec.Command(wasmaot, "run", "--no-cache", module, guest)
			var stderr bytes.Buffer
			cmd.Stderr = &stderr
			if err := cmd.Start(); err != nil {
				t.Fatal(err)
			}
			time.Sleep(2 * time.Second) // whether it compiles or runs by then, it must end
			if err := cmd.Process.Signal(syscall.SIGINT); err != nil {
				t.Fatal(err)
			}
			err := cmd.Wait()
			if code := cmd.ProcessState.ExitCode(); code != cli.ExitInterrupt {
				t.Errorf("expected exit code %d, found %d (%v)\n%s", cli.ExitInterrupt, code, err, stderr.String())
			}
		})
	}
}

// TestGoTools runs Go's own gofmt and compiler, built for wasip1, and compares their results with those of the native ones.
func TestGoTools(t *testing.T) {
	nativetest.Require(t)
	if testing.Short() {
		t.Skip("builds Go's compiler for wasip1: left out in short mode")
	}
	goroot := runtime.GOROOT()
	if out, err := exec.Command("go", "env", "GOROOT").Output(); err == nil {
		goroot = strings.TrimSpace(string(out))
	}
	tmp := t.TempDir()
	wasmaot := filepath.Join(tmp, "wasmaot")
	mustBuild(t, wasmaot, ".", ".")
	tool := func(pkg string) (native, module string) {
		name := filepath.Base(pkg)
		native, module = filepath.Join(tmp, name), filepath.Join(tmp, name+".wasm")
		mustBuild(t, native, ".", pkg)
		mustBuild(t, module, ".", pkg, "GOOS=wasip1", "GOARCH=wasm")
		return native, module
	}
	t.Run("gofmt", func(t *testing.T) {
		native, module := tool("cmd/gofmt")
		files, err := filepath.Glob(filepath.Join(goroot, "src/net/http/*.go"))
		if err != nil || len(files) < 50 {
			t.Fatalf("%d files of net/http below %s: %v", len(files), goroot, err)
		}
		want := runProgram(t, tmp, nil, append([]string{native, "-s"}, files...)...)
		if want.Exit != 0 || len(want.Stdout) < 1e6 {
			t.Fatalf("the native gofmt printed %d bytes and exited with %d: %s", len(want.Stdout), want.Exit, want.Stderr)
		}
		for _, way := range ways(filepath.Join(tmp, "cache")) {
			got := runProgram(t, tmp, nil, slices.Concat([]string{wasmaot, "run", "--dir=/"}, way, []string{module, "-s"}, files)...)
			if want != got {
				t.Errorf("%v: gofmt differs: %d bytes, exit code %d, %q; native: %d bytes", way, len(got.Stdout), got.Exit, got.Stderr, len(want.Stdout))
			}
		}
	})
	t.Run("compile", func(t *testing.T) {
		native, module := tool("cmd/compile")
		// The compiler's arguments are those that the go tool gives it.
		list := exec.Command("go", "list", "-f", `{{.Dir}}|{{join .GoFiles " "}}|{{join .Imports " "}}`, "strconv")
		out, err := list.Output()
		if err != nil {
			t.Fatal(err)
		}
		parts := strings.Split(strings.TrimSpace(string(out)), "|")
		importcfg := filepath.Join(tmp, "importcfg")
		export := exec.Command("go", append([]string{"list", "-export", "-deps", "-f", "packagefile {{.ImportPath}}={{.Export}}"}, strings.Fields(parts[2])...)...)
		cfg, err := export.Output()
		if err != nil {
			t.Fatal(err)
		}
		var lines []string
		for _, l := range strings.Split(string(cfg), "\n") {
			if !strings.HasSuffix(l, "=") {
				lines = append(lines, l)
			}
		}
		if err := os.WriteFile(importcfg, []byte(strings.Join(lines, "\n")), 0o644); err != nil {
			t.Fatal(err)
		}
		args := func(o string) []string {
			a := []string{"-o", o, "-p", "strconv", "-std", "-complete", "-c=1", "-importcfg", importcfg, "-trimpath", parts[0], "-pack"}
			for _, f := range strings.Fields(parts[1]) {
				a = append(a, filepath.Join(parts[0], f))
			}
			return a
		}
		wantFile, gotFile := filepath.Join(tmp, "native.a"), filepath.Join(tmp, "guest.a")
		if r := runProgram(t, tmp, nil, append([]string{native}, args(wantFile)...)...); r.Exit != 0 {
			t.Fatalf("native compile: %+v", r)
		}
		want, err := os.ReadFile(wantFile)
		if err != nil {
			t.Fatal(err)
		}
		for _, way := range ways(filepath.Join(tmp, "cache")) {
			env := slices.Concat([]string{wasmaot, "run", "--dir=/", "--env=GOOS=linux", "--env=GOARCH=" + runtime.GOARCH}, way, []string{module})
			if r := runProgram(t, tmp, nil, append(env, args(gotFile)...)...); r.Exit != 0 {
				t.Fatalf("%v: compile in the guest: %+v", way, r)
			}
			got, err := os.ReadFile(gotFile)
			if err != nil {
				t.Fatal(err)
			}
			if !bytes.Equal(want, got) {
				t.Errorf("%v: the archives differ: %d bytes native, %d bytes in the guest", way, len(want), len(got))
			}
			if err := os.Remove(gotFile); err != nil {
				t.Fatal(err)
			}
		}
	})
}
