package amd64

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"golang.org/x/arch/x86/x86asm"

	"github.com/wasmaot/wasmaot/backend"
	"github.com/wasmaot/wasmaot/backend/backendtest"
)

// jumpAsm makes graphs of jumps: of all conditions, and of none.
type jumpAsm struct{ Asm }

func (a *jumpAsm) Marker(n int)  { a.RI(MOV, 4, RAX, int64(n)) }
func (a *jumpAsm) Filler()       { a.Bare(CDQ) }
func (a *jumpAsm) Table(l Label) { a.RM(LEA, 8, RAX, AtConst(l)) }

func (a *jumpAsm) Jump(kind int, l Label) {
	if kind == always {
		a.Jmp(l)
	} else {
		a.Jcc(Cond(kind), l)
	}
}

// always is the kind of a jump that has no condition.
const always = len(condNames)

// Piece reads what the others have made.
func (a *jumpAsm) Piece(text []byte, at int) (p backendtest.Piece, err error) {
	d, err := x86asm.Decode(text[at:], 64)
	if err != nil {
		return p, err
	}
	p.Size = d.Len
	switch d.Op {
	case x86asm.MOV:
		n, _ := d.Args[1].(x86asm.Imm)
		p.Kind, p.N = backendtest.MarkerPiece, int(n)
	case x86asm.CDQ:
		p.Kind = backendtest.FillerPiece
	case x86asm.NOP:
		p.Kind = backendtest.PaddingPiece
	case x86asm.LEA:
		if m, ok := d.Args[1].(x86asm.Mem); ok && m.Base == x86asm.RIP {
			p.Kind, p.To = backendtest.TablePiece, at+d.Len+int(int32(m.Disp))
		}
	default:
		if rel, ok := d.Args[0].(x86asm.Rel); ok {
			p.Kind, p.N, p.To, p.Far = backendtest.JumpPiece, always, at+d.Len+int(rel), d.Len > 2
			if d.Op != x86asm.JMP {
				p.N = slices.Index(condNames[:], strings.ToLower(d.Op.String()[1:]))
			}
		}
	}
	return p, nil
}

func newJumpGraph() *backendtest.JumpGraph {
	return &backendtest.JumpGraph{Asm: new(jumpAsm), Kinds: always + 1, Markers: 400, Spread: 60, Fill: 100, Align: 5}
}

// TestJumps lays out random graphs of jumps and finds every jump at its label.
func TestJumps(t *testing.T) { newJumpGraph().Jumps(t) }

// TestJumpSizes has jumps at the ends of what a short one reaches.
func TestJumpSizes(t *testing.T) {
	size := func(filler int, back bool) int {
		c := assemble(t, func(a *Asm) {
			l := a.NewLabel()
			if back {
				a.Bind(l)
			} else {
				a.Jcc(CondE, l)
			}
			for range filler {
				a.Bare(CDQ)
			}
			if back {
				a.Jcc(CondE, l)
			} else {
				a.Bind(l)
			}
			a.Bare(RET)
		})
		return len(c.Text) - filler - 1
	}
	for _, x := range []struct {
		filler int
		back   bool
		want   int
	}{{0, false, 0}, {1, false, 2}, {127, false, 2}, {128, false, 6}, {0, true, 2}, {126, true, 2}, {127, true, 6}} {
		if got := size(x.filler, x.back); got != x.want {
			t.Errorf("over %d bytes, back %v: %d bytes, expected %d", x.filler, x.back, got, x.want)
		}
	}
}

// TestJumpChain has jumps that only shrink when others have.
func TestJumpChain(t *testing.T) {
	c := assemble(t, func(a *Asm) {
		far, near := a.NewLabel(), a.NewLabel()
		a.Jcc(CondE, far)
		for range 121 {
			a.Bare(CDQ)
		}
		a.Jcc(CondNE, near) // with this one long, far is 128 bytes away
		a.Bare(CDQ)
		a.Bind(near)
		a.Bind(far)
		a.Bare(RET)
	})
	if want := 2 + 121 + 2 + 1 + 1; len(c.Text) != want {
		t.Errorf("%d bytes, expected %d", len(c.Text), want)
	}
}

// TestPool looks constants up through the operands that use them.
func TestPool(t *testing.T) {
	c := assemble(t, func(a *Asm) {
		a.RM(MOVF, 4, X1, AtConst(a.Const32(0x11111111)))
		a.RM(MOVF, 8, X1, AtConst(a.Const64(0x2222222222222222)))
		a.RM(ANDPS, 16, X9, AtConst(a.Const128(0x3333333333333333, 0x4444444444444444)))
		a.RMI(ROUNDF, 8, X1, AtConst(a.Const64(0x2222222222222222)), 3)
		a.MI(CMP, 4, AtConst(a.Const32(0x11111111)), 0x55555555)
		a.MI(ADD, 4, Mem{Const: a.Const128(1, 2), Disp: 8}, 1)
		a.Bare(RET)
	})
	want := []string{
		"11111111", "2222222222222222", "33333333333333334444444444444444",
		"2222222222222222", "11111111", "02000000",
	}
	var got []string
	for at := 0; at < int(c.CodeSize); {
		d, err := x86asm.Decode(c.Text[at:], 64)
		if err != nil {
			t.Fatal(err)
		}
		at += d.Len
		for _, x := range d.Args {
			if m, ok := x.(x86asm.Mem); ok {
				place := at + int(int32(m.Disp))
				if size := d.MemBytes; place%size != 0 {
					t.Errorf("%v: constant at %#x", d, place)
				}
				got = append(got, fmt.Sprintf("%x", c.Text[place:place+d.MemBytes]))
			}
		}
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("constants (-want +got):\n%s", diff)
	}
	if size := (c.CodeSize+15)&^15 + 16 + 16 + 8 + 4; len(c.Text) != int(size) {
		t.Errorf("text is %d bytes, expected %d: every constant once", len(c.Text), size)
	}
}

