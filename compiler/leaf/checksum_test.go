package leaf

import (
	"hash/crc32"
	"testing"
)

func TestChecksum(t *testing.T) {
	b := make([]byte, 300)
	for i := range b {
		b[i] = byte(i * i)
		if got, want := checksum(b[:i]), crc32.ChecksumIEEE(b[:i]); got != want {
			t.Fatalf("%d bytes: %08x, expected %08x", i, got, want)
		}
	}
}
