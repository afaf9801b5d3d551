package regalloc

// demands sums up the constraints of one instruction.
type demands struct {
	in     *Inst
	ops    []Operand
	next   []uint32
	locs   []Loc
	clob   RegSet
	early  RegSet // fixed early definitions
	fixed  RegSet // fixed definitions
	held   RegSet // what a late or tied use must keep clear of
	pinned RegSet // registers of the uses
	late   RegSet // those of late uses
	tied   RegSet // those of tied uses
	defs   RegSet // registers of definitions so far
	ties   bool   // there are tied definitions
}

// constrained allocates any instruction. The moves before it are one parallel move from the
// state before to what the instruction asks for.
//
// Order matters: fixed uses come first and displace what is in their registers; then uses
// that are in a fitting register already; then the others. Values that the instruction
// would destroy are saved in what remains free, or spilled. Then come
// early definitions, which keep clear of all uses, and the others.
func (a *Allocator) constrained(i uint32) {
	in := &a.f.Insts[i]
	var c demands // filled field by field: a literal would be copied
	c.in, c.clob = in, a.clobs[in.Clobbers]
	c.ops = a.f.Ops[in.OpStart:in.OpEnd]
	c.next = a.nextUse[in.OpStart:in.OpEnd]
	c.locs = a.r.Locs[in.OpStart:in.OpEnd]
	a.pm, a.displaced, a.pmDst = a.pm[:0], a.displaced[:0], 0
	a.survey(&c)
	a.fixedUses(&c)
	a.otherUses(&c)
	if a.err != nil {
		return
	}
	a.survivors(&c)
	for k := range c.ops {
		if c.ops[k].Kind < Def && c.next[k] == dead {
			a.release(&a.vals[c.ops[k].V])
		}
	}
	a.definitions(&c)
	a.emitBefore()
}

// survey collects the constraints and sets the next use of every value used.
func (a *Allocator) survey(c *demands) {
	for k := range c.ops {
		op := &c.ops[k]
		if op.Kind < Def {
			a.vals[op.V].next = c.next[k]
		} else if c.next[k] != dead && a.pos == a.f.Blocks[a.block].End-1 {
			a.fail("instruction %d: a terminator defines v%d, which is used", a.pos, op.V)
		}
		if op.Con == Tied {
			c.ties = true
			if s := int(op.Reg); s >= len(c.ops) || c.ops[s].Kind != Use || c.ops[s].Con == RegOrSlot || op.Kind != Def {
				a.fail("instruction %d: operand %d is tied to operand %d, which is no use in a register", a.pos, k, s)
			}
		}
		if op.Con != Fixed {
			continue
		}
		r := a.ranks[op.Reg&63]
		if r == noRank || !a.banks[a.vals[op.V].bank()].has(r) {
			a.fail("instruction %d: operand %d is fixed in register %d, which cannot be allocated to it", a.pos, k, op.Reg)
			return
		}
		switch op.Kind {
		case Def:
			c.fixed |= bit(r)
		case DefEarly:
			c.early |= bit(r)
		}
	}
	c.held = c.clob | c.fixed | c.early
}

// tiedTo finds the definition tied to operand k, -1 without.
func (c *demands) tiedTo(k int) int {
	if c.ties {
		for j := range c.ops {
			if c.ops[j].Con == Tied && int(c.ops[j].Reg) == k {
				return j
			}
		}
	}
	return -1
}

func (a *Allocator) fixedUses(c *demands) {
	for k := range c.ops {
		op := &c.ops[k]
		if op.Con != Fixed || op.Kind >= Def || a.err != nil {
			continue
		}
		r := a.ranks[op.Reg]
		late := op.Kind == UseLate
		if c.early.has(r) || late && c.held.has(r) || c.pinned.has(r) && a.regs[r] != op.V {
			a.fail("instruction %d: operand %d is fixed in a register that another operand needs or a clobber destroys", a.pos, k)
			return
		}
		a.bring(op.V, r)
		a.place(c, k, r)
	}
}

