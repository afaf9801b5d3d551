package amd64

import (
	"sync"

	"github.com/wasmaot/wasmaot/backend"
	"github.com/wasmaot/wasmaot/backend/emit"
	"github.com/wasmaot/wasmaot/backend/regalloc"
	"github.com/wasmaot/wasmaot/compiler/abi"
)

// emitter assembles a function with its registers.
type emitter struct {
	emit.Emitter
	a Asm
}

// vectorEmittersSet says that setVectorEmitters was called.
var vectorEmittersSet sync.Once

var emitters = sync.Pool{New: func() any { return new(emitter) }}

// loopAlign is where loops begin: one fetch of the processor's.
const loopAlign = 16

// The stack pointer is a multiple of 8: nothing wants more, and so most functions need no frame at all.
var emitTraits = emit.Traits{Name: "amd64", LoopAlign: loopAlign, FrameAlign: 8, Link: 8}

// emitCode assembles m with its allocation r into c.
func emitCode(cfg *backend.Config, m *backend.Func, r *regalloc.Result, c *backend.Code) error {
	vectorEmittersSet.Do(setVectorEmitters)
	e := emitters.Get().(*emitter)
	err := e.Run(e, &emitTraits, &e.a, cfg, m, r, c)
	emitters.Put(e)
	return err
}

// Instruction assembles the current instruction.
func (e *emitter) Instruction(t template) bool {
	if t >= templateEnd || templates[t] == nil {
		return false
	}
	templates[t](e)
	return true
}

// SlowPath assembles what an instruction does out of line.
func (e *emitter) SlowPath(t template, back Label) { slowPaths[t](e, back) }

// Prologue makes the frame.
func (e *emitter) Prologue() {
	if e.Frame > 0 {
		e.a.RI(SUB, 8, RSP, int64(e.Frame))
	}
}

func (e *emitter) epilogue() {
	if e.Frame > 0 {
		e.a.RI(ADD, 8, RSP, int64(e.Frame))
	}
}

// Stop is the instruction that traps.
func (e *emitter) Stop() { e.a.Bare(UD2) }

// trapIf traps if c holds.
func (e *emitter) trapIf(c Cond, t abi.Trap) { e.TrapIf(uint8(c), t) }

// slowAround goes on out of line if c holds, see emit.Emitter.SlowAround.
func (e *emitter) slowAround(c Cond) (back Label) { return e.SlowAround(uint8(c)) }

// slowIf goes on out of line if c holds, and then here.
func (e *emitter) slowIf(c Cond) { e.SlowIf(uint8(c)) }

// stack is the memory operand of a location on the stack.
func (e *emitter) stack(l regalloc.Loc) Mem { return At(RSP, e.StackOffset(l)) }

// operand is the instruction's last operand, whose registers are operand k and following:
// a register or memory.
func (e *emitter) operand(k int) (r Reg, m Mem, isMem bool) {
	if formOf(e.In) != formReg {
		return 0, e.memory(k), true
	}
	return e.place(k)
}

// place is where operand k is.
func (e *emitter) place(k int) (r Reg, m Mem, isMem bool) {
	switch l := e.Locs[k]; l.Kind {
	case regalloc.LocSlot, regalloc.LocIncoming:
		return 0, e.stack(l), true
	}
	return e.Reg(k), Mem{}, false
}

