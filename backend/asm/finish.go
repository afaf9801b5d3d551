package asm

import (
	"encoding/binary"
	"slices"

	"github.com/wasmaot/wasmaot/backend"
)

// In which form a jump or reference is. It only ever moves on in this list.
const (
	formLong uint8 = iota
	formShort
	formGone // a jump to the next instruction: nothing is left of it
)

// size is what f takes.
func (a *Buffer) size(f *fix) uint32 { return a.sizeAs(f, f.state) }

func (a *Buffer) sizeAs(f *fix, state uint8) uint32 {
	switch c := &a.machine.Classes[f.class]; state {
	case formLong:
		return uint32(c.Long.Size)
	case formShort:
		return uint32(c.Short.Size)
	}
	return 0
}

// shrinkPasses bounds the work on jumps whose shrinking lets others shrink. What
// the last pass leaves long is correct all the same.
const shrinkPasses = 4

// Finish chooses the size of each jump, resolves labels and writes the text with its
// constants, the relocations, the trap and the call sites into c.
func (a *Buffer) Finish(c *backend.Code) error {
	if a.err != nil {
		return a.err
	}
	for range shrinkPasses {
		if !a.shrink() {
			break
		}
	}
	a.shrinkReferences()
	end := a.bindAll()
	total := a.pool.layout(a.labels, uint64(end))
	if total > maxPlace {
		a.Fail("code of %d bytes: expected at most %d", total, maxPlace)
	}
	if a.err != nil {
		return a.err
	}
	c.Text = slices.Grow(c.Text[:0], int(total))[:total]
	c.CodeSize = end
	c.Relocs, c.Traps, c.Calls = c.Relocs[:0], c.Traps[:0], c.Calls[:0]
	a.write(c)
	a.writePool(c.Text, end)
	return a.err
}

// shrink makes jumps shorter where their distances allow and reports whether it
// changed any. Distances only get smaller, so that no choice is ever wrong: code
// between a jump and its label shrinks, and padding is counted at its most.
func (a *Buffer) shrink() (changed bool) {
	// What fixes so far add to the buffer, before and after this pass. Labels are
	// moved as the pass comes by: those ahead still are where they were before.
	var before, after uint32
	for i := range a.fixes {
		f := &a.fixes[i]
		switch f.kind {
		case fixLabel:
			a.labels[f.label] = f.off + after
		case fixAlign:
			before += uint32(f.state) - 1
			after += uint32(f.state) - 1
		case fixReference:
			size := a.size(f)
			before += size
			after += size
		case fixJump, fixJumpBack:
			size := a.size(f)
			to := a.labels[f.label]
			if to == unbound {
				a.Fail("jump to label %d, which is bound nowhere", f.label)
				return false
			}
			state := a.shorter(f, int64(to), int64(f.off+before), int64(f.off+after), size)
			changed = changed || state != f.state
			f.state = state
			before += size
			after += a.size(f)
		}
	}
	return changed
}

// shorter is the form that jump f to place to can take; before and after are its own
// places before and after this pass.
func (a *Buffer) shorter(f *fix, to, before, after int64, size uint32) uint8 {
	if f.state == formGone {
		return formGone
	}
	c := &a.machine.Classes[f.class]
	// A forward jump's label is counted before this pass: what is between shrinks
	// later. From the end of the long form on it is as far as from that of the short.
	end := before + int64(size)
	if f.kind == fixJump && to == end {
		return formGone
	}
	distance := to - after - int64(c.Short.From)
	if f.kind == fixJump {
		distance = to - end + int64(c.Short.Size) - int64(c.Short.From)
	}
	if distance >= c.Min && distance <= c.Max {
		return formShort
	}
	return f.state
}

// poolSlack is more than the distance to a constant can grow by padding when code
// in front of it shrinks.
const poolSlack = 64

// shrinkReferences makes references shorter. They get no second chance.
func (a *Buffer) shrinkReferences() {
	if !a.shrinks {
		return
	}
	end := a.bindAll()
	total := a.pool.layout(a.labels, uint64(end))
	if total > maxPlace {
		return
	}
	var more uint32
	for i := range a.fixes {
		f := &a.fixes[i]
		switch f.kind {
		case fixAlign:
			more += padding(f.off+more, f.state)
		case fixReference, fixJump, fixJumpBack:
			size := a.size(f)
			if c := &a.machine.Classes[f.class]; f.kind == fixReference && a.labels[f.label] < maxPlace {
				distance := int64(a.labels[f.label]) - int64(f.off+more)
				if distance-poolSlack >= c.Min && distance+poolSlack <= c.Max {
					f.state = formShort
				}
			}
			more += size
		}
	}
}

