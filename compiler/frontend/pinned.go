package frontend

import (
	"bytes"

	"github.com/wasmaot/wasmaot/compiler/wasm"
)

// What is looked at to choose the pinned global, and how often it must be written for each function there. In a module built by Go that is the stack pointer,
// which every function writes before each call, six to fourteen times in the mean; where functions write it once to make a frame and once to leave it, as those
// of other compilers do, it is less than once, and they need the register for other things.
const (
	pinnedSample = 1 << 18 // bytes of code
	pinnedWrites = 4
)

// FindPinned chooses the pinned global, see abi.Convention: the I32 that code writes most often, if that is often; with always any that is
// written. The count is of bytes, so it may be wrong: then another one is chosen, or none, and the code is as right.
func (mod *Module) FindPinned(always bool) {
	m := mod.Wasm
	var counts [128]int // by index, which takes a byte
	for i := range m.Globals[:min(len(m.Globals), len(counts))] {
		if g := &m.Globals[i]; i < m.ImportedGlobals || !g.Mutable || g.Type != wasm.I32 {
			counts[i] = -1 << 62
		}
	}
	funcs, size := 0, 0
	for i := m.ImportedFuncs; i < len(m.Funcs) && size < pinnedSample; i++ {
		body := m.Funcs[i].Body
		funcs, size = funcs+1, size+len(body)
		for {
			at := bytes.IndexByte(body, byte(wasm.OpGlobalSet))
			if at < 0 || at+1 == len(body) {
				break
			}
			if index := int(body[at+1]); index < min(len(m.Globals), len(counts)) {
				counts[index]++
			}
			body = body[at+1:]
		}
	}
	best := 0
	for i, n := range counts {
		if n > counts[best] {
			best = i
		}
	}
	if n := counts[best]; n > 0 && (n >= pinnedWrites*funcs || always) {
		mod.SSA.Pinned = uint32(best) + 1
	}
}