// bring puts v into register r before the instruction and displaces what is there.
func (a *Allocator) bring(v VReg, r rank) {
	if a.used.has(r) {
		if a.regs[r] == v {
			return
		}
		a.displace(r)
	}
	a.pm = append(a.pm, pmove{dst: uint32(r), v: v, from: a.source(v)})
	a.put(v, r)
	a.pmDst |= bit(r)
}

// source is where v is before the instruction.
func (a *Allocator) source(v VReg) Loc {
	if in := a.vals[v].in &^ a.pmDst; in != 0 {
		return Loc{LocReg, uint32(in.lowest())}
	}
	for _, d := range a.displaced {
		if d.v == v {
			return Loc{LocReg, uint32(d.r)}
		}
	}
	return a.memory(v, a.block)
}

// otherUses places the uses that are not fixed.
func (a *Allocator) otherUses(c *demands) {
	var open uint64 // the first 64 operands without a register; beyond, all are tried again
	for k := range c.ops {
		op := &c.ops[k]
		if op.Kind >= Def || op.Con == Fixed {
			continue
		}
		if !a.useInPlace(c, k) {
			if k < 64 {
				open |= 1 << k
			} else {
				open |= 1 << 63
			}
		}
	}
	for k := range c.ops {
		op := &c.ops[k]
		if op.Kind >= Def || op.Con == Fixed || open>>min(k, 63)&1 == 0 || a.err != nil {
			continue
		}
		if a.useInPlace(c, k) {
			continue // another operand has brought it
		}
		x := &a.vals[op.V]
		if op.Con == RegOrSlot && x.in == 0 && a.fromSlot(x) {
			a.readSlot(op.V, c.in.OpStart+uint32(k))
			continue
		}
		r := a.roomFor(op.V, c.allowed(a.banks[x.bank()], k)&^c.pinned)
		if r == noRank {
			a.fail("instruction %d: no register for operand %d", a.pos, k)
			return
		}
		a.bring(op.V, r)
		a.place(c, k, r)
	}
}

// place notes that use k is in register r.
func (a *Allocator) place(c *demands, k int, r rank) {
	c.pinned |= bit(r)
	c.locs[k] = a.loc(r)
	if c.ops[k].Kind == UseLate {
		c.late |= bit(r)
	}
	if c.tiedTo(k) >= 0 {
		c.tied |= bit(r)
	}
}

// allowed is the part of set that use k may be in.
func (c *demands) allowed(set RegSet, k int) RegSet {
	set &^= c.early
	if c.ops[k].Kind == UseLate {
		return set &^ (c.held | c.tied)
	}
	if c.tiedTo(k) >= 0 {
		return set &^ (c.held | c.late | c.tied)
	}
	return set
}

// useInPlace uses the register that the value of operand k is in, if it may.
func (a *Allocator) useInPlace(c *demands, k int) bool {
	v := c.ops[k].V
	x := &a.vals[v]
	in := c.allowed(x.in, k)
	if in == 0 {
		return false
	}
	r := in.lowest()
	if d := c.tiedTo(k); d >= 0 && x.next != dead && x.in&^(c.held|c.tied|bit(r)) == 0 && !a.cheap(x) {
		// The value lives on: overwrite a copy of it if there is room, unless the
		// result wants this very register.
		y := &a.vals[c.ops[d].V]
		free := c.allowed(a.banks[x.bank()], k) &^ (a.used | c.pinned)
		if free != 0 && a.wish(c.ops[d].V) != r+1 {
			y.next = c.next[d]
			r = a.choose(c.ops[d].V, free)
			a.bring(v, r)
		}
	}
	a.place(c, k, r)
	return true
}

// cheap reports whether a value may be dropped from its register rather than saved
// in another: it is in memory, and its next use is far.
func (a *Allocator) cheap(x *value) bool {
	return x.backed() && (x.next > a.call || x.next-a.pos >= coldDist)
}

// roomFor finds a register of a set; if none is free it displaces the value needed last.
func (a *Allocator) roomFor(v VReg, set RegSet) rank {
	if free := set &^ a.used; free != 0 {
		return a.choose(v, free)
	}
	r, _ := a.farthest(set)
	if r != noRank {
		a.displace(r)
	}
	return r
}

