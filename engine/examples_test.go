//go:build linux && (amd64 || arm64)

package engine_test

import (
	"encoding/json"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/wasmaot/wasmaot/internal/nativetest"
)

func output(t *testing.T, cmd *exec.Cmd, env ...string) string {
	t.Helper()
	cmd.Dir, cmd.Env = "..", append(os.Environ(), env...)
	out, err := cmd.CombinedOutput()
	if err != nil {
		t.Fatalf("%v: %v\n%s", cmd.Args, err, out)
	}
	return string(out)
}

// TestPluginExample: a Go guest built as a library, called with strings, again after a reset.
func TestPluginExample(t *testing.T) {
	wasm := filepath.Join(t.TempDir(), "plugin.wasm")
	output(t, exec.Command("go", "build", "-buildmode=c-shared", "-o", wasm, "./examples/plugin/guest"), "GOOS=wasip1", "GOARCH=wasm")
	got := output(t, exec.Command("go", "run", "-exec="+nativetest.Emulator(), "./examples/plugin/host", wasm, "gopher", "Ännchen"))
	if want := "plugin: greeting gopher\nHello, GOPHER!\nplugin: greeting Ännchen\nHello, ÄNNCHEN!\n"; got != want {
		t.Errorf("expected %q, found %q", want, got)
	}
}

// TestCommandExample: a Go guest reads a file of an fs.FS.
func TestCommandExample(t *testing.T) {
	wasm := filepath.Join(t.TempDir(), "show.wasm")
	output(t, exec.Command("go", "build", "-o", wasm, "./examples/command/guest"), "GOOS=wasip1", "GOARCH=wasm")
	got := output(t, exec.Command("go", "run", "-exec="+nativetest.Emulator(), "./examples/command", wasm, "/note.txt"))
	if want := "/note.txt: read by a guest\n"; got != want {
		t.Errorf("expected %q, found %q", want, got)
	}
}

// TestEmbeddedExample builds a program with an artifact in it, which must have no compiler.
func TestEmbeddedExample(t *testing.T) {
	dir := t.TempDir()
	wasm, cwasm, program, overlay := filepath.Join(dir, "hello.wasm"), filepath.Join(dir, "hello.cwasm"), filepath.Join(dir, "embedded"), filepath.Join(dir, "overlay.json")
	output(t, exec.Command("go", "build", "-o", wasm, "./examples/hello"), "GOOS=wasip1", "GOARCH=wasm")
	output(t, exec.Command("go", "run", "-exec="+nativetest.Emulator(), "./cmd/wasmaot", "compile", wasm, "-o", cwasm))
	root, err := filepath.Abs("..")
	if err != nil {
		t.Fatal(err)
	}
	replace, err := json.Marshal(map[string]map[string]string{"Replace": {filepath.Join(root, "examples/embedded/artifacts/hello.cwasm"): cwasm}})
	if err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(overlay, replace, 0o600); err != nil {
		t.Fatal(err)
	}
	output(t, exec.Command("go", "build", "-overlay", overlay, "-o", program, "./examples/embedded"))
	if got := output(t, nativetest.Command(program)); !strings.Contains(strings.ToLower(got), "hello") {
		t.Errorf("the program printed %q", got)
	}
}

// TestNoCompiler: a program that only runs artifacts carries no compiler.
func TestNoCompiler(t *testing.T) {
	deps := strings.Fields(output(t, exec.Command("go", "list", "-deps", "./engine", "./examples/embedded")))
	for _, bad := range []string{"compiler", "compiler/ssa", "compiler/opt", "compiler/frontend", "compiler/leaf", "compiler/wasm", "backend", "backend/amd64", "backend/arm64"} {
		if slices.Contains(deps, "github.com/wasmaot/wasmaot/"+bad) {
			t.Errorf("it depends on %s", bad)
		}
	}
}
