package arm64

import (
	"testing"

	"github.com/wasmaot/wasmaot/backend/regalloc"
)

// TestAllocatable compares the constant with the lists that the allocator takes registers from.
func TestAllocatable(t *testing.T) {
	var listed regalloc.RegSet
	for _, list := range registers.Alloc {
		for _, r := range list {
			listed |= 1 << r
		}
	}
	if listed != allocatable {
		t.Errorf("allocatable is %#x, the lists are %#x", allocatable, listed)
	}
}
