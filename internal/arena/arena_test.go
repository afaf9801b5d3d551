package arena

import (
	"math"
	"runtime"
	"testing"
	"unsafe"
)

type pair struct {
	a uint32
	b [2]uint16
}

type inner struct {
	bytes []byte
	names []string
}

type tables struct {
	pairs []pair
	inner
	many [2][]uint64
	lost []*pair
}

func TestShare(t *testing.T) {
	const size = 10000
	var a Arena
	defer a.Free()
	var s tables
	for range 2 { // the second time in the same place
		a.Share(size, &s)
		if runtime.GOOS != "linux" {
			return // nothing is reserved there
		}
		if cap(s.pairs) != size/8 || cap(s.bytes) != size || cap(s.many[1]) != size/8 {
			t.Fatalf("capacities %d, %d, %d: expected room for %d bytes", cap(s.pairs), cap(s.bytes), cap(s.many[1]), size)
		}
		if s.names != nil || s.lost != nil {
			t.Fatal("slices with pointers must be in the heap, which the collector knows")
		}
		places := [][]byte{bytesOf(s.pairs), bytesOf(s.bytes), bytesOf(s.many[0]), bytesOf(s.many[1])}
		for i, p := range places {
			for j := range p {
				if p[j] != 0 {
					t.Fatalf("slice %d: byte %d is %d, expected memory to be empty", i, j, p[j])
				}
				p[j] = byte(i + 1)
			}
		}
		for i, p := range places {
			for j := range p {
				if p[j] != byte(i+1) {
					t.Fatalf("slice %d: byte %d belongs to slice %d too", i, j, p[j]-1)
				}
			}
		}
	}
	first := unsafe.SliceData(s.bytes)
	s.bytes = append(s.bytes, make([]byte, size)...)
	if unsafe.SliceData(s.bytes) != first {
		t.Error("a slice moved though it had room")
	}
	if s.bytes = append(s.bytes, 1); unsafe.SliceData(s.bytes) == first {
		t.Error("a slice outgrew its room where it was")
	}
	a.Share(100*size, &s) // more than is reserved
	s.many[0] = append(s.many[0], make([]uint64, 100*size/8)...)
}

func bytesOf[T any](s []T) []byte {
	var t T
	return unsafe.Slice((*byte)(unsafe.Pointer(unsafe.SliceData(s))), cap(s)*int(unsafe.Sizeof(t)))
}

func TestNoRoom(t *testing.T) {
	var a Arena
	s := tables{many: [2][]uint64{make([]uint64, 5), nil}}
	a.Share(math.MaxInt/8, &s)
	if s.many[0] != nil || cap(s.bytes) != 0 {
		t.Error("slices must be empty where nothing can be reserved")
	}
}
