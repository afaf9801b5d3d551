package main

import (
	"bytes"
	"errors"
	"io/fs"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/wasmaot/wasmaot/internal/nativetest"
)

const greeting = "Hello from a Go program"

// cacheGuest builds wasmaot and the example.
func cacheGuest(t *testing.T) (wasmaot, module, dir string) {
	t.Helper()
	nativetest.Require(t)
	dir = t.TempDir()
	wasmaot, module = filepath.Join(dir, "wasmaot"), filepath.Join(dir, "hello.wasm")
	mustBuild(t, wasmaot, ".", ".")
	mustBuild(t, module, "../../examples/hello", ".", "GOOS=wasip1", "GOARCH=wasm")
	return wasmaot, module, dir
}

// artifacts gives the files of a cache that are no links.
func artifacts(t *testing.T, dir string) (entries, temporary []string) {
	t.Helper()
	err := filepath.WalkDir(dir, func(path string, d fs.DirEntry, err error) error {
		switch {
		case errors.Is(err, fs.ErrNotExist):
			return nil
		case err != nil || !d.Type().IsRegular():
			return err
		case strings.HasSuffix(path, ".cwasm"):
			entries = append(entries, path)
		default:
			temporary = append(temporary, path)
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	return entries, temporary
}

// TestCacheProcesses starts 64 processes at once on an empty cache: all succeed. Compiled ahead, one artifact is left; on demand the first ones leave
// none, and those that come to know of them one together.
func TestCacheProcesses(t *testing.T) {
	wasmaot, module, dir := cacheGuest(t)
	for _, demand := range []string{"never", "auto"} {
		cache := filepath.Join(dir, demand)
		run := func() {
			out, err := exec.Command(wasmaot, "run", "--on-demand="+demand, "--cachedir="+cache, module).CombinedOutput()
			if err != nil || !bytes.HasPrefix(out, []byte(greeting)) || bytes.Contains(out, []byte("warning")) {
				t.Errorf("%s: %v\n%s", demand, err, out)
			}
		}
		var wg sync.WaitGroup
		for range 64 {
			wg.Go(run)
		}
		wg.Wait()
		run()
		entries, others := artifacts(t, cache)
		others = slices.DeleteFunc(others, func(path string) bool { return path == filepath.Join(cache, "seen") })
		if len(entries) != 1 || len(others) != 0 {
			t.Errorf("%s: artifacts %v, others %v; expected one", demand, entries, others)
		}
	}
}

// TestCacheKilled kills processes at random moments of a first run: the next run succeeds without a warning.
func TestCacheKilled(t *testing.T) {
	wasmaot, module, dir := cacheGuest(t)
	seed := uint64(time.Now().UnixNano())
	t.Logf("seed %d", seed)
	rnd := rand.New(rand.NewPCG(seed, 0))
	rounds := 25
	if testing.Short() {
		rounds = 5
	}
	if n, err := strconv.Atoi(os.Getenv("WASMAOT_KILLS")); err == nil {
		rounds = n
	}
	cache := filepath.Join(dir, "cache")
	start := time.Now()
	if out, err := exec.Command(wasmaot, "run", "--on-demand=never", "--cachedir="+cache, module).CombinedOutput(); err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	whole := time.Since(start)
	for i := range rounds {
		if err := os.RemoveAll(cache); err != nil {
			t.Fatal(err)
		}
		demand := []string{"never", "auto"}[i%2]
		first := exec.Command(wasmaot, "run", "--on-demand="+demand, "--cachedir="+cache, module)
		if err := first.Start(); err != nil {
			t.Fatal(err)
		}
		time.Sleep(time.Duration(rnd.Int64N(int64(whole))))
		first.Process.Kill()
		first.Wait()
		for range 1 + i%2 { // what is compiled on demand is stored by the second run that comes to its end
			out, err := exec.Command(wasmaot, "run", "--on-demand="+demand, "--cachedir="+cache, module).CombinedOutput()
			if err != nil || !bytes.HasPrefix(out, []byte(greeting)) || bytes.Contains(out, []byte("warning")) {
				t.Fatalf("round %d: %v\n%s", i, err, out)
			}
		}
		if entries, _ := artifacts(t, cache); len(entries) != 1 {
			t.Fatalf("round %d: artifacts %v, expected one", i, entries)
		}
	}
}