// TestPoolMany fills the pool and reuses it.
func TestPoolMany(t *testing.T) {
	var a Asm
	for range 3 {
		a.Reset()
		seen := map[Label]bool{}
		for round := range 2 {
			for i := range uint64(5000) {
				for _, l := range []Label{a.Const32(uint32(i)), a.Const64(i), a.Const128(i, 0), a.Const128(0, i+1)} {
					if seen[l] != (round == 1) {
						t.Fatalf("round %d: constant %d: label %d seen: %v", round, i, l, seen[l])
					}
					seen[l] = true
				}
			}
		}
	}
}

// TestReset makes the same code again after other code and after an error.
func TestReset(t *testing.T) {
	rng := func() *rand.Rand { return rand.New(rand.NewPCG(1, 2)) }
	first, g := newJumpGraph(), newJumpGraph()
	if err := first.Build(rng()); err != nil {
		t.Fatal(err)
	}
	a := g.Asm.(*jumpAsm)
	for n := range 3 {
		a.Reset()
		a.RI(ADD, 4, X0, int64(n))
		if err := a.Finish(&g.Code); err == nil {
			t.Fatal("impossible instruction accepted")
		}
		if err := g.Build(rng()); err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(first.Code, g.Code); diff != "" {
			t.Fatalf("round %d: %s", n, diff)
		}
	}
}

// TestRelocs finds relocated fields by what Patch does to them.
func TestRelocs(t *testing.T) {
	c := assemble(t, func(a *Asm) {
		l := a.NewLabel()
		a.Jmp(l)
		a.Bare(CDQ)
		a.Bind(l)
		a.Call(7)
		a.CallSite(99)
		a.JmpFunc(8)
	})
	want := []backend.Reloc{{Off: 4, Target: 7}, {Off: 9, Target: 8}}
	if diff := cmp.Diff(want, c.Relocs); diff != "" {
		t.Errorf("relocations (-want +got):\n%s", diff)
	}
	if diff := cmp.Diff([]backend.CallSite{{Off: 8, Pos: 99}}, c.Calls); diff != "" {
		t.Errorf("call sites (-want +got):\n%s", diff)
	}
	text := append(c.Text, make([]byte, 100)...)
	if err := patch(text, 0, 4, backend.RelocCall, 64); err != nil {
		t.Fatal(err)
	}
	d, err := x86asm.Decode(text[3:], 64)
	if err != nil || d.Op != x86asm.CALL || d.Args[0] != x86asm.Rel(64-8) {
		t.Errorf("%v, %v: expected a call of %#x", d, err, 64)
	}
	for _, bad := range [][2]uint32{{uint32(len(text)) - 3, 0}, {0xFFFFFFFF, 0}, {0, 0xFFFFFFFF}} {
		if err := patch(text, 0, bad[0], backend.RelocCall, bad[1]); err == nil {
			t.Errorf("field %#x, target %#x: accepted", bad[0], bad[1])
		}
	}
}

