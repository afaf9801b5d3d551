package exec

import (
	"encoding/binary"
	"unsafe"
)

const (
	// StackPointer is the number of the stack pointer.
	StackPointer = 31
	link         = 30
	linkSize     = 0
)

// writeStub makes the code that leaves for reason i.
func writeStub(stub []byte, i uint64) {
	le := binary.LittleEndian
	le.PutUint32(stub[0:], 0x10000091) // adr x17, .+16
	le.PutUint32(stub[4:], 0xf9400230) // ldr x16, [x17]
	le.PutUint32(stub[8:], 0xd61f0200) // br x16
	le.PutUint64(stub[16:], leaveAddr())
	le.PutUint64(stub[24:], uint64(uintptr(unsafe.Pointer(&current))))
	le.PutUint64(stub[32:], i)
}

// begin makes the stack, whose arguments are at top, for a call of entry that returns to back.
func (s *State) begin(top int, entry, back uint64) {
	s.Int[StackPointer] = uint64(uintptr(unsafe.Pointer(&stack[top])))
	s.Int[link], s.Entry = back, entry
}

// comeBack notes where a callout returns to.
func (s *State) comeBack() { s.Entry = s.Int[link] }
