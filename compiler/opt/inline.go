package opt

import (
	"slices"

	"github.com/wasmaot/wasmaot/compiler/abi"
	"github.com/wasmaot/wasmaot/compiler/ssa"
)

// A Body is a small function, optimised, that may stand where it is called. Any number of functions may take it at once.
type Body struct {
	f      ssa.Func
	size   int  // in instructions
	worth  int  // in calls
	called bool // its first parameter is 0: other calls are none of it
}

// Bounds of what is put in the place of calls.
const (
	// MaxInlineSource is the length of the longest body in the wasm file that NewBody needs to be asked about.
	MaxInlineSource = 192

	maxInlineHot = 24 // instructions on the way that is likely
	maxInlineAll = 64 // and in all

	bulkWorth = 5 // calls that one of a function that copies or fills memory is worth: often the length is a constant
)

// NewBody makes a body of f, which has been optimised, nil if it is not small and simple: without loops, without switches
// and, where it is likely to run, without calls, beside which little would be saved. If called is set the first parameter is 0 by Called.
func NewBody(f *ssa.Func, s *Scratch, called bool) *Body {
	outline(f, s)
	hot, all, worth := 0, 0, 1
	for _, b := range f.RPO {
		bd := &f.Blocks[b]
		n := int(bd.InstEnd-bd.InstStart) + 1
		all += n
		if !bd.Cold {
			hot += n
			for _, v := range f.OrderOf(bd) {
				switch f.Insts[v].Op {
				case ssa.OpCall:
					return nil
				case ssa.OpMemCopy, ssa.OpMemFill:
					worth = bulkWorth
				}
			}
		}
		if bd.Kind == ssa.BlockSwitch || hot > maxInlineHot || all > maxInlineAll {
			return nil
		}
		for _, e := range f.SuccsOf(bd) {
			if f.Blocks[e.To].RPO <= bd.RPO {
				return nil
			}
		}
	}
	if f.Blocks[0].Cold {
		return nil
	}
	return &Body{size: all, worth: worth, called: called, f: ssa.Func{
		Index: f.Index, Sig: f.Sig, Insts: slices.Clone(f.Insts), Pos: slices.Clone(f.Pos), Blocks: slices.Clone(f.Blocks),
		Order: slices.Clone(f.Order), Edges: slices.Clone(f.Edges), Lists: slices.Clone(f.Lists), Calls: slices.Clone(f.Calls),
		Vecs: slices.Clone(f.Vecs), RPO: slices.Clone(f.RPO),
	}}
}

// outline replaces what is unlikely and returns by a call of the function itself, which does the same again. That is so where nothing was
// written before.
func outline(f *ssa.Func, s *Scratch) {
	pure := sized(s.drop, len(f.Blocks))
	s.drop = pure
	out := ssa.NoBlock // the block with the call
	var result ssa.Value
	for _, b := range f.RPO {
		bd := &f.Blocks[b]
		if bd.Cold || !isPure(f, bd, pure) {
			continue
		}
		pure[b] = true
		for i := bd.SuccStart; i < bd.SuccEnd; i++ {
			r, ok := onlyReturns(f, f.Edges[i].To, result, maxOutlineDepth)
			if !ok {
				continue
			}
			if out == ssa.NoBlock {
				out, result = callItself(f, r), r
			}
			e := &f.Edges[i]
			e.To, e.ArgEnd = out, e.ArgStart
		}
	}
	if out != ssa.NoBlock {
		f.Analyze(&s.Scratch)
	}
}

// isPure reports whether nothing has been written when a block ends, given that of those before.
func isPure(f *ssa.Func, bd *ssa.BlockData, pure []bool) bool {
	for _, e := range f.PredsOf(bd) {
		if !pure[f.Edges[e].From] {
			return false
		}
	}
	for _, v := range f.OrderOf(bd) {
		if f.Insts[v].Op.Is(ssa.PropWrites | ssa.PropCall) {
			return false
		}
	}
	return true
}

