package wasmaot

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/wasmaot/wasmaot/compiler/abi"
	"github.com/wasmaot/wasmaot/compiler/artifact"
	"github.com/wasmaot/wasmaot/internal/nativetest"
	"github.com/wasmaot/wasmaot/loader"
)

func hashOf(b []byte) [sha256.Size]byte { return sha256.Sum256(b) }

// exitModule is a command that exits with a code below 64.
func exitModule(t *testing.T, code byte) []byte {
	t.Helper()
	h := "0061736d01000000 01080260017f00600000 02 24 01 16 776173695f736e617073686f745f7072657669657731 09 70726f635f65786974 00 00" +
		"03020101 0503010001 0713 02 065f7374617274 0001 066d656d6f7279 0200 0a08 01 06 00 41" + fmt.Sprintf("%02x", code) + " 1000 0b" +
		"0b0b 01 00 41 80c000 0b 03 616263"
	b, err := hex.DecodeString(strings.ReplaceAll(h, " ", ""))
	if err != nil {
		t.Fatal(err)
	}
	return b
}

// run compiles a file and gives the exit code, and whether the module came from the cache's file.
func run(t *testing.T, r *Runtime, path string) (code uint32, mapped bool) {
	t.Helper()
	m, err := r.CompileFile(context.Background(), path)
	if err != nil {
		t.Fatal(err)
	}
	defer m.Close()
	mapped = m.Code().Artifact().Source != nil
	if code, err = m.Run(context.Background(), &InstanceConfig{}); err != nil {
		t.Fatal(err)
	}
	return code, mapped
}

// cached gives a runtime with a cache in dir that fails the test on warnings unless they are collected.
func cached(t *testing.T, dir string, warnings *[]error) *Runtime {
	return NewRuntime(&Config{Cache: OpenCache(dir), Warn: func(err error) {
		if warnings == nil {
			t.Errorf("warning: %v", err)
		} else {
			*warnings = append(*warnings, err)
		}
	}})
}

func write(t *testing.T, path string, data []byte) {
	t.Helper()
	if err := os.WriteFile(path, data, 0o600); err != nil {
		t.Fatal(err)
	}
}

