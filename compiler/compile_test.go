package compiler

import (
	"bytes"
	"context"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/wasmaot/wasmaot/compiler/artifact"
)

// goModule builds a Go program for wasip1.
func goModule(t *testing.T, pkg string) []byte {
	t.Helper()
	out := filepath.Join(t.TempDir(), "main.wasm")
	cmd := exec.Command("go", "build", "-o", out, pkg)
	cmd.Env = append(os.Environ(), "GOOS=wasip1", "GOARCH=wasm", "CGO_ENABLED=0", "GOFLAGS=")
	if b, err := cmd.CombinedOutput(); err != nil {
		t.Fatalf("go build %s: %v\n%s", pkg, err, b)
	}
	src, err := os.ReadFile(out)
	if err != nil {
		t.Fatal(err)
	}
	return src
}

func compileTo(t *testing.T, src []byte, opts Options) []byte {
	t.Helper()
	a, err := Compile(context.Background(), src, opts)
	if err != nil {
		t.Fatal(err)
	}
	file, err := a.Encode()
	if err != nil {
		t.Fatal(err)
	}
	return file
}

// TestDeterministic compiles with different numbers of workers: the artifact is the same, byte for byte.
func TestDeterministic(t *testing.T) {
	src := goModule(t, "../examples/hello")
	want := compileTo(t, src, Options{Baseline: true, Workers: 1})
	for _, workers := range []int{2, 3, 16} {
		if !bytes.Equal(want, compileTo(t, src, Options{Baseline: true, Workers: workers})) {
			t.Errorf("the artifact of %d workers differs from that of one", workers)
		}
	}
	code, err := CompileCode(context.Background(), src, nil, Options{Baseline: true})
	if err != nil {
		t.Fatal(err)
	}
	file, err := os.Create(filepath.Join(t.TempDir(), "file"))
	if err != nil {
		t.Fatal(err)
	}
	defer file.Close()
	n, err := code.WriteTo(file)
	if got, readErr := os.ReadFile(file.Name()); err != nil || readErr != nil || n != int64(len(got)) || !bytes.Equal(want, got) {
		t.Errorf("written to a file: %d bytes of %d, %v, %v, or others than in memory", n, len(want), err, readErr)
	}
	r, w := io.Pipe()
	go func() {
		_, err := code.WriteTo(w)
		w.CloseWithError(err)
	}()
	if got, err := io.ReadAll(r); err != nil || !bytes.Equal(want, got) {
		t.Errorf("written to a pipe: %v, or other bytes than in memory", err)
	}
}

// TestCheckers compiles a Go program with every checker on.
func TestCheckers(t *testing.T) {
	src := goModule(t, "../examples/goroutines")
	for _, o := range []Options{{}, {Tier: artifact.TierExplicit}, {NoOpt: true, Baseline: true}} {
		o.Debug.Check = true
		if _, err := Compile(context.Background(), src, o); err != nil {
			key, _ := o.Key()
			t.Errorf("%s: %v", key, err)
		}
	}
}

// TestDump prints a function after every pass of the middle.
func TestDump(t *testing.T) {
	src := goModule(t, "../examples/hello")
	var b strings.Builder
	if _, err := Compile(context.Background(), src, Options{Workers: 1, Debug: Debug{Dump: &b, DumpFunc: "main.main"}}); err != nil {
		t.Fatal(err)
	}
	for _, p := range []string{"build", "thread", "forward+fold", "gvn"} {
		if !strings.Contains(b.String(), "; after "+p+"\n") {
			t.Errorf("no dump after pass %s", p)
		}
	}
}

// TestCancelled ends a compilation by its context.
func TestCancelled(t *testing.T) {
	ctx, cancel := context.WithCancel(context.Background())
	cancel()
	if _, err := Compile(ctx, goModule(t, "../examples/hello"), Options{}); err != context.Canceled {
		t.Errorf("expected %v, found %v", context.Canceled, err)
	}
}

// TestUnknown refuses targets and passes that do not exist.
func TestUnknown(t *testing.T) {
	empty := []byte("\x00asm\x01\x00\x00\x00")
	for _, o := range []Options{{Target: "sparc"}, {Debug: Debug{Off: []string{"nonsense"}}}, {Debug: Debug{Off: []string{"lower"}}}} {
		if _, err := Compile(context.Background(), empty, o); err == nil {
			t.Errorf("%+v: accepted", o)
		}
	}
}

// TestQueue hands out every task once: the largest to the first worker, unless others have nothing else to do.
func TestQueue(t *testing.T) {
	sizes := []int{1, 50, 3, 3, 900, 40, 2, 1}
	for workers := 1; workers <= 3; workers++ {
		q := newQueue(sizes, workers)
		seen := make([]bool, len(sizes))
		take := func(first bool) int {
			i, ok := q.take(first)
			if !ok {
				return -1
			}
			if seen[i] {
				t.Errorf("%d workers: task %d twice", workers, i)
			}
			seen[i] = true
			return i
		}
		if workers > 1 {
			if i := take(false); i != 1 {
				t.Errorf("%d workers: another worker begins with task %d, expected the second largest", workers, i)
			}
		} else if i := take(true); i != 4 {
			t.Errorf("the only worker begins with task %d, expected the largest", i)
		}
		for n := 1; n < len(sizes); n++ {
			take(workers == 1)
		}
		if i := take(true); i >= 0 || slices.Contains(seen, false) {
			t.Errorf("%d workers: tasks done %v, then %d", workers, seen, i)
		}
	}
}
