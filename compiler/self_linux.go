package compiler

import (
	"unsafe"

	"github.com/wasmaot/wasmaot/internal/elf"
	"golang.org/x/sys/unix"
)

// selfNotes is the notes of the running program where they lie in memory: the kernel tells where the program headers are. No file is
// opened, and it is this program for certain.
func selfNotes() (notes [][]byte) {
	const atPHDR, atPHENT, atPHNUM = 3, 4, 5 // getauxval(3)
	vector, err := unix.Auxv()
	if err != nil {
		return nil
	}
	var at, size, count uintptr
	for _, e := range vector {
		switch e[0] {
		case atPHDR:
			at = e[1]
		case atPHENT:
			size = e[1]
		case atPHNUM:
			count = e[1]
		}
	}
	if at == 0 || size != unsafe.Sizeof(elf.Prog64{}) {
		return nil
	}
	headers := unsafe.Slice((*elf.Prog64)(pointer(at)), count)
	for i := range headers {
		if headers[i].Type == elf.PT_PHDR {
			bias := at - uintptr(headers[i].Vaddr)
			for k := range headers {
				if h := &headers[k]; h.Type == elf.PT_NOTE && h.Filesz > 0 {
					notes = append(notes, unsafe.Slice((*byte)(pointer(bias+uintptr(h.Vaddr))), h.Filesz))
				}
			}
			break
		}
	}
	return notes
}

// pointer makes an address outside Go's heap a pointer.
func pointer(addr uintptr) unsafe.Pointer { return *(*unsafe.Pointer)(unsafe.Pointer(&addr)) }
