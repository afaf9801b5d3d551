package main

import (
	"errors"
	"fmt"
	"log"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strings"
)

// A guest is a program built for this machine and for wasip1.
type guest struct {
	name, native, wasm string
}

func guestIn(dir, name string) guest {
	base := filepath.Join(dir, strings.ReplaceAll(name, "/", "-"))
	return guest{name, base, base + ".wasm"}
}

// goGuest builds a Go package for both.
func goGuest(dir, pkg string) (guest, error) {
	g := guestIn(dir, filepath.Base(pkg))
	if err := goBuild(g.native, pkg); err != nil {
		return g, err
	}
	return g, goBuild(g.wasm, pkg, "GOOS=wasip1", "GOARCH=wasm")
}

func goBuild(out, pkg string, env ...string) error {
	args := []string{"build", "-o", out, pkg}
	if strings.HasPrefix(pkg, "../") { // of the main module
		args = []string{"build", "-C", "..", "-o", out, "./" + strings.TrimPrefix(pkg, "../")}
	}
	return command("", append([]string{"CGO_ENABLED=0"}, env...), "go", args...)
}

// command runs a tool in dir; its output is part of the error.
func command(dir string, env []string, name string, args ...string) error {
	cmd := exec.Command(name, args...)
	cmd.Dir = dir
	cmd.Env = append(os.Environ(), env...)
	if out, err := cmd.CombinedOutput(); err != nil {
		return fmt.Errorf("%s %s: %v\n%s", name, strings.Join(args, " "), err, out)
	}
	return nil
}

// goVersions are the toolchains of the table about them; the last is the one that runs.
var goVersions = []string{"go1.21.13", "go1.24.11", runtime.Version()}

// versionPrograms stand for computing and allocating, reflection, and the scheduler.
var versionPrograms = []string{"sortmap", "json", "switch"}

// versionGuests builds the guest with each toolchain that is there or can be had. A go.mod of each version's own gives it the
// language and the defaults of its time.
func versionGuests(dir string) []guest {
	var guests []guest
	for _, version := range goVersions {
		g, err := versionGuest(dir, version)
		if err != nil {
			log.Print("left out: ", err)
			continue
		}
		guests = append(guests, g)
	}
	return guests
}

func versionGuest(dir, version string) (guest, error) {
	g := guestIn(dir, version)
	source := filepath.Join(dir, "source-"+version)
	if err := os.CopyFS(source, os.DirFS("guest")); err != nil {
		return g, err
	}
	language := strings.Join(strings.SplitN(strings.TrimPrefix(version, "go"), ".", 3)[:2], ".")
	if err := os.WriteFile(filepath.Join(source, "go.mod"), []byte("module guest\n\ngo "+language+"\n"), 0o644); err != nil {
		return g, err
	}
	env := []string{"CGO_ENABLED=0", "GOTOOLCHAIN=" + version}
	if version == runtime.Version() {
		env[1] = "GOTOOLCHAIN=local"
	}
	if err := command(source, env, "go", "build", "-o", g.native, "."); err != nil {
		return g, err
	}
	return g, command(source, append(env, "GOOS=wasip1", "GOARCH=wasm"), "go", "build", "-o", g.wasm, ".")
}

// wasmCompilers are the C compilers for wasm, in the order in which they are tried. Native code is cc's.
var wasmCompilers = [][]string{
	{"clang", "--target=wasm32-wasi"},
	{"zig", "cc", "-target", "wasm32-wasi"},
	{"python3", "-m", "ziglang", "cc", "-target", "wasm32-wasi"},
}

func cNames() []string {
	sources, _ := filepath.Glob("native/*.c")
	for i, s := range sources {
		sources[i] = strings.TrimSuffix(filepath.Base(s), ".c")
	}
	return sources
}

// cGuests builds the C programs, and tells with what; none if there is no compiler.
func cGuests(dir string) ([]guest, string) {
	var failures []error
	for _, compiler := range wasmCompilers {
		var guests []guest
		var err error
		for _, name := range cNames() {
			g, source := guestIn(dir, name), filepath.Join("native", name+".c")
			err = errors.Join(
				command("", nil, "cc", "-O2", "-o", g.native, source),
				command("", nil, compiler[0], append(compiler[1:len(compiler):len(compiler)], "-O2", "-s", "-o", g.wasm, source)...))
			if err != nil {
				break
			}
			guests = append(guests, g)
		}
		if err == nil {
			return guests, toolVersion(compiler)
		}
		failures = append(failures, err)
	}
	log.Print("left out: C programs: expected cc and one of clang with wasi-libc and lld, zig, or Python's package ziglang:\n", errors.Join(failures...))
	return nil, ""
}

func toolVersion(compiler []string) string {
	out, _ := exec.Command("cc", "--version").Output()
	native, _, _ := strings.Cut(string(out), "\n")
	args := compiler[1:]
	for i, a := range args {
		if strings.HasPrefix(a, "-") && a != "-m" {
			args = args[:i]
			break
		}
	}
	out, _ = exec.Command(compiler[0], append(args[:len(args):len(args)], "--version")...).Output()
	wasm, _, _ := strings.Cut(string(out), "\n")
	return fmt.Sprintf("native: %s; wasm: %s", native, wasm)
}
