package amd64

import (
	"fmt"

	"github.com/wasmaot/wasmaot/backend/asm"
	"github.com/wasmaot/wasmaot/compiler/abi"
)

// Label is a place in the code or in the constants behind it; 0 is none.
type Label = asm.Label

// Mem is a memory operand. Base NoReg is none; there is an index if Scale is not 0.
type Mem struct {
	Base, Index Reg
	Scale       uint8 // 0, 1, 2, 4, 8
	GS          bool  // relative to the gs segment
	Addr32      bool  // the address is truncated to 32 bits
	Disp        int32
	Const       Label // not 0: relative to this label, there is no other base or index
}

// At is [base+disp].
func At(base Reg, disp int32) Mem { return Mem{Base: base, Disp: disp} }

// AtIndex is [base+index*scale+disp].
func AtIndex(base, index Reg, scale uint8, disp int32) Mem {
	return Mem{Base: base, Index: index, Scale: scale, Disp: disp}
}

// AtConst is the constant or code at l.
func AtConst(l Label) Mem { return Mem{Const: l} }

// Asm assembles one function at a time.
//
// Instructions are written into a buffer at once, jumps and padding are not: what
// they need is noted as fixes, in the order of the code, and Finish puts them in
// when distances are known. The first error sticks and is returned by Finish.
type Asm struct {
	buf    []byte // written up to n
	n      int
	fixes  []fix
	labels []uint32 // place of each label once bound, counted with all jumps long
	longer uint32   // room that jumps and padding so far need at most
	pool   pool
	err    error
}

// fix is something that Finish does between or within the bytes of the buffer.
type fix struct {
	off   uint32 // in the buffer
	kind  fixKind
	state uint8 // depends on the kind, see there
	label Label
	aux   uint32
}

type fixKind uint8

const (
	fixLabel    fixKind = iota // label is here
	fixJump                    // jump forward to label; state: jumpState, aux: condition or always
	fixJumpBack                // likewise backward
	fixAlign                   // padding to a multiple of state
	fixRelative                // 32-bit field relative to its end + state bytes, for label + aux
	fixReloc                   // relocated field of a call of function aux
	fixTrapSite                // state: trap, aux: wasm offset
	fixCallSite                // aux: wasm offset
)

// always is the condition of a jump that has none.
const always = 16

// Places of labels that have none yet.
const (
	unbound  = ^uint32(0) - iota
	inPool             // a constant's, before constants are laid out
	maxPlace = 1 << 30 // no code gets that large: every distance fits into 32 bits
)

// Reset makes the assembler ready for another function, keeping its memory.
func (a *Asm) Reset() {
	a.n, a.longer, a.err = 0, 0, nil
	a.fixes = a.fixes[:0]
	a.labels = append(a.labels[:0], unbound) // label 0 is none
	a.pool.reset()
}

// Err is the first error.
func (a *Asm) Err() error { return a.err }

func (a *Asm) fail(format string, args ...any) {
	if a.err == nil {
		a.err = fmt.Errorf("amd64: "+format, args...)
	}
}

// Offset is the number of bytes so far, with every jump at its longest.
func (a *Asm) Offset() uint32 { return uint32(a.n) + a.longer }

func (a *Asm) note(kind fixKind, state uint8, l Label, aux uint32) {
	a.fixes = append(a.fixes, fix{uint32(a.n), kind, state, l, aux})
}

// NewLabel makes a label to be bound later.
func (a *Asm) NewLabel() Label { return a.label(unbound) }

func (a *Asm) label(place uint32) Label {
	a.labels = append(a.labels, place)
	return Label(len(a.labels) - 1)
}

// Bind puts l here.
func (a *Asm) Bind(l Label) {
	if l <= 0 || int(l) >= len(a.labels) || a.labels[l] != unbound {
		a.fail("label %d at %#x: expected one made by NewLabel and not bound yet", l, a.Offset())
		return
	}
	a.labels[l] = a.Offset()
	a.note(fixLabel, 0, l, 0)
}

// Align puts the next instruction at a multiple of n, a power of two up to 32 that
// divides the alignment of functions.
func (a *Asm) Align(n uint8) {
	if n == 0 || n > 32 || n&(n-1) != 0 {
		a.fail("alignment %d at %#x: expected a power of two up to 32", n, a.Offset())
		return
	}
	a.note(fixAlign, n, 0, 0)
	a.longer += uint32(n) - 1
}

// Jmp jumps to l.
func (a *Asm) Jmp(l Label) { a.jump(always, l) }

// Jcc jumps to l if c holds.
func (a *Asm) Jcc(c Cond, l Label) { a.jump(uint32(c&15), l) }

func (a *Asm) jump(cond uint32, l Label) {
	if l <= 0 || int(l) >= len(a.labels) || a.labels[l] == inPool {
		a.fail("jump at %#x: label %d is not one of the code", a.Offset(), l)
		return
	}
	kind := fixJump
	if a.labels[l] != unbound {
		kind = fixJumpBack
	}
	a.note(kind, jumpLong, l, cond)
	a.longer += jumpSize(jumpLong, cond)
}

// Call calls function target of the artifact, by a relocation.
func (a *Asm) Call(target uint32) { a.relocated(0xE8, target) }

// JmpFunc jumps to function target of the artifact.
func (a *Asm) JmpFunc(target uint32) { a.relocated(0xE9, target) }

func (a *Asm) relocated(opcode byte, target uint32) {
	b := a.room()
	b[0], b[1], b[2], b[3], b[4] = opcode, 0, 0, 0, 0
	a.n++
	a.note(fixReloc, 0, 0, target)
	a.n += 4
}

// Trap says that the next instruction may fault, and what that means.
func (a *Asm) Trap(t abi.Trap, pos uint32) { a.note(fixTrapSite, uint8(t), 0, pos) }

// CallSite says that the call just assembled is at wasm offset pos.
func (a *Asm) CallSite(pos uint32) { a.note(fixCallSite, 0, 0, pos) }

// grow makes room in the buffer. Code that gets too large is an error and starts
// over, so that it takes no more memory.
func (a *Asm) grow() {
	if a.Offset() > maxPlace {
		a.fail("code is larger than %d bytes", maxPlace)
		a.n, a.fixes = 0, a.fixes[:0]
	}
	buf := make([]byte, max(4096, 2*len(a.buf)))
	copy(buf, a.buf[:a.n])
	a.buf = buf
}
