//go:build linux

package loader

import (
	"fmt"
	"unsafe"

	"golang.org/x/sys/cpu"

	"github.com/wasmaot/wasmaot/compiler/abi"
)

// Offsets in exec.
var (
	atGoSP     = int64(unsafe.Offsetof(exec{}.goSP))
	atGoBP     = int64(unsafe.Offsetof(exec{}.goBP))
	atGoPC     = int64(unsafe.Offsetof(exec{}.goPC))
	atNativeSP = int64(unsafe.Offsetof(exec{}.nativeSP))
	atLeave    = int64(unsafe.Offsetof(exec{}.leave))
	atDesc     = int64(unsafe.Offsetof(exec{}.desc))
	atVmctx    = int64(unsafe.Offsetof(exec{}.vmctx))
	atSlots    = int64(unsafe.Offsetof(exec{}.slots))
	atFrame    = int64(unsafe.Offsetof(exec{}.frame))
	atRegs     = int64(unsafe.Offsetof(exec{}.regs))
	atPC       = int64(unsafe.Offsetof(exec{}.pc))
	atCS       = int64(unsafe.Offsetof(exec{}.cs))
	atSS       = int64(unsafe.Offsetof(exec{}.ss))
	atXsave    = int64(unsafe.Offsetof(exec{}.xsave))
)

// switchCode is the code that changes stacks, with the offsets of its entry points. While it runs the stack pointer may be
// either stack's: the signal handler keeps away from it.
func switchCode() (code []byte, at switchStubs) {
	e := &emitter{}
	here := func() uint64 {
		for len(e.code)%16 != 0 {
			e.code = append(e.code, 0xcc)
		}
		return uint64(len(e.code))
	}

	// enter: called by Go's enter. rbx = exec, rsi = slot buffer, rdx = the type's entry stub, rax = FuncDesc.
	at.enter = here()
	e.one(popMem, rbx, atGoPC)
	e.reg(movLoad, rsp, rsi)
	e.callReg(rdx)
	e.execFromSP()
	e.mem(movLoad, rsp, rbx, atGoSP)
	e.mem(movLoad, rbp, rbx, atGoBP)
	e.one(pushMem, rbx, atGoPC)
	e.movImm(rax, reasonDone)
	e.raw(ret)

	// leave: called by exit stubs on the native stack. rbx = exec, eax = reason.
	at.leave = here()
	e.mem(movStore, rsp, rbx, atNativeSP)
	e.toGo()

	// resume: jumped to by Go's enter to return from leave. rbx = exec.
	at.resume = here()
	e.mem(movLoad, rsp, rbx, atNativeSP)
	e.raw(ret)

	// trap: where the signal handler sends a guest after a fault. The registers are saved.
	at.trap = here()
	e.raw(cld)
	e.execFromSP()
	e.movImm(rax, reasonTrap)
	e.toGo()

	// preempt: where the signal handler sends a guest that is to yield. The general registers and flags are saved.
	at.preempt = here()
	e.raw(cld)
	e.execFromSP()
	e.vectors(xsave, fxsave)
	e.reg(movSeg, 1, rcx) // cs
	e.mem(movStore, rcx, rbx, atCS)
	e.reg(movSeg, 2, rcx) // ss
	e.mem(movStore, rcx, rbx, atSS)
	e.movImm(rax, reasonPreempt)
	e.toGo()

	// restore: jumped to by Go's enter to go on after preempt. rbx = exec. IRETQ takes instruction pointer, flags and
	// stack pointer from the exec: nothing on the guest's stack is touched.
	at.restore = here()
	e.vectors(xrstor, fxrstor)
	for r := rax; r <= r15; r++ {
		if r != rbx && r != rsp {
			e.mem(movLoad, r, rbx, atRegs+8*int64(r))
		}
	}
	e.mem(lea, rsp, rbx, atPC)
	e.mem(movLoad, rbx, rbx, atRegs+8*int64(rbx))
	e.raw(iretq)
	return e.code, at
}

// execFromSP sets rbx to the exec of the native stack that rsp points into.
func (e *emitter) execFromSP() {
	e.reg(movLoad, rbx, rsp)
	e.imm(andImm, rbx, -windowSize)
	e.mem(lea, rbx, rbx, windowSize-execSize)
}

// toGo goes to Go's enter. eax = reason, rbx = exec.
func (e *emitter) toGo() {
	e.mem(movLoad, rsp, rbx, atGoSP)
	e.mem(movLoad, rbp, rbx, atGoBP)
	e.one(jmpMem, rbx, atGoPC)
}

// vectors saves or restores all vector state that code may use.
func (e *emitter) vectors(extended, basic form) {
	// XCR0's bits: 1 SSE, 2 AVX, 5–7 AVX-512.
	mask := uint32(1 << 1)
	if cpu.X86.HasAVX {
		mask |= 1 << 2
	}
	if cpu.X86.HasAVX512F {
		mask |= 7 << 5
	}
	if !cpu.X86.HasOSXSAVE {
		e.one(basic, rbx, atXsave)
		return
	}
	e.movImm(rax, mask)
	e.movImm(rdx, 0)
	e.one(extended, rbx, atXsave)
}

