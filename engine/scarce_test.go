//go:build linux && (amd64 || arm64)

package engine_test

import (
	"errors"
	"os"
	"strings"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"github.com/wasmaot/wasmaot"
	"github.com/wasmaot/wasmaot/compiler"
	"github.com/wasmaot/wasmaot/engine"
	"github.com/wasmaot/wasmaot/internal/nativetest"
	"github.com/wasmaot/wasmaot/loader"
)

// Where the process may not reserve 8 GiB for a memory the runtime compiles with explicit checks.
func TestScarceAddresses(t *testing.T) {
	if nativetest.Emulated() {
		t.Skip("an emulator does not bound the address space")
	}
	cmd := nativetest.Command(os.Args[0], "-test.run=^TestScarceHost$")
	cmd.Env = append(os.Environ(), "WASMAOT_SCARCE_HOST=1")
	if out, err := runFor(cmd, time.Minute); err != nil || !strings.Contains(out, "PASS") {
		t.Errorf("%v\n%s", err, out)
	}
}

// addressLimit leaves room for the code arena, a few native stacks and small memories.
const addressLimit = 7 << 30

// TestScarceHost is what TestScarceAddresses runs.
func TestScarceHost(t *testing.T) {
	if os.Getenv("WASMAOT_SCARCE_HOST") == "" {
		t.Skip("this is run by TestScarceAddresses")
	}
	if err := unix.Setrlimit(unix.RLIMIT_AS, &unix.Rlimit{Cur: addressLimit, Max: addressLimit}); err != nil {
		t.Fatal(err)
	}
	guarded := load(t, testModule)
	imports := env(engine.Host1("host", identity))
	if _, err := guarded.Instantiate(background, imports); !errors.Is(err, loader.ErrAddressSpace) {
		t.Fatalf("an artifact for guarded memories: %v", err)
	}
	for _, demand := range []wasmaot.Demand{wasmaot.DemandNever, wasmaot.DemandAlways} {
		scarceInstances(t, demand, imports)
	}
}

// scarceInstances makes a hundred instances of a module of the runtime's.
func scarceInstances(t *testing.T, demand wasmaot.Demand, imports *engine.InstanceConfig) {
	m, err := wasmaot.NewRuntime(&wasmaot.Config{Compiler: compiler.Options{Baseline: true}, Demand: demand}).Compile(background, "test", testModule)
	if err != nil {
		t.Fatal(err)
	}
	defer m.Close()
	for n := range 100 {
		i, err := m.Instantiate(background, imports)
		if err != nil {
			t.Fatalf("policy %d, instance %d: %v", demand, n, err)
		}
		defer i.Close()
		grow, _ := engine.Get1[int32, int32](i, "grow")
		if old, err := grow.Call(background, 2); old != 1 || err != nil {
			t.Errorf("grow: %d, %v", old, err)
		}
		for range 10 { // more than a stack from the pool serves
			if err := i.Func("count").Call(background, nil); err != nil {
				t.Error(err)
			}
		}
		if v, _ := i.Memory().Uint32(16); v != 50 {
			t.Errorf("memory holds %d, expected 50", v)
		}
	}
}