// maxOutlineDepth bounds the blocks one behind the other that onlyReturns looks at.
const maxOutlineDepth = 4

// onlyReturns reports whether all ways from a cold block on end by returning the same constant, that given unless it is 0, and gives it.
func onlyReturns(f *ssa.Func, b ssa.Block, result ssa.Value, depth int) (ssa.Value, bool) {
	bd := &f.Blocks[b]
	switch {
	case !bd.Cold || depth == 0 || bd.Kind == ssa.BlockTrap:
		return 0, false
	case bd.Kind == ssa.BlockReturn:
		r := f.ReturnsOf(bd)
		if len(r) != 1 || f.Insts[r[0]].Op != ssa.OpConst || result != 0 && r[0] != result {
			return 0, false
		}
		return r[0], true
	}
	for _, e := range f.SuccsOf(bd) {
		var ok bool
		if result, ok = onlyReturns(f, e.To, result, depth-1); !ok {
			return 0, false
		}
	}
	return result, true
}

// callItself adds a block that calls the function again, with the same parameters, and returns a constant. The call has no position: it
// is in the place of that which the body is put in the place of.
func callItself(f *ssa.Func, result ssa.Value) ssa.Block {
	c := ssa.Call{Kind: ssa.CallDirect, Callee: f.Index, Sig: f.Sig, ArgStart: uint32(len(f.Lists))}
	f.Lists = append(f.Lists, f.ParamsOf(&f.Blocks[0])...)
	c.ArgEnd = uint32(len(f.Lists))
	f.Lists = append(f.Lists, result)
	f.Calls = append(f.Calls, c)
	at := uint32(len(f.Order))
	f.Order = append(f.Order, f.NewValue(ssa.OpCall, f.Sig.Results[0], uint32(len(f.Calls)-1), 0, 0, 0))
	f.Blocks = append(f.Blocks, ssa.BlockData{Kind: ssa.BlockReturn, Cold: true, InstStart: at, InstEnd: at + 1, RetStart: c.ArgEnd, RetEnd: c.ArgEnd + 1})
	return ssa.Block(len(f.Blocks) - 1)
}

// Called makes the first parameter of f, an I32, 0, and leaves out what that rules out.
func Called(f *ssa.Func, s *Scratch) {
	p := f.ParamsOf(&f.Blocks[0])[0]
	zero := f.Const(abi.I32, 0)
	alias(f, p, zero)
	applyAliases(f)
	f.Insts[p] = ssa.NewInst(ssa.OpParam, abi.I32, 0, 0, 0)
	f.Lists[f.Blocks[0].ParamStart] = p
	for _, b := range f.RPO {
		bd := &f.Blocks[b]
		if bd.Ctl != zero {
			continue
		}
		taken := f.Edges[bd.SuccStart]
		switch bd.Kind {
		case ssa.BlockIf:
			taken = f.Edges[bd.SuccStart+1]
		case ssa.BlockSwitch:
			taken = f.Edges[f.TableOf(bd)[0]]
		default:
			continue
		}
		f.Edges[bd.SuccStart] = taken
		bd.Kind, bd.Ctl, bd.SuccEnd, bd.TabStart, bd.TabEnd = ssa.BlockJump, 0, bd.SuccStart+1, 0, 0
	}
	f.Analyze(&s.Scratch)
}

// Inline puts bodies in the place of calls that are likely to run. It takes one for each callee from find, which may give nil. What is
// called in a body stays a call. Where the bodies are worth fewer calls than least it does nothing.
//
// A function that was put there behaves as if it had been called: its instructions keep their positions, joined with that of
// the call (ssa.Func.Inlined), and what it stores for its callers it still stores.
func Inline(f *ssa.Func, s *Scratch, least int, find func(callee uint32) *Body) {
	in := &s.inline
	if in.findAll(f, find) < max(least, 1) {
		return
	}
	in.f = f
	in.room = len(f.Order) + maxInlineAll
	changed := false
	for b := range ssa.Block(len(f.Blocks)) {
		for next := b; next != ssa.NoBlock; {
			next = in.block(next)
			changed = changed || next != ssa.NoBlock
		}
	}
	if changed {
		f.Analyze(&s.Scratch)
	}
	in.f = nil
	clear(in.bodies)
}

