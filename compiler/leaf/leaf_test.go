package leaf

import (
	"bytes"
	"os"
	"os/exec"
	"path/filepath"
	"testing"

	"github.com/wasmaot/wasmaot/compiler/wasm"
)

// TestGoModule finds every leaf, under its name, in a program built by Go, and validates what replaces it; with any
// byte of its code changed, or without a 32-bit memory, it is not found.
func TestGoModule(t *testing.T) {
	file := filepath.Join(t.TempDir(), "hello.wasm")
	cmd := exec.Command("go", "build", "-o", file, "../../examples/hello")
	cmd.Env = append(os.Environ(), "GOOS=wasip1", "GOARCH=wasm", "CGO_ENABLED=0", "GOFLAGS=")
	if out, err := cmd.CombinedOutput(); err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	src, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	m, err := wasm.Decode(src, wasm.Features20)
	if err != nil {
		t.Fatal(err)
	}
	found, _ := Find(m, false)
	if len(found) != len(leaves) {
		t.Errorf("expected %d leaves, found %d", len(leaves), len(found))
	}
	for index, b := range found {
		name, f := m.Names.Funcs[index], &m.Funcs[index]
		for _, l := range leaves {
			if l.name == name && !bytes.Equal(f.Body, []byte(l.body)) {
				t.Errorf("%s: another body", name)
			}
		}
		validate(t, m, index, &b)
		original := f.Body
		for i := range original {
			f.Body = bytes.Clone(original)
			f.Body[i] ^= 1
			if all, _ := Find(m, false); all[index].Code != nil {
				t.Errorf("%s: found with byte %d changed", name, i)
			}
		}
		f.Body = original
	}
	m.Mems[0].Is64 = true
	if found, _ := Find(m, true); len(found) != 0 {
		t.Error("found with a 64-bit memory")
	}
	m.Mems = nil
	if found, _ := Find(m, true); len(found) != 0 {
		t.Error("found without a memory")
	}
}

// validate goes through a replacement: the original's instructions keep their offsets, the prefix has that of
// the first.
func validate(t *testing.T, m *wasm.Module, index uint32, b *Body) {
	t.Helper()
	f := &m.Funcs[index]
	var v wasm.Validator
	if err := v.BeginBody(m, index, b.Code); err != nil {
		t.Fatal(err)
	}
	var in wasm.Instr
	for more := true; more; {
		var err error
		if more, err = v.Next(&in); err != nil {
			t.Fatalf("%s: %v", m.Names.Funcs[index], err)
		}
		at := b.Offset(in.Offset)
		if in.Offset < b.Skip {
			if at != f.Offset+b.Decls {
				t.Errorf("an instruction of the prefix: expected offset %d, found %d", f.Offset+b.Decls, at)
			}
		} else if m.Source[at] != b.Code[in.Offset] {
			t.Errorf("%s at %d is not at %d in the file", in.Op, in.Offset, at)
		}
	}
}
