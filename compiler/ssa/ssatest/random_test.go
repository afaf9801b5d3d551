package ssatest

import (
	"math/rand/v2"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/wasmaot/wasmaot/compiler/ssa"
)

// TestRandom checks that what the generator makes is right, prints and parses, and runs,
// and that most of it ends without a trap.
func TestRandom(t *testing.T) {
	seed := Seed(t)
	var ended, trapped, endless int
	for i := range uint64(300) {
		r := rand.New(rand.NewPCG(seed, i))
		f := Func(r, Options{Blocks: 12, Insts: 12, NoFloats: i%3 == 0, NoCalls: i%2 == 0, Explicit: i%4 == 0})
		if err := ssa.Check(f); err != nil {
			t.Fatalf("%v\n%s", err, f)
		}
		g, err := ssa.Parse(f.String())
		if err != nil {
			t.Fatalf("%v\n%s", err, f)
		}
		g.Module = f.Module
		g.Analyze(new(ssa.Scratch))
		if diff := cmp.Diff(f.String(), g.String()); diff != "" {
			t.Fatalf("text does not parse back:\n%s", diff)
		}
		want, done := Run(f, seed+i, 1000)
		got, _ := Run(g, seed+i, 1000)
		if diff := cmp.Diff(want, got); diff != "" {
			t.Fatalf("parsed function does something else:\n%s", diff)
		}
		switch {
		case want.Err != "":
			t.Fatalf("%s\n%s", want.Err, f)
		case !done:
			endless++
		case want.Trap != 0:
			trapped++
		default:
			ended++
		}
	}
	t.Logf("%d ended, %d trapped, %d endless", ended, trapped, endless)
	if ended < 60 {
		t.Errorf("only %d of 300 functions ended without a trap", ended)
	}
}
