package compiler

import (
	"debug/elf"
	"io"
	"os"
	"runtime"
	"runtime/debug"
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

func TestSourceOf(t *testing.T) {
	const version = "v1.2.3"
	ours := func(version, sum string) debug.Module {
		return debug.Module{Path: modulePath, Version: version, Sum: sum}
	}
	dependency := func(m debug.Module) debug.BuildInfo {
		return debug.BuildInfo{GoVersion: "go1.99", Main: debug.Module{Path: "example.org/host", Version: version}, Deps: []*debug.Module{&m}}
	}
	replaced := ours(version, "h1:x")
	replaced.Replace = &debug.Module{Path: "../wasmaot"}
	for _, c := range []struct {
		what string
		info debug.BuildInfo
		want string
	}{
		{"a release", debug.BuildInfo{GoVersion: "go1.99", Main: ours(version, "")}, version + " go1.99"},
		{"a changed working copy", debug.BuildInfo{GoVersion: "go1.99", Main: ours(version+"+dirty", "")}, ""},
		{"a directory without repository", debug.BuildInfo{GoVersion: "go1.99", Main: ours("(devel)", "")}, ""},
		{"a test", debug.BuildInfo{GoVersion: "go1.99", Main: ours("", "")}, ""},
		{"a dependency", dependency(ours(version, "h1:x")), version + " go1.99"},
		{"a replaced dependency", dependency(replaced), ""},
		{"a dependency from elsewhere", dependency(ours(version, "")), ""},
		{"another program", debug.BuildInfo{GoVersion: "go1.99", Main: debug.Module{Path: "example.org/host", Version: version}}, ""},
	} {
		if got := sourceOf(&c.info); got != c.want {
			t.Errorf("%s: %q, expected %q", c.what, got, c.want)
		}
	}
}