func files(t *testing.T, dir string) (entries, links []string) {
	t.Helper()
	err := filepath.Walk(dir, func(path string, info os.FileInfo, err error) error {
		switch {
		case err != nil:
			return err
		case info.Mode()&os.ModeSymlink != 0:
			links = append(links, path)
		case info.Mode().IsRegular() && filepath.Base(path) != notesName:
			entries = append(entries, path)
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	return entries, links
}

// settle waits until a change of a file would change its identity, and returns that.
func settle(t *testing.T, path string) *identity {
	t.Helper()
	for {
		id := identify(path)
		if id == nil {
			t.Fatalf("%s has no identity", path)
		}
		if id.settled(time.Now()) {
			return id
		}
		time.Sleep(100 * time.Millisecond)
	}
}

// TestCacheIdentity: once a file is old enough, it is found without being read; it is found again after any change.
func TestCacheIdentity(t *testing.T) {
	nativetest.Require(t)
	dir := t.TempDir()
	cache, module := filepath.Join(dir, "cache"), filepath.Join(dir, "m.wasm")
	r := cached(t, cache, nil)
	write(t, module, exitModule(t, 7))
	if code, mapped := run(t, r, module); code != 7 || mapped {
		t.Fatalf("exit code %d, from the cache: %v", code, mapped)
	}
	if _, links := files(t, cache); len(links) != 0 {
		t.Fatalf("a file that was just written was trusted: %v", links)
	}
	// Written in place, same size, at once.
	write(t, module, exitModule(t, 8))
	if code, _ := run(t, r, module); code != 8 {
		t.Fatalf("exit code %d after a change, expected 8", code)
	}
	settle(t, module)
	artifacts, _ := files(t, cache)
	for _, a := range artifacts {
		settle(t, a)
	}
	if code, mapped := run(t, r, module); code != 8 || !mapped {
		t.Fatalf("exit code %d, from the cache: %v", code, mapped)
	}
	if _, links := files(t, cache); len(links) != 2 {
		t.Fatalf("links: %v, expected one for the module's file and a mark for the artifact's", links)
	}
	// The link alone leads to the code.
	id := identify(module)
	options, err := r.config.Compiler.Key()
	if err != nil {
		t.Fatal(err)
	}
	a := r.config.Cache.byIdentity(id, options)
	if a == nil {
		t.Fatal("the file is not found by its identity")
	}
	if err := release(a); err != nil {
		t.Error(err)
	}
	// A change that keeps size and time of modification.
	info, err := os.Stat(module)
	if err != nil {
		t.Fatal(err)
	}
	write(t, module, exitModule(t, 9))
	if err := os.Chtimes(module, info.ModTime(), info.ModTime()); err != nil {
		t.Fatal(err)
	}
	if after := identify(module); after.mtime != id.mtime || after.size != id.size || after.ino != id.ino {
		t.Fatalf("identity %+v, expected only another time of change than %+v", after, id)
	}
	if code, _ := run(t, r, module); code != 9 {
		t.Errorf("exit code %d after a change, expected 9", code)
	}
	// A link whose artifact is gone.
	entries, _ := files(t, cache)
	for _, e := range entries {
		if err := os.Remove(e); err != nil {
			t.Fatal(err)
		}
	}
	if code, mapped := run(t, r, module); code != 9 || mapped {
		t.Errorf("exit code %d, from the cache: %v, expected a new compilation", code, mapped)
	}
}

// TestCacheSound: an artifact is compared with its checksums once, and again after any change.
func TestCacheSound(t *testing.T) {
	nativetest.Require(t)
	dir := t.TempDir()
	cache, module := filepath.Join(dir, "cache"), filepath.Join(dir, "m.wasm")
	write(t, module, exitModule(t, 7))
	var warnings []error
	r := cached(t, cache, &warnings)
	run(t, r, module)
	entries, _ := files(t, cache)
	if len(entries) != 1 {
		t.Fatalf("entries %v", entries)
	}
	entry, c := entries[0], r.config.Cache
	id := identify(entry)
	if c.isSound(id) {
		t.Fatal("an artifact that was just written is taken for sound")
	}
	id = settle(t, entry)
	if code, mapped := run(t, r, module); code != 7 || !mapped || !c.isSound(id) {
		t.Fatalf("exit code %d, from the cache: %v, marked: %v", code, mapped, c.isSound(id))
	}
	if code, mapped := run(t, r, module); code != 7 || !mapped {
		t.Fatalf("exit code %d, from the cache: %v", code, mapped)
	}
	if err := os.Chmod(filepath.Join(cache, linkDir), 0o777); err != nil {
		t.Fatal(err)
	}
	if c.isSound(id) {
		t.Error("a mark where others can write is believed")
	}
	if err := os.Chmod(filepath.Join(cache, linkDir), 0o700); err != nil {
		t.Fatal(err)
	}
	// A change that keeps size and time of modification.
	info, err := os.Stat(entry)
	if err != nil {
		t.Fatal(err)
	}
	data, err := os.ReadFile(entry)
	if err != nil {
		t.Fatal(err)
	}
	data[0x1001] ^= 1 // in the code
	write(t, entry, data)
	if err := os.Chtimes(entry, info.ModTime(), info.ModTime()); err != nil {
		t.Fatal(err)
	}
	if code, mapped := run(t, r, module); code != 7 || mapped || len(warnings) != 1 {
		t.Errorf("damaged: exit code %d, from the cache: %v, warnings %v", code, mapped, warnings)
	}
	// The mark of what was there before is cleared away.
	id = settle(t, entry)
	run(t, r, module)
	if _, err := c.Clean(1 << 30); err != nil {
		t.Fatal(err)
	}
	var marks []string
	_, links := files(t, cache)
	for _, l := range links {
		if strings.HasPrefix(filepath.Base(l), soundPrefix) {
			marks = append(marks, l)
		}
	}
	if len(marks) != 1 || marks[0] != c.soundMark(id) {
		t.Errorf("marks %v, expected %s alone", marks, c.soundMark(id))
	}
}

// TestCacheDamage flips bytes of an entry and cuts it: each time there is a warning and the right result.
func TestCacheDamage(t *testing.T) {
	nativetest.Require(t)
	seed := uint64(time.Now().UnixNano())
	t.Logf("seed %d", seed)
	rnd := rand.New(rand.NewPCG(seed, 0))
	dir := t.TempDir()
	cache, module := filepath.Join(dir, "cache"), filepath.Join(dir, "m.wasm")
	write(t, module, exitModule(t, 7))
	var warnings []error
	r := cached(t, cache, &warnings)
	run(t, r, module)
	entries, _ := files(t, cache)
	if len(entries) != 1 || len(warnings) != 0 {
		t.Fatalf("entries %v, warnings %v", entries, warnings)
	}
	good, err := os.ReadFile(entries[0])
	if err != nil {
		t.Fatal(err)
	}
	for i := range 60 {
		bad := bytes.Clone(good)
		if i%3 == 0 {
			bad = bad[:rnd.IntN(len(bad))]
		} else {
			bad[rnd.IntN(len(bad))] ^= 1 << rnd.IntN(8)
		}
		_, decodeErr := artifact.Decode(bad)
		write(t, entries[0], bad)
		warnings = nil
		code, mapped := run(t, r, module)
		if code != 7 || mapped != (decodeErr == nil) || (len(warnings) == 1) != (decodeErr != nil) {
			t.Fatalf("damage %d (%v): exit code %d, from the cache: %v, warnings %v", i, decodeErr, code, mapped, warnings)
		}
		if e := (CacheEntry{Path: entries[0]}); decodeErr != nil && e.Verify() != nil {
			t.Fatalf("damage %d was not repaired", i)
		}
	}
}

// TestCacheTrust: what others could have written is not run.
func TestCacheTrust(t *testing.T) {
	nativetest.Require(t)
	dir := t.TempDir()
	cache, module := filepath.Join(dir, "cache"), filepath.Join(dir, "m.wasm")
	write(t, module, exitModule(t, 7))
	var warnings []error
	r := cached(t, cache, &warnings)
	run(t, r, module)
	entries, _ := files(t, cache)
	if err := os.Chmod(entries[0], 0o622); err != nil {
		t.Fatal(err)
	}
	if code, mapped := run(t, r, module); code != 7 || mapped || len(warnings) != 1 || !strings.Contains(warnings[0].Error(), "not trusted") {
		t.Errorf("an entry that others can write: exit code %d, from the cache: %v, warnings %v", code, mapped, warnings)
	}
	if err := os.Chmod(filepath.Dir(entries[0]), 0o777); err != nil {
		t.Fatal(err)
	}
	if err := os.Remove(entries[0]); err != nil {
		t.Fatal(err)
	}
	warnings = nil
	if code, mapped := run(t, r, module); code != 7 || mapped || len(warnings) != 1 || !strings.Contains(warnings[0].Error(), "not trusted") {
		t.Errorf("a directory that others can write: exit code %d, from the cache: %v, warnings %v", code, mapped, warnings)
	}
	// An artifact in the place of another.
	other := filepath.Join(dir, "other.wasm")
	write(t, other, exitModule(t, 8))
	warnings = nil
	run(t, r, other)
	options, err := r.config.Compiler.Key()
	if err != nil {
		t.Fatal(err)
	}
	c := r.config.Cache
	from, to := c.path(hashOf(exitModule(t, 8)), options), c.path(hashOf(exitModule(t, 7)), options)
	if err := os.Chmod(filepath.Dir(to), 0o700); err != nil {
		t.Fatal(err)
	}
	if err := os.Rename(from, to); err != nil {
		t.Fatal(err)
	}
	if code, _ := run(t, r, module); code != 7 || len(warnings) != 1 {
		t.Errorf("another module's artifact: exit code %d, warnings %v", code, warnings)
	}
}

// TestCacheClean: the entries that were not used for the longest time go first.
func TestCacheClean(t *testing.T) {
	nativetest.Require(t)
	dir := t.TempDir()
	cache := filepath.Join(dir, "cache")
	r := cached(t, cache, nil)
	c := r.config.Cache
	options, err := r.config.Compiler.Key()
	if err != nil {
		t.Fatal(err)
	}
	var paths []string
	for i := range 4 {
		src := exitModule(t, byte(i))
		m, err := r.Compile(context.Background(), "m", src)
		if err != nil {
			t.Fatal(err)
		}
		m.Close()
		path := c.path(hashOf(src), options)
		used := time.Now().Add(time.Duration(i-10) * time.Hour)
		if err := os.Chtimes(path, used, used); err != nil {
			t.Fatal(err)
		}
		paths = append(paths, path)
	}
	// Used again: the oldest is now the youngest.
	m, err := r.Compile(context.Background(), "m", exitModule(t, 0))
	if err != nil {
		t.Fatal(err)
	}
	m.Close()
	list, err := c.Entries()
	if err != nil || len(list) != 4 || list[0].Path != paths[0] || list[3].Path != paths[1] {
		t.Fatalf("entries %v, %v", list, err)
	}
	if h, err := list[0].Header(); err != nil || h.WasmHash != hashOf(exitModule(t, 0)) {
		t.Errorf("header %v, %v", h, err)
	}
	stale := filepath.Join(filepath.Dir(paths[0]), tempPrefix+"dead")
	write(t, stale, nil)
	long := time.Now().Add(-2 * tempLife)
	if err := os.Chtimes(stale, long, long); err != nil {
		t.Fatal(err)
	}
	size := list[0].Size
	if n, err := c.Clean(2*size + size/2); n != 2 || err != nil {
		t.Fatalf("%d removed, %v", n, err)
	}
	for i, want := range []bool{true, false, false, true} {
		if _, err := os.Stat(paths[i]); (err == nil) != want {
			t.Errorf("entry %d: %v, expected to be there: %v", i, err, want)
		}
	}
	if _, err := os.Stat(stale); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("what a dead process left is still there: %v", err)
	}
	// A bound smaller than one entry keeps the one that was just stored.
	c.MaxSize = 1
	m, err = r.Compile(context.Background(), "m", exitModule(t, 9))
	if err != nil {
		t.Fatal(err)
	}
	m.Close()
	if list, err = c.Entries(); err != nil || len(list) != 1 || list[0].Path != c.path(hashOf(exitModule(t, 9)), options) {
		t.Errorf("entries %v, %v", list, err)
	}
}

// TestLifetime: code stays mapped until the last instance is closed, then the file is let go.
func TestLifetime(t *testing.T) {
	nativetest.Require(t)
	dir := t.TempDir()
	r := cached(t, dir, nil)
	src := exitModule(t, 5)
	fds := func() int {
		list, err := os.ReadDir("/proc/self/fd")
		if err != nil {
			t.Fatal(err)
		}
		return len(list)
	}
	for i := range 3 {
		before := fds()
		m, err := r.Compile(context.Background(), "m", src)
		if err != nil {
			t.Fatal(err)
		}
		if mapped := m.Code().Artifact().Source != nil; mapped != (i > 0) {
			t.Fatalf("round %d: from the cache: %v", i, mapped)
		}
		if i == 0 {
			m.Close()
			continue
		}
		exit := loader.NewHostFunc("proc_exit", &abi.Signature{Params: []abi.Type{abi.I32}}, func(_ context.Context, _ *loader.Instance, s []uint64) error {
			return &loader.Exit{Code: uint32(s[0])}
		})
		inst, err := m.Code().Instantiate(context.Background(), &loader.Config{Resolve: func(string, string) (loader.Extern, bool) { return exit, true }})
		if err != nil {
			t.Fatal(err)
		}
		if err := errors.Join(m.Close(), m.Close()); err != nil { // the instance lives on
			t.Error(err)
		}
		var code *loader.Exit
		if err := inst.Func("_start").Call(context.Background(), nil); !errors.As(err, &code) || code.Code != 5 {
			t.Errorf("after the module was closed: %v", err)
		}
		if b := inst.Memory().Bytes(); string(b[8192:8196]) != "abc\x00" {
			t.Errorf("memory: %q", b[8192:8196])
		}
		if err := inst.Close(); err != nil {
			t.Error(err)
		}
		if after := fds(); after != before {
			t.Errorf("round %d: %d open files, %d before", i, after, before)
		}
	}
}
