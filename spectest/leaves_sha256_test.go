package spectest

import (
	"bytes"
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strings"
	"testing"

	"github.com/wasmaot/wasmaot/compiler"
	"github.com/wasmaot/wasmaot/compiler/artifact"
	"github.com/wasmaot/wasmaot/compiler/cpu"
	"github.com/wasmaot/wasmaot/compiler/leaf"
	"github.com/wasmaot/wasmaot/compiler/wasm"
	"github.com/wasmaot/wasmaot/internal/nativetest"
	"github.com/wasmaot/wasmaot/loader"
)

// goVersions are toolchains whose SHA-256 is recognised; those that are not in the module cache are left out.
var goVersions = []string{"go1.21.13", "go1.22.12", "go1.23.12", "go1.24.11", "go1.25.4", runtime.Version()}

// buildSHA256 builds the program in testdata and gives the index of SHA-256's block function.
func buildSHA256(t *testing.T, version string) (*wasm.Module, uint32) {
	t.Helper()
	file := filepath.Join(t.TempDir(), "sha256.wasm")
	cmd := exec.Command("go", "build", "-o", file, "testdata/sha256/main.go")
	cmd.Env = append(os.Environ(), "GOOS=wasip1", "GOARCH=wasm", "CGO_ENABLED=0", "GOFLAGS=", "GOTOOLCHAIN=local")
	if version != runtime.Version() {
		cmd.Env = append(cmd.Env, "GOTOOLCHAIN="+version)
		source, err := filepath.Abs("testdata/sha256/main.go")
		if err != nil {
			t.Fatal(err)
		}
		cmd.Args[4], cmd.Dir = source, t.TempDir() // the module here is for newer ones
	}
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
	found, used := leaf.Find(m, true)
	for index := range found {
		if strings.HasSuffix(m.Names.Funcs[index], "sha256.blockGeneric") {
			if !used {
				t.Error("found but not used")
			}
			return m, index
		}
	}
	const message = "%s: crypto/sha256 has another form: package leaf has to learn it"
	if version == runtime.Version() && !strings.HasPrefix(version, "go1.26") {
		t.Skipf(message, version)
	}
	t.Fatalf(message, version)
	return nil, 0
}

const (
	shaPages = 2
	shaSize  = shaPages << 16
	shaTable = 0x8000 // address of the constants, or of the slice's header
	shaStub  = 0x4000 // where the function that stands for all that are called leaves its mark
)

// sha256Module is a module with a function of another, its callees replaced by one that leaves a mark and unwinds, its table
// at shaTable.
func sha256Module(t *testing.T, m *wasm.Module, index uint32) []byte {
	t.Helper()
	var v wasm.Validator
	if err := v.Begin(m, index); err != nil {
		t.Fatal(err)
	}
	f := &m.Funcs[index]
	var body []byte
	from := f.Offset
	replacement, replaced := []byte(nil), false
	var in wasm.Instr
	for more := true; more; {
		var err error
		if more, err = v.Next(&in); err != nil {
			t.Fatal(err)
		}
		if replaced {
			body, from, replaced = append(body, replacement...), in.Offset, false
		}
		switch {
		case in.Op == wasm.OpCall:
			replacement, replaced = []byte{0x10, 1}, true
		case in.Op == wasm.OpI64Const && in.Bits >= 4096 && in.Bits < 1<<24: // not what is pushed before calls
			replacement, replaced = []byte{0x42, 0x80, 0x80, 0x02}, true
		}
		if replaced {
			body = append(body, m.Source[from:in.Offset]...)
		}
	}
	body = append(body, m.Source[from:int(f.Offset)+len(f.Body)]...)
	stub := []byte{0, 0x41, 0x80, 0x80, 0x01, 0x23, 0, 0x36, 2, 0, 0x41, 1, 0x0b}
	code := append(binary.AppendUvarint([]byte{2}, uint64(len(body))), body...)
	code = append(append(code, byte(len(stub))), stub...)
	out := []byte("\x00asm\x01\x00\x00\x00")
	for _, s := range []struct {
		id   byte
		body []byte
	}{
		{1, []byte{1, 0x60, 1, 0x7f, 1, 0x7f}},
		{3, []byte{2, 0, 0}},
		{5, []byte{1, 0, shaPages}},
		{6, []byte{3, 0x7f, 1, 0x41, 0, 0x0b, 0x7e, 1, 0x42, 0, 0x0b, 0x7e, 1, 0x42, 0, 0x0b}},
		{7, append([]byte{4, 1, 'm', 2, 0, 1, 'f', 0, 0}, 2, 's', 'p', 3, 0, 1, 'g', 3, 2)},
		{10, code},
	} {
		out = append(binary.AppendUvarint(append(out, s.id), uint64(len(s.body))), s.body...)
	}
	return out
}

