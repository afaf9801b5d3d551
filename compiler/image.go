package compiler

import (
	"github.com/wasmaot/wasmaot/compiler/artifact"
	"github.com/wasmaot/wasmaot/compiler/wasm"
)

const wasmPage = 65536

// imageAlign is the alignment of the image's start in memory, that of a host page, so
// that it can be mapped.
const imageAlign = 4096

// mergeImage turns the active segments of an own memory 0 whose place is constant into
// one image: Go-built modules have tens of thousands of them. Segments are applied in order,
// so merging ends at the first that cannot be merged. An image much larger than its
// segments is not worth making. merged is the number of segments up to the first that stays one.
func mergeImage(m *wasm.Module, a *artifact.Artifact) (merged int) {
	if m.ImportedMems > 0 || len(m.Mems) == 0 {
		return 0
	}
	limit := m.Mems[0].Min * wasmPage
	start, end, sum := ^uint64(0), uint64(0), uint64(0)
	n := 0
	for ; n < len(m.Datas); n++ {
		d := &m.Datas[n]
		if d.Mode != wasm.SegmentActive {
			continue
		}
		at, ok := m.DataPlace(d)
		size := uint64(d.InitSize)
		if !ok || d.Mem != 0 || at > limit || size > limit-at {
			break
		}
		if size == 0 {
			continue
		}
		start, end = min(start, at), max(end, at+size)
		sum += size
	}
	if start > end {
		return 0
	}
	start &^= imageAlign - 1
	if end-start > 4*sum+1<<20 {
		return 0
	}
	a.Image, a.ImageStart = artifact.Pages(end-start), start
	for i := range m.Datas[:n] {
		d := &m.Datas[i]
		if d.Mode != wasm.SegmentActive {
			continue
		}
		if at, _ := m.DataPlace(d); d.InitSize > 0 {
			copy(a.Image[at-start:], m.DataInit(d))
		}
	}
	return n
}
