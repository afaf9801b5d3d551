package regalloc

import (
	"flag"
	"fmt"
	"math/rand/v2"
	"testing"
	"time"
)

var seedFlag = flag.Uint64("regalloc.seed", 0, "replay the random function with this seed")

// randomCase makes the function and machine of a seed.
func randomCase(seed uint64) (*Func, *File) {
	rng := rand.New(rand.NewPCG(seed, 1))
	file := testFile(5+rng.IntN(9), 4+rng.IntN(12))
	opt := genOptions{
		blocks: 1 + rng.IntN(30),
		insts:  1 + rng.IntN(20),
		far:    rng.IntN(3) == 0,
		vecs:   rng.IntN(2) == 0,
		calls:  rng.IntN(4) * 5,
	}
	return randomFunc(rng, file, opt), file
}

func tryRandom(a *Allocator, r *Result, seed uint64) error {
	f, file := randomCase(seed)
	a.budget, a.least = liveBudget, liveLeast
	if seed%4 == 0 { // most values live across blocks are homed
		a.budget, a.least = 1+int(seed/4%100), 1
	}
	if err := a.Run(f, file, r); err != nil {
		return fmt.Errorf("Run: %w", err)
	}
	if err := Check(f, file, r); err != nil {
		return fmt.Errorf("Check: %w", err)
	}
	return simulate(f, file, r, seed)
}

func TestRandom(t *testing.T) {
	var a Allocator
	var r Result
	if *seedFlag != 0 {
		if err := tryRandom(&a, &r, *seedFlag); err != nil {
			t.Fatal(err)
		}
		return
	}
	n := uint64(3000)
	if testing.Short() {
		n = 300
	}
	base := uint64(time.Now().UnixNano()) >> 10 & (1<<40 - 1)
	t.Logf("seeds from %d", base)
	for seed := base; seed < base+n; seed++ {
		if err := tryRandom(&a, &r, seed); err != nil {
			t.Fatalf("-regalloc.seed=%d: %v", seed, err)
		}
	}
}
