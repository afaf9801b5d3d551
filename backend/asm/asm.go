// Package asm holds what assemblers of different instruction sets have in common:
// the buffer, labels, jumps whose size depends on their distance, constants behind
// the code, and the putting together of all that into a [backend.Code].
//
// A target's assembler embeds a [Buffer], writes its instructions into it and
// describes in a [Machine] what of an instruction depends on distances.
package asm

import (
	"fmt"

	"github.com/wasmaot/wasmaot/compiler/abi"
)

// Label is a place in the code or in the constants behind it; 0 is none.
type Label int32

// Buffer assembles one function at a time.
//
// Instructions are written into Buf at once, jumps and padding are not: what they
// need is noted as fixes, in the order of the code, and Finish puts them in when
// distances are known. The first error sticks and is returned by Finish.
type Buffer struct {
	Buf []byte // written up to N
	N   int

	machine *Machine
	fixes   []fix
	notes   []note
	labels  []uint32 // place of each label once bound, counted with everything at its longest
	longer  uint32   // room that jumps and padding so far need at most
	pool    pool
	shrinks bool // there is a reference that has a short form
	err     error
}

// Machine is what an instruction set's jumps and operands are like.
type Machine struct {
	Name    string
	Classes []Class
	// Encode writes an instruction of a class to b, which is as long as the class
	// says and zero; distance counts from where the class says. It reports whether
	// the distance fits.
	Encode func(b []byte, class uint8, short bool, aux uint32, distance int64) bool
	// Fill writes instructions that do nothing.
	Fill func(b []byte)
	// Between is what stands between the code and its constants: it traps.
	Between byte
}

// Class is one kind of jump, or of another instruction or part of one that depends
// on the distance to a label. It has a long and a short form.
type Class struct {
	Long, Short Form
	Min, Max    int64 // distances that the short form takes
}

// Form is how large a form is, and from which of its bytes on distances count.
type Form struct{ Size, From uint8 }

// Fixed is a class of one form.
func Fixed(f Form) Class { return Class{Long: f, Short: f, Min: 1} }

// fix is something that Finish does between or within the bytes of the buffer.
type fix struct {
	off   uint32 // in the buffer
	kind  fixKind
	state uint8 // depends on the kind, see there
	class uint8 // of jumps and references
	label Label
	aux   uint32
}

type fixKind uint8

const (
	fixLabel     fixKind = iota // label is here
	fixJump                     // jump forward to label; state: formLong and so on
	fixJumpBack                 // likewise backward
	fixReference                // likewise, what is no jump: to anywhere, constants too
	fixAlign                    // padding to a multiple of state
)

// note is something about a place in the code that no size depends on, apart from the fixes, which are gone through
// several times.
type note struct {
	off  uint32 // in the buffer
	fix  uint32 // number of fixes before it
	kind noteKind
	trap abi.Trap
	aux  uint32
}

type noteKind uint8

const (
	noteReloc    noteKind = iota // relocated field of a call of function aux
	noteTrapSite                 // aux: wasm offset
	noteCallSite                 // aux: wasm offset
)

// Places of labels that have none yet.
const (
	unbound  = ^uint32(0) - iota
	inPool             // a constant's, before constants are laid out
	maxPlace = 1 << 30 // no code gets that large: every distance fits into 32 bits
)

// Reset makes the buffer ready for another function, keeping its memory.
func (a *Buffer) Reset(m *Machine) {
	a.machine = m
	a.N, a.longer, a.shrinks, a.err = 0, 0, false, nil
	a.fixes, a.notes = a.fixes[:0], a.notes[:0]
	a.labels = append(a.labels[:0], unbound) // label 0 is none
	a.pool.reset()
}

// Err is the first error.
func (a *Buffer) Err() error { return a.err }

// Fail notes an error, if it is the first.
func (a *Buffer) Fail(format string, args ...any) {
	if a.err == nil {
		a.err = fmt.Errorf(a.machine.Name+": "+format, args...)
	}
}

// Offset is the number of bytes so far, with every jump at its longest.
func (a *Buffer) Offset() uint32 { return uint32(a.N) + a.longer }

