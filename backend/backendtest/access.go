//go:build linux && (amd64 || arm64)

package backendtest

import (
	"math/rand/v2"
	"testing"

	"github.com/wasmaot/wasmaot/compiler/ssa"
	"github.com/wasmaot/wasmaot/compiler/ssa/ssatest"
)

// AccessRandom runs the checker on random functions, on both tiers and poisoned or not, and
// then on their code with a byte changed: whatever it says, it must come to an end.
func AccessRandom(t *testing.T, mc *Machine) {
	seed := ssatest.Seed(t)
	n := uint64(300)
	if testing.Short() {
		n = 50
	}
	for _, features := range mc.Features {
		for i := seed; i < seed+n; i++ {
			r := rand.New(rand.NewPCG(i, 0))
			o := ssatest.Options{Blocks: 1 + r.IntN(12), Insts: 1 + r.IntN(30), Explicit: r.IntN(2) == 0}
			f := ssatest.Func(r, o)
			f.Module = testModule
			for k := range f.Insts {
				if in := &f.Insts[k]; in.Op == ssa.OpAddr && o.Explicit {
					in.Flags |= ssa.FlagChecked // the generator leaves some out
				}
			}
			c := &compiler{mc: mc}
			c.cfg.Features, c.cfg.Explicit, c.cfg.Poison, c.cfg.ThroughDesc = features, o.Explicit, r.IntN(4) == 0, r.IntN(2) == 0
			code, err := c.compile(f)
			if err != nil {
				t.Fatalf("WASMAOT_SEED=%d, features %#x, %+v: %v", i, features, o, err)
			}
			for range 5 {
				at := r.IntN(len(code.Text))
				old := code.Text[at]
				code.Text[at] ^= 1 << r.IntN(8)
				mc.Target.CheckAccess(&c.cfg, &c.m, code) // most such changes are harmless, so any answer will do
				code.Text[at] = old
			}
		}
	}
}
