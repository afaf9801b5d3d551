//go:build linux

package loader

import (
	"encoding/binary"

	"github.com/wasmaot/wasmaot/compiler/abi"
)

// testScratch is a register that neither parameters nor the stubs' emitter need.
const testScratch = 15

// loadForms and storeForms move values between registers and memory.
var (
	loadForms  = map[abi.Type]access{i32: ldrW, f32: ldrS, f64: ldrD, v128: ldrQ, i64: ldrX, abi.ExternRef: ldrX}
	storeForms = map[abi.Type]access{i32: {0xb9000000, 2}, f32: {0xbd000000, 2}, f64: strD, v128: strQ, i64: strX, abi.ExternRef: strX}
)

// frameSize is what an artifact says of a function with such a frame.
func frameSize(frame uint32) uint32 {
	if frame == 0 {
		return abi.FrameLeaf
	}
	return frame
}

func (g *guest) enterFunc(frame int64) {
	if frame != 0 {
		g.word(pushLink)
		g.addTo(rSP, rSP, -frame)
	}
}

func (g *guest) leaveFunc(frame int64) {
	if frame != 0 {
		g.addTo(rSP, rSP, frame)
		g.word(popLink)
	}
	g.word(ret)
}

// callText calls the code at an offset of the text.
func (g *guest) callText(off uint32) { g.branch(0x94000000, int(off)) } // bl

// jump goes to an offset of the text.
func (g *guest) jump(to int) { g.branch(0x14000000, to) } // b

func (g *guest) branch(op uint32, to int) {
	g.word(op | uint32((to-len(g.code))/4)&(1<<26-1))
}

// ifNot0 does body if the register is not zero.
func (g *guest) ifNot0(r gpr, body func()) {
	at := len(g.code)
	g.word(0)
	body()
	binary.LittleEndian.PutUint32(g.code[at:], 0xb4000000|uint32(len(g.code)-at)/4<<5|uint32(r)) // cbz
}

func (g *guest) undefined() { g.word(0) } // udf

func (g *guest) add32(d, a, b gpr) { g.reg(0x0b000000, d, a, b) }

// div32 divides the first parameter by the second. The machine's division does not trap.
func (g *guest) div32() {
	g.reg(movW, param1, 0, param1)
	divide := func() {
		g.reg(0x1ac00c00, result0, param0, param1) // sdiv w
		g.word(ret)
	}
	g.ifNot0(param1, divide)
	g.raise(abi.TrapDivideByZero)
}

// loadAt loads the 32-bit word of memory 0 at an index.
func (g *guest) loadAt(d, index gpr) {
	g.trap(abi.TrapMemoryOutOfBounds)
	g.reg(0xb8604800, d, conv.MemBase, index) // ldr w, [x26, w, uxtw]
}

// codeAddress gives an address in the text.
func (g *guest) codeAddress(d gpr) { g.reg(0x10000000, d, 0, 0) } // adr d, .

// registersFunc is a loop that computes with all general and vector registers and the flags until x0 rounds are over,
// and counts in x1 how often something was not as it must be. Guests have no use for x16-x18 and x28.
func (g *guest) registersFunc() {
	g.fn("registers", sig(types(i32), types(i32)), 8, func() {
		const status = 0x08000009 // of FPSR
		var regs []gpr
		for r := gpr(3); r <= rLink; r++ {
			if r < 16 || r > 18 && r != 28 {
				regs = append(regs, r)
			}
		}
		g.storeWord(27, rSP, 0)
		g.storeWord(26, rSP, 8)
		g.reg(movW, 0, 0, 0)
		g.movImm(1, 0)
		g.movImm(2, status)
		g.reg(msrFPSR, 2, 0, 0)
		for _, r := range regs {
			g.movImm(r, uint32(r)*0x01010101)
		}
		of := func(v uint8) gpr { return regs[int(v)%len(regs)] }
		for v := uint8(0); v < 32; v++ {
			g.reg(0x4e080c00, v, of(v), 0) // dup v.2d, x
		}
		loop := len(g.code)
		expect := func(r gpr) {
			g.reg(0xeb00001f, 0, 2, r) // cmp x2, r
			g.word(0x9a810421)         // cinc x1, x1, ne
		}
		for _, r := range regs {
			g.movImm(2, uint32(r)*0x01010101)
			expect(r)
		}
		for v := uint8(0); v < 32; v++ {
			g.reg(0x4e083c00, 2, v, 0) // umov x2, v.d[0]
			expect(of(v))
			g.reg(0x4e183c00, 2, v, 0) // umov x2, v.d[1]
			expect(of(v))
		}
		g.addTo(0, 0, -1)
		g.ifNot0(0, func() { g.jump(loop) })
		g.reg(mrsFPSR, 0, 0, 0)
		g.movImm(2, status)
		expect(0)
		g.addTo(0, 1, 0)
		g.loadWord(27, rSP, 0)
		g.loadWord(26, rSP, 8)
	})
}
