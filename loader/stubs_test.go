//go:build linux && (amd64 || arm64)

package loader

import (
	"context"
	"math/rand/v2"
	"os"
	"strconv"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/wasmaot/wasmaot/compiler/abi"
	"github.com/wasmaot/wasmaot/compiler/artifact"
)

func TestStubTooLarge(t *testing.T) {
	s := sig(make([]abi.Type, 1<<18), nil)
	for i := range s.Params {
		s.Params[i] = i64
	}
	if _, err := emitExit(nil, &s); err == nil {
		t.Error("a frame larger than the guard was accepted")
	}
}

// seeded is a random source whose seed is printed; WASMAOT_SEED replays.
func seeded(t *testing.T) *rand.Rand {
	seed := uint64(time.Now().UnixNano())
	if s := os.Getenv("WASMAOT_SEED"); s != "" {
		var err error
		if seed, err = strconv.ParseUint(s, 10, 64); err != nil {
			t.Fatal(err)
		}
	}
	t.Logf("WASMAOT_SEED=%d", seed)
	return rand.New(rand.NewPCG(seed, 0))
}

func randomTypes(r *rand.Rand, n int) []abi.Type {
	all := []abi.Type{i32, i64, f32, f64, v128, abi.ExternRef}
	t := make([]abi.Type, n)
	for i := range t {
		t[i] = all[r.IntN(len(all))]
	}
	return t
}

// Values travel through both stubs of random types between the slots and the places that the convention names. In the middle is
// a function that copies its parameters to memory at toHost, calls an imported one of another type with parameters from memory at fromHost, and so
// on for the results.
func TestConvention(t *testing.T) {
	r := seeded(t)
	for round := range 60 {
		n := r.IntN(30)
		if round == 0 {
			n = 20
		}
		outer := sig(randomTypes(r, n), randomTypes(r, r.IntN(20)))
		inner := sig(randomTypes(r, r.IntN(30)), randomTypes(r, r.IntN(20)))
		checkConvention(t, r, outer, inner)
	}
}

func checkConvention(t *testing.T, r *rand.Rand, outer, inner abi.Signature) {
	const outerParams, outerResults, innerParams, innerResults = 0, 0x1000, 0x2000, 0x3000
	g := newGuest()
	g.memory(1, 1)
	g.a.Header.Tier = artifact.TierExplicit // it needs less
	host := g.importFunc("host", inner)
	innerIn, a := conv.Params(inner.Params)
	innerOut, b := conv.Results(inner.Results)
	area := int64(max(a, b))
	frame := frameFor(area + 16)
	g.fn("f", outer, uint32(frame), func() {
		in, _ := conv.Params(outer.Params)
		g.places(in, frame+linkSize, outerParams, true)
		g.places(innerIn, 0, innerParams, false)
		g.callImport(host, area+8)
		g.places(innerOut, 0, innerResults, true)
		out, _ := conv.Results(outer.Results)
		g.places(out, frame+linkSize, outerResults, false)
	})
	args, results := randomSlots(r, outer.Params), randomSlots(r, outer.Results)
	hostArgs, hostResults := randomSlots(r, inner.Params), randomSlots(r, inner.Results)
	i := g.instance(t, env{"host": NewHostFunc("host", &inner, func(_ context.Context, _ *Instance, stack []uint64) error {
		if diff := cmp.Diff(hostArgs, stack[:len(hostArgs)]); diff != "" {
			t.Errorf("%v: host function's parameters (-want +got):\n%s", inner, diff)
		}
		copy(stack, hostResults)
		return nil
	})})
	words := func(at int, n int) []uint64 {
		return append([]uint64{}, (*[8192]uint64)(pointer(i.mems[0].rec.base))[at/8:at/8+n]...)
	}
	copy((*[8192]uint64)(pointer(i.mems[0].rec.base))[innerParams/8:], hostArgs)
	copy((*[8192]uint64)(pointer(i.mems[0].rec.base))[outerResults/8:], results)
	stack := make([]uint64, max(outer.SlotCount(), 1))
	copy(stack, args)
	if err := i.Func("f").Call(context.Background(), stack); err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct {
		what      string
		want, got []uint64
	}{
		{"parameters", args, words(outerParams, len(args))},
		{"results", results, stack[:len(results)]},
		{"host function's results", hostResults, words(innerResults, len(hostResults))},
	} {
		if diff := cmp.Diff(c.want, c.got); diff != "" {
			t.Errorf("%v, %v: %s (-want +got):\n%s", outer, inner, c.what, diff)
		}
	}
}

// places copies values between their places and slots in memory 0.
func (g *guest) places(places []abi.Place, outgoing, memory int64, toMemory bool) {
	for pass := range 2 { // the scratch register is no parameter, but stack places must be done before their registers are loaded
		forEachSlot(places, func(p abi.Place, at int64) {
			switch {
			case (p.Reg < 0) != (pass == 0):
			case p.Reg >= 0 && toMemory:
				g.mem(storeForms[p.Type], uint8(p.Reg), conv.MemBase, memory+at)
			case p.Reg >= 0:
				g.mem(loadForms[p.Type], uint8(p.Reg), conv.MemBase, memory+at)
			default:
				word := i64
				if p.Type.Size() == 4 {
					word = i32
				}
				for k := range int64(p.Type.Slots()) {
					from, to := regSP, conv.MemBase
					fromAt, toAt := outgoing+int64(p.Slot)+8*k, memory+at+8*k
					if !toMemory {
						from, to, fromAt, toAt = to, from, toAt, fromAt
					}
					g.mem(loadForms[word], testScratch, from, fromAt)
					g.mem(storeForms[word], testScratch, to, toAt)
				}
			}
		})
	}
}

func randomSlots(r *rand.Rand, ts []abi.Type) []uint64 {
	s := []uint64{}
	for _, t := range ts {
		for range t.Slots() {
			x := r.Uint64()
			if t.Size() == 4 {
				x = uint64(uint32(x))
			}
			s = append(s, x)
		}
	}
	return s
}
