package regalloc

import (
	"cmp"
	"slices"
)

// edges makes the moves between the state at the end of a block and that at the start of a
// successor which has others before it or parameters.
func (a *Allocator) edges() {
	f := a.f
	for bi := range f.Blocks {
		b := &f.Blocks[bi]
		restored := false
		for e := b.SuccStart; e < b.SuccEnd; e++ {
			to := &f.Blocks[f.Edges[e].To]
			if to.PredEnd-to.PredStart == 1 && to.ParamStart == to.ParamEnd {
				continue
			}
			if !restored {
				a.restore(uint32(bi))
				restored = true
				if b.SuccEnd-b.SuccStart >= wideSwitch {
					a.preload(b)
				}
			}
			a.edge(e)
			if a.err != nil {
				return
			}
		}
	}
}

// A switch with this many targets has constants that its edges need made before it.
const wideSwitch = 4

// preload makes constants before a switch in free registers where its edges want them, which then need
// no block of their own for that. A switch that enters a function's middle passes zero for most
// parameters.
func (a *Allocator) preload(b *Block) {
	last := b.End - 1
	free := (a.banks[0] | a.banks[1]) &^ (a.used | a.clobs[a.f.Insts[last].Clobbers] | a.operandRegs(last))
	// For each register the constant most edges want, by majority vote.
	var consts [64]VReg
	var votes [64]int
	for e := b.SuccStart; e < b.SuccEnd; e++ {
		ed := &a.f.Edges[e]
		to := &a.f.Blocks[ed.To]
		args := a.args(ed)
		for k, p := range a.params(to) {
			v := args[k]
			def := a.vals[p].def
			if def == 0 || a.vals[v].flags&isRemat == 0 || !free.has(def-1) || a.paramDist[to.ParamStart+uint32(k)] == dead {
				continue
			}
			switch r := def - 1; {
			case votes[r] == 0:
				consts[r], votes[r] = v, 1
			case consts[r] == v:
				votes[r]++
			default:
				votes[r]--
			}
		}
	}
	for s := free; s != 0; s &= s - 1 {
		if r := s.lowest(); votes[r] > 1 {
			a.put(consts[r], r)
			a.preloads = append(a.preloads, spillPoint{at: last, v: consts[r], r: r})
		}
	}
}

// operandRegs is the set of registers that instruction i uses and defines.
func (a *Allocator) operandRegs(i uint32) (s RegSet) {
	in := &a.f.Insts[i]
	for _, l := range a.r.Locs[in.OpStart:in.OpEnd] {
		if l.Kind == LocReg {
			s |= bit(a.ranks[l.N])
		}
	}
	return s
}

func (a *Allocator) edge(e uint32) {
	ed := &a.f.Edges[e]
	to := &a.f.Blocks[ed.To]
	info := &a.blocks[ed.To]
	a.pm = a.pm[:0]
	at := info.start
	for s := info.startMask; s != 0; s &= s - 1 {
		r := s.lowest()
		v := a.states[at]
		at++
		if a.vals[v].block != ed.To || a.vals[v].flags&isParam == 0 {
			a.edgeMove(ed.From, v, uint32(r))
		}
	}
	args := a.args(ed)
	for k, p := range a.params(to) {
		if a.paramDist[to.ParamStart+uint32(k)] == dead {
			continue
		}
		if def := a.vals[p].def; def != 0 {
			a.edgeMove(ed.From, args[k], uint32(def-1))
		} else {
			a.edgeMove(ed.From, args[k], firstUnit+a.unit(p))
		}
	}
	if len(a.pm) == 0 {
		return
	}
	a.pos = e
	a.sequence(a.pm, func(a *Allocator, dst, src Loc, v VReg, swap bool) {
		a.edgeMov = append(a.edgeMov, Move{Src: src, Dst: dst, V: v, Class: a.class(v), Swap: swap})
		a.onEdge = extend(a.onEdge, a.pos, len(a.edgeMov))
	})
}

// edgeMove adds the move of v from where it is at the end of block from to a place.
func (a *Allocator) edgeMove(from uint32, v VReg, dst uint32) {
	src := Loc{Kind: LocReg}
	if in := a.vals[v].in; in == 0 {
		src = a.memory(v, from)
		if src.Kind == LocSlot {
			src = Loc{LocReg, firstUnit + a.unit(v)}
		}
	} else if src.N = dst; dst >= firstUnit || !in.has(rank(dst)) {
		src.N = uint32(in.lowest())
	}
	if src != (Loc{LocReg, dst}) {
		a.pm = append(a.pm, pmove{dst: dst, v: v, from: src})
	}
}

// finish places the stores of spilled values and puts the lists together.
func (a *Allocator) finish() {
	if a.frame.any {
		a.placeSpills()
	}
	slices.SortFunc(a.preloads, compareSpills)
	if !slices.IsSortedFunc(a.before, compareLists) {
		slices.SortFunc(a.before, compareLists)
	}
	a.finishBefore(a.before, a.spills, a.preloads)
	r := a.r
	base := uint32(len(r.Moves))
	r.Moves = append(r.Moves, a.edgeMov...)
	for _, l := range a.onEdge {
		r.OnEdge = append(r.OnEdge, MoveList{l.At, base + l.Start, base + l.End})
	}
	if !slices.IsSortedFunc(r.OnEdge, compareLists) {
		slices.SortFunc(r.OnEdge, compareLists)
	}
	for _, o := range a.slotOps {
		if r.Locs[o].Kind == LocSlot {
			r.Locs[o] = a.slotLoc(a.f.Ops[o].V)
		}
	}
	r.FrameSize = 8 * a.frame.units
}

func compareLists(x, y MoveList) int { return cmp.Compare(x.At, y.At) }

// finishBefore merges the moves before instructions: stores first, which count on the
// registers as they are before any move, then what the instruction needs, then constants for edges.
func (a *Allocator) finishBefore(before []MoveList, stores, preloads []spillPoint) {
	r := a.r
	for len(before)+len(stores)+len(preloads) > 0 {
		at := none
		if len(before) > 0 {
			at = before[0].At
		}
		if len(stores) > 0 {
			at = min(at, stores[0].at)
		}
		if len(preloads) > 0 {
			at = min(at, preloads[0].at)
		}
		list := MoveList{At: at, Start: uint32(len(r.Moves))}
		for ; len(stores) > 0 && stores[0].at == at; stores = stores[1:] {
			s := stores[0]
			r.Moves = append(r.Moves, Move{Src: a.loc(s.r), Dst: a.slotLoc(s.v), V: s.v, Class: a.class(s.v)})
		}
		if len(before) > 0 && before[0].At == at {
			for _, m := range a.moves[before[0].Start:before[0].End] {
				if m.Src.Kind == LocSlot {
					m.Src = a.slotLoc(m.V)
				}
				r.Moves = append(r.Moves, m)
			}
			before = before[1:]
		}
		for ; len(preloads) > 0 && preloads[0].at == at; preloads = preloads[1:] {
			s := preloads[0]
			r.Moves = append(r.Moves, Move{Src: Loc{LocRemat, uint32(s.v)}, Dst: a.loc(s.r), V: s.v, Class: a.class(s.v)})
		}
		list.End = uint32(len(r.Moves))
		r.Before = append(r.Before, list)
	}
}

func (a *Allocator) slotLoc(v VReg) Loc { return Loc{LocSlot, 8 * a.unit(v)} }
