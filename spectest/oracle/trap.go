package oracle

import (
	"errors"
	"fmt"
)

// Trap is the error of a guest that trapped: the reference interpreter's text for it.
type Trap string

const (
	noTrap                   Trap = ""
	TrapUnreachable          Trap = "unreachable"
	TrapMemoryOutOfBounds    Trap = "out of bounds memory access"
	TrapTableOutOfBounds     Trap = "out of bounds table access"
	TrapUndefinedElement     Trap = "undefined element"
	TrapUninitializedElement Trap = "uninitialized element"
	TrapIndirectCallType     Trap = "indirect call type mismatch"
	TrapDivideByZero         Trap = "integer divide by zero"
	TrapIntegerOverflow      Trap = "integer overflow"
	TrapInvalidConversion    Trap = "invalid conversion to integer"
	TrapStackExhausted       Trap = "call stack exhausted"
)

func (t Trap) Error() string { return string(t) }

// ErrFuel is the error of a call that took more instructions than Config.Fuel.
var ErrFuel = errors.New("out of fuel")

// LinkError says which import could not be satisfied.
type LinkError struct {
	Module, Name string
	Reason       string // the reference interpreter's text
}

func (e *LinkError) Error() string { return fmt.Sprintf("%s: %q %q", e.Reason, e.Module, e.Name) }