// sha256State is memory and globals before or after a call.
type sha256State struct {
	mem   []byte
	sp, g uint64
}

// call runs the block function.
func (s *sha256State) call(inst *loader.Instance, resume uint64) leafResult {
	mem := inst.Export("m").(*loader.Memory).Bytes()
	sp, g := inst.Export("sp").(*loader.Global), inst.Export("g").(*loader.Global)
	copy(mem, s.mem)
	sp.Set(s.sp, 0)
	g.Set(s.g, 0)
	r := leafCall(inst, "f", resume)
	copy(s.mem, mem)
	s.sp, _ = sp.Get()
	s.g, _ = g.Get()
	return r
}

// randomSHA256 makes the state before a call: most are ordinary ones, the others differ in one thing or two.
func randomSHA256(r *rand.Rand, s *sha256State, slice bool) {
	for i := 0; i < len(s.mem); i += 8 {
		binary.LittleEndian.PutUint64(s.mem[i:], r.Uint64())
	}
	put64 := func(at, x uint64) {
		if at+8 <= shaSize {
			binary.LittleEndian.PutUint64(s.mem[at:], x)
		}
	}
	sp, g, limit := uint64(0xa000), uint64(0x2000), uint64(0x9000)
	digest, p, n, entries, table := uint64(0x3000), uint64(0xb000), uint64(64*(1+r.IntN(20))), uint64(64), uint64(0xf000)
	for range []int{0, 0, 1, 1, 2}[r.IntN(5)] {
		switch r.IntN(16) {
		case 0:
			n += uint64(r.IntN(64))
		case 1:
			n = uint64(r.IntN(3)) - 1
		case 2:
			p = shaSize - n + uint64(r.IntN(3)) - 1
		case 3:
			p = uint64(r.IntN(shaSize))
		case 4:
			p |= 1 << 32
		case 5:
			digest = 0
		case 6:
			digest = shaSize - 32 + uint64(r.IntN(3)) - 1
		case 7:
			digest = sp - 1200 + uint64(r.IntN(1300)) // in the frame or among the arguments
		case 8:
			p = sp - 1200 + uint64(r.IntN(1300))
		case 9:
			limit = sp - uint64(r.IntN(400))
		case 10:
			sp = shaSize - uint64(r.IntN(60))
		case 11:
			sp, limit = uint64(r.IntN(1200)), 0
		case 12:
			g = shaSize - uint64(r.IntN(40))
		case 13:
			digest = p + uint64(r.IntN(100))
		case 14:
			entries = uint64(r.IntN(70))
		case 15:
			table = shaSize - 256 + uint64(r.IntN(3)) - 1
		}
	}
	if slice {
		put64(shaTable, table)
		put64(shaTable+8, entries)
	}
	if g+20 <= shaSize {
		binary.LittleEndian.PutUint32(s.mem[g+16:], uint32(limit))
	}
	// The arguments last: a length overwritten by chance might keep the original busy for ever.
	put64(sp+8, digest)
	put64(sp+16, p)
	put64(sp+32, n+uint64(r.IntN(120))-20)
	put64(sp+24, n)
	s.sp, s.g = sp, g
}

// TestSHA256 compares SHA-256's block function, as each version of Go compiles it, with what replaces it: results, traps,
// globals and memory, but for what lies below the stack pointer. WASMAOT_SEED replays a run.
func TestSHA256(t *testing.T) {
	nativetest.Require(t)
	if runtime.GOARCH != "amd64" || cpu.Host()&cpu.SHA == 0 {
		t.Skip("this machine lacks the SHA extensions of amd64")
	}
	seed := leafSeed(t)
	cache, _ := exec.Command("go", "env", "GOMODCACHE").Output()
	for i, version := range goVersions {
		t.Run(version, func(t *testing.T) {
			dir := filepath.Join(strings.TrimSpace(string(cache)), "golang.org", "toolchain@v0.0.1-"+version+".linux-amd64")
			if _, err := os.Stat(dir); err != nil && version != runtime.Version() {
				t.Skipf("the toolchain is not in the module cache: %v", err)
			}
			m, index := buildSHA256(t, version)
			for _, tier := range []artifact.Tier{artifact.TierGuard, artifact.TierExplicit} {
				compareSHA256(t, sha256Module(t, m, index), tier, rand.New(rand.NewPCG(seed, uint64(i)<<8|uint64(tier))))
			}
		})
	}
}

