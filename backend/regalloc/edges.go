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
			}
			a.edge(e)
			if a.err != nil {
				return
			}
		}
	}
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
	r := a.r
	if a.frame.any {
		a.placeSpills()
	}
	byPlace := func(x, y MoveList) int { return cmp.Compare(x.At, y.At) }
	if !slices.IsSortedFunc(a.before, byPlace) {
		slices.SortFunc(a.before, byPlace)
	}
	before, spills := a.before, a.spills
	for len(before) > 0 || len(spills) > 0 {
		at := none
		if len(spills) > 0 {
			at = spills[0].at
		}
		if len(before) > 0 {
			at = min(at, before[0].At)
		}
		list := MoveList{At: at, Start: uint32(len(r.Moves))}
		// The stores first: they count on the registers before any move.
		for len(spills) > 0 && spills[0].at == at {
			s := spills[0]
			spills = spills[1:]
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
		list.End = uint32(len(r.Moves))
		r.Before = append(r.Before, list)
	}
	base := uint32(len(r.Moves))
	r.Moves = append(r.Moves, a.edgeMov...)
	for _, l := range a.onEdge {
		r.OnEdge = append(r.OnEdge, MoveList{l.At, base + l.Start, base + l.End})
	}
	if !slices.IsSortedFunc(r.OnEdge, byPlace) {
		slices.SortFunc(r.OnEdge, byPlace)
	}
	for _, o := range a.slotOps {
		if r.Locs[o].Kind == LocSlot {
			r.Locs[o] = a.slotLoc(a.f.Ops[o].V)
		}
	}
	r.FrameSize = 8 * a.frame.units
}

func (a *Allocator) slotLoc(v VReg) Loc { return Loc{LocSlot, 8 * a.unit(v)} }
