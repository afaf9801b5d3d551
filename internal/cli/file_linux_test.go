package cli

import (
	"os"
	"path/filepath"
	"testing"

	"golang.org/x/sys/unix"
)

// TestWriteFile: a file is replaced, a pipe is written to and stays one.
func TestWriteFile(t *testing.T) {
	dir := t.TempDir()
	file, pipe := filepath.Join(dir, "file"), filepath.Join(dir, "pipe")
	for _, text := range []string{"long text", "short"} {
		if err := WriteFile(file, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		if b, err := os.ReadFile(file); string(b) != text || err != nil {
			t.Errorf("%q, %v", b, err)
		}
	}
	if err := unix.Mkfifo(pipe, 0o600); err != nil {
		t.Fatal(err)
	}
	r, err := os.OpenFile(pipe, os.O_RDWR, 0)
	if err != nil {
		t.Fatal(err)
	}
	defer r.Close()
	if err := WriteFile(pipe, []byte("text"), 0o600); err != nil {
		t.Fatal(err)
	}
	b := make([]byte, 10)
	if n, err := r.Read(b); string(b[:n]) != "text" || err != nil {
		t.Errorf("%q, %v", b[:n], err)
	}
	if fi, err := os.Stat(pipe); err != nil || fi.Mode()&os.ModeNamedPipe == 0 {
		t.Errorf("the pipe is now %v, %v", fi, err)
	}
	if err := WriteFile(dir, nil, 0o600); err == nil {
		t.Error("a directory was replaced")
	}
	link := filepath.Join(dir, "link")
	if err := os.Symlink("file", link); err != nil {
		t.Fatal(err)
	}
	if err := WriteFile(link, []byte("through a link"), 0o600); err != nil {
		t.Fatal(err)
	}
	if b, err := os.ReadFile(file); string(b) != "through a link" || err != nil {
		t.Errorf("the file a link leads to: %q, %v", b, err)
	}
	if fi, err := os.Lstat(link); err != nil || fi.Mode()&os.ModeSymlink == 0 {
		t.Errorf("the link is now %v, %v", fi, err)
	}
	if list, _ := os.ReadDir(dir); len(list) != 3 {
		t.Errorf("%d files, expected 3", len(list))
	}
}
