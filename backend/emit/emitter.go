package emit

import (
	"fmt"
	"sort"

	"github.com/wasmaot/wasmaot/backend"
	"github.com/wasmaot/wasmaot/backend/asm"
	"github.com/wasmaot/wasmaot/backend/regalloc"
	"github.com/wasmaot/wasmaot/compiler/abi"
	"github.com/wasmaot/wasmaot/compiler/ssa"
)

// Label is a place in the code.
type Label = asm.Label

// Assembler is what emission asks of assemblers.
type Assembler interface {
	NewLabel() Label
	Bind(l Label)
	Align(n uint8)
	Trap(t abi.Trap, pos uint32)
	Err() error
	Reset()
	Finish(c *backend.Code) error
}

// Machine is what the instruction set's part of emission does. Conditions are the machine's, of which c^1 is the opposite
// of c.
type Machine interface {
	// Instruction assembles Emitter.In and reports whether its template is known.
	Instruction(t backend.Template) bool
	// SlowPath assembles the rest of Emitter.In out of line.
	SlowPath(t backend.Template, back Label)
	// Move carries out one move of the allocator's that changes something.
	Move(m *regalloc.Move)
	// Prologue makes the frame.
	Prologue()
	// Return leaves the frame and the function.
	Return()
	// Stop is the instruction that traps.
	Stop()
	// PoisonRegisters fills all registers with garbage but those that the instruction's operands are in, PoisonSlots the
	// spill slots.
	PoisonRegisters()
	PoisonSlots()
	// Jump jumps.
	Jump(l Label)
	// Compare prepares for JumpIf with the condition of Emitter.In, a comparison whose operands are k and following.
	Compare(k int)
	// JumpIf jumps if c holds.
	JumpIf(c uint8, l Label)
	// JumpIndex jumps if the index of the switch Emitter.In is i.
	JumpIndex(i uint32, l Label)
	// JumpTable jumps to the label that the index of the switch Emitter.In selects, to the last if it is beyond them.
	JumpTable(labels []Label)
	// Repeats reports whether the template is a plain instruction without labels of its own, which may be assembled twice.
	Repeats(t backend.Template) bool
}

// Traits are what of an instruction set emission needs as data.
type Traits struct {
	Name       string
	LoopAlign  uint8
	FrameAlign uint32
	Link       int32 // bytes that the return address takes
	Leaf       bool  // calls leave the return address in a register: a function without calls and frame makes none
}

// Emitter assembles a function with its registers: the part that does not depend on the instruction set, embedded in the
// one that does.
//
// The frame from the stack pointer up: outgoing area, spill slots, the saved context register; then come the return
// address and the incoming area.
type Emitter struct {
	Cfg *backend.Config
	M   *backend.Func
	R   *regalloc.Result

	In   *backend.Inst  // being assembled
	Locs []regalloc.Loc // of its operands
	At   uint32         // its index

	Frame    int32 // bytes below the return address
	Slots    int32 // offset of the spill slots
	Context  int32 // offset of the saved context register
	Incoming int32 // offset of the incoming area
	IsLeaf   bool  // there is no frame, see abi.FrameLeaf

	Block  uint32 // being assembled
	Source uint32 // where its instructions are from: itself, or a loop header that is copied to its end

	machine   Machine
	traits    *Traits
	a         Assembler
	err       error
	following uint32   // the block that comes next in the code
	jumps     []uint32 // by block: where its jump leads if that is all it does, else itself
	order     []uint32 // of blocks in the code
	final     []uint32 // by block: itself or, following jumps, the block to go to instead
	path      []uint32
	labels    []Label  // by block
	edgeMoves []uint32 // by edge: index of its moves in R.OnEdge + 1, 0 = none
	edgeLabel []Label  // by edge: its block of moves, 0 = none
	edges     []uint32 // edges whose blocks of moves are still to be placed
	traps     []trapJump
	slow      []slowPath
	table     []Label
	before    int // in R.Before: see movesFrom
}

// trapJump is a trap out of line.
type trapJump struct {
	label Label
	trap  abi.Trap
	pos   uint32
}

// slowPath is the rest of an instruction out of line.
type slowPath struct {
	at          uint32 // the instruction
	label, back Label
}

// Run assembles m with its allocation r into c by means of a. machine embeds e.
func (e *Emitter) Run(machine Machine, traits *Traits, a Assembler, cfg *backend.Config, m *backend.Func, r *regalloc.Result, c *backend.Code) error {
	e.machine, e.traits, e.a, e.err = machine, traits, a, nil
	e.Cfg, e.M, e.R, e.before = cfg, m, r, 0
	a.Reset()
	err := e.function()
	if err == nil {
		err = e.err
	}
	if err == nil {
		err = a.Finish(c)
	}
	c.FrameSize = e.frameSize()
	e.machine, e.a, e.Cfg, e.M, e.R, e.In, e.Locs = nil, nil, nil, nil, nil, nil, nil
	if err != nil {
		return fmt.Errorf("function %d: %w", m.SSA.Index, err)
	}
	return nil
}

