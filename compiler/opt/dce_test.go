package opt

import "github.com/wasmaot/wasmaot/compiler/ssa"

// sweep is no pass of the pipeline: instruction selection leaves out by itself what no one uses. Cases in testdata show by it what
// other passes have left without users.
var sweep = Pass{"dce", func(f *ssa.Func, s *Scratch) {
	live := map[ssa.Value]bool{0: true}
	var work []ssa.Value
	mark := func(vs ...ssa.Value) {
		for _, v := range vs {
			if !live[v] {
				live[v] = true
				work = append(work, v)
			}
		}
	}
	home := map[ssa.Value]ssa.Block{} // of parameters
	for _, b := range f.RPO {
		bd := &f.Blocks[b]
		mark(bd.Ctl)
		mark(f.ReturnsOf(bd)...)
		for _, v := range f.ParamsOf(bd) {
			home[v] = b
		}
		for _, v := range f.OrderOf(bd) {
			if f.HasEffect(&f.Insts[v]) {
				mark(v)
			}
		}
	}
	for len(work) > 0 {
		v := work[len(work)-1]
		work = work[:len(work)-1]
		switch in := &f.Insts[v]; in.Op {
		case ssa.OpParam:
			for _, e := range f.PredsOf(&f.Blocks[home[v]]) {
				mark(f.ArgsOf(&f.Edges[e])[in.A])
			}
		case ssa.OpCall:
			mark(f.CallArgs(&f.Calls[in.A])...)
		default:
			a, b, c := in.Values()
			mark(a, b, c)
		}
	}
	s.drop = sized(s.drop, len(f.Insts))
	for _, b := range f.RPO {
		bd := &f.Blocks[b]
		for _, v := range f.ParamsOf(bd) {
			if s.drop[v] = b != 0 && !live[v]; s.drop[v] {
				f.Insts[v] = ssa.Nop()
			}
		}
		to := bd.InstStart
		for _, v := range f.OrderOf(bd) {
			if !live[v] {
				f.Insts[v] = ssa.Nop()
				continue
			}
			f.Order[to] = v
			to++
		}
		bd.InstEnd = to
	}
	removeParams(f, s)
}}
