package loader

import (
	"errors"
	"fmt"

	"github.com/wasmaot/wasmaot/compiler/abi"
	"github.com/wasmaot/wasmaot/compiler/artifact"
)

// ErrClosed is returned by calls into an instance that was closed.
var ErrClosed = errors.New("instance is closed")

// ErrUnsupported is returned by Load where native code cannot be run.
var ErrUnsupported = errors.New("running native code is not supported on this system")

// ErrAddressSpace is returned by Instantiate where the addresses that a guarded memory reserves cannot be had. Code of the tier with explicit checks
// needs fewer.
var ErrAddressSpace = errors.New("address space is exhausted")

// Trap is the error of a guest that trapped.
type Trap struct {
	Code   abi.Trap
	Frames []Frame // innermost first, at most MaxFrames
	Elided bool    // there are more frames than Frames holds
}

func (t *Trap) Error() string { return "wasm trap: " + t.Code.String() }

// Backtrace is a text of several lines, one for each frame, innermost first.
func (t *Trap) Backtrace() string { return backtrace(t.Frames, t.Elided) }

// Exit is the error of a guest that asked to end with an exit code. A host function returns it.
type Exit struct{ Code uint32 }

func (e *Exit) Error() string { return fmt.Sprintf("guest exited with code %d", e.Code) }

// Interrupted is the error of a call whose context ended while the guest ran.
type Interrupted struct {
	Cause  error   // context.Cause of the call's context
	Frames []Frame // where the guest was; empty if it was not running
	Elided bool
}

func (e *Interrupted) Error() string { return "guest interrupted: " + e.Cause.Error() }

// Unwrap is the cause.
func (e *Interrupted) Unwrap() error { return e.Cause }

// Backtrace is a text of several lines, one for each frame, innermost first.
func (e *Interrupted) Backtrace() string { return backtrace(e.Frames, e.Elided) }

// Frame is a function of the guest in a backtrace.
type Frame struct {
	Func   uint32 // index in its module
	Name   string // from the name section, else empty
	Offset uint32 // in the wasm file
	Module string // Config.Name of the instance
}

// MaxFrames is how many frames a backtrace holds at most.
const MaxFrames = 10_000

// LinkError says why an import could not be satisfied.
type LinkError struct {
	Module, Name string        // of the import
	Kind         artifact.Kind // that the importing module declares
	Reason       string        // "unknown import" or "incompatible import type"
	Expected     string        // the declared type
	Found        string        // the type of what Config.Resolve gave; empty for unknown imports
}

func (e *LinkError) Error() string {
	s := fmt.Sprintf("%s: %q %q: expected %s", e.Reason, e.Module, e.Name, e.Expected)
	if e.Found != "" {
		s += ", found " + e.Found
	}
	return s
}
