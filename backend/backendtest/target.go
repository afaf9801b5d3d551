package backendtest

import (
	"testing"

	"github.com/wasmaot/wasmaot/backend"
	"github.com/wasmaot/wasmaot/backend/regalloc"
)

// Allocatable compares the set of registers that may be allocated with the lists that the allocator takes them from.
func Allocatable(t *testing.T, target *backend.Target, set regalloc.RegSet) {
	var listed regalloc.RegSet
	for _, list := range target.Regs.Alloc {
		for _, r := range list {
			listed |= 1 << r
		}
	}
	if listed != set {
		t.Errorf("allocatable is %#x, the lists are %#x", set, listed)
	}
}
