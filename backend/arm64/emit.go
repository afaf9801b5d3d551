package arm64

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

	compared compared
	slot     slotAccess
}

// slotAccess is the last access to the stack, which one right behind it may join in a pair.
type slotAccess struct {
	place uint64 // behind it
	op    MemOp
	size  uint8
	r     Reg
	disp  int32
}

// compared is the comparison made last, for choices that follow one another by the same.
type compared struct {
	place uint64 // where nothing came behind it but a choice; 0 if there is none
	aux   uint32
	size  uint8
	n, m  Reg
	imm   int64
	disp  int32
}

// vectorEmittersSet says that setVectorEmitters was called.
var vectorEmittersSet sync.Once

var emitters = sync.Pool{New: func() any { return new(emitter) }}

// linkSize is what the return address takes of the stack, which is aligned to it.
const linkSize = 16

var emitTraits = emit.Traits{Name: "arm64", LoopAlign: 16, FrameAlign: 16, Link: linkSize, Leaf: true}

// emitCode assembles m with its allocation r into c.
func emitCode(cfg *backend.Config, m *backend.Func, r *regalloc.Result, c *backend.Code) error {
	vectorEmittersSet.Do(setVectorEmitters)
	e := emitters.Get().(*emitter)
	e.compared.place, e.slot.place = 0, 0
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

// SlowPath would assemble what an instruction does out of line: none does but trap.
func (e *emitter) SlowPath(t template, _ Label) { e.Fail("template %d has no slow path", t) }

// Prologue makes the frame. The store finds the end of the stack.
func (e *emitter) Prologue() {
	if e.IsLeaf {
		return
	}
	e.a.Mem(STR, 8, regLink, Pre(SP, -linkSize))
	e.moveStack(SUB)
}

func (e *emitter) epilogue() {
	if e.IsLeaf {
		return
	}
	e.moveStack(ADD)
	e.a.Mem(LDR, 8, regLink, Post(SP, linkSize))
}

// moveStack adds the frame's size to the stack pointer or subtracts it: in two steps of 12 bits each, below maxFrame.
func (e *emitter) moveStack(op Op) {
	const step = 1 << 12
	for _, n := range [...]int64{int64(e.Frame) &^ (step - 1), int64(e.Frame) & (step - 1)} {
		for ; n > 0; n -= min(n, step*(step-1)) {
			e.a.RRI(op, 8, SP, SP, min(n, step*(step-1)))
		}
	}
}

// Stop is the instruction that traps.
func (e *emitter) Stop() { e.a.UDF(0) }

// trapIf traps if c holds.
func (e *emitter) trapIf(c Cond, t abi.Trap) { e.TrapIf(uint8(c), t) }

// offset is [base, #disp], with the displacement in a register if it is too large.
func (e *emitter) offset(size uint8, base Reg, disp int32, scratch Reg) Mem {
	if FitsDisp(size, disp) {
		return At(base, disp)
	}
	e.a.MovImm(8, scratch, int64(disp))
	return AtIndex(base, scratch, ExtUXTX, 0)
}

// memory is the memory operand of the instruction's form, whose registers are operand k and following, for an access of some
// bytes. The access that comes next may trap if it is in a linear memory: that is noted here. The scratch register may be
// part of it.
func (e *emitter) memory(k int, bytes uint8) Mem {
	in := e.In
	f := formOf(in)
	m := e.operandAt(f, k, bytes)
	if f.isGuest() {
		e.a.Trap(abi.TrapMemoryOutOfBounds, in.Pos)
	}
	return m
}

func (e *emitter) operandAt(f form, k int, bytes uint8) Mem {
	in := e.In
	switch f {
	case formGuest:
		return e.guest(e.Reg(k), Ext(extOf(in)), uint32(in.Disp), bytes)
	case formGuestAbs:
		return e.offset(bytes, regMemBase, in.Disp, regScratch)
	case formAddr, formBase:
		return e.offset(bytes, e.Reg(k), in.Disp, regScratch)
	case formCtx:
		return e.offset(bytes, regCtx, in.Disp, regScratch)
	case formBaseIndex:
		return AtIndex(e.Reg(k), e.Reg(k+1), Ext(extOf(in)), 3)
	case formOut:
		return e.offset(bytes, SP, in.Disp, regScratch)
	case formIn:
		return e.offset(bytes, SP, e.Incoming+in.Disp, regScratch)
	}
	e.Fail("instruction %d: form %d is no memory operand", e.At, f)
	return At(SP, 0)
}

// guest is memory base + index + disp.
func (e *emitter) guest(index Reg, ext Ext, disp uint32, bytes uint8) Mem {
	a := &e.a
	switch {
	case disp == 0:
		return AtIndex(regMemBase, index, ext, 0)
	case disp < 1<<31 && FitsDisp(bytes, int32(disp)):
		a.RRRExt(ADD, 8, regScratch, regMemBase, index, ext, 0)
		return At(regScratch, int32(disp))
	}
	a.MovImm(8, regScratch, int64(disp))
	a.RRRExt(ADD, 8, regScratch, regScratch, index, ext, 0)
	return AtIndex(regMemBase, regScratch, ExtUXTX, 0)
}

// stackMove loads or stores a register of a class at a location on the stack.
func (e *emitter) stackMove(op MemOp, c regalloc.Class, r Reg, l regalloc.Loc, scratch Reg) {
	size := uint8(8)
	if c == regalloc.ClassVec {
		size = 16
	}
	e.slotMem(op, size, r, e.StackOffset(l), scratch)
}

// slotMem loads or stores a register at a place of the stack.
func (e *emitter) slotMem(op MemOp, size uint8, r Reg, disp int32, scratch Reg) {
	a, last := &e.a, e.slot
	low, t, u := last.disp, last.r, r
	if disp < low {
		low, t, u = disp, r, last.r
	}
	pairs := last.place == a.Place() && last.op == op && last.size == size && (t >= V0 && t < ZR) == (u >= V0 && u < ZR) &&
		max(disp, last.disp)-low == int32(size) && FitsPair(size, low) && (op == STR || t != u)
	if pairs {
		a.N -= instSize
		pair := STP
		if op == LDR {
			pair = LDP
		}
		a.Pair(pair, size, t, u, At(SP, low))
		e.slot.place = 0
		return
	}
	a.Mem(op, size, r, e.offset(size, SP, disp, scratch))
	e.slot = slotAccess{a.Place(), op, size, r, disp}
}

// Move carries out a move. The flags hold nothing here. Whoever has slots has a frame, and so a second scratch register.
func (e *emitter) Move(m *regalloc.Move) {
	a := &e.a
	through := regScratch
	if m.Class != regalloc.ClassInt {
		through = regScratchV
	}
	switch {
	case m.Swap:
		a.Mov(8, regScratch, Reg(m.Dst.N))
		a.Mov(8, Reg(m.Dst.N), Reg(m.Src.N))
		a.Mov(8, Reg(m.Src.N), regScratch)
	case m.Dst.Kind == regalloc.LocReg && m.Src.Kind == regalloc.LocReg:
		size := uint8(8)
		if m.Class == regalloc.ClassVec {
			size = 16
		}
		a.Mov(size, Reg(m.Dst.N), Reg(m.Src.N))
	case m.Dst.Kind == regalloc.LocReg && m.Src.Kind == regalloc.LocRemat:
		e.constant(Reg(m.Dst.N), regalloc.VReg(m.Src.N))
	case m.Dst.Kind == regalloc.LocReg:
		e.stackMove(LDR, m.Class, Reg(m.Dst.N), m.Src, regScratch)
	case m.Src.Kind == regalloc.LocReg:
		e.stackMove(STR, m.Class, Reg(m.Src.N), m.Dst, regScratch)
	case m.Src.Kind == regalloc.LocRemat && m.Class == regalloc.ClassInt && e.M.Remat[m.Src.N] == 0:
		e.stackMove(STR, m.Class, ZR, m.Dst, regLink)
	case m.Src.Kind == regalloc.LocRemat:
		e.constant(through, regalloc.VReg(m.Src.N))
		e.stackMove(STR, m.Class, through, m.Dst, regLink)
	default:
		e.stackMove(LDR, m.Class, through, m.Src, regLink)
		e.stackMove(STR, m.Class, through, m.Dst, regLink)
	}
}

// constant makes the constant of a virtual register in r. The flags hold nothing here.
func (e *emitter) constant(r Reg, v regalloc.VReg) {
	bits := e.M.Remat[v]
	switch e.M.RA.VRegs[v].Class {
	case regalloc.ClassVec:
		lo, hi := emit.VectorBits(e.M.SSA, bits)
		if !e.a.VecImm(r, lo, hi) {
			e.a.Mem(LDR, 16, r, AtConst(e.a.Const128(lo, hi)))
		}
	case regalloc.ClassFloat:
		e.floatConstant(r, uint64(bits))
	default:
		size := uint8(8)
		if uint64(bits)>>32 == 0 {
			size = 4 // the rest is zeroed
		}
		e.a.MovImm(size, r, bits)
	}
}

// floatConstant makes a float of any size: an F32's upper half is 0.
func (e *emitter) floatConstant(r Reg, bits uint64) {
	a := &e.a
	size := uint8(8)
	if bits>>32 == 0 {
		size = 4 // the rest is zeroed
	}
	switch {
	case a.FMovImm(size, r, bits):
	case MovImmLen(size, int64(bits)) == 1:
		a.MovImm(size, regScratch, int64(bits))
		a.Mov(size, r, regScratch)
	case size == 4:
		a.Mem(LDR, 4, r, AtConst(a.Const32(uint32(bits))))
	default:
		a.Mem(LDR, 8, r, AtConst(a.Const64(bits)))
	}
}
