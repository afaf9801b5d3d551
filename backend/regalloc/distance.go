package regalloc

// backward is where the walk from the last instruction to the first stands.
type backward struct {
	stamp uint32
	event [64]uint32 // next instruction of the block that names the register, inverted: 0 for none
	named bool       // there are events
	all   uint32     // next instruction of the block that clobbers every register
	live  [2]int32   // values live here
	press [2]int32   // most of the block
	fixed RegSet     // registers named in the block
}

// distances walks backward over all blocks and finds for every operand the next
// use of its value, for every live-in value the distance, for values
// the register that a fixed use wants, and the pressure of loops.
func (a *Allocator) distances() {
	f := a.f
	var w backward
	for bi := len(f.Blocks) - 1; bi >= 0; bi-- {
		b := &f.Blocks[bi]
		w.begin(uint32(len(f.Blocks) + bi + 1)) // stamps of scan end at len(Blocks)
		a.blockEnd(&w, uint32(bi), b)
		a.instsBackward(&w, b)
		a.blockStart(&w, uint32(bi), b)
		a.loopPressure(&w, uint32(bi), b)
	}
}

// begin starts a block.
func (w *backward) begin(stamp uint32) {
	if w.named {
		w.event, w.named = [64]uint32{}, false
	}
	w.stamp, w.all, w.fixed = stamp, none, 0
	w.live, w.press = [2]int32{}, [2]int32{}
}

// backDist is how far into the next round of a loop a parameter is expected to be used.
const backDist = 16

// blockEnd enters what is live out of the block. An edge's argument is next used where the
// parameter is.
func (a *Allocator) blockEnd(w *backward, bi uint32, b *Block) {
	f := a.f
	succs := a.succs(b)
	for e := range succs {
		to := succs[e].To
		t := &f.Blocks[to]
		at := b.End
		if t.Cold && !b.Cold {
			at += coldDist
		}
		if t.Depth < b.Depth {
			at += uint32(b.Depth-t.Depth) * exitDist
		}
		live := a.liveInto(to)
		for i := range live {
			dist := live[i].dist
			if to <= bi && t.LoopHeader == to && live[i].v&usedInLoop == 0 {
				dist = exitDist
			}
			w.touch(&a.vals[live[i].v&vregMask], at+dist, b.End)
		}
		params := a.params(t)
		for k, v := range a.args(&succs[e]) {
			x := &a.vals[v]
			dist := uint32(backDist)
			if to > bi {
				dist = min(a.paramDist[t.ParamStart+uint32(k)], maxDist)
			}
			w.touch(x, at+dist, b.End)
			a.join(params[k], v)
			if to > bi {
				if hint := a.vals[params[k]].hint; hint != 0 {
					x.hint = hint
					a.lives[v].wantPos = a.lives[params[k]].wantPos
				}
			}
		}
	}
	w.press = w.live
}

func (w *backward) touch(x *value, pos, end uint32) {
	pos = min(pos, end+maxDist)
	if x.stamp != w.stamp {
		x.stamp, x.next = w.stamp, pos
		w.count(x, 1)
	} else if pos < x.next {
		x.next = pos
	}
}

func (w *backward) count(x *value, n int32) {
	if x.flags&(isRemat|isHomed) == 0 {
		w.live[x.flags&isFloat] += n
	}
}

// instsBackward walks over a block's instructions.
func (a *Allocator) instsBackward(w *backward, b *Block) {
	insts, ops, vals, nextUse := a.f.Insts, a.f.Ops, a.vals, a.nextUse
	for i := b.End; i > b.Start; {
		i--
		in := &insts[i]
		var fixed RegSet
		temps, ties := [2]int32{}, 0
		special := in.Clobbers != 0
		for o := in.OpEnd; o > in.OpStart; {
			o--
			op := &ops[o]
			x := &vals[op.V]
			next := dead
			if op.Kind < Def {
				switch {
				case x.stamp != w.stamp:
					x.stamp = w.stamp
					w.count(x, 1)
				case x.next == i:
					next = a.sameInst(in, o)
				default:
					next = x.next
				}
				x.next = i
				special = special || op.Kind == UseLate
			} else {
				if x.stamp == w.stamp {
					next = x.next
					x.stamp = 0
					w.count(x, -1)
				} else {
					temps[x.flags&isFloat]++
				}
				if x.hint != 0 {
					a.dropHint(w, x, &a.lives[op.V])
				}
				special = special || op.Kind == DefEarly
				if op.Con == Tied {
					ties++
				}
			}
			nextUse[o] = next
			if op.Con == Fixed {
				special = true
				fixed |= a.fixedBackward(op, i)
			}
		}
		w.press[0] = max(w.press[0], w.live[0]+temps[0])
		w.press[1] = max(w.press[1], w.live[1]+temps[1])
		kind := kindPlain
		if ties == 1 || in.Move {
			kind = kindShares
			a.hintBackward(in)
		}
		if special || ties > 1 {
			kind = kindSpecial
			a.namedBackward(w, i, in, fixed)
		}
		a.kinds[i] = kind
	}
}

