// Command gostd runs the tests of Go's standard library as wasip1 guests of wasmaot, and the tests with which Go tries wasip1 hosts from
// outside. It prints a line for each package, and fails if a test fails that is not in the table of known failures.
package main

import (
	"bytes"
	"context"
	"flag"
	"fmt"
	"io"
	"os"
	"os/exec"
	"os/signal"
	"path/filepath"
	"runtime"
	"strings"
	"time"
)

// fastPackages are those that ask most of a host, without the long ones.
var fastPackages = strings.Fields(`os io/fs net time syscall runtime sync context path/filepath os/signal testing/fstest
	bufio internal/poll io io/ioutil internal/syscall/unix os/exec os/user sync/atomic testing testing/iotest`)

// hostTests try a host from outside: they run natively and start guests.
const hostTests = "internal/runtime/wasitest"

func main() {
	if err := run(); err != nil {
		fmt.Fprintln(os.Stderr, "gostd:", err)
		os.Exit(1)
	}
}

func run() error {
	fast := flag.Bool("fast", false, "only some packages, those that ask most of a host")
	parallel := flag.Int("p", runtime.GOMAXPROCS(0), "packages tested at a time")
	short := flag.Bool("short", true, "go test -short")
	arch := flag.String("goarch", runtime.GOARCH, "instruction set that wasmaot is built for")
	emulator := flag.String("exec", "", "program to start wasmaot with, an emulator of that instruction set")
	demand := flag.String("on-demand", "auto", "wasmaot's flag of this name")
	match := flag.String("run", "", "only tests whose name matches, as for go test")
	flag.Usage = func() {
		fmt.Fprintf(flag.CommandLine.Output(), "Usage: gostd [flags] [packages]    (all of std by default)\n")
		flag.PrintDefaults()
	}
	flag.Parse()
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	defer stop()

	dir, err := os.MkdirTemp("", "gostd-")
	if err != nil {
		return err
	}
	defer os.RemoveAll(dir)
	if err := install(ctx, dir, *arch, *emulator); err != nil {
		return err
	}
	env := append(os.Environ(), "PATH="+dir+string(os.PathListSeparator)+os.Getenv("PATH"), "GOFLAGS=")
	packages := flag.Args()
	switch {
	case len(packages) > 0:
	case *fast:
		packages = fastPackages
	default:
		packages = []string{"std"}
	}
	args := []string{"test", "-json", "-count=1", "-vet=off", fmt.Sprintf("-short=%t", *short), fmt.Sprintf("-p=%d", *parallel), "-run=" + *match}
	r := newReport(os.Stdout, terminal(os.Stderr))
	// A name that Go does not know: none of its tests is left out for a host's sake.
	guest := append(env, "GOOS=wasip1", "GOARCH=wasm", "GOWASIRUNTIME=wasmaot", "GOWASIRUNTIMEARGS=--on-demand="+*demand)
	if err := r.goTest(ctx, guest, append(args, packages...)); err != nil {
		return err
	}
	if len(flag.Args()) == 0 {
		// TestTCPEcho knows how two hosts spell the flag for a listening socket; ours takes both.
		host := append(env, "GOWASIRUNTIME=wazero", "GOWASIENABLERACYTEST=1")
		if err := r.goTest(ctx, host, append(args, hostTests, "-args", "-target=wasip1/wasm")); err != nil {
			return err
		}
	}
	return r.finish()
}

// install builds wasmaot into dir under the name that the go tool looks for. With an emulator that name is a script's, and the program lies below dir.
func install(ctx context.Context, dir, arch, emulator string) error {
	const name = "go_wasip1_wasm_exec"
	program := filepath.Join(dir, name)
	if emulator != "" {
		program = filepath.Join(dir, arch, name)
		script := fmt.Sprintf("#!/bin/sh\nexec %s '%s' \"$@\"\n", emulator, program)
		if err := os.WriteFile(filepath.Join(dir, name), []byte(script), 0o755); err != nil {
			return err
		}
	}
	build := exec.CommandContext(ctx, "go", "build", "-o", program, "github.com/wasmaot/wasmaot/cmd/wasmaot")
	build.Env = append(os.Environ(), "GOARCH="+arch, "CGO_ENABLED=0")
	build.Stderr = os.Stderr
	if err := build.Run(); err != nil {
		return fmt.Errorf("build wasmaot: %w", err)
	}
	return nil
}

// goTest runs the go tool and reads its events. That tests fail is no error here.
func (r *report) goTest(ctx context.Context, env, args []string) error {
	cmd := exec.CommandContext(ctx, "go", args...)
	cmd.Env = env
	var stderr bytes.Buffer
	cmd.Stderr = &stderr
	// The tool passes an interrupt on to what it has started.
	cmd.Cancel = func() error { return cmd.Process.Signal(os.Interrupt) }
	cmd.WaitDelay = 10 * time.Second
	events, err := cmd.StdoutPipe()
	if err != nil {
		return err
	}
	if err := cmd.Start(); err != nil {
		return err
	}
	seen := len(r.packages)
	readErr := r.read(events)
	io.Copy(io.Discard, events)
	err = cmd.Wait()
	switch {
	case ctx.Err() != nil:
		return context.Cause(ctx)
	case readErr != nil:
		return fmt.Errorf("go test -json: %w", readErr)
	case len(r.packages) == seen:
		return fmt.Errorf("go %s: nothing was tested: %v\n%s", strings.Join(args, " "), err, stderr.Bytes())
	}
	return nil
}

// terminal gives f if it is a terminal, where progress is shown.
func terminal(f *os.File) io.Writer {
	if st, err := f.Stat(); err == nil && st.Mode()&os.ModeCharDevice != 0 {
		return f
	}
	return nil
}
