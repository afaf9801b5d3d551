package vmem

import (
	"bytes"
	"errors"
	"fmt"
	"os"
	"strings"
	"testing"
	"time"

	"math/rand/v2"
)

// permissions gives the first letters of the mapping that an address lies in, as /proc/self/maps has them.
func permissions(t *testing.T, addr uint64) string {
	t.Helper()
	b, err := os.ReadFile("/proc/self/maps")
	if err != nil {
		t.Fatal(err)
	}
	for line := range strings.Lines(string(b)) {
		var lo, hi uint64
		var perm string
		if _, err := fmt.Sscanf(line, "%x-%x %s", &lo, &hi, &perm); err != nil {
			t.Fatal(err)
		}
		if strings.Contains(perm, "w") && strings.Contains(perm, "x") {
			t.Errorf("writable and executable: %s", line)
		}
		if addr >= lo && addr < hi {
			return perm[:3]
		}
	}
	return "none"
}

func want(t *testing.T, addr uint64, perm string) {
	t.Helper()
	if got := permissions(t, addr); got != perm {
		t.Errorf("0x%x is %s, expected %s", addr, got, perm)
	}
}

// Released addresses are reserved again, if they fit.
func TestReleasedAddresses(t *testing.T) {
	reserve := func(size, align uint64) *Region {
		t.Helper()
		r, err := Reserve(size, align)
		if err != nil {
			t.Fatal(err)
		}
		if r.Base()%align != 0 || r.Size() != size {
			t.Errorf("0x%x bytes at 0x%x, expected 0x%x aligned to 0x%x", r.Size(), r.Base(), size, align)
		}
		return r
	}
	release := func(r *Region) uint64 {
		t.Helper()
		base := r.Base()
		if err := errors.Join(r.Release(), r.Release()); err != nil {
			t.Fatal(err)
		}
		return base
	}
	const size = 3 << 30
	base := release(reserve(size, 1<<30))
	want(t, base, "none")
	again := reserve(size, 1<<30)
	other := reserve(size, 1<<30)
	want(t, again.Base(), "---")
	if again.Base() != base || other.Base() == base {
		t.Errorf("0x%x was released, 0x%x and 0x%x reserved", base, again.Base(), other.Base())
	}
	release(again)
	taken, err := osReserve(base, PageSize) // by someone else
	if err != nil || taken != base {
		t.Fatalf("0x%x, expected 0x%x: %v", taken, base, err)
	}
	again = reserve(size, 1<<30)
	if again.Base() == base {
		t.Error("addresses in use were reserved")
	}
	if err := osRelease(taken, PageSize); err != nil {
		t.Error(err)
	}
	release(again)
	release(other)
	for i := range uint64(3 * releasedKept) { // many sizes, and many of one
		release(reserve((i+1)*PageSize, PageSize))
		defer release(reserve(2*PageSize, PageSize))
	}
}

func TestRegion(t *testing.T) {
	r, err := Reserve(1<<30, 1<<30)
	if err != nil {
		t.Fatal(err)
	}
	base := r.Base()
	if base%(1<<30) != 0 || r.Size() != 1<<30 {
		t.Errorf("region at 0x%x of 0x%x bytes", base, r.Size())
	}
	want(t, base, "---")
	if err := r.Commit(PageSize, 2*PageSize); err != nil {
		t.Fatal(err)
	}
	want(t, base, "---")
	want(t, base+PageSize, "rw-")
	want(t, base+3*PageSize, "---")
	b := r.Bytes(PageSize, 2*PageSize)
	copy(b, "hello")
	if err := r.Guard(PageSize, PageSize); err != nil {
		t.Fatal(err)
	}
	want(t, base+PageSize, "---")
	if err := r.Commit(PageSize, PageSize); err != nil || string(b[:5]) != "hello" {
		t.Errorf("%q, %v", b[:5], err)
	}
	if err := r.Reset(PageSize, PageSize); err != nil || b[0] != 0 {
		t.Errorf("%q, %v", b[:5], err)
	}
	for _, bad := range [][2]uint64{{1, PageSize}, {0, 1}, {1 << 30, PageSize}, {PageSize, 1 << 30}, {^uint64(0) &^ (PageSize - 1), 2 * PageSize}} {
		if r.Commit(bad[0], bad[1]) == nil || r.Guard(bad[0], bad[1]) == nil || r.Reset(bad[0], bad[1]) == nil {
			t.Errorf("[0x%x, +0x%x) was accepted", bad[0], bad[1])
		}
	}
	if err := errors.Join(r.Release(), r.Release()); err != nil {
		t.Error(err)
	}
	want(t, base, "none")
	for _, bad := range [][2]uint64{{0, PageSize}, {PageSize, 3}, {1 << 62, PageSize}} {
		if r, err := Reserve(bad[0], bad[1]); err == nil {
			t.Errorf("Reserve(0x%x, 0x%x) gave %+v", bad[0], bad[1], r)
		}
	}
}

