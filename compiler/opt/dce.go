package opt

import "github.com/wasmaot/wasmaot/compiler/ssa"

// dce removes instructions whose values no one uses and which do nothing else, and block
// parameters that no one uses, with the arguments for them. Uses are marked from effects
// and from the ends of blocks, so that what is only used by itself around a loop goes too.
func dce(f *ssa.Func, s *Scratch) {
	dropUnreachable(f)
	d := &s.dce
	*d = marker{f: f, live: sized(d.live, len(f.Insts)), block: sized(d.block, len(f.Insts)), work: d.work[:0]}
	params := 0
	for _, b := range f.RPO {
		bd := &f.Blocks[b]
		for _, v := range f.ParamsOf(bd) {
			d.block[v] = b
			if b == 0 {
				d.live[v] = true // the function's own
			}
		}
		params += int(bd.ParamEnd - bd.ParamStart)
		for _, v := range f.OrderOf(bd) {
			if hasEffect(f, &f.Insts[v]) {
				d.mark(v)
			}
		}
		if bd.Ctl != 0 {
			d.mark(bd.Ctl)
		}
		for _, v := range f.ReturnsOf(bd) {
			d.mark(v)
		}
	}
	d.spread()
	live := 0
	for _, b := range f.RPO {
		bd := &f.Blocks[b]
		for _, v := range f.ParamsOf(bd) {
			if d.live[v] {
				live++
			}
		}
		to := bd.InstStart
		for _, v := range f.OrderOf(bd) {
			if !d.live[v] {
				f.Insts[v] = ssa.Inst{Op: ssa.OpNop}
				continue
			}
			f.Order[to] = v
			to++
		}
		bd.InstEnd = to
	}
	d.f = nil
	if live < params {
		s.drop = sized(s.drop, len(f.Insts))
		for _, b := range f.RPO {
			for _, v := range f.ParamsOf(&f.Blocks[b]) {
				if !d.live[v] {
					s.drop[v] = true
					f.Insts[v] = ssa.Inst{Op: ssa.OpNop}
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
	block []ssa.Block // by parameter
	work  []ssa.Value
}

func (d *marker) mark(v ssa.Value) {
	if !d.live[v] {
		d.live[v] = true
		d.work = append(d.work, v)
	}
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
			for _, e := range f.PredsOf(&f.Blocks[d.block[v]]) {
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
