package main

import (
	"encoding/hex"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/rogpeppe/go-internal/testscript"

	"github.com/wasmaot/wasmaot/internal/nativetest"
)

func TestMain(m *testing.M) {
	run := func() { os.Exit(realMain()) }
	testscript.Main(m, map[string]func(){"wasmaot": run, goExecName: run})
}

// TestScripts runs the scripts in testdata/script: the command line as a user sees it.
func TestScripts(t *testing.T) {
	root, err := filepath.Abs("../..")
	if err != nil {
		t.Fatal(err)
	}
	testscript.Run(t, testscript.Params{
		Dir:  "testdata/script",
		Cmds: map[string]func(*testscript.TestScript, bool, []string){"hex": hexFile, "native": native},
		Setup: func(e *testscript.Env) error {
			// The go tool needs its caches, wasmaot gets one of its own.
			for _, name := range []string{"HOME", "GOPATH", "GOMODCACHE", "GOCACHE", "GOPROXY", "GOFLAGS", "GOSUMDB"} {
				if v, ok := os.LookupEnv(name); ok {
					e.Setenv(name, v)
				}
			}
			e.Setenv("XDG_CACHE_HOME", filepath.Join(e.WorkDir, "cache"))
			if os.Getenv("GOCACHE") == "" {
				dir, err := os.UserCacheDir()
				if err != nil {
					return err
				}
				e.Setenv("GOCACHE", filepath.Join(dir, "go-build"))
			}
			e.Setenv("ROOT", root)
			return emulated(e)
		},
	})
}

// emulated puts programs that start this one under the emulator, if there is one, before it in PATH.
func emulated(e *testscript.Env) error {
	if !nativetest.Emulated() {
		return nil
	}
	program, err := os.Executable()
	if err != nil {
		return err
	}
	dir := filepath.Join(e.WorkDir, ".emulated")
	if err := os.Mkdir(dir, 0o755); err != nil {
		return err
	}
	e.Setenv("PATH", dir+string(os.PathListSeparator)+e.Getenv("PATH"))
	for _, name := range []string{"wasmaot", goExecName} {
		if err := nativetest.WriteWrapper(filepath.Join(dir, name), program); err != nil {
			return err
		}
	}
	return nil
}

// native is the script command "native PROGRAM ARGS...": exec of a program for this machine.
func native(ts *testscript.TestScript, neg bool, args []string) {
	if len(args) < 1 {
		ts.Fatalf("usage: native PROGRAM ARGS...")
	}
	cmd := nativetest.Command(ts.MkAbs(args[0]), args[1:]...).Args
	switch err := ts.Exec(cmd[0], cmd[1:]...); {
	case neg && err == nil:
		ts.Fatalf("unexpected success")
	case !neg:
		ts.Check(err)
	}
}

// hexFile is the script command "hex FILE BYTES...": it writes a binary file from hexadecimal digits and =text.
func hexFile(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) < 1 {
		ts.Fatalf("usage: hex FILE BYTES...")
	}
	var data []byte
	for _, a := range args[1:] {
		if text, ok := strings.CutPrefix(a, "="); ok {
			data = append(data, text...)
			continue
		}
		b, err := hex.DecodeString(a)
		ts.Check(err)
		data = append(data, b...)
	}
	ts.Check(os.WriteFile(ts.MkAbs(args[0]), data, 0o644))
}
