//go:build linux && (amd64 || arm64)

package engine_test

import (
	"bytes"
	"encoding/binary"
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

// A large image needs no file in memory, nor does code that is compiled on demand.
func TestScarceFiles(t *testing.T) {
	nativetest.Require(t)
	const size = 300 << 10
	image := bytes.Repeat([]byte("image"), size/5)
	section := func(id byte, b []byte) []byte { return append(binary.AppendUvarint([]byte{id}, uint64(len(b))), b...) }
	src := append([]byte("\x00asm\x01\x00\x00\x00"), section(1, []byte{1, 0x60, 0, 1, 0x7f})...)
	src = append(src, section(3, []byte{1, 0})...)
	src = append(src, section(5, []byte{1, 0, 10})...)
	src = append(src, section(7, []byte{1, 1, 'f', 0, 0})...)
	src = append(src, section(10, []byte{1, 7, 0, 0x41, 5, 0x28, 2, 0, 0x0b})...)
	src = append(src, section(11, append(binary.AppendUvarint([]byte{1, 0, 0x41, 0, 0x0b}, uint64(len(image))), image...))...)
	var old unix.Rlimit
	if err := unix.Getrlimit(unix.RLIMIT_FSIZE, &old); err != nil {
		t.Fatal(err)
	}
	for _, demand := range []wasmaot.Demand{wasmaot.DemandNever, wasmaot.DemandAlways} {
		for _, limit := range []uint64{old.Cur, 4096} {
			if err := unix.Setrlimit(unix.RLIMIT_FSIZE, &unix.Rlimit{Cur: limit, Max: old.Max}); err != nil {
				t.Fatal(err)
			}
			got, err := callOf(src, demand)
			if err := unix.Setrlimit(unix.RLIMIT_FSIZE, &old); err != nil {
				t.Fatal(err)
			}
			if want := binary.LittleEndian.Uint32(image[5:]); uint32(got) != want || err != nil {
				t.Errorf("policy %d, files of %d bytes: found %#x, %v, expected %#x", demand, limit, got, err, want)
			}
		}
	}
}

// callOf calls the function f of a module.
func callOf(src []byte, demand wasmaot.Demand) (int32, error) {
	m, err := wasmaot.NewRuntime(&wasmaot.Config{Demand: demand}).Compile(background, "test", src)
	if err != nil {
		return 0, err
	}
	defer m.Close()
	i, err := m.Instantiate(background, nil)
	if err != nil {
		return 0, err
	}
	defer i.Close()
	f, err := engine.Get0[int32](i, "f")
	if err != nil {
		return 0, err
	}
	return f.Call(background)
}
