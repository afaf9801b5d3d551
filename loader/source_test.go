//go:build linux && (amd64 || arm64)

package loader

import (
	"bytes"
	"context"
	"os"
	"path/filepath"
	"testing"

	"github.com/wasmaot/wasmaot/compiler/abi"
	"github.com/wasmaot/wasmaot/compiler/artifact"
	"github.com/wasmaot/wasmaot/loader/vmem"
)

// TestSource runs an artifact from a file: text and image are mapped, writes stay in the instance, what lies
// behind the image is zero, and the file is let go when the last instance is closed.
func TestSource(t *testing.T) {
	g := newGuest()
	g.memory(1, 10)
	g.fn("trap", sig(nil, nil), 0, func() { g.raise(abi.TrapUnreachable) })
	a := g.artifact()
	a.Image, a.ImageStart = bytes.Repeat([]byte("image"), 1000), vmem.PageSize
	a.Header.Format = artifact.FormatVersion
	data, err := a.Encode()
	if err != nil {
		t.Fatal(err)
	}
	path := filepath.Join(t.TempDir(), "a.cwasm")
	if err := os.WriteFile(path, data, 0o600); err != nil {
		t.Fatal(err)
	}
	file, err := os.Open(path)
	if err != nil {
		t.Fatal(err)
	}
	defer file.Close()
	mapped, err := artifact.DecodeFrom(data, int(file.Fd()), 0)
	if err != nil {
		t.Fatal(err)
	}
	released := 0
	mapped.Release = func() error { released++; return nil }
	code, err := Load(mapped)
	if err != nil {
		t.Fatal(err)
	}
	var instances [2]*Instance
	for k := range instances {
		i, err := code.Instantiate(context.Background(), &Config{Name: "m"})
		if err != nil {
			t.Fatal(err)
		}
		instances[k] = i
		b := i.Memory().Bytes()[vmem.PageSize:]
		if !bytes.Equal(b[:len(a.Image)], a.Image) || bytes.Count(b[len(a.Image):], []byte{0}) != len(b)-len(a.Image) {
			t.Errorf("instance %d: the memory is not the image", k)
		}
		clear(b[:len(a.Image)]) // the next one does not see it
		_, err = call(t, i, "trap")
		if trap := wantTrap(t, err, abi.TrapUnreachable); len(trap.Frames) != 1 || trap.Frames[0].Name != "trap" {
			t.Errorf("instance %d: frames %v", k, trap.Frames)
		}
	}
	if err := code.Close(); err != nil {
		t.Error(err)
	}
	for k, i := range instances {
		if _, err := call(t, i, "trap"); released != 0 {
			t.Errorf("instance %d: released %d times while it is open; %v", k, released, err)
		}
		if err := i.Close(); err != nil {
			t.Error(err)
		}
	}
	if released != 1 {
		t.Errorf("released %d times", released)
	}
	if onDisk, err := os.ReadFile(path); err != nil || !bytes.Equal(onDisk, data) {
		t.Errorf("the file has changed; %v", err)
	}
}
