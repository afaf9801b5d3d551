package regalloc

import "fmt"

// Allocator allocates one function after the other and keeps its memory between
// them. It must not be used by several goroutines at once.
//
// The scheme is one forward walk over the blocks that decides spilling and registers
// together: the values in registers are carried from block to block, a value is
// loaded when an instruction asks for it, and the one whose next use is farthest
// makes room. Next uses are counted over block borders; those behind a loop's exit, on a
// cold path or behind a call that leaves no register alone count as far. In SSA form a
// value has one definition, so "to spill" is no action at the place of eviction but a property:
// a store somewhere between the definition and the first reload. Where it is cheapest is
// decided at the end, and eviction writes no code.
//
// This was preferred over spilling first and colouring afterwards (Braun and Hack, "Register
// Spilling and Live-Range Splitting for SSA-Form Programs", 2009, whose next-use distances
// and loop rule are used here), because one walk instead of two costs half the time, and because calls
// without any callee-saved register end most live ranges anyway: what remains between them is
// short, and fixed registers, which colouring finds hard, come naturally.
//
// The passes in order, each linear:
//
//	scan       definitions, and uses outside the defining block
//	spread     live-in lists, one value at a time from its uses backwards
//	distances  backward: next use of every operand, wishes of fixed uses, families, loop pressure
//	walk       forward, block by block: the allocation itself, moves before instructions
//	colour     slots of spilled values, shared by lifetime
//	edges      moves on edges whose ends disagree
//	finish     stores of spilled values, lists put together
type Allocator struct {
	f    *Func
	file *File
	r    *Result
	err  error

	// Registers are numbered by rank: integers from 0, floats from 32, each in the
	// file's order of preference, so that the lowest set bit of a free set is the best choice.
	ranks [64]rank
	regOf [64]Reg
	banks [2]RegSet
	clobs []RegSet // Func.ClobberSets by rank

	vals   []value
	lives  []life
	blocks []blockInfo
	loops  []loopInfo // by header

	// scan and spread
	budget  int // liveBudget and liveLeast; lower in tests
	least   int
	exposed []exposure
	pairs   []livePair
	live    []liveIn // grouped by block

	// distances
	nextUse   []uint32   // parallel to Func.Ops: position of the value's next use after this operand
	paramDist []uint32   // parallel to Func.Params: distance from the block's start to the first use
	kinds     []instKind // parallel to Func.Insts
	calls     []uint32   // instructions that clobber every register, last first
	fixes     []fixing   // other instructions with fixed registers, last first
	named     RegSet     // registers named anywhere

	// the walk
	state
	before []MoveList
	moves  []Move
	states []VReg // values of all blocks' start and end states, in order of rank

	slotOps  []uint32     // operands that are read from their value's slot
	preloads []spillPoint // constants made before a switch: before at, in register r
	rescues  []spillPoint
	spills   []spillPoint
	domPre   []uint32
	domSize  []uint32
	domNext  []uint32
	domReady bool

	frame   frame
	par     parallel
	onEdge  []MoveList
	edgeMov []Move
}

// instKind tells how much is asked of an instruction.
type instKind uint8

const (
	kindPlain   instKind = iota // registers of any number, operands in memory
	kindShares                  // one result shares the register of an operand: tied, or a copy
	kindSpecial                 // anything else
)

// rank numbers an allocatable register.
type rank = uint8

const (
	noRank = rank(0xFF)
	none   = ^uint32(0)
	dead   = ^uint32(0) // as position or distance of a next use: there is none
)

// Distances are counted in instructions. What is added for the three obstacles
// orders them: a value behind a call must be reloaded in any case, so its register is
// worth nothing; one used after the loop is reloaded once, after it.
const (
	coldDist = 1 << 14
	exitDist = 1 << 20 // for each loop left
	callDist = 1 << 26
	maxDist  = 1 << 28
)

// maxInsts keeps positions plus distances within 32 bits.
const maxInsts = 1 << 30

