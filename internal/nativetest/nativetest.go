// Package nativetest is for tests that run compiled code, on a machine that can or under an emulator of one.
//
// Programs for another machine start others of their kind only with the kernel's help. So where WASMAOT_EXEC is set, to
// the emulator's name (as in make test-arm64), tests put it in front.
package nativetest

import (
	"os"
	"os/exec"
	"runtime"
	"strings"
	"testing"
)

// Supported reports whether compiled code runs on this system.
func Supported() bool {
	return runtime.GOOS == "linux" && (runtime.GOARCH == "amd64" || runtime.GOARCH == "arm64")
}

// Require skips a test on systems where compiled code does not run.
func Require(t testing.TB) {
	t.Helper()
	if !Supported() {
		t.Skipf("running compiled code is not supported on %s/%s", runtime.GOOS, runtime.GOARCH)
	}
}

// Emulator is the program under which programs for this machine run, empty if they need none.
func Emulator() string { return emulator }

var emulator = os.Getenv("WASMAOT_EXEC")

// Emulated reports whether tests run under an emulator.
func Emulated() bool { return emulator != "" }

// Rounds is how often to do what is done n times for good measure: less often under an emulator.
func Rounds(n int) int {
	if Emulated() {
		return (n + 9) / 10
	}
	return n
}

// Command is exec.Command for a program for this machine.
func Command(program string, args ...string) *exec.Cmd {
	if !Emulated() {
		return exec.Command(program, args...)
	}
	return exec.Command(emulator, append([]string{program}, args...)...)
}

// Wrap makes a file with a program for this machine one that anyone can start.
func Wrap(program string) error {
	if !Emulated() {
		return nil
	}
	moved := Unwrapped(program)
	if err := os.Rename(program, moved); err != nil {
		return err
	}
	return WriteWrapper(program, moved)
}

// Unwrapped is the program itself of a file that Wrap has made.
func Unwrapped(file string) string {
	if !Emulated() {
		return file
	}
	return file + ".program"
}

// WriteWrapper writes a file that starts a program for this machine under the emulator, with the name that the file was started by as its argument 0.
func WriteWrapper(file, program string) error {
	quote := func(s string) string { return "'" + strings.ReplaceAll(s, "'", `'\''`) + "'" }
	script := "#!/bin/sh\nexec " + quote(emulator) + " -0 \"$0\" " + quote(program) + " \"$@\"\n"
	return os.WriteFile(file, []byte(script), 0o755)
}