// emitEntry makes the stub through which Go calls functions of a type: it loads the parameters from the slot buffer right above its return
// address, calls the FuncDesc in rax, and stores the results there.
func emitEntry(sig *abi.Signature) ([]byte, error) {
	conv := &abi.AMD64
	params, in := conv.Params(sig.Params)
	results, out := conv.Results(sig.Results)
	// Odd, so that the guest's frames are aligned to 16 bytes.
	frame := int64(max(in, out)) + 8
	buffer := frame + 8
	e := &emitter{}
	e.imm(subImm, rsp, frame)
	forEachSlot(params, func(p abi.Place, at int64) {
		if p.Reg < 0 {
			e.copySlots(p.Type, buffer+at, int64(p.Slot))
		}
	})
	forEachSlot(params, func(p abi.Place, at int64) {
		if p.Reg >= 0 {
			e.loadReg(p, buffer+at)
		}
	})
	e.mem(movLoad, conv.Context, conv.Callee, abi.FuncDescCtx)
	e.mem(movLoad, conv.MemBase, conv.Context, abi.CtxMemBase)
	e.one(callMem, conv.Callee, abi.FuncDescCode)
	forEachSlot(results, func(p abi.Place, at int64) {
		if p.Reg >= 0 {
			e.storeReg(p, buffer+at)
		}
	})
	forEachSlot(results, func(p abi.Place, at int64) {
		if p.Reg < 0 {
			e.copySlots(p.Type, int64(p.Slot), buffer+at)
		}
	})
	e.imm(addImm, rsp, frame)
	e.raw(ret)
	return e.code, checkStub(sig, frame)
}

// emitExit makes the stub through which native code calls Go functions of a type: it stores the parameters in a slot
// buffer in its frame, leaves for Go, and loads the results from there.
func emitExit(sig *abi.Signature) ([]byte, error) {
	conv := &abi.AMD64
	params, _ := conv.Params(sig.Params)
	results, _ := conv.Results(sig.Results)
	const buffer = 16
	frame := exitFrame(sig.SlotCount())
	outgoing := frame + 8
	e := &emitter{}
	e.imm(subImm, rsp, frame)
	e.mem(movStore, conv.Context, rsp, 0) // first and lowest: finds the stack's end, if it is near, before anything happened
	e.mem(movStore, conv.MemBase, rsp, 8)
	forEachSlot(params, func(p abi.Place, at int64) {
		if p.Reg >= 0 {
			e.storeReg(p, buffer+at)
		} else {
			e.copySlots(p.Type, outgoing+int64(p.Slot), buffer+at)
		}
	})
	e.execFromSP()
	e.mem(movStore, conv.Callee, rbx, atDesc)
	e.mem(movStore, conv.Context, rbx, atVmctx)
	e.mem(lea, r10, rsp, buffer)
	e.mem(movStore, r10, rbx, atSlots)
	e.mem(lea, r10, rsp, frame)
	e.mem(movStore, r10, rbx, atFrame)
	e.movImm(rax, reasonHost)
	e.one(callMem, rbx, atLeave)
	forEachSlot(results, func(p abi.Place, at int64) {
		if p.Reg < 0 {
			e.copySlots(p.Type, buffer+at, outgoing+int64(p.Slot))
		}
	})
	forEachSlot(results, func(p abi.Place, at int64) {
		if p.Reg >= 0 {
			e.loadReg(p, buffer+at)
		}
	})
	e.mem(movLoad, conv.Context, rsp, 0)
	e.mem(movLoad, conv.MemBase, rsp, 8)
	e.imm(addImm, rsp, frame)
	e.raw(ret)
	return e.code, checkStub(sig, frame)
}

// exitFrame is the size of an exit stub's frame: context, memory base, slots; odd, because the return address aligns it.
func exitFrame(slots int) int64 { return 16 + 8*(int64(slots)|1) }

// exitReturn is the place of the return address of an exit stub that found the stack's end. That happens where it first stores
// something, the descriptor still being in its register, and where it calls leave.
func (e *exec) exitReturn() uint64 {
	desc := e.regs[abi.AMD64.Callee]
	if desc == reasonHost {
		desc = e.desc
	}
	f := (*Func)(pointer((*funcDesc)(pointer(desc)).host))
	return e.sp + uint64(exitFrame(f.typ.slots))
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

// loadReg loads a value from [rsp+at] into its register.
func (e *emitter) loadReg(p abi.Place, at int64) {
	op := movLoad
	switch p.Type {
	case abi.F32:
		op = movss
	case abi.F64:
		op = movsd
	case abi.V128:
		op = movups
	}
	e.mem(op, uint8(p.Reg), rsp, at)
}

// storeReg stores a value from its register at [rsp+at]. 32-bit values are zero-extended. r10 is lost.
func (e *emitter) storeReg(p abi.Place, at int64) {
	r := uint8(p.Reg)
	switch p.Type {
	case abi.I32:
		e.reg(movLoad32, r, r)
		e.mem(movStore, r, rsp, at)
	case abi.F32:
		e.reg(movdFrom, r, r10)
		e.mem(movStore, r10, rsp, at)
	case abi.F64:
		e.mem(movsdTo, r, rsp, at)
	case abi.V128:
		e.mem(movupsTo, r, rsp, at)
	default:
		e.mem(movStore, r, rsp, at)
	}
}

// copySlots copies a value of the type between [rsp+from] and [rsp+to]. 32-bit values are zero-extended. r10 is lost.
func (e *emitter) copySlots(t abi.Type, from, to int64) {
	op := movLoad
	if t.Size() == 4 {
		op = movLoad32
	}
	for i := range int64(t.Slots()) {
		e.mem(op, r10, rsp, from+8*i)
		e.mem(movStore, r10, rsp, to+8*i)
	}
}
