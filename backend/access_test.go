package backend

import (
	"math"
	"math/rand/v2"
	"testing"

	"github.com/wasmaot/wasmaot/compiler/abi"
)

// randomFact is a range of numbers, often with an end that matters.
func randomFact(r *rand.Rand) Fact {
	ends := []uint64{0, 1, 2, 32, 33, 255, math.MaxUint32 - 1, math.MaxUint32, 1 << 32, math.MaxInt64, math.MaxUint64 - 1, math.MaxUint64, r.Uint64()}
	a, b := ends[r.IntN(len(ends))], ends[r.IntN(len(ends))]
	return Fact{Lo: min(a, b), Hi: max(a, b)}
}

// sample is a number that f allows.
func sample(r *rand.Rand, f Fact) uint64 {
	switch n := f.Hi - f.Lo; {
	case r.IntN(4) == 0:
		return f.Lo
	case r.IntN(3) == 0 || n == 0:
		return f.Hi
	case n == math.MaxUint64:
		return r.Uint64()
	default:
		return f.Lo + r.Uint64N(n)
	}
}

func (f Fact) has(x uint64) bool { return f.Kind == FactNumber && f.Lo <= x && x <= f.Hi }

// TestFactNumbers checks that calculations with ranges leave no number out.
func TestFactNumbers(t *testing.T) {
	seed := rand.Uint64()
	t.Logf("seed %d", seed)
	r := rand.New(rand.NewPCG(seed, 0))
	a := &Access{}
	for range 20000 {
		f, g := randomFact(r), randomFact(r)
		x, y := sample(r, f), sample(r, g)
		n := int64(int32(r.Uint32()))
		scale := uint8(1) << r.IntN(4)
		for _, c := range []struct {
			name   string
			result Fact
			number uint64
		}{
			{"join", f.Join(g, false), x},
			{"join", f.Join(g, false), y},
			{"widened join", f.Join(g, true), x},
			{"widened join", f.Join(g, true), y},
			{"plus", f.Plus(n), x + uint64(n)},
			{"times", f.Times(uint64(scale)), x * uint64(scale)},
			{"sum", a.Sum(f, g, scale, n), x + y*uint64(scale) + uint64(n)},
			{"low half", f.Low(32), x & math.MaxUint32},
		} {
			if !c.result.has(c.number) {
				t.Fatalf("seed %d: %s of %#x in %+v, %#x in %+v, %d, %d: %#x is not in %+v", seed, c.name, x, f, y, g, n, scale, c.number, c.result)
			}
		}
	}
}

// TestFactWidening checks that joins come to an end.
func TestFactWidening(t *testing.T) {
	seed := rand.Uint64()
	t.Logf("seed %d", seed)
	r := rand.New(rand.NewPCG(seed, 0))
	kinds := []FactKind{FactNumber, FactBelow, FactMasked, FactStart, FactAhead, FactCopy, FactGuest, FactCounted, FactDesc, FactRoom}
	for range 500 {
		kind := kinds[r.IntN(len(kinds))]
		next := func() Fact {
			f := randomFact(r)
			f.Kind, f.Off = kind, int64(r.IntN(100))
			return f
		}
		f := next()
		changes := 0
		for range 1000 {
			if g := f.Join(next(), true); g != f {
				f = g
				changes++
			}
		}
		if changes > 70 {
			t.Errorf("seed %d: %v changed %d times", seed, kind, changes)
		}
	}
}

// TestGuestReach compares the reach of unchecked accesses with what an index, an offset and an access can be.
func TestGuestReach(t *testing.T) {
	a := &Access{Guarded: true}
	base := Fact{Kind: FactGuest}
	far := a.Sum(base, Bits(32).Plus(math.MaxUint32), 1, 0)
	if _, err := a.Touch(far, abi.V128.Size(), false, 0); err != nil {
		t.Errorf("the last byte that wasm can name: %v", err)
	}
	if _, err := a.Touch(far.Plus(1), abi.V128.Size(), false, 0); err == nil {
		t.Error("one byte more: accepted")
	}
}
