package cpu

import (
	"github.com/wasmaot/wasmaot/internal/lazy"
)

// cpuid asks the processor: EAX, EBX, ECX and EDX of a leaf (Intel SDM 2A, CPUID). In a virtual machine each question leaves
// the guest, which takes microseconds; a package that asks for everything at start is what this one is here instead of.
func cpuid(leaf, sub uint32) (a, b, c, d uint32)

// xgetbv0 is XCR0, the register state that the system saves. Only with OSXSAVE.
func xgetbv0() uint64

// leaves are the words of CPUID that features are found in.
type leaves struct {
	c1, b7, extC uint32 // ECX of leaf 1, EBX of leaf 7, ECX of leaf 0x80000001
	xcr0         uint64
}

// Vector state in XCR0: SSE, AVX, the three parts of AVX-512.
const (
	xcrAVX    = 1<<1 | 1<<2
	xcrVector = xcrAVX | 7<<5
)

func hostLeaves() leaves {
	return hostLeavesOnce.Get(func() leaves {
		var l leaves
		_, _, l.c1, _ = cpuid(1, 0)
		if l.c1&(1<<27) != 0 { // OSXSAVE
			l.xcr0 = xgetbv0()
		}
		const xsave = 1 << 26 // it is described by leaf 13: then there is a leaf 7
		if l.c1&xsave != 0 || maxLeaf() >= 7 {
			_, l.b7, _, _ = cpuid(7, 0)
		}
		_, _, l.extC, _ = cpuid(0x80000001, 0) // every processor with 64 bits has it: it tells so
		return l
	})
}

var hostLeavesOnce lazy.Value[leaves]

func maxLeaf() uint32 {
	most, _, _, _ := cpuid(0, 0)
	return most
}

// Host is the features of the machine.
func Host() uint64 {
	l := hostLeaves()
	const v2 = 1<<0 | 1<<9 | 1<<13 | 1<<19 | 1<<20 | 1<<23 // SSE3, SSSE3, CMPXCHG16B, SSE4.1, SSE4.2, POPCNT
	avx := l.xcr0&xcrAVX == xcrAVX && l.c1&(1<<28) != 0
	var f uint64
	for _, h := range [...]struct {
		has bool
		bit uint64
	}{
		{l.c1&v2 == v2, V2},
		{l.b7&(1<<3) != 0, BMI1},
		{l.b7&(1<<8) != 0, BMI2},
		{l.extC&(1<<5) != 0, LZCNT},
		{avx, AVX},
		{avx && l.b7&(1<<5) != 0, AVX2},
		{avx && l.c1&(1<<12) != 0, FMA},
		{hasFSGSBASE(), FSGSBASE},
		{l.b7&(1<<29) != 0, SHA},
		{l.b7&(1<<19) != 0, ADX},
	} {
		if h.has {
			f |= h.bit
		}
	}
	return f
}

// VectorState is the vector registers that code may use, as the mask that XSAVE takes; 0 if there is no XSAVE.
func VectorState() uint32 { return uint32(hostLeaves().xcr0 & xcrVector) }
