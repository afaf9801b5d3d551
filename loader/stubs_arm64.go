//go:build linux

package loader

import (
	"encoding/binary"
	"unsafe"

	"github.com/wasmaot/wasmaot/compiler/abi"
)

var conv = &abi.ARM64

// Guest code never uses x16 and x17, so that restore may, nor x18 and x28, which are the system's and Go's.
const (
	regSP      = rSP
	regExec    = 9
	regReason  = 0
	regScratch = 17
	regBuffer  = 10
)

// storePinned stores 32 bits.
var storePinned = strW

// padding, as an instruction, traps.
const padding = 0

var (
	atSP    = int64(unsafe.Offsetof(exec{}.sp))
	atState = int64(unsafe.Offsetof(exec{}.pstate))
)

// switchCode is the code that changes stacks, with the offsets of its entry points. While it runs the stack pointer may be
// either stack's: the signal handler keeps away from it.
func switchCode() (code []byte, at switchStubs) {
	e := &emitter{code: make([]byte, 0, codeRoom)}

	// again: called as an entry stub is. Goes on with a guest that has left for Go. x9 = exec.
	at.again = e.align()
	e.arrive()
	e.loadWord(11, regExec, atResume)
	e.reg(br, 0, 11, 0)

	// trap: where the signal handler sends a guest after a fault. The registers are saved.
	at.trap = e.align()
	e.execFromSP()
	e.movImm(regReason, reasonTrap)
	e.toGo()

	// preempt: where the signal handler sends a guest that is to yield. The general registers and flags are saved.
	at.preempt = e.align()
	e.execFromSP()
	e.vectors(stpQ)
	e.reg(mrsFPCR, 11, 0, 0)
	e.reg(mrsFPSR, 12, 0, 0)
	e.storeWord(11, vectorBase, vectorsSize)
	e.storeWord(12, vectorBase, vectorsSize+8)
	e.movImm(regReason, reasonPreempt)
	e.toGo()

	// restore: jumped to by Go's enter to go on after preempt. x9 = exec, which x17 takes over.
	at.restore = e.align()
	e.vectors(ldpQ)
	e.loadWord(11, vectorBase, vectorsSize)
	e.loadWord(12, vectorBase, vectorsSize+8)
	e.reg(msrFPCR, 11, 0, 0)
	e.reg(msrFPSR, 12, 0, 0)
	e.addTo(17, regExec, 0)
	e.loadWord(16, 17, atState)
	e.reg(msrNZCV, 16, 0, 0)
	e.loadWord(16, 17, atSP)
	e.addTo(rSP, 16, 0)
	for r := gpr(0); r <= rLink; r++ {
		switch r {
		case 16, 17, 18, 28:
		default:
			e.loadWord(r, 17, atRegs+8*int64(r))
		}
	}
	e.loadWord(16, 17, atPC)
	e.reg(br, 0, 16, 0)
	e.align()
	return e.code, at
}

// execFromSP sets x9 to the exec of the native stack that the stack pointer points into.
func (e *emitter) execFromSP() {
	e.addTo(regExec, rSP, 0)
	e.bits(andBits, regExec, regExec, windowBits, 64-windowBits)
	e.bits(orrBits, regExec, regExec, execBits, windowBits-execBits)
}

const (
	windowBits = 30
	execBits   = 13
)

var _ = [1]struct{}{}[windowSize-1<<windowBits+execSize-1<<execBits]

// goStack sets the stack pointer to Go's. x10 is lost.
func (e *emitter) goStack() {
	e.loadWord(10, regExec, atGoSP)
	e.addTo(rSP, 10, 0)
}

// toGo goes to Go's enter. x0 = reason, x9 = exec.
func (e *emitter) toGo() {
	e.goStack()
	e.loadWord(10, regExec, atGoPC)
	e.reg(br, 0, 10, 0)
}

// leave leaves a stub for Go's enter, which comes back to the instruction behind by a jump, with x9 = exec.
func (e *emitter) leave(reason uint32) {
	at := len(e.code)
	e.word(0) // adr x10, behind
	e.storeWord(10, regExec, atResume)
	e.addTo(10, rSP, 0)
	e.storeWord(10, regExec, atNativeSP)
	e.movImm(regReason, reason)
	e.toGo()
	binary.LittleEndian.PutUint32(e.code[at:], adr|uint32(len(e.code)-at)>>2<<5|10)
	e.loadWord(10, regExec, atNativeSP)
	e.addTo(rSP, 10, 0)
}

// arrive begins an entry stub.
func (e *emitter) arrive() { e.storeWord(rLink, regExec, atGoPC) }

// depart ends it.
func (e *emitter) depart() {
	e.goStack()
	e.loadWord(rLink, regExec, atGoPC)
	e.movImm(regReason, reasonDone)
	e.word(ret)
}

const (
	vectorBase  = 10
	vectorsSize = 32 * 16
)

// vectors saves or restores the vector registers. x10 is where they are saved.
func (e *emitter) vectors(op uint32) {
	e.addTo(vectorBase, regExec, atVectors)
	for v := uint8(0); v < 32; v += 2 {
		e.reg(op|uint32(v)<<15|uint32(v+1)<<10, v, vectorBase, 0)
	}
}

// prologue makes a frame with the return address above. It is still in its register when the first store
// finds the stack's end.
func (e *emitter) prologue(frame int64) {
	e.addTo(rSP, rSP, -frame-linkSize)
	e.storeWord(rLink, rSP, frame)
}

// epilogue returns from a function with such a frame.
func (e *emitter) epilogue(frame int64) {
	e.dropFrame(frame)
	e.word(ret)
}

// dropFrame is epilogue but for returning.
func (e *emitter) dropFrame(frame int64) {
	e.loadWord(rLink, rSP, frame)
	e.addTo(rSP, rSP, frame+linkSize)
}

// jumpAt emits the jump to what [base+disp] holds.
func (e *emitter) jumpAt(base gpr, disp int64) {
	e.loadWord(rPtr, base, disp)
	e.reg(br, 0, rPtr, 0)
}

// load loads a value from [base+at] into a register of its class. 32-bit values are zero-extended.
func (e *emitter) load(t abi.Type, r uint8, base gpr, at int64) {
	a := ldrX
	switch t {
	case abi.I32:
		a = ldrW
	case abi.F32:
		a = ldrS
	case abi.F64:
		a = ldrD
	case abi.V128:
		a = ldrQ
	}
	e.mem(a, r, base, at)
}

// store stores a value from its register in the slots at [base+at]. 32-bit values are zero-extended. x17 is lost.
func (e *emitter) store(t abi.Type, r uint8, base gpr, at int64) {
	switch t {
	case abi.I32:
		e.reg(movW, r, 0, r)
		e.mem(strX, r, base, at)
	case abi.F32:
		e.reg(fmovWS, regScratch, r, 0)
		e.mem(strX, regScratch, base, at)
	case abi.F64:
		e.mem(strD, r, base, at)
	case abi.V128:
		e.mem(strQ, r, base, at)
	default:
		e.mem(strX, r, base, at)
	}
}
