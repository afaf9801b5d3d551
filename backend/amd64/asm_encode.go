package amd64

import (
	"encoding/binary"
	"math/bits"
)

// instMax is room for one instruction: at most 15 bytes, and constants may be
// written in larger pieces than they need.
const instMax = 24

// room is where the next instruction goes.
func (a *Asm) room() *[instMax]byte {
	if len(a.Buf)-a.N < instMax {
		a.Grow()
	}
	return (*[instMax]byte)(a.Buf[a.N:])
}

// row is the encoding of op.
func row(op Op) *encoding {
	if i := op & opMask; i < opCount {
		return &encodings[i]
	}
	return &encodings[NoOp]
}

// legacy is form c of row e outside VEX for operands of the given size, 0 if there
// is none.
func (e *encoding) legacy(op Op, size uint8, c code) code {
	if e.vex&vexOnly != 0 {
		return 0
	}
	if c = e.withSize(op, size, c); c&l1 != 0 {
		return 0
	}
	return c
}

// withSize applies to form c what the size and the condition in op change.
func (e *encoding) withSize(op Op, size uint8, c code) code {
	if c == 0 || size > maxSize {
		return 0
	}
	c ^= sizeBits[e.size][size]
	if c&sized == 0 {
		return 0
	}
	if cond := code(op >> condShift); cond != 0 {
		if c&cc == 0 {
			return 0
		}
		c += cond
	}
	return c
}

// suits reports whether r is of the class that c wants for the operand whose flag
// is vector. Integer registers are 0–15, vector registers 32–47.
func suits(r Reg, c, vector code) bool {
	want := Reg(0)
	if c&vector != 0 {
		want = 2
	}
	return r>>4 == want
}

// prefixByte is the prefix of each value of the prefixes field.
var prefixByte = [4]byte{0, 0x66, 0xF3, 0xF2}

// digit is the number that stands in c in place of the reg operand.
func (c code) digit() Reg { return Reg(c >> 16 & 7) }

// head writes what comes before the ModRM byte: mandatory prefix, REX, opcode. REX
// must come last of the prefixes.
func (c code) head(b *[instMax]byte, n int, rex uint8) int {
	if p := c & prefixes; p != 0 {
		b[n] = prefixByte[p>>8]
		n++
	}
	if rex |= uint8(c>>9) & 8; rex != 0 {
		b[n] = 0x40 | rex
		n++
	}
	if m := c & maps; m != 0 {
		b[n] = 0x0F
		n++
		if m != m0F {
			b[n] = 0x38 | uint8(m>>10)&1<<1
			n++
		}
	}
	b[n] = byte(c)
	return n + 1
}

// byteREX asks for an empty REX prefix where r would otherwise be ah, ch, dh or bh.
func byteREX(c, flag code, r Reg) uint8 {
	if c&flag != 0 && r&^3 == 4 {
		return 0x40
	}
	return 0
}

// regs writes an instruction with two registers, or a register and a digit.
func (a *Asm) regs(c code, reg, rm Reg) bool {
	if c == 0 || c&memOnly != 0 || !suits(reg, c, rx) || !suits(rm, c, mx) {
		return false
	}
	b := a.room()
	rex := uint8(reg&8)>>1 | uint8(rm&8)>>3
	if c&(byteReg|byteRM) != 0 {
		rex |= byteREX(c, byteReg, reg) | byteREX(c, byteRM, rm)
	}
	if c&plusR != 0 {
		a.N += (c + code(rm&7)).head(b, 0, rex)
		return true
	}
	n := c.head(b, 0, rex)
	b[n] = 0xC0 | uint8(reg&7)<<3 | uint8(rm&7)
	a.N += n + 1
	return true
}

// mem writes an instruction with a memory operand; tail is the number of immediate
// bytes that will follow.
func (a *Asm) mem(c code, reg Reg, m *Mem, tail uint8) bool {
	at, ok := m.encode()
	if c == 0 || c&regOnly != 0 || !suits(reg, c, rx) || !ok {
		return false
	}
	b := a.room()
	n := m.prefix(b)
	rex := uint8(reg&8)>>1 | at.rex
	if c&byteReg != 0 {
		rex |= byteREX(c, byteReg, reg)
	}
	n = c.head(b, n, rex)
	a.address(b, n, uint8(reg&7)<<3, at, m, tail)
	return true
}