func compareSHA256(t *testing.T, src []byte, tier artifact.Tier, r *rand.Rand) {
	m, err := wasm.Decode(src, wasm.Features20)
	if err != nil {
		t.Fatal(err)
	}
	found, used := leaf.Find(m, true)
	if len(found) != 1 || !used {
		t.Fatalf("%d functions are replaced, expected 1", len(found))
	}
	for i := range src { // whatever changes, apart from addresses, makes another function of it
		if i%7 == r.IntN(7) && i >= int(m.Funcs[0].Offset) {
			other := bytes.Clone(src)
			other[i] ^= 1 << r.IntN(8)
			if m, err := wasm.Decode(other, wasm.Features20); err == nil {
				if found, _ := leaf.Find(m, true); len(found) > 0 {
					if err := sameInstructions(src, other); err != nil {
						t.Errorf("found with byte %#x changed: %v", i, err)
					}
				}
			}
		}
	}
	for off, want := range map[string]uint64{"": cpu.SHA, "leaves": 0} {
		a, err := compiler.Compile(context.Background(), src, compiler.Options{Debug: compiler.Debug{Off: strings.Fields(off)}})
		if err != nil {
			t.Fatal(err)
		}
		if got := a.Header.Features & cpu.SHA; got != want {
			t.Errorf("without %q: features %#x", off, a.Header.Features)
		}
	}
	slice := strings.Contains(string(src), "\x42\x80\x80\x02\xa7\x29") // the address is loaded from
	on := leafInstance(t, src, compiler.Options{Tier: tier})
	off := leafInstance(t, src, compiler.Options{Tier: tier, Debug: compiler.Debug{Off: []string{"leaves"}}})
	fast, trapped := 0, 0
	start := sha256State{mem: make([]byte, shaSize)}
	for range 1000 {
		randomSHA256(r, &start, slice)
		resume := uint64(0)
		if r.IntN(20) == 0 {
			resume = uint64(r.IntN(20))
		}
		got, want := start, start
		got.mem, want.mem = bytes.Clone(start.mem), bytes.Clone(start.mem)
		a, b := got.call(on, resume), want.call(off, resume)
		if a != b || got.sp != want.sp || got.g != want.g {
			t.Fatalf("sp %#x, g %#x: expected %s, sp %#x, found %s, sp %#x", start.sp, start.g, b, want.sp, a, got.sp)
		}
		if b.trap != "" {
			trapped++
		} else if b.value == 0 && !bytes.Equal(got.mem, want.mem) {
			fast++
			from := max(int(start.sp)-sha256Below, 0)
			copy(got.mem[from:start.sp], want.mem[from:start.sp])
		}
		if !bytes.Equal(got.mem, want.mem) {
			t.Fatalf("sp %#x, g %#x, arguments % x: memory differs, %s", start.sp, start.g, start.mem[start.sp+8:start.sp+40], firstDifference(got.mem, want.mem))
		}
	}
	t.Logf("%v: %d calls took the short way, %d trapped", tier, fast, trapped)
	if fast < 100 || trapped == 0 {
		t.Error("calls should take both ways and trap")
	}
}

// sha256Below is more than what the original writes below the stack pointer.
const sha256Below = 1024

func firstDifference(got, want []byte) string {
	for i := range got {
		if got[i] != want[i] {
			return fmt.Sprintf("first at %#x: expected %#x, found %#x", i, want[i], got[i])
		}
	}
	return "nowhere"
}

// sameInstructions compares the instructions of function 0, but for constants that are addresses and the callees.
func sameInstructions(a, b []byte) error {
	var v [2]wasm.Validator
	for i, src := range [][]byte{a, b} {
		m, err := wasm.Decode(src, wasm.Features20)
		if err == nil {
			err = v[i].Begin(m, 0)
		}
		if err != nil {
			return err
		}
	}
	for {
		var in [2]wasm.Instr
		more, err := v[0].Next(&in[0])
		if _, other := v[1].Next(&in[1]); err != nil || other != nil {
			return errors.Join(err, other)
		}
		address := in[0].Op == wasm.OpI64Const && in[0].Bits >= 4096 && in[1].Bits >= 4096 || in[0].Op == wasm.OpCall
		if in[0].Op != in[1].Op || !address && (in[0].Bits != in[1].Bits || in[0].Index != in[1].Index) {
			return fmt.Errorf("%s became %s", in[0].Op, in[1].Op)
		}
		if !more {
			return nil
		}
	}
}