// TestErrors has what no encoding exists for; each must be told and not encoded otherwise.
func TestErrors(t *testing.T) {
	for name, f := range map[string]func(a *Asm){
		"vector register in add":    func(a *Asm) { a.RR(ADD, 4, RAX, X1) },
		"integer register in addsd": func(a *Asm) { a.RR(ADDF, 8, X0, RAX) },
		"no register":               func(a *Asm) { a.RR(ADD, 4, NoReg, RAX) },
		"register 16":               func(a *Asm) { a.RR(ADD, 4, Reg(16), RAX) },
		"register 48":               func(a *Asm) { a.RR(ADDF, 4, Reg(48), X0) },
		"size 3":                    func(a *Asm) { a.RR(ADD, 3, RAX, RAX) },
		"size 16 of add":            func(a *Asm) { a.RR(ADD, 16, RAX, RAX) },
		"size 200":                  func(a *Asm) { a.RR(ADD, 200, RAX, RAX) },
		"size 0":                    func(a *Asm) { a.RR(ADD, 0, RAX, RAX) },
		"byte imul":                 func(a *Asm) { a.RR(IMUL, 1, RAX, RAX) },
		"256 bits without VEX":      func(a *Asm) { a.RR(ADDPS, 32, X0, X1) },
		"shlx without VEX":          func(a *Asm) { a.RR(SHLX, 8, RAX, RCX) },
		"add in VEX":                func(a *Asm) { a.VRRR(ADD, 8, RAX, RCX, RDX) },
		"lea of a register":         func(a *Asm) { a.RR(LEA, 8, RAX, RCX) },
		"rsp as index":              func(a *Asm) { a.RM(MOV, 8, RAX, AtIndex(RAX, RSP, 1, 0)) },
		"vector register as base":   func(a *Asm) { a.RM(MOV, 8, RAX, At(X0, 0)) },
		"scale 3":                   func(a *Asm) { a.RM(MOV, 8, RAX, AtIndex(RAX, RCX, 3, 0)) },
		"scale 16":                  func(a *Asm) { a.RM(MOV, 8, RAX, AtIndex(RAX, RCX, 16, 0)) },
		"index beside a constant":   func(a *Asm) { a.RM(MOV, 8, RAX, Mem{MemRegs: MemRegs{Index: RCX, Scale: 1}, Const: a.Const64(1)}) },
		"constant of no label":      func(a *Asm) { a.RM(MOV, 8, RAX, AtConst(77)) },
		"negative label":            func(a *Asm) { a.RM(MOV, 8, RAX, AtConst(-1)) },
		"add 64-bit immediate":      func(a *Asm) { a.RI(ADD, 8, RAX, 1<<31) },
		"add 33-bit immediate":      func(a *Asm) { a.RI(ADD, 4, RAX, 1<<32) },
		"add low immediate":         func(a *Asm) { a.RI(ADD, 4, RAX, -1<<31-1) },
		"byte immediate 256":        func(a *Asm) { a.MI(MOV, 1, At(RAX, 0), 256) },
		"mov 33-bit immediate":      func(a *Asm) { a.RI(MOV, 4, RAX, 1<<32) },
		"store 64-bit immediate":    func(a *Asm) { a.MI(MOV, 8, At(RAX, 0), 1<<31) },
		"shift by 32":               func(a *Asm) { a.RI(SHL, 4, RAX, 32) },
		"shift by -1":               func(a *Asm) { a.RI(SHL, 8, RAX, -1) },
		"shuffle 256":               func(a *Asm) { a.RRI(PSHUFD, 16, X0, X1, 256) },
		"VEX shuffle 256":           func(a *Asm) { a.VRRI(PSHUFD, 16, X0, X1, 256) },
		"VEX integer first source":  func(a *Asm) { a.VRRR(ADDPS, 16, X0, RAX, X1) },
		"VEX vector count":          func(a *Asm) { a.VRRR(SHLX, 8, RAX, RCX, X1) },
		"VEX mask":                  func(a *Asm) { a.VRRRR(VPBLENDVB, 16, X0, X1, X2, RAX) },
		"blend without mask":        func(a *Asm) { a.VRRR(VPBLENDVB, 16, X0, X1, X2) },
		"bit in memory":             func(a *Asm) { a.MR(BT, 8, At(RAX, 0), RCX) },
		"condition on add":          func(a *Asm) { a.RR(ADD.If(CondE), 4, RAX, RAX) },
		"operands for none":         func(a *Asm) { a.R(UD2, 8, RAX) },
		"none for operands":         func(a *Asm) { a.Bare(ADD) },
		"no instruction":            func(a *Asm) { a.RR(NoOp, 4, RAX, RAX) },
		"unknown instruction":       func(a *Asm) { a.RR(opCount, 4, RAX, RAX) },
		"call of a vector register": func(a *Asm) { a.CallR(X0) },
		"label bound twice":         func(a *Asm) { l := a.NewLabel(); a.Bind(l); a.Bind(l) },
		"label of none":             func(a *Asm) { a.Bind(0) },
		"label unbound":             func(a *Asm) { a.Jmp(a.NewLabel()) },
		"jump to the end":           func(a *Asm) { l := a.NewLabel(); a.Jmp(l); a.Bare(CDQ); a.Bind(l) },
		"jump to no label":          func(a *Asm) { a.Jmp(5) },
		"jump to a constant":        func(a *Asm) { a.Jmp(a.Const64(1)) },
		"binding a constant":        func(a *Asm) { a.Bind(a.Const64(1)) },
		"operand at unbound label":  func(a *Asm) { a.RM(LEA, 8, RAX, AtConst(a.NewLabel())) },
		"table of an unbound label": func(a *Asm) { a.AddTable([]Label{a.NewLabel()}) },
		"table of a constant":       func(a *Asm) { a.AddTable([]Label{a.Const64(1)}) },
		"alignment 3":               func(a *Asm) { a.Align(3) },
		"alignment 64":              func(a *Asm) { a.Align(64) },
		"constant too far":          func(a *Asm) { a.RM(LEA, 8, RAX, Mem{Const: a.Const64(1), Disp: 0x7FFFFFFF}) },
		"first error of several":    func(a *Asm) { a.RI(SHL, 4, RAX, 99); a.RR(ADD, 4, RAX, RAX) },
	} {
		var a Asm
		var c backend.Code
		a.Reset()
		f(&a)
		if err := a.Finish(&c); err == nil {
			t.Errorf("%s: accepted: % x", name, c.Text)
		}
	}
}
