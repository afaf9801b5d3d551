package opt

import "github.com/wasmaot/wasmaot/compiler/ssa"

// thread simplifies the flow from block to block: edges skip blocks that only lead on,
// branches on what the edge says are taken at once, block parameters that are always the same
// value are replaced by it, and blocks merge with the only one that leads to them.
func thread(f *ssa.Func, s *Scratch) {
	dropUnreachable(f)
	replaced := redundantParams(f, s)
	skipped := skipBlocks(f, s)
	if skipped {
		reanalyse(f, s)
		replaced = redundantParams(f, s) || replaced
	}
	if mergeBlocks(f, s) {
		reanalyse(f, s)
	} else if replaced {
		applyAliases(f)
	}
}

// maxSweeps bounds how often redundantParams looks at all parameters: going through the
// blocks in both directions, one round is mostly enough.
const maxSweeps = 6

// redundantParams replaces parameters for which all edges bring the same value (or
// the parameter itself) by that value. Uses are left to be resolved.
func redundantParams(f *ssa.Func, s *Scratch) bool {
	found := 0
	for sweep := range maxSweeps {
		before := found
		for i := range f.RPO {
			if sweep&1 == 0 {
				i = len(f.RPO) - 1 - i // loops from the inside
			}
			found += redundantParamsOf(f, f.RPO[i])
		}
		if found == before {
			break
		}
	}
	if found == 0 {
		return false
	}
	s.drop = sized(s.drop, len(f.Insts))
	for _, b := range f.RPO {
		for _, p := range f.ParamsOf(&f.Blocks[b]) {
			s.drop[p] = f.Insts[p].Flags&ssa.FlagAliased != 0
		}
	}
	removeParams(f, s)
	return true
}

func redundantParamsOf(f *ssa.Func, b ssa.Block) (found int) {
	bd := &f.Blocks[b]
	preds := f.PredsOf(bd)
	if b == 0 || len(preds) == 0 {
		return 0
	}
	for i, p := range f.ParamsOf(bd) {
		if f.Insts[p].Flags&ssa.FlagAliased != 0 {
			continue
		}
		same := ssa.Value(0)
		for _, e := range preds {
			arg := resolve(f, f.Lists[f.Edges[e].ArgStart+uint32(i)])
			if arg == p || arg == same {
				continue
			}
			if same != 0 {
				same = 0
				break
			}
			same = arg
		}
		if same != 0 {
			alias(f, p, same)
			found++
		}
	}
	return found
}

// skipper knows which blocks do nothing but lead on.
type skipper struct {
	f     *ssa.Func
	s     *Scratch
	uses  []uint32 // of parameters of empty blocks, outside those blocks
	limit int      // length of Func.Lists that may not be exceeded
}

// maxSkips bounds the blocks skipped on one edge.
const maxSkips = 16

// skipBlocks leads edges to where empty blocks lead on to. An empty block with parameters
// can be skipped if they serve only its own end; values are passed on the edge then.
func skipBlocks(f *ssa.Func, s *Scratch) bool {
	empty := false
	for _, b := range f.RPO[1:] {
		if bd := &f.Blocks[b]; isEmpty(f, bd) && (bd.Kind == ssa.BlockJump || bd.Kind == ssa.BlockIf) {
			empty = true
			break
		}
	}
	if !empty {
		return false
	}
	k := &skipper{f: f, s: s, limit: 2*len(f.Lists) + 256}
	k.countUses()
	s.stamp = sized(s.stamp, len(f.Blocks))
	s.edge = sized(s.edge, len(f.Blocks))
	changed := false
	for i, b := range f.RPO {
		bd := &f.Blocks[b]
		if bd.Kind == ssa.BlockSwitch {
			changed = k.skipSwitch(bd, uint32(i)+1) || changed
			continue
		}
		for e := bd.SuccStart; e < bd.SuccEnd; e++ {
			for range maxSkips {
				if !k.skip(bd, e) {
					break
				}
				changed = true
			}
		}
	}
	return changed
}

