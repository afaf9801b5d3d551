package compiler

import (
	"debug/elf"
	"encoding/binary"
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

// buildID reads the note that Go's linker leaves: name "Go\0\0", type 4 (cmd/internal/buildid). It is found from the
// program headers alone, which with the note lie in the first page of what Go's linker writes.
func buildID() string {
	page := make([]byte, 4096)
	if note := noteIn(page[:readSelf(page)]); note != nil {
		return parseNote(le, note)
	}
	exe, err := os.Open(selfPath)
	if err != nil {
		return ""
	}
	defer exe.Close()
	return linkedNote(exe)
}

// selfPath is the running program where there is a /proc.
const selfPath = "/proc/self/exe"

// noteIn is the first note of a 64-bit little-endian program of which only the beginning is there, nil if it is not.
func noteIn(head []byte) []byte {
	const headerSize = 64
	if len(head) < headerSize || string(head[:4]) != elf.ELFMAG || elf.Class(head[elf.EI_CLASS]) != elf.ELFCLASS64 || elf.Data(head[elf.EI_DATA]) != elf.ELFDATA2LSB {
		return nil
	}
	at, size, n := le.Uint64(head[32:]), uint64(le.Uint16(head[54:])), uint64(le.Uint16(head[56:]))
	if size < 40 {
		return nil
	}
	for ; n > 0 && at <= uint64(len(head)) && size <= uint64(len(head))-at; n, at = n-1, at+size {
		p := head[at:]
		if elf.ProgType(le.Uint32(p)) != elf.PT_NOTE {
			continue
		}
		off, length := le.Uint64(p[8:]), le.Uint64(p[32:])
		if off > uint64(len(head)) || length > uint64(len(head))-off {
			return nil
		}
		return head[off : off+length]
	}
	return nil
}

// linkedNote searches a program of any shape.
func linkedNote(exe io.ReaderAt) string {
	f, err := elf.NewFile(exe)
	if err != nil {
		return ""
	}
	for _, p := range f.Progs {
		if p.Type != elf.PT_NOTE {
			continue
		}
		note, err := io.ReadAll(io.LimitReader(p.Open(), 4096))
		if err != nil {
			continue
		}
		if id := parseNote(f.ByteOrder, note); id != "" {
			return id
		}
	}
	return ""
}

func parseNote(order binary.ByteOrder, note []byte) string {
	if len(note) < 16 || string(note[12:16]) != "Go\x00\x00" || order.Uint32(note[8:]) != 4 {
		return ""
	}
	if n := order.Uint32(note[4:]); uint64(n) <= uint64(len(note)-16) {
		return string(note[16 : 16+n])
	}
	return ""
}
