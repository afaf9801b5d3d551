// Command wasmaot compiles WebAssembly modules to native code and runs them.
package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/signal"
	"syscall"

	"github.com/spf13/cobra"
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
	return report(newRoot().ExecuteContext(ctx))
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

func newRoot() *cobra.Command {
	root := &cobra.Command{
		Use:           "wasmaot",
		Short:         "Compile WebAssembly modules to native code and run them",
		Long:          "wasmaot compiles WebAssembly modules ahead of time to native code and runs them\nwith a complete WASI preview 1 host. It is at home with programs built by\nGOOS=wasip1 GOARCH=wasm go build.",
		SilenceErrors: true,
		SilenceUsage:  true,
		Args: func(cmd *cobra.Command, args []string) error {
			if len(args) > 0 {
				return usageError{fmt.Errorf("unknown command %q: expected run, compile, validate or version", args[0])}
			}
			return nil
		},
		RunE: func(cmd *cobra.Command, args []string) error { return cmd.Help() },
	}
	root.CompletionOptions.HiddenDefaultCmd = true
	root.SetFlagErrorFunc(func(cmd *cobra.Command, err error) error { return usageError{err} })
	root.AddCommand(newRun(), newCompile(), newValidate(), newVersion())
	return root
}

// argsBetween is cobra.RangeArgs with our usage error; max < 0 is no limit.
func argsBetween(min, max int, what string) cobra.PositionalArgs {
	return func(cmd *cobra.Command, args []string) error {
		if len(args) < min || max >= 0 && len(args) > max {
			return usageError{fmt.Errorf("%s: expected %s, found %d arguments", cmd.Name(), what, len(args))}
		}
		return nil
	}
}
