package spectest

import (
	"context"
	"encoding/json"
	"errors"
	"io"
	"os"
	"path/filepath"
	"sort"
	"testing"

	"github.com/wasmaot/wasmaot/compiler"
	"github.com/wasmaot/wasmaot/internal/nativetest"
	"github.com/wasmaot/wasmaot/loader"
	"github.com/wasmaot/wasmaot/spectest/script"
	"github.com/wasmaot/wasmaot/wasi"
)

// A wasiProgram is an entry of the WASI suite's index.json.
type wasiProgram struct {
	Suite, Name, Wasm string
	Args              []string
	Env               map[string]string
	Root              string // beside the module, to be the directory "/"; a copy is used
	ExitCode          uint32 `json:"exit_code"`
	Stdout            string
	StdoutChecked     bool `json:"stdout_checked"`
}

// TestWASI runs the programs of github.com/WebAssembly/wasi-testsuite for wasip1.
func TestWASI(t *testing.T) {
	nativetest.Require(t)
	suite, err := script.Find()
	if err != nil {
		t.Skip(err)
	}
	dir := filepath.Join(filepath.Dir(string(suite)), "wasi")
	index, err := os.ReadFile(filepath.Join(dir, "index.json"))
	if err != nil {
		t.Skip("the WASI suite is missing: ", err)
	}
	var programs []wasiProgram
	if err := json.Unmarshal(index, &programs); err != nil {
		t.Fatal(err)
	}
	passed := 0
	for _, p := range programs {
		t.Run(p.Suite+"/"+p.Name, func(t *testing.T) {
			p.run(t, dir)
			if !t.Failed() {
				passed++
			}
		})
	}
	t.Logf("%d of %d programs passed", passed, len(programs))
}

func (p *wasiProgram) run(t *testing.T, dir string) {
	file := filepath.Join(dir, filepath.FromSlash(p.Wasm))
	wasm, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	cfg := &wasi.Config{Args: append([]string{filepath.Base(file)}, p.Args...)}
	for k, v := range p.Env {
		cfg.Env = append(cfg.Env, k+"="+v)
	}
	sort.Strings(cfg.Env)
	if p.Root != "" {
		root := filepath.Join(t.TempDir(), "root")
		if err := copyTree(root, filepath.Join(filepath.Dir(file), p.Root)); err != nil {
			t.Fatal(err)
		}
		cfg.Dirs = []wasi.Dir{{Host: root, Guest: "/"}}
	}
	in, inW, err := os.Pipe() // a pipe into which nothing is written
	if err != nil {
		t.Fatal(err)
	}
	defer in.Close()
	defer inW.Close()
	cfg.Stdin = in
	stdout := collector(t, &cfg.Stdout)
	stderr := collector(t, &cfg.Stderr)
	code, err := runWASI(wasm, cfg)
	out, messages := stdout(), stderr()
	if err != nil {
		t.Fatalf("%v\n%s", err, messages)
	}
	if code != p.ExitCode {
		t.Errorf("exit code %d, expected %d\n%s", code, p.ExitCode, messages)
	}
	if p.StdoutChecked && out != p.Stdout {
		t.Errorf("standard output %q, expected %q", out, p.Stdout)
	}
}

// runWASI compiles and runs a program and returns its exit code.
func runWASI(wasm []byte, cfg *wasi.Config) (code uint32, err error) {
	ctx := context.Background()
	art, err := compiler.Compile(ctx, wasm, compiler.Options{})
	if err != nil {
		return 0, err
	}
	native, err := loader.Load(art)
	if err != nil {
		return 0, err
	}
	defer native.Close()
	sys, err := wasi.New(cfg)
	if err != nil {
		return 0, err
	}
	defer sys.Close()
	inst, err := native.Instantiate(ctx, &loader.Config{Resolve: sys.Resolve})
	if err != nil {
		return 0, err
	}
	defer inst.Close()
	err = inst.Func("_start").Call(ctx, nil)
	var exit *loader.Exit
	if errors.As(err, &exit) {
		return exit.Code, nil
	}
	return 0, err
}

// collector sets *f to a file that the returned function closes and reads.
func collector(t *testing.T, f **os.File) func() string {
	r, w, err := os.Pipe()
	if err != nil {
		t.Fatal(err)
	}
	*f = w
	all := make(chan string)
	go func() {
		b, _ := io.ReadAll(r)
		r.Close()
		all <- string(b)
	}()
	return func() string {
		w.Close()
		return <-all
	}
}

// copyTree copies a directory whose files may be read-only.
func copyTree(dst, src string) error {
	return filepath.WalkDir(src, func(path string, d os.DirEntry, err error) error {
		if err != nil {
			return err
		}
		rel, err := filepath.Rel(src, path)
		if err != nil {
			return err
		}
		to := filepath.Join(dst, rel)
		if d.IsDir() {
			return os.Mkdir(to, 0o755)
		}
		content, err := os.ReadFile(path)
		if err != nil {
			return err
		}
		return os.WriteFile(to, content, 0o644)
	})
}
