package ssatest

import (
	"math/rand/v2"
	"os"
	"strconv"
	"testing"
)

// Seed gives the seed of a random test and prints it. WASMAOT_SEED in the environment
// replays one.
func Seed(t testing.TB) uint64 {
	t.Helper()
	seed := rand.Uint64()
	if s := os.Getenv("WASMAOT_SEED"); s != "" {
		var err error
		if seed, err = strconv.ParseUint(s, 10, 64); err != nil {
			t.Fatalf("WASMAOT_SEED: %v", err)
		}
	}
	t.Logf("replay with WASMAOT_SEED=%d", seed)
	return seed
}
