//go:build linux

package loader

import (
	"encoding/binary"

	"github.com/wasmaot/wasmaot/compiler/abi"
)

// guestState is the guest's registers as the kernel's sigcontext has them.
type guestState struct {
	regs           [31]uint64
	sp, pc, pstate uint64
}

const (
	// linkSize is what lies between the frames of caller and callee: the return address, which the callee pushes, and padding.
	linkSize = 16
	// BRK is reported at the instruction.
	breakpointSize = 0
)

// Instructions of prologues and epilogues.
const (
	pushLink = 0xf81f0ffe // str x30, [sp, #-16]!
	popLink  = 0xf84107fe // ldr x30, [sp], #16
	subSP    = 0xd10003ff // sub sp, sp, #imm12, perhaps shifted by 12
	addSP    = 0x910003ff // add sp, sp, likewise
	spImm    = 0x7ffc00   // their operand
)

// returnFrom is where the function at f, stopped at off, returns to. The return address is in its register
// before the prologue pushes it, after the epilogue has popped it, and always in functions that never push it.
func (s *nativeStack) returnFrom(t *text, f extent, off uint32, at site) site {
	inRegister := site{s.e.regs[rLink], at.sp}
	inst := func(off uint32) uint32 {
		if off-f.off >= f.size&^3 {
			return 0
		}
		return binary.LittleEndian.Uint32(t.bytes()[off:])
	}
	if f.frame == abi.FrameLeaf || off == f.off || inst(off) == ret {
		return inRegister
	}
	// The body's end: what is left of the frame is taken away, then the return address is popped.
	end, left := off, uint64(0)
	for ; inst(end)&^spImm == addSP; end += 4 {
		left += spOperand(inst(end))
	}
	if inst(end) == popLink {
		return s.returnAt(at.sp + left)
	}
	// Its beginning: the frame is made by the instructions after the first one.
	begin, made := f.off+4, uint64(0)
	for ; begin < off && inst(begin)&^spImm == subSP; begin += 4 {
		made += spOperand(inst(begin))
	}
	if begin == off && inst(f.off) == pushLink {
		return s.returnAt(at.sp + made)
	}
	return s.returnAt(at.sp + uint64(f.frame))
}

// spOperand is the constant that an instruction adds to the stack pointer or subtracts.
func spOperand(inst uint32) uint64 {
	n := uint64(inst >> 10 & 0xfff)
	if inst&(1<<22) != 0 {
		n <<= 12
	}
	return n
}

// exitReturn is where an exit stub returns to that found the stack's end. Its first stores find it, when the descriptor
// and the return address are in their registers.
func (s *nativeStack) exitReturn() site {
	e := s.e
	return site{e.regs[rLink], e.sp + exitFrameOf(e.regs[conv.Callee]) + linkSize}
}

// setContext is the instruction that sets the context register in functions: mov x27, x25.
const setContext = 0xaa1903fb

// setsContext reports whether code begins with it.
func setsContext(code []byte) bool {
	return len(code) >= 4 && binary.LittleEndian.Uint32(code) == setContext
}
