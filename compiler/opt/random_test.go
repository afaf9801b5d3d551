package opt

import (
	"math/rand/v2"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/wasmaot/wasmaot/compiler/ssa"
	"github.com/wasmaot/wasmaot/compiler/ssa/ssatest"
)

// TestRandom runs random functions before and after each pass, and after all of them
// in their order.
func TestRandom(t *testing.T) {
	seed := ssatest.Seed(t)
	rounds := uint64(1500)
	if testing.Short() {
		rounds = 150
	}
	var s Scratch
	compared := 0
	for i := range rounds {
		make := func() *ssa.Func {
			r := rand.New(rand.NewPCG(seed, i))
			return ssatest.Func(r, ssatest.Options{Blocks: 10, Insts: 16, NoFloats: i%3 == 0, NoCalls: i%2 == 0, Explicit: i%4 == 0})
		}
		before := make()
		var want [4]ssatest.Outcome
		var done [len(want)]bool
		for k := range want {
			want[k], done[k] = ssatest.Run(before, seed+uint64(k), 500)
		}
		check := func(f *ssa.Func, passes ...Pass) {
			t.Helper()
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
				got, _ := ssatest.Run(f, seed+uint64(k), 1000)
				if diff := cmp.Diff(want[k], got); diff != "" {
					t.Fatalf("function %d, pass %s, input %d:\n%s\nbefore:\n%s\nafter:\n%s", i, passes[len(passes)-1].Name, k, diff, before, f)
				}
			}
		}
		for _, p := range All {
			check(make(), p)
		}
		check(make(), append(All[:len(All):len(All)], All...)...)
	}
	t.Logf("%d runs compared", compared)
	if compared < int(rounds) {
		t.Errorf("only %d runs compared", compared)
	}
}