// value is what the passes need of a virtual register at every step.
type value struct {
	in    RegSet // the walk: registers that hold it now
	next  uint32 // position of its next use
	stamp uint32 // pass and block for which next holds
	block uint32 // of the definition
	count uint16 // merge: predecessors that have it in a register
	hint  rank   // wanted register + 1
	last  rank   // register it was last in + 1
	def   rank   // register right after its definition + 1; 0 for a parameter written to its slot by edges
	flags vflags
}

type vflags uint8

const (
	isFloat vflags = 1 << iota // register bank
	isVec
	isRemat
	isIncoming
	isHomed   // in memory whenever a block ends: live too widely to be tracked
	isSpilled // needs its slot
	isParam
	isLinked // life.link is used
)

func (x *value) bank() int { return int(x.flags & isFloat) }

// backed reports whether the value is in memory or can be made anew.
func (x *value) backed() bool { return x.flags&(isRemat|isIncoming|isSpilled) != 0 }

// life is what is needed of a virtual register now and then.
type life struct {
	inst    uint32 // of the definition; parameters: the block's first instruction
	uses    uint32 // scan: list of exposures, index + 1
	mark    uint32 // merge: last predecessor that has it in a register
	wantPos uint32 // distances: where value.hint is wanted
	need    uint32 // block that dominates all reads of the slot, none without any
	slot    uint32 // number within its area of the frame
	slotFor uint32 // slot + 1 that would save moves on an edge
	link    VReg   // family: another member, nearer to the one that stands for it; 0 for that one
	reg     rank   // merge: the register, with mark
	pref    rank   // family: register of its first member + 1
}

type blockInfo struct {
	seen       uint32 // spread: last value found live-in
	live       uint32 // end of the block's part of Allocator.live; it starts where the one before ends
	cold       uint32 // if cold, the topmost block of its cold region in the dominator tree
	slots      bool   // defines a value that has a slot
	startMask  RegSet
	endMask    RegSet
	start, end uint32 // Allocator.states
}

type loopInfo struct {
	parent uint32 // header of the enclosing loop
	size   uint32 // blocks, inner loops included
	seen   uint32 // spread: last value used in it
	press  [2]uint16
	call   bool   // a call on a path that is not cold
	fixed  RegSet // registers named by instructions that are not cold
}

type fixing struct {
	at   uint32
	mask RegSet
}

// state is where values are at the current point of the walk.
type state struct {
	block   uint32
	pos     uint32
	used    RegSet
	regs    [64]VReg
	call    uint32 // position of the block's next call
	fixPos  uint32 // position of the block's next instruction with fixed registers
	fixMask RegSet
	avoid   RegSet // registers named in the current loop

	// One instruction with constraints.
	pm        []pmove
	pmDst     RegSet
	displaced []located
	defRegs   RegSet

	cands   []candidate
	chosen  [64]VReg // settle: by register
	ballots []ballot
	visits  uint32 // predecessors looked at, for life.mark
}

type located struct {
	v VReg
	r rank
}

// Run allocates registers for f and puts the allocation into r, whose memory is reused.
// It fails if an instruction's constraints cannot be met.
func (a *Allocator) Run(f *Func, file *File, r *Result) error {
	if len(f.Insts) > maxInsts {
		return fmt.Errorf("regalloc: %d instructions, at most %d are supported", len(f.Insts), maxInsts)
	}
	if err := a.reset(f, file, r); err != nil {
		return err
	}
	a.scan()
	if a.err == nil {
		a.spread()
		a.distances()
	}
	for b := 0; b < len(f.Blocks) && a.err == nil; b++ {
		a.walk(uint32(b))
	}
	if a.err == nil {
		a.colour()
		a.edges()
		a.finish()
	}
	a.f, a.file, a.r = nil, nil, nil
	return a.err
}

func (a *Allocator) fail(format string, args ...any) {
	if a.err == nil {
		a.err = fmt.Errorf("regalloc: "+format, args...)
	}
}

