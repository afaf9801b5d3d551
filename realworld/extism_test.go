package realworld

import (
	"context"
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	_ "github.com/extism/go-sdk" // so that its module is there

	"github.com/wasmaot/wasmaot"
	"github.com/wasmaot/wasmaot/compiler/artifact"
	"github.com/wasmaot/wasmaot/engine"
)

const extismModule = "extism:host/env"

// TestExtism runs a plugin built by Go beside Extism's kernel, the module that holds input and output and whose functions the plugin imports, as go-sdk's
// plugin.go does it.
func TestExtism(t *testing.T) {
	ctx := context.Background()
	out, err := exec.Command("go", "list", "-m", "-f", "{{.Dir}}", "github.com/extism/go-sdk").Output()
	if err != nil {
		t.Fatal(err)
	}
	dir := strings.TrimSpace(string(out))
	runtime := wasmaot.NewRuntime(nil)
	kernelModule, err := runtime.CompileFile(ctx, filepath.Join(dir, "extism-runtime.wasm"))
	if err != nil {
		t.Fatal(err)
	}
	defer kernelModule.Close()
	kernel, err := kernelModule.Instantiate(ctx, nil)
	if err != nil {
		t.Fatal(err)
	}
	defer kernel.Close()
	m, err := runtime.CompileFile(ctx, filepath.Join(dir, "wasm", "count_vowels_std.wasm"))
	if err != nil {
		t.Fatal(err)
	}
	defer m.Close()
	// The kernel's exports come first; what it does not have is the host's, and not used by this plugin.
	host := engine.NewHostModule(extismModule)
	for _, im := range m.Imports() {
		if im.Module == extismModule && im.Kind == artifact.KindFunc && kernel.Export(im.Name) == nil {
			host.Add(im.Name, engine.HostFunc(im.Name, *im.Func, func(_ context.Context, _ *engine.Instance, stack []uint64) error {
				clear(stack) // nothing is configured, nothing is stored
				return nil
			}))
		}
	}
	plugin, err := m.Instantiate(ctx, &engine.InstanceConfig{
		WASI: &engine.WASI{ErrOutput: os.Stderr}, Imports: []engine.Importer{engine.Exports(extismModule, kernel), host},
	})
	if err != nil {
		t.Fatal(err)
	}
	defer plugin.Close()

	call := func(name string, args ...uint64) uint64 {
		t.Helper()
		f := kernel.Func(name)
		stack := make([]uint64, max(f.Signature().SlotCount(), 1))
		copy(stack, args)
		if err := f.Call(ctx, stack); err != nil {
			t.Fatalf("%s: %v", name, err)
		}
		return stack[0]
	}
	const text = "Hello, plugin: aeiou AEIOU"
	call("reset")
	input := call("alloc", uint64(len(text)))
	if err := kernel.Memory().WriteString(input, text); err != nil {
		t.Fatal(err)
	}
	call("input_set", input, uint64(len(text)))
	// This plugin was built by Go as a command: it is run, and ends itself.
	var exit *engine.Exit
	if err := plugin.Func("_start").Call(ctx, nil); err != nil && (!errors.As(err, &exit) || exit.Code != 0) {
		t.Fatal(err)
	}
	got, err := kernel.Memory().ReadString(call("output_offset"), call("output_length"))
	if err != nil {
		t.Fatal(err)
	}
	if !strings.Contains(got, `"count": 14`) {
		t.Errorf("output %s", got)
	}
}
