package cpu

import (
	"runtime"
	"slices"
	"strings"
	"testing"
)

func TestNames(t *testing.T) {
	if got := Names("amd64", BMI2|AVX|1<<40); !slices.Equal(got, []string{"bmi2", "avx", "unknown features 0x10000000000"}) {
		t.Errorf("names %q", got)
	}
	if n := len(names("amd64")); ADX != 1<<(n-1) {
		t.Errorf("%d names for features up to 0x%x", n, ADX)
	}
}

func TestCheck(t *testing.T) {
	if err := Check(runtime.GOARCH, Host()); err != nil {
		t.Error(err)
	}
	if err := Check(runtime.GOARCH, 1<<63); err == nil || !strings.Contains(err.Error(), "lacks") {
		t.Errorf("a feature that no machine has: %v", err)
	}
	if err := Check("pdp11", 0); err == nil || !strings.Contains(err.Error(), "pdp11") {
		t.Errorf("another target: %v", err)
	}
}
