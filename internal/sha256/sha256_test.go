package sha256

import (
	"bytes"
	"crypto/sha256"
	"encoding/binary"
	"math/rand/v2"
	"testing"
	"time"
)

// Both ways of taking in blocks are compared with the standard library, for all lengths up to some blocks.
func TestSum256(t *testing.T) {
	seed := uint64(time.Now().UnixNano())
	t.Logf("seed %d", seed)
	data := make([]byte, 1000)
	rand.NewChaCha8([32]byte(binary.LittleEndian.AppendUint64(make([]byte, 24), seed))).Read(data)
	for n := range data {
		if got, want := Sum256(data[:n]), sha256.Sum256(data[:n]); got != want {
			t.Fatalf("%d bytes: %x, expected %x", n, got, want)
		}
	}
	for n := 0; n < len(data); n += blockSize {
		one, other := first, first
		blocks(&one, data[:n])
		generic(&other, data[:n])
		if one != other {
			t.Fatalf("%d blocks: %x, the general way gives %x", n/blockSize, one, other)
		}
	}
}

// However a message is cut, the hash is the same; taking it does not end the message.
func TestWrite(t *testing.T) {
	data := bytes.Repeat([]byte("0123456789abcde"), 40)
	for cut := range 200 {
		var h Hash
		for rest := data; len(rest) > 0; {
			k := min(cut, len(rest))
			if cut == 0 {
				k = len(rest)
			}
			h.Write(rest[:k])
			h.Write(nil)
			rest = rest[k:]
			if got, want := h.Sum(), sha256.Sum256(data[:len(data)-len(rest)]); got != want {
				t.Fatalf("pieces of %d, %d bytes: %x, expected %x", cut, len(data)-len(rest), got, want)
			}
		}
	}
}

func BenchmarkSum256(b *testing.B) {
	data := make([]byte, 1<<20)
	b.SetBytes(1 << 20)
	for b.Loop() {
		Sum256(data)
	}
}
