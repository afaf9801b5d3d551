// Package backend holds what instruction sets share: machine functions, generated
// code with its relocations, and the Target through which the compiler drives one.
package backend

import (
	"github.com/wasmaot/wasmaot/backend/regalloc"
	"github.com/wasmaot/wasmaot/compiler/abi"
	"github.com/wasmaot/wasmaot/compiler/ssa"
)

// Inst is a machine instruction, parallel to the allocator's view of it in
// Func.RA.Insts: the operands' registers are in the allocation. What the fields
// mean is the target's business.
//
// As ssa.Inst it has no more than four fields, for speed.
type Inst struct {
	InstKind
	Disp int32
	Imm  int64
	InstRest
}

// InstKind and InstRest are parts of Inst.
type (
	InstKind struct {
		Op   uint16
		Size uint8
		Cond uint8
	}
	InstRest struct {
		Pos uint32 // wasm offset
		Aux uint32
	}
)

// Func is a function in machine instructions.
type Func struct {
	SSA    *ssa.Func
	RA     regalloc.Func
	Insts  []Inst
	Remat  []int64 // by virtual register: the constant's bits, for HomeRemat; of a vector its index in SSA.Vecs
	OutArg uint32  // bytes of the outgoing argument area

	Switches     []uint32 // jump tables: for each entry the edge in RA.Edges to take
	Calls        bool     // it calls something
	SavesContext bool     // the context register must be restored after some call
}

// Reset empties m for function f and keeps its memory.
func (m *Func) Reset(f *ssa.Func) {
	ra := &m.RA
	*m = Func{
		SSA: f,
		RA: regalloc.Func{
			VRegs:       append(ra.VRegs[:0], regalloc.VRegInfo{}),
			Blocks:      ra.Blocks[:0],
			Insts:       ra.Insts[:0],
			Ops:         ra.Ops[:0],
			Params:      ra.Params[:0],
			Edges:       ra.Edges[:0],
			EdgeArgs:    ra.EdgeArgs[:0],
			Preds:       ra.Preds[:0],
			ClobberSets: ra.ClobberSets[:0],
		},
		Insts:    m.Insts[:0],
		Remat:    append(m.Remat[:0], 0),
		Switches: m.Switches[:0],
	}
}

// RelocKind says how a relocation's value is put into the code.
type RelocKind uint8

const (
	RelocCall RelocKind = iota // call or jump to a function of the same artifact: Target is its index among the defined functions
)

// Reloc is a place in the code that depends on where functions are.
type Reloc struct {
	Off    uint32 // of the field, in Code.Text
	Kind   RelocKind
	Target uint32
}

// TrapSite says that the instruction at Off may fault and what that means.
type TrapSite struct {
	Off  uint32 // from the function's start
	Pos  uint32 // wasm offset
	Trap abi.Trap
}

// CallSite maps a return address to the wasm offset of its call, for backtraces.
type CallSite struct {
	Off uint32 // of the return address, from the function's start
	Pos uint32
}

// Code is a function's machine code. Constants follow the instructions in Text.
// Traps and Calls are sorted by Off.
type Code struct {
	Text      []byte
	Relocs    []Reloc
	Traps     []TrapSite
	Calls     []CallSite
	CodeSize  uint32 // bytes of Text that are instructions; constants and jump tables follow
	FrameSize uint32 // bytes between the return address and the stack pointer inside the body, or abi.FrameLeaf
}

// Config is how code is to be made.
type Config struct {
	Features    uint64 // the target's CPU feature bits (package cpu) that may be used
	Explicit    bool   // linear memories have no guard regions: every access must be checked
	ThroughDesc bool   // the module's functions call each other through their descriptors: code is only relocated to itself
	InOrder     bool   // leave cold blocks with a way back where they stand
	Poison      bool   // dirty upper halves, dead slots and clobbered registers on purpose, for tests
}

// File is what may be allocated in a module's code.
func (t *Target) File(m *ssa.Module) *regalloc.File {
	if m != nil && m.Pinned != 0 {
		return t.PinnedRegs()
	}
	return t.Regs
}

// Target is an instruction set.
type Target struct {
	Name         string // GOARCH
	Machine      uint16 // ELF e_machine
	FuncAlign    uint32
	HostFeatures func() uint64 // of the CPU this runs on; 0 on another instruction set
	SHA          uint64        // the feature that ssa.OpVSHA256Rounds and the like need, 0 if there is none
	Limbs        uint64        // those that ssa.OpMulAddLimbs needs, 0 if it is not known
	Baseline     uint64        // features every CPU has that we run on
	Regs         *regalloc.File
	PinnedRegs   func() *regalloc.File // of code that has a pinned global
	Conv         *abi.Convention

	// Lower selects instructions for f into m, which is reset first.
	Lower func(cfg *Config, f *ssa.Func, m *Func) error
	// Emit encodes m with its allocation into c, which is reset first.
	Emit func(cfg *Config, m *Func, r *regalloc.Result, c *Code) error
	// Patch resolves a relocation in a part of the text that begins at base: the field at r.Off of the function shall reach target.
	Patch func(part []byte, base, field uint32, kind RelocKind, target uint32) error
	// Calls reach less than Reach bytes, if that is not 0. Veneer writes a jump to target for those farther away, in VeneerSize
	// bytes at offset at of the text, which begins at a multiple of 4096.
	Reach, VeneerSize uint32
	Veneer            func(part []byte, at, target uint32) error
	// CheckAccess verifies on the machine code that it reaches memory, tables and functions only in the ways it must.
	CheckAccess func(cfg *Config, m *Func, c *Code) error
}
