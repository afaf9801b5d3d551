package vmem

import (
	"bytes"
	"errors"
	"math/rand/v2"
	"slices"
	"testing"
	"time"

	"golang.org/x/sys/unix"
)

// testArena is one of some pages.
func testArena(t *testing.T, size uint64) *Arena {
	t.Helper()
	r, err := Reserve(size, PageSize)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { r.Release() })
	a, err := NewArena(r, 0, r.Size())
	if err != nil {
		t.Fatal(err)
	}
	return a
}

// limited runs f with a limit of the process lowered.
func limited(t *testing.T, resource int, limit uint64, f func()) {
	t.Helper()
	var old unix.Rlimit
	if err := unix.Getrlimit(resource, &old); err != nil {
		t.Fatal(err)
	}
	if err := unix.Setrlimit(resource, &unix.Rlimit{Cur: limit, Max: old.Max}); err != nil {
		t.Fatal(err)
	}
	defer func() {
		if err := unix.Setrlimit(resource, &old); err != nil {
			t.Fatal(err)
		}
	}()
	f()
}

// What is added by several Appenders of an arena lies where it is said to, executable and never writable, and stays. Without descriptors, or files of any size, too.
func TestAppender(t *testing.T) {
	for _, c := range []struct {
		name string
		run  func(f func())
		file bool
	}{
		{"file", func(f func()) { f() }, true},
		{"no descriptors", func(f func()) { limited(t, unix.RLIMIT_NOFILE, 0, f) }, false},
		{"no file sizes", func(f func()) { limited(t, unix.RLIMIT_FSIZE, PageSize, f) }, false},
	} {
		t.Run(c.name, func(t *testing.T) { testAppender(t, c.run, c.file) })
	}
}

func testAppender(t *testing.T, run func(f func()), file bool) {
	seed := uint64(time.Now().UnixNano())
	t.Logf("seed %d", seed)
	rnd := rand.New(rand.NewPCG(seed, 0))
	a := testArena(t, 64<<20)
	type piece struct {
		addr uint64
		code []byte
	}
	var pieces []piece
	appenders := []*Appender{a.NewAppender(), a.NewAppender(), a.NewAppender()}
	ends := map[uint64]uint64{} // of what was added, by where its pages begin
	if len(a.taken) != 0 {
		t.Errorf("nothing takes %v", a.taken)
	}
	run(func() {
		for range 300 {
			size := 1 + rnd.IntN(1<<rnd.IntN(19))
			code := bytes.Repeat([]byte{byte(rnd.Int())}, size)
			align := uint64(1) << rnd.IntN(8)
			addr, pages, err := appenders[rnd.IntN(3)].Add(code, align)
			if err != nil {
				t.Fatal(err)
			}
			if addr%align != 0 || pages%PageSize != 0 || addr < pages || addr < ends[pages] {
				t.Errorf("0x%x aligned to %d, pages from 0x%x are used up to 0x%x", addr, align, pages, ends[pages])
			}
			ends[pages] = addr + uint64(size)
			pieces = append(pieces, piece{addr, code})
		}
	})
	if got := appenders[0].fd >= 0 && len(appenders[0].single) == 0; got != file {
		t.Errorf("all lies in a file: %v", got)
	}
	slices.SortFunc(pieces, func(p, q piece) int { return int(p.addr) - int(q.addr) })
	for i, p := range pieces {
		if !bytes.Equal(a.region.Bytes(p.addr-a.region.base, uint64(len(p.code))), p.code) {
			t.Errorf("the code at 0x%x changed", p.addr)
		}
		if i > 0 && pieces[i-1].addr+uint64(len(pieces[i-1].code)) > p.addr {
			t.Errorf("pieces overlap at 0x%x", p.addr)
		}
	}
	want(t, pieces[0].addr, "r-x")
	for _, p := range appenders {
		if err := p.Close(); err != nil {
			t.Error(err)
		}
		if err := p.Close(); err != nil {
			t.Errorf("closed again: %v", err)
		}
	}
	want(t, pieces[0].addr, "---")
	if len(a.free) != 1 || len(a.taken) != 0 {
		t.Errorf("free %v, taken %v", a.free, a.taken)
	}
}

// A little code takes a little room. When there is no more room it is said, and what is there stays.
func TestAppenderFull(t *testing.T) {
	a := testArena(t, 1<<20)
	p := a.NewAppender()
	defer p.Close()
	code := bytes.Repeat([]byte{7}, 10_000)
	var addrs []uint64
	for {
		addr, _, err := p.Add(code, 16)
		if err != nil {
			t.Log(err)
			break
		}
		addrs = append(addrs, addr)
		if taken := p.length; len(addrs) == 1 && taken != max(firstSpan, PageUp(10_000)) {
			t.Errorf("the first piece takes %d bytes", taken)
		}
	}
	if n := len(addrs); n < 80 {
		t.Errorf("%d pieces", n)
	}
	for _, addr := range addrs {
		if !bytes.Equal(a.region.Bytes(addr-a.region.base, uint64(len(code))), code) {
			t.Errorf("the code at 0x%x changed", addr)
		}
	}
	if _, _, err := p.Add(nil, 16); err == nil {
		t.Error("nothing was placed")
	}
	if _, _, err := p.Add(make([]byte, 2<<20), 16); err == nil {
		t.Error("more was placed than there is room")
	}
}

// What cannot be written is told, and leaves no hole that counts as code.
func TestAppenderWriteFails(t *testing.T) {
	a := testArena(t, 1<<20)
	p := a.NewAppender()
	defer p.Close()
	first, _, err := p.Add([]byte{1}, 1)
	if err != nil {
		t.Fatal(err)
	}
	fd := p.fd
	readOnly, err := unix.Open("/dev/null", unix.O_RDONLY|unix.O_CLOEXEC, 0)
	if err != nil {
		t.Fatal(err)
	}
	defer unix.Close(readOnly)
	p.fd = readOnly
	if _, _, err := p.Add([]byte{2}, 1); !errors.Is(err, unix.EBADF) {
		t.Errorf("found %v", err)
	}
	p.fd = fd
	if addr, _, err := p.Add([]byte{3}, 1); addr != first+1 || err != nil {
		t.Errorf("added at 0x%x behind 0x%x, %v", addr, first, err)
	}
}
