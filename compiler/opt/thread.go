package opt

import (
	"github.com/wasmaot/wasmaot/compiler/abi"
	"github.com/wasmaot/wasmaot/compiler/ssa"
)

// thread simplifies the flow from block to block: branches on what an edge says are taken at once, block parameters that are always the same
// value are replaced by it, and blocks merge with the only one that leads to them.
//
// Blocks that only lead on stay, but on the way to such branches: they cost the later passes less than the analysis after they are gone, are
// the places for moves, and if there are none nothing is left of them in the end.
func thread(f *ssa.Func, s *Scratch) {
	changed := skipBlocks(f, s)
	if changed {
		f.Reach(&s.Scratch) // the rest asks for no more
	}
	replaced := redundantParams(f, s)
	if mergeBlocks(f, s) {
		changed = true
	} else if replaced {
		applyAliases(f)
	}
	if changed {
		f.Analyze(&s.Scratch)
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

// skipper knows which blocks do no more than lead on or decide where to.
type skipper struct {
	f     *ssa.Func
	short []shortness // by block
	home  []ssa.Block // by value: the short block that defines it, or 0
	leaks bool        // short tells about leaks
	limit int         // length of Func.Lists that may not be exceeded
	work  int         // values that may still be taken along paths

	path []pathStep
	args []ssa.Value // of the blocks on the path
}

// shortness says whether a block can be looked through.
type shortness uint8

const (
	notShort  shortness = iota
	isLeaky             // short, but what it defines is used elsewhere
	isPrivate           // short
)

// pathStep is a short block on the way from an edge; args[start:end] are its parameters' values.
type pathStep struct {
	block      ssa.Block
	start, end int
}

const (
	maxSkips = 16 // blocks skipped on one edge
	maxShort = 4  // instructions of a block that is looked through: cmp, zext, eqz, eqz of Go's conditions
)

// skipBlocks leads edges past branches that are decided by the edge's arguments, and past blocks on the way to these that only lead on.
func skipBlocks(f *ssa.Func, s *Scratch) bool {
	k := &s.skip
	k.f = f
	k.leaks = false
	k.limit = 2*len(f.Lists) + 256
	k.work = 16 * (len(f.Lists) + len(f.Edges))
	defer func() { k.f = nil }()
	if !k.findShort() {
		return false
	}
	changed := false
	for _, b := range f.RPO {
		bd := &f.Blocks[b]
		if bd.Kind == ssa.BlockSwitch {
			continue // may have one edge only to each block
		}
		for e := bd.SuccStart; e < bd.SuccEnd; e++ {
			if k.short[f.Edges[e].To] != notShort {
				changed = k.skip(e) || changed
			}
		}
	}
	return changed
}

// findShort marks what short blocks define, and reports whether there are branches among them.
func (k *skipper) findShort() (found bool) {
	f := k.f
	k.home = sized(k.home, len(f.Insts))
	k.short = sized(k.short, len(f.Blocks))
	for _, b := range f.RPO {
		bd := &f.Blocks[b]
		if b == 0 || !isShort(f, bd) {
			continue
		}
		found = found || bd.Kind == ssa.BlockIf
		k.short[b] = isPrivate
		for _, v := range f.ParamsOf(bd) {
			k.home[v] = b
		}
		for _, v := range f.OrderOf(bd) {
			k.home[v] = b
		}
	}
	return found
}

// isShort reports whether a block is empty and leads on, or computes from numbers where to go and
// nothing else.
func isShort(f *ssa.Func, bd *ssa.BlockData) bool {
	n := bd.InstEnd - bd.InstStart
	switch bd.Kind {
	case ssa.BlockJump:
		return n == 0
	case ssa.BlockIf:
		if n > maxShort {
			return false
		}
		for _, v := range f.OrderOf(bd) {
			if op := f.Insts[v].Op; op < ssa.OpAdd || op > ssa.OpBitcast || op.Is(ssa.PropTraps) {
				return false
			}
		}
		return true
	}
	return false
}

// findLeaks marks short blocks whose values are used elsewhere, which is below them in the dominator tree.
func (k *skipper) findLeaks() {
	f := k.f
	end := uint32(0) // of what is below the short blocks so far
	for i, b := range f.DomTree {
		bd := &f.Blocks[b]
		if k.short[b] != notShort && (bd.ParamStart != bd.ParamEnd || bd.InstStart != bd.InstEnd) {
			end = max(end, bd.DomOut)
		}
		if uint32(i) >= end {
			continue
		}
		for _, v := range f.OrderOf(bd) {
			in := &f.Insts[v]
			use := in.Op.Uses()
			if use&1 != 0 {
				k.use(b, ssa.Value(in.A))
			}
			if use&2 != 0 {
				k.use(b, ssa.Value(in.B))
			}
			if use&4 != 0 {
				k.use(b, ssa.Value(in.C))
			}
			if in.Op == ssa.OpCall {
				k.useAll(b, f.CallArgs(&f.Calls[in.A]))
			}
		}
		k.use(b, bd.Ctl)
		k.useAll(b, f.ReturnsOf(bd))
		for e := bd.SuccStart; e < bd.SuccEnd; e++ {
			k.useAll(b, f.ArgsOf(&f.Edges[e]))
		}
	}
}

func (k *skipper) use(b ssa.Block, v ssa.Value) {
	if home := k.home[v]; home != b && home != 0 {
		k.short[home] = isLeaky
	}
}

func (k *skipper) useAll(b ssa.Block, vs []ssa.Value) {
	for _, v := range vs {
		k.use(b, v)
	}
}

// skippable reports whether an edge may lead past short block mid to a block. What mid defines must not
// be used there: either mid does not dominate the block, then whatever is below uses mid's
// values only after another visit to it, or no one but mid uses them.
func (k *skipper) skippable(mid, to ssa.Block) bool {
	if !k.leaks { // most often no one asks; no edge has been changed so far
		k.leaks = true
		k.findLeaks()
	}
	return k.short[mid] == isPrivate || !k.f.Dominates(mid, to)
}

// skip leads edge e as far along short blocks as the way is known and values allow, if a branch is decided on it.
// Dominators and uses are those from before the pass, which is right: a way through the
// new graph is one through the old graph with short blocks left out, see skippable.
func (k *skipper) skip(e uint32) bool {
	f := k.f
	to := f.Edges[e].To
	k.path = k.path[:0]
	k.args = append(k.args[:0], f.ArgsOf(&f.Edges[e])...)
	start, bestStart, bestEnd := 0, 0, 0
	best, decided := ssa.NoBlock, false
	for len(k.path) < maxSkips && k.short[to] != notShort && !k.onPath(to) && k.work > 0 {
		mid := &f.Blocks[to]
		k.path = append(k.path, pathStep{to, start, len(k.args)})
		next := mid.SuccStart
		if mid.Kind == ssa.BlockIf {
			c, ok := k.number(mid.Ctl)
			if !ok || mid.Header == to {
				break // entered behind its header a loop would have two entries
			}
			if c == 0 {
				next++
			}
			decided = true
		}
		args := f.ArgsOf(&f.Edges[next])
		k.work -= 1 + len(args)
		if mid.Header == to && (mid.ParamStart != mid.ParamEnd || len(args) > 0) {
			break // some edges to the header might stay
		}
		start = len(k.args)
		if !k.takeAlong(args) {
			break
		}
		to = f.Edges[next].To
		if decided && k.pathSkippable(to) {
			best, bestStart, bestEnd = to, start, len(k.args)
		}
	}
	if best == ssa.NoBlock || len(f.Lists)+bestEnd-bestStart > k.limit {
		return false
	}
	d := &f.Edges[e]
	d.To = best
	d.ArgStart, d.ArgEnd = f.AddList(k.args[bestStart:bestEnd])
	return true
}

func (k *skipper) onPath(b ssa.Block) bool {
	for i := range k.path {
		if k.path[i].block == b {
			return true
		}
	}
	return false
}

func (k *skipper) pathSkippable(to ssa.Block) bool {
	for i := range k.path {
		if !k.skippable(k.path[i].block, to) {
			return false
		}
	}
	return true
}

// takeAlong appends what the values are for those that come along the path, unless one is not
// known before it.
func (k *skipper) takeAlong(vs []ssa.Value) bool {
	for _, v := range vs {
		step := k.stepOf(v)
		if step != nil {
			if in := &k.f.Insts[v]; in.Op == ssa.OpParam {
				v = k.args[step.start+int(in.A)]
			} else if c, ok := k.number(v); ok {
				v = k.f.Const(in.Type, c)
			} else {
				return false
			}
		}
		k.args = append(k.args, v)
	}
	return true
}

// stepOf gives the block on the path that defines v, which may be a constant made since.
func (k *skipper) stepOf(v ssa.Value) *pathStep {
	if int(v) >= len(k.home) || k.home[v] == 0 {
		return nil
	}
	for i := range k.path {
		if k.path[i].block == k.home[v] {
			return &k.path[i]
		}
	}
	return nil
}

// number computes v for those that come along the path.
func (k *skipper) number(v ssa.Value) (uint64, bool) {
	f := k.f
	step := k.stepOf(v)
	in := f.Insts[v]
	switch {
	case step == nil:
		return f.IsConst(v)
	case in.Op == ssa.OpParam:
		return f.IsConst(k.args[step.start+int(in.A)])
	case in.Type.IsFloat():
		return 0, false // which NaN it is depends on the machine
	}
	a, ok := k.number(ssa.Value(in.A))
	b := uint64(0)
	if ok && in.Op.Uses()&2 != 0 {
		b, ok = k.number(ssa.Value(in.B))
	}
	from := f.Insts[in.A].Type
	if !ok || from == abi.V128 {
		return 0, false
	}
	c, trap, ok := ssa.Scalar(in.Op, in.Type, from, a, b)
	return c, ok && trap == 0
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
		out = appendResolved(out, f, bd)
		for next := onlyNext(bd); next != ssa.NoBlock && next != b; next = onlyNext(bd) {
			t := &f.Blocks[next]
			out = appendResolved(out, f, t)
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
	finishAliases(f)
	return true
}
