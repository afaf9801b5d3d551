package regalloc

// inst allocates the operands of instruction i.
func (a *Allocator) inst(i uint32) {
	a.pos = i
	switch a.kinds[i] {
	case kindPlain:
		if !a.simple(i) {
			a.plain(i)
		}
		return
	case kindShares:
		a.plain(i)
		return
	}
	a.constrained(i)
	if n := len(a.calls); n > 0 && a.calls[n-1] == i {
		a.calls = a.calls[:n-1]
		a.nextCall(a.f.Blocks[a.block].End)
	}
	if n := len(a.fixes); n > 0 && a.fixes[n-1].at == i {
		a.fixes = a.fixes[:n-1]
		a.nextFix(a.f.Blocks[a.block].End)
	}
}

func (a *Allocator) nextCall(end uint32) {
	a.call = none
	if n := len(a.calls); n > 0 && a.calls[n-1] < end {
		a.call = a.calls[n-1]
	}
}

func (a *Allocator) nextFix(end uint32) {
	a.fixPos, a.fixMask = none, 0
	if n := len(a.fixes); n > 0 && a.fixes[n-1].at < end {
		a.fixPos, a.fixMask = a.fixes[n-1].at, a.fixes[n-1].mask
	}
}

// simple is plain for what is most frequent: all uses are in registers, at most one definition. It reports whether it was that.
func (a *Allocator) simple(i uint32) bool {
	in := &a.f.Insts[i]
	ops := a.f.Ops[in.OpStart:in.OpEnd]
	next := a.nextUse[in.OpStart:in.OpEnd]
	locs := a.r.Locs[in.OpStart:in.OpEnd]
	var dying RegSet
	def, defs := 0, 0
	for k := range ops {
		op := &ops[k]
		if op.Kind >= Def {
			def = k
			defs++
			continue
		}
		x := &a.vals[op.V]
		x.next = next[k]
		if x.in == 0 {
			return false
		}
		locs[k] = a.loc(x.in.lowest())
		if next[k] == dead {
			dying |= x.in
		}
	}
	if defs > 1 {
		return false
	}
	a.used &^= dying
	for ; dying != 0; dying &= dying - 1 {
		a.vals[a.regs[dying.lowest()]].in = 0
	}
	if defs == 0 {
		return true
	}
	v := ops[def].V
	y := &a.vals[v]
	y.next = next[def]
	r := a.register(v, a.banks[y.bank()])
	if r == noRank {
		a.fail("instruction %d: no register for operand %d", i, def)
		return true
	}
	a.defined(v, r, &locs[def])
	if y.next == dead {
		a.take(r)
	}
	return true
}

// plain allocates an instruction without fixed registers, clobbers, late uses and early
// definitions, as most are. Its moves can be made one after the other: each writes a
// register whose content is not needed any more.
func (a *Allocator) plain(i uint32) {
	in := &a.f.Insts[i]
	ops := a.f.Ops[in.OpStart:in.OpEnd]
	next := a.nextUse[in.OpStart:in.OpEnd]
	locs := a.r.Locs[in.OpStart:in.OpEnd]
	var pinned RegSet
	missing := false
	for k := range ops {
		if op := &ops[k]; op.Kind < Def {
			x := &a.vals[op.V]
			x.next = next[k]
			if x.in == 0 {
				missing = true
				continue
			}
			r := x.in.lowest()
			pinned |= bit(r)
			locs[k] = a.loc(r)
		}
	}
	d, s := len(ops), len(ops)
	if a.kinds[i] == kindShares {
		d, s = a.shared(in, ops)
	}
	if missing {
		pinned = a.load(in, pinned)
	}
	if s < len(ops) && ops[d].Con == Tied && next[s] != dead {
		a.copyTied(in, d, s, pinned)
	}
	for k := range ops {
		if ops[k].Kind < Def && next[k] == dead {
			a.release(&a.vals[ops[k].V])
		}
	}
	a.plainDefs(in, ops, next, locs, d, s)
}

// shared finds the result and the operand that shall share a register.
func (a *Allocator) shared(in *Inst, ops []Operand) (d, s int) {
	if in.Move {
		return sharing(ops, true)
	}
	for k := range ops {
		if ops[k].Con == Tied {
			if s = int(ops[k].Reg); s >= len(ops) || ops[s].Kind != Use || ops[s].Con == RegOrSlot {
				a.fail("instruction %d: operand %d is tied to operand %d, which is no use in a register", a.pos, k, s)
				return len(ops), len(ops)
			}
			return k, s
		}
	}
	return len(ops), len(ops)
}

