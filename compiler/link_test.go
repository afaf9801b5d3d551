package compiler

import (
	"encoding/binary"
	"math/rand/v2"
	"slices"
	"testing"

	"github.com/wasmaot/wasmaot/backend"
	"github.com/wasmaot/wasmaot/backend/arm64"
	"github.com/wasmaot/wasmaot/compiler/artifact"
	"github.com/wasmaot/wasmaot/compiler/wasm"
)

// TestVeneers lays out functions that call each other from one to all ends of the text, with a target of short reach, and
// follows each call to where it arrives.
func TestVeneers(t *testing.T) {
	r := rand.New(rand.NewPCG(1, 2))
	target := *arm64.Target
	for _, size := range []int{100, 1500, 3900} {
		target.Reach = 1 << 14
		codes := make([]codePart, 100)
		for i := range codes {
			codes[i].text = make([]byte, (1+r.IntN(size))*4)
			for off := 0; off < len(codes[i].text); off += 40 {
				binary.LittleEndian.PutUint32(codes[i].text[off:], 0x94000000) // bl
				codes[i].relocs = append(codes[i].relocs, backend.Reloc{Off: uint32(off), Target: uint32(r.IntN(len(codes)))})
			}
		}
		followCalls(t, &target, codes)
	}
}

// TestFarCalls makes calls over more than what the machine's instruction reaches.
func TestFarCalls(t *testing.T) {
	call := func(to uint32) codePart {
		return codePart{text: []byte{0, 0, 0, 0x94}, relocs: []backend.Reloc{{Target: to}}}
	}
	padding := codePart{text: make([]byte, 90<<20)}
	followCalls(t, arm64.Target, []codePart{call(4), padding, call(0), padding, call(0), call(2)})
}

func followCalls(t *testing.T, target *backend.Target, codes []codePart) {
	t.Helper()
	var order []int // clusters need another one
	for i := range codes {
		order = append(order, len(codes)-1-i)
	}
	l := newLayout(target, codes, order)
	if len(l.clusters) == 0 {
		t.Fatalf("%d bytes of text have no veneers", l.size)
	}
	var text []byte
	err := l.write(codes, func(part []byte) error {
		if len(text)%64 != 0 {
			t.Fatalf("a part at %#x, before the last one", len(text))
		}
		text = append(text, part...)
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	if uint64(len(text)) != artifact.PageUp(l.size) {
		t.Fatalf("text of %#x bytes was written as %#x", l.size, len(text))
	}
	far := 0
	for i := range codes {
		for _, r := range codes[i].relocs {
			at := int64(l.offs[i]) + int64(r.Off)
			bl := binary.LittleEndian.Uint32(text[at:])
			to := at + int64(int32(bl<<6)>>4)
			if d := to - at; d < -int64(target.Reach) || d >= int64(target.Reach) {
				t.Fatalf("call at %#x: distance %#x is more than %#x", at, d, target.Reach)
			}
			if to != int64(l.offs[r.Target]) {
				to = throughVeneer(t, text, to)
				far++
			}
			if to != int64(l.offs[r.Target]) {
				t.Fatalf("call at %#x arrives at %#x, expected %#x", at, to, l.offs[r.Target])
			}
		}
	}
	if far == 0 {
		t.Error("no call took a veneer")
	}
}

// throughVeneer gives where adrp, add and br at a place lead.
func throughVeneer(t *testing.T, text []byte, at int64) int64 {
	t.Helper()
	word := func(i int64) uint32 { return binary.LittleEndian.Uint32(text[at+4*i:]) }
	adrp, add, br := word(0), word(1), word(2)
	if adrp&0x9f00001f != 0x90000019 || add&0xffc003ff != 0x91000339 || br != 0xd61f0320 {
		t.Fatalf("at %#x: %#x %#x %#x are no veneer", at, adrp, add, br)
	}
	pages := int64(int32(adrp<<8)>>13)<<2 | int64(adrp>>29&3)
	return at&^4095 + pages<<12 + int64(add>>10&4095)
}

// TestTextOrder: functions of the list come first, all others in their order; each is there once.
func TestTextOrder(t *testing.T) {
	m := &wasm.Module{ImportedFuncs: 1}
	m.Names.Funcs = map[uint32]string{0: "runtime.check", 1: "main.main", 2: "runtime.check", 4: "runtime.schedinit"}
	if got := textOrder(m, 4); !slices.Equal(got, []int{1, 3, 0, 2}) {
		t.Errorf("order %v", got)
	}
}
