package artifact

import (
	"math/rand/v2"
	"slices"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/wasmaot/wasmaot/compiler/abi"
)

// randomSites makes a list whose steps have all lengths, with equal neighbours and jumps back in the wasm file.
func randomSites(rnd *rand.Rand, n int) []Site {
	list := make([]Site, n)
	at := uint32(0)
	for i := range list {
		at += 1 + rnd.Uint32()>>(16+rnd.IntN(16))
		pos := rnd.Uint32() >> rnd.IntN(32)
		list[i] = Site{Off: at, Pos: pos, Code: abi.Trap(rnd.IntN(int(abi.TrapCount)))}
		if rnd.IntN(3) == 0 {
			list[i].Call = rnd.Uint32() >> rnd.IntN(32)
		}
	}
	return list
}

func TestSites(t *testing.T) {
	seed := uint64(time.Now().UnixNano())
	t.Logf("seed %d", seed)
	rnd := rand.New(rand.NewPCG(seed, 0))
	for _, n := range []int{0, 1, 2, siteBlock - 1, siteBlock, siteBlock + 1, 10 * siteBlock, 3000} {
		list := randomSites(rnd, n)
		s := SitesOf(list...)
		if diff := cmp.Diff(list, slices.Collect(s.All()), cmp.Transformer("empty", func(s []Site) []Site { return append([]Site{}, s...) })); diff != "" {
			t.Fatalf("%d sites: %s", n, diff)
		}
		for i, want := range list {
			if got, ok := s.Find(want.Off); !ok || got != want {
				t.Fatalf("%d sites: number %d: found %v, %v, expected %v", n, i, got, ok, want)
			}
			after := want.Off + 1
			if i+1 < n && list[i+1].Off == after {
				continue
			}
			if got, ok := s.Find(after); ok {
				t.Fatalf("%d sites: found %v at 0x%x", n, got, after)
			}
			if got, ok := s.Before(after); !ok || got != want {
				t.Fatalf("%d sites: before 0x%x: found %v, %v, expected %v", n, after, got, ok, want)
			}
		}
		if n > 0 && list[0].Off > 0 {
			if got, ok := s.Before(list[0].Off - 1); ok {
				t.Fatalf("%d sites: found %v before the first", n, got)
			}
		}
	}
}

// TestJoinSites joins tables.
func TestJoinSites(t *testing.T) {
	seed := uint64(time.Now().UnixNano())
	t.Logf("seed %d", seed)
	rnd := rand.New(rand.NewPCG(seed, 0))
	var tables [][]byte
	var offs []uint32
	var want []Site
	for _, n := range []int{0, 1, siteBlock, 0, 3 * siteBlock / 2, 5} {
		list := randomSites(rnd, n)
		off := uint32(0)
		if len(want) > 0 {
			off = want[len(want)-1].Off + rnd.Uint32N(10)
		}
		var b SitesBuilder
		for _, s := range list {
			b.Add(s)
			s.Off += off
			want = append(want, s)
		}
		tables, offs = append(tables, b.AppendTo(nil)), append(offs, off)
	}
	s := JoinSites(len(tables), func(i int) ([]byte, uint32) { return tables[i], offs[i] })
	if diff := cmp.Diff(want, slices.Collect(s.All())); diff != "" {
		t.Fatal(diff)
	}
	for _, want := range want {
		if got, ok := s.Find(want.Off); !ok || got != want {
			t.Fatalf("found %v, %v, expected %v", got, ok, want)
		}
	}
	if s := JoinSites(1, func(int) ([]byte, uint32) { return nil, 5 }); s != "" {
		t.Errorf("nothing makes %q", s)
	}
}

// TestSitesDamage reads tables that no builder made: whatever they say, reading them ends.
func TestSitesDamage(t *testing.T) {
	seed := uint64(time.Now().UnixNano())
	t.Logf("seed %d", seed)
	rnd := rand.New(rand.NewPCG(seed, 0))
	good := []byte(SitesOf(randomSites(rnd, 5*siteBlock)...))
	read := 0
	for i := range 4 * len(good) {
		bad := slices.Clone(good)
		bad[rnd.IntN(len(bad))] = byte(rnd.Uint32())
		if i%2 == 0 {
			for k := range bad[:4+rnd.IntN(40)] {
				bad[k] = byte(rnd.Uint32())
			}
		}
		s := Sites(bad[:rnd.IntN(len(bad)+1)])
		for x := range s.All() {
			read++
			if read%8 == 0 {
				s.Find(x.Off)
			}
		}
		s.Find(rnd.Uint32())
	}
	if read == 0 {
		t.Error("nothing was read")
	}
}
