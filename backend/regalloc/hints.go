package regalloc

// hintSuccs tells parameters of blocks to come, and the arguments of their other edges, where
// this block has its arguments.
func (a *Allocator) hintSuccs(bi uint32, b *Block) {
	f := a.f
	if b.Cold {
		return
	}
	succs := a.succs(b)
	for e := range succs {
		to := succs[e].To
		if to <= bi {
			continue
		}
		t := &f.Blocks[to]
		params := a.params(t)
		for k, v := range a.args(&succs[e]) {
			x := &a.vals[params[k]]
			if in := a.vals[v].in; in != 0 && x.hint == 0 {
				x.hint = in.lowest() + 1
				a.hintArgs(bi, t, k, x.hint)
			}
		}
	}
}

// hintArgs asks for register hint-1 for the arguments of parameter k that are defined
// after block bi.
func (a *Allocator) hintArgs(bi uint32, t *Block, k int, hint rank) {
	for _, e := range a.f.Preds[t.PredStart:t.PredEnd] {
		if ed := &a.f.Edges[e]; ed.From > bi {
			a.hintChain(bi, a.args(ed)[k], hint)
		}
	}
}

// hintChain asks for a register for v and for what shares its register, if they are
// defined after block bi.
func (a *Allocator) hintChain(bi uint32, v VReg, hint rank) {
	for range 4 {
		x := &a.vals[v]
		if x.block == none || x.block < bi || x.flags&isIncoming != 0 {
			return
		}
		x.hint = hint
		if x.flags&isParam != 0 {
			return
		}
		in := &a.f.Insts[a.lives[v].inst]
		ops := a.f.Ops[in.OpStart:in.OpEnd]
		d, s := sharing(ops, in.Move)
		if s >= len(ops) || ops[d].V != v || ops[s].Kind >= Def || ops[s].Con == Fixed {
			return
		}
		if a.nextUse[int(in.OpStart)+s] != dead {
			return
		}
		v = ops[s].V
	}
}

// hintBackEdges asks for the parameters' registers for the arguments of edges that come later.
func (a *Allocator) hintBackEdges(bi uint32, b *Block, preds []uint32) {
	params := a.params(b)
	for _, e := range preds {
		ed := &a.f.Edges[e]
		if ed.From < bi {
			continue
		}
		for k, v := range a.args(ed) {
			if r := a.vals[params[k]].in; r != 0 {
				a.hintChain(bi, v, r.lowest()+1)
			}
		}
	}
}
