// Package cli is what the command line and the executables made by "wasmaot build" have in common: flags, the run
// of a WASI command, exit codes. It links no compiler.
package cli

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/signal"
	"syscall"
	"time"

	"github.com/wasmaot/wasmaot/internal/cli/signals"
	_ "github.com/wasmaot/wasmaot/internal/cli/stack" // before everything else
	"github.com/wasmaot/wasmaot/loader"
)

// Exit codes beside the guest's own.
const (
	ExitError     = 1   // a file that cannot be loaded, a missing import
	ExitUsage     = 2   // wrong flags or arguments
	ExitTrap      = 134 // the guest trapped: 128 + SIGABRT, as other engines do
	ExitTimeout   = 124 // --timeout, as timeout(1)
	ExitInterrupt = 130 // 128 + SIGINT
)

// errInterrupted is the cause of a run ended by SIGINT or SIGTERM.
var errInterrupted = errors.New("interrupted")

// errTimeout is the cause of a run ended by --timeout.
var errTimeout = errors.New("timeout")

// ExitCode is an error that only carries the guest's exit code.
type ExitCode uint32

func (e ExitCode) Error() string { return fmt.Sprintf("exit code %d", uint32(e)) }

// UsageError is an error in flags or arguments.
type UsageError struct{ Err error }

func (e UsageError) Error() string { return e.Err.Error() }

func (e UsageError) Unwrap() error { return e.Err }

// holdTime is how long a run may take without the thread that package os/signal needs.
const holdTime = 20 * time.Millisecond

// Main runs what a program does, and gives its exit code. The context ends with SIGINT and SIGTERM. The program's name is for messages.
func Main(program string, run func(ctx context.Context) error) int {
	ctx, cancel := context.WithCancelCause(context.Background())
	if signals.Hold() {
		time.AfterFunc(holdTime, func() { watchSignals(cancel) })
	} else {
		go watchSignals(cancel)
	}
	err := run(ctx)
	if cause := context.Cause(ctx); cause != nil && errors.Is(err, context.Canceled) {
		err = cause // compiling tells that it ended, not why
	}
	return report(program, err)
}

func watchSignals(cancel context.CancelCauseFunc) {
	list := make(chan os.Signal, 2)
	signal.Notify(list, os.Interrupt, syscall.SIGTERM)
	if early := signals.Release(); early != 0 {
		list <- early
	}
	<-list
	cancel(errInterrupted)
	<-list // the second one is for a guest that cannot be stopped
	os.Exit(ExitInterrupt)
}

// report prints the error, if it needs to be, and gives the process's exit code.
func report(program string, err error) int {
	var code ExitCode
	var usage UsageError
	var trap *loader.Trap
	var stopped *loader.Interrupted
	switch {
	case err == nil:
		return 0
	case errors.As(err, &code):
		return int(code & 0xff)
	}
	fmt.Fprintf(os.Stderr, "%s: %v\n", program, err)
	switch {
	case errors.As(err, &usage):
		fmt.Fprintln(os.Stderr, `Run "wasmaot help" for usage.`)
		return ExitUsage
	case errors.As(err, &trap):
		fmt.Fprint(os.Stderr, trap.Backtrace())
		return ExitTrap
	case errors.Is(err, errTimeout):
		return ExitTimeout
	case errors.Is(err, errInterrupted):
		return ExitInterrupt
	case errors.As(err, &stopped):
		return ExitError
	}
	return ExitError
}