// displace empties register r; survivors will see to what was in it.
func (a *Allocator) displace(r rank) {
	a.displaced = append(a.displaced, located{a.regs[r], r})
	a.take(r)
}

// survivors saves values that live on and whose registers the instruction took or will destroy.
func (a *Allocator) survivors(c *demands) {
	kills := c.held | c.tied
	for s := a.used & kills; s != 0; s &= s - 1 {
		a.survive(c, a.regs[s.lowest()], kills)
	}
	for i := 0; i < len(a.displaced); i++ { // saving one may displace another, needed later
		a.survive(c, a.displaced[i].v, kills)
	}
	for s := a.used & kills; s != 0; s &= s - 1 {
		a.take(s.lowest())
	}
}

// survive sees to it that v outlives an instruction that destroys some registers.
func (a *Allocator) survive(c *demands, v VReg, kills RegSet) {
	x := &a.vals[v]
	if x.next == dead || x.in&^kills != 0 {
		return
	}
	set := a.banks[x.bank()] &^ (c.pinned | kills | a.pmDst)
	if set == 0 || a.cheap(x) {
		a.spill(v)
		return
	}
	src := a.source(v)
	if src.Kind != LocReg {
		return // in memory already
	}
	free := set &^ a.used
	if free == 0 {
		mine := x.next
		if mine > a.call {
			mine += callDist
		}
		worst, dist := a.farthest(set)
		if dist <= mine {
			a.spill(v)
			return
		}
		a.displace(worst)
		free = bit(worst)
	}
	r := a.choose(v, free)
	a.pm = append(a.pm, pmove{dst: uint32(r), v: v, from: src})
	a.put(v, r)
	a.pmDst |= bit(r)
}

// definitions gives registers to results and temporaries. Those that must be clear of more
// come first.
func (a *Allocator) definitions(c *demands) {
	a.fixedDefs(c, DefEarly)
	a.freeDefs(c, DefEarly, c.pinned|c.clob|c.fixed)
	a.fixedDefs(c, Def)
	a.tiedDefs(c)
	a.freeDefs(c, Def, c.late|c.clob)
	for k := range c.ops {
		if c.ops[k].Kind >= Def && c.next[k] == dead {
			a.release(&a.vals[c.ops[k].V])
		}
	}
}

func (a *Allocator) fixedDefs(c *demands, kind OperandKind) {
	for k := range c.ops {
		if op := &c.ops[k]; op.Kind == kind && op.Con == Fixed {
			a.result(c, k, a.ranks[op.Reg])
		}
	}
}

func (a *Allocator) tiedDefs(c *demands) {
	for k := range c.ops {
		if op := &c.ops[k]; op.Con == Tied && op.Kind == Def && a.err == nil {
			r := a.ranks[c.locs[op.Reg].N]
			if a.used.has(r) && !c.defs.has(r) {
				a.drop(r)
			}
			a.result(c, k, r)
		}
	}
}

func (a *Allocator) freeDefs(c *demands, kind OperandKind, avoid RegSet) {
	for k := range c.ops {
		op := &c.ops[k]
		if op.Kind != kind || op.Con == Fixed || op.Con == Tied || a.err != nil {
			continue
		}
		x := &a.vals[op.V]
		x.next = c.next[k]
		set := a.banks[x.bank()] &^ (avoid | c.defs)
		if c.in.Move && x.hint == 0 {
			x.hint = x.last
		}
		r := a.register(op.V, set)
		if r == noRank {
			a.fail("instruction %d: no register for operand %d", a.pos, k)
			return
		}
		a.result(c, k, r)
	}
}

// result puts definition k into register r, which is free.
func (a *Allocator) result(c *demands, k int, r rank) {
	if c.defs.has(r) {
		a.fail("instruction %d: operand %d shares its register with another result", a.pos, k)
		return
	}
	a.vals[c.ops[k].V].next = c.next[k]
	c.defs |= a.defined(c.ops[k].V, r, &c.locs[k])
}
