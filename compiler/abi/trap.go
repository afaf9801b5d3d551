package abi

// Trap says why guest code stopped. The values are part of the artifact format.
type Trap uint8

const (
	TrapNone                 Trap = iota
	TrapUnreachable               // the unreachable instruction
	TrapMemoryOutOfBounds         // load, store or bulk operation outside a linear memory
	TrapTableOutOfBounds          // table access or bulk operation outside a table
	TrapUndefinedElement          // call_indirect with an index outside the table
	TrapUninitializedElement      // call_indirect through a null element
	TrapIndirectCallType          // call_indirect with another function type than expected
	TrapDivideByZero              // integer division or remainder by zero
	TrapIntegerOverflow           // INT_MIN / -1, or a float too large for the integer type
	TrapInvalidConversion         // NaN to integer
	TrapStackExhausted            // the native stack's guard was reached
	TrapNullReference             // a null reference where one is needed
	TrapCount
)

// trapText has the wording of the reference interpreter, which the official test
// suite's scripts expect.
var trapText = [TrapCount]string{
	"no trap",
	"unreachable",
	"out of bounds memory access",
	"out of bounds table access",
	"undefined element",
	"uninitialized element",
	"indirect call type mismatch",
	"integer divide by zero",
	"integer overflow",
	"invalid conversion to integer",
	"call stack exhausted",
	"null reference",
}

func (t Trap) String() string {
	if t < TrapCount {
		return trapText[t]
	}
	return "unknown trap"
}
