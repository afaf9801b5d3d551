package wasmaot

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/binary"
	"errors"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"testing"

	"github.com/wasmaot/wasmaot/compiler/artifact"
	"github.com/wasmaot/wasmaot/internal/nativetest"
)

// largeModule is exitModule of a size from which DemandAuto compiles on demand: with a custom section.
func largeModule(t *testing.T, code byte) []byte {
	size := binary.AppendUvarint(nil, demandSize)
	return append(append(append(exitModule(t, code), 0), size...), append([]byte{1, 'x'}, make([]byte, demandSize-2)...)...)
}

// TestDemand: which modules are compiled on demand, and what the cache has then.
func TestDemand(t *testing.T) {
	nativetest.Require(t)
	dir := t.TempDir()
	small, large := filepath.Join(dir, "small.wasm"), filepath.Join(dir, "large.wasm")
	write(t, small, exitModule(t, 7))
	write(t, large, largeModule(t, 7))
	settle(t, large)
	type step struct {
		onDemand, mapped bool
		entries          int
	}
	ahead, again := step{entries: 1}, step{mapped: true, entries: 1}
	for _, c := range []struct {
		name   string
		demand Demand
		path   string
		cache  bool
		steps  []step
	}{
		{"never", DemandNever, large, true, []step{ahead, again}},
		{"never, no cache", DemandNever, large, false, []step{{}, {}}},
		{"always", DemandAlways, small, true, []step{{onDemand: true}, {onDemand: true}, {onDemand: true}}},
		{"always, no cache", DemandAlways, small, false, []step{{onDemand: true}, {onDemand: true}}},
		{"auto, small", DemandAuto, small, true, []step{ahead, again}},
		{"auto, small, no cache", DemandAuto, small, false, []step{{}, {}}},
		{"auto, large", DemandAuto, large, true, []step{{onDemand: true}, ahead, again, again}},
		{"auto, large, no cache", DemandAuto, large, false, []step{{onDemand: true}, {onDemand: true}}},
	} {
		t.Run(c.name, func(t *testing.T) {
			cache := OpenCache(filepath.Join(t.TempDir(), "cache"))
			config := &Config{Demand: c.demand, Warn: func(err error) { t.Errorf("warning: %v", err) }}
			if c.cache {
				config.Cache = cache
			}
			for i, want := range c.steps {
				m, err := NewRuntime(config).CompileFile(context.Background(), c.path)
				if err != nil {
					t.Fatal(err)
				}
				a := m.Code().Artifact()
				got := step{onDemand: a.Compile != nil, mapped: a.Source != nil}
				if code, err := m.Run(context.Background(), nil); code != 7 || err != nil {
					t.Errorf("run %d: exit code %d, %v", i, code, err)
				}
				m.Close()
				entries, err := cache.Entries()
				if err != nil && !errors.Is(err, os.ErrNotExist) {
					t.Fatal(err)
				}
				if got.entries = len(entries); got != want {
					t.Errorf("run %d: %+v, expected %+v", i, got, want)
				}
			}
		})
	}
}

// TestDemandStored: an artifact in the cache is used under every policy, a damaged one is replaced.
func TestDemandStored(t *testing.T) {
	nativetest.Require(t)
	dir := t.TempDir()
	path, cache := filepath.Join(dir, "m.wasm"), filepath.Join(dir, "cache")
	write(t, path, largeModule(t, 7))
	run(t, cached(t, cache, nil), path)
	entries, _ := files(t, cache)
	if len(entries) != 1 {
		t.Fatalf("entries %v", entries)
	}
	for _, d := range []Demand{DemandNever, DemandAlways, DemandAuto} {
		if code, mapped := run(t, NewRuntime(&Config{Cache: OpenCache(cache), Demand: d}), path); code != 7 || !mapped {
			t.Errorf("policy %d: exit code %d, from the cache: %v", d, code, mapped)
		}
	}
	write(t, entries[0], []byte("damaged"))
	var warnings []error
	r := cached(t, cache, &warnings)
	r.config.Demand = DemandAuto
	for i := range 2 {
		if code, mapped := run(t, r, path); code != 7 || mapped != (i > 0) || len(warnings) != 1 {
			t.Errorf("run %d: exit code %d, from the cache: %v, warnings %v", i, code, mapped, warnings)
		}
	}
}

// TestDemandBorrowed: the caller may use the memory of a module again that was compiled on demand.
func TestDemandBorrowed(t *testing.T) {
	nativetest.Require(t)
	for _, d := range []Demand{DemandNever, DemandAlways} {
		src := exitModule(t, 7)
		m, err := NewRuntime(&Config{Demand: d}).Compile(context.Background(), "test", src)
		if err != nil {
			t.Fatal(err)
		}
		defer m.Close()
		for i := range src {
			src[i] = 0xff
		}
		if code, err := m.Run(context.Background(), nil); code != 7 || err != nil {
			t.Errorf("policy %d: exit code %d, %v", d, code, err)
		}
	}
}

// TestDemandUnwritable: where nothing can be noted a module is compiled on demand each time, with a warning.
func TestDemandUnwritable(t *testing.T) {
	nativetest.Require(t)
	dir := t.TempDir()
	path := filepath.Join(dir, "m.wasm")
	write(t, path, largeModule(t, 7))
	if err := os.Chmod(dir, 0o777); err != nil {
		t.Fatal(err)
	}
	var warnings []error
	r := cached(t, dir, &warnings)
	r.config.Demand = DemandAuto
	for i := range 2 {
		warnings = nil
		m, err := r.CompileFile(context.Background(), path)
		if err != nil {
			t.Fatal(err)
		}
		if m.Code().Artifact().Compile == nil || len(warnings) != 1 || !strings.Contains(warnings[0].Error(), "going on without it") {
			t.Errorf("run %d: on demand: %v, warnings %q", i, m.Code().Artifact().Compile != nil, warnings)
		}
		m.Close()
	}
}

