//go:build linux && (amd64 || arm64)

package engine_test

import (
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strings"
	"testing"

	"github.com/wasmaot/wasmaot"
	"github.com/wasmaot/wasmaot/compiler"
	"github.com/wasmaot/wasmaot/internal/nativetest"
)

// TestCgoHost runs guests in a program with C code.
func TestCgoHost(t *testing.T) {
	if _, err := exec.LookPath("gcc"); err != nil {
		t.Skip("no C compiler: ", err)
	}
	if nativetest.Emulated() && os.Getenv("CC") == "" {
		t.Skip("no C compiler for " + runtime.GOARCH + ": CC is not set")
	}
	dir := t.TempDir()
	file, err := wasmaot.Precompile(background, "test.wasm", testModule, compiler.Options{})
	if err != nil {
		t.Fatal(err)
	}
	path, program := filepath.Join(dir, "test.cwasm"), filepath.Join(dir, "host")
	if err := os.WriteFile(path, file, 0o600); err != nil {
		t.Fatal(err)
	}
	output(t, exec.Command("go", "build", "-o", program, "./engine/testdata/cgohost"), "CGO_ENABLED=1")
	if out := output(t, nativetest.Command(program, path)); out != "" {
		t.Error(out)
	}
}

// TestWithoutAsyncPreemption: a host that turns Go's own use of the signal off can still cancel, call and be called.
func TestWithoutAsyncPreemption(t *testing.T) {
	out := output(t, nativetest.Command(os.Args[0], "-test.run=^(TestCalls|TestCancel|TestHostErrors|TestPool)$", "-test.v"), "GODEBUG=asyncpreemptoff=1")
	if n := strings.Count(out, "--- PASS"); n != 4 {
		t.Errorf("expected 4 tests to pass, found %d:\n%s", n, out)
	}
}