func isEmpty(f *ssa.Func, bd *ssa.BlockData) bool {
	for _, v := range f.OrderOf(bd) {
		if f.Insts[v].Op != ssa.OpNop {
			return false
		}
	}
	return true
}

// countUses counts the uses of values in instructions, on edges and at ends, but those of an
// empty block's parameters by that block.
func (k *skipper) countUses() {
	f := k.f
	k.s.uses = sized(k.s.uses, len(f.Insts))
	k.uses = k.s.uses
	for _, b := range f.RPO {
		bd := &f.Blocks[b]
		for _, v := range f.OrderOf(bd) {
			in := &f.Insts[v]
			resolveOperands(f, in)
			use := in.Op.Uses()
			for i, x := range in.Operands() {
				if use>>i&1 != 0 {
					k.uses[*x]++
				}
			}
			if in.Op == ssa.OpCall {
				for _, a := range f.CallArgs(&f.Calls[in.A]) {
					k.uses[resolve(f, a)]++
				}
			}
		}
		var own []ssa.Value
		if isEmpty(f, bd) {
			own = f.ParamsOf(bd)
		}
		bd.Ctl = k.count(bd.Ctl, own)
		for _, e := range f.SuccsOf(bd) {
			for _, a := range f.ArgsOf(&e) {
				k.count(a, own)
			}
		}
		for _, v := range f.ReturnsOf(bd) {
			k.count(v, own)
		}
	}
}

// count counts a use unless the value is one of own.
func (k *skipper) count(v ssa.Value, own []ssa.Value) ssa.Value {
	v = resolve(k.f, v)
	if in := &k.f.Insts[v]; in.Op != ssa.OpParam || int(in.A) >= len(own) || own[in.A] != v {
		k.uses[v]++
	}
	return v
}

// private reports whether the parameters of an empty block are used by its own end only.
func (k *skipper) private(bd *ssa.BlockData) bool {
	for _, p := range k.f.ParamsOf(bd) {
		if k.uses[p] != 0 {
			return false
		}
	}
	return true
}

// skip leads edge e of block bd past its target if that is possible.
func (k *skipper) skip(bd *ssa.BlockData, e uint32) bool {
	f := k.f
	via := f.Edges[e].To
	mid := &f.Blocks[via]
	if mid.Kind != ssa.BlockJump && mid.Kind != ssa.BlockIf || !isEmpty(f, mid) || !k.private(mid) {
		return false
	}
	next := mid.SuccStart
	if mid.Kind == ssa.BlockIf {
		ctl := k.argument(e, mid, mid.Ctl)
		c, ok := f.IsConst(ctl)
		if !ok {
			return false
		}
		if c == 0 {
			next++
		}
	}
	to := f.Edges[next].To
	n := int(f.Edges[next].ArgEnd - f.Edges[next].ArgStart)
	if to == via || len(f.Lists)+n > k.limit {
		return false
	}
	if mid.Kind == ssa.BlockJump && n > 0 && bd.Kind != ssa.BlockJump {
		return false // mid is the place for the moves
	}
	start := uint32(len(f.Lists))
	for i := range uint32(n) {
		f.Lists = append(f.Lists, k.argument(e, mid, f.Lists[f.Edges[next].ArgStart+i]))
	}
	f.Edges[e].To, f.Edges[e].ArgStart, f.Edges[e].ArgEnd = to, start, uint32(len(f.Lists))
	return true
}

// argument gives what v is for those that come to block mid by edge e.
func (k *skipper) argument(e uint32, mid *ssa.BlockData, v ssa.Value) ssa.Value {
	f := k.f
	v = resolve(f, v)
	if in := &f.Insts[v]; in.Op == ssa.OpParam && mid.ParamStart < mid.ParamEnd {
		if params := f.ParamsOf(mid); int(in.A) < len(params) && params[in.A] == v {
			return resolve(f, f.Lists[f.Edges[e].ArgStart+in.A])
		}
	}
	return v
}

