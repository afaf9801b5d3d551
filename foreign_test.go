package wasmaot

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"testing"

	"github.com/wasmaot/wasmaot/compiler/artifact"
	"github.com/wasmaot/wasmaot/internal/nativetest"
)

// TestForeignArtifact: sound artifacts of another build, format, target or CPU are refused with a sentence.
func TestForeignArtifact(t *testing.T) {
	nativetest.Require(t)
	dir := t.TempDir()
	module, path := filepath.Join(dir, "m.wasm"), filepath.Join(dir, "m.cwasm")
	write(t, module, exitModule(t, 7))
	r := NewRuntime(nil)
	if err := CompileTo(context.Background(), module, path, r.config.Compiler); err != nil {
		t.Fatal(err)
	}
	good, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	for name, change := range map[string]func(h *artifact.Header){
		"nothing": func(*artifact.Header) {},
		"build":   func(h *artifact.Header) { h.Build += "x" },
		"target":  func(h *artifact.Header) { h.Target = map[string]string{"amd64": "arm64", "arm64": "amd64"}[h.Target] },
		"cpu":     func(h *artifact.Header) { h.Features |= 1 << 62 },
		"abi":     func(h *artifact.Header) { h.ABI++ },
		"format":  func(h *artifact.Header) { h.Format++ },
	} {
		a, err := artifact.Decode(good)
		if err != nil {
			t.Fatal(err)
		}
		change(&a.Header)
		file, err := a.Encode()
		if err != nil {
			t.Fatal(err)
		}
		write(t, path, file)
		m, err := r.CompileFile(context.Background(), path)
		if err == nil {
			m.Close()
		}
		if (err == nil) != (name == "nothing") {
			t.Errorf("changed %s: %v", name, err)
		}
		if (name == "build" || name == "target" || name == "cpu" || name == "format") && !errors.Is(err, artifact.ErrOther) {
			t.Errorf("changed %s: expected another build or machine, found: %v", name, err)
		}
	}
}