// memory is the memory operand of the instruction's form. The access that follows may trap if
// it is in a linear memory: that is noted here.
func (e *emitter) memory(k int) Mem {
	in := e.In
	f := formOf(in)
	if f.isGuest() {
		e.a.Trap(abi.TrapMemoryOutOfBounds, in.Pos)
	}
	switch f {
	case formConst:
		switch in.Size {
		case 4:
			return AtConst(e.a.Const32(uint32(in.Imm)))
		case 16:
			return AtConst(e.a.Const128(emit.VectorBits(e.M.SSA, in.Imm)))
		}
		return AtConst(e.a.Const64(uint64(in.Imm)))
	case formGuest:
		return AtIndex(regMemBase, e.Reg(k), 1, in.Disp)
	case formGuestAbs:
		return At(regMemBase, in.Disp)
	case formAddr, formBase:
		return At(e.Reg(k), in.Disp)
	case formCtx:
		return At(regCtx, in.Disp)
	case formBaseIndex:
		return AtIndex(e.Reg(k), e.Reg(k+1), scaleOf(in), in.Disp)
	case formIndex:
		return AtIndex(NoReg, e.Reg(k), scaleOf(in), in.Disp)
	case formOut:
		return At(RSP, in.Disp)
	case formIn:
		return At(RSP, e.Incoming+in.Disp)
	}
	e.a.Fail("instruction %d: form %d is no memory operand", e.At, f)
	return Mem{}
}

// Move carries out a move. The flags hold nothing here.
func (e *emitter) Move(m *regalloc.Move) {
	a := &e.a
	op, size, scratch := moveOps(m.Class)
	switch {
	case m.Swap:
		a.RR(XCHG, 8, Reg(m.Dst.N), Reg(m.Src.N))
	case m.Dst.Kind == regalloc.LocReg && m.Src.Kind == regalloc.LocReg:
		if op == MOVUPS {
			op = MOVAPS
		}
		a.RR(op, size, Reg(m.Dst.N), Reg(m.Src.N))
	case m.Dst.Kind == regalloc.LocReg && m.Src.Kind == regalloc.LocRemat:
		e.constant(Reg(m.Dst.N), regalloc.VReg(m.Src.N))
	case m.Dst.Kind == regalloc.LocReg:
		a.RM(op, size, Reg(m.Dst.N), e.stack(m.Src))
	case m.Src.Kind == regalloc.LocReg:
		a.MR(op, size, e.stack(m.Dst), Reg(m.Src.N))
	case m.Src.Kind == regalloc.LocRemat:
		e.constantToSlot(m)
	default:
		a.RM(op, size, scratch, e.stack(m.Src))
		a.MR(op, size, e.stack(m.Dst), scratch)
	}
}

// moveOps is how values of a class are moved, whole.
func moveOps(c regalloc.Class) (op Op, size uint8, scratch Reg) {
	switch c {
	case regalloc.ClassFloat:
		return MOVF, 8, regScratchX
	case regalloc.ClassVec:
		return MOVUPS, 16, regScratchX
	}
	return MOV, 8, regScratch
}

// constant makes the constant of a virtual register in r. The flags hold nothing here.
func (e *emitter) constant(r Reg, v regalloc.VReg) {
	a := &e.a
	bits := e.M.Remat[v]
	switch e.M.RA.VRegs[v].Class {
	case regalloc.ClassVec:
		lo, hi := emit.VectorBits(e.M.SSA, bits)
		a.RM(MOVUPS, 16, r, AtConst(a.Const128(lo, hi)))
	case regalloc.ClassFloat:
		switch {
		case bits == 0:
			a.RR(XORPS, 16, r, r)
		case uint64(bits)>>32 == 0: // the rest of the register is zeroed
			a.RM(MOVF, 4, r, AtConst(a.Const32(uint32(bits))))
		default:
			a.RM(MOVF, 8, r, AtConst(a.Const64(uint64(bits))))
		}
	default:
		if bits == 0 {
			a.RR(XOR, 4, r, r)
		} else {
			a.RI(MOV, 8, r, bits)
		}
	}
}

func (e *emitter) constantToSlot(m *regalloc.Move) {
	v := regalloc.VReg(m.Src.N)
	bits := e.M.Remat[v]
	switch {
	case m.Class == regalloc.ClassVec:
		e.constant(regScratchX, v)
		e.a.MR(MOVUPS, 16, e.stack(m.Dst), regScratchX)
	case bits == int64(int32(bits)):
		e.a.MI(MOV, 8, e.stack(m.Dst), bits)
	default:
		e.a.RI(MOV, 8, regScratch, bits)
		e.a.MR(MOV, 8, e.stack(m.Dst), regScratch)
	}
}
