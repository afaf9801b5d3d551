package arm64

import (
	"encoding/binary"
	"fmt"
	"slices"
	"testing"

	"golang.org/x/arch/arm64/arm64asm"

	"github.com/wasmaot/wasmaot/backend/backendtest"
)

// jumpAsm makes graphs of branches: always, on a condition, on zero, on a bit.
type jumpAsm struct{ Asm }

func (a *jumpAsm) Marker(n int)  { a.MovWide(MOVZ, 8, X0, uint16(n), 0) }
func (a *jumpAsm) Filler()       { a.MovWide(MOVK, 8, X1, 0, 0) }
func (a *jumpAsm) Table(l Label) { a.Adr(X3, l) }

func (a *jumpAsm) Jump(kind int, l Label) {
	switch kind {
	case 0:
		a.B(l)
	case 1:
		a.BCond(CondLS, l)
	case 2:
		a.CBNZ(8, X5, l)
	case 3:
		a.TBZ(X7, 41, l)
	}
}

// The branches' operations by their kinds: near their labels and, turned round, far from them.
var (
	nearOps = []string{"b", "b.ls", "cbnz", "tbz"}
	farOps  = []string{"", "b.hi", "cbz", "tbnz"}
)

// Piece reads what the others have made.
func (a *jumpAsm) Piece(text []byte, at int) (p backendtest.Piece, err error) {
	p.Size = instSize
	switch w := word(text, at); {
	case w&^(0xFFFF<<5) == uint32(MOVZ)|1<<31:
		p.Kind, p.N = backendtest.MarkerPiece, int(w>>5&0xFFFF)
		return p, nil
	case w == uint32(MOVK)|1<<31|1:
		p.Kind = backendtest.FillerPiece
		return p, nil
	case w == wordNOP:
		p.Kind = backendtest.PaddingPiece
		return p, nil
	}
	name, to, err := branchAt(text, at)
	if name == "adr" {
		p.Kind, p.To = backendtest.TablePiece, to
		return p, err
	}
	if p.N = slices.Index(nearOps, name); p.N >= 0 {
		p.Kind, p.To = backendtest.JumpPiece, to
		return p, err
	}
	if p.N = slices.Index(farOps, name); p.N >= 0 && to == at+2*instSize { // over a branch
		if name, to, err = branchAt(text, at+instSize); name == "b" {
			p.Kind, p.To, p.Size, p.Far = backendtest.JumpPiece, to, 2*instSize, true
		}
	}
	return p, err
}

// branchAt decodes a branch.
func branchAt(text []byte, at int) (name string, to int, err error) {
	d, err := arm64asm.Decode(text[at:])
	if err == nil {
		fmt.Sscan(arm64asm.GNUSyntax(d), &name)
	}
	return name, at + relative(d), err
}

// TestJumps lays out random graphs of branches and finds every branch at its label: filler keeps tests of bits from reaching theirs, or
// just not.
func TestJumps(t *testing.T) {
	g := backendtest.JumpGraph{Asm: new(jumpAsm), Kinds: len(nearOps), Markers: 150, Spread: 40, Fill: 2500, Least: 2, Align: 5}
	g.Jumps(t)
}

// word is the instruction at offset at.
func word(text []byte, at int) uint32 { return binary.LittleEndian.Uint32(text[at:]) }
