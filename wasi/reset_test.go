//go:build linux

package wasi

import (
	"os"
	"path/filepath"
	"testing"
)

// Reset closes what was opened and brings back what was closed, moved or given other flags and rights.
func TestReset(t *testing.T) {
	dir := t.TempDir()
	if err := os.WriteFile(filepath.Join(dir, "f"), []byte("contents"), 0o600); err != nil {
		t.Fatal(err)
	}
	g := newGuest(t, &Config{Dirs: []Dir{{Host: dir, Guest: "/"}}})
	stat := g.alloc(sizeFdstat)
	before := make([]string, 4)
	for fd := range before {
		g.ok("fd_fdstat_get", fd, stat)
		before[fd] = string(g.mem[stat : stat+sizeFdstat])
	}
	opened := g.open("f", 0, readOnly, 0)
	g.ok("fd_fdstat_set_flags", 2, int(fdflagAppend))
	g.ok("fd_fdstat_set_rights", 1, 0, 0)
	g.ok("fd_renumber", 3, 0)
	for range 2 {
		if err := g.sys.Reset(); err != nil {
			t.Fatal(err)
		}
		for fd := range before {
			g.ok("fd_fdstat_get", fd, stat)
			if got := string(g.mem[stat : stat+sizeFdstat]); got != before[fd] {
				t.Errorf("descriptor %d is %x, expected %x", fd, got, before[fd])
			}
		}
		g.fails(EBADF, "fd_fdstat_get", opened, stat)
	}
	if again := g.open("f", 0, readOnly, 0); again != opened {
		t.Errorf("descriptor %d, expected %d", again, opened)
	}
}
