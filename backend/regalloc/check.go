package regalloc

import (
	"fmt"
	"slices"
)

// Check verifies that r is a right allocation of f. It shares nothing with the
// allocator but the types: it follows which values every register and slot holds at each point,
// on all paths, and looks at each operand whether its value is where it is said to be and
// each constraint whether it is met.
//
// What it takes for granted: moves between memory locations may destroy both
// scratch registers, and so may every instruction; a definition makes all
// copies of the same value of an earlier round of a loop stale. Definitions in registers of their own
// choice and early or tied or late operands must keep clear of clobbers.
func Check(f *Func, file *File, r *Result) error {
	c := &checker{f: f, file: file, r: r}
	for _, regs := range file.Alloc {
		for _, reg := range regs {
			c.alloc |= 1 << reg
		}
	}
	for _, reg := range file.Scratch {
		c.scratch |= 1 << reg
	}
	if err := c.shape(); err != nil {
		return err
	}
	if err := c.solve(); err != nil {
		return err
	}
	return c.verify()
}

type checker struct {
	f       *Func
	file    *File
	r       *Result
	alloc   RegSet
	scratch RegSet

	// What is known at the current point: registers by number, then frame units.
	sets    [][]VReg
	holders []uint32 // by value: places that hold it

	before  []uint32 // by instruction: index + 1 in Result.Before
	onEdge  []uint32 // by edge: index + 1 in Result.OnEdge
	entry   [][]held // by block: what every path agrees on, sorted
	reached []bool
	dirty   []bool
	strict  bool // report what is wrong; off until the states are final
}

// held says that a place holds a value.
type held struct {
	place uint32
	v     VReg
}

func compareHeld(x, y held) int {
	if x.place != y.place {
		return int(x.place) - int(y.place)
	}
	return int(x.v) - int(y.v)
}

const checkUnits = 64 // place of the first frame unit

// shape checks lists and bounds, whatever they contain.
func (c *checker) shape() error {
	f, r := c.f, c.r
	if len(r.Locs) != len(f.Ops) {
		return fmt.Errorf("%d operand locations for %d operands", len(r.Locs), len(f.Ops))
	}
	if r.FrameSize%8 != 0 {
		return fmt.Errorf("frame size %d is not a multiple of 8", r.FrameSize)
	}
	c.before = make([]uint32, len(f.Insts))
	c.onEdge = make([]uint32, len(f.Edges))
	if err := c.index("instruction", r.Before, c.before); err != nil {
		return err
	}
	if err := c.index("edge", r.OnEdge, c.onEdge); err != nil {
		return err
	}
	for k := range r.Moves {
		if err := c.move(&r.Moves[k]); err != nil {
			return fmt.Errorf("move %d: %w", k, err)
		}
	}
	for o := range f.Ops {
		if v := f.Ops[o].V; v == 0 || int(v) >= len(f.VRegs) {
			return fmt.Errorf("operand %d: there is no v%d", o, v)
		}
	}
	return nil
}

func (c *checker) index(what string, lists []MoveList, at []uint32) error {
	for k, l := range lists {
		if int(l.At) >= len(at) {
			return fmt.Errorf("moves at %s %d of %d", what, l.At, len(at))
		}
		if k > 0 && l.At <= lists[k-1].At {
			return fmt.Errorf("moves at %s %d come after those at %d", what, l.At, lists[k-1].At)
		}
		if l.Start > l.End || int(l.End) > len(c.r.Moves) {
			return fmt.Errorf("moves at %s %d: %d to %d of %d", what, l.At, l.Start, l.End, len(c.r.Moves))
		}
		at[l.At] = uint32(k + 1)
	}
	return nil
}

// move checks a move for itself.
func (c *checker) move(m *Move) error {
	if m.V == 0 || int(m.V) >= len(c.f.VRegs) {
		return fmt.Errorf("there is no v%d", m.V)
	}
	info := &c.f.VRegs[m.V]
	if m.Class != info.Class {
		return fmt.Errorf("class %d, but v%d has class %d", m.Class, m.V, info.Class)
	}
	for _, l := range []Loc{m.Src, m.Dst} {
		if err := c.place(l, info.Class, c.alloc|c.scratch); err != nil {
			return err
		}
	}
	if m.Dst.Kind != LocReg && m.Dst.Kind != LocSlot {
		return fmt.Errorf("destination of kind %d", m.Dst.Kind)
	}
	if m.Swap && (m.Src.Kind != LocReg || m.Dst.Kind != LocReg || info.Class != ClassInt) {
		return fmt.Errorf("swap of what are not two integer registers")
	}
	if m.Src.Kind == LocRemat && (info.Home != HomeRemat || m.Src.N != uint32(m.V)) {
		return fmt.Errorf("v%d cannot be made from v%d", m.V, m.Src.N)
	}
	if m.Src.Kind == LocIncoming && (info.Home != HomeIncoming || m.Src.N != info.Slot) {
		return fmt.Errorf("v%d is not incoming at %d", m.V, m.Src.N)
	}
	return nil
}

