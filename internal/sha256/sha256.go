// Package sha256 is SHA-256 (FIPS 180-4). The standard library's package brings fifteen others that initialise themselves, with
// self-tests and questions to the processor, at the start of every program that links it.
package sha256

import (
	"encoding/binary"
	"math/bits"
)

// Size is the length of a hash, blockSize what is taken in at once, in bytes.
const (
	Size      = 32
	blockSize = 64
)

// first is the state before the first block: the fractional parts of the square roots of the first eight primes (FIPS 180-4, 5.3.3).
var first = [8]uint32{0x6a09e667, 0xbb67ae85, 0x3c6ef372, 0xa54ff53a, 0x510e527f, 0x9b05688c, 0x1f83d9ab, 0x5be0cd19}

// constants of the rounds: of the cube roots of the first 64 primes (FIPS 180-4, 4.2.2).
var constants = [64]uint32{
	0x428a2f98, 0x71374491, 0xb5c0fbcf, 0xe9b5dba5, 0x3956c25b, 0x59f111f1, 0x923f82a4, 0xab1c5ed5,
	0xd807aa98, 0x12835b01, 0x243185be, 0x550c7dc3, 0x72be5d74, 0x80deb1fe, 0x9bdc06a7, 0xc19bf174,
	0xe49b69c1, 0xefbe4786, 0x0fc19dc6, 0x240ca1cc, 0x2de92c6f, 0x4a7484aa, 0x5cb0a9dc, 0x76f988da,
	0x983e5152, 0xa831c66d, 0xb00327c8, 0xbf597fc7, 0xc6e00bf3, 0xd5a79147, 0x06ca6351, 0x14292967,
	0x27b70a85, 0x2e1b2138, 0x4d2c6dfc, 0x53380d13, 0x650a7354, 0x766a0abb, 0x81c2c92e, 0x92722c85,
	0xa2bfe8a1, 0xa81a664b, 0xc24b8b70, 0xc76c51a3, 0xd192e819, 0xd6990624, 0xf40e3585, 0x106aa070,
	0x19a4c116, 0x1e376c08, 0x2748774c, 0x34b0bcb5, 0x391c0cb3, 0x4ed8aa4a, 0x5b9cca4f, 0x682e6ff3,
	0x748f82ee, 0x78a5636f, 0x84c87814, 0x8cc70208, 0x90befffa, 0xa4506ceb, 0xbef9a3f7, 0xc67178f2,
}

// Sum256 is the hash of data.
func Sum256(data []byte) [Size]byte {
	var h Hash
	h.Write(data)
	return h.Sum()
}

// Hash takes in what is to be hashed piece by piece. Its zero value is ready.
type Hash struct {
	state   [8]uint32 // once something was written
	length  uint64
	pending [blockSize]byte
}

// Write takes in p. It never fails.
func (h *Hash) Write(p []byte) (int, error) {
	if h.length == 0 {
		h.state = first
	}
	n, used := len(p), int(h.length%blockSize)
	h.length += uint64(n)
	if used > 0 {
		k := copy(h.pending[used:], p)
		p = p[k:]
		if used+k < blockSize {
			return n, nil
		}
		blocks(&h.state, h.pending[:])
	}
	if whole := len(p) &^ (blockSize - 1); whole > 0 {
		blocks(&h.state, p[:whole])
		p = p[whole:]
	}
	copy(h.pending[:], p)
	return n, nil
}

// Sum is the hash of what was written (FIPS 180-4, 5.1.1 padding).
func (h *Hash) Sum() (sum [Size]byte) {
	c := *h
	if c.length == 0 {
		c.state = first
	}
	tail := make([]byte, 0, 2*blockSize)
	tail = append(append(tail, c.pending[:c.length%blockSize]...), 0x80)
	for len(tail)%blockSize != blockSize-8 {
		tail = append(tail, 0)
	}
	blocks(&c.state, binary.BigEndian.AppendUint64(tail, c.length*8))
	for i, s := range c.state {
		binary.BigEndian.PutUint32(sum[4*i:], s)
	}
	return sum
}

// generic takes in whole blocks (FIPS 180-4, 6.2.2).
func generic(state *[8]uint32, p []byte) {
	var w [64]uint32
	for ; len(p) >= blockSize; p = p[blockSize:] {
		for i := range 16 {
			w[i] = binary.BigEndian.Uint32(p[4*i:])
		}
		for i := 16; i < 64; i++ {
			a, b := w[i-2], w[i-15]
			a = bits.RotateLeft32(a, -17) ^ bits.RotateLeft32(a, -19) ^ a>>10
			b = bits.RotateLeft32(b, -7) ^ bits.RotateLeft32(b, -18) ^ b>>3
			w[i] = a + w[i-7] + b + w[i-16]
		}
		a, b, c, d, e, f, g, h := state[0], state[1], state[2], state[3], state[4], state[5], state[6], state[7]
		for i := range w {
			t1 := h + (bits.RotateLeft32(e, -6) ^ bits.RotateLeft32(e, -11) ^ bits.RotateLeft32(e, -25)) + (e&f ^ ^e&g) + constants[i] + w[i]
			t2 := (bits.RotateLeft32(a, -2) ^ bits.RotateLeft32(a, -13) ^ bits.RotateLeft32(a, -22)) + (a&b ^ a&c ^ b&c)
			a, b, c, d, e, f, g, h = t1+t2, a, b, c, d+t1, e, f, g
		}
		for i, s := range [...]uint32{a, b, c, d, e, f, g, h} {
			state[i] += s
		}
	}
}