// inliner puts bodies into a function.
type inliner struct {
	f      *ssa.Func
	bodies []*Body     // by call, of those that were there
	room   int         // instructions that the function may yet grow by
	values []ssa.Value // by value of the body: that of the function
	args   []ssa.Value
}

// findAll finds the bodies of all calls, and adds up what they are worth.
func (in *inliner) findAll(f *ssa.Func, find func(callee uint32) *Body) (n int) {
	in.bodies = in.bodies[:0]
	for i := range f.Calls {
		var body *Body
		if c := &f.Calls[i]; c.Kind == ssa.CallDirect && c.Callee != f.Index {
			if body = find(c.Callee); body != nil {
				n += body.worth
			}
		}
		in.bodies = append(in.bodies, body)
	}
	return n
}

// block puts a body in the place of the first call of a block that is worth it, and gives the block with what follows the call.
func (in *inliner) block(b ssa.Block) ssa.Block {
	f := in.f
	bd := &f.Blocks[b]
	if bd.Cold || bd.Kind == ssa.BlockNone {
		return ssa.NoBlock
	}
	for at := bd.InstStart; at < bd.InstEnd; at++ {
		v := f.Order[at]
		if f.Insts[v].Op != ssa.OpCall {
			continue
		}
		body := in.bodies[f.Insts[v].A]
		if body == nil || body.size > in.room || body.called && !in.isZero(f.CallArgs(&f.Calls[f.Insts[v].A])[0]) {
			continue
		}
		in.room -= body.size
		return in.put(b, at, body)
	}
	return ssa.NoBlock
}

func (in *inliner) isZero(v ssa.Value) bool {
	bits, ok := in.f.IsConst(v)
	return ok && bits == 0
}

// put replaces the call at a place in f.Order by a body. The block ends before it, and goes on behind it in a new one.
func (in *inliner) put(b ssa.Block, at uint32, body *Body) (rest ssa.Block) {
	f, g := in.f, &body.f
	call := f.Order[at]
	pos := f.Pos[call]
	rest = in.split(b, at, call)
	first := ssa.Block(len(f.Blocks)) // of the copies
	in.mapValues(f.CallArgs(&f.Calls[f.Insts[call].A]), g)

	in.jump(b, first+ssa.Block(g.Blocks[0].RPO), nil, pos)
	for _, gb := range g.RPO {
		in.copyBlock(g, &g.Blocks[gb], first, pos)
	}
	in.leave(g, first, rest, call)
	return rest
}

// split moves what follows the call into a block of its own. The call's results become its parameters.
func (in *inliner) split(b ssa.Block, at uint32, call ssa.Value) (rest ssa.Block) {
	f := in.f
	rest = ssa.Block(len(f.Blocks))
	bd := f.Blocks[b]
	for i := bd.SuccStart; i < bd.SuccEnd; i++ {
		f.Edges[i].From = rest
	}
	bd.InstStart = at + 1
	bd.ParamStart, bd.ParamEnd = in.results(call, &bd.InstStart, bd.InstEnd)
	f.Blocks = append(f.Blocks, bd)

	old := &f.Blocks[b]
	*old = ssa.BlockData{InstStart: old.InstStart, InstEnd: at, ParamStart: old.ParamStart, ParamEnd: old.ParamEnd, Cold: old.Cold, RPO: old.RPO}
	return rest
}

