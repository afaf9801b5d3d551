package artifact

import (
	"bytes"
	"debug/elf"
	"strings"
	"sync"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/wasmaot/wasmaot/compiler/abi"
)

func sample() *Artifact {
	i32 := []abi.Type{abi.I32}
	return &Artifact{
		Header: Header{Format: FormatVersion, ABI: abi.Version, Target: "amd64", Features: 5, Build: "test", Options: "guard",
			WasmHash: [32]byte{1, 2, 3}, Tier: TierExplicit},
		Text:  bytes.Repeat([]byte{0x90}, 5000),
		Names: "main.mainmain.fib",
		Funcs: []Func{{Off: 0, Size: 16, FrameSize: 8, NameLen: 9}, {Off: 16, Size: 4000, Type: 1, WasmOff: 77, NameOff: 9, NameLen: 8}, {Off: 4016, Size: 1}},
		Traps: SitesOf(Site{3, 9, abi.TrapUnreachable, 0}, Site{40, 10, abi.TrapMemoryOutOfBounds, 7}),
		Calls: SitesOf(Site{Off: 8, Pos: 4}),
		Image: bytes.Repeat([]byte{7}, 100), ImageStart: 4096,
		Module: Module{
			Name: "m", Types: []abi.Signature{{}, {Params: i32, Results: i32}},
			Imports:           []Import{{"env", "f", KindFunc, 0}},
			Exports:           []Export{{"memory", KindMemory, 0}, {"_start", KindFunc, 1}},
			ImportedFuncTypes: []uint32{1},
			Tables:            []Table{{Elem: abi.FuncRef, Min: 3, Max: ^uint64(0), Init: &Expr{Insts: []ExprInst{{Op: ExprRefFunc, Index: 1}}}}},
			Mems:              []Memory{{Min: 1, Max: 2}},
			Globals:           []Global{{Type: abi.I64, Mutable: true, Init: &Expr{Insts: []ExprInst{{Bits: 1 << 63}}}}},
			Elems:             []Elem{{Type: abi.FuncRef, Start: &Expr{Insts: []ExprInst{{Bits: 0}}}, Funcs: []uint32{0, 1, 2}}},
			Datas:             []Data{{Index: 1, Mode: SegmentPassive, Init: []byte("abc")}},
			Start:             -1,
		},
	}
}

func encode(t *testing.T, a *Artifact) []byte {
	t.Helper()
	file, err := a.Encode()
	if err != nil {
		t.Fatal(err)
	}
	return file
}

func TestRoundTrip(t *testing.T) {
	want := sample()
	file := encode(t, want)
	got, err := Decode(file)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("artifact changed on its way through the file (-want +got):\n%s", diff)
	}
	if !bytes.Equal(file, encode(t, got)) {
		t.Error("encoding twice gives different bytes")
	}
}

// memFile is a file in memory.
type memFile struct {
	mu sync.Mutex
	b  []byte
}

func (f *memFile) WriteAt(b []byte, at int64) (int, error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if end := int(at) + len(b); end > len(f.b) {
		f.b = append(f.b, make([]byte, end-len(f.b))...)
	}
	return copy(f.b[at:], b), nil
}

// TestWriteParts: a text that comes in parts makes the same file.
func TestWriteParts(t *testing.T) {
	want := encode(t, sample())
	a := sample()
	text := append(a.Text, make([]byte, PageUp(uint64(len(a.Text)))-uint64(len(a.Text)))...)
	image := append(a.Image, make([]byte, PageUp(uint64(len(a.Image)))-uint64(len(a.Image)))...)
	textSize, imageSize, names := uint64(len(a.Text)), uint64(len(a.Image)), a.Names
	a.Text, a.Image, a.Names = nil, nil, ""
	write := func(text []byte) (file *memFile, n int64, err error) {
		file = new(memFile)
		n, err = a.WriteParts(file, Parts{textSize, func(put Put) error {
			for ; len(text) > 640; text = text[640:] {
				if err := put(text[:640]); err != nil {
					return err
				}
			}
			return put(text)
		}}, Parts{imageSize, func(put Put) error { return put(image) }}, func() { a.Names = names })
		return file, n, err
	}
	file, n, err := write(text)
	if err != nil || n != int64(len(want)) {
		t.Fatalf("%d bytes, %v: expected %d", n, err, len(want))
	}
	if !bytes.Equal(file.b, want) {
		t.Error("the file is another one")
	}
	if file, _, err := write(text[64:]); err == nil || IsArtifact(file.b) {
		t.Errorf("a text too short: %v, or the file is an artifact", err)
	}
}

func TestEmpty(t *testing.T) {
	want := &Artifact{Header: Header{Format: FormatVersion, Target: "arm64"}}
	if _, err := Decode(encode(t, want)); err != nil {
		t.Error(err)
	}
}

// TestDamage flips every byte and cuts the file everywhere: it is refused, or the
// byte was padding and nothing has changed.
func TestDamage(t *testing.T) {
	file := encode(t, sample())
	refused := 0
	for i := range file {
		bad := bytes.Clone(file)
		bad[i] ^= 1 << (i % 8)
		got, err := Decode(bad)
		if err != nil {
			refused++
		} else if !bytes.Equal(file, encode(t, got)) {
			t.Fatalf("byte 0x%x flipped: accepted as another artifact", i)
		}
		if Verify(bad) == nil {
			t.Fatalf("byte 0x%x flipped: verified", i)
		}
	}
	if refused < 6000 { // text, image and tables
		t.Errorf("only %d of %d flips were refused", refused, len(file))
	}
	if err := Verify(file); err != nil {
		t.Error(err)
	}
	if _, err := Decode(append(bytes.Clone(file), 0)); err == nil {
		t.Error("a byte too many was accepted")
	}
	for n := range file {
		if _, err := Decode(file[:n:n]); err == nil {
			t.Fatalf("the first %d of %d bytes were accepted", n, len(file))
		}
	}
}

// TestELF reads the file with debug/elf.
func TestELF(t *testing.T) {
	f, err := elf.NewFile(bytes.NewReader(encode(t, sample())))
	if err != nil {
		t.Fatal(err)
	}
	syms, err := f.Symbols()
	if err != nil {
		t.Fatal(err)
	}
	text := f.Section(".text")
	var got []string
	for _, s := range syms {
		got = append(got, s.Name)
		if s.Value < text.Addr || s.Value+s.Size > text.Addr+text.Size {
			t.Errorf("symbol %s [0x%x+%d] outside of .text", s.Name, s.Value, s.Size)
		}
	}
	if diff := cmp.Diff([]string{"main.main", "main.fib", "wasm-function[3]"}, got); diff != "" {
		t.Error(diff)
	}
	if len(f.Progs) != 1 || f.Progs[0].Flags != elf.PF_R|elf.PF_X || f.Progs[0].Off%pageSize != 0 {
		t.Errorf("program headers: %v", f.Progs)
	}
}

// What has no code yet is not written.
func TestEncodeOnDemand(t *testing.T) {
	a := &Artifact{Header: Header{Target: "amd64"}, Compile: func(int) (*Piece, error) { return nil, nil }}
	if _, err := a.Encode(); err == nil || !strings.Contains(err.Error(), "on demand") {
		t.Errorf("Encode: %v", err)
	}
	if _, err := a.EncodeObject(""); err == nil {
		t.Error("an object was made of nothing")
	}
}
