package cpu

import "golang.org/x/sys/cpu"

// Host is the features of the machine.
func Host() uint64 {
	x := &cpu.X86
	var f uint64
	for _, h := range [...]struct {
		has bool
		bit uint64
	}{
		{x.HasSSE42 && x.HasSSSE3 && x.HasPOPCNT && x.HasCX16, V2},
		{x.HasBMI1, BMI1},
		{x.HasBMI2, BMI2},
		{x.HasLZCNT, LZCNT},
		{x.HasAVX, AVX},
		{x.HasAVX2, AVX2},
		{x.HasFMA, FMA},
		{hasFSGSBASE(), FSGSBASE},
	} {
		if h.has {
			f |= h.bit
		}
	}
	return f
}
