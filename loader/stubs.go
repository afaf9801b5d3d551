//go:build linux && (amd64 || arm64)

package loader

import (
	"fmt"
	"unsafe"

	"github.com/wasmaot/wasmaot/compiler/abi"
)

// The stubs of types are made in the terms that each instruction set's emitter has: prologue, epilogue, load, store, addTo, movImm,
// loadWord, storeWord, callAt, jumpAt, dropFrame, execFromSP, arrive, depart and leave. regSP, regExec, regReason, regScratch and regBuffer are its registers, conv its convention.

// Offsets in exec.
var (
	atGoSP     = int64(unsafe.Offsetof(exec{}.goSP))
	atGoPC     = int64(unsafe.Offsetof(exec{}.goPC))
	atNativeSP = int64(unsafe.Offsetof(exec{}.nativeSP))
	atResume   = int64(unsafe.Offsetof(exec{}.resume))
	atDesc     = int64(unsafe.Offsetof(exec{}.desc))
	atVmctx    = int64(unsafe.Offsetof(exec{}.vmctx))
	atBuffer   = int64(unsafe.Offsetof(exec{}.buffer))
	atRegs     = int64(unsafe.Offsetof(exec{}.regs))
	atPC       = int64(unsafe.Offsetof(exec{}.pc))
	atVectors  = int64(unsafe.Offsetof(exec{}.vectors))
)

// emitEntry appends the stub through which Go's enter and run call functions of a type: regExec has the exec, the convention's register for it the FuncDesc,
// regBuffer the slots. It changes to the native stack, loads the parameters from the slots, calls, stores the results in exec.buffer, since the slots may have
// moved with Go's stack, and changes back.
func emitEntry(code []byte, sig *abi.Signature) ([]byte, error) {
	params, in := conv.Params(sig.Params)
	results, out := conv.Results(sig.Results)
	frame := int64(max(in, out)) // a multiple of 16, as the exec's address
	e := &emitter{code: code}
	e.arrive()
	e.addTo(regSP, regExec, -frame)
	forEachSlot(params, func(p abi.Place, at int64) {
		if p.Reg < 0 {
			e.copySlots(p.Type, regBuffer, at, regSP, int64(p.Slot))
		}
	})
	forEachSlot(params, func(p abi.Place, at int64) {
		if p.Reg >= 0 {
			e.load(p.Type, uint8(p.Reg), regBuffer, at)
		}
	})
	e.loadWord(conv.Context, conv.Callee, abi.FuncDescCtx)
	e.loadWord(conv.MemBase, conv.Context, abi.CtxMemBase)
	e.loadPinned()
	e.callAt(conv.Callee, abi.FuncDescCode)
	e.loadWord(regScratch, conv.Context, abi.CtxPinned)
	e.mem(storePinned, conv.Pinned, regScratch, 0)
	e.addTo(regExec, regSP, frame)
	if len(results) > 0 {
		e.loadWord(regBuffer, regExec, atBuffer)
	}
	forEachSlot(results, func(p abi.Place, at int64) {
		if p.Reg >= 0 {
			e.store(p.Type, uint8(p.Reg), regBuffer, at)
		}
	})
	forEachSlot(results, func(p abi.Place, at int64) {
		if p.Reg < 0 {
			e.copySlots(p.Type, regSP, int64(p.Slot), regBuffer, at)
		}
	})
	e.depart()
	return e.code, checkStub(sig, frame)
}

// emitExit appends the stub through which native code calls Go functions of a type: it stores the parameters in a slot
// buffer in its frame, leaves for Go, and loads the results from there.
func emitExit(code []byte, sig *abi.Signature) ([]byte, error) {
	params, _ := conv.Params(sig.Params)
	results, _ := conv.Results(sig.Results)
	const buffer = exitSaved
	frame := exitFrame(sig.SlotCount())
	outgoing := frame + linkSize
	e := &emitter{code: code}
	e.prologue(frame)
	e.storeWord(conv.Context, regSP, 0) // early and lowest: finds the stack's end, if it is near, before anything happened
	e.storeWord(conv.MemBase, regSP, 8)
	forEachSlot(params, func(p abi.Place, at int64) {
		if p.Reg >= 0 {
			e.store(p.Type, uint8(p.Reg), regSP, buffer+at)
		} else {
			e.copySlots(p.Type, regSP, outgoing+int64(p.Slot), regSP, buffer+at)
		}
	})
	e.execFromSP()
	e.storeWord(conv.Callee, regExec, atDesc)
	e.storeWord(conv.Context, regExec, atVmctx)
	e.leave(reasonHost)
	forEachSlot(results, func(p abi.Place, at int64) {
		if p.Reg < 0 {
			e.copySlots(p.Type, regSP, buffer+at, regSP, outgoing+int64(p.Slot))
		}
	})
	forEachSlot(results, func(p abi.Place, at int64) {
		if p.Reg >= 0 {
			e.load(p.Type, uint8(p.Reg), regSP, buffer+at)
		}
	})
	e.loadWord(conv.Context, regSP, 0)
	e.loadWord(conv.MemBase, regSP, 8)
	e.loadPinned()
	e.epilogue(frame)
	return e.code, checkStub(sig, frame)
}

