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
	ordered     bool // none begins before the end of another that comes earlier
}

// mergeImage looks which segments can be merged. They are applied in order, so merging ends at the first that cannot be. An image much larger
// than its segments is not worth making.
func mergeImage(m *wasm.Module) image {
	if m.ImportedMems > 0 || len(m.Mems) == 0 {
		return image{}
	}
	limit := m.Mems[0].Min * wasmPage
	start, end, sum := ^uint64(0), uint64(0), uint64(0)
	im := image{merged: m.DataLen, all: true, ordered: true}
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
		im.ordered = im.ordered && at >= end
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

// bytes is the image in memory.
func (im *image) bytes(m *wasm.Module) (all []byte) {
	whole := *im
	whole.ordered = false
	whole.write(m, func(part []byte) error { // one: it cannot fail
		all = part[:im.size]
		return nil
	})
	return all
}

// write gives the image in parts. If segments are in order, as Go's are, there is never more of it in memory than one.
func (im *image) write(m *wasm.Module, put artifact.Put) error {
	left := artifact.PageUp(im.size) // from base on
	part, base := make([]byte, left), im.start
	if im.ordered {
		part = part[:min(left, partSize)]
	}
	for i, d := range m.Datas() {
		if i >= im.merged {
			break
		}
		if d.Mode != wasm.SegmentActive {
			continue
		}
		at, _ := m.DataPlace(d)
		for init := d.Init; len(init) > 0; {
			for at-base >= uint64(len(part)) {
				if err := put(part); err != nil {
					return err
				}
				base, left = base+uint64(len(part)), left-uint64(len(part))
				part = part[:min(left, partSize)]
				clear(part)
			}
			n := copy(part[at-base:], init)
			init, at = init[n:], at+uint64(n)
		}
	}
	return put(part)
}
