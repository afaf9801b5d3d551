package arm64

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"

	"golang.org/x/arch/arm64/arm64asm"
)

// notDecoded are instructions that the decoder writes as others with other operands,
// or does not know.
var notDecoded = []string{"ubfm", "sbfm", "bfm", "movz", "movn", "udf"}

// TestDecode assembles every instruction in every form and compares what a decoder
// says with what was asked for.
func TestDecode(t *testing.T) {
	seed := rand.Uint64()
	t.Logf("seed %d", seed)
	m := &maker{Rand: rand.New(rand.NewPCG(seed, 0))}
	m.table(3)
	m.others(5)
	plain := strings.NewReplacer(" ", "", "#0.0", "#0", "umov", "mov", ", #0]", "]", ",#0]", "]", ", lo", ",cc", ", hs", ",cs")
	total, bad := 0, 0
	for _, in := range m.list {
		name, _, _ := strings.Cut(in.text, " ")
		if slices.Contains(notDecoded, name) {
			continue
		}
		total++
		got := decodeText(in)
		if plain.Replace(got) != plain.Replace(in.text) {
			t.Errorf("%s: decoded as %s", in.text, got)
			if bad++; bad == 20 {
				t.FailNow()
			}
		}
	}
	if total < 3000 {
		t.Errorf("only %d instructions", total)
	}
}

func decodeText(in inst) string {
	code, ok := encodeOne(in.emit)
	if !ok {
		return "not accepted"
	}
	d, err := arm64asm.Decode(code)
	if err != nil {
		return fmt.Sprintf("%x: %v", code, err)
	}
	return arm64asm.GNUSyntax(d)
}

// TestImpossible holds that operands that an instruction does not have are refused.
func TestImpossible(t *testing.T) {
	for name, emit := range map[string]func(a *Asm){
		"vector for integer":    func(a *Asm) { a.RRR(ADD, 8, X0, V1, X2) },
		"integer for vector":    func(a *Asm) { a.RRR(FADD, 8, V0, X1, V2) },
		"SP shifted":            func(a *Asm) { a.RRRShift(ADD, 8, SP, X1, X2, ShLSL, 1) },
		"SP as third":           func(a *Asm) { a.RRR(ADD, 8, X0, X1, SP) },
		"SP for ZR":             func(a *Asm) { a.RRR(AND, 8, SP, X1, X2) },
		"ZR for SP":             func(a *Asm) { a.RRI(ADD, 8, ZR, X1, 2) },
		"ZR as base":            func(a *Asm) { a.Mem(LDR, 8, X0, At(ZR, 0)) },
		"no register":           func(a *Asm) { a.RR(CLZ, 8, NoReg, X1) },
		"size 2":                func(a *Asm) { a.RRR(ADD, 2, X0, X1, X2) },
		"arrangement 1d":        func(a *Asm) { a.RRR(VADD, A1D, V0, V1, V2) },
		"arrangement of mul":    func(a *Asm) { a.RRR(VMUL, A2D, V0, V1, V2) },
		"size of arrangement":   func(a *Asm) { a.RRR(VADD, 8, V0, V1, V2) },
		"sum of 13 bits":        func(a *Asm) { a.RRI(ADD, 8, X0, X1, 1<<12|1) },
		"sum of 25 bits":        func(a *Asm) { a.RRI(ADD, 8, X0, X1, 1<<24) },
		"least sum":             func(a *Asm) { a.RRI(ADD, 8, X0, X1, -1<<63) },
		"bits 0":                func(a *Asm) { a.RRI(AND, 8, X0, X1, 0) },
		"bits -1":               func(a *Asm) { a.RRI(AND, 4, X0, X1, -1) },
		"bits of no pattern":    func(a *Asm) { a.RRI(AND, 8, X0, X1, 5) },
		"bits of 64 in 32":      func(a *Asm) { a.RRI(AND, 4, X0, X1, 0x1_0000_0001) },
		"shift by 32 of 32":     func(a *Asm) { a.RRI(LSL, 4, X0, X1, 32) },
		"shift by -1":           func(a *Asm) { a.RRI(LSR, 8, X0, X1, -1) },
		"vector left by width":  func(a *Asm) { a.RRI(VSHL, A16B, V0, V1, 8) },
		"vector right by 0":     func(a *Asm) { a.RRI(VSSHR, A16B, V0, V1, 0) },
		"extension by 5":        func(a *Asm) { a.RRRExt(ADD, 8, X0, X1, X2, ExtUXTW, 5) },
		"rotated sum":           func(a *Asm) { a.RRRShift(ADD, 8, X0, X1, X2, ShROR, 1) },
		"shifted product":       func(a *Asm) { a.RRRShift(MUL, 8, X0, X1, X2, ShLSL, 1) },
		"condition 14":          func(a *Asm) { a.Sel(CSEL, 8, X0, X1, X2, 14) },
		"scale of another size": func(a *Asm) { a.Mem(LDR, 8, X0, AtIndex(X1, X2, ExtUXTW, 2)) },
		"extension of index":    func(a *Asm) { a.Mem(LDR, 8, X0, AtIndex(X1, X2, ExtUXTB, 0)) },
		"index and offset":      func(a *Asm) { a.Mem(LDR, 8, X0, Mem{MemRegs: MemRegs{X1, X2, ExtUXTX, 0}, Disp: 8}) },
		"offset too large":      func(a *Asm) { a.Mem(LDR, 8, X0, At(X1, 1<<15)) },
		"offset unaligned":      func(a *Asm) { a.Mem(LDR, 8, X0, At(X1, 257)) },
		"offset below":          func(a *Asm) { a.Mem(LDR, 8, X0, At(X1, -257)) },
		"pre too far":           func(a *Asm) { a.Mem(LDR, 8, X0, Pre(X1, 256)) },
		"pair too far":          func(a *Asm) { a.Pair(LDP, 8, X0, X1, At(X2, 512)) },
		"pair of two files":     func(a *Asm) { a.Pair(LDP, 8, X0, V1, At(X2, 0)) },
		"literal of 1 byte":     func(a *Asm) { a.Mem(LDR, 1, X0, AtConst(a.Const32(1))) },
		"store to a constant":   func(a *Asm) { a.Mem(STR, 8, X0, AtConst(a.Const64(1))) },
		"lane 4 of 4":           func(a *Asm) { a.Umov(A4S, X0, V1, 4) },
		"lane of a size":        func(a *Asm) { a.Dup(8, V1, X0) },
		"branch to zero":        func(a *Asm) { a.BR(ZR) },
		"test of bit 64":        func(a *Asm) { a.TBZ(X0, 64, a.NewLabel()) },
		"no label":              func(a *Asm) { a.B(0) },
		"jump to a constant":    func(a *Asm) { a.B(a.Const32(1)) },
		"no such operation":     func(a *Asm) { a.RR(opCount, 8, X0, X1) },
		"no such size":          func(a *Asm) { a.RR(CLZ, 255, X0, X1) },
		"access of 17 bytes":    func(a *Asm) { a.Mem(LDR, 17, V0, At(X1, 0)) },
	} {
		if code, ok := encodeOne(emit); ok {
			t.Errorf("%s: accepted as %x", name, code)
		}
	}
}