// Place names this place: it is the same as long as neither an instruction nor a label nor anything else was put here.
func (a *Buffer) Place() uint64 { return uint64(len(a.fixes)+len(a.notes))<<32 | uint64(a.N) }

func (a *Buffer) fix(kind fixKind, state, class uint8, l Label, aux uint32) {
	a.fixes = append(a.fixes, fix{})
	f := &a.fixes[len(a.fixes)-1]
	f.off, f.kind, f.state, f.class, f.label, f.aux = uint32(a.N), kind, state, class, l, aux
}

func (a *Buffer) note(kind noteKind, trap abi.Trap, aux uint32) {
	a.notes = append(a.notes, note{})
	n := &a.notes[len(a.notes)-1]
	n.off, n.fix, n.kind, n.trap, n.aux = uint32(a.N), uint32(len(a.fixes)), kind, trap, aux
}

// NewLabel makes a label to be bound later.
func (a *Buffer) NewLabel() Label { return a.label(unbound) }

func (a *Buffer) label(place uint32) Label {
	a.labels = append(a.labels, place)
	return Label(len(a.labels) - 1)
}

// Bind puts l here.
func (a *Buffer) Bind(l Label) {
	if l <= 0 || int(l) >= len(a.labels) || a.labels[l] != unbound {
		a.Fail("label %d at %#x: expected one made by NewLabel and not bound yet", l, a.Offset())
		return
	}
	a.labels[l] = a.Offset()
	a.fix(fixLabel, 0, 0, l, 0)
}

// Align puts the next instruction at a multiple of n, a power of two up to 32 that
// divides the alignment of functions.
func (a *Buffer) Align(n uint8) {
	if n == 0 || n > 32 || n&(n-1) != 0 {
		a.Fail("alignment %d at %#x: expected a power of two up to 32", n, a.Offset())
		return
	}
	a.fix(fixAlign, n, 0, 0, 0)
	a.longer += uint32(n) - 1
}

// Jump puts a jump of the given class to l here. It is left out if it leads to the
// next instruction.
func (a *Buffer) Jump(class uint8, l Label, aux uint32) {
	if l <= 0 || int(l) >= len(a.labels) || a.labels[l] == inPool {
		a.Fail("jump at %#x: label %d is not one of the code", a.Offset(), l)
		return
	}
	kind := fixJump
	if a.labels[l] != unbound {
		kind = fixJumpBack
	}
	a.place(kind, class, l, aux)
}

// Reference puts something of the given class here that depends on the distance to
// l, a place in the code or a constant.
func (a *Buffer) Reference(class uint8, l Label, aux uint32) {
	if l <= 0 || int(l) >= len(a.labels) {
		a.Fail("operand at %#x: there is no label %d", a.Offset(), l)
		return
	}
	a.place(fixReference, class, l, aux)
	if c := &a.machine.Classes[class]; c.Min <= c.Max {
		a.shrinks = true
	}
}

func (a *Buffer) place(kind fixKind, class uint8, l Label, aux uint32) {
	a.fix(kind, formLong, class, l, aux)
	a.longer += uint32(a.machine.Classes[class].Long.Size)
}

// Reloc says that here is the field of a call of function target of the artifact.
func (a *Buffer) Reloc(target uint32) { a.note(noteReloc, 0, target) }

// Trap says that the next instruction may fault, and what that means.
func (a *Buffer) Trap(t abi.Trap, pos uint32) { a.note(noteTrapSite, t, pos) }

// CallSite says that the call just assembled is at wasm offset pos.
func (a *Buffer) CallSite(pos uint32) { a.note(noteCallSite, 0, pos) }

// Grow makes room in the buffer. Code that gets too large is an error and starts
// over, so that it takes no more memory.
func (a *Buffer) Grow() {
	if a.Offset() > maxPlace {
		a.Fail("code is larger than %d bytes", maxPlace)
		a.N, a.fixes, a.notes = 0, a.fixes[:0], a.notes[:0]
	}
	buf := make([]byte, max(4096, 2*len(a.Buf)))
	copy(buf, a.Buf[:a.N])
	a.Buf = buf
}
