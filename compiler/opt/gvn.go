package opt

import (
	"math/bits"

	"github.com/wasmaot/wasmaot/compiler/abi"
	"github.com/wasmaot/wasmaot/compiler/ssa"
	"github.com/wasmaot/wasmaot/internal/lazy"
)

// valueTable finds an instruction equal to another by open addressing.
type valueTable struct {
	slots []ssa.Value // small for a small function, so that they stay in the cache; 0 is free
	fact  []fact      // by value
	block []ssa.Block // by value
}

// fact is what a branch tells of its condition: in block and what it dominates the condition
// is known to be zero or not. Block 0 stands for no fact: no branch leads to the entry.
type fact struct {
	block ssa.Block
	true  bool
}

// numbered marks the ops that always give the same for the same operands; if they trap, then the
// first one did.
var numbered lazy.Value[*[ssa.OpCount]bool]

func makeNumbered() *[ssa.OpCount]bool {
	t := new([ssa.OpCount]bool)
	for op := range t {
		in := &ssa.Ops[op]
		none := in.Types[len(in.Types)-1] == '>'
		t[op] = !none && op != int(ssa.OpResult) && in.Props&(ssa.PropReads|ssa.PropWrites|ssa.PropCall|ssa.PropNoOrder) == 0
	}
	return t
}

// gvn replaces an instruction by an equal one that dominates it, and branches on what an
// earlier branch on the same condition has decided.
//
// In preorder of the dominator tree one entry for each distinct instruction is enough: one that
// does not dominate the present block will never be of use again.
func gvn(f *ssa.Func, s *Scratch) {
	numbered := numbered.Get(makeNumbered)
	t := &s.gvn
	t.reset(len(f.Order))
	t.fact = sized(t.fact, len(f.Insts))
	t.block = sized(t.block, len(f.Insts))
	changed := false
	for _, b := range f.DomTree {
		bd := &f.Blocks[b]
		t.learn(f, b)
		seldom := isSeldom(bd) // the search would cost more than it gives
		to := bd.InstStart
		for _, v := range f.OrderOf(bd) {
			in := &f.Insts[v]
			if in.Op == ssa.OpNop {
				continue
			}
			resolveOperands(f, in)
			if !seldom && numbered[in.Op] || in.Op == ssa.OpTabSize && isFixed(f.Module, in.A) {
				t.block[v] = b
				slot := t.find(f, in)
				if w := *slot; w != 0 && f.Dominates(t.block[w], b) {
					alias(f, v, w)
					continue
				}
				*slot = v
			}
			f.Order[to] = v
			to++
		}
		bd.InstEnd = to
		bd.Ctl = resolve(f, bd.Ctl)
		if bd.Kind == ssa.BlockIf {
			if isTrue, ok := t.decided(f, b); ok {
				taken := bd.SuccStart
				if !isTrue {
					taken++
				}
				alwaysTake(bd, taken)
				changed = true
			}
		}
	}
	finishAliases(f)
	if changed {
		f.Analyze(&s.Scratch)
	}
}

// isFixed reports whether the length of a table never changes.
func isFixed(m *ssa.Module, table uint32) bool {
	return m != nil && int(table) < len(m.TableFixed) && m.TableFixed[table]
}

// reset empties the table and makes room for n entries.
func (t *valueTable) reset(n int) {
	size := 1 << bits.Len(uint(n+n/2+2)) // at most two thirds will be taken
	if size > cap(t.slots) {
		t.slots = make([]ssa.Value, size)
	}
	t.slots = t.slots[:size]
	clear(t.slots) // new ones too: a page that is read first is mapped a second time when it is written, at the cost of an interrupt
}

// find gives the slot of an instruction equal to in, or the one where it belongs.
func (t *valueTable) find(f *ssa.Func, in *ssa.Inst) *ssa.Value {
	a, b := in.A, in.B
	swap := in.Op.Is(ssa.PropCommutes) && canSwap(f, in)
	if swap && a > b {
		a, b = b, a
	}
	h := ssa.Hash(uint64(a)|uint64(b)<<32, uint64(in.C)|uint64(in.Op)<<32|uint64(in.Type)<<48)
	mask := len(t.slots) - 1
	for i := int(h) & mask; ; i = (i + 1) & mask {
		s := &t.slots[i]
		if *s == 0 {
			return s
		}
		o := &f.Insts[*s]
		if o.Op != in.Op || o.Type != in.Type || o.Flags != in.Flags || o.C != in.C {
			continue
		}
		if o.A == in.A && o.B == in.B || swap && o.A == in.B && o.B == in.A {
			return s
		}
	}
}

// canSwap reports whether the operands' order does not matter for any bit of the result:
// with floats it may decide which NaN comes out.
func canSwap(f *ssa.Func, in *ssa.Inst) bool {
	return in.Op.Is(ssa.PropCompare) || !in.Type.IsFloat()
}

// learn notes what is known in block b because of the branch that leads to it.
func (t *valueTable) learn(f *ssa.Func, b ssa.Block) {
	preds := f.PredsOf(&f.Blocks[b])
	if len(preds) != 1 {
		return
	}
	e := preds[0]
	from := &f.Blocks[f.Edges[e].From]
	if from.Kind == ssa.BlockIf && (f.Insts[from.Ctl].Op != ssa.OpConst) {
		ctl, inverted := negated(f, from.Ctl)
		t.fact[ctl] = fact{b, (uint32(e) == from.SuccStart) != inverted}
	}
}

// negated takes negations off a condition, and tells whether their number is odd.
func negated(f *ssa.Func, ctl ssa.Value) (of ssa.Value, inverted bool) {
	for range maxNegations {
		in := &f.Insts[ctl]
		if in.Op != ssa.OpEqz || f.Insts[in.A].Type != abi.I32 {
			break
		}
		ctl, inverted = ssa.Value(in.A), !inverted
	}
	return ctl, inverted
}

const maxNegations = 4 // after fold there is one at most

// decided reports whether the condition of b's branch is known there, and what it is.
func (t *valueTable) decided(f *ssa.Func, b ssa.Block) (isTrue, ok bool) {
	ctl, inverted := negated(f, f.Blocks[b].Ctl)
	if known := t.fact[ctl]; known.block != 0 && f.Dominates(known.block, b) {
		return known.true != inverted, true
	}
	// The opposite comparison may have been decided.
	in := f.Insts[ctl]
	switch op := inverse[in.Op]; {
	case op != 0:
		if c, isNum := f.IsConst(ssa.Value(in.B)); op == ssa.OpEq && isNum && c == 0 {
			op, in.B = ssa.OpEqz, 0
		}
		in.Op = op
	case in.Op == ssa.OpEqz:
		in.Op, in.B = ssa.OpNe, uint32(f.Const(f.Insts[in.A].Type, 0))
	default:
		return false, false
	}
	if v := *t.find(f, &in); v != 0 && f.Dominates(t.block[v], b) {
		if known := t.fact[v]; known.block != 0 && f.Dominates(known.block, b) {
			return known.true == inverted, true
		}
	}
	return false, false
}
