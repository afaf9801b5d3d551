package compiler

import (
	"bytes"
	"debug/elf"
	"fmt"
	"io"
	"os"
	"runtime/debug"
	"sync"
)

// Build identifies the compiler in artifacts: code of another build is not reused. It is the Go
// build ID of the running program, which changes with every change of the compiler's code, or the
// module's version where the program carries no build ID.
var Build = sync.OnceValue(func() string {
	if id := buildID(); id != "" {
		return id
	}
	if info, ok := debug.ReadBuildInfo(); ok {
		return info.Main.Version + " " + info.Main.Sum
	}
	return "unknown"
})

// buildID reads the note that Go's linker leaves: name "Go\0\0", type 4 (cmd/internal/buildid).
func buildID() string {
	exe, err := os.Open("/proc/self/exe")
	if err != nil {
		return ""
	}
	defer exe.Close()
	f, err := elf.NewFile(exe)
	if err != nil {
		return ""
	}
	for _, p := range f.Progs {
		if p.Type != elf.PT_NOTE {
			continue
		}
		note, err := io.ReadAll(io.LimitReader(p.Open(), 4096))
		if err != nil || len(note) < 16 || !bytes.Equal(note[12:16], []byte("Go\x00\x00")) {
			continue
		}
		if n := f.ByteOrder.Uint32(note[4:]); f.ByteOrder.Uint32(note[8:]) == 4 && uint64(n) <= uint64(len(note)-16) {
			return fmt.Sprintf("%s", note[16:16+n])
		}
	}
	return ""
}
