package amd64

import (
	"fmt"

	"github.com/wasmaot/wasmaot/backend"
	"github.com/wasmaot/wasmaot/compiler/abi"
)

// Label is a place in the code or in the constants behind it; 0 is none.
type Label int32

// Mem is a memory operand. Base NoReg is none; there is an index if Scale is not 0.
type Mem struct {
	Base, Index Reg
	Scale       uint8 // 0, 1, 2, 4, 8
	GS          bool  // relative to the gs segment
	Addr32      bool  // the address is truncated to 32 bits
	Disp        int32
	Const       Label // not 0: relative to this label instead of Base
}

// At is [base+disp].
func At(base Reg, disp int32) Mem { return Mem{Base: base, Disp: disp} }

// AtIndex is [base+index*scale+disp].
func AtIndex(base, index Reg, scale uint8, disp int32) Mem {
	return Mem{Base: base, Index: index, Scale: scale, Disp: disp}
}

// AtConst is the constant or code at l.
func AtConst(l Label) Mem { return Mem{Const: l} }

// Asm assembles one function at a time. The first error sticks and is returned by
// Finish.
type Asm struct {
	buf []byte
	err error
}

// Reset makes the assembler ready for another function, keeping its memory.
func (a *Asm) Reset() {}

// Err is the first error.
func (a *Asm) Err() error { return a.err }

func (a *Asm) fail(format string, args ...any) {
	if a.err == nil {
		a.err = fmt.Errorf("amd64: "+format, args...)
	}
}

// Offset is the number of bytes assembled so far; Finish may shrink what is before it.
func (a *Asm) Offset() uint32 { return uint32(len(a.buf)) }

// NewLabel makes a label to be bound later.
func (a *Asm) NewLabel() Label { return 0 }

// Bind puts l here.
func (a *Asm) Bind(l Label) {}

// Align puts the next instruction at a multiple of n, a power of two up to 32.
func (a *Asm) Align(n uint8) {}

// Jmp jumps to l, Jcc does so if c holds.
func (a *Asm) Jmp(l Label)         {}
func (a *Asm) Jcc(c Cond, l Label) {}

// JmpR and JmpM jump to the address in a register or in memory.
func (a *Asm) JmpR(r Reg) {}
func (a *Asm) JmpM(m Mem) {}

// Call calls function target of the artifact (a relocation), JmpFunc jumps to it.
func (a *Asm) Call(target uint32)    {}
func (a *Asm) JmpFunc(target uint32) {}

// CallR and CallM call the address in a register or in memory.
func (a *Asm) CallR(r Reg) {}
func (a *Asm) CallM(m Mem) {}

// Trap says that the next instruction may fault and what that means.
func (a *Asm) Trap(t abi.Trap, pos uint32) {}

// CallSite says that the call just assembled is at wasm offset pos.
func (a *Asm) CallSite(pos uint32) {}

// Const32 and so on put a constant behind the code, once for all uses.
func (a *Asm) Const32(v uint32) Label       { return 0 }
func (a *Asm) Const64(v uint64) Label       { return 0 }
func (a *Asm) Const128(lo, hi uint64) Label { return 0 }

// AddTable puts a table of 32-bit offsets behind the code: entry k is the
// distance from the table's start to labels[k].
func (a *Asm) AddTable(labels []Label) Label { return 0 }

// R: op r; M: op m; Bare: op.
func (a *Asm) R(op Op, size uint8, r Reg) {}
func (a *Asm) M(op Op, size uint8, m Mem) {}
func (a *Asm) Bare(op Op)                 {}

// Operands are in Intel's order: destination first, an immediate last.
func (a *Asm) RR(op Op, size uint8, dst, src Reg)              {}
func (a *Asm) RM(op Op, size uint8, dst Reg, m Mem)            {}
func (a *Asm) MR(op Op, size uint8, m Mem, src Reg)            {}
func (a *Asm) RI(op Op, size uint8, dst Reg, imm int64)        {}
func (a *Asm) MI(op Op, size uint8, m Mem, imm int64)          {}
func (a *Asm) RRI(op Op, size uint8, dst, src Reg, imm int64)  {}
func (a *Asm) RMI(op Op, size uint8, dst Reg, m Mem, im int64) {}
func (a *Asm) MRI(op Op, size uint8, m Mem, src Reg, im int64) {}

// The VEX forms.
func (a *Asm) VRR(op Op, size uint8, dst, src Reg)                    {}
func (a *Asm) VRM(op Op, size uint8, dst Reg, m Mem)                  {}
func (a *Asm) VMR(op Op, size uint8, m Mem, src Reg)                  {}
func (a *Asm) VRRI(op Op, size uint8, dst, src Reg, imm int64)        {}
func (a *Asm) VRMI(op Op, size uint8, dst Reg, m Mem, imm int64)      {}
func (a *Asm) VRRR(op Op, size uint8, dst, s1, s2 Reg)                {}
func (a *Asm) VRRM(op Op, size uint8, dst, s1 Reg, m Mem)             {}
func (a *Asm) VRMR(op Op, size uint8, dst Reg, m Mem, s2 Reg)         {}
func (a *Asm) VRRRI(op Op, size uint8, dst, s1, s2 Reg, imm int64)    {}
func (a *Asm) VRRMI(op Op, size uint8, dst, s1 Reg, m Mem, imm int64) {}

// Finish shrinks jumps, resolves labels and writes text, relocations, trap and
// call sites into c, whose lists are emptied first.
func (a *Asm) Finish(c *backend.Code) error { return a.err }
