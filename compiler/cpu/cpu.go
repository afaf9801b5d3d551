// Package cpu knows the optional features of processors: how artifacts number them, what they are called, and which
// of them this machine has. The compiler and those who only run code share it.
package cpu

import (
	"fmt"
	"runtime"
)

// Features of amd64 beyond x86-64-v2, which has SSE4.2 and POPCNT and is required. The numbers are part of the artifact format.
const (
	V2 uint64 = 1 << iota
	BMI1
	BMI2
	LZCNT
	AVX
	AVX2
	FMA
	FSGSBASE
	SHA
	ADX
)

// names are those of a target's features by bit.
func names(target string) []string {
	if target == "amd64" {
		return []string{"x86-64-v2", "bmi1", "bmi2", "lzcnt", "avx", "avx2", "fma", "fsgsbase", "sha", "adx"}
	}
	return nil
}

// Names lists the features among bits.
func Names(target string, bits uint64) []string {
	var list []string
	for i, name := range names(target) {
		if bits&(1<<i) != 0 {
			list = append(list, name)
		}
	}
	if rest := bits &^ (1<<len(names(target)) - 1); rest != 0 {
		list = append(list, fmt.Sprintf("unknown features 0x%x", rest))
	}
	return list
}

// Check refuses code that this machine cannot run.
func Check(target string, bits uint64) error {
	if target != runtime.GOARCH {
		return fmt.Errorf("code for %s cannot run on %s", target, runtime.GOARCH)
	}
	if lack := bits &^ Host(); lack != 0 {
		return fmt.Errorf("it needs CPU features that this machine lacks: %v", Names(target, lack))
	}
	return nil
}
