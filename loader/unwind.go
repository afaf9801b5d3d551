package loader

import (
	"fmt"
	"strings"

	"github.com/wasmaot/wasmaot/compiler/artifact"
)

// site is where a function goes on: an instruction and the stack pointer there.
type site struct{ pc, sp uint64 }

// backtraceFrom walks the frames of native code from where it was stopped, and reports whether there
// are more than it gives. Functions have frames of fixed size with the return address above; the
// entry stub's return address, which is in no loaded code, ends the walk.
func (s *nativeStack) backtraceFrom(at site) (frames []Frame, elided bool) {
	t, off := textAt(at.pc)
	if t == nil {
		return nil, false
	}
	i := t.funcAt(off)
	if i < 0 {
		return nil, false
	}
	frames = s.push(nil, t.code, i, t.position(i, off))
	return s.callers(frames, s.returnFrom(t, t.extent(i), off, at))
}

// callers walks on from where the last frame returns to.
func (s *nativeStack) callers(frames []Frame, at site) ([]Frame, bool) {
	for {
		// The return address of a call that never returns may lie behind its function.
		t, off := textAt(at.pc - 1)
		if t == nil {
			return frames, false
		}
		i := t.funcAt(off)
		call, ok := t.calls.Find(off + 1)
		if i < 0 || !ok {
			return frames, false
		}
		if len(frames) == MaxFrames {
			return frames, true
		}
		frames = s.push(frames, t.code, i, call)
		at = s.returnAt(at.sp + uint64(t.extent(i).frame))
	}
}

// returnAt is where a function returns to whose return address is kept at an address of the stack.
func (s *nativeStack) returnAt(at uint64) site {
	pc, _ := s.load(at)
	return site{pc, at + linkSize}
}

// load reads a word of the native stack.
func (s *nativeStack) load(at uint64) (uint64, bool) {
	if at < s.e.committed || at >= s.e.addr() || at%8 != 0 {
		return 0, false
	}
	return *(*uint64)(pointer(at)), true
}

// push adds the frame of defined function i, and before it that of a function that stands in the place of a call there, if the position is in one.
func (s *nativeStack) push(frames []Frame, c *Code, i int, at artifact.Site) []Frame {
	if at.Call == 0 {
		return s.pushFrame(frames, c, i, at.Pos)
	}
	if k := c.funcOf(at.Pos); k >= 0 && len(frames) < MaxFrames-1 {
		frames = s.pushFrame(frames, c, k, at.Pos)
	}
	return s.pushFrame(frames, c, i, at.Call)
}

// pushFrame adds the frame of defined function i at a wasm offset. The name is copied: it may lie in a file that is unmapped with the code.
func (s *nativeStack) pushFrame(frames []Frame, c *Code, i int, pos uint32) []Frame {
	f := Frame{Func: uint32(c.layout.Shape.ImportedFuncs + i), Name: c.art.FuncName(i), Offset: pos, Module: *c.name.Load()}
	if s.inst != nil && s.inst.code == c {
		f.Module = s.inst.name
	}
	if n := len(frames); n > 0 && frames[n-1].Name == f.Name { // recursion
		f.Name = frames[n-1].Name
	} else {
		f.Name = strings.Clone(f.Name)
	}
	return append(frames, f)
}

// A long backtrace's text shows its first and last frames.
const (
	textFirst = 64
	textLast  = 16
)

func backtrace(frames []Frame, elided bool) string {
	var b strings.Builder
	for i, f := range frames {
		if skipped := len(frames) - textFirst - textLast; skipped > 1 && i >= textFirst && i < len(frames)-textLast {
			if i == textFirst {
				fmt.Fprintf(&b, "     … %d frames\n", skipped)
			}
			continue
		}
		name := f.Name
		if name == "" {
			name = fmt.Sprintf("function %d", f.Func)
		}
		if f.Module != frames[0].Module {
			name += " (" + f.Module + ")"
		}
		fmt.Fprintf(&b, "%3d: 0x%x %s\n", i, f.Offset, name)
	}
	if elided {
		b.WriteString("     … more frames\n")
	}
	return b.String()
}