// sized returns s with length n, cleared.
func sized[T any](s []T, n int) []T {
	if cap(s) < n {
		return make([]T, n, n+n/4)
	}
	s = s[:n]
	clear(s)
	return s
}

// grown is like sized but leaves what is in s.
func grown[T any](s []T, n int) []T {
	if cap(s) < n {
		return make([]T, n, n+n/4)
	}
	return s[:n]
}

func (a *Allocator) reset(f *Func, file *File, r *Result) error {
	a.f, a.file, a.r, a.err = f, file, r, nil
	if err := a.setRegs(); err != nil {
		return err
	}
	if a.budget == 0 {
		a.budget, a.least = liveBudget, liveLeast
	}
	a.vals = grown(a.vals, len(f.VRegs))
	a.lives = grown(a.lives, len(f.VRegs))
	for i := range f.VRegs {
		info := &f.VRegs[i]
		a.lives[i] = life{}
		a.lives[i].need = none
		var flags vflags
		block := none
		switch info.Class {
		case ClassFloat:
			flags = isFloat
		case ClassVec:
			flags = isFloat | isVec
		}
		switch info.Home {
		case HomeRemat:
			flags |= isRemat
		case HomeIncoming:
			flags |= isIncoming
			block = 0
		}
		x := &a.vals[i]
		*x = value{}
		x.flags, x.block = flags, block
	}
	a.blocks = sized(a.blocks, len(f.Blocks))
	a.loops = sized(a.loops, len(f.Blocks))
	a.nextUse = grown(a.nextUse, len(f.Ops))
	a.paramDist = grown(a.paramDist, len(f.Params))
	a.kinds = grown(a.kinds, len(f.Insts))
	a.exposed, a.pairs = a.exposed[:0], a.pairs[:0]
	a.calls, a.fixes = a.calls[:0], a.fixes[:0]
	a.before, a.moves, a.states = a.before[:0], a.moves[:0], a.states[:0]
	a.slotOps, a.rescues, a.spills, a.preloads = a.slotOps[:0], a.rescues[:0], a.spills[:0], a.preloads[:0]
	a.named, a.visits = 0, 0
	a.onEdge, a.edgeMov = a.onEdge[:0], a.edgeMov[:0]
	a.used, a.block, a.domReady = 0, none, false
	a.frame.reset()

	r.Locs = grown(r.Locs, len(f.Ops))
	r.Moves, r.Before, r.OnEdge, r.FrameSize = r.Moves[:0], r.Before[:0], r.OnEdge[:0], 0
	return nil
}

// setRegs numbers the machine's registers by preference.
func (a *Allocator) setRegs() error {
	for i := range a.ranks {
		a.ranks[i] = noRank
	}
	for bank, regs := range a.file.Alloc {
		a.banks[bank] = 0
		for i, reg := range regs {
			if reg >= 64 || (reg >= FirstFloat) != (bank == 1) || a.ranks[reg] != noRank || reg == a.file.Scratch[bank] {
				return fmt.Errorf("regalloc: register %d cannot be number %d of bank %d", reg, i, bank)
			}
			r := rank(32*bank + i)
			a.ranks[reg], a.regOf[r] = r, reg
			a.banks[bank] |= 1 << r
		}
	}
	a.clobs = a.clobs[:0]
	for _, set := range a.f.ClobberSets {
		var ranked RegSet
		for bank, regs := range a.file.Alloc {
			for i, reg := range regs {
				ranked |= RegSet(set>>reg&1) << (32*bank + i)
			}
		}
		a.clobs = append(a.clobs, ranked)
	}
	if len(a.clobs) == 0 {
		a.clobs = append(a.clobs, 0)
	}
	return nil
}

func (a *Allocator) succs(b *Block) []Edge { return a.f.Edges[b.SuccStart:b.SuccEnd] }
func (a *Allocator) args(e *Edge) []VReg   { return a.f.EdgeArgs[e.ArgStart:e.ArgEnd] }
func (a *Allocator) params(b *Block) []VReg {
	return a.f.Params[b.ParamStart:b.ParamEnd]
}