// results lists the values of a call's results, those that have none yet too, and steps over the instructions for them.
func (in *inliner) results(call ssa.Value, at *uint32, end uint32) (first, last uint32) {
	f := in.f
	first = uint32(len(f.Lists))
	for i, t := range f.Calls[f.Insts[call].A].Sig.Results {
		v := call
		if i > 0 {
			v = f.NewValue(ssa.OpNop, t, 0, 0, 0, 0)
		}
		f.Lists = append(f.Lists, v)
	}
	for ; *at < end; *at++ {
		v := f.Order[*at]
		r := &f.Insts[v]
		if r.Op != ssa.OpResult || ssa.Value(r.A) != call {
			break
		}
		f.Lists[first+r.B] = v
	}
	return first, uint32(len(f.Lists))
}

// jump ends block b.
func (in *inliner) jump(b, to ssa.Block, args []ssa.Value, pos uint32) {
	f := in.f
	bd := &f.Blocks[b]
	start := uint32(len(f.Lists))
	f.Lists = append(f.Lists, args...)
	bd.Kind, bd.Pos, bd.Ctl = ssa.BlockJump, pos, 0
	bd.RetStart, bd.RetEnd = 0, 0
	bd.SuccStart, bd.SuccEnd = uint32(len(f.Edges)), uint32(len(f.Edges))+1
	f.Edges = append(f.Edges, ssa.EdgeData{From: b, To: to, ArgStart: start, ArgEnd: uint32(len(f.Lists))})
}

// mapValues gives the body's parameters and constants their values; the others get theirs with their instructions.
func (in *inliner) mapValues(args []ssa.Value, g *ssa.Func) {
	f := in.f
	in.values = sized(in.values, len(g.Insts))
	for i, p := range g.ParamsOf(&g.Blocks[0]) {
		in.values[p] = args[i]
	}
	for _, b := range g.RPO[1:] {
		for _, p := range g.ParamsOf(&g.Blocks[b]) {
			in.values[p] = f.NewValue(ssa.OpParam, g.Insts[p].Type, g.Insts[p].A, 0, 0, 0)
		}
	}
}

// value is the function's value for one of the body.
func (in *inliner) value(g *ssa.Func, v ssa.Value) ssa.Value {
	if w := in.values[v]; w != 0 || v == 0 {
		return w
	}
	c := &g.Insts[v] // a constant: all else that is used has come before
	if c.Type == abi.V128 {
		in.values[v] = in.f.VecConst(g.Vecs[c.A])
	} else {
		in.values[v] = in.f.Const(c.Type, c.ConstBits())
	}
	return in.values[v]
}

// list copies values to the end of Func.Lists.
func (in *inliner) list(g *ssa.Func, from []ssa.Value) (start, end uint32) {
	f := in.f
	start = uint32(len(f.Lists))
	for _, v := range from {
		w := in.value(g, v)
		f.Lists = append(f.Lists, w)
	}
	return start, uint32(len(f.Lists))
}

