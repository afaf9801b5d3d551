package arm64

import (
	"encoding/binary"
	"fmt"
	"math"

	"github.com/wasmaot/wasmaot/backend"
	"github.com/wasmaot/wasmaot/backend/regalloc"
	"github.com/wasmaot/wasmaot/compiler/abi"
	"github.com/wasmaot/wasmaot/compiler/cpu"
	"github.com/wasmaot/wasmaot/internal/lazy"
)

// Target is the 64-bit ARM instruction set.
var Target = &backend.Target{
	Name:         "arm64",
	Machine:      183, // EM_AARCH64
	FuncAlign:    16,
	HostFeatures: cpu.Host,
	Baseline:     0,
	Regs:         &registers,
	PinnedRegs:   pinnedRegisters,
	Conv:         &abi.ARM64,
	Lower:        lower,
	Emit:         emitCode,
	Patch:        patch,
	Reach:        reach,
	VeneerSize:   veneerSize,
	Veneer:       veneer,
	CheckAccess:  checkAccess,
}

// Registers with a fixed meaning in generated code, see abi.ARM64. None of them is allocated but regPinned.
const (
	regCtx      = X27 // instance context
	regMemBase  = X26 // base of memory 0
	regScratch  = X25 // free within a template and between instructions
	regScratchV = V31
	regCallee   = X8  // FuncDesc address on calls through one
	regPinned   = X24 // the pinned global in code that has one, else allocated
	regLink     = X30
)

// registers that may be allocated: all but those with a fixed meaning, see abi.ARM64.
var registers = regalloc.File{
	Alloc: [2][]regalloc.Reg{
		regalloc.ClassInt: {0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 19, 20, 21, 22, 23, 24, 29},
		regalloc.ClassFloat: {
			32, 33, 34, 35, 36, 37, 38, 39, 40, 41, 42, 43, 44, 45, 46, 47,
			48, 49, 50, 51, 52, 53, 54, 55, 56, 57, 58, 59, 60, 61, 62,
		},
	},
	Scratch: [2]regalloc.Reg{regScratch, regScratchV},
	Names: [64]string{
		"x0", "x1", "x2", "x3", "x4", "x5", "x6", "x7", "x8", "x9", "x10", "x11", "x12", "x13", "x14", "x15",
		"x16", "x17", "x18", "x19", "x20", "x21", "x22", "x23", "x24", "x25", "x26", "x27", "x28", "x29", "x30", "sp",
		"v0", "v1", "v2", "v3", "v4", "v5", "v6", "v7", "v8", "v9", "v10", "v11", "v12", "v13", "v14", "v15",
		"v16", "v17", "v18", "v19", "v20", "v21", "v22", "v23", "v24", "v25", "v26", "v27", "v28", "v29", "v30", "v31",
	},
}

// pinnedRegisters are those of code that has a pinned global.
func pinnedRegisters() *regalloc.File {
	return pinnedMade.Get(func() *regalloc.File { return registers.Without(regPinned) })
}

var pinnedMade lazy.Value[*regalloc.File]

// allocatable is the set of all registers that may be allocated: what a call destroys.
const allocatable regalloc.RegSet = (1<<16 - 1) | (1<<25 - 1<<19) | 1<<29 | (1<<63 - 1<<32)

// reach is how far a branch with a 26-bit distance in instructions leads.
const reach = 1 << 27

// patch puts the distance into BL or B.
func patch(part []byte, base, field uint32, kind backend.RelocKind, target uint32) error {
	if kind != backend.RelocCall {
		return fmt.Errorf("arm64: relocation at %#x: expected a call, found kind %d", field, kind)
	}
	if field < base || uint64(field-base)+4 > uint64(len(part)) || (field|target)&3 != 0 || target > math.MaxInt32 {
		return fmt.Errorf("arm64: relocation at %#x to %#x: expected places of instructions within %#x bytes of text from %#x on", field, target, len(part), base)
	}
	d := int64(target) - int64(field)
	if d < -reach || d >= reach {
		return fmt.Errorf("arm64: relocation at %#x: distance %d to %#x does not fit in 28 bits", field, d, target)
	}
	in := binary.LittleEndian.Uint32(part[field-base:])
	binary.LittleEndian.PutUint32(part[field-base:], in&^(1<<26-1)|uint32(d>>2)&(1<<26-1))
	return nil
}

const veneerSize = 12

// veneer writes adrp x25, target; add x25, x25, target's low 12 bits; br x25. No call expects anything in x25.
func veneer(part []byte, at, target uint32) error {
	if len(part) < veneerSize || at&3 != 0 || target > math.MaxInt32 {
		return fmt.Errorf("arm64: veneer at %#x for %#x: expected places of instructions, and %d bytes for it, found %d", at, target, veneerSize, len(part))
	}
	pages := uint32(int32(target>>12) - int32(at>>12))
	for i, w := range [...]uint32{
		0x90000000 | pages&3<<29 | pages>>2&(1<<19-1)<<5 | uint32(regScratch),
		0x91000000 | target&(1<<12-1)<<10 | uint32(regScratch)<<5 | uint32(regScratch),
		0xd61f0000 | uint32(regScratch)<<5,
	} {
		binary.LittleEndian.PutUint32(part[4*i:], w)
	}
	return nil
}
