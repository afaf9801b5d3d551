package main

import (
	"bytes"
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"runtime/debug"
	"strings"
)

const (
	modulePath   = "github.com/wasmaot/wasmaot"
	runCommand   = "wasmaot-run"
	runPackage   = modulePath + "/cmd/" + runCommand
	runLDFlags   = "-s -w"
	runMaxSize   = 16 << 20
	noToolAdvice = `expected a release of wasmaot, which carries it; or "go install ` + modulePath + `/cmd/...@VERSION", which puts it beside wasmaot; or the go tool`
)

// runtimeProgram gives the program that executables for linux/arch begin with, of the same source as this one: the one that
// a release carries in itself, the one installed beside it, or one that the go tool builds.
func runtimeProgram(ctx context.Context, arch string) ([]byte, error) {
	self, ok := debug.ReadBuildInfo()
	if !ok {
		return nil, errors.New("this program does not know what it was built from")
	}
	if program, err := embeddedRun(arch, self); program != nil || err != nil {
		return program, err
	}
	if program := installedRun(arch, self); program != nil {
		return program, nil
	}
	return goRunProgram(ctx, arch, self)
}

// embeddedRun is what a release carries; nil in other programs.
func embeddedRun(arch string, self *debug.BuildInfo) ([]byte, error) {
	program, err := embeddedRuns.ReadFile(runCommand + "-" + arch + ".bin")
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	if err != nil {
		return nil, fmt.Errorf("embedded %s: %w", runCommand, err)
	}
	if info, err := readBuildInfo(program); err != nil || !isRunProgram(info, arch, self, true) {
		return nil, fmt.Errorf("embedded %s: built from another source than this program (%v)", runCommand, err)
	}
	return program, nil
}

// installedRun is the program where the go tool installs it; nil if it is not there.
func installedRun(arch string, self *debug.BuildInfo) []byte {
	exe, err := os.Executable()
	if err != nil {
		return nil
	}
	for _, dir := range []string{"", "linux_" + arch} {
		program, err := os.ReadFile(filepath.Join(filepath.Dir(exe), dir, runCommand))
		if err != nil {
			continue
		}
		if info, err := readBuildInfo(program); err == nil && isRunProgram(info, arch, self, false) {
			return program
		}
	}
	return nil
}

// readBuildInfo finds what the go tool notes in a program (debug/buildinfo, whose reading of executables of all kinds and of their debug
// information takes tables that would be made at every start).
func readBuildInfo(program []byte) (*debug.BuildInfo, error) {
	const magic = "\xff Go buildinf:"
	const header, frame = 32, 16 // before the strings; before and behind the second
	const flags, inline = 15, 2  // where flags are; that strings stand here
	found := errors.New("not a program built by the go tool")
	for at := 0; ; at++ {
		i := bytes.Index(program[at:], []byte(magic))
		if i < 0 {
			return nil, found
		}
		at += i
		if at%16 != 0 || len(program)-at < header || program[at+flags]&inline == 0 {
			continue // it is spoken of, as here
		}
		rest := program[at+header:]
		var text [2]string // Go's version, the module's description
		for i := range text {
			n, size := binary.Uvarint(rest)
			if size <= 0 || n > uint64(len(rest)-size) {
				break
			}
			text[i], rest = string(rest[size:][:n]), rest[size+int(n):]
		}
		if len(text[1]) < 2*frame {
			continue
		}
		info, err := debug.ParseBuildInfo(text[1][frame : len(text[1])-frame])
		if err == nil {
			info.GoVersion = text[0]
			return info, nil
		}
		found = err
	}
}

// isRunProgram reports whether a program is for linux/arch and of the same source as this one.
func isRunProgram(info *debug.BuildInfo, arch string, self *debug.BuildInfo, modified bool) bool {
	setting := func(key string) string {
		for _, s := range info.Settings {
			if s.Key == key {
				return s.Value
			}
		}
		return ""
	}
	return setting("GOOS") == "linux" && setting("GOARCH") == arch && sameSource(self, info, modified)
}

// goRunProgram builds it from the source that this program was built from, or from the module's published version.
func goRunProgram(ctx context.Context, arch string, self *debug.BuildInfo) ([]byte, error) {
	tool, err := exec.LookPath("go")
	if err != nil {
		return nil, fmt.Errorf("%s for linux/%s is missing: %s", runCommand, arch, noToolAdvice)
	}
	dir, err := os.MkdirTemp("", "wasmaot-build-")
	if err != nil {
		return nil, err
	}
	defer os.RemoveAll(dir)
	source := sourceDir()
	flags := []string{"-trimpath", "-ldflags=" + runLDFlags}
	args := append([]string{"install"}, append(flags, runPackage+"@"+self.Main.Version)...)
	env := append(os.Environ(), "CGO_ENABLED=0", "GOOS=linux", "GOARCH="+arch, "GOFLAGS=")
	if source != "" {
		args = append([]string{"build", "-C", source, "-o", filepath.Join(dir, runCommand)}, append(flags, "./cmd/"+runCommand)...)
	} else {
		// The tool takes no GOBIN when it installs for other machines.
		cache, err := exec.CommandContext(ctx, tool, "env", "GOMODCACHE").Output()
		if err != nil {
			return nil, fmt.Errorf("go env GOMODCACHE: %w", err)
		}
		env = append(env, "GOBIN=", "GOPATH="+dir, "GOMODCACHE="+strings.TrimSpace(string(cache)))
	}
	cmd := exec.CommandContext(ctx, tool, args...)
	cmd.Env = env
	if msg, err := cmd.CombinedOutput(); err != nil {
		if cause := context.Cause(ctx); cause != nil {
			return nil, cause
		}
		return nil, fmt.Errorf("%s for linux/%s is missing: %s; go %s: %w\n%s", runCommand, arch, noToolAdvice, args[0], err, msg)
	}
	for _, place := range []string{"", "bin", "bin/linux_" + arch} {
		program, err := os.ReadFile(filepath.Join(dir, place, runCommand))
		if !errors.Is(err, fs.ErrNotExist) {
			return program, err
		}
	}
	return nil, fmt.Errorf("%s for linux/%s is missing: the go tool has built it, but not where it was expected", runCommand, arch)
}

// sourceDir is the directory of the source that this program was built from, if it is there still; empty otherwise.
func sourceDir() string {
	_, file, _, ok := runtime.Caller(0)
	if !ok || !filepath.IsAbs(file) { // -trimpath
		return ""
	}
	dir := filepath.Dir(filepath.Dir(filepath.Dir(file)))
	if _, err := os.Stat(filepath.Join(dir, "cmd", runCommand, "main.go")); err != nil {
		return ""
	}
	return dir
}
