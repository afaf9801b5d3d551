package arm64

import (
	"github.com/wasmaot/wasmaot/compiler/abi"
)

func (e *emitter) emitCall() {
	e.a.BL(uint32(e.In.Imm))
	e.a.CallSite(e.In.Pos)
}

func (e *emitter) emitCallOwn() {
	e.addImm(regCallee, regCtx, int64(e.In.Disp))
	e.callCallee(true)
}

func (e *emitter) emitCallDesc() {
	a, in := &e.a, e.In
	local := in.Aux&auxLocal != 0
	base := regCtx
	if local {
		a.Mem(LDR, 8, regCallee, At(regCtx, abi.CtxBuiltins))
		base = regCallee
	}
	a.Mem(LDR, 8, regCallee, e.offset(8, base, in.Disp, regScratch))
	if local {
		// The stub loads it again. The callee's address is in a register already.
		e.storePinned(regLink)
	}
	e.callCallee(local)
}

// emitPinned and emitPin move the pinned global between its register and others.
func (e *emitter) emitPinned() { e.a.Mov(4, e.Reg(0), regPinned) }
func (e *emitter) emitPin()    { e.a.Mov(4, regPinned, e.Reg(0)) }

// storePinned stores the pinned global in its cell, if there is one.
func (e *emitter) storePinned(scratch Reg) {
	if cell, ok := e.PinnedCell(); ok {
		e.a.Mem(STR, 4, regPinned, e.offset(4, regCtx, cell, scratch))
	}
}

// emitCallTable calls element x8 of a table. If the processor guesses wrong that the index is in bounds, it
// becomes 0.
func (e *emitter) emitCallTable() {
	a, in := &e.a, e.In
	e.maskIndex(regCallee, regCallee, 1, abi.TrapUndefinedElement)
	in.Disp += abi.TableRecBase - abi.TableRecLen
	a.Mem(LDR, 8, regScratch, e.memory(1, 8))
	in.Disp -= abi.TableRecBase - abi.TableRecLen
	a.Mem(LDR, 8, regCallee, AtIndex(regScratch, regCallee, ExtUXTX, 3))
	a.CBZ(8, regCallee, e.TrapLabel(abi.TrapUninitializedElement))
	if in.Aux&auxSameSig == 0 {
		// The link register will be overwritten by the call.
		a.Mem(LDR, 4, regScratch, e.offset(4, regCtx, int32(in.Imm>>32), regScratch))
		a.Mem(LDR, 4, regLink, At(regCallee, abi.FuncDescTypeID))
		a.RRR(SUBS, 4, ZR, regScratch, regLink)
		e.trapIf(CondNE, abi.TrapIndirectCallType)
	}
	e.callCallee(in.Aux&auxLocal != 0)
}

// callCallee calls the FuncDesc in the callee register, with a change of the context unless
// the function is known to belong to the same instance. The link register, which the call overwrites, is free.
func (e *emitter) callCallee(local bool) {
	a := &e.a
	if local {
		a.Mem(LDR, 8, regScratch, At(regCallee, abi.FuncDescCode))
		a.BLR(regScratch)
		a.CallSite(e.In.Pos)
		return
	}
	e.storePinned(regScratch)
	a.Mem(STR, 8, regCtx, e.offset(8, SP, e.Context, regScratch)) // here rather than on entry: most calls of most functions are direct
	a.Mem(LDR, 8, regScratch, At(regCallee, abi.FuncDescCtx))
	a.Mem(LDR, 8, regMemBase, At(regScratch, abi.CtxMemBase))
	a.Mem(LDR, 8, regLink, At(regScratch, abi.CtxPinned))
	a.Mem(LDR, 4, regPinned, At(regLink, 0))
	e.setContext()
	a.Mem(LDR, 8, regScratch, At(regCallee, abi.FuncDescCode))
	a.BLR(regScratch)
	a.CallSite(e.In.Pos)
	a.Mem(LDR, 8, regScratch, At(regCtx, abi.CtxPinned))
	a.Mem(STR, 4, regPinned, At(regScratch, 0))
	a.Mem(LDR, 8, regScratch, e.offset(8, SP, e.Context, regScratch))
	a.Mem(LDR, 8, regMemBase, At(regScratch, abi.CtxMemBase))
	if cell, ok := e.PinnedCell(); ok {
		a.Mem(LDR, 4, regPinned, e.offset(4, regScratch, cell, regLink))
	}
	e.setContext()
}

// setContext makes the scratch register the context. The pinned global's register has the new context's already: so that the runtime knows
// whose it has if it stops the code at just this instruction, it stands nowhere else.
func (e *emitter) setContext() { e.a.Mov(8, regCtx, regScratch) }
