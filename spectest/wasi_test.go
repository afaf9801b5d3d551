package spectest

import (
	"archive/zip"
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"io"
	"io/fs"
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
	dir, programs := wasiPrograms(t)
	passed := 0
	for _, p := range programs {
		t.Run(p.Suite+"/"+p.Name, func(t *testing.T) {
			p.run(t, dir, func(root string) wasi.Dir { return wasi.Dir{Host: root, Guest: "/"} })
			if !t.Failed() {
				passed++
			}
		})
	}
	t.Logf("%d of %d programs passed", passed, len(programs))
}

// readers are the programs that pass with a read-only directory.
var readers = map[string]bool{
	"c/fdopendir-with-access": true, "c/fopen-with-access": true, "c/lseek": true, "c/pread-with-access": true, "c/stat-dev-ino": true,
	"rust/close_preopen": true, "rust/dangling_symlink": true, "rust/dir_fd_op_failures": true, "rust/path_open_nonblock": true,
}

// TestWASIMounts runs the programs that only read with file systems of the host program's.
func TestWASIMounts(t *testing.T) {
	dir, programs := wasiPrograms(t)
	for name, mount := range map[string]func(t *testing.T, root string) fs.FS{
		"dir": func(t *testing.T, root string) fs.FS { return os.DirFS(root) },
		"zip": zipped,
	} {
		run := 0
		for _, p := range programs {
			if p.Root == "" || !readers[p.Suite+"/"+p.Name] {
				continue
			}
			run++
			t.Run(name+"/"+p.Suite+"/"+p.Name, func(t *testing.T) {
				p.run(t, dir, func(root string) wasi.Dir { return wasi.Dir{FS: mount(t, root), Guest: "/"} })
			})
		}
		if run != len(readers) {
			t.Errorf("%d programs run, expected %d", run, len(readers))
		}
	}
}

func zipped(t *testing.T, root string) fs.FS {
	var file bytes.Buffer
	w := zip.NewWriter(&file)
	if err := errors.Join(w.AddFS(os.DirFS(root)), w.Close()); err != nil {
		t.Fatal(err)
	}
	r, err := zip.NewReader(bytes.NewReader(file.Bytes()), int64(file.Len()))
	if err != nil {
		t.Fatal(err)
	}
	return r
}

// wasiPrograms is the suite and where it is.
func wasiPrograms(t *testing.T) (dir string, programs []wasiProgram) {
	nativetest.Require(t)
	suite, err := script.Find()
	if err != nil {
		t.Skip(err)
	}
	dir = filepath.Join(filepath.Dir(string(suite)), "wasi")
	index, err := os.ReadFile(filepath.Join(dir, "index.json"))
	if err != nil {
		t.Skip("the WASI suite is missing: ", err)
	}
	if err := json.Unmarshal(index, &programs); err != nil {
		t.Fatal(err)
	}
	return dir, programs
}

// run runs the program with what mount makes of its root.
func (p *wasiProgram) run(t *testing.T, dir string, mount func(root string) wasi.Dir) {
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
		cfg.Dirs = []wasi.Dir{mount(root)}
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
