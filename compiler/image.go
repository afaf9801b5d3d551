package compiler

import (
	"github.com/wasmaot/wasmaot/compiler/artifact"
	"github.com/wasmaot/wasmaot/compiler/wasm"
)

const wasmPage = 65536

// imageAlign is the alignment of the image's start in memory, that of a host page, so
// that it can be mapped.
const imageAlign = 4096

// image is what the active segments of an own memory 0 whose place is constant make together: Go-built modules have tens of thousands of them.
type image struct {
	start, size uint64
	merged      int  // segments up to the first that stays one
	all         bool // no segment stays one
}

// mergeImage looks which segments can be merged. They are applied in order, so merging ends at the first that cannot be. An image much larger
// than its segments is not worth making.
func mergeImage(m *wasm.Module) image {
	if m.ImportedMems > 0 || len(m.Mems) == 0 {
		return image{}
	}
	limit := m.Mems[0].Min * wasmPage
	start, end, sum := ^uint64(0), uint64(0), uint64(0)
	im := image{merged: m.DataLen, all: true}
	for i, d := range m.Datas() {
		if d.Mode != wasm.SegmentActive {
			im.all = false
			continue
		}
		at, ok := m.DataPlace(d)
		size := uint64(len(d.Init))
		if !ok || d.Mem != 0 || at > limit || size > limit-at {
			im.merged, im.all = i, false
			break
		}
		if size == 0 {
			continue
		}
		start, end = min(start, at), max(end, at+size)
		sum += size
	}
	start &^= imageAlign - 1
	if start >= end || end-start > 4*sum+1<<20 {
		return image{}
	}
	im.start, im.size = start, end-start
	return im
}

// make writes the segments into the image.
func (im *image) make(m *wasm.Module, a *artifact.Artifact) {
	if im.size == 0 {
		return
	}
	a.Image, a.ImageStart = artifact.Pages(im.size), im.start
	for i, d := range m.Datas() {
		if i >= im.merged {
			break
		}
		if d.Mode == wasm.SegmentActive && len(d.Init) > 0 {
			at, _ := m.DataPlace(d)
			copy(a.Image[at-im.start:], d.Init)
		}
	}
}
