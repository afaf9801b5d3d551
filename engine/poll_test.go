//go:build linux && (amd64 || arm64)

package engine_test

import (
	"context"
	"errors"
	"os"
	"os/exec"
	"os/signal"
	"runtime"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/wasmaot/wasmaot"
	"github.com/wasmaot/wasmaot/compiler"
	"github.com/wasmaot/wasmaot/engine"
	"github.com/wasmaot/wasmaot/internal/nativetest"
	"github.com/wasmaot/wasmaot/loader"
)

// Without preemption by signals a guest that spins holds neither the collector nor its context's end up: the runtime compiles polls by itself.
func TestPolls(t *testing.T) {
	for _, how := range []string{"GODEBUG=asyncpreemptoff=1", "WASMAOT_IGNORE_SIGURG=1"} {
		t.Run(how, func(t *testing.T) {
			cmd := nativetest.Command(os.Args[0], "-test.run=^TestPollingHost$")
			cmd.Env = append(os.Environ(), "WASMAOT_POLLING_HOST=1", how)
			out, err := runFor(cmd, time.Minute)
			if err != nil || !strings.Contains(out, "PASS") {
				t.Errorf("%v\n%s", err, out)
			}
		})
	}
}

// runFor runs a command that may hang.
func runFor(cmd *exec.Cmd, d time.Duration) (string, error) {
	timer := time.AfterFunc(d, func() { cmd.Process.Kill() })
	defer timer.Stop()
	out, err := cmd.CombinedOutput()
	return string(out), err
}

// TestPollingHost is what TestPolls runs.
func TestPollingHost(t *testing.T) {
	if os.Getenv("WASMAOT_POLLING_HOST") == "" {
		t.Skip("this is run by TestPolls")
	}
	if os.Getenv("WASMAOT_IGNORE_SIGURG") != "" {
		signal.Ignore(syscall.SIGURG)
	}
	if loader.HostPreempts() {
		t.Fatal("it was not noticed that the host does not preempt")
	}
	m, err := wasmaot.NewRuntime(nil).Compile(background, "test", testModule)
	if err != nil {
		t.Fatal(err)
	}
	defer m.Close()
	i, err := m.Instantiate(background, env(engine.Host1("host", identity)))
	if err != nil {
		t.Fatal(err)
	}
	defer i.Close()
	ctx, cancel := context.WithCancel(background)
	done := make(chan error)
	go func() { done <- i.Func("spin").Call(ctx, nil) }()
	for range 3 {
		time.Sleep(10 * time.Millisecond)
		runtime.GC() // hangs if the guest does not let go
	}
	cancel()
	var stopped *engine.Interrupted
	if err := <-done; !errors.As(err, &stopped) || len(stopped.Frames) == 0 {
		t.Errorf("expected an interruption, found %v", err)
	}
}

// Polls change nothing but time.
func TestPollsKeepResults(t *testing.T) {
	file, err := wasmaot.Precompile(background, "test", testModule, compiler.Options{Poll: true, Debug: compiler.Debug{Check: true}})
	if err != nil {
		t.Fatal(err)
	}
	m, err := engine.Load("test", file)
	if err != nil {
		t.Fatal(err)
	}
	defer m.Close()
	calls := int32(0)
	i, err := m.Instantiate(background, env(engine.Host1("host", func(engine.Caller, int32) (int32, error) { calls++; return 0, nil })))
	if err != nil {
		t.Fatal(err)
	}
	defer i.Close()
	work, _ := engine.Get1[int32, int32](i, "work")
	if v, err := work.Call(background, 1_000_000); v != 0 || err != nil {
		t.Errorf("work: %d, %v", v, err)
	}
	loop, _ := engine.Get1[int32, int32](i, "loop")
	if v, err := loop.Call(background, 250_000); v != 0 || calls != 250_000 || err != nil {
		t.Errorf("loop: %d after %d calls, %v", v, calls, err)
	}
	if _, ok := i.Export("counter").(*engine.Global); !ok {
		t.Error("an exported global is gone")
	}
}
