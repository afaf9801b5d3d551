package compiler

import (
	"bytes"
	"encoding/binary"
	"math/rand/v2"
	"testing"
	"time"

	"github.com/wasmaot/wasmaot/compiler/artifact"
	"github.com/wasmaot/wasmaot/compiler/wasm"
)

// TestImage merges segments that follow one another, with gaps that are longer than what is written at a time, and such that overlap.
func TestImage(t *testing.T) {
	seed := uint64(time.Now().UnixNano())
	t.Logf("seed %d", seed)
	r := rand.New(rand.NewPCG(seed, 0))
	const pages = 10
	for round := range 60 {
		var segments []byte
		memory := make([]byte, pages*wasmPage)
		n, at, end := 1+r.IntN(12), r.IntN(100_000), 0
		for range n {
			size := r.IntN([]int{3, 500, 30_000}[r.IntN(3)])
			if round%2 == 1 {
				at = r.IntN(len(memory) - size)
			} else if at+size > len(memory) {
				size = len(memory) - at
			}
			data := make([]byte, size)
			for i := range data {
				data[i] = byte(r.Uint32())
			}
			segments = append(segments, 0, byte(wasm.OpI32Const))
			segments = append(appendSigned(segments, int64(at)), byte(wasm.OpEnd))
			segments = append(binary.AppendUvarint(segments, uint64(size)), data...)
			copy(memory[at:], data)
			if size > 0 {
				end = max(end, at+size)
			}
			at = min(at+size+r.IntN([]int{1, 10, 150_000}[r.IntN(3)]), len(memory))
		}
		segments = append(binary.AppendUvarint(nil, uint64(n)), segments...)
		src := append([]byte("\x00asm\x01\x00\x00\x00\x05\x03\x01\x00"), pages, 11)
		src = append(binary.AppendUvarint(src, uint64(len(segments))), segments...)
		m, err := wasm.Decode(src, wasm.Features20)
		if err != nil {
			t.Fatal(err)
		}
		im := mergeImage(m)
		if im.size == 0 {
			if end > 0 {
				t.Fatalf("round %d: %d segments up to 0x%x were not merged", round, n, end)
			}
			continue
		}
		if round%2 == 0 && !im.ordered {
			t.Fatalf("round %d: segments that follow one another are not in order", round)
		}
		var all []byte
		im.write(m, func(part []byte) error {
			if len(all)%64 != 0 {
				t.Fatalf("round %d: a part of the image at 0x%x, before the last", round, len(all))
			}
			all = append(all, part...)
			return nil
		})
		if !bytes.Equal(im.bytes(m), all[:im.size]) {
			t.Fatalf("round %d: the image in memory differs from that in parts", round)
		}
		if im.start+im.size != uint64(end) || uint64(len(all)) != artifact.PageUp(im.size) {
			t.Fatalf("round %d: image of 0x%x bytes from 0x%x on, 0x%x written: expected it to end at 0x%x", round, im.size, im.start, len(all), end)
		}
		want := append(memory[im.start:end:end], make([]byte, len(all)-int(im.size))...)
		if !bytes.Equal(all, want) || !bytes.Equal(memory[:im.start], make([]byte, im.start)) {
			t.Fatalf("round %d: the image is not what the segments make of memory", round)
		}
	}
}

// appendSigned appends a signed LEB128 number.
func appendSigned(b []byte, v int64) []byte {
	for ; v < -64 || v > 63; v >>= 7 {
		b = append(b, byte(v)|0x80)
	}
	return append(b, byte(v)&0x7f)
}
