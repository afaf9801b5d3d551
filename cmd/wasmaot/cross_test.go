package main

import (
	"bytes"
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strings"
	"syscall"
	"testing"

	"github.com/wasmaot/wasmaot/compiler/artifact"
	"github.com/wasmaot/wasmaot/internal/nativetest"
)

// emulators are the programs that run those of another instruction set, by GOARCH.
var emulators = map[string]string{"amd64": "qemu-x86_64-static", "arm64": "qemu-aarch64-static"}

// programFor builds wasmaot for an instruction set, and returns how it is started, or skips the test.
func programFor(t *testing.T, dir, arch string) (start func(program string, args ...string) *exec.Cmd, wasmaot string) {
	t.Helper()
	wasmaot = filepath.Join(dir, "wasmaot-"+arch)
	cmd := exec.Command("go", "build", "-o", wasmaot, ".")
	cmd.Env = append(os.Environ(), "CGO_ENABLED=0", "GOFLAGS=", "GOOS=linux", "GOARCH="+arch)
	if out, err := cmd.CombinedOutput(); err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	if arch == runtime.GOARCH {
		return nativetest.Command, wasmaot
	}
	if err := exec.Command(wasmaot, "version").Run(); !errors.Is(err, syscall.ENOEXEC) {
		return exec.Command, wasmaot
	}
	emulator, err := exec.LookPath(emulators[arch])
	if err != nil {
		t.Skipf("programs for %s do not run here: %v", arch, err)
	}
	return func(program string, args ...string) *exec.Cmd {
		return exec.Command(emulator, append([]string{program}, args...)...)
	}, wasmaot
}

// TestCrossCompile compiles a module for both instruction sets on both: what comes out does not depend on where, and runs. Only the
// builds that the artifacts name differ, when the source is no released version.
func TestCrossCompile(t *testing.T) {
	nativetest.Require(t)
	dir := t.TempDir()
	module := filepath.Join(dir, "hello.wasm")
	mustBuild(t, module, "../../examples/hello", ".", "GOOS=wasip1", "GOARCH=wasm")
	for _, host := range []string{"amd64", "arm64"} {
		start, wasmaot := programFor(t, dir, host)
		for _, target := range []string{"amd64", "arm64"} {
			cmd := start(wasmaot, "compile", "--baseline", "--target=linux/"+target, module, "-o", filepath.Join(dir, host+"-"+target))
			if out, err := cmd.CombinedOutput(); err != nil {
				t.Fatalf("on %s for %s: %v\n%s", host, target, err, out)
			}
		}
		// An executable for the other one.
		for target, app := range map[string]string{"amd64": filepath.Join(dir, "app-amd64"), "arm64": filepath.Join(dir, "app-arm64")} {
			if target == host || host != runtime.GOARCH {
				continue
			}
			if out, err := start(wasmaot, "build", "--target=linux/"+target, module, "-o", app).CombinedOutput(); err != nil {
				t.Fatalf("on %s for %s: %v\n%s", host, target, err, out)
			}
			run, _ := programFor(t, dir, target)
			if out, err := run(app).CombinedOutput(); err != nil || !strings.HasPrefix(string(out), greeting) {
				t.Errorf("the executable made on %s for %s: %v\n%s", host, target, err, out)
			}
		}
	}
	for _, target := range []string{"amd64", "arm64"} {
		a, b := anonymous(t, filepath.Join(dir, "amd64-"+target)), anonymous(t, filepath.Join(dir, "arm64-"+target))
		if !bytes.Equal(a, b) {
			t.Errorf("artifacts for %s of %d bytes made on amd64, of %d made on arm64, differ", target, len(a), len(b))
		}
	}
}

// anonymous is an artifact without the name of its build.
func anonymous(t *testing.T, path string) []byte {
	t.Helper()
	file, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	a, err := artifact.Decode(file)
	if err != nil {
		t.Fatal(err)
	}
	a.Header.Build = ""
	file, err = a.Encode()
	if err != nil {
		t.Fatal(err)
	}
	return file
}