// Fail notes the first error.
func (e *Emitter) Fail(format string, args ...any) {
	if e.err == nil {
		e.err = fmt.Errorf(e.traits.Name+": "+format, args...)
	}
}

// function assembles the whole function: blocks in their order, cold ones after all others, then what is out of line.
func (e *Emitter) function() error {
	if err := e.layOutFrame(); err != nil {
		return err
	}
	e.slow, e.traps = e.slow[:0], e.traps[:0]
	e.prepareEdges()
	e.machine.Prologue()
	e.layOutBlocks()
	for i, b := range e.order {
		e.following = none
		if i+1 < len(e.order) {
			e.following = e.order[i+1]
		}
		e.assembleBlock(b)
	}
	e.PlaceEdges()
	e.outOfLine()
	return e.a.Err()
}

// layOutBlocks puts the blocks into the order in which they are assembled. The order in which registers were allocated has those cold blocks last that
// lead nowhere else. The others are taken out of the way here: a function's resuming, a stack to be enlarged.
func (e *Emitter) layOutBlocks() {
	blocks := e.M.RA.Blocks
	e.order = e.order[:0]
	for _, cold := range [...]bool{false, true} {
		for i := range blocks {
			if (i > 0 && blocks[i].Cold && !e.Cfg.InOrder) == cold && e.final[i] == uint32(i) {
				e.order = append(e.order, uint32(i))
			}
		}
	}
}

