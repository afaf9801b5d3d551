package regalloc

import (
	"math/rand/v2"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"
)

// What an allocator did before must not show: compiled code is the same whatever
// worker compiles it.
func TestReuseLeavesNoTrace(t *testing.T) {
	var a Allocator
	var r Result
	for seed := uint64(1000); seed < 1150; seed++ {
		f, file := randomCase(seed)
		if err := a.Run(f, file, &r); err != nil {
			t.Fatal(err)
		}
		var fresh Allocator
		var want Result
		if err := fresh.Run(f, file, &want); err != nil {
			t.Fatal(err)
		}
		if d := cmp.Diff(want, r, cmpopts.EquateEmpty()); d != "" {
			t.Fatalf("seed %d: a used allocator differs from a new one:\n%s", seed, d)
		}
	}
}

// An allocator that fails can be used again.
func TestReuseAfterError(t *testing.T) {
	var a Allocator
	var r Result
	s := newShape(t, []uint32{})
	s.begin(0)
	x, y := s.int(), s.int()
	s.inst(def(x), def(y))
	s.inst(useIn(x, rax), useIn(y, rax))
	s.inst()
	s.end(0)
	if a.Run(s.finish(), amd64Like(), &r) == nil {
		t.Fatal("no error")
	}
	if err := tryRandom(&a, &r, 7); err != nil {
		t.Fatal(err)
	}
}

func TestNoAllocations(t *testing.T) {
	var a Allocator
	var r Result
	var funcs []*Func
	file := amd64Like()
	for seed := range uint64(20) {
		rng := rand.New(rand.NewPCG(seed, 4))
		funcs = append(funcs, randomFunc(rng, file, genOptions{blocks: 20, insts: 10, calls: 10}))
	}
	run := func() {
		for _, f := range funcs {
			if err := a.Run(f, file, &r); err != nil {
				t.Fatal(err)
			}
		}
	}
	run()
	if n := testing.AllocsPerRun(5, run); n != 0 {
		t.Errorf("%v allocations for functions seen before, want none", n)
	}
}

// A function of thousands of blocks behind one wide switch, with loops, spills and values
// that live throughout.
func TestLarge(t *testing.T) {
	rng := rand.New(rand.NewPCG(5, 5))
	file := amd64Like()
	f := typical(rng, file, 4000, 1500, 3)
	var a Allocator
	var r Result
	if err := a.Run(f, file, &r); err != nil {
		t.Fatal(err)
	}
	if err := Check(f, file, &r); err != nil {
		t.Fatal(err)
	}
	if err := simulate(f, file, &r, 5); err != nil {
		t.Fatal(err)
	}
}

// The random functions must contain what is hard.
func TestRandomIsHard(t *testing.T) {
	var irreducible, loops, wide, spills, swaps, slotEdges int
	var a Allocator
	var r Result
	for seed := uint64(1); seed < 200; seed++ {
		f, file := randomCase(seed)
		b := builder{Func: *f}
		for _, e := range f.Edges {
			switch {
			case e.To > e.From:
			case b.dominates(e.To, e.From):
				loops++
			default:
				irreducible++
			}
		}
		for _, blk := range f.Blocks {
			if blk.SuccEnd-blk.SuccStart > 8 {
				wide++
			}
		}
		if err := a.Run(f, file, &r); err != nil {
			t.Fatal(err)
		}
		for _, m := range r.Moves {
			switch {
			case m.Swap:
				swaps++
			case m.Src.Kind == LocSlot && m.Dst.Kind == LocSlot:
				slotEdges++
			case m.Dst.Kind == LocSlot:
				spills++
			}
		}
	}
	for name, n := range map[string]int{
		"irreducible edges": irreducible, "loops": loops, "wide switches": wide,
		"spills": spills, "swaps": swaps, "moves between slots": slotEdges,
	} {
		if n < 20 {
			t.Errorf("%d %s in 200 random functions", n, name)
		}
	}
}
