package emit

import "github.com/wasmaot/wasmaot/backend/regalloc"

// Shuffled gives the two vectors of which a shuffle takes lanes, 0 to 15 from a and 16 to 31 from b. If it needs one alone both
// are that one, and lanes are made 0 to 15.
func Shuffled(lanes *[16]byte, a, b regalloc.Reg) (x, y regalloc.Reg) {
	needsA, needsB := false, false
	for _, n := range lanes {
		needsA = needsA || n < 16
		needsB = needsB || n >= 16
	}
	if needsA && needsB && a != b {
		return a, b
	}
	if !needsA {
		a = b
	}
	for i := range lanes {
		lanes[i] &= 15
	}
	return a, a
}