// place checks that a location exists and can hold a value of a class.
func (c *checker) place(l Loc, class Class, regs RegSet) error {
	switch l.Kind {
	case LocReg:
		if l.N >= 64 || regs>>l.N&1 == 0 {
			return fmt.Errorf("register %d may not be used", l.N)
		}
		if (Reg(l.N) >= FirstFloat) != (class != ClassInt) {
			return fmt.Errorf("class %d in register %s", class, c.file.Names[l.N])
		}
	case LocSlot:
		size := 8 * unitsOf(class)
		if l.N%size != 0 || uint64(l.N)+uint64(size) > uint64(c.r.FrameSize) {
			return fmt.Errorf("slot at %d of %d bytes in a frame of %d", l.N, size, c.r.FrameSize)
		}
	case LocIncoming, LocRemat:
	default:
		return fmt.Errorf("location of kind %d", l.Kind)
	}
	return nil
}

func unitsOf(class Class) uint32 {
	if class == ClassVec {
		return 2
	}
	return 1
}

// solve finds what each place holds at the start of each block: the greatest solution, by
// starting from "all" and taking away what some path does not agree with.
func (c *checker) solve() error {
	n := len(c.f.Blocks)
	c.sets = make([][]VReg, checkUnits+c.r.FrameSize/8)
	c.holders = make([]uint32, len(c.f.VRegs))
	c.entry = make([][]held, n)
	c.reached, c.dirty = make([]bool, n), make([]bool, n)
	if n == 0 {
		return fmt.Errorf("no blocks")
	}
	c.reached[0], c.dirty[0] = true, true
	for again := true; again; {
		again = false
		for b := range n {
			if !c.dirty[b] {
				continue
			}
			again = true
			c.dirty[b] = false
			if err := c.block(uint32(b)); err != nil {
				return err
			}
			c.flow(uint32(b))
		}
	}
	return nil
}

// verify goes over all blocks once more and reports.
func (c *checker) verify() error {
	c.strict = true
	for b := range c.f.Blocks {
		if !c.reached[b] {
			return fmt.Errorf("block %d cannot be reached", b)
		}
		if err := c.block(uint32(b)); err != nil {
			return fmt.Errorf("block %d: %w", b, err)
		}
		end := c.export()
		for e := c.f.Blocks[b].SuccStart; e < c.f.Blocks[b].SuccEnd; e++ {
			c.load(end)
			if err := c.edge(e); err != nil {
				return fmt.Errorf("block %d: edge %d to block %d: %w", b, e, c.f.Edges[e].To, err)
			}
		}
	}
	return nil
}

// load makes a list of what is held the current state.
func (c *checker) load(list []held) {
	for p := range c.sets {
		c.clear(uint32(p))
	}
	for _, h := range list {
		c.add(h.place, h.v)
	}
}

func (c *checker) export() []held {
	var list []held
	for p, set := range c.sets {
		for _, v := range set {
			list = append(list, held{uint32(p), v})
		}
	}
	slices.SortFunc(list, compareHeld)
	return list
}

// flow passes the state at the end of block b on to its successors.
func (c *checker) flow(b uint32) {
	end := c.export()
	blk := &c.f.Blocks[b]
	for e := blk.SuccStart; e < blk.SuccEnd; e++ {
		to := c.f.Edges[e].To
		out := end
		if t := &c.f.Blocks[to]; c.onEdge[e] != 0 || t.ParamStart != t.ParamEnd {
			c.load(end)
			c.edge(e) // cannot fail: not strict
			out = c.export()
		}
		if !c.reached[to] {
			c.reached[to], c.dirty[to] = true, true
			c.entry[to] = out
		} else if both := intersect(c.entry[to], out); len(both) < len(c.entry[to]) {
			c.entry[to] = both
			c.dirty[to] = true
		}
	}
}

func intersect(x, y []held) []held {
	var both []held
	for len(x) > 0 && len(y) > 0 {
		switch d := compareHeld(x[0], y[0]); {
		case d < 0:
			x = x[1:]
		case d > 0:
			y = y[1:]
		default:
			both = append(both, x[0])
			x, y = x[1:], y[1:]
		}
	}
	return both
}

