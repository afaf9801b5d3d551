package opt

import "github.com/wasmaot/wasmaot/compiler/ssa"

// dce removes instructions whose values no one uses and which do nothing else, and block
// parameters that no one uses, with the arguments for them. Uses are marked from effects
// and from the ends of blocks, so that what is only used by itself around a loop goes too.
//
// Backward through the blocks all uses come before the definition but those by edges that lead back, which are
// looked at when their target is.
func dce(f *ssa.Func, s *Scratch) {
	d := &s.dce
	*d = marker{f: f, live: sized(d.live, len(f.Insts)), block: d.block, work: d.work[:0]}
	for i := len(f.RPO) - 1; i >= 0; i-- {
		d.visit(uint32(i))
	}
	dead := false
	for _, b := range f.RPO {
		bd := &f.Blocks[b]
		for _, v := range f.ParamsOf(bd) {
			dead = dead || !d.live[v] && b != 0 // the function's own stay
		}
		to := bd.InstStart
		for _, v := range f.OrderOf(bd) {
			if !d.live[v] {
				f.Insts[v] = ssa.Nop()
				continue
			}
			f.Order[to] = v
			to++
		}
		bd.InstEnd = to
	}
	d.f = nil
	if dead {
		s.drop = sized(s.drop, len(f.Insts))
		for _, b := range f.RPO[1:] {
			for _, v := range f.ParamsOf(&f.Blocks[b]) {
				if !d.live[v] {
					s.drop[v] = true
					f.Insts[v] = ssa.Nop()
				}
			}
		}
		removeParams(f, s)
	}
}

// hasEffect reports whether an instruction does something besides making its value.
func hasEffect(f *ssa.Func, in *ssa.Inst) bool {
	if in.Op.Is(ssa.PropEffect) {
		return !cannotTrap(f, in)
	}
	return in.Op == ssa.OpAddr && in.Flags&ssa.FlagChecked != 0
}

// cannotTrap reports whether an operation that traps in general, and has no other effect, does not do so here.
func cannotTrap(f *ssa.Func, in *ssa.Inst) bool {
	if in.Op.IsLoad() {
		return in.Flags&ssa.FlagSafe != 0
	}
	switch in.Op {
	case ssa.OpDivS, ssa.OpRemS, ssa.OpDivU, ssa.OpRemU:
		c, ok := f.IsConst(ssa.Value(in.B))
		return ok && c != 0 && (in.Op != ssa.OpDivS || c != ones(in.Type))
	}
	return false
}

type marker struct {
	f     *ssa.Func
	live  []bool      // by value
	block []ssa.Block // by parameter; filled when asked for
	known bool        // it is filled
	work  []ssa.Value
}

// visit marks what block number i in RPO uses, given what of it is used by those behind it.
func (d *marker) visit(i uint32) {
	f, live := d.f, d.live
	bd := &f.Blocks[f.RPO[i]]
	if bd.Ctl != 0 {
		live[bd.Ctl] = true
	}
	for _, v := range f.ReturnsOf(bd) {
		live[v] = true
	}
	for e := bd.SuccStart; e < bd.SuccEnd; e++ {
		edge := &f.Edges[e]
		args := f.ArgsOf(edge)
		if len(args) == 0 || f.Blocks[edge.To].RPO <= i {
			continue // not known yet
		}
		for k, p := range f.ParamsOf(&f.Blocks[edge.To]) {
			if live[p] {
				live[args[k]] = true
			}
		}
	}
	order := f.OrderOf(bd)
	for k := len(order) - 1; k >= 0; k-- {
		v := order[k]
		in := &f.Insts[v]
		if live[v] || hasEffect(f, in) {
			live[v] = true
			d.useBy(in)
		}
	}
	if i > 0 && bd.ParamStart != bd.ParamEnd {
		d.backward(i, bd)
	}
}

// useBy marks the operands of an instruction that is no parameter.
func (d *marker) useBy(in *ssa.Inst) {
	if in.Op == ssa.OpCall {
		for _, a := range d.f.CallArgs(&d.f.Calls[in.A]) {
			d.live[a] = true
		}
		return
	}
	a, b, c := in.Values()
	d.live[a], d.live[b], d.live[c] = true, true, true
}

// backward marks the arguments for the parameters of block number i in RPO that come from blocks visited before, and what
// those are made of.
func (d *marker) backward(i uint32, bd *ssa.BlockData) {
	f := d.f
	for _, e := range f.PredsOf(bd) {
		edge := &f.Edges[e]
		if f.Blocks[edge.From].RPO < i {
			continue
		}
		args := f.ArgsOf(edge)
		for k, p := range f.ParamsOf(bd) {
			if d.live[p] {
				d.mark(args[k])
			}
		}
		d.spread()
	}
}

func (d *marker) mark(v ssa.Value) {
	if !d.live[v] {
		d.live[v] = true
		d.work = append(d.work, v)
	}
}

// blockOf finds the block of a parameter.
func (d *marker) blockOf(p ssa.Value) *ssa.BlockData {
	f := d.f
	if !d.known {
		d.known = true
		d.block = sized(d.block, len(f.Insts))
		for _, b := range f.RPO {
			for _, v := range f.ParamsOf(&f.Blocks[b]) {
				d.block[v] = b
			}
		}
	}
	return &f.Blocks[d.block[p]]
}

// spread marks what the marked values are made of.
func (d *marker) spread() {
	f := d.f
	for len(d.work) > 0 {
		v := d.work[len(d.work)-1]
		d.work = d.work[:len(d.work)-1]
		in := &f.Insts[v]
		switch in.Op {
		case ssa.OpParam:
			for _, e := range f.PredsOf(d.blockOf(v)) {
				d.mark(f.Lists[f.Edges[e].ArgStart+in.A])
			}
		case ssa.OpCall:
			for _, a := range f.CallArgs(&f.Calls[in.A]) {
				d.mark(a)
			}
		default:
			use := in.Op.Uses()
			if use&1 != 0 {
				d.mark(ssa.Value(in.A))
			}
			if use&2 != 0 {
				d.mark(ssa.Value(in.B))
			}
			if use&4 != 0 {
				d.mark(ssa.Value(in.C))
			}
		}
	}
}
