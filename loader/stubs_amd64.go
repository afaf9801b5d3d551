//go:build linux

package loader

import (
	"encoding/binary"
	"unsafe"

	"github.com/wasmaot/wasmaot/compiler/abi"
	"github.com/wasmaot/wasmaot/compiler/cpu"
)

var conv = &abi.AMD64

const (
	regSP      = rsp
	regExec    = rbx
	regReason  = rax
	regScratch = r10
	regBuffer  = r11
)

// storePinned stores 32 bits.
var storePinned = movTo32

// padding, as an instruction, traps.
const padding = 0xcc

var (
	atCS = int64(unsafe.Offsetof(exec{}.cs))
	atSS = int64(unsafe.Offsetof(exec{}.ss))
)

// switchCode is the code that changes stacks, with the offsets of its entry points. While it runs the stack pointer may be
// either stack's: the signal handler keeps away from it.
func switchCode() (code []byte, at switchStubs) {
	e := &emitter{code: make([]byte, 0, codeRoom)}

	// again: called as an entry stub is. Goes on with a guest that has left for Go. rbx = exec.
	at.again = e.align()
	e.arrive()
	e.one(jmpMem, rbx, atResume)

	// trap: where the signal handler sends a guest after a fault. The registers are saved.
	at.trap = e.align()
	e.raw(cld)
	e.execFromSP()
	e.movImm(rax, reasonTrap)
	e.toGo()

	// preempt: where the signal handler sends a guest that is to yield. The general registers and flags are saved.
	at.preempt = e.align()
	e.raw(cld)
	e.execFromSP()
	e.vectors(xsave, fxsave)
	e.reg(movSeg, 1, rcx) // cs
	e.storeWord(rcx, rbx, atCS)
	e.reg(movSeg, 2, rcx) // ss
	e.storeWord(rcx, rbx, atSS)
	e.movImm(rax, reasonPreempt)
	e.toGo()

	// restore: jumped to by Go's enter to go on after preempt. rbx = exec. IRETQ takes instruction pointer, flags and
	// stack pointer from the exec: nothing on the guest's stack is touched.
	at.restore = e.align()
	e.vectors(xrstor, fxrstor)
	for r := rax; r <= r15; r++ {
		if r != rbx && r != rsp {
			e.loadWord(r, rbx, atRegs+8*int64(r))
		}
	}
	e.addTo(rsp, rbx, atPC)
	e.loadWord(rbx, rbx, atRegs+8*int64(rbx))
	e.raw(iretq)
	e.align()
	return e.code, at
}

// execFromSP sets rbx to the exec of the native stack that rsp points into.
func (e *emitter) execFromSP() {
	e.reg(movLoad, rbx, rsp)
	e.imm(andImm, rbx, -windowSize)
	e.addTo(rbx, rbx, windowSize-execSize)
}

// toGo goes to Go's enter by a jump, so that the processor still expects the guest's returns and, at the end, enter's call of the entry stub. The return
// address is taken off Go's stack; enter puts it back.
//
// eax = reason, rbx = exec.
func (e *emitter) toGo() {
	e.loadWord(rsp, rbx, atGoSP)
	e.one(popMem, rbx, atGoPC)
	e.one(jmpMem, rbx, atGoPC)
}

// leave leaves a stub for Go's enter, which comes back to the instruction behind by a jump, with rbx = exec.
func (e *emitter) leave(reason uint32) {
	e.prefix(&lea, r10, 0)
	e.code = append(e.code, r10&7<<3|5) // lea r10, [rip+disp]
	at := len(e.code)
	e.imm32(0)
	e.storeWord(r10, rbx, atResume)
	e.storeWord(rsp, rbx, atNativeSP)
	e.movImm(rax, reason)
	e.toGo()
	binary.LittleEndian.PutUint32(e.code[at:], uint32(len(e.code)-at-4))
	e.loadWord(rsp, rbx, atNativeSP)
}

// arrive begins an entry stub.
func (e *emitter) arrive() { e.storeWord(rsp, rbx, atGoSP) }

// depart ends it.
func (e *emitter) depart() {
	e.loadWord(rsp, rbx, atGoSP)
	e.movImm(rax, reasonDone)
	e.raw(ret)
}

// vectors saves or restores all vector state that code may use.
func (e *emitter) vectors(extended, basic form) {
	mask := cpu.VectorState()
	if mask == 0 {
		e.one(basic, rbx, atVectors)
		return
	}
	e.movImm(rax, mask)
	e.movImm(rdx, 0)
	e.one(extended, rbx, atVectors)
}

// prologue makes a frame under the return address.
func (e *emitter) prologue(frame int64) { e.imm(subImm, rsp, frame) }

// epilogue returns from a function with such a frame.
func (e *emitter) epilogue(frame int64) {
	e.dropFrame(frame)
	e.raw(ret)
}

// dropFrame is epilogue but for returning.
func (e *emitter) dropFrame(frame int64) { e.imm(addImm, rsp, frame) }

// jumpAt emits jmp [base+disp].
func (e *emitter) jumpAt(base gpr, disp int64) { e.one(jmpMem, base, disp) }

// load loads a value from [base+at] into a register of its class. 32-bit values are zero-extended.
func (e *emitter) load(t abi.Type, r uint8, base gpr, at int64) {
	op := movLoad
	switch t {
	case abi.I32:
		op = movLoad32
	case abi.F32:
		op = movss
	case abi.F64:
		op = movsd
	case abi.V128:
		op = movups
	}
	e.mem(op, r, base, at)
}

// store stores a value from its register in the slots at [base+at]. 32-bit values are zero-extended. r10 is lost.
func (e *emitter) store(t abi.Type, r uint8, base gpr, at int64) {
	switch t {
	case abi.I32:
		e.reg(movLoad32, r, r)
		e.mem(movStore, r, base, at)
	case abi.F32:
		e.reg(movdFrom, r, r10)
		e.mem(movStore, r10, base, at)
	case abi.F64:
		e.mem(movsdTo, r, base, at)
	case abi.V128:
		e.mem(movupsTo, r, base, at)
	default:
		e.mem(movStore, r, base, at)
	}
}