// block follows a block from its entry state.
func (c *checker) block(b uint32) error {
	c.load(c.entry[b])
	blk := &c.f.Blocks[b]
	for i := blk.Start; i < blk.End; i++ {
		if k := c.before[i]; k != 0 {
			if err := c.moves(&c.r.Before[k-1]); err != nil {
				return fmt.Errorf("before instruction %d: %w", i, err)
			}
		}
		if err := c.inst(i); err != nil {
			return fmt.Errorf("instruction %d: %w", i, err)
		}
	}
	return nil
}

// edge makes the moves of an edge and names the parameters.
func (c *checker) edge(e uint32) error {
	if k := c.onEdge[e]; k != 0 {
		if err := c.moves(&c.r.OnEdge[k-1]); err != nil {
			return err
		}
	}
	ed := &c.f.Edges[e]
	to := &c.f.Blocks[ed.To]
	params, args := c.f.Params[to.ParamStart:to.ParamEnd], c.f.EdgeArgs[ed.ArgStart:ed.ArgEnd]
	if len(params) != len(args) {
		return fmt.Errorf("%d arguments for %d parameters", len(args), len(params))
	}
	if len(params) == 0 {
		return nil
	}
	// All at once: an argument may be another parameter of the same block.
	takers := map[VReg][]VReg{}
	for k, arg := range args {
		takers[arg] = append(takers[arg], params[k])
	}
	var add []held
	for p, set := range c.sets {
		for _, v := range set {
			for _, param := range takers[v] {
				add = append(add, held{uint32(p), param})
			}
		}
	}
	for _, param := range params {
		c.forget(param)
	}
	for _, h := range add {
		c.add(h.place, h.v)
	}
	return nil
}

func (c *checker) moves(l *MoveList) error {
	for k := l.Start; k < l.End; k++ {
		if err := c.step(&c.r.Moves[k]); err != nil {
			return fmt.Errorf("move %d of v%d: %w", k, c.r.Moves[k].V, err)
		}
	}
	return nil
}

// step makes one move.
func (c *checker) step(m *Move) error {
	var values []VReg
	if m.Src.Kind == LocReg || m.Src.Kind == LocSlot {
		values = slices.Clone(c.sets[index(m.Src)])
		if c.strict && !slices.Contains(values, m.V) {
			return fmt.Errorf("%s holds %v", c.name(m.Src), values)
		}
	} else {
		values = []VReg{m.V}
	}
	if m.Swap {
		other := slices.Clone(c.sets[index(m.Dst)])
		c.write(m.Src, ClassInt, other)
	} else if m.Src.Kind != LocReg && m.Dst.Kind != LocReg {
		c.clearRegs(c.scratch)
	}
	c.write(m.Dst, m.Class, values)
	return nil
}

func index(l Loc) uint32 {
	if l.Kind == LocSlot {
		return checkUnits + l.N/8
	}
	return l.N
}

// inst checks an instruction's operands and makes its effects.
func (c *checker) inst(i uint32) error {
	in := &c.f.Insts[i]
	c.clearRegs(c.scratch)
	if c.strict {
		if err := c.operands(in); err != nil {
			return err
		}
	}
	var copied []VReg
	if in.Move {
		for o := in.OpStart; o < in.OpEnd; o++ {
			if c.f.Ops[o].Kind < Def && c.r.Locs[o].Kind == LocReg {
				copied = slices.Clone(c.sets[c.r.Locs[o].N&63])
			}
		}
	}
	if int(in.Clobbers) < len(c.f.ClobberSets) {
		c.clearRegs(c.f.ClobberSets[in.Clobbers])
	}
	for o := in.OpStart; o < in.OpEnd; o++ {
		if op := &c.f.Ops[o]; op.Kind >= Def && c.r.Locs[o].Kind == LocReg && c.r.Locs[o].N < 64 {
			c.forget(op.V)
			c.write(c.r.Locs[o], c.f.VRegs[op.V].Class, append([]VReg{op.V}, copied...))
		}
	}
	return nil
}

// operands checks all operands of an instruction.
func (c *checker) operands(in *Inst) error {
	if int(in.Clobbers) >= len(c.f.ClobberSets) && in.Clobbers != 0 {
		return fmt.Errorf("there is no clobber set %d", in.Clobbers)
	}
	var uses, late, early, defs, clobbers RegSet
	if in.Clobbers != 0 {
		clobbers = c.f.ClobberSets[in.Clobbers]
	}
	for o := in.OpStart; o < in.OpEnd; o++ {
		op, loc := &c.f.Ops[o], c.r.Locs[o]
		if err := c.operand(in, op, loc, clobbers); err != nil {
			return fmt.Errorf("operand %d (v%d): %w", o-in.OpStart, op.V, err)
		}
		if loc.Kind != LocReg {
			continue
		}
		reg := RegSet(1) << loc.N
		if op.Kind >= Def && defs&reg != 0 {
			return fmt.Errorf("two definitions in %s", c.name(loc))
		}
		switch op.Kind {
		case Use:
			uses |= reg
		case UseLate:
			uses |= reg
			late |= reg
		case Def:
			defs |= reg
		case DefEarly:
			defs |= reg
			early |= reg
		}
	}
	if bad := early & uses; bad != 0 {
		return fmt.Errorf("early definitions share registers %#x with uses", bad)
	}
	if bad := late & defs; bad != 0 {
		return fmt.Errorf("late uses share registers %#x with definitions", bad)
	}
	return nil
}

