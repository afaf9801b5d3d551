package compiler

import (
	"runtime/debug"
	"sync"
)

// Build identifies the compiler in artifacts: code of another build is not reused. It is the Go
// build ID of the running program, which changes with every change of the compiler's code, or the
// module's version where the program carries no build ID.
var Build = sync.OnceValue(func() string {
	if id := buildID(selfNotes()); id != "" {
		return id
	}
	if info, ok := debug.ReadBuildInfo(); ok {
		return info.Main.Version + " " + info.Main.Sum
	}
	return "unknown"
})

// buildID finds the note that Go's linker leaves among those of a program: name "Go\0\0", type 4 (cmd/internal/buildid).
func buildID(notes [][]byte) string {
	const header = 12
	for _, b := range notes {
		for len(b) >= header { // sizes of name and contents, type; both are filled up to 4 bytes
			nameSize, size, kind := uint64(le.Uint32(b)), uint64(le.Uint32(b[4:])), le.Uint32(b[8:])
			at := header + (nameSize+3)&^3
			next := at + (size+3)&^3
			if at+size > uint64(len(b)) {
				break
			}
			if kind == 4 && string(b[header:header+nameSize]) == "Go\x00\x00" {
				return string(b[at : at+size])
			}
			b = b[min(next, uint64(len(b))):]
		}
	}
	return ""
}