func TestArena(t *testing.T) {
	r, err := Reserve(64*PageSize, PageSize)
	if err != nil {
		t.Fatal(err)
	}
	defer r.Release()
	a, err := NewArena(r, 16*PageSize, 48*PageSize)
	if err != nil {
		t.Fatal(err)
	}
	if a.Base() != r.Base()+16*PageSize || a.Size() != 48*PageSize {
		t.Errorf("arena at 0x%x of 0x%x bytes", a.Base(), a.Size())
	}
	code := bytes.Repeat([]byte{0xc3}, int(PageSize)+1)
	addr, err := a.Place(code)
	if err != nil {
		t.Fatal(err)
	}
	want(t, addr, "r-x")
	want(t, addr+PageSize, "r-x")
	want(t, addr+2*PageSize, "---")
	if got := r.Bytes(addr-r.Base(), 2*PageSize); !bytes.Equal(got[:len(code)], code) || bytes.Count(got[len(code):], []byte{0}) != int(PageSize)-1 {
		t.Error("the code is not there")
	}
	if _, err := a.Place(make([]byte, 47*PageSize)); err == nil {
		t.Error("more was placed than there is room")
	}
	if _, err := a.Place(nil); err == nil {
		t.Error("nothing was placed")
	}
	if a.Free(addr+PageSize) == nil {
		t.Error("the middle of something was freed")
	}
	if err := a.Free(addr); err != nil {
		t.Error(err)
	}
	want(t, addr, "---")
	if a.Free(addr) == nil {
		t.Error("freed twice")
	}
}

// Random placing and freeing: nothing overlaps, contents stay, in the end all room is one piece again.
func TestArenaRandom(t *testing.T) {
	seed := uint64(time.Now().UnixNano())
	t.Logf("seed %d", seed)
	rnd := rand.New(rand.NewPCG(seed, 0))
	const pages = 64
	r, err := Reserve(pages*PageSize, PageSize)
	if err != nil {
		t.Fatal(err)
	}
	defer r.Release()
	a, err := NewArena(r, 0, pages*PageSize)
	if err != nil {
		t.Fatal(err)
	}
	placed := map[uint64][]byte{}
	for range 2000 {
		if rnd.IntN(2) == 0 {
			code := bytes.Repeat([]byte{byte(rnd.Int())}, 1+rnd.IntN(8*int(PageSize)))
			if addr, err := a.Place(code); err == nil {
				placed[addr] = code
			}
			continue
		}
		for addr, code := range placed {
			if !bytes.Equal(r.Bytes(addr-r.Base(), uint64(len(code))), code) {
				t.Fatalf("the code at 0x%x changed", addr)
			}
			if err := a.Free(addr); err != nil {
				t.Fatal(err)
			}
			delete(placed, addr)
			break
		}
	}
	for addr := range placed {
		if err := a.Free(addr); err != nil {
			t.Fatal(err)
		}
	}
	if len(a.free) != 1 || a.free[0] != (span{0, pages * PageSize}) || len(a.taken) != 0 {
		t.Errorf("free %v, taken %v", a.free, a.taken)
	}
}

// TestResetUntouched: a part of which no page is in memory costs none, and one that was written stays as it is.
func TestResetUntouched(t *testing.T) {
	const pages = 1000 // more than are asked about at a time
	r, err := Reserve(pages*PageSize, PageSize)
	if err != nil {
		t.Fatal(err)
	}
	defer r.Release()
	if err := r.Commit(0, r.Size()); err != nil {
		t.Fatal(err)
	}
	if !r.ResetUntouched(0, r.Size()) {
		t.Skip("mincore(2) does not tell here what is in memory")
	}
	r.Bytes(700*PageSize, 1)[0] = 1
	if r.ResetUntouched(0, r.Size()) || r.ResetUntouched(700*PageSize, PageSize) || r.ResetUntouched(0, 0) || r.ResetUntouched(0, r.Size()+PageSize) {
		t.Error("what was written, or is not there, counts as untouched")
	}
	if r.Bytes(700*PageSize, 1)[0] != 1 || !r.ResetUntouched(0, 700*PageSize) || !r.ResetUntouched(701*PageSize, 299*PageSize) {
		t.Error("the rest does not")
	}
}
