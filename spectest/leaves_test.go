package spectest

import (
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"math/rand/v2"
	"os"
	"strconv"
	"testing"

	"github.com/wasmaot/wasmaot/compiler"
	"github.com/wasmaot/wasmaot/compiler/artifact"
	"github.com/wasmaot/wasmaot/compiler/leaf"
	"github.com/wasmaot/wasmaot/compiler/wasm"
	"github.com/wasmaot/wasmaot/internal/nativetest"
	"github.com/wasmaot/wasmaot/loader"
	"github.com/wasmaot/wasmaot/spectest/oracle"
)

const leafMemory = 1 << 16 // bytes of memory in leafModule

// leafModule exports the functions that package leaf replaces, and their memory.
func leafModule() []byte {
	originals := leaf.Originals()
	n := byte(len(originals))
	types, funcs, bodies := []byte{n}, []byte{n}, []byte{n}
	exports := []byte{n + 1, 1, 'm', 2, 0}
	for i, o := range originals {
		t := byte(0x7f)
		if o.Type == wasm.I64 {
			t = 0x7e
		}
		types = append(types, 0x60, 3, t, t, t, 1, t)
		funcs = append(funcs, byte(i))
		exports = append(append(append(exports, byte(len(o.Name))), o.Name...), 0, byte(i))
		bodies = append(binary.AppendUvarint(bodies, uint64(len(o.Body))), o.Body...)
	}
	out := []byte("\x00asm\x01\x00\x00\x00")
	for _, s := range []struct {
		id   byte
		body []byte
	}{{1, types}, {3, funcs}, {5, []byte{1, 0, leafMemory >> 16}}, {7, exports}, {10, bodies}} {
		out = append(binary.AppendUvarint(append(out, s.id), uint64(len(s.body))), s.body...)
	}
	return out
}

// TestLeaves compares the replaced functions with the originals, in native code and in the oracle: results, traps and
// their positions. WASMAOT_SEED replays a run.
func TestLeaves(t *testing.T) {
	nativetest.Require(t)
	seed := leafSeed(t)
	src := leafModule()
	m, err := wasm.Decode(src, wasm.Features20)
	if err != nil {
		t.Fatal(err)
	}
	if found, _ := leaf.Find(m, true); len(found) != len(leaf.Originals()) {
		t.Fatalf("%d functions are replaced, expected %d", len(found), len(leaf.Originals()))
	}
	plain, err := oracle.Instantiate(m, oracle.Config{})
	if err != nil {
		t.Fatal(err)
	}
	off := compiler.Debug{Off: []string{"leaves"}}
	for _, tier := range []artifact.Tier{artifact.TierGuard, artifact.TierExplicit} {
		on := leafInstance(t, src, compiler.Options{Tier: tier})
		original := leafInstance(t, src, compiler.Options{Tier: tier, Debug: off})
		random := rand.New(rand.NewPCG(seed, uint64(tier)))
		trapped, returned := 0, 0
		for i := range 12_000 {
			o := leaf.Originals()[i%3]
			a, b, n := leafOperands(random, plain.Mems[0].Data, o.Name == "memchr")
			if o.Type == wasm.I32 {
				a, b, n = uint64(uint32(a)), uint64(uint32(b)), uint64(uint32(n))
			}
			for _, inst := range []*loader.Instance{on, original} {
				mem, end := inst.Export("m").(*loader.Memory).Bytes(), leafMemory-leafUsed
				copy(mem[:leafUsed], plain.Mems[0].Data)
				copy(mem[end:], plain.Mems[0].Data[end:])
			}
			got, want := leafCall(on, o.Name, a, b, n), leafCall(original, o.Name, a, b, n)
			if got != want {
				t.Fatalf("%s(%#x, %#x, %#x): expected %s, found %s", o.Name, a, b, n, want, got)
			}
			results, err := plain.Invoke(o.Name, []oracle.Value{{Lo: a}, {Lo: b}, {Lo: n}})
			var trap oracle.Trap
			switch {
			case errors.As(err, &trap):
				trapped++
				if got.trap != string(trap) {
					t.Fatalf("%s(%#x, %#x, %#x): the oracle traps: %s, found %s", o.Name, a, b, n, trap, got)
				}
			case err != nil:
				t.Fatal(err)
			default:
				returned++
				if got.trap != "" || got.value != results[0].Lo {
					t.Fatalf("%s(%#x, %#x, %#x): the oracle returns %#x, found %s", o.Name, a, b, n, results[0].Lo, got)
				}
			}
		}
		t.Logf("%v: %d calls returned, %d trapped", tier, returned, trapped)
		if trapped == 0 || returned == 0 {
			t.Error("calls should trap and return")
		}
	}
}