func (e *Emitter) assembleBlock(i uint32) {
	e.Block, e.Source = i, i
	b := &e.M.RA.Blocks[i]
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

// movesFrom gives the moves before instruction at and those that follow. Most often at follows what was asked for before.
func (e *Emitter) movesFrom(at uint32) []regalloc.MoveList {
	before := e.R.Before
	i := e.before
	for n := 0; n < nearMoves && i < len(before) && before[i].At < at; n++ {
		i++
	}
	if i > 0 && before[i-1].At >= at || i < len(before) && before[i].At < at {
		i = sort.Search(len(before), func(i int) bool { return before[i].At >= at })
	}
	e.before = i
	return before[i:]
}

// nearMoves is how far movesFrom looks ahead before it searches.
const nearMoves = 8

// MayTrap says that the instruction that comes next accesses memory without a check: where guard regions are relied on, a fault is a trap.
func (e *Emitter) MayTrap() {
	if !e.Cfg.Explicit {
		e.a.Trap(abi.TrapMemoryOutOfBounds, e.In.Pos)
	}
}

// load makes instruction at the current one.
func (e *Emitter) load(at uint32) {
	e.At = at
	e.In = &e.M.Insts[at]
	ri := &e.M.RA.Insts[at]
	e.Locs = e.R.Locs[ri.OpStart:ri.OpEnd]
}

func (e *Emitter) inst(at uint32) {
	e.load(at)
	switch t := backend.Template(e.In.Op); t {
	case backend.TJump:
		e.jumpOn()
	case backend.TBranch:
		e.branch()
	case backend.TSwitch:
		e.switchOn()
	case backend.TTrap:
		e.a.Trap(abi.Trap(e.In.Imm), e.In.Pos)
		e.machine.Stop()
		e.PlaceEdges()
	case backend.TEntry:
		e.poison()
	case backend.TReturn:
		e.poison()
		e.machine.Return()
		e.PlaceEdges()
	default:
		if !e.machine.Instruction(t) {
			e.Fail("instruction %d: %d is not a known template", at, t)
		}
	}
}

// poison fills with garbage what holds nothing on entry and on return.
func (e *Emitter) poison() {
	if e.Cfg.Poison {
		e.machine.PoisonSlots()
		e.machine.PoisonRegisters()
	}
}

// maxFrame is the size of the largest frame: less than that of the guard below native stacks, so
// that nothing needs to be probed. No function body within the limits has that many values.
const maxFrame = 32 << 20

// layOutFrame sizes the frame.
func (e *Emitter) layOutFrame() error {
	m := e.M
	size := int64(m.OutArg) + int64(e.R.FrameSize)
	if m.SavesContext {
		size += 8
	}
	if size > maxFrame {
		return fmt.Errorf("%s: frame of %d bytes: expected at most %d", e.traits.Name, size, maxFrame)
	}
	e.Slots = int32(m.OutArg)
	e.Context = e.Slots + int32(e.R.FrameSize)
	align := int32(e.traits.FrameAlign)
	e.Frame = (int32(size) + align - 1) &^ (align - 1)
	e.Incoming = e.Frame + e.traits.Link
	e.IsLeaf = e.traits.Leaf && size == 0 && !m.Calls
	if e.IsLeaf {
		e.Incoming = 0
	}
	return nil
}

// frameSize is the frame's size as the artifact has it.
func (e *Emitter) frameSize() uint32 {
	if e.IsLeaf {
		return abi.FrameLeaf
	}
	return uint32(e.Frame)
}

// Reg is the register of operand k.
func (e *Emitter) Reg(k int) regalloc.Reg {
	l := e.Locs[k]
	if l.Kind != regalloc.LocReg {
		e.Fail("instruction %d: operand %d: expected a register, found %v", e.At, k, l)
		return 0
	}
	return regalloc.Reg(l.N)
}

// UsedFrom reports whether r is the register of operand k or a later one.
func (e *Emitter) UsedFrom(k int, r regalloc.Reg) bool {
	for _, l := range e.Locs[k:] {
		if l.Kind == regalloc.LocReg && regalloc.Reg(l.N) == r {
			return true
		}
	}
	return false
}

// StackOffset is how far above the stack pointer a location on the stack is.
func (e *Emitter) StackOffset(l regalloc.Loc) int32 {
	if l.Kind == regalloc.LocIncoming {
		return e.Incoming + int32(l.N)
	}
	return e.Slots + int32(l.N)
}

// TrapLabel is a label out of line where the instruction traps.
func (e *Emitter) TrapLabel(t abi.Trap) Label {
	l := e.a.NewLabel()
	e.traps = append(e.traps, trapJump{l, t, e.In.Pos})
	return l
}

// TrapIf traps if c holds.
func (e *Emitter) TrapIf(c uint8, t abi.Trap) { e.machine.JumpIf(c, e.TrapLabel(t)) }

// SlowLabel is a label out of line where the instruction's slow path begins. It comes back to the other label, which is yet
// to be bound.
func (e *Emitter) SlowLabel() (label, back Label) {
	s := slowPath{e.At, e.a.NewLabel(), e.a.NewLabel()}
	e.slow = append(e.slow, s)
	return s.label, s.back
}

// SlowAround goes on out of line if c holds; what is to be done there is Machine.SlowPath. It comes back
// to the label, which is yet to be bound.
func (e *Emitter) SlowAround(c uint8) (back Label) {
	label, back := e.SlowLabel()
	e.machine.JumpIf(c, label)
	return back
}

// SlowIf is SlowAround that comes back to here.
func (e *Emitter) SlowIf(c uint8) { e.a.Bind(e.SlowAround(c)) }

// outOfLine assembles what is not on the straight way.
func (e *Emitter) outOfLine() {
	for i := 0; i < len(e.slow); i++ {
		s := e.slow[i]
		e.load(s.at)
		e.a.Bind(s.label)
		e.machine.SlowPath(backend.Template(e.In.Op), s.back)
	}
	for _, t := range e.traps {
		e.a.Bind(t.label)
		e.a.Trap(t.trap, t.pos)
		e.machine.Stop()
	}
}

// moves carries out a list of moves. The flags hold nothing here.
func (e *Emitter) moves(list *regalloc.MoveList) {
	for i := list.Start; i < list.End; i++ {
		if m := &e.R.Moves[i]; m.Src != m.Dst {
			e.machine.Move(m)
		}
	}
}

// VectorBits is the vector constant of number i.
func VectorBits(f *ssa.Func, i int64) (lo, hi uint64) { return Halves(&f.Vecs[i]) }

// Poison is what Config.Poison fills registers with: garbage that no one may rely on, in the upper halves of I32 values, in
// registers and slots that hold nothing on entry and on return. Tests run with it to find what relies on them nevertheless.
const (
	Poison     int64 = 0x7ffdeadc0ffee000
	PoisonHigh int64 = 0x5ad5ad5a << 32
)

// Free is those of the registers that no operand of the instruction is in.
func (e *Emitter) Free(set regalloc.RegSet) regalloc.RegSet {
	for _, l := range e.Locs {
		if l.Kind == regalloc.LocReg {
			set &^= 1 << l.N
		}
	}
	return set
}

// ClobberedByCalls is the set of all registers that may be allocated, of which the pinned global's is one where there is none.
func (e *Emitter) ClobberedByCalls(all regalloc.RegSet, pinned regalloc.Reg) regalloc.RegSet {
	if e.M.SSA.Module.Pinned != 0 {
		all &^= 1 << pinned
	}
	return all
}

// PinnedCell is where the cell of the pinned global is, from the context on, if there is one.
func (e *Emitter) PinnedCell() (at int32, ok bool) {
	cell, ok := e.M.SSA.Module.PinnedCell()
	return int32(cell), ok
}