// fixedBackward is the register an operand is fixed in; a use wants its value there.
func (a *Allocator) fixedBackward(op *Operand, i uint32) RegSet {
	r := a.ranks[op.Reg&63]
	if r == noRank {
		return 0
	}
	if op.Kind < Def {
		a.vals[op.V].hint = r + 1
		a.lives[op.V].wantPos = i
	}
	return bit(r)
}

// sameInst finds the next use of a value that a later operand of the same instruction uses too.
func (a *Allocator) sameInst(in *Inst, o uint32) uint32 {
	ops := a.f.Ops
	for k := o + 1; k < in.OpEnd; k++ {
		if ops[k].V == ops[o].V && ops[k].Kind < Def {
			return a.nextUse[k]
		}
	}
	return dead
}

// dropHint forgets the register a value is wanted in if another instruction
// names it in between.
func (a *Allocator) dropHint(w *backward, x *value, l *life) {
	if min(^w.event[x.hint-1], w.all) < l.wantPos {
		x.hint = 0
	}
}

// namedBackward notes the registers that instruction i names.
func (a *Allocator) namedBackward(w *backward, i uint32, in *Inst, fixed RegSet) {
	a.named |= fixed
	clob := a.clobs[in.Clobbers]
	if all := a.banks[0] | a.banks[1]; clob&all == all {
		a.calls = append(a.calls, i)
		w.all = i
	} else {
		fixed |= clob
		if fixed != 0 {
			a.fixes = append(a.fixes, fixing{i, fixed})
			w.fixed |= fixed
		}
	}
	for ; fixed != 0; fixed &= fixed - 1 {
		w.named = true
		w.event[fixed.lowest()] = ^i
	}
}

// hintBackward passes the register a result is wanted in on to the operand that
// shall share its register, if that ends here.
func (a *Allocator) hintBackward(in *Inst) {
	ops := a.f.Ops[in.OpStart:in.OpEnd]
	d, s := sharing(ops, in.Move)
	if s >= len(ops) || ops[s].Kind >= Def || ops[s].Con == Fixed || a.nextUse[int(in.OpStart)+s] != dead {
		return
	}
	if a.vals[ops[d].V].flags&isLinked != 0 {
		a.join(ops[s].V, ops[d].V)
	}
	if hint := a.vals[ops[d].V].hint; hint != 0 {
		a.vals[ops[s].V].hint = hint
		a.lives[ops[s].V].wantPos = a.lives[ops[d].V].wantPos
	}
}

// sharing finds the result of an instruction that shall share the register of an operand, and that
// operand; it is len(ops) if there is none.
func sharing(ops []Operand, move bool) (def, use int) {
	def, use = 0, len(ops)
	for k := range ops {
		switch op := &ops[k]; {
		case op.Kind >= Def && (move || op.Con == Tied):
			def = k
			if !move {
				use = int(op.Reg)
			}
		case op.Kind < Def && move:
			use = k
		}
	}
	return def, min(use, len(ops))
}

// blockStart notes the distances of the parameters and of what is live in.
func (a *Allocator) blockStart(w *backward, bi uint32, b *Block) {
	for k, p := range a.params(b) {
		x := &a.vals[p]
		a.paramDist[b.ParamStart+uint32(k)] = dead
		if x.flags&isHomed != 0 {
			a.paramDist[b.ParamStart+uint32(k)] = maxDist // used elsewhere
		}
		if x.stamp == w.stamp {
			a.paramDist[b.ParamStart+uint32(k)] = w.distance(x.next, b.Start)
			x.stamp = 0
		}
		if x.hint != 0 {
			a.dropHint(w, x, &a.lives[p])
		}
	}
	live := a.liveInto(bi)
	for i := range live {
		live[i].dist = w.distance(a.vals[live[i].v&vregMask].next, b.Start)
	}
}

func (w *backward) distance(next, start uint32) uint32 {
	dist := next - start
	if next > w.all {
		dist = min(dist+callDist, maxDist)
	}
	return dist
}

// loopPressure adds the block to its loop, and a loop, whose header comes last, to the enclosing one.
func (a *Allocator) loopPressure(w *backward, bi uint32, b *Block) {
	if b.LoopHeader == none {
		return
	}
	l := &a.loops[b.LoopHeader]
	if !b.Cold {
		l.add([2]uint16{uint16(min(w.press[0], 1000)), uint16(min(w.press[1], 1000))}, w.all != none, w.fixed)
	}
	if b.LoopHeader == bi && l.parent != none {
		a.loops[l.parent].add(l.press, l.call, l.fixed)
	}
}

func (l *loopInfo) add(press [2]uint16, call bool, fixed RegSet) {
	l.press[0] = max(l.press[0], press[0])
	l.press[1] = max(l.press[1], press[1])
	l.call = l.call || call
	l.fixed |= fixed
}
