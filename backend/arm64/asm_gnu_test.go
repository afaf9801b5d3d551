package arm64

import (
	"bytes"
	"encoding/binary"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"testing"
)

// TestGNU compares the code of random instructions with that of the GNU assembler,
// if there is one.
func TestGNU(t *testing.T) {
	const as, objcopy = "aarch64-linux-gnu-as", "aarch64-linux-gnu-objcopy"
	for _, tool := range []string{as, objcopy} {
		if _, err := exec.LookPath(tool); err != nil {
			t.Skipf("no %s here", tool)
		}
	}
	seed := rand.Uint64()
	t.Logf("seed %d", seed)
	m := &maker{Rand: rand.New(rand.NewPCG(seed, 0)), special: true}
	m.table(4)
	m.others(8)
	var text bytes.Buffer
	for _, in := range m.list {
		text.WriteString(in.text + "\n")
	}
	dir := t.TempDir()
	object, binaryFile := filepath.Join(dir, "a.o"), filepath.Join(dir, "a.bin")
	cmd := exec.Command(as, "-o", object, "-")
	cmd.Stdin = &text
	if out, err := cmd.CombinedOutput(); err != nil {
		t.Fatalf("%v: %.2000s", err, out)
	}
	if out, err := exec.Command(objcopy, "-O", "binary", "-j", ".text", object, binaryFile).CombinedOutput(); err != nil {
		t.Fatalf("%v: %s", err, out)
	}
	want, err := os.ReadFile(binaryFile)
	if err != nil {
		t.Fatal(err)
	}
	if len(want) != 4*len(m.list) {
		t.Fatalf("%d bytes for %d instructions", len(want), len(m.list))
	}
	bad := 0
	for i, in := range m.list {
		got, ok := encodeOne(in.emit)
		w := want[4*i : 4*i+4]
		if !ok {
			t.Errorf("%s: not accepted", in.text)
		} else if !bytes.Equal(got, w) {
			t.Errorf("%s: %08x, expected %08x", in.text, binary.LittleEndian.Uint32(got), binary.LittleEndian.Uint32(w))
		} else {
			continue
		}
		if bad++; bad > 20 {
			t.FailNow()
		}
	}
	t.Logf("%d instructions", len(m.list))
}
