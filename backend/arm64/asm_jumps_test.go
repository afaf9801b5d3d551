package arm64

import (
	"encoding/binary"
	"fmt"
	"math/rand/v2"
	"testing"

	"golang.org/x/arch/arm64/arm64asm"

	"github.com/wasmaot/wasmaot/backend"
)

// A jumpGraph is code made of numbered markers (movz x0, #number), branches of all kinds to labels, each bound right before
// a marker, and filler, so that tests of bits reach their labels or just do not.
type jumpGraph struct {
	items []graphItem
	code  backend.Code
}

type graphItem struct {
	kind byte // 'm' marker, 'f' filler, 'a' alignment, 'b', 'c', 'z', 't' branches: always, conditional, on zero, on a bit
	n    int  // marker, label, instructions, alignment
}

func (g *jumpGraph) build(rng *rand.Rand, n int) error {
	var a Asm
	a.Reset()
	g.items = g.items[:0]
	labels := make([]Label, n)
	for i := range labels {
		labels[i] = a.NewLabel()
	}
	for i := range n {
		g.items = append(g.items, graphItem{'m', i})
		for range 1 + rng.IntN(3) {
			near := min(max(i+rng.IntN(21)-10, 0), n-1)
			if rng.IntN(4) == 0 {
				near = min(i+1, n-1)
			}
			g.items = append(g.items, graphItem{"bcztt"[rng.IntN(5)], near})
		}
		switch rng.IntN(6) {
		case 0, 1:
			g.items = append(g.items, graphItem{'f', rng.IntN(2500)})
		case 2:
			g.items = append(g.items, graphItem{'a', 4 << rng.IntN(4)})
		}
	}
	for _, it := range g.items {
		switch it.kind {
		case 'm':
			a.Bind(labels[it.n])
			a.MovWide(MOVZ, 8, X0, uint16(it.n), 0)
		case 'f':
			for range it.n {
				a.NOP()
			}
		case 'a':
			a.Align(uint8(it.n))
		case 'b':
			a.B(labels[it.n])
		case 'c':
			a.BCond(CondLS, labels[it.n])
		case 'z':
			a.CBNZ(8, X5, labels[it.n])
		case 't':
			a.TBZ(X7, 41, labels[it.n])
		}
	}
	return a.Finish(&g.code)
}

// branchOps are the branches' operations near their labels and, turned round, far from them.
var branchOps = map[byte][2]string{'b': {"b", "b"}, 'c': {"b.ls", "b.hi"}, 'z': {"cbnz", "cbz"}, 't': {"tbz", "tbnz"}}

// check decodes the code and compares it with the items.
func (g *jumpGraph) check() (far int, err error) {
	text := g.code.Text[:g.code.CodeSize]
	at := 0
	next := func() (name string, rel int, err error) {
		d, err := arm64asm.Decode(text[at:])
		if err != nil {
			return "", 0, fmt.Errorf("at %#x: %v", at, err)
		}
		at += instSize
		fmt.Sscan(arm64asm.GNUSyntax(d), &name)
		return name, relative(d), nil
	}
	markers := map[int]int{}
	type branch struct{ at, to, marker int }
	var branches []branch
	for _, it := range g.items {
		start := at
		switch it.kind {
		case 'm':
			if want := uint32(MOVZ) | 1<<31 | uint32(it.n)<<5; word(text, at) != want {
				return 0, fmt.Errorf("at %#x: %08x, expected marker %d", at, word(text, at), it.n)
			}
			markers[it.n] = at
			at += instSize
		case 'f':
			for range it.n {
				if word(text, at) != wordNOP {
					return 0, fmt.Errorf("at %#x: %08x, expected filler", at, word(text, at))
				}
				at += instSize
			}
		case 'a':
			for at%it.n != 0 {
				if word(text, at) != wordNOP {
					return 0, fmt.Errorf("at %#x: %08x, expected padding to %d", at, word(text, at), it.n)
				}
				at += instSize
			}
		default:
			ops := branchOps[it.kind]
			name, rel, err := next()
			switch {
			case err != nil:
				return 0, err
			case name == ops[0]:
				branches = append(branches, branch{start, start + rel, it.n})
			case name == ops[1] && rel == 8: // over a branch
				far++
				if name, rel, err = next(); err != nil || name != "b" {
					return 0, fmt.Errorf("at %#x: %s, %v: expected b", at, name, err)
				}
				branches = append(branches, branch{start, start + instSize + rel, it.n})
			default: // gone, as it leads to what comes next
				at = start
				branches = append(branches, branch{start, start, it.n})
			}
		}
	}
	for _, b := range branches {
		if markers[b.marker] != b.to {
			return 0, fmt.Errorf("branch at %#x to %#x, expected marker %d at %#x", b.at, b.to, b.marker, markers[b.marker])
		}
	}
	if at != len(text) {
		return 0, fmt.Errorf("code ends at %#x, expected %#x", len(text), at)
	}
	return far, nil
}

// TestJumps lays out random graphs of branches and finds every branch at its label.
func TestJumps(t *testing.T) {
	seed := rand.Uint64()
	t.Logf("seed %d", seed)
	rng := rand.New(rand.NewPCG(seed, 0))
	var g jumpGraph
	total := 0
	for round := range 40 {
		if err := g.build(rng, 1+rng.IntN(150)); err != nil {
			t.Fatalf("round %d: %v", round, err)
		}
		far, err := g.check()
		if err != nil {
			t.Fatalf("round %d: %v", round, err)
		}
		total += far
	}
	if total == 0 {
		t.Error("no branch was out of reach")
	}
}

// word is the instruction at offset at.
func word(text []byte, at int) uint32 { return binary.LittleEndian.Uint32(text[at:]) }
