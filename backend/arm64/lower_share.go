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

	reached uint64 // how far behind the index memory 0 is known to go,
	block   uint32 // from here on: the number of the block + 1
	probed  bool   // of a store: another access has shown that it does not trap
}

// sharedFrom is the number of accesses from which the sum is worth a register.
const sharedFrom = 2

// Begin counts the accesses. An index from outside of a loop counts for more in it.
func (l *lowerer) Begin() {
	f := l.F
	l.shares = backend.Grow(l.shares, len(f.Insts))
	clear(l.shares)
	for _, bi := range f.RPO {
		b := &f.Blocks[bi]
		block := uint32(bi) + 1
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
			s := &l.shares[a.A]
			if size, memory := a.C&0xff, a.C>>8; memory == 0 {
				end := uint64(a.B) + uint64(size)
				if s.block != block {
					s.block, s.reached = block, 0
				}
				l.shares[v].probed = s.reached >= end
				s.reached = max(s.reached, end)
			}
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
