package compiler

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"slices"
	"sort"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"github.com/wasmaot/wasmaot/compiler/artifact"
	"github.com/wasmaot/wasmaot/compiler/wasm"
)

// TestOnDemand compiles all functions of a Go program one by one, with every checker on: the artifact is that of the whole module, and so
// are the functions' frames and sites but for where these are.
func TestOnDemand(t *testing.T) {
	src := goModule(t, "../examples/hello")
	settings := []Options{
		{Target: "amd64", Tier: artifact.TierExplicit, Poll: true, Debug: Debug{Poison: true}},
		{Target: "arm64"},
	}
	for n, o := range settings {
		key, _ := o.Key()
		ahead, err := Compile(context.Background(), src, o)
		if err != nil {
			t.Fatal(err)
		}
		traps, calls := slices.Collect(ahead.Traps.All()), slices.Collect(ahead.Calls.All())
		o.Debug.Check, o.Workers = true, 1
		a := onDemandArtifact(t, src, o)
		for i := range a.Funcs {
			if i%len(settings) != n { // each in one way: the checkers take their time
				continue
			}
			p, err := a.Compile(i)
			if err != nil {
				t.Fatalf("%s: %v", key, err)
			}
			f := &ahead.Funcs[i]
			if p.FrameSize != f.FrameSize || len(p.Text) == 0 {
				t.Errorf("%s: %s: %d bytes with a frame of %d, expected one of %d", key, a.FuncName(i), len(p.Text), p.FrameSize, f.FrameSize)
			}
			for name, lists := range map[string][2][]artifact.Site{
				"traps": {sitesIn(traps, f.Off, f.Off+f.Size), slices.Collect(p.Traps.All())},
				"calls": {sitesIn(calls, f.Off+1, f.Off+f.Size+1), slices.Collect(p.Calls.All())},
			} {
				withoutPlaces(lists[1])
				if d := cmp.Diff(lists[0], lists[1], cmpopts.EquateEmpty()); d != "" {
					t.Errorf("%s: %s of %s (-want +got):\n%s", key, name, a.FuncName(i), d)
				}
			}
		}
		if err := a.Release(); err != nil {
			t.Error(err)
		}
		a.Header.WasmHash = ahead.Header.WasmHash
		a.Compile, a.Release = nil, nil
		ahead.Text, ahead.Traps, ahead.Calls = nil, "", ""
		for i := range ahead.Funcs {
			f := &ahead.Funcs[i]
			f.Off, f.Size, f.FrameSize = 0, 0, 0
		}
		if d := cmp.Diff(ahead, a); d != "" {
			t.Errorf("%s: the artifact (-want +got):\n%s", key, d)
		}
	}
}

func onDemandArtifact(t *testing.T, src []byte, o Options) *artifact.Artifact {
	t.Helper()
	a, err := NewOnDemand(context.Background(), src, nil, o)
	if err != nil {
		t.Fatal(err)
	}
	return a
}

// sitesIn is the sites from one place to another, without their own places.
func sitesIn(all []artifact.Site, from, to uint32) []artifact.Site {
	at := func(off uint32) int {
		return sort.Search(len(all), func(i int) bool { return all[i].Off >= off })
	}
	return withoutPlaces(slices.Clone(all[at(from):at(to)]))
}

func withoutPlaces(list []artifact.Site) []artifact.Site {
	for i := range list {
		list[i].Off = 0
	}
	return list
}

// TestOnDemandAtOnce compiles functions in any order by several goroutines at once: the code is always the same.
func TestOnDemandAtOnce(t *testing.T) {
	src := goModule(t, "../examples/hello")
	var want []*artifact.Piece
	for round := range 2 {
		a := onDemandArtifact(t, src, Options{Workers: 1 + 2*round})
		got := make([]*artifact.Piece, len(a.Funcs))
		var group sync.WaitGroup
		for g := range 4 {
			group.Go(func() {
				for n, i := range rand.Perm(len(a.Funcs)) {
					if n%4 != g && round == 0 {
						continue // once by someone is enough, but for what is left out
					}
					p, err := a.Compile(i)
					if err != nil {
						t.Error(err)
					} else if g == 0 {
						got[i] = p
					}
				}
			})
		}
		group.Wait()
		if err := a.Release(); err != nil {
			t.Error(err)
		}
		for i := range got {
			if round > 0 && want[i] != nil && !cmp.Equal(want[i], got[i]) {
				t.Errorf("function %d: other code", i)
			}
		}
		want = got
	}
}

// mixedModule has a memory, a table, globals, imports and some functions with most kinds of instructions that may be wrong.
func mixedModule() []byte {
	section := func(id byte, entries ...string) []byte {
		body := []byte{byte(len(entries))}
		for _, e := range entries {
			body = append(body, e...)
		}
		return append([]byte{id, byte(len(body))}, body...)
	}
	body := func(code string) string { return string(rune(len(code)+1)) + "\x00" + code }
	return slices.Concat([]byte("\x00asm\x01\x00\x00\x00"),
		section(1, "\x60\x02\x7f\x7f\x01\x7f", "\x60\x00\x00"), // (i32, i32) → i32, () → ()
		section(2, "\x01e\x01f\x00\x00"),
		section(3, "\x00", "\x00", "\x01", "\x00"),
		section(4, "\x70\x00\x04"),
		section(5, "\x00\x01"),
		section(6, "\x7f\x01\x41\x05\x0b"),
		section(7, "\x01g\x00\x02"),
		section(9, "\x00\x41\x00\x0b\x02\x01\x02"),
		section(10,
			body("\x20\x00\x20\x01\x6a\x0b"), // the sum
			body("\x03\x40\x20\x00\x41\x01\x6b\x22\x00\x0d\x00\x0b\x20\x00\x20\x01\x10\x01\x0b"), // a loop, then a call
			body("\x23\x00\x24\x00\x41\x08\x41\x02\x36\x02\x00\x0b"),                             // global and memory
			body("\x20\x00\x20\x01\x41\x01\x11\x00\x00\x20\x01\x10\x00\x0b")),                    // through the table, then the import
		section(11, "\x00\x41\x10\x0b\x03abc"))
}

