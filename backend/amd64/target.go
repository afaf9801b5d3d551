package amd64

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

// CPU features beyond x86-64-v2, which has SSE4.2 and POPCNT and is required.
const (
	FeatureV2       = cpu.V2
	FeatureBMI1     = cpu.BMI1
	FeatureBMI2     = cpu.BMI2
	FeatureLZCNT    = cpu.LZCNT
	FeatureAVX      = cpu.AVX
	FeatureAVX2     = cpu.AVX2
	FeatureFMA      = cpu.FMA
	FeatureFSGSBASE = cpu.FSGSBASE
	FeatureSHA      = cpu.SHA
	FeatureADX      = cpu.ADX
)

// Registers with a fixed meaning in generated code. None of them is allocated but regPinned.
const (
	regCtx      = R14 // instance context
	regMemBase  = R15 // base of memory 0
	regScratch  = R11 // free within a template and between instructions
	regScratchX = X15
	regCallee   = RAX // FuncDesc address on calls through one
	regCrossing = R10 // free at calls: no value lives through them, and no parameter travels in it
	regPinned   = RBP // the pinned global in code that has one, else allocated
)

// Target is the x86-64 instruction set.
var Target = &backend.Target{
	Name:         "amd64",
	Machine:      62, // EM_X86_64
	FuncAlign:    32,
	HostFeatures: cpu.Host,
	Baseline:     FeatureV2,
	SHA:          FeatureSHA,
	Limbs:        FeatureADX | FeatureBMI2,
	Regs:         &registers,
	PinnedRegs:   pinnedRegisters,
	Conv:         &abi.AMD64,
	Lower:        lower,
	Emit:         emitCode,
	Patch:        patch,
	CheckAccess:  checkAccess,
}

// registers that may be allocated: those whose names need no prefix byte come first.
var registers = regalloc.File{
	Alloc: [2][]regalloc.Reg{
		regalloc.ClassInt:   {RAX, RCX, RDX, RSI, RDI, RBX, RBP, R8, R9, R10, R12, R13},
		regalloc.ClassFloat: {X0, X1, X2, X3, X4, X5, X6, X7, X8, X9, X10, X11, X12, X13, X14},
	},
	Scratch: [2]regalloc.Reg{regScratch, regScratchX},
	Names: [64]string{
		"rax", "rcx", "rdx", "rbx", "rsp", "rbp", "rsi", "rdi", "r8", "r9", "r10", "r11", "r12", "r13", "r14", "r15",
		X0: "xmm0", X1: "xmm1", X2: "xmm2", X3: "xmm3", X4: "xmm4", X5: "xmm5", X6: "xmm6", X7: "xmm7",
		X8: "xmm8", X9: "xmm9", X10: "xmm10", X11: "xmm11", X12: "xmm12", X13: "xmm13", X14: "xmm14", X15: "xmm15",
	},
}

// pinnedRegisters are those of code that has a pinned global.
func pinnedRegisters() *regalloc.File {
	return pinnedMade.Get(func() *regalloc.File { return registers.Without(regPinned) })
}

var pinnedMade lazy.Value[*regalloc.File]

// allocatable is the set of all registers that may be allocated: what a call destroys.
const allocatable regalloc.RegSet = (1<<R14-1<<RAX)&^(1<<RSP|1<<regScratch) | (1<<X15 - 1<<X0)

func patch(part []byte, base, field uint32, kind backend.RelocKind, target uint32) error {
	if kind != backend.RelocCall {
		return fmt.Errorf("amd64: relocation at %#x: expected a call, found kind %d", field, kind)
	}
	if field < base || uint64(field-base)+4 > uint64(len(part)) {
		return fmt.Errorf("amd64: relocation at %#x: expected a field within %#x bytes of text from %#x on", field, len(part), base)
	}
	d := int64(target) - int64(field) - 4 // relative to the next instruction
	if d != int64(int32(d)) || target > math.MaxInt32 {
		return fmt.Errorf("amd64: relocation at %#x: distance %d to %#x does not fit in 32 bits", field, d, target)
	}
	binary.LittleEndian.PutUint32(part[field-base:], uint32(d))
	return nil
}