// TestNote: modules and options are told apart, later ones take the place of others, and whatever stands in the file makes a module new at worst.
func TestNote(t *testing.T) {
	c := OpenCache(filepath.Join(t.TempDir(), "cache"))
	note := func(i int) [sha256.Size]byte { return hashOf(binary.LittleEndian.AppendUint32(nil, uint32(i))) }
	see := func(n [sha256.Size]byte, want bool) {
		t.Helper()
		if got := c.noted(n); got != want {
			t.Errorf("noted: %v", got)
		}
		if got, err := c.note(n); got != want || err != nil {
			t.Errorf("noted before: %v, %v", got, err)
		}
	}
	see(moduleNote(note(1), ""), false)
	see(moduleNote(note(1), ""), true)
	see(moduleNote(note(1), "other"), false)
	see(moduleNote(note(2), ""), false)
	see(sizeNote(1, ""), false)
	see(sizeNote(1, "other"), false)
	see(sizeNote(2, ""), false)
	see(sizeNote(1, ""), true)
	see(moduleNote(note(1), ""), true)
	path := filepath.Join(c.Dir(), notesName)
	for i := range 10 * notesSlots {
		if _, err := c.note(note(i + 10)); err != nil {
			t.Fatal(err)
		}
	}
	info, err := os.Stat(path)
	if err != nil || info.Size() > notesSlots*noteSize || info.Mode() != 0o600 {
		t.Errorf("%v, %v", info, err)
	}
	if err := os.Truncate(path, info.Size()/2+5); err != nil {
		t.Fatal(err)
	}
	for i := range notesSlots {
		for range 2 {
			if _, err := c.note(note(i)); err != nil {
				t.Fatal(err)
			}
		}
		see(note(i), true)
	}
	if _, err := c.Clean(1); err != nil {
		t.Fatal(err)
	}
	see(note(notesSlots-1), true)
	if _, err := c.Clean(0); err != nil {
		t.Fatal(err)
	}
	see(note(notesSlots-1), false)
	// Where others can write nothing is noted.
	if err := os.Chmod(c.Dir(), 0o777); err != nil {
		t.Fatal(err)
	}
	if _, err := c.note(hashOf(nil)); err == nil || !strings.Contains(err.Error(), "not trusted") {
		t.Errorf("a directory that others can write: %v", err)
	}
}

// TestNoteTogether: of many at once that note the same, one at least is the first, and afterwards it is known.
func TestNoteTogether(t *testing.T) {
	dir := t.TempDir()
	for round := range 20 {
		var first int
		var mu sync.Mutex
		var wg sync.WaitGroup
		for range 8 {
			wg.Go(func() {
				before, err := OpenCache(dir).note(hashOf([]byte{byte(round)}))
				mu.Lock()
				defer mu.Unlock()
				if err != nil {
					t.Error(err)
				}
				if !before {
					first++
				}
			})
		}
		wg.Wait()
		if before, err := OpenCache(dir).note(hashOf([]byte{byte(round)})); first < 1 || !before || err != nil {
			t.Errorf("round %d: %d first, then %v, %v", round, first, before, err)
		}
	}
}

// TestReadSource reads files of all sizes, a pipe, and one that is shorter than it was said to be.
func TestReadSource(t *testing.T) {
	dir := t.TempDir()
	path := filepath.Join(dir, "file")
	data := bytes.Repeat([]byte("0123456789abcde"), 2*largeFile/15+100)
	for _, size := range []int{0, 1, artifact.MagicSize, 1000, largeFile - 1, largeFile, largeFile + 1, largeFile + readChunk, len(data)} {
		write(t, path, data[:size])
		src, isArtifact, err := readSource(path)
		if err != nil || isArtifact || !bytes.Equal(src.bytes, data[:size]) || src.sum() != hashOf(data[:size]) {
			t.Errorf("%d bytes: %v, is an artifact: %v", size, err, isArtifact)
		}
	}
	var s source
	if s.readLarge(bytes.NewReader(data), len(data)+1) || !s.readLarge(bytes.NewReader(data), len(data)) || s.sum() != hashOf(data) {
		t.Error("a file that is shorter than it was is taken for whole, or a whole one is not")
	}
	if _, _, err := readSource(dir); err == nil {
		t.Error("a directory can be read")
	}
	if _, _, err := readSource(filepath.Join(dir, "none")); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("a file that is not there: %v", err)
	}
	r, w, err := os.Pipe()
	if err != nil {
		t.Fatal(err)
	}
	go func() {
		defer w.Close()
		w.Write(data)
	}()
	defer r.Close()
	const fds = "/dev/fd"
	if _, err := os.Stat(fds); err != nil {
		t.Logf("pipes are left out: %v", err)
		return
	}
	src, _, err := readSource(filepath.Join(fds, strconv.Itoa(int(r.Fd()))))
	if err != nil || !bytes.Equal(src.bytes, data) || src.sum() != hashOf(data) {
		t.Errorf("a pipe: %v", err)
	}
}
