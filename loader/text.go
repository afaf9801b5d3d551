package loader

import (
	"slices"
	"sort"
	"sync"
	"unsafe"

	"github.com/wasmaot/wasmaot/compiler/artifact"
)

// text is code that was placed as one: that of an artifact, or that of one function which was compiled when it was first called.
type text struct {
	code         *Code
	base, size   uint64
	only         int    // the function, -1: those of the artifact
	frame        uint32 // of the only function
	traps, calls artifact.Sites
}

// texts is all of it by address, in areas: what is placed bit by bit comes to lie behind what is there, in one of few.
var texts struct {
	mu    sync.RWMutex
	areas []*area
}

// area is pages that belong to one Code.
type area struct {
	code *Code
	base uint64
	list []*text // by address
}

// addText adds t to those in the area that begins at an address, which all lie below it.
func addText(t *text, areaBase uint64) {
	texts.mu.Lock()
	defer texts.mu.Unlock()
	i := areaIndex(areaBase)
	if i == len(texts.areas) || texts.areas[i].base != areaBase {
		texts.areas = slices.Insert(texts.areas, i, &area{code: t.code, base: areaBase})
	}
	a := texts.areas[i]
	a.list = append(a.list, t)
}

// dropTexts forgets the code of c.
func dropTexts(c *Code) {
	texts.mu.Lock()
	defer texts.mu.Unlock()
	if c.demand == nil {
		if i := areaIndex(c.base); c.base != 0 {
			texts.areas = slices.Delete(texts.areas, i, i+1)
		}
		return
	}
	texts.areas = slices.DeleteFunc(texts.areas, func(a *area) bool { return a.code == c })
}

// areaIndex is the place in texts.areas of the first one at or above addr.
func areaIndex(addr uint64) int {
	return sort.Search(len(texts.areas), func(i int) bool { return texts.areas[i].base >= addr })
}

// textAt is the text that an address lies in and the offset there, nil for other addresses.
func textAt(addr uint64) (*text, uint32) {
	texts.mu.RLock()
	defer texts.mu.RUnlock()
	k := areaIndex(addr + 1)
	if k == 0 {
		return nil, 0
	}
	list := texts.areas[k-1].list
	i := sort.Search(len(list), func(i int) bool { return list[i].base > addr })
	if i == 0 {
		return nil, 0
	}
	t := list[i-1]
	if off := addr - t.base; off < t.size {
		return t, uint32(off)
	}
	return nil, 0
}

// bytes is the code itself.
func (t *text) bytes() []byte { return unsafe.Slice((*byte)(pointer(t.base)), t.size) }

// extent is where a function lies in its text, and what artifact.Func says of its frame.
type extent struct{ off, size, frame uint32 }

// extent is that of defined function i, one of those in the text.
func (t *text) extent(i int) extent {
	if t.only >= 0 {
		return extent{size: uint32(t.size), frame: t.frame}
	}
	f := &t.code.art.Funcs[i]
	return extent{f.Off, f.Size, f.FrameSize}
}

// funcAt is the index among the defined functions of the one that an offset lies in, -1 if there is none.
func (t *text) funcAt(off uint32) int {
	if t.only >= 0 {
		return t.only
	}
	c := t.code
	order := c.order.Get(func() []uint32 { return orderOf(c.art.Funcs) })
	index := func(n int) int {
		if order != nil {
			return int(order[n])
		}
		return n
	}
	n := sort.Search(len(c.art.Funcs), func(i int) bool { return c.art.Funcs[index(i)].Off > off })
	if n == 0 {
		return -1
	}
	i := index(n - 1)
	if f := &c.art.Funcs[i]; off-f.Off < f.Size {
		return i
	}
	return -1
}

// position is where the instruction at off in function i comes from: exact where
// a map knows it, else the last place before that does, in function i itself.
func (t *text) position(i int, off uint32) artifact.Site {
	at := artifact.Site{Off: t.extent(i).off, Pos: t.code.art.Funcs[i].WasmOff}
	if s, ok := t.traps.Before(off); ok && s.Off >= at.Off {
		if at = s; at.Off == off {
			return at
		}
	}
	if s, ok := t.calls.Before(off); ok && s.Off > at.Off {
		at = s
	}
	if at.Call != 0 {
		at.Pos, at.Call = at.Call, 0
	}
	return at
}
