package amd64

import (
	"fmt"
	"sort"
	"sync"

	"github.com/wasmaot/wasmaot/backend"
	"github.com/wasmaot/wasmaot/backend/regalloc"
	"github.com/wasmaot/wasmaot/compiler/abi"
	"github.com/wasmaot/wasmaot/compiler/ssa"
)

// emitter assembles a function with its registers.
//
// The frame from the stack pointer up: outgoing area, spill slots, the saved context register;
// then come the return address and the incoming area.
type emitter struct {
	a   Asm
	cfg *backend.Config
	m   *backend.Func
	r   *regalloc.Result

	in   *backend.Inst  // being assembled
	locs []regalloc.Loc // of its operands
	at   uint32         // its index

	frame   int32 // bytes below the return address
	slots   int32 // offset of the spill slots
	context int32 // offset of the saved context register

	block     uint32   // being assembled
	source    uint32   // where its instructions are from: itself, or a loop header that is copied to its end
	following uint32   // the block that comes next in the code
	jumps     []uint32 // by block: where its jump leads if that is all it does, else itself
	order     []uint32 // of blocks in the code
	final     []uint32 // by block: itself or, following jumps, the block to go to instead
	path      []uint32
	labels    []Label  // by block
	edgeMoves []uint32 // by edge: index of its moves in r.OnEdge + 1, 0 = none
	edgeLabel []Label  // by edge: its block of moves, 0 = none
	edges     []uint32 // edges whose blocks of moves are still to be placed
	traps     []trapJump
	slow      []slowPath
	table     []Label
}

// trapJump is a trap out of line.
type trapJump struct {
	label Label
	trap  abi.Trap
	pos   uint32
}

// slowPath is the rest of an instruction out of line, see slowPaths.
type slowPath struct {
	at          uint32 // the instruction
	label, back Label
}

var emitters = sync.Pool{New: func() any { return new(emitter) }}

// emit assembles m with its allocation r into c.
func emit(cfg *backend.Config, m *backend.Func, r *regalloc.Result, c *backend.Code) error {
	e := emitters.Get().(*emitter)
	e.cfg, e.m, e.r = cfg, m, r
	e.a.Reset()
	err := e.function()
	if err == nil {
		err = e.a.Finish(c)
	}
	c.FrameSize = uint32(e.frame)
	e.cfg, e.m, e.r, e.in, e.locs = nil, nil, nil, nil, nil
	emitters.Put(e)
	if err != nil {
		return fmt.Errorf("function %d: %w", m.SSA.Index, err)
	}
	return nil
}

// function assembles the whole function: blocks in their order, cold ones after all others, then what is out of line.
func (e *emitter) function() error {
	if err := e.layOutFrame(); err != nil {
		return err
	}
	e.slow, e.traps = e.slow[:0], e.traps[:0]
	e.prepareEdges()
	e.prologue()
	e.layOutBlocks()
	for i, b := range e.order {
		e.following = none
		if i+1 < len(e.order) {
			e.following = e.order[i+1]
		}
		e.assembleBlock(b)
	}
	e.placeEdges()
	e.outOfLine()
	return e.a.Err()
}

// layOutBlocks puts the blocks into the order in which they are assembled. The order in which registers were allocated has those cold blocks last that
// lead nowhere else. The others are taken out of the way here: a function's resuming, a stack to be enlarged.
func (e *emitter) layOutBlocks() {
	blocks := e.m.RA.Blocks
	e.order = e.order[:0]
	for _, cold := range [...]bool{false, true} {
		for i := range blocks {
			if (i > 0 && blocks[i].Cold && !e.cfg.InOrder) == cold && e.final[i] == uint32(i) {
				e.order = append(e.order, uint32(i))
			}
		}
	}
}

func (e *emitter) assembleBlock(i uint32) {
	e.block, e.source = i, i
	b := &e.m.RA.Blocks[i]
	e.startBlock(b)
	before := e.movesFrom(b.Start)
	for at := b.Start; at < b.End; at++ {
		if len(before) > 0 && before[0].At == at {
			e.moves(&before[0])
			before = before[1:]
		}
		if at+1 == b.End && b.SuccEnd-b.SuccStart == 1 {
			e.movesOnEdge(b.SuccStart)
		}
		e.inst(at)
	}
}

// movesFrom gives the moves before instruction at and those that follow.
func (e *emitter) movesFrom(at uint32) []regalloc.MoveList {
	before := e.r.Before
	return before[sort.Search(len(before), func(i int) bool { return before[i].At >= at }):]
}

func (e *emitter) inst(at uint32) {
	e.at = at
	e.in = &e.m.Insts[at]
	ri := &e.m.RA.Insts[at]
	e.locs = e.r.Locs[ri.OpStart:ri.OpEnd]
	t := template(e.in.Op)
	if t >= templateEnd || templates[t] == nil {
		e.a.fail("instruction %d: %d is not a known template", at, t)
		return
	}
	templates[t](e)
}

// layOutFrame sizes the frame. The stack pointer is a multiple of 8: nothing wants more, and so most
// functions need no frame at all.
func (e *emitter) layOutFrame() error {
	m := e.m
	size := int64(m.OutArg) + int64(e.r.FrameSize)
	if m.SavesContext {
		size += 8
	}
	if size > maxFrame {
		return fmt.Errorf("amd64: frame of %d bytes: expected at most %d", size, maxFrame)
	}
	e.frame = int32(size)
	e.slots = int32(m.OutArg)
	e.context = e.slots + int32(e.r.FrameSize)
	return nil
}