// vexRegs and vexMem write VEX forms; v is the register in vvvv, 0 if it is unused.
func (a *Asm) vexRegs(c code, reg, v, rm Reg) bool {
	if c == 0 || c&memOnly != 0 || !suits(reg, c, rx) || !suits(rm, c, mx) {
		return false
	}
	b := a.room()
	n := c.vexHead(b, 0, uint8(reg&8)>>1|uint8(rm&8)>>3, v)
	b[n] = 0xC0 | uint8(reg&7)<<3 | uint8(rm&7)
	a.N += n + 1
	return true
}

func (a *Asm) vexMem(c code, reg, v Reg, m *Mem, tail uint8) bool {
	at, ok := m.encode()
	if c == 0 || c&regOnly != 0 || !suits(reg, c, rx) || !ok {
		return false
	}
	b := a.room()
	n := c.vexHead(b, m.prefix(b), uint8(reg&8)>>1|at.rex, v)
	a.address(b, n, uint8(reg&7)<<3, at, m, tail)
	return true
}

// vexHead writes the VEX prefix, of two bytes where they can say everything, and
// the opcode (Intel SDM, volume 2, section 2.3.5).
func (c code) vexHead(b *[instMax]byte, n int, rex uint8, v Reg) int {
	last := uint8(^v&15)<<3 | uint8(c>>11)&4 | uint8(c>>8)&3
	if rex&3 == 0 && c&w1 == 0 && c&maps == m0F {
		b[n] = 0xC5
		b[n+1] = ^rex<<5&0x80 | last
		b[n+2] = byte(c)
		return n + 3
	}
	b[n] = 0xC4
	b[n+1] = ^rex<<5 | uint8(c>>10)&3
	b[n+2] = uint8(c>>5)&0x80 | last
	b[n+3] = byte(c)
	return n + 4
}

// address is a memory operand encoded. There is a SIB byte if the low bits of ModRM say so.
type address struct {
	modrm, sib, rex uint8
	disp            uint8 // bytes of displacement: 0, 1, 4
}

// encode chooses the shortest encoding of m (Intel SDM, volume 2, section 2.1.5):
// without a base, or with rbp or r13 as base, there is always a displacement; with
// rsp or r12 as base there is always a SIB byte; rsp is never an index.
func (m *Mem) encode() (at address, ok bool) {
	base, scale := m.Base, m.Scale
	if m.Const != 0 {
		return address{modrm: 5, disp: 4}, scale == 0
	}
	if base == NoReg && scale == 1 && m.Index != NoReg {
		base, scale = m.Index, 0
	}
	index := uint8(4) // none
	if scale != 0 {
		if m.Index > R15 || m.Index == RSP || scale > 8 || scale&(scale-1) != 0 {
			return at, false
		}
		index = uint8(m.Index)
		at.rex = index & 8 >> 2
		at.sib = uint8(bits.TrailingZeros8(scale)) << 6
	}
	at.sib |= index & 7 << 3
	if base == NoReg {
		at.modrm, at.disp = 4, 4
		at.sib |= 5
		return at, true
	}
	if base > R15 {
		return at, false
	}
	at.rex |= uint8(base) >> 3
	switch low := uint8(base & 7); {
	case scale != 0 || low == 4:
		at.modrm = 4
		at.sib |= low
	default:
		at.modrm = low
	}
	switch {
	case m.Disp == 0 && base&7 != 5:
	case m.Disp == int32(int8(m.Disp)):
		at.modrm |= 0x40
		at.disp = 1
	default:
		at.modrm |= 0x80
		at.disp = 4
	}
	return at, true
}

// prefix writes the prefixes that m asks for.
func (m *Mem) prefix(b *[instMax]byte) (n int) {
	if m.GS {
		b[n] = 0x65
		n++
	}
	if m.Addr32 {
		b[n] = 0x67
		n++
	}
	return n
}

// address writes ModRM, SIB and displacement and ends the instruction.
func (a *Asm) address(b *[instMax]byte, n int, reg uint8, at address, m *Mem, tail uint8) {
	b[n] = at.modrm | reg
	n++
	if at.modrm&7 == 4 {
		b[n] = at.sib
		n++
	}
	if at.disp == 1 {
		b[n] = byte(m.Disp)
		a.N += n + 1
		return
	}
	a.N += n
	switch {
	case m.Const != 0:
		a.Reference(classRelative+tail, m.Const, uint32(m.Disp))
	case at.disp == 4:
		binary.LittleEndian.PutUint32(b[n:], uint32(m.Disp))
		a.N += 4
	}
}

// immediate appends the low n bytes of v to the instruction just written.
func (a *Asm) immediate(v int64, n uint8) {
	b := a.room()
	binary.LittleEndian.PutUint64(b[:], uint64(v))
	a.N += int(n)
}
