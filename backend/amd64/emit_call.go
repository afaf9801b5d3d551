package amd64

import (
	"github.com/wasmaot/wasmaot/compiler/abi"
)

func (e *emitter) emitCall() {
	e.a.Call(uint32(e.In.Imm))
	e.a.CallSite(e.In.Pos)
}

func (e *emitter) emitCallOwn() {
	e.a.RM(LEA, 8, regCallee, At(regCtx, e.In.Disp))
	e.callCallee(true)
}

func (e *emitter) emitCallDesc() {
	a, in := &e.a, e.In
	local := in.Aux&auxLocal != 0
	if local {
		a.RM(MOV, 8, regCallee, At(regCtx, abi.CtxBuiltins))
		a.RM(MOV, 8, regCallee, At(regCallee, in.Disp))
	} else {
		a.RM(MOV, 8, regCallee, At(regCtx, in.Disp))
	}
	if local {
		e.storePinned() // the stub loads it again
	}
	e.callCallee(local)
}

// emitPinned and emitPin move the pinned global between its register and others.
func (e *emitter) emitPinned() { e.a.RR(MOV, 4, e.Reg(0), regPinned) }
func (e *emitter) emitPin()    { e.a.RR(MOV, 4, regPinned, e.Reg(0)) }

// storePinned stores the pinned global in its cell, if there is one.
func (e *emitter) storePinned() {
	if cell, ok := e.PinnedCell(); ok {
		e.a.MR(MOV, 4, At(regCtx, cell), regPinned)
	}
}

// emitCallTable calls element rax of a table. If the processor guesses wrong that the index is in bounds, it
// becomes 0.
func (e *emitter) emitCallTable() {
	a, in := &e.a, e.In
	base := e.memory(1)
	base.Disp += abi.TableRecBase - abi.TableRecLen
	e.compareLength(regCallee, 1)
	e.trapIf(CondAE, abi.TrapUndefinedElement)
	a.RR(SBB, 8, regScratch, regScratch) // all ones if below
	a.RR(AND, 8, regCallee, regScratch)
	a.RM(MOV, 8, regScratch, base)
	a.RM(MOV, 8, regCallee, AtIndex(regScratch, regCallee, 8, 0))
	a.RR(TEST, 8, regCallee, regCallee)
	e.trapIf(CondE, abi.TrapUninitializedElement)
	if in.Aux&auxSameSig == 0 {
		a.RM(MOV, 4, regScratch, At(regCtx, int32(in.Imm>>32)))
		a.MR(CMP, 4, At(regCallee, abi.FuncDescTypeID), regScratch)
		e.trapIf(CondNE, abi.TrapIndirectCallType)
	}
	e.callCallee(in.Aux&auxLocal != 0)
}

// callCallee calls the FuncDesc in the callee register, with a change of the context unless
// the function is known to belong to the same instance.
func (e *emitter) callCallee(local bool) {
	a := &e.a
	if local {
		a.CallM(At(regCallee, abi.FuncDescCode))
		a.CallSite(e.In.Pos)
		return
	}
	e.storePinned()
	a.MR(MOV, 8, At(RSP, e.Context), regCtx) // here rather than on entry: most calls of most functions are direct
	a.RM(MOV, 8, regScratch, At(regCallee, abi.FuncDescCtx))
	a.RM(MOV, 8, regMemBase, At(regScratch, abi.CtxMemBase))
	a.RM(MOV, 8, regCrossing, At(regScratch, abi.CtxPinned))
	a.RM(MOV, 4, regPinned, At(regCrossing, 0))
	e.setContext()
	a.CallM(At(regCallee, abi.FuncDescCode))
	a.CallSite(e.In.Pos)
	a.RM(MOV, 8, regScratch, At(regCtx, abi.CtxPinned))
	a.MR(MOV, 4, At(regScratch, 0), regPinned)
	a.RM(MOV, 8, regScratch, At(RSP, e.Context))
	a.RM(MOV, 8, regMemBase, At(regScratch, abi.CtxMemBase))
	if cell, ok := e.PinnedCell(); ok {
		a.RM(MOV, 4, regPinned, At(regScratch, cell))
	}
	e.setContext()
}

// setContext makes the scratch register the context. The pinned global's register has the new context's already: so that the runtime knows
// whose it has if it stops the code at just this instruction, it stands nowhere else.
func (e *emitter) setContext() { e.a.RR(MOV, 8, regCtx, regScratch) }