// TestOnDemandRefuses changes a module: if it is refused when it is compiled ahead, it is refused on demand, for the same reason.
func TestOnDemandRefuses(t *testing.T) {
	seed := uint64(time.Now().UnixNano())
	t.Logf("seed %d", seed)
	r := rand.New(rand.NewPCG(seed, 0))
	right := mixedModule()
	refused := 0
	for n := range 3000 {
		src := bytes.Clone(right)
		for range n % 3 {
			src[8+r.IntN(len(src)-8)] = byte(r.IntN([]int{8, 256}[r.IntN(2)]))
		}
		o := Options{Workers: 1 + n%3}
		if n%2 == 0 {
			o.Features = wasm.Features20 | wasm.FeatureTailCall | wasm.FeatureMemory64 | wasm.FeatureMultiMemory
		}
		_, want := Compile(context.Background(), src, o)
		a, got := NewOnDemand(context.Background(), src, nil, o)
		if fmt.Sprint(want) != fmt.Sprint(got) {
			t.Fatalf("% x\nahead: %v\non demand: %v", src, want, got)
		}
		if want != nil {
			refused++
			continue
		}
		for i := range a.Funcs {
			if _, err := a.Compile(i); err != nil {
				t.Fatalf("% x\n%v", src, err)
			}
		}
		a.Release()
	}
	t.Logf("%d modules refused", refused)
	if _, err := Compile(context.Background(), right, Options{}); err != nil || refused == 0 {
		t.Errorf("%d modules were refused, the one that they are made of: %v", refused, err)
	}
}

// TestOnDemandCancelled ends the preparation by its context.
func TestOnDemandCancelled(t *testing.T) {
	ctx, cancel := context.WithCancel(context.Background())
	cancel()
	if _, err := NewOnDemand(ctx, mixedModule(), nil, Options{}); !errors.Is(err, context.Canceled) {
		t.Errorf("expected %v, found %v", context.Canceled, err)
	}
}

// TestAhead compiles a Go program's start and looks at what was compiled ahead of need: not without bounds, and nothing any more
// after the release.
func TestAhead(t *testing.T) {
	src := goModule(t, "../examples/hello")
	d, err := newOnDemand(context.Background(), src, Options{Workers: 2})
	if err != nil {
		t.Fatal(err)
	}
	if !d.guesses {
		t.Skip("there is one processor: nothing is compiled ahead")
	}
	start := startFuncs(d.module)
	if len(start) < 100 {
		t.Errorf("%d functions of a Go program's start are known", len(start))
	}
	for n := 0; n < d.defined(); n++ {
		if _, err := d.compile(n); err != nil {
			t.Fatal(err)
		}
		if n%100 == 0 {
			waitAhead(d)
		}
		d.mu.Lock()
		bytes, ready := d.ahead.bytes, 0
		for i := range d.ahead.ready {
			if !slices.Contains(start, i) {
				ready += len(d.body(i))
			}
		}
		d.mu.Unlock()
		if bytes > aheadBytes || bytes > 0 && ready == 0 {
			t.Fatalf("%d bytes were compiled ahead of need, %d of functions that are not the start's", bytes, ready)
		}
	}
	waitAhead(d)
	if a := &d.ahead; a.bytes != 0 || len(a.ready) != 0 {
		t.Errorf("all functions were asked for: %d with %d bytes are left", len(a.ready), a.bytes)
	}

	if d, err = newOnDemand(context.Background(), src, Options{Workers: 2}); err != nil {
		t.Fatal(err)
	}
	if err := d.release(); err != nil {
		t.Error(err)
	}
	ready := len(d.ahead.ready)
	d.likely(&d.ahead.soon, start)
	if d.ahead.running != nil || len(d.ahead.ready) != ready || len(d.idle) != 0 {
		t.Error("functions are compiled ahead after the release")
	}
}

// waitAhead waits until nothing is being compiled ahead.
func waitAhead(d *onDemand) {
	for {
		d.mu.Lock()
		running := d.ahead.running
		d.mu.Unlock()
		if running == nil {
			return
		}
		<-running
	}
}

// TestInitialises tells functions that initialise packages by their names.
func TestInitialises(t *testing.T) {
	for name, want := range map[string]bool{
		"unicode.init": true, "net_http.init.1": true, "a_b.c.map.init.12": true,
		"runtime.__mheap_.init": false, "errors.init.func1": false, "main.initial": false, "init": false, "": false, "x.init.0.func2": false,
	} {
		if got := initialises(name); got != want {
			t.Errorf("%q: %v", name, got)
		}
	}
}
