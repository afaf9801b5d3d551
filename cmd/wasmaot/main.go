// Command wasmaot compiles WebAssembly modules to native code and runs them.
package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/signal"
	"syscall"

	"github.com/wasmaot/wasmaot/loader"
)

// Exit codes beside the guest's own.
const (
	exitError     = 1   // a file that cannot be loaded, a missing import
	exitUsage     = 2   // wrong flags or arguments
	exitTrap      = 134 // the guest trapped: 128 + SIGABRT, as other engines do
	exitTimeout   = 124 // --timeout, as timeout(1)
	exitInterrupt = 130 // 128 + SIGINT
)

// errInterrupted is the cause of a run ended by SIGINT or SIGTERM.
var errInterrupted = errors.New("interrupted")

// errTimeout is the cause of a run ended by --timeout.
var errTimeout = errors.New("timeout")

// exitCode is an error that only carries the guest's exit code.
type exitCode uint32

func (e exitCode) Error() string { return fmt.Sprintf("exit code %d", uint32(e)) }

// usageError is an error in flags or arguments.
type usageError struct{ error }

func main() { os.Exit(realMain()) }

func realMain() int {
	ctx, cancel := context.WithCancelCause(context.Background())
	signals := make(chan os.Signal, 1)
	signal.Notify(signals, os.Interrupt, syscall.SIGTERM)
	go func() {
		<-signals
		cancel(errInterrupted)
		<-signals // the second one is for a guest that cannot be stopped
		os.Exit(exitInterrupt)
	}()
	return report(execute(ctx, commandArgs()))
}

// report prints the error, if it needs to be, and gives the process's exit code.
func report(err error) int {
	var code exitCode
	var usage usageError
	var trap *loader.Trap
	var stopped *loader.Interrupted
	switch {
	case err == nil:
		return 0
	case errors.As(err, &code):
		return int(code & 0xff)
	}
	fmt.Fprintf(os.Stderr, "wasmaot: %v\n", err)
	switch {
	case errors.As(err, &usage):
		fmt.Fprintln(os.Stderr, `Run "wasmaot help" for usage.`)
		return exitUsage
	case errors.As(err, &trap):
		fmt.Fprint(os.Stderr, trap.Backtrace())
		return exitTrap
	case errors.Is(err, errTimeout):
		return exitTimeout
	case errors.Is(err, errInterrupted):
		return exitInterrupt
	case errors.As(err, &stopped):
		return exitError
	}
	return exitError
}

const about = `wasmaot compiles WebAssembly modules ahead of time to native code and runs them
with a complete WASI preview 1 host. It is at home with programs built by
GOOS=wasip1 GOARCH=wasm go build.`

// commands is set in init because help refers to it.
var commands []commandInfo

func init() {
	commands = []commandInfo{
		{"run", "Run a module, or build a Go package for wasip1 and run it", newRun},
		{"compile", "Compile a module to an artifact that run takes", newCompile},
		{"validate", "Check that a file is a valid module", newValidate},
		{"cache", "Look after the cache of compiled code", newCache},
		{"version", "Print the version", newVersion},
	}
}
