//go:build linux

package loader

import "bytes"

// guestState is the guest's registers, by machine number, and what IRETQ takes, in its order.
type guestState struct {
	regs                  [16]uint64
	pc, cs, flags, sp, ss uint64
}

const (
	// linkSize is what a call leaves between the frames of caller and callee: the return address.
	linkSize = 8
	// INT3 is reported behind the instruction.
	breakpointSize = 1

	opRet = 0xc3
)

// returnFrom is where the function at f, stopped at off, returns to. Before the prologue and after the epilogue there is no frame.
func (s *nativeStack) returnFrom(t *text, f extent, off uint32, at site) site {
	framed := at.sp + uint64(f.frame)
	// A return address is known by the map of calls.
	if off == f.off || t.bytes()[off] == opRet || !s.isReturn(framed) && s.isReturn(at.sp) {
		framed = at.sp
	}
	return s.returnAt(framed)
}

// isReturn reports whether a word of the stack is a return address into native code.
func (s *nativeStack) isReturn(at uint64) bool {
	pc, ok := s.load(at)
	if !ok {
		return false
	}
	if t, off := textAt(pc - 1); t != nil {
		_, ok := t.calls.Find(off + 1)
		return ok
	}
	return isStub(pc)
}

// exitReturn is where an exit stub returns to that found the stack's end. Its first store finds it, when the descriptor
// is in its register.
func (s *nativeStack) exitReturn() site {
	return s.returnAt(s.e.sp + exitFrameOf(s.e.regs[conv.Callee]))
}

// setContext is the instruction that sets the context register in functions: mov r14, r11.
var setContext = []byte{0x4d, 0x8b, 0xf3}

// setsContext reports whether code begins with it.
func setsContext(code []byte) bool { return bytes.HasPrefix(code, setContext) }
