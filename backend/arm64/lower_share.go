package arm64

import (
	"github.com/wasmaot/wasmaot/backend"
	"github.com/wasmaot/wasmaot/backend/isel"
	"github.com/wasmaot/wasmaot/backend/regalloc"
	"github.com/wasmaot/wasmaot/compiler/abi"
	"github.com/wasmaot/wasmaot/compiler/ssa"
)

// share is what is known of a value as the index of accesses with an offset: no memory operand has base, index and offset, so
// accesses with one index share the sum of base and index, which is made where the index is defined.
type share struct {
	sum      regalloc.VReg // 0 until an access asks for it
	accesses uint8         // with offsets, saturating
	depth    uint8         // of the loop where it is defined

	reached int64 // see reaches
	known   bool  // that it reaches so far
	probed  bool  // of a store: other accesses have shown that it does not begin within memory 0 and end behind it
}

// sharedFrom is the number of accesses from which the sum is worth a register.
const sharedFrom = 2

// Begin counts the accesses. An index from outside of a loop counts for more in it.
func (l *lowerer) Begin() {
	f := l.F
	l.shares = backend.Grow(l.shares, len(f.Insts))
	clear(l.shares)
	l.undo = l.undo[:0]
	for at, bi := range f.DomTree {
		b := &f.Blocks[bi]
		l.leave(uint32(at))
		for _, p := range f.ParamsOf(b) {
			l.shares[p].depth = b.Loop
		}
		for _, v := range f.OrderOf(b) {
			l.shares[v].depth = b.Loop
			in := &f.Insts[v]
			if !in.Op.Is(ssa.PropReads|ssa.PropWrites) || in.Op.Uses()&1 == 0 || f.Insts[in.A].Type != abi.Addr || l.Info[v].Flags&isel.Needed == 0 {
				continue
			}
			a := &f.Insts[in.A]
			if a.Op != ssa.OpAddr {
				continue
			}
			if size, memory := a.C&0xff, a.C>>8; memory == 0 {
				l.shares[v].probed = l.reaches(ssa.Value(a.A), int64(a.B)+int64(size), b.DomOut)
			}
			s := &l.shares[a.A]
			if a.B == 0 {
				continue
			}
			if s.accesses < sharedFrom {
				s.accesses++
			}
			if b.Loop > s.depth {
				s.accesses = sharedFrom
			}
		}
	}
}

// reaches notes that index + end is at most the size of memory 0, behind an access that ends there: in the current block and what it
// dominates, up to the place out of the dominator tree. It reports whether an access that ends there cannot begin within the memory and end
// behind it, because of accesses before.
//
// What is known is that root + share.reached is at most the size. With a distance below 0 the index may have gone around below 0: but then it
// is so close to 1<<32 that it is behind the memory, in which the gap is missing (ssa.Module.MemGap). With one above 0 it may not, if the root
// is known to be no farther behind the memory than the rest of the gap.
func (l *lowerer) reaches(index ssa.Value, end int64, out uint32) bool {
	root, dist := l.rootOf(index)
	if dist > 0 && root != 0 && !l.shares[root].known {
		root, dist = index, 0
	}
	s := &l.shares[root]
	end += dist
	if s.known && s.reached >= end {
		return true
	}
	l.undo = append(l.undo, undone{root, out, s.reached, s.known})
	s.reached, s.known = end, true
	return false
}

// rootOf gives what index is made of by adding a constant. Of a constant the root is 0.
func (l *lowerer) rootOf(index ssa.Value) (root ssa.Value, dist int64) {
	if c, ok := l.F.IsConst(index); ok {
		return 0, int64(uint32(c))
	}
	if gaps := l.F.Module.MemGap; len(gaps) == 0 || gaps[0] == 0 {
		return index, 0
	}
	for {
		in := &l.F.Insts[index]
		if in.Op != ssa.OpAdd && in.Op != ssa.OpSub || in.Type != abi.I32 {
			return index, dist
		}
		c, ok := l.constant(ssa.Value(in.B), 4)
		if in.Op == ssa.OpSub {
			c = -c
		}
		if c += dist; !ok || c <= -maxDist || c >= maxDist {
			return index, dist
		}
		index, dist = ssa.Value(in.A), c
	}
}

// maxDist bounds distances from roots: half of the gap.
const maxDist = abi.MemoryGap / 2

// undone is what was known of a root outside of the blocks before place out of the dominator tree.
type undone struct {
	root    ssa.Value
	out     uint32
	reached int64
	known   bool
}

// leave forgets what is known where the blocks have been left that dominate place at.
func (l *lowerer) leave(at uint32) {
	for n := len(l.undo) - 1; n >= 0 && l.undo[n].out <= at; n-- {
		u := &l.undo[n]
		s := &l.shares[u.root]
		s.reached, s.known = u.reached, u.known
		l.undo = l.undo[:n]
	}
}

// sharedSum gives memory base + index, if it is shared.
func (l *lowerer) sharedSum(index ssa.Value) (regalloc.VReg, bool) {
	s := &l.shares[index]
	if s.accesses < sharedFrom {
		return 0, false
	}
	if s.sum == 0 {
		s.sum = l.NewVReg(regalloc.ClassInt)
		l.Info[index].Flags |= isel.Followed
	}
	return s.sum, true
}

// Follow makes the sum behind the index.
func (l *lowerer) Follow(index ssa.Value) {
	s := source{form: formGuest, ext: uint8(ExtUXTW), a: l.Use(index)}
	l.addressOf(l.shares[index].sum, &s)
}
