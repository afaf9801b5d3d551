package frontend

import (
	"testing"

	"github.com/wasmaot/wasmaot/compiler/ssa"
)

// TestJoins compares liveness and the places of block parameters with the definitions in the textbook.
func TestJoins(t *testing.T) {
	var b Builder
	var f ssa.Func
	joins, funcs := 0, 0
	randomFuncs(t, 500, func(t *testing.T, seed uint64) {
		g := newGenerator(seed)
		m := g.module().load(t)
		if err := b.Build(m, 0, Options{Threading: seed%2 == 0}, &f); err != nil {
			t.Fatal(err)
		}
		if len(b.locals.def) > 1 || len(b.locals.held) == 0 {
			return
		}
		funcs++
		live := naiveLive(&f, b.flow.blocks)
		for local := range b.locals.types {
			bit := uint64(1) << local
			join := naiveJoins(&f, b.flow.blocks, live, bit)
			for i := range f.Blocks {
				bf := &b.flow.blocks[i]
				if (live[i]^bf.live)&bit != 0 {
					t.Errorf("local %d, b%d: live: expected %t\n%s", local, i, live[i]&bit != 0, &f)
				}
				if join[i] != (bf.join&bit != 0) {
					t.Errorf("local %d, b%d: parameter: expected %t\n%s", local, i, join[i], &f)
				}
				if join[i] {
					joins++
				}
			}
		}
	})
	t.Logf("%d functions, %d joins", funcs, joins)
	if *seed == 0 && joins < 500 {
		t.Error("too few to mean anything")
	}
}

func naiveLive(f *ssa.Func, blocks []blockFlow) []uint64 {
	live := make([]uint64, len(f.Blocks))
	for changed := true; changed; {
		changed = false
		for i := range f.Blocks {
			var out uint64
			for _, e := range f.SuccsOf(&f.Blocks[i]) {
				out |= live[e.To]
			}
			in := blocks[i].use | out&^blocks[i].def
			changed = changed || in != live[i]
			live[i] = in
		}
	}
	return live
}

// naiveJoins is the pruned iterated dominance frontier of a local's definitions. Block y is in the
// frontier of x if x dominates a predecessor of y, but is not a dominator of y other than y.
func naiveJoins(f *ssa.Func, blocks []blockFlow, live []uint64, bit uint64) []bool {
	join := make([]bool, len(f.Blocks))
	for changed := true; changed; {
		changed = false
		for x := range f.Blocks {
			if blocks[x].def&bit == 0 && !join[x] {
				continue
			}
			for y := range f.Blocks {
				if join[y] || live[y]&bit == 0 || x != y && f.Dominates(ssa.Block(x), ssa.Block(y)) {
					continue
				}
				for _, e := range f.PredsOf(&f.Blocks[y]) {
					if f.Dominates(ssa.Block(x), f.Edges[e].From) {
						join[y], changed = true, true
					}
				}
			}
		}
	}
	return join
}
