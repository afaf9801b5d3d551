package ssa

import (
	"encoding/binary"
	"math/bits"
)

// words are the lanes of a vector of I32x4.
func words(x [16]byte) (w [4]uint32) {
	for i := range w {
		w[i] = binary.LittleEndian.Uint32(x[4*i:])
	}
	return w
}

func ofWords(w [4]uint32) (x [16]byte) {
	for i := range w {
		binary.LittleEndian.PutUint32(x[4*i:], w[i])
	}
	return x
}

// rotated is x turned right by each of n, all added without carry (FIPS 180-4, section 4.1.2).
func rotated(x uint32, n ...int) (sum uint32) {
	for _, n := range n {
		sum ^= bits.RotateLeft32(x, -n)
	}
	return sum
}

// sha256Rounds is two rounds of SHA-256 (FIPS 180-4, section 6.2.2, step 3): of the state D, C, H, G and B, A, F, E are the vectors, lowest
// lane last, wk the sums of schedule and constant in its two lower lanes.
func sha256Rounds(cdgh, abef, wk [16]byte) [16]byte {
	x, y, k := words(cdgh), words(abef), words(wk)
	a, b, c, d := y[3], y[2], x[3], x[2]
	e, f, g, h := y[1], y[0], x[1], x[0]
	for _, k := range k[:2] {
		t1 := h + rotated(e, 6, 11, 25) + (e&f ^ ^e&g) + k
		t2 := rotated(a, 2, 13, 22) + (a&b ^ a&c ^ b&c)
		a, b, c, d, e, f, g, h = t1+t2, a, b, c, d+t1, e, f, g
	}
	return ofWords([4]uint32{f, e, b, a})
}

// sha256Msg1 is W[t-16] + σ0(W[t-15]) of four words of the schedule (section 6.2.2, step 1).
func sha256Msg1(a, b [16]byte) [16]byte {
	w := words(a)
	next := [4]uint32{w[1], w[2], w[3], words(b)[0]}
	for i, x := range next {
		w[i] += rotated(x, 7, 18) ^ x>>3
	}
	return ofWords(w)
}

// sha256Msg2 adds σ1(W[t-2]), of which two are among the words that it makes.
func sha256Msg2(a, b [16]byte) [16]byte {
	w, before := words(a), words(b)
	for i := range w {
		x := before[2+i%2]
		if i >= 2 {
			x = w[i-2]
		}
		w[i] += rotated(x, 17, 19) ^ x>>10
	}
	return ofWords(w)
}
