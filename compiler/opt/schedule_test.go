package opt

import (
	"math/rand/v2"
	"slices"
	"testing"

	"github.com/wasmaot/wasmaot/compiler/ssa"
)

// TestSchedule runs random loops over floats, and sees that arithmetic is moved within blocks and from one to another.
func TestSchedule(t *testing.T) {
	sorted, advanced := 0, 0
	count := Pass{"count", func(f *ssa.Func, s *Scratch) {
		f.Analyze(&s.Scratch)
		before := slices.Clone(f.Order)
		schedule(f, s)
		switch {
		case len(f.Order) != len(before):
			advanced++
		case !slices.Equal(f.Order, before):
			sorted++
		}
	}}
	floats := func(r *rand.Rand, _ uint64) *ssa.Func { return randomChain(r, true) }
	compareRandom(t, 1000, floats, [][]Pass{{count}, {count, count}, {Thread, Unroll, Simplify, GVN, count}})
	t.Logf("%d sorted, %d with something moved to another block", sorted, advanced)
	if sorted == 0 || advanced == 0 {
		t.Error("nothing was moved")
	}
}