// leafSeed is random, or that of WASMAOT_SEED.
func leafSeed(t *testing.T) uint64 {
	t.Helper()
	seed := rand.Uint64()
	if s := os.Getenv("WASMAOT_SEED"); s != "" {
		var err error
		if seed, err = strconv.ParseUint(s, 0, 64); err != nil {
			t.Fatal(err)
		}
	}
	t.Logf("WASMAOT_SEED=%#x", seed)
	return seed
}

func leafInstance(t *testing.T, src []byte, opts compiler.Options) *loader.Instance {
	t.Helper()
	opts.Debug.Check = true
	a, err := compiler.Compile(context.Background(), src, opts)
	if err != nil {
		t.Fatal(err)
	}
	code, err := loader.Load(a)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { code.Close() })
	inst, err := code.Instantiate(context.Background(), &loader.Config{StackSize: 1 << 20})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { inst.Close() })
	return inst
}

// leafUsed is how much is written at both ends of memory.
const leafUsed = 1024

// leafOperands chooses two ranges near the ends of memory, sometimes one beside or beyond it, sometimes overlapping, and fills
// them: alike but for a few bytes. For a search b is the byte.
func leafOperands(r *rand.Rand, mem []byte, search bool) (a, b, n uint64) {
	n = uint64(r.IntN([]int{9, 40, 301}[r.IntN(3)]))
	place := func() uint64 {
		switch r.IntN(4) {
		case 0:
			return leafMemory - n // up to the end
		case 1:
			return leafMemory - n + uint64(r.IntN(8)) // beyond it
		case 2:
			return leafMemory - leafUsed + uint64(r.IntN(leafUsed-300))
		}
		return uint64(r.IntN(leafUsed - 300))
	}
	a, b = place(), place()
	if r.IntN(4) == 0 {
		b = a + uint64(r.IntN(20)) // overlapping
	}
	fill := byte(r.IntN(2) * 0x80)
	for _, part := range [][]byte{mem[:leafUsed], mem[leafMemory-leafUsed:]} {
		for i := range part {
			part[i] = fill
		}
	}
	for range r.IntN(3) {
		if at := a + uint64(r.IntN(int(n)+2)); at < leafMemory {
			mem[at] = byte(r.IntN(256))
		}
	}
	if search {
		b = uint64(r.IntN(256))
		if at := a + uint64(r.IntN(int(n)+1)); at < leafMemory && r.IntN(3) > 0 {
			mem[at] = byte(b)
		}
		if r.IntN(20) == 0 {
			b |= 0x100 // no byte at all
		}
	}
	switch r.IntN(100) {
	case 0:
		n = 1<<32 - uint64(r.IntN(8))
	case 1:
		n = 1<<63 + uint64(r.IntN(8))
	case 2:
		a |= 1 << 32 // only the low half is an address
	case 3:
		a = 1<<32 - uint64(r.IntN(20)) // it wraps around
	}
	return a, b, n
}

// leafResult is what came of a call, with the trap's place in the file.
type leafResult struct {
	value       uint64
	trap, where string
}

func (r leafResult) String() string { return fmt.Sprintf("%#x %q %s", r.value, r.trap, r.where) }

func leafCall(inst *loader.Instance, name string, args ...uint64) leafResult {
	stack := append([]uint64(nil), args...)
	err := inst.Func(name).Call(context.Background(), stack)
	var trap *loader.Trap
	if errors.As(err, &trap) {
		return leafResult{trap: trap.Code.String(), where: trap.Backtrace()}
	}
	if err != nil {
		return leafResult{trap: err.Error()}
	}
	return leafResult{value: stack[0]}
}