// bindAll gives all labels in the code their places and returns its size.
func (a *Buffer) bindAll() uint32 {
	var more uint32
	for i := range a.fixes {
		f := &a.fixes[i]
		switch f.kind {
		case fixLabel:
			a.labels[f.label] = f.off + more
		case fixAlign:
			more += padding(f.off+more, f.state)
		case fixJump, fixJumpBack, fixReference:
			more += a.size(f)
		}
	}
	return uint32(a.N) + more
}

// padding is what lacks at place to be a multiple of n.
func padding(place uint32, n uint8) uint32 { return -place & (uint32(n) - 1) }

// write puts the code together.
func (a *Buffer) write(c *backend.Code) {
	text := c.Text
	var from, to uint32 // how far the buffer has been copied, and where to
	notes := a.notes
	for i := range a.fixes {
		n := 0
		for n < len(notes) && notes[n].fix == uint32(i) {
			n++
		}
		writeNotes(c, notes[:n], to-from)
		notes = notes[n:]
		f := &a.fixes[i]
		if f.kind == fixLabel {
			continue
		}
		to += uint32(copy(text[to:], a.Buf[from:f.off]))
		from = f.off
		if f.kind == fixAlign {
			n := padding(to, f.state)
			a.machine.Fill(text[to : to+n])
			to += n
		} else {
			to += a.encode(c, to, f)
		}
	}
	copy(text[to:], a.Buf[from:a.N])
	writeNotes(c, notes, to-from)
}

// writeNotes notes what lies by shift farther on in the text than in the buffer.
func writeNotes(c *backend.Code, notes []note, shift uint32) {
	for i := range notes {
		n := &notes[i]
		switch off := n.off + shift; n.kind {
		case noteReloc:
			c.Relocs = append(c.Relocs, backend.Reloc{Off: off, Kind: backend.RelocCall, Target: n.aux})
		case noteTrapSite:
			c.Traps = append(c.Traps, backend.TrapSite{Off: off, Pos: n.aux, Trap: n.trap})
		case noteCallSite:
			c.Calls = append(c.Calls, backend.CallSite{Off: off, Pos: n.aux})
		}
	}
}

// encode writes jump or reference f to the code at place at and returns its size.
func (a *Buffer) encode(c *backend.Code, at uint32, f *fix) uint32 {
	size, to := a.size(f), a.labels[f.label]
	class := &a.machine.Classes[f.class]
	form := class.Long
	if f.state == formShort {
		form = class.Short
	}
	distance := int64(to) - int64(at)
	switch {
	case to == unbound:
		a.Fail("operand at %#x: label %d is bound nowhere", at, f.label)
	case f.kind != fixReference && to >= c.CodeSize:
		a.Fail("jump at %#x: label %d is behind the last instruction", at, f.label)
	case f.state == formGone:
		if distance != 0 {
			a.Fail("jump at %#x: removed but %d bytes from its label", at, distance)
		}
	default:
		b := c.Text[at : at+size]
		clear(b)
		if !a.machine.Encode(b, f.class, f.state == formShort, f.aux, distance-int64(form.From)) {
			a.Fail("at %#x: a distance of %d bytes to label %d is out of reach", at, distance, f.label)
		}
	}
	return size
}

// writePool writes constants and tables, and what traps if it is ever run between
// them and the code.
func (a *Buffer) writePool(text []byte, end uint32) {
	for i := range text[end:] {
		text[int(end)+i] = a.machine.Between
	}
	for i := range a.pool.values {
		v := &a.pool.values[i]
		b := text[a.labels[v.label]:]
		switch v.size {
		case 4:
			binary.LittleEndian.PutUint32(b, uint32(v.lo))
		case 16:
			binary.LittleEndian.PutUint64(b[8:], v.hi)
			fallthrough
		case 8:
			binary.LittleEndian.PutUint64(b, v.lo)
		}
	}
	for _, t := range a.pool.tables {
		start := a.labels[t.label]
		for i, l := range a.pool.targets[t.start:t.end] {
			if l <= 0 || int(l) >= len(a.labels) || a.labels[l] >= end {
				a.Fail("jump table: entry %d is label %d, which has no instruction", i, l)
				return
			}
			binary.LittleEndian.PutUint32(text[int(start)+4*i:], a.labels[l]-start)
		}
	}
}
