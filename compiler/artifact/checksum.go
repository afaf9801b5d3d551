package artifact

import (
	"encoding/binary"
	"math/bits"
)

// checksum finds damage. It is no defence against someone who may write artifacts: those are code.
//
// Eight lanes take a word each and go through a step that is a bijection of the lane for a given word and of the word for a
// given lane, so that a change within one word always changes its lane; a processor without any special
// instructions does them side by side, at about the speed of memory. All bits of all lanes then go into both
// halves of the sum.
func checksum(b []byte) [sumSize]byte {
	s := newSummer()
	s.add(b)
	return s.sum()
}

// summer makes the checksum of what comes in pieces, of which all but the last have a multiple of 64 bytes.
type summer struct {
	lanes [8]uint64
	n     int
}

func newSummer() summer { return summer{lanes: checksumSeeds} }

func (s *summer) add(b []byte) {
	s.n += len(b)
	{ // in variables of their own, which the compiler keeps in registers
		l := &s.lanes
		l0, l1, l2, l3, l4, l5, l6, l7 := l[0], l[1], l[2], l[3], l[4], l[5], l[6], l[7]
		for len(b) >= 64 {
			w := (*[64]byte)(b)
			l0 = checksumStep(l0, binary.LittleEndian.Uint64(w[0:]))
			l1 = checksumStep(l1, binary.LittleEndian.Uint64(w[8:]))
			l2 = checksumStep(l2, binary.LittleEndian.Uint64(w[16:]))
			l3 = checksumStep(l3, binary.LittleEndian.Uint64(w[24:]))
			l4 = checksumStep(l4, binary.LittleEndian.Uint64(w[32:]))
			l5 = checksumStep(l5, binary.LittleEndian.Uint64(w[40:]))
			l6 = checksumStep(l6, binary.LittleEndian.Uint64(w[48:]))
			l7 = checksumStep(l7, binary.LittleEndian.Uint64(w[56:]))
			b = b[64:]
		}
		*l = [8]uint64{l0, l1, l2, l3, l4, l5, l6, l7}
	}
	if len(b) > 0 { // filled up with zeros: the length tells them apart
		var last [64]byte
		copy(last[:], b)
		for i := range s.lanes {
			s.lanes[i] = checksumStep(s.lanes[i], binary.LittleEndian.Uint64(last[8*i:]))
		}
	}
}

func (s *summer) sum() (sum [sumSize]byte) {
	lo, hi := uint64(s.n), ^uint64(s.n)
	for i, l := range s.lanes {
		lo = checksumMix(lo ^ l)
		hi = checksumMix(hi ^ bits.RotateLeft64(l, 8*i+4))
	}
	binary.LittleEndian.PutUint64(sum[:8], lo)
	binary.LittleEndian.PutUint64(sum[8:], hi)
	return sum
}

// checksumSeeds are the fractions of the square roots of the first primes.
var checksumSeeds = [8]uint64{
	0x6a09e667f3bcc908, 0xbb67ae8584caa73b, 0x3c6ef372fe94f82b, 0xa54ff53a5f1d36f1,
	0x510e527fade682d1, 0x9b05688c2b3e6c1f, 0x1f83d9abfb41bd6b, 0x5be0cd19137e2179,
}

// checksumPrime is odd: multiplying by it can be undone. It is 2^64 divided by the golden ratio.
const checksumPrime = 0x9e3779b97f4a7c15

func checksumStep(lane, word uint64) uint64 {
	x := (lane ^ word) * checksumPrime // moves bits up,
	return x ^ x>>32                   // and this moves them down
}

// checksumMix spreads every bit over the word and can be undone.
func checksumMix(x uint64) uint64 {
	x ^= x >> 32
	x *= checksumPrime
	x ^= x >> 29
	x *= 0xbf58476d1ce4e5b9
	return x ^ x>>32
}
