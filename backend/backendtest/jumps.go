package backendtest

import (
	"encoding/binary"
	"fmt"
	"math/rand/v2"
	"testing"

	"github.com/wasmaot/wasmaot/backend"
	"github.com/wasmaot/wasmaot/backend/asm"
	"github.com/wasmaot/wasmaot/compiler/abi"
)

// A JumpAssembler is an assembler under test: what it has in common with others, and the pieces of a graph.
type JumpAssembler interface {
	Reset()
	NewLabel() asm.Label
	Bind(l asm.Label)
	Align(n uint8)
	AddTable(labels []asm.Label) asm.Label
	Trap(t abi.Trap, pos uint32)
	CallSite(pos uint32)
	Finish(c *backend.Code) error

	// Marker is an instruction that shows its number, Filler one that is nothing else.
	Marker(n int)
	Filler()
	// Jump jumps, in one of JumpGraph.Kinds ways.
	Jump(kind int, l asm.Label)
	// Table makes the address of a table.
	Table(l asm.Label)
	// Piece reads what begins at offset at back.
	Piece(text []byte, at int) (Piece, error)
}

// A Piece of a graph is a few instructions.
type Piece struct {
	Kind PieceKind
	N    int // marker: number; jump: kind; padding: 0
	Size int
	To   int  // jump, table: offset in the text
	Far  bool // jump: in the form for what is far
}

// PieceKind says what a piece is.
type PieceKind uint8

const (
	OtherPiece PieceKind = iota
	MarkerPiece
	FillerPiece
	PaddingPiece
	JumpPiece
	TablePiece
)

// A JumpGraph is code made of numbered markers, jumps of all kinds to labels, each of which is bound right before a marker, tables of
// such labels, filler and padding.
type JumpGraph struct {
	Asm     JumpAssembler
	Kinds   int   // of jumps
	Markers int   // at most
	Spread  int   // how many markers away jumps lead, at most
	Fill    int   // filler in one place, less than this
	Align   uint8 // log2 of the greatest alignment
	Least   uint8 // log2 of the least

	Code  backend.Code
	items []graphItem
}

// graphItem is a piece as it is wanted: marker, jump to marker to, table of targets, n of filler, padding to n.
type graphItem struct {
	kind    PieceKind
	n, to   int
	targets []int
}

// Build makes a random graph.
func (g *JumpGraph) Build(rng *rand.Rand) error {
	n, spread, fill := 1+rng.IntN(g.Markers), 1+rng.IntN(g.Spread), 1+rng.IntN(g.Fill)
	g.items = g.items[:0]
	put := func(it graphItem) { g.items = append(g.items, it) }
	for i := range n {
		near := func() int { return min(max(i+rng.IntN(2*spread+1)-spread, 0), n-1) }
		put(graphItem{kind: MarkerPiece, n: i})
		for range rng.IntN(4) {
			to := near()
			if rng.IntN(4) == 0 {
				to = min(i+1, n-1)
			}
			put(graphItem{kind: JumpPiece, n: rng.IntN(g.Kinds), to: to})
		}
		switch rng.IntN(16) {
		case 0, 1, 2, 3, 4:
			put(graphItem{kind: FillerPiece, n: rng.IntN(fill)})
		case 5:
			put(graphItem{kind: PaddingPiece, n: 1 << (g.Least + uint8(rng.IntN(int(g.Align-g.Least)+1)))})
		case 6:
			put(graphItem{kind: TablePiece, targets: []int{near(), rng.IntN(n), i}})
		}
	}
	return g.assemble(n)
}

func (g *JumpGraph) assemble(markers int) error {
	a := g.Asm
	a.Reset()
	labels := make([]asm.Label, markers)
	for i := range labels {
		labels[i] = a.NewLabel()
	}
	for _, it := range g.items {
		switch it.kind {
		case MarkerPiece:
			a.Bind(labels[it.n])
			a.Trap(abi.TrapUnreachable, uint32(it.n))
			a.Marker(it.n)
			a.CallSite(uint32(it.n))
		case JumpPiece:
			a.Jump(it.n, labels[it.to])
		case FillerPiece:
			for range it.n {
				a.Filler()
			}
		case PaddingPiece:
			a.Align(uint8(it.n))
		case TablePiece:
			var targets []asm.Label
			for _, x := range it.targets {
				targets = append(targets, labels[x])
			}
			a.Table(a.AddTable(targets))
		}
	}
	return a.Finish(&g.Code)
}

