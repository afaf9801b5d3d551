//go:build linux

package loader

import (
	"golang.org/x/sys/cpu"

	"github.com/wasmaot/wasmaot/compiler/abi"
)

// testScratch is a register that neither parameters nor the stubs' emitter need.
const testScratch = r11

// loadForms and storeForms move values between registers and memory.
var (
	loadForms  = map[abi.Type]form{i32: movLoad32, f32: movss, f64: movsd, v128: movups, i64: movLoad, abi.ExternRef: movLoad}
	storeForms = map[abi.Type]form{
		i32: {opcode: []byte{0x89}},                     // mov r/m32, r32
		f32: {prefix: 0xf3, opcode: []byte{0x0f, 0x11}}, // movss m32, x
		f64: movsdTo, v128: movupsTo, i64: movStore, abi.ExternRef: movStore,
	}
)

// frameSize is what an artifact says of a function with such a frame.
func frameSize(frame uint32) uint32 { return frame }

func (g *guest) enterFunc(frame int64) {
	if frame != 0 {
		g.imm(subImm, rsp, frame)
	}
}

func (g *guest) leaveFunc(frame int64) {
	if frame != 0 {
		g.imm(addImm, rsp, frame)
	}
	g.raw(ret)
}

// callText calls the code at an offset of the text.
func (g *guest) callText(off uint32) {
	g.raw([]byte{0xe8})
	g.imm32(int64(off) - int64(len(g.code)+4))
}

// jump goes to an offset of the text.
func (g *guest) jump(to int) {
	g.raw([]byte{0xe9})
	g.imm32(int64(to - len(g.code) - 4))
}

// ifNot0 does body if the register is not zero.
func (g *guest) ifNot0(r gpr, body func()) {
	g.reg(form{wide: true, opcode: []byte{0x85}}, r, r) // test r, r
	g.raw([]byte{0x74, 0})                              // jz
	at := len(g.code)
	body()
	g.code[at-1] = byte(len(g.code) - at)
}

func (g *guest) undefined() { g.raw([]byte{0x0f, 0x0b}) } // ud2

func (g *guest) add32(d, a, b gpr) {
	g.reg(movLoad32, d, a)
	g.reg(form{opcode: []byte{0x03}}, d, b) // add r32, r/m32
}

// div32 divides the first parameter by the second.
func (g *guest) div32() {
	g.raw([]byte{0x89, 0xf8, 0x99}) // mov eax, edi; cdq
	g.trap(abi.TrapDivideByZero)
	g.raw([]byte{0xf7, 0xfe}) // idiv esi
}

// loadAt loads the 32-bit word of memory 0 at an index.
func (g *guest) loadAt(d, index gpr) {
	g.reg(movLoad32, index, index)
	g.reg(form{wide: true, opcode: []byte{0x03}}, index, conv.MemBase) // add
	g.trap(abi.TrapMemoryOutOfBounds)
	g.mem(movLoad32, d, index, 0)
}

// codeAddress gives an address in the text.
func (g *guest) codeAddress(d gpr) { g.raw([]byte{0x48, 0x8d, 0x05 | d<<3, 0, 0, 0, 0}) } // lea d, [rip]

// registersFunc is a loop that computes with all general and vector registers and the flags until edi rounds are over,
// and counts in eax how often something was not as it must be.
func (g *guest) registersFunc() {
	g.fn("registers", sig(types(i32), types(i32)), 8, func() {
		regs := []gpr{rbx, rcx, rdx, rsi, rbp, r8, r9, r10, r11, r12, r13}
		g.mem(movStore, r14, rsp, 0)
		g.raw([]byte{0x31, 0xc0}) // xor eax, eax
		for _, r := range append(regs, r14, r15) {
			g.raw([]byte{0x48 | r>>3, 0xc7, 0xc0 | r&7}) // mov r, imm32
			g.imm32(int64(r) * 0x01010101)
		}
		for x := uint8(0); x < 16; x++ {
			g.reg(form{prefix: 0x66, wide: true, opcode: []byte{0x0f, 0x6e}}, x, regs[int(x)%len(regs)]) // movq x, r
			g.reg(form{opcode: []byte{0x0f, 0x16}}, x, x)                                                // movlhps x, x
		}
		// vinsertf128 and vextractf128 for the upper halves.
		upper := func(opcode byte, x uint8, v uint8) []byte {
			return []byte{0xc4, ^(x >> 3 << 7) & 0x80, ^v&15<<3 | 5, opcode}
		}
		if cpu.X86.HasAVX {
			for x := uint8(0); x < 16; x++ {
				in := upper(0x18, x, x)
				in[1] = ^(x>>3<<7|x>>3<<5)&0xa0 | 0x43
				g.raw(append(in, 0xc0|x&7<<3|x&7, 1)) // vinsertf128 x, x, x, 1
			}
		}
		loop := len(g.code)
		failed := func() { g.raw([]byte{0x74, 0x02, 0xff, 0xc0}) } // jz +2; inc eax
		for _, r := range append(regs, r14, r15) {
			g.raw([]byte{0x48 | r>>3, 0x81, 0xf8 | r&7}) // cmp r, imm32
			g.imm32(int64(r) * 0x01010101)
			failed()
		}
		for x := uint8(0); x < 16; x++ {
			r := regs[int(x)%len(regs)]
			for _, shift := range []bool{false, true} {
				if shift { // the upper half comes down: shufps x, x, 0x4e
					g.reg(form{opcode: []byte{0x0f, 0xc6}}, x, x)
					g.raw([]byte{0x4e})
				}
				// Compare in memory below the stack pointer: movq [rsp-16], x; cmp r, [rsp-16]
				g.mem(movsdTo, x, rsp, -16)
				g.mem(form{wide: true, opcode: []byte{0x3b}}, r, rsp, -16)
				failed()
			}
		}
		for x := uint8(0); x < 16 && cpu.X86.HasAVX; x++ {
			out := upper(0x19, x, 0)
			out[1] |= 0x63
			g.raw(append(out, 0x44|x&7<<3, 0x24, 0xe0, 1)) // vextractf128 [rsp-32], x, 1
			g.mem(form{wide: true, opcode: []byte{0x3b}}, regs[int(x)%len(regs)], rsp, -24)
			failed()
		}
		// Flags: stc; jc +2; inc eax.
		g.raw([]byte{0xf9, 0x72, 0x02, 0xff, 0xc0})
		g.raw([]byte{0xff, 0xcf, 0x0f, 0x85}) // dec edi; jnz loop
		g.imm32(int64(loop - len(g.code) - 4))
		g.mem(movLoad, r14, rsp, 0)
	})
}