// emitDemand appends the stub through which native code calls functions that are not compiled yet, see demand: it stores what travels in registers, whatever the
// function's type is, leaves for Go, loads it again and jumps to the function.
func emitDemand(code []byte) []byte {
	params, _ := conv.Params(registerParams(conv))
	e := &emitter{code: code}
	// The caller belongs to the same instance, for all that is known. Before the stack's end may be found: see settlePinned.
	e.loadWord(regScratch, conv.Context, abi.CtxPinned)
	e.mem(storePinned, conv.Pinned, regScratch, 0)
	e.prologue(demandFrame())
	e.storeWord(conv.Context, regSP, 0) // early and lowest, as in exit stubs
	e.storeWord(conv.MemBase, regSP, 8)
	e.storeWord(conv.Callee, regSP, 16)
	forEachSlot(params, func(p abi.Place, at int64) { e.store(p.Type, uint8(p.Reg), regSP, demandSaved+at) })
	e.execFromSP()
	e.storeWord(conv.Callee, regExec, atDesc)
	e.storeWord(conv.Context, regExec, atVmctx)
	e.leave(reasonDemand)
	forEachSlot(params, func(p abi.Place, at int64) { e.load(p.Type, uint8(p.Reg), regSP, demandSaved+at) })
	e.loadWord(conv.Context, regSP, 0)
	e.loadWord(conv.MemBase, regSP, 8)
	e.loadWord(conv.Callee, regSP, 16)
	e.loadPinned()
	e.dropFrame(demandFrame())
	e.jumpAt(conv.Callee, abi.FuncDescCode)
	return e.code
}

// demandSaved is the room for context, memory base and descriptor in that stub's frame, below the parameters.
const demandSaved = 32

// demandFrame is the size of the frame.
func demandFrame() int64 {
	return frameFor(demandSaved + 8*int64(slotCount(registerParams(conv))))
}

// loadPinned loads what the context's code has as its pinned global. After a call for Go it may have changed.
func (e *emitter) loadPinned() {
	e.loadWord(regScratch, conv.Context, abi.CtxPinned)
	e.load(abi.I32, conv.Pinned, regScratch, 0)
}

// settlePinned stores the pinned global of the code that was stopped for good in its cell. Stubs run when it is there already, and so do instructions
// that set the context: the register holds the new one's.
func (e *exec) settlePinned() {
	t, off := textAt(e.pc)
	if t == nil || setsContext(t.bytes()[off:]) {
		return
	}
	cell := *(*uint64)(pointer(e.regs[conv.Context] + abi.CtxPinned))
	*(*uint32)(pointer(cell)) = uint32(e.regs[conv.Pinned])
}

// exitSaved is the room for context and memory base in an exit stub's frame, below the slots.
const exitSaved = 16

// exitSlots is where the slots of the host call in progress are.
func (e *exec) exitSlots() uint64 { return e.nativeSP + exitSaved }

// hostReturn is where it returns to.
func (s *nativeStack) hostReturn() site {
	return s.returnAt(s.e.nativeSP + exitFrameOf(s.e.desc))
}

// exitFrame is the size of an exit stub's frame.
func exitFrame(slots int) int64 { return frameFor(exitSaved + 8*int64(slots)) }

// frameFor is the size of a frame with room for n bytes that, with the link above it, keeps the stack aligned to 16 bytes.
func frameFor(n int64) int64 { return (n+linkSize+15)&^15 - linkSize }

// exitFrameOf is that of the stub through which the descriptor of a host function, or of one that is not compiled, is called.
func exitFrameOf(desc uint64) uint64 {
	f := (*Func)(pointer((*funcDesc)(pointer(desc)).host))
	if f == nil {
		return uint64(demandFrame())
	}
	return uint64(exitFrame(f.typ.slots))
}

// checkStub refuses frames that could pass over the guard.
func checkStub(sig *abi.Signature, frame int64) error {
	if frame > 1<<20 {
		return fmt.Errorf("function type with %d parameters and %d results: its stub's frame of %d bytes is too large", len(sig.Params), len(sig.Results), frame)
	}
	return nil
}

// forEachSlot calls f with each place and its offset in bytes in the slot buffer.
func forEachSlot(places []abi.Place, f func(p abi.Place, at int64)) {
	at := int64(0)
	for _, p := range places {
		f(p, at)
		at += 8 * int64(p.Type.Slots())
	}
}

// align makes room up to where the next stub begins, and returns its offset.
func (e *emitter) align() uint64 {
	for len(e.code)%16 != 0 {
		e.code = append(e.code, padding)
	}
	return uint64(len(e.code))
}

// copySlots copies a value of the type. 32-bit values are zero-extended.
func (e *emitter) copySlots(t abi.Type, from gpr, fromAt int64, to gpr, toAt int64) {
	word := abi.I64
	if t.Size() == 4 {
		word = abi.I32
	}
	for i := range int64(t.Slots()) {
		e.load(word, regScratch, from, fromAt+8*i)
		e.store(abi.I64, regScratch, to, toAt+8*i)
	}
}
