package opt

import (
	"math"

	"github.com/wasmaot/wasmaot/compiler/abi"
	"github.com/wasmaot/wasmaot/compiler/ssa"
)

// reach is what forward knows of how far indices are below 1<<32, from accesses that did not trap.
type reach struct {
	inBounds []inBounds // by index value
	ofRoot   []rooted   // by root value
	ahead    []ahead    // by index value
	stretch  uint32     // number of the one at hand
}

// inBounds says that in block and what it dominates n bytes from the index on are known to be within memory mem, and so below 1<<32.
type inBounds struct {
	block ssa.Block
	mem   uint32
	n     uint32 // 0: nothing known
}

// rooted names an index that was accessed and has a root, to which dist was added.
type rooted struct {
	index ssa.Value // 0: none
	dist  uint32
}

// ahead says that nothing but a trap for the same reason is to be seen of a stretch of code if the index is not below 1<<32 by off.
type ahead struct{ stretch, off uint32 }

func (r *reach) begin(f *ssa.Func) {
	r.inBounds = sized(r.inBounds, len(f.Insts))
	r.ofRoot = sized(r.ofRoot, len(f.Insts))
	r.ahead = sized(r.ahead, len(f.Insts))
	r.stretch = 0
}

// cover makes room for values made since begin.
func (r *reach) cover(f *ssa.Func) {
	if n := len(f.Insts) - len(r.inBounds); n > 0 {
		n += n + 16
		r.inBounds = append(r.inBounds, make([]inBounds, n)...)
		r.ofRoot = append(r.ofRoot, make([]rooted, n)...)
		r.ahead = append(r.ahead, make([]ahead, n)...)
	}
}

// address takes a constant out of an index and adds it to the offset, if the index is known
// to be that much below 1<<32, so that the sum did not wrap. The index that is left need not be one
// that this was made from: one with the same root that was accessed before will do.
func (t *memTable) address(v ssa.Value) {
	f := t.f
	in := &f.Insts[v]
	if f.Insts[in.A].Type != abi.I32 {
		return
	}
	t.peel(in)
	switch f.Insts[in.A].Op {
	case ssa.OpAdd, ssa.OpSub, ssa.OpWrap:
	default:
		return // nothing to be won
	}
	root, dist := t.rootOf(ssa.Value(in.A))
	if root == 0 {
		return
	}
	if k := t.reach.ofRoot[root]; k.index != 0 {
		if sum, below := dist-k.dist, t.below(k.index); below > 0 && sum <= below && uint64(in.B)+uint64(sum) <= math.MaxUint32 {
			in.A, in.B = uint32(k.index), in.B+sum
		}
	}
}

// peel takes additions off the index as long as they are known not to wrap.
func (t *memTable) peel(in *ssa.Inst) {
	f := t.f
	x, sum := ssa.Value(in.A), uint32(0)
	for range maxRootSteps {
		step := &f.Insts[x]
		switch step.Op {
		case ssa.OpAdd:
			c, ok := f.IsConst(ssa.Value(step.B))
			if !ok {
				return
			}
			sum += uint32(c)
		case ssa.OpWrap, ssa.OpZext:
		default:
			return
		}
		x = ssa.Value(step.A)
		if f.Insts[x].Type == abi.I32 && sum > 0 && sum <= t.below(x) && uint64(in.B)+uint64(sum) <= math.MaxUint32 {
			in.A, in.B = uint32(x), in.B+sum
			sum = 0
		}
	}
}

// below is the greatest number that index x may be taken to be below 1<<32 by, here.
func (t *memTable) below(x ssa.Value) uint32 {
	proven := t.proven(x)
	if k := t.reach.ahead[x]; k.stretch == t.reach.stretch {
		return max(k.off, proven)
	}
	return proven
}

// proven is the greatest number that index x is known to be below 1<<32 by, from accesses before.
func (t *memTable) proven(x ssa.Value) uint32 {
	if k := t.reached(x); k.n > 0 {
		return saturated(k.n-1, t.gap(k.mem))
	}
	return 0
}

// reached gives what is known of an index from accesses before.
func (t *memTable) reached(x ssa.Value) inBounds {
	if k := t.reach.inBounds[x]; k.n > 0 && t.f.Dominates(k.block, t.block) {
		return k
	}
	return inBounds{}
}

// gap is how many bytes below 1<<32 never belong to a memory.
func (t *memTable) gap(mem uint32) uint32 {
	if m := t.f.Module; m != nil && int(mem) < len(m.MemGap) {
		return m.MemGap[mem]
	}
	return 0
}

func saturated(a, b uint32) uint32 { return uint32(min(uint64(a)+uint64(b), math.MaxUint32)) }

// accessed notes that an access of size bytes at p did not trap.
func (t *memTable) accessed(p *place, size uint32) {
	end := uint64(p.off) + uint64(size)
	if end > math.MaxUint32 {
		return
	}
	if k := t.reached(p.index); end > uint64(k.n) {
		t.reach.inBounds[p.index] = inBounds{t.block, p.base.mem, uint32(end)}
	}
	if root := p.base.root; root != 0 {
		if k := t.reach.ofRoot[root]; k.index == 0 || t.reached(k.index).n == 0 {
			t.reach.ofRoot[root] = rooted{p.index, p.dist - p.off}
		}
	}
}

// lookAhead gives the length of the stretch that begins here: up to the first effect that is not a load, and with it. If the last of
// its accesses traps nothing was to be seen of those before, so what they all need may be assumed from the first on.
func (t *memTable) lookAhead(order []ssa.Value) int {
	f := t.f
	t.reach.stretch++
	for i, v := range order {
		in := &f.Insts[v]
		load, store := in.Op.IsLoad(), in.Op.IsStore()
		if load || store {
			addr := &f.Insts[resolve(f, ssa.Value(in.A))]
			if x := resolve(f, ssa.Value(addr.A)); f.Insts[x].Type == abi.I32 {
				if root, _ := t.rootOf(x); root == x { // it is there already
					k := &t.reach.ahead[x]
					off := saturated(addr.B, t.gap(addr.C>>8))
					if k.stretch != t.reach.stretch || k.off < off {
						*k = ahead{t.reach.stretch, off}
					}
				}
			}
		}
		if !load && in.Op.Is(ssa.PropEffect) && f.HasEffect(in) {
			return i + 1
		}
	}
	return len(order)
}
