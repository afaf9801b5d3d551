package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
)

// buildIfPackage builds arg for wasip1 if it is a Go package's directory or a .go file, and returns the path of the
// module and a function that removes it; other arguments are returned as they are.
func buildIfPackage(ctx context.Context, arg string) (path string, cleanup func(), err error) {
	nothing := func() {}
	isGo := strings.HasSuffix(arg, ".go")
	info, err := os.Stat(arg)
	if err != nil {
		return "", nothing, err
	}
	if !isGo && !info.IsDir() {
		return arg, nothing, nil
	}
	tool, err := exec.LookPath("go")
	if err != nil {
		return "", nothing, fmt.Errorf("%s: building a Go package needs the go tool: %w", arg, err)
	}
	dir, err := os.MkdirTemp("", "wasmaot-build-")
	if err != nil {
		return "", nothing, err
	}
	cleanup = func() { os.RemoveAll(dir) }
	path = filepath.Join(dir, strings.TrimSuffix(filepath.Base(arg), ".go")+".wasm")
	args := []string{"build", "-o", path, arg}
	if !isGo {
		args = []string{"build", "-C", arg, "-o", path, "."}
	}
	cmd := exec.CommandContext(ctx, tool, args...)
	cmd.Env = append(os.Environ(), "GOOS=wasip1", "GOARCH=wasm", "CGO_ENABLED=0")
	cmd.Stdout, cmd.Stderr = os.Stderr, os.Stderr
	if err := cmd.Run(); err != nil {
		cleanup()
		if cause := context.Cause(ctx); cause != nil {
			return "", nothing, cause
		}
		var exit *exec.ExitError
		if errors.As(err, &exit) {
			return "", nothing, fmt.Errorf("%s: go build failed", arg) // the tool has said why
		}
		return "", nothing, fmt.Errorf("%s: go build: %w", arg, err)
	}
	if !isModule(path) { // the tool writes an archive for other packages
		cleanup()
		return "", nothing, fmt.Errorf("%s: expected a Go package main", arg)
	}
	return path, cleanup, nil
}

// isModule tells whether the file begins like a WebAssembly module.
func isModule(path string) bool {
	f, err := os.Open(path)
	if err != nil {
		return false
	}
	defer f.Close()
	var head [4]byte
	_, err = io.ReadFull(f, head[:])
	return err == nil && string(head[:]) == "\x00asm"
}