// load brings the values an instruction uses into registers and returns all registers of its uses.
func (a *Allocator) load(in *Inst, pinned RegSet) RegSet {
	ops := a.f.Ops[in.OpStart:in.OpEnd]
	for k := range ops {
		op := &ops[k]
		if op.Kind >= Def {
			continue
		}
		o := in.OpStart + uint32(k)
		x := &a.vals[op.V]
		if x.in != 0 {
			r := x.in.lowest()
			pinned |= bit(r)
			a.r.Locs[o] = a.loc(r)
			continue
		}
		if op.Con == RegOrSlot && a.fromSlot(x) {
			a.readSlot(op.V, o)
			continue
		}
		r := a.register(op.V, a.banks[x.bank()]&^pinned)
		if r == noRank {
			a.fail("instruction %d: no register for operand %d", a.pos, k)
			return pinned
		}
		a.moveBefore(a.memory(op.V, a.block), a.loc(r), op.V)
		a.put(op.V, r)
		pinned |= bit(r)
		a.r.Locs[o] = a.loc(r)
	}
	return pinned
}

// fromSlot reports whether an operand that may be in memory is better read there: when it
// is not used again soon, or a register for it would cost another's.
func (a *Allocator) fromSlot(x *value) bool {
	if x.flags&(isSpilled|isIncoming) == 0 {
		return false
	}
	return x.next > a.call || x.next-a.pos >= coldDist || a.banks[x.bank()]&^a.used == 0
}

// readSlot makes operand o a memory operand.
func (a *Allocator) readSlot(v VReg, o uint32) {
	a.r.Locs[o] = a.memory(v, a.block)
	a.slotOps = append(a.slotOps, o)
}

// register finds a register of a set for a value, and empties it if none is free.
func (a *Allocator) register(v VReg, set RegSet) rank {
	if free := set &^ a.used; free != 0 {
		return a.choose(v, free)
	}
	r, _ := a.farthest(set & a.used)
	if r != noRank {
		a.drop(r)
	}
	return r
}

// copyTied saves the value of tied operand s, which lives on, from being overwritten by
// result d. It stays where it is and a copy is overwritten, unless the result wants that register.
func (a *Allocator) copyTied(in *Inst, d, s int, pinned RegSet) {
	use := &a.f.Ops[in.OpStart+uint32(s)]
	def := &a.f.Ops[in.OpStart+uint32(d)]
	x, y := &a.vals[use.V], &a.vals[def.V]
	y.next = a.nextUse[in.OpStart+uint32(d)]
	set := a.banks[x.bank()] &^ pinned
	r := a.ranks[a.r.Locs[in.OpStart+uint32(s)].N]
	if x.in != bit(r) {
		return // it has another register
	}
	far := a.distant(r)
	if free := set &^ a.used; free == 0 {
		worst, dist := a.farthest(set & a.used)
		if worst == noRank || dist <= far {
			a.drop(r)
			return
		}
		a.drop(worst)
	} else if a.cheap(x) {
		a.drop(r)
		return
	}
	if a.wish(def.V) == r+1 {
		c := a.choose(use.V, set&^a.used)
		a.moveBefore(a.loc(r), a.loc(c), use.V)
		a.take(r)
		a.put(use.V, c)
		return
	}
	c := a.choose(def.V, set&^a.used)
	a.moveBefore(a.loc(r), a.loc(c), use.V)
	a.r.Locs[in.OpStart+uint32(s)] = a.loc(c)
}

// plainDefs gives registers to results.
func (a *Allocator) plainDefs(in *Inst, ops []Operand, next []uint32, locs []Loc, d, s int) {
	var taken, unused RegSet
	if s < len(ops) {
		y := &a.vals[ops[d].V]
		y.next = next[d]
		r := noRank
		if ops[d].Con == Tied {
			r = a.ranks[locs[s].N]
			if a.used.has(r) {
				a.take(r)
			}
		} else if m := a.ranks[locs[s].N&63]; locs[s].Kind == LocReg && !a.used.has(m) &&
			!(y.hint != 0 && !a.used.has(y.hint-1)) {
			r = m // a copy whose source ends here
		}
		if r != noRank {
			taken = a.defined(ops[d].V, r, &locs[d])
			if next[d] == dead {
				unused = taken
			}
		}
	}
	for k := range ops {
		op := &ops[k]
		if op.Kind < Def || k == d && taken != 0 {
			continue
		}
		x := &a.vals[op.V]
		x.next = next[k]
		r := a.register(op.V, a.banks[x.bank()]&^taken)
		if r == noRank {
			a.fail("instruction %d: no register for operand %d", a.pos, k)
			return
		}
		taken |= a.defined(op.V, r, &locs[k])
		if next[k] == dead {
			unused |= bit(r)
		}
	}
	for ; unused != 0; unused &= unused - 1 {
		a.take(unused.lowest())
	}
}

// defined notes that v is defined in register r.
func (a *Allocator) defined(v VReg, r rank, loc *Loc) RegSet {
	a.put(v, r)
	a.vals[v].def = r + 1
	a.settledIn(v, r)
	*loc = a.loc(r)
	return bit(r)
}
