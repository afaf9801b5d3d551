package amd64

import (
	"encoding/binary"
	"fmt"
	"math"
	"slices"

	"github.com/wasmaot/wasmaot/backend"
	"github.com/wasmaot/wasmaot/compiler/abi"
)

// How a jump is encoded. A jump only ever moves on in this list.
const (
	jumpLong  uint8 = iota // 32-bit distance
	jumpShort              // 8-bit distance
	jumpGone               // to the next instruction: nothing is left of it
)

// jumpSize is the size of a jump in bytes.
func jumpSize(state uint8, cond uint32) uint32 {
	switch {
	case state == jumpGone:
		return 0
	case state == jumpShort:
		return 2
	case cond == always:
		return 5
	}
	return 6
}

// shrinkPasses bounds the work on jumps whose shrinking lets others shrink. What
// the last pass leaves long is correct all the same.
const shrinkPasses = 4

// Finish chooses the size of each jump, resolves labels and writes the text with its
// constants, the relocations, the trap and the call sites into c.
func (a *Asm) Finish(c *backend.Code) error {
	if a.err != nil {
		return a.err
	}
	for range shrinkPasses {
		if !a.shrink() {
			break
		}
	}
	end := a.place()
	total := a.pool.layout(a.labels, uint64(end))
	if total > maxPlace {
		a.fail("code of %d bytes: expected at most %d", total, maxPlace)
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
func (a *Asm) shrink() (changed bool) {
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
		case fixJump, fixJumpBack:
			size := jumpSize(f.state, f.aux)
			to := a.labels[f.label]
			if to == unbound {
				a.fail("jump to label %d, which is bound nowhere", f.label)
				return false
			}
			distance := int64(to) - int64(f.off+before+size)
			if f.kind == fixJumpBack {
				distance = int64(to) - int64(f.off+after+jumpSize(jumpShort, f.aux))
			}
			state := f.state
			switch {
			case distance == 0 && f.kind == fixJump:
				state = jumpGone
			case state == jumpLong && distance >= math.MinInt8 && distance <= math.MaxInt8:
				state = jumpShort
			}
			changed = changed || state != f.state
			f.state = state
			before += size
			after += jumpSize(state, f.aux)
		}
	}
	return changed
}

// place gives all labels in the code their final places and returns its size.
func (a *Asm) place() uint32 {
	var more uint32
	for i := range a.fixes {
		f := &a.fixes[i]
		switch f.kind {
		case fixLabel:
			a.labels[f.label] = f.off + more
		case fixAlign:
			more += padding(f.off+more, f.state)
		case fixJump, fixJumpBack:
			more += jumpSize(f.state, f.aux)
		}
	}
	return uint32(a.n) + more
}

// padding is what lacks at place to be a multiple of n.
func padding(place uint32, n uint8) uint32 { return -place & (uint32(n) - 1) }

// write puts the code together.
func (a *Asm) write(c *backend.Code) {
	text := c.Text
	var from, to uint32 // how far the buffer has been copied, and where to
	for i := range a.fixes {
		f := &a.fixes[i]
		to += uint32(copy(text[to:], a.buf[from:f.off]))
		from = f.off
		switch f.kind {
		case fixAlign:
			n := padding(to, f.state)
			fillNOP(text[to : to+n])
			to += n
		case fixJump, fixJumpBack:
			to += a.writeJump(text[:c.CodeSize], to, f)
		case fixRelative:
			a.writeRelative(text[to:], int64(to)+4+int64(f.state), f)
			to += 4
			from += 4
		case fixReloc:
			c.Relocs = append(c.Relocs, backend.Reloc{Off: to, Kind: backend.RelocCall, Target: f.aux})
		case fixTrapSite:
			c.Traps = append(c.Traps, backend.TrapSite{Off: to, Pos: f.aux, Trap: abi.Trap(f.state)})
		case fixCallSite:
			c.Calls = append(c.Calls, backend.CallSite{Off: to, Pos: f.aux})
		}
	}
	copy(text[to:], a.buf[from:a.n])
}

// writeJump writes jump f to the code at place at and returns its size.
func (a *Asm) writeJump(text []byte, at uint32, f *fix) uint32 {
	size := jumpSize(f.state, f.aux)
	distance := int64(a.labels[f.label]) - int64(at+size)
	b := text[at : at+size]
	switch {
	case a.labels[f.label] >= uint32(len(text)):
		a.fail("jump at %#x: label %d is behind the last instruction", at, f.label)
	case f.state == jumpGone:
		if distance != 0 {
			a.fail("jump at %#x: removed but %d bytes from its label", at, distance)
		}
	case f.state == jumpShort:
		if distance != int64(int8(distance)) {
			a.fail("jump at %#x: distance %d does not fit into 8 bits", at, distance)
		}
		b[0] = 0xEB
		if f.aux != always {
			b[0] = 0x70 | byte(f.aux)
		}
		b[1] = byte(distance)
	default:
		if f.aux == always {
			b[0] = 0xE9
		} else {
			b[0], b[1] = 0x0F, 0x80|byte(f.aux)
		}
		binary.LittleEndian.PutUint32(b[size-4:], uint32(distance)) // both below maxPlace
	}
	return size
}

// writeRelative writes the distance from next, the next instruction, to what the
// operand names.
func (a *Asm) writeRelative(field []byte, next int64, f *fix) {
	if f.label <= 0 || int(f.label) >= len(a.labels) || a.labels[f.label] == unbound {
		a.fail("operand at %#x: label %d is bound nowhere", next, f.label)
		return
	}
	distance := int64(a.labels[f.label]) + int64(int32(f.aux)) - next
	if distance != int64(int32(distance)) {
		a.fail("operand at %#x: distance %d does not fit into 32 bits", next, distance)
	}
	binary.LittleEndian.PutUint32(field, uint32(distance))
}

// writePool writes constants and tables, and what traps if it is ever run between
// them and the code.
func (a *Asm) writePool(text []byte, end uint32) {
	for i := range text[end:] {
		text[int(end)+i] = 0xCC
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
				a.fail("jump table: entry %d is label %d, which has no instruction", i, l)
				return
			}
			binary.LittleEndian.PutUint32(text[int(start)+4*i:], a.labels[l]-start)
		}
	}
}

// nops are the recommended instructions that do nothing, by length (Intel SDM,
// volume 2, NOP).
var nops = [...]string{
	1: "\x90",
	2: "\x66\x90",
	3: "\x0F\x1F\x00",
	4: "\x0F\x1F\x40\x00",
	5: "\x0F\x1F\x44\x00\x00",
	6: "\x66\x0F\x1F\x44\x00\x00",
	7: "\x0F\x1F\x80\x00\x00\x00\x00",
	8: "\x0F\x1F\x84\x00\x00\x00\x00\x00",
	9: "\x66\x0F\x1F\x84\x00\x00\x00\x00\x00",
}

func fillNOP(b []byte) {
	for len(b) > 0 {
		b = b[copy(b, nops[min(len(b), len(nops)-1)]):]
	}
}

// patchRel32 makes the 32-bit field of a call or jump at field reach target, both
// offsets in text.
func patchRel32(text []byte, field, target uint32) error {
	if uint64(field)+4 > uint64(len(text)) {
		return fmt.Errorf("amd64: relocation at %#x is outside the text of %#x bytes", field, len(text))
	}
	distance := int64(target) - int64(field) - 4
	if distance != int64(int32(distance)) {
		return fmt.Errorf("amd64: relocation at %#x: distance %d does not fit into 32 bits", field, distance)
	}
	binary.LittleEndian.PutUint32(text[field:], uint32(distance))
	return nil
}