func (c *checker) operand(in *Inst, op *Operand, loc Loc, clobbers RegSet) error {
	if err := c.place(loc, c.f.VRegs[op.V].Class, c.alloc); err != nil {
		return err
	}
	memory := op.Con == RegOrSlot && op.Kind < Def
	if info := &c.f.VRegs[op.V]; loc.Kind == LocIncoming && memory && info.Home == HomeIncoming && info.Slot == loc.N {
		return nil
	}
	if loc.Kind != LocReg && !(loc.Kind == LocSlot && memory) {
		return fmt.Errorf("in %s instead of a register", c.name(loc))
	}
	if op.Con == Fixed && Reg(loc.N) != op.Reg {
		return fmt.Errorf("in %s instead of %s", c.name(loc), c.file.Names[op.Reg&63])
	}
	clobbered := loc.Kind == LocReg && clobbers>>loc.N&1 != 0
	if op.Kind < Def {
		if held := c.sets[index(loc)]; !slices.Contains(held, op.V) {
			return fmt.Errorf("%s holds %v", c.name(loc), held)
		}
		if op.Kind == UseLate && clobbered {
			return fmt.Errorf("late use in %s, which is clobbered", c.name(loc))
		}
		return nil
	}
	if op.Con == Tied {
		o := in.OpStart + uint32(op.Reg)
		if o >= in.OpEnd || c.f.Ops[o].Kind != Use {
			return fmt.Errorf("tied to operand %d, which is no use", op.Reg)
		}
		if c.r.Locs[o] != loc {
			return fmt.Errorf("in %s, but tied to %s", c.name(loc), c.name(c.r.Locs[o]))
		}
		if c.f.Ops[o].Con == Fixed {
			return nil
		}
	}
	if op.Con != Fixed && clobbered {
		return fmt.Errorf("defined in %s, which is clobbered", c.name(loc))
	}
	return nil
}

func (c *checker) name(l Loc) string {
	switch l.Kind {
	case LocReg:
		if name := c.file.Names[l.N&63]; name != "" {
			return name
		}
		return fmt.Sprintf("register %d", l.N)
	case LocSlot:
		return fmt.Sprintf("slot %d", l.N)
	case LocIncoming:
		return fmt.Sprintf("incoming %d", l.N)
	case LocRemat:
		return fmt.Sprintf("constant v%d", l.N)
	}
	return "nowhere"
}

func (c *checker) add(p uint32, v VReg) {
	if !slices.Contains(c.sets[p], v) {
		c.sets[p] = append(c.sets[p], v)
		c.holders[v]++
	}
}

func (c *checker) clear(p uint32) {
	for _, v := range c.sets[p] {
		c.holders[v]--
	}
	c.sets[p] = c.sets[p][:0]
}

func (c *checker) clearRegs(set RegSet) {
	for p := range checkUnits {
		if set>>p&1 != 0 {
			c.clear(uint32(p))
		}
	}
}

// forget removes a value from all places.
func (c *checker) forget(v VReg) {
	for p := 0; c.holders[v] > 0; p++ {
		if k := slices.Index(c.sets[p], v); k >= 0 {
			c.sets[p] = slices.Delete(c.sets[p], k, k+1)
			c.holders[v]--
		}
	}
}

// write replaces what a place holds, and damages values of 16 bytes that begin just below.
func (c *checker) write(l Loc, class Class, values []VReg) {
	p := index(l)
	c.clear(p)
	if l.Kind == LocSlot {
		if class == ClassVec {
			c.clear(p + 1)
		}
		if p > checkUnits {
			for _, v := range slices.Clone(c.sets[p-1]) {
				if c.f.VRegs[v].Class == ClassVec {
					k := slices.Index(c.sets[p-1], v)
					c.sets[p-1] = slices.Delete(c.sets[p-1], k, k+1)
					c.holders[v]--
				}
			}
		}
	}
	for _, v := range values {
		c.add(p, v)
	}
}
