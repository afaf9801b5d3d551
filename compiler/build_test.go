package compiler

import (
	"debug/elf"
	"io"
	"os"
	"runtime"
	"testing"
)

// TestBuildID compares the build ID that is read from memory with the one in the program's file.
func TestBuildID(t *testing.T) {
	if runtime.GOOS != "linux" {
		t.Skip("only Linux tells a program where its headers are")
	}
	exe, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	f, err := elf.Open(exe)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	var notes [][]byte
	for _, p := range f.Progs {
		if p.Type == elf.PT_NOTE {
			b, err := io.ReadAll(p.Open())
			if err != nil {
				t.Fatal(err)
			}
			notes = append(notes, b)
		}
	}
	want := buildID(notes)
	if got := buildID(selfNotes()); want == "" || got != want {
		t.Errorf("build ID %q, expected %q", got, want)
	}
}

func TestBuildIDOfDamagedNotes(t *testing.T) {
	note := "\x04\x00\x00\x00\x03\x00\x00\x00\x04\x00\x00\x00Go\x00\x00abc\x00"
	other := "\x04\x00\x00\x00\x01\x00\x00\x00\x03\x00\x00\x00GNU\x00x\x00\x00\x00"
	for n := range note {
		if id := buildID([][]byte{[]byte(note[:n])}); id != "" && n < len(note)-1 {
			t.Errorf("%d bytes of a note: build ID %q", n, id)
		}
	}
	if id := buildID([][]byte{[]byte(other), []byte(other + note)}); id != "abc" {
		t.Errorf("build ID %q behind other notes", id)
	}
	if id := buildID([][]byte{[]byte("\xff\xff\xff\xff\xff\xff\xff\xff\x04\x00\x00\x00Go\x00\x00")}); id != "" {
		t.Errorf("build ID %q of a note without an end", id)
	}
}
