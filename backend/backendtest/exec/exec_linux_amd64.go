package exec

import (
	"encoding/binary"
	"unsafe"
)

const (
	// StackPointer is the number of the stack pointer.
	StackPointer = 4
	linkSize     = 8 // of the return address that calls push
)

// writeStub makes the code that leaves for reason i.
func writeStub(stub []byte, i uint64) {
	copy(stub, []byte{0x49, 0xbb}) // mov r11, i
	binary.LittleEndian.PutUint64(stub[2:], i)
	copy(stub[10:], []byte{0xff, 0x25, 0, 0, 0, 0}) // jmp [rip+0]
	binary.LittleEndian.PutUint64(stub[16:], leaveAddr())
}

// begin makes the stack, whose arguments are at top, for a call of entry that returns to back.
func (s *State) begin(top int, entry, back uint64) {
	binary.LittleEndian.PutUint64(stack[top-8:], back)
	binary.LittleEndian.PutUint64(stack[top-16:], entry)
	s.Int[StackPointer] = uint64(uintptr(unsafe.Pointer(&stack[top-16])))
}

// comeBack notes where a callout returns to.
func (s *State) comeBack() {}