// skipSwitch is skip for all edges of a switch, which must have one edge only to each
// block. Only targets without parameters are looked through. The stamp is the switch's own.
func (k *skipper) skipSwitch(bd *ssa.BlockData, stamp uint32) bool {
	f, seen, kept := k.f, k.s.stamp, k.s.edge
	changed := false
	for e := bd.SuccStart; e < bd.SuccEnd; e++ {
		for range maxSkips {
			via := f.Edges[e].To
			mid := &f.Blocks[via]
			if mid.Kind != ssa.BlockJump || mid.ParamStart != mid.ParamEnd || !isEmpty(f, mid) {
				break
			}
			next := &f.Edges[mid.SuccStart]
			if next.ArgStart != next.ArgEnd || next.To == via {
				break
			}
			f.Edges[e].To = next.To
			f.Edges[e].ArgStart, f.Edges[e].ArgEnd = 0, 0
			changed = true
		}
	}
	if !changed {
		return false
	}
	// An edge to a block that has one already gives way to that; without parameters they
	// are alike.
	target := sized(k.s.target, int(bd.SuccEnd-bd.SuccStart))
	k.s.target = target
	end := bd.SuccStart
	for e := bd.SuccStart; e < bd.SuccEnd; e++ {
		to := f.Edges[e].To
		if seen[to] != stamp {
			seen[to], kept[to] = stamp, ssa.Edge(end)
			f.Edges[end] = f.Edges[e]
			end++
		}
		target[e-bd.SuccStart] = kept[to]
	}
	for i, e := range f.TableOf(bd) {
		f.Tables[bd.TabStart+uint32(i)] = target[uint32(e)-bd.SuccStart]
	}
	bd.SuccEnd = end
	return true
}

// mergeBlocks appends to each block the chain of blocks that only it leads to, and resolves
// all aliases. If there are no such blocks it does nothing.
func mergeBlocks(f *ssa.Func, s *Scratch) bool {
	// onlyNext gives the block that b alone leads to, and only that.
	onlyNext := func(bd *ssa.BlockData) ssa.Block {
		if bd.Kind != ssa.BlockJump {
			return ssa.NoBlock
		}
		to := f.Edges[bd.SuccStart].To
		if t := &f.Blocks[to]; t.PredEnd-t.PredStart != 1 {
			return ssa.NoBlock
		}
		return to
	}
	merged := false
	s.stamp = sized(s.stamp, len(f.Blocks)) // 1: has become part of another
	for _, b := range f.RPO {
		bd := &f.Blocks[b]
		if next := onlyNext(bd); next != ssa.NoBlock && next != b {
			merged = true
			s.stamp[next] = 1
			args := f.ArgsOf(&f.Edges[bd.SuccStart])
			for i, p := range f.ParamsOf(&f.Blocks[next]) {
				alias(f, p, resolve(f, args[i]))
			}
		}
	}
	if !merged {
		return false
	}
	out := s.order[:0]
	for _, b := range f.RPO {
		if s.stamp[b] != 0 {
			continue
		}
		bd := &f.Blocks[b]
		start := uint32(len(out))
		out = append(out, f.OrderOf(bd)...)
		for next := onlyNext(bd); next != ssa.NoBlock && next != b; next = onlyNext(bd) {
			t := &f.Blocks[next]
			out = append(out, f.OrderOf(t)...)
			bd.Kind, bd.Trap, bd.Ctl, bd.Pos, bd.Cold = t.Kind, t.Trap, t.Ctl, t.Pos, bd.Cold || t.Cold
			bd.RetStart, bd.RetEnd, bd.SuccStart, bd.SuccEnd, bd.TabStart, bd.TabEnd = t.RetStart, t.RetEnd, t.SuccStart, t.SuccEnd, t.TabStart, t.TabEnd
			*t = ssa.BlockData{}
		}
		bd.InstStart, bd.InstEnd = start, uint32(len(out))
		for e := bd.SuccStart; e < bd.SuccEnd; e++ {
			f.Edges[e].From = b
		}
	}
	f.Order, s.order = out, f.Order
	applyAliases(f)
	return true
}