// maxFrame is the size of the largest frame: less than that of the guard below native stacks, so
// that nothing needs to be probed. No function body within the limits has that many values.
const maxFrame = 32 << 20

func (e *emitter) prologue() {
	if e.frame > 0 {
		e.a.RI(SUB, 8, RSP, int64(e.frame))
	}
}

func (e *emitter) epilogue() {
	if e.frame > 0 {
		e.a.RI(ADD, 8, RSP, int64(e.frame))
	}
}

// reg is the register of operand k.
func (e *emitter) reg(k int) Reg {
	l := e.locs[k]
	if l.Kind != regalloc.LocReg {
		e.a.fail("instruction %d: operand %d: expected a register, found %v", e.at, k, l)
		return regScratch
	}
	return Reg(l.N)
}

// stack is the memory operand of a location on the stack.
func (e *emitter) stack(l regalloc.Loc) Mem {
	if l.Kind == regalloc.LocIncoming {
		return At(RSP, e.frame+8+int32(l.N))
	}
	return At(RSP, e.slots+int32(l.N))
}

// operand is the instruction's last operand, whose registers are operand k and following:
// a register or memory.
func (e *emitter) operand(k int) (r Reg, m Mem, isMem bool) {
	if formOf(e.in) != formReg {
		return 0, e.memory(k), true
	}
	return e.place(k)
}

// place is where operand k is.
func (e *emitter) place(k int) (r Reg, m Mem, isMem bool) {
	switch l := e.locs[k]; l.Kind {
	case regalloc.LocSlot, regalloc.LocIncoming:
		return 0, e.stack(l), true
	}
	return e.reg(k), Mem{}, false
}

// memory is the memory operand of the instruction's form. The access that follows may trap if
// it is in a linear memory: that is noted here.
func (e *emitter) memory(k int) Mem {
	in := e.in
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
			return AtConst(e.a.Const128(vectorBits(e.m.SSA, in.Imm)))
		}
		return AtConst(e.a.Const64(uint64(in.Imm)))
	case formGuest:
		return AtIndex(regMemBase, e.reg(k), 1, in.Disp)
	case formGuestAbs:
		return At(regMemBase, in.Disp)
	case formAddr, formBase:
		return At(e.reg(k), in.Disp)
	case formCtx:
		return At(regCtx, in.Disp)
	case formBaseIndex:
		return AtIndex(e.reg(k), e.reg(k+1), scaleOf(in), in.Disp)
	case formIndex:
		return AtIndex(NoReg, e.reg(k), scaleOf(in), in.Disp)
	case formOut:
		return At(RSP, in.Disp)
	case formIn:
		return At(RSP, e.frame+8+in.Disp)
	}
	e.a.fail("instruction %d: form %d is no memory operand", e.at, f)
	return Mem{}
}

// trapIf traps if c holds.
func (e *emitter) trapIf(c Cond, t abi.Trap) {
	l := e.a.NewLabel()
	e.a.Jcc(c, l)
	e.traps = append(e.traps, trapJump{l, t, e.in.Pos})
}

// slowAround goes on out of line if c holds; what is to be done there is in slowPaths. It comes back
// to the label, which is yet to be bound.
func (e *emitter) slowAround(c Cond) (back Label) {
	s := slowPath{e.at, e.a.NewLabel(), e.a.NewLabel()}
	e.a.Jcc(c, s.label)
	e.slow = append(e.slow, s)
	return s.back
}

// slowIf is slowAround that comes back to here.
func (e *emitter) slowIf(c Cond) { e.a.Bind(e.slowAround(c)) }

// outOfLine assembles what is not on the straight way.
func (e *emitter) outOfLine() {
	a := &e.a
	for i := 0; i < len(e.slow); i++ {
		s := e.slow[i]
		e.at = s.at
		e.in = &e.m.Insts[s.at]
		ri := &e.m.RA.Insts[s.at]
		e.locs = e.r.Locs[ri.OpStart:ri.OpEnd]
		a.Bind(s.label)
		slowPaths[e.in.Op](e, s.back)
	}
	for _, t := range e.traps {
		a.Bind(t.label)
		a.Trap(t.trap, t.pos)
		a.Bare(UD2)
	}
}

// moves carries out a list of moves.
func (e *emitter) moves(list *regalloc.MoveList) {
	for i := list.Start; i < list.End; i++ {
		e.move(&e.r.Moves[i])
	}
}

// move carries out one. The flags hold nothing here.
func (e *emitter) move(m *regalloc.Move) {
	a := &e.a
	op, size, scratch := moveOps(m.Class)
	switch {
	case m.Swap:
		a.RR(XCHG, 8, Reg(m.Dst.N), Reg(m.Src.N))
	case m.Dst.Kind == regalloc.LocReg && m.Src.Kind == regalloc.LocReg:
		if m.Dst.N != m.Src.N {
			if op == MOVUPS {
				op = MOVAPS
			}
			a.RR(op, size, Reg(m.Dst.N), Reg(m.Src.N))
		}
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
	bits := e.m.Remat[v]
	switch e.m.RA.VRegs[v].Class {
	case regalloc.ClassVec:
		lo, hi := vectorBits(e.m.SSA, bits)
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
	bits := e.m.Remat[v]
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

func vectorBits(f *ssa.Func, i int64) (lo, hi uint64) {
	v := &f.Vecs[i]
	for k := 7; k >= 0; k-- {
		lo, hi = lo<<8|uint64(v[k]), hi<<8|uint64(v[k+8])
	}
	return lo, hi
}
