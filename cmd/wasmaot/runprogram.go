package main

import (
	"bytes"
	"compress/gzip"
	"context"
	"debug/buildinfo"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"runtime/debug"
)

const (
	modulePath   = "github.com/wasmaot/wasmaot"
	runCommand   = "wasmaot-run"
	runPackage   = modulePath + "/cmd/" + runCommand
	runLDFlags   = "-s -w"
	runMaxSize   = 16 << 20
	noToolAdvice = `expected a release of wasmaot, which carries it; or "go install ` + modulePath + `/cmd/...@VERSION", which puts it beside wasmaot; or the go tool`
)

// runtimeProgram gives the program that executables begin with, for this machine and of the same source as this one: the one that
// a release carries in itself, the one installed beside it, or one that the go tool builds.
func runtimeProgram(ctx context.Context) ([]byte, error) {
	if runtime.GOOS != "linux" || runtime.GOARCH != "amd64" {
		return nil, fmt.Errorf("executables for %s/%s are not supported (supported: linux/amd64)", runtime.GOOS, runtime.GOARCH)
	}
	self, ok := debug.ReadBuildInfo()
	if !ok {
		return nil, errors.New("this program does not know what it was built from")
	}
	if len(embeddedRun) > 0 {
		z, err := gzip.NewReader(bytes.NewReader(embeddedRun))
		if err != nil {
			return nil, fmt.Errorf("embedded %s: %w", runCommand, err)
		}
		program, err := io.ReadAll(io.LimitReader(z, runMaxSize))
		if err != nil {
			return nil, fmt.Errorf("embedded %s: %w", runCommand, err)
		}
		if info, err := buildinfo.Read(bytes.NewReader(program)); err != nil || !sameSource(self, info, true) {
			return nil, fmt.Errorf("embedded %s: built from another source than this program (%v)", runCommand, err)
		}
		return program, nil
	}
	if exe, err := os.Executable(); err == nil {
		program, err := os.ReadFile(filepath.Join(filepath.Dir(exe), runCommand))
		if err == nil {
			if info, err := buildinfo.Read(bytes.NewReader(program)); err == nil && sameSource(self, info, false) {
				return program, nil
			}
		}
	}
	return goRunProgram(ctx, self)
}

// goRunProgram builds it from the source that this program was built from, or from the module's published version.
func goRunProgram(ctx context.Context, self *debug.BuildInfo) ([]byte, error) {
	tool, err := exec.LookPath("go")
	if err != nil {
		return nil, fmt.Errorf("%s is missing: %s", runCommand, noToolAdvice)
	}
	dir, err := os.MkdirTemp("", "wasmaot-build-")
	if err != nil {
		return nil, err
	}
	defer os.RemoveAll(dir)
	out := filepath.Join(dir, runCommand)
	args := []string{"install", "-trimpath", "-ldflags=" + runLDFlags, runPackage + "@" + self.Main.Version}
	if source := sourceDir(); source != "" {
		args = []string{"build", "-C", source, "-trimpath", "-ldflags=" + runLDFlags, "-o", out, "./cmd/" + runCommand}
	}
	cmd := exec.CommandContext(ctx, tool, args...)
	cmd.Env = append(os.Environ(), "CGO_ENABLED=0", "GOOS=linux", "GOARCH=amd64", "GOFLAGS=", "GOBIN="+dir)
	if msg, err := cmd.CombinedOutput(); err != nil {
		if cause := context.Cause(ctx); cause != nil {
			return nil, cause
		}
		return nil, fmt.Errorf("%s is missing: %s; go %s: %w\n%s", runCommand, noToolAdvice, args[0], err, msg)
	}
	return os.ReadFile(out)
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
