//go:build linux

package loader

import "encoding/binary"

// A small emitter for the stubs: the few instruction forms they need, as a table.

// gpr is a register number.
type gpr = uint8

const (
	rax gpr = iota
	rcx
	rdx
	rbx
	rsp
	rbp
	rsi
	rdi
	r8
	r9
	r10
	r11
	r12
	r13
	r14
	r15
)

// form is an instruction with a ModRM byte (Intel's manual, volume 2): mandatory prefix, REX.W, opcode. digit is the
// opcode's extension in ModRM.reg where the instruction has one.
type form struct {
	prefix byte
	wide   bool
	opcode []byte
	digit  uint8
}

var (
	movLoad   = form{wide: true, opcode: []byte{0x8b}}                 // mov r64, r/m64
	movLoad32 = form{opcode: []byte{0x8b}}                             // mov r32, r/m32
	movStore  = form{wide: true, opcode: []byte{0x89}}                 // mov r/m64, r64
	movTo32   = form{opcode: []byte{0x89}}                             // mov r/m32, r32
	lea       = form{wide: true, opcode: []byte{0x8d}}                 // lea r64, m
	movups    = form{opcode: []byte{0x0f, 0x10}}                       // movups x, m128
	movupsTo  = form{opcode: []byte{0x0f, 0x11}}                       // movups m128, x
	movss     = form{prefix: 0xf3, opcode: []byte{0x0f, 0x10}}         // movss x, m32
	movsd     = form{prefix: 0xf2, opcode: []byte{0x0f, 0x10}}         // movsd x, m64
	movsdTo   = form{prefix: 0xf2, opcode: []byte{0x0f, 0x11}}         // movsd m64, x
	movdFrom  = form{prefix: 0x66, opcode: []byte{0x0f, 0x7e}}         // movd r/m32, x
	movSeg    = form{wide: true, opcode: []byte{0x8c}}                 // mov r64, Sreg
	callMem   = form{opcode: []byte{0xff}, digit: 2}                   // call m64
	jmpMem    = form{opcode: []byte{0xff}, digit: 4}                   // jmp m64
	popMem    = form{opcode: []byte{0x8f}, digit: 0}                   // pop m64
	addImm    = form{wide: true, opcode: []byte{0x81}, digit: 0}       // add r/m64, imm32
	andImm    = form{wide: true, opcode: []byte{0x81}, digit: 4}       // and r/m64, imm32
	subImm    = form{wide: true, opcode: []byte{0x81}, digit: 5}       // sub r/m64, imm32
	fxsave    = form{wide: true, opcode: []byte{0x0f, 0xae}, digit: 0} // fxsave64 m
	fxrstor   = form{wide: true, opcode: []byte{0x0f, 0xae}, digit: 1} // fxrstor64 m
	xsave     = form{wide: true, opcode: []byte{0x0f, 0xae}, digit: 4} // xsave64 m
	xrstor    = form{wide: true, opcode: []byte{0x0f, 0xae}, digit: 5} // xrstor64 m
)

// Instructions without operands.
var (
	ret   = []byte{0xc3}
	cld   = []byte{0xfc}
	iretq = []byte{0x48, 0xcf}
)

// emitter collects machine code.
type emitter struct{ code []byte }

func (e *emitter) raw(b []byte) { e.code = append(e.code, b...) }

func (e *emitter) prefix(f *form, reg, rm uint8) {
	if f.prefix != 0 {
		e.code = append(e.code, f.prefix)
	}
	rex := byte(0x40) | reg>>3<<2 | rm>>3
	if f.wide {
		rex |= 8
	}
	if rex != 0x40 {
		e.code = append(e.code, rex)
	}
	e.code = append(e.code, f.opcode...)
}

// mem emits f with the operands reg and [base+disp].
func (e *emitter) mem(f form, reg uint8, base gpr, disp int64) {
	e.prefix(&f, reg, base)
	modrm := reg&7<<3 | base&7
	short := disp == int64(int8(disp))
	if short {
		modrm |= 0x40
	} else {
		modrm |= 0x80
	}
	e.code = append(e.code, modrm)
	if base&7 == rsp {
		e.code = append(e.code, 0x24) // SIB: no index
	}
	if short {
		e.code = append(e.code, byte(disp))
	} else {
		e.imm32(disp)
	}
}

// one emits f, which has an extended opcode, with the operand [base+disp].
func (e *emitter) one(f form, base gpr, disp int64) { e.mem(f, f.digit, base, disp) }

// reg emits f with the operands reg and rm, both registers.
func (e *emitter) reg(f form, reg, rm uint8) {
	e.prefix(&f, reg, rm)
	e.code = append(e.code, 0xc0|reg&7<<3|rm&7)
}

// imm emits f with the operands rm and v.
func (e *emitter) imm(f form, rm gpr, v int64) {
	e.reg(f, f.digit, rm)
	e.imm32(v)
}

// movImm emits mov r32, v for one of the low eight registers.
func (e *emitter) movImm(r gpr, v uint32) {
	e.code = append(e.code, 0xb8|r)
	e.imm32(int64(v))
}

// loadWord emits mov r, [base+disp].
func (e *emitter) loadWord(r, base gpr, disp int64) { e.mem(movLoad, r, base, disp) }

// storeWord emits mov [base+disp], r.
func (e *emitter) storeWord(r, base gpr, disp int64) { e.mem(movStore, r, base, disp) }

// addTo emits lea r, [base+disp].
func (e *emitter) addTo(r, base gpr, disp int64) { e.mem(lea, r, base, disp) }

// callAt emits call [base+disp].
func (e *emitter) callAt(base gpr, disp int64) { e.one(callMem, base, disp) }

// callReg emits call through a register.
func (e *emitter) callReg(r gpr) { e.reg(callMem, callMem.digit, r) }

func (e *emitter) imm32(v int64) { e.code = binary.LittleEndian.AppendUint32(e.code, uint32(v)) }
