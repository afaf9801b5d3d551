package arm64

import (
	"fmt"

	"github.com/wasmaot/wasmaot/backend/regalloc"
)

// Reg is a register, numbered as the allocator numbers them. Where the machine takes
// register 31 to be the stack pointer only SP will do, elsewhere only ZR.
type Reg = regalloc.Reg

const (
	X0 Reg = iota
	X1
	X2
	X3
	X4
	X5
	X6
	X7
	X8
	X9
	X10
	X11
	X12
	X13
	X14
	X15
	X16
	X17
	X18
	X19
	X20
	X21
	X22
	X23
	X24
	X25
	X26
	X27
	X28
	X29
	X30
	SP
)

const (
	V0 = regalloc.FirstFloat + iota
	V1
	V2
	V3
	V4
	V5
	V6
	V7
	V8
	V9
	V10
	V11
	V12
	V13
	V14
	V15
	V16
	V17
	V18
	V19
	V20
	V21
	V22
	V23
	V24
	V25
	V26
	V27
	V28
	V29
	V30
	V31

	// ZR reads as 0 and takes no value.
	ZR Reg = 64
	// NoReg stands where a memory operand has no base or index.
	NoReg Reg = 255
)

// regAddress takes addresses on the way to constants that are far away.
const regAddress = X25

// regName is the name of a register.
func regName(r Reg) string {
	switch {
	case r < SP:
		return fmt.Sprintf("x%d", r)
	case r == SP:
		return "sp"
	case r < ZR:
		return fmt.Sprintf("v%d", r-V0)
	case r == ZR:
		return "xzr"
	}
	return fmt.Sprintf("register %d", r)
}

// Cond is a condition code as the machine numbers it. c^1 is the opposite of c.
type Cond uint8

const (
	CondEQ Cond = iota // =
	CondNE             // ≠, unordered
	CondHS             // unsigned ≥, carry; ≥ or unordered
	CondLO             // unsigned <; floats <
	CondMI             // negative; floats <
	CondPL             // not negative; floats ≥ or unordered
	CondVS             // overflow; unordered
	CondVC             // no overflow; ordered
	CondHI             // unsigned >; floats > or unordered
	CondLS             // unsigned ≤; floats ≤
	CondGE             // signed ≥; floats ≥
	CondLT             // signed <; floats < or unordered
	CondGT             // signed >; floats >
	CondLE             // signed ≤; floats ≤ or unordered
)

var condNames = [...]string{"eq", "ne", "hs", "lo", "mi", "pl", "vs", "vc", "hi", "ls", "ge", "lt", "gt", "le"}

func (c Cond) String() string {
	if int(c) < len(condNames) {
		return condNames[c]
	}
	return fmt.Sprintf("condition %d", uint8(c))
}

// Ext is how a register is extended before it is shifted to the left, as the machine
// numbers it.
type Ext uint8

const (
	ExtUXTB Ext = iota
	ExtUXTH
	ExtUXTW
	ExtUXTX // all 64 bits
	ExtSXTB
	ExtSXTH
	ExtSXTW
	ExtSXTX
)

// Shift is how a register is shifted, as the machine numbers it.
type Shift uint8

const (
	ShLSL Shift = iota
	ShLSR
	ShASR
	ShROR
)