// graphJump is a jump that was found, or an entry of a table: from at to dst, where marker is expected.
type graphJump struct{ at, dst, marker int }

// Check reads the code back and compares it with what was wanted. It tells how many jumps were far.
func (g *JumpGraph) Check() (far int, err error) {
	text := g.Code.Text[:g.Code.CodeSize]
	var jumps []graphJump
	markers := map[int]int{}
	at, table := 0, len(text)
	for _, it := range g.items {
		start := at
		next := func() (p Piece, err error) {
			if p, err = g.Asm.Piece(text, at); err != nil {
				return p, fmt.Errorf("at %#x: %w", at, err)
			}
			at += p.Size
			if p.Kind != it.kind {
				err = fmt.Errorf("at %#x: piece of kind %d, expected %d", at-p.Size, p.Kind, it.kind)
			}
			return p, err
		}
		switch it.kind {
		case MarkerPiece:
			p, err := next()
			if err != nil || p.N != it.n {
				return 0, fmt.Errorf("at %#x: marker %d, expected %d: %v", start, p.N, it.n, err)
			}
			if g.Code.Traps[it.n].Off != uint32(start) || g.Code.Calls[it.n].Off != uint32(at) {
				return 0, fmt.Errorf("marker %d at %#x: sites %v, %v", it.n, start, g.Code.Traps[it.n], g.Code.Calls[it.n])
			}
			markers[it.n] = start
		case JumpPiece:
			p, err := next()
			switch {
			case p.Kind != JumpPiece: // gone, as it leads to what comes next
				at = start
				jumps = append(jumps, graphJump{start, start, it.to})
				continue
			case err != nil || p.N != it.n:
				return 0, fmt.Errorf("at %#x: jump of kind %d, expected %d: %v", start, p.N, it.n, err)
			case p.Far:
				far++
			}
			jumps = append(jumps, graphJump{start, p.To, it.to})
		case FillerPiece:
			for range it.n {
				if _, err := next(); err != nil {
					return 0, err
				}
			}
		case PaddingPiece:
			for at%it.n != 0 {
				if _, err := next(); err != nil {
					return 0, err
				}
			}
			if at-start >= it.n {
				return 0, fmt.Errorf("at %#x: %d bytes of padding to %d", start, at-start, it.n)
			}
		case TablePiece:
			p, err := next()
			table = (table + 3) &^ 3
			if err != nil || p.To != table {
				return 0, fmt.Errorf("at %#x: table at %#x, expected at %#x: %v", start, p.To, table, err)
			}
			for i, x := range it.targets { // entries are relative to the table
				off := int(int32(binary.LittleEndian.Uint32(g.Code.Text[table+4*i:])))
				jumps = append(jumps, graphJump{start, table + off, x})
			}
			table += 4 * len(it.targets)
		}
	}
	if at != len(text) {
		return 0, fmt.Errorf("code ends at %#x, expected %#x", len(text), at)
	}
	for _, j := range jumps {
		if j.dst != markers[j.marker] {
			return 0, fmt.Errorf("jump at %#x to %#x, expected marker %d at %#x", j.at, j.dst, j.marker, markers[j.marker])
		}
	}
	return far, nil
}

// Jumps lays out random graphs of jumps and finds every jump at its label: of a new seed, and of some that are the same each time.
func (g *JumpGraph) Jumps(t *testing.T) {
	fresh := rand.Uint64()
	t.Logf("seed %d", fresh)
	total := 0
	for _, seed := range []uint64{fresh, 0, 1, 2} {
		rng := rand.New(rand.NewPCG(seed, 0))
		for round := range 40 {
			if err := g.Build(rng); err != nil {
				t.Fatalf("seed %d, round %d: %v", seed, round, err)
			}
			far, err := g.Check()
			if err != nil {
				t.Fatalf("seed %d, round %d: %v", seed, round, err)
			}
			total += far
		}
	}
	if total == 0 {
		t.Error("no jump was far")
	}
}
