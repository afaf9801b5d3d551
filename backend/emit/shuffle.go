package emit

import (
	"encoding/binary"

	"github.com/wasmaot/wasmaot/backend/regalloc"
)

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

// Matches reports whether all bytes of a shuffle's result are those that want gives by the number of the result's byte. If both vectors are the
// same, so is it of which a byte comes.
func Matches(lanes *[16]byte, same bool, want func(i int) int) bool {
	mask := 31
	if same {
		mask = 15
	}
	for i, n := range lanes {
		if (int(n)^want(i))&mask != 0 {
			return false
		}
	}
	return true
}

// A Pattern takes lanes of two vectors in turns: it gives the lane of both together that lane i of the result's n is.
type Pattern func(i, n int) int

// ZipLow and ZipHigh take the lanes of the low or the high halves by turns.
func ZipLow(i, n int) int  { return i/2 + i%2*n }
func ZipHigh(i, n int) int { return n/2 + i/2 + i%2*n }

// Matches reports whether a shuffle is the pattern in lanes of the size, and whether with the vectors exchanged.
func (p Pattern) Matches(lanes *[16]byte, same bool, size int) (straight, exchanged bool) {
	want := func(i int) int { return p(i/size, 16/size)*size + i%size }
	return Matches(lanes, same, want), Matches(lanes, same, func(i int) int { return want(i) ^ 16 })
}

// Halves are those of a vector.
func Halves(v *[16]byte) (lo, hi uint64) {
	return binary.LittleEndian.Uint64(v[:8]), binary.LittleEndian.Uint64(v[8:])
}
