package artifact

import (
	"bytes"
	"testing"
)

// TestChecksum changes every bit, swaps words and adds zeros: every sum is another.
func TestChecksum(t *testing.T) {
	seen := map[[sumSize]byte]string{}
	note := func(b []byte, what string) {
		sum := checksum(b)
		if other, ok := seen[sum]; ok {
			t.Fatalf("%s has the sum of %s", what, other)
		}
		seen[sum] = what
	}
	for n := range 200 {
		note(make([]byte, n), "some zeros")
	}
	data := make([]byte, 333)
	for i := range data {
		data[i] = byte(i * i)
	}
	note(data, "the data")
	for i := range 8 * len(data) {
		bad := bytes.Clone(data)
		bad[i/8] ^= 1 << (i % 8)
		note(bad, "the data with a changed bit")
	}
	for i := 0; i+16 <= 320; i += 8 {
		bad := bytes.Clone(data)
		copy(bad[i:], data[i+8:i+16])
		copy(bad[i+8:], data[i:i+8])
		note(bad, "the data with swapped words")
	}
	for i := 0; i+128 <= 320; i += 64 {
		bad := bytes.Clone(data)
		copy(bad[i:], data[i+64:i+128])
		copy(bad[i+64:], data[i:i+64])
		note(bad, "the data with swapped blocks")
	}
}

func BenchmarkChecksum(b *testing.B) {
	data := make([]byte, 1<<20)
	b.SetBytes(int64(len(data)))
	for b.Loop() {
		checksum(data)
	}
}
