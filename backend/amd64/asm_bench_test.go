package amd64

import (
	"testing"

	"github.com/wasmaot/wasmaot/backend"
)

// BenchmarkAsm assembles a mix of instructions as compiled code has them; the figure
// to look at is ns/inst, Finish included.
func BenchmarkAsm(b *testing.B) {
	var a Asm
	var c backend.Code
	const blocks, perBlock = 200, 20
	labels := make([]Label, blocks)
	run := func() {
		a.Reset()
		for i := range labels {
			labels[i] = a.NewLabel()
		}
		for i := range labels {
			a.Bind(labels[i])
			a.RM(MOV, 8, RAX, At(RSP, 16))
			a.RR(MOV, 4, RCX, RAX)
			a.RM(MOV, 4, RDX, AtIndex(R15, RCX, 1, 8))
			a.RI(ADD, 4, RDX, 1)
			a.MR(MOV, 4, AtIndex(R15, RCX, 1, 8), RDX)
			a.RM(LEA, 4, RSI, AtIndex(RAX, RDX, 4, 12))
			a.RR(CMP, 4, RSI, RDX)
			a.Jcc(CondBE, labels[(i*7+3)%blocks])
			a.RR(XOR, 4, R8, R8)
			a.RM(MOVF, 8, X1, AtIndex(R15, RAX, 1, 0))
			a.RR(ADDF, 8, X1, X2)
			a.RM(MULF, 8, X1, AtConst(a.Const64(uint64(i&15))))
			a.MR(MOVF, 8, At(RSP, 24), X1)
			a.RI(AND, 8, R8, 0xFF)
			a.RI(SHL, 8, R8, 3)
			a.RI(MOV, 4, RDI, int64(i))
			a.RR(MOVZX8, 4, RDI, RDI)
			a.Call(uint32(i))
			a.CallSite(uint32(i))
			a.RR(TEST, 4, RAX, RAX)
			a.Jcc(CondNE, labels[(i+1)%blocks])
		}
		if err := a.Finish(&c); err != nil {
			b.Fatal(err)
		}
	}
	run()
	b.ReportAllocs()
	for b.Loop() {
		run()
	}
	b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N)/(blocks*perBlock), "ns/inst")
}

// TestNoAllocation holds that assembling allocates nothing once memory is there.
func TestNoAllocation(t *testing.T) {
	var a Asm
	var c backend.Code
	allocs := testing.AllocsPerRun(10, func() {
		a.Reset()
		l := a.NewLabel()
		a.Jcc(CondE, l)
		a.RM(MOV, 8, RAX, AtIndex(R15, RCX, 1, 8))
		a.RM(MOVF, 8, X0, AtConst(a.Const64(1)))
		a.RI(ADD, 8, RAX, 1)
		a.VRRM(ADDPS, 32, X0, X1, At(RSP, 8))
		a.Bind(l)
		a.Bare(RET)
		if err := a.Finish(&c); err != nil {
			t.Fatal(err)
		}
	})
	if allocs != 0 {
		t.Errorf("%v allocations per function", allocs)
	}
}
