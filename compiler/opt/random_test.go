package opt

import (
	"math/rand/v2"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/wasmaot/wasmaot/compiler/ssa"
	"github.com/wasmaot/wasmaot/compiler/ssa/ssatest"
)

// TestRandom runs random functions before and after each pass, and after all of them
// twice in their order.
func TestRandom(t *testing.T) {
	twice := append(All[:len(All):len(All)], All...)
	runRandom(t, 500, ssatest.Options{Blocks: 10, Insts: 14}, append(singly(All), []Pass{Forward}, []Pass{Fold}, twice))
}

// TestRandomStraight runs single blocks full of arithmetic.
func TestRandomStraight(t *testing.T) {
	runRandom(t, 1000, ssatest.Options{Blocks: 1, Insts: 50, NoCalls: true}, [][]Pass{{Fold}, {GVN}, {Forward}, {Simplify}, {Forward, Fold, GVN, Simplify}})
}

func singly(passes []Pass) (lists [][]Pass) {
	for _, p := range passes {
		lists = append(lists, []Pass{p})
	}
	return lists
}

// runRandom compares random functions with what each list of passes makes of them.
func runRandom(t *testing.T, rounds uint64, o ssatest.Options, lists [][]Pass) {
	compareRandom(t, rounds, func(r *rand.Rand, i uint64) *ssa.Func {
		o := o
		o.NoFloats, o.Explicit = i%3 == 0, i%4 == 0
		o.NoCalls = o.NoCalls || i%2 == 0
		return ssatest.Func(r, o)
	}, lists)
}

// compareRandom does so with those that are made of random numbers and of their own number.
func compareRandom(t *testing.T, rounds uint64, made func(*rand.Rand, uint64) *ssa.Func, lists [][]Pass) {
	seed := ssatest.Seed(t)
	if testing.Short() {
		rounds /= 10
	}
	var s Scratch
	compared := 0
	for i := range rounds {
		newFunc := func() *ssa.Func { return made(rand.New(rand.NewPCG(seed, i)), i) }
		before := newFunc()
		var want [4]ssatest.Outcome
		var done [len(want)]bool
		for k := range want {
			want[k], done[k] = ssatest.Run(before, seed+i+uint64(k), 500)
		}
		for _, passes := range lists {
			f := newFunc()
			for n, p := range passes {
				p.Run(f, &s)
				if err := ssa.Check(f); err != nil {
					t.Fatalf("function %d, pass %s (%d): %v\nbefore:\n%s\nafter:\n%s", i, p.Name, n, err, before, f)
				}
			}
			for k := range want {
				if !done[k] {
					continue
				}
				compared++
				got, _ := ssatest.Run(f, seed+i+uint64(k), 1000)
				if diff := cmp.Diff(want[k], got); diff != "" {
					t.Fatalf("function %d, passes up to %s, input %d:\n%s\nbefore:\n%s\nafter:\n%s", i, passes[len(passes)-1].Name, k, diff, before, f)
				}
			}
		}
	}
	t.Logf("%d runs compared", compared)
	if compared < int(rounds) {
		t.Errorf("only %d runs compared", compared)
	}
}
