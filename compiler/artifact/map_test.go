//go:build unix

package artifact

import (
	"os"
	"path/filepath"
	"testing"

	"golang.org/x/sys/unix"
)

// TestMapDamage flips every byte of a file and cuts it everywhere: Map refuses it, or what Map gives does not pass its Check, or the byte is
// one of the symbols for other tools.
func TestMapDamage(t *testing.T) {
	file := encode(t, sample())
	path := filepath.Join(t.TempDir(), "a.cwasm")
	if err := os.WriteFile(path, file, 0o600); err != nil {
		t.Fatal(err)
	}
	f, err := os.OpenFile(path, os.O_RDWR, 0)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	accepted := func(size int) bool {
		fd, err := unix.Open(path, unix.O_RDONLY|unix.O_CLOEXEC, 0)
		if err != nil {
			t.Fatal(err)
		}
		a, err := Map(fd, 0, int64(size))
		if err != nil {
			unix.Close(fd)
			return false
		}
		err = a.Check()
		if err := a.Release(); err != nil {
			t.Fatal(err)
		}
		return err == nil
	}
	if !accepted(len(file)) {
		t.Fatal("the file as it was made is refused")
	}
	a, err := Decode(file)
	if err != nil {
		t.Fatal(err)
	}
	sections := a.Sections(file)
	symbols := int(sections[len(sections)-1].Off)
	put := func(i int, b byte) {
		if _, err := f.WriteAt([]byte{b}, int64(i)); err != nil {
			t.Fatal(err)
		}
	}
	for i, b := range file[:symbols] {
		put(i, b^1<<(i%8))
		if accepted(len(file)) {
			t.Fatalf("byte 0x%x flipped: accepted", i)
		}
		put(i, b)
	}
	for n := len(file) - 1; n >= 0; n-- {
		if err := f.Truncate(int64(n)); err != nil {
			t.Fatal(err)
		}
		if accepted(n) {
			t.Fatalf("the first %d of %d bytes were accepted", n, len(file))
		}
	}
}
