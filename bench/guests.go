package main

import (
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strings"
)

// A guest is a program built for this machine and for wasip1.
type guest struct {
	name, native, wasm string
	quick              []string // arguments with which it does next to nothing
}

func guestIn(dir, name string) guest {
	base := filepath.Join(dir, strings.ReplaceAll(name, "/", "-"))
	return guest{name: name, native: base, wasm: base + ".wasm"}
}

// largeTools are modules of tens of megabytes, and flags with which they print their version.
var largeTools = []struct{ name, pkg, quick string }{
	{"esbuild", "github.com/evanw/esbuild/cmd/esbuild", "--version"},
	{"cmd/compile", "cmd/compile", "-V"},
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
var goVersions = []string{"go1.21.13", "go1.22.12", "go1.23.12", "go1.24.11", "go1.25.4", runtime.Version()}

// versionPrograms stand for computing and allocating, reflection, and the scheduler.
var versionPrograms = []string{"sortmap", "json", "switch"}

// versionGuests builds the guest with each toolchain that is there or can be had, and tells what failed. A go.mod of each
// version's own gives it the language and the defaults of its time.
func versionGuests(dir string) (guests []guest, failures []error) {
	for _, version := range goVersions {
		g, err := versionGuest(dir, version)
		if err != nil {
			failures = append(failures, err)
			continue
		}
		guests = append(guests, g)
	}
	return guests, failures
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

// A language is one whose programs, one a file in native/, are built for this machine and for wasm.
type language struct {
	name, suffix string
	native       []string
	wasm         [][]string // in the order in which they are tried
	needs        string
}

var languages = []language{
	{"C", ".c", []string{"cc", "-O2"}, [][]string{
		{"clang", "--target=wasm32-wasi", "-O2", "-s"},
		{"zig", "cc", "-target", "wasm32-wasi", "-O2", "-s"},
		{"python3", "-m", "ziglang", "cc", "-target", "wasm32-wasi", "-O2", "-s"},
	}, "cc and one of clang with wasi-libc and lld, zig, or Python's package ziglang"},
	{"Rust", ".rs", []string{"rustc", "-O"}, [][]string{
		{"rustc", "--target=wasm32-wasip1", "-O", "-Cstrip=symbols"},
		{"rustc", "--target=wasm32-wasi", "-O", "-Cstrip=symbols"}, // its name before Rust 1.78
	}, "rustc with the target wasm32-wasip1 (rustup target add wasm32-wasip1)"},
}

// programs are the names of those there are: files that begin like the others are headers.
func (l *language) programs() []string {
	sources, _ := filepath.Glob("native/" + strings.ToLower(l.name) + "-*" + l.suffix)
	for i, s := range sources {
		sources[i] = strings.TrimSuffix(filepath.Base(s), l.suffix)
	}
	return sources
}

// guests builds the programs, and tells with what.
func (l *language) guests(dir string) ([]guest, string, error) {
	failures := []error{fmt.Errorf("%s programs: expected %s", l.name, l.needs)}
	for _, compiler := range l.wasm {
		var guests []guest
		var err error
		for _, name := range l.programs() {
			g, source := guestIn(dir, name), filepath.Join("native", name+l.suffix)
			err = errors.Join(
				command("", nil, l.native[0], append(l.native[1:len(l.native):len(l.native)], "-o", g.native, source)...),
				command("", nil, compiler[0], append(compiler[1:len(compiler):len(compiler)], "-o", g.wasm, source)...))
			if err != nil {
				break
			}
			guests = append(guests, g)
		}
		if err == nil {
			return guests, "native: " + toolVersion(l.native) + "; wasm: " + toolVersion(compiler), nil
		}
		failures = append(failures, err)
	}
	return nil, "", errors.Join(failures...)
}

// toolVersion is the first line of what a compiler says of itself.
func toolVersion(compiler []string) string {
	args := compiler[1:]
	for i, a := range args {
		if strings.HasPrefix(a, "-") && a != "-m" {
			args = args[:i]
			break
		}
	}
	out, _ := exec.Command(compiler[0], append(args[:len(args):len(args)], "--version")...).Output()
	version, _, _ := strings.Cut(string(out), "\n")
	return version
}