// copyBlock appends a copy of a block. It keeps the returns of the body for leave.
func (in *inliner) copyBlock(g *ssa.Func, gd *ssa.BlockData, first ssa.Block, call uint32) {
	f := in.f
	bd := ssa.BlockData{Kind: gd.Kind, Trap: gd.Trap, Cold: gd.Cold, InstStart: uint32(len(f.Order))}
	if gd.RPO > 0 {
		bd.ParamStart, bd.ParamEnd = in.list(g, g.ParamsOf(gd))
	}
	for _, v := range g.OrderOf(gd) {
		i := g.Insts[v]
		if i.Op == ssa.OpNop {
			continue
		}
		use := i.Op.Uses()
		for n, x := range i.Operands() {
			if use&(1<<n) != 0 {
				*x = uint32(in.value(g, ssa.Value(*x)))
			}
		}
		if i.Op == ssa.OpCall {
			c := g.Calls[i.A]
			c.ArgStart, c.ArgEnd = in.list(g, g.CallArgs(&c))
			i.A = uint32(len(f.Calls))
			f.Calls = append(f.Calls, c)
		}
		w := ssa.Value(len(f.Insts))
		f.Insts = append(f.Insts, i)
		if g.Pos[v] == 0 && i.Op == ssa.OpCall {
			f.Pos = append(f.Pos, call) // see callItself
		} else {
			f.Pos = append(f.Pos, f.InlinedPos(g.Pos[v], call))
		}
		f.Order = append(f.Order, w)
		in.values[v] = w
	}
	bd.InstEnd = uint32(len(f.Order))
	bd.Pos = f.InlinedPos(gd.Pos, call)
	bd.Ctl = in.value(g, gd.Ctl)
	bd.RetStart, bd.RetEnd = in.list(g, g.ReturnsOf(gd))
	bd.SuccStart = uint32(len(f.Edges))
	for _, e := range g.SuccsOf(gd) {
		e.From, e.To = ssa.Block(len(f.Blocks)), first+ssa.Block(g.Blocks[e.To].RPO)
		start := uint32(len(f.Lists))
		for _, v := range g.ArgsOf(&e) {
			w := in.value(g, v)
			f.Lists = append(f.Lists, w)
		}
		e.ArgStart, e.ArgEnd = start, uint32(len(f.Lists))
		f.Edges = append(f.Edges, e)
	}
	bd.SuccEnd = uint32(len(f.Edges))
	f.Blocks = append(f.Blocks, bd)
}

// leave lets the copied returns lead to what follows the call. Where that is nothing but a branch on the result, as in modules
// built by Go, returns of constants go where the branch would.
func (in *inliner) leave(g *ssa.Func, first, rest ssa.Block, call ssa.Value) {
	f := in.f
	zeros := true // all that is brought to the rest
	for i := range g.RPO {
		b := first + ssa.Block(i)
		bd := &f.Blocks[b]
		if bd.Kind != ssa.BlockReturn {
			continue
		}
		in.args = append(in.args[:0], f.ReturnsOf(bd)...)
		if to, ok := in.unwinds(&f.Blocks[rest], call); ok {
			if bits, isConst := f.IsConst(in.args[0]); isConst && bits != 0 {
				in.jump(b, to, nil, bd.Pos)
				continue
			}
		}
		zeros = zeros && len(in.args) > 0 && in.isZero(in.args[0])
		in.jump(b, rest, in.args, bd.Pos)
	}
	if _, ok := in.unwinds(&f.Blocks[rest], call); ok && zeros {
		rd := &f.Blocks[rest]
		rd.Kind, rd.Ctl = ssa.BlockJump, 0
		rd.SuccStart++
	}
	f.Insts[call] = ssa.NewInst(ssa.OpParam, f.Insts[call].Type, 0, 0, 0)
	params := f.ParamsOf(&f.Blocks[rest])
	for i, v := range params {
		f.Insts[v] = ssa.NewInst(ssa.OpParam, f.Insts[v].Type, uint32(i), 0, 0)
	}
	if len(params) == 0 {
		f.Insts[call] = ssa.NewInst(ssa.OpNop, abi.Void, 0, 0, 0)
	}
}

// unwinds reports whether a block that begins with the result of a call does no more than go to another one if that is not 0, and
// which, one that only returns constants.
func (in *inliner) unwinds(rest *ssa.BlockData, result ssa.Value) (ssa.Block, bool) {
	f := in.f
	if rest.Kind != ssa.BlockIf || rest.Ctl != result {
		return 0, false
	}
	for _, v := range f.OrderOf(rest) {
		if f.Insts[v].Op != ssa.OpGlobal {
			return 0, false
		}
	}
	to := f.Edges[rest.SuccStart].To
	td := &f.Blocks[to]
	if td.Kind != ssa.BlockReturn || td.InstStart != td.InstEnd || td.ParamStart != td.ParamEnd {
		return 0, false
	}
	for _, v := range f.ReturnsOf(td) {
		if f.Insts[v].Op != ssa.OpConst {
			return 0, false
		}
	}
	return to, true
}
