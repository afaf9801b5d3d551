package main

import (
	"context"
	"errors"
	"fmt"
	"math"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"time"

	"github.com/wasmaot/wasmaot"
	"github.com/wasmaot/wasmaot/compiler"
	"github.com/wasmaot/wasmaot/loader"
	"github.com/wasmaot/wasmaot/wasi"
)

// runFlags are the flags of run. People come from `wasmtime run` and `wazero run`: both spellings are taken.
type runFlags struct {
	dirs, mounts []string
	env          []string
	envInherit   bool
	argv0        string
	timeout      time.Duration
	maxMemory    string
	stackSize    string
	cacheFlags
}

// cacheFlags choose the cache.
type cacheFlags struct {
	noCache  bool
	cacheDir string
}

func (f *cacheFlags) register(fl *flagSet) {
	fl.bool(&f.noCache, "no-cache", "compile again and keep nothing")
	fl.string(&f.cacheDir, "cachedir", "", "keep compiled code in `DIR` (default: wasmaot in the user's cache directory)")
}

// cache is the cache that the flags ask for.
func (f *cacheFlags) cache() (*wasmaot.Cache, error) {
	dir := f.cacheDir
	if dir == "" {
		var err error
		if dir, err = wasmaot.DefaultCacheDir(); err != nil {
			return nil, err
		}
	}
	return wasmaot.OpenCache(dir), nil
}

// runtime gives a runtime with the cache that the flags ask for. Problems with the cache are warnings: the program runs.
func (f *cacheFlags) runtime(opts compiler.Options) *wasmaot.Runtime {
	config := wasmaot.Config{Compiler: opts, Warn: warn}
	if !f.noCache {
		var err error
		if config.Cache, err = f.cache(); err != nil {
			warn(err)
		}
	}
	return wasmaot.NewRuntime(&config)
}

func warn(err error) { fmt.Fprintf(os.Stderr, "wasmaot: warning: %v\n", err) }

func newRun() *command {
	var f runFlags
	cmd := &command{
		use: "run [flags] FILE|PACKAGE [args...]",
		long: `Run a WebAssembly module as a WASI command. FILE is a module or an artifact made
by "wasmaot compile". PACKAGE is a directory with a Go package or a .go file: it
is built with GOOS=wasip1 GOARCH=wasm go build first.

Flags come before FILE; everything after it is passed to the guest. The guest's
exit code becomes that of wasmaot; a trap prints a backtrace and exits with 134.`,
		example: "  wasmaot run hello.wasm\n  wasmaot run --dir=. ./cmd/tool -v input.txt\n  wasmaot run --env=DEBUG=1 --timeout=10s main.wasm",
		min:     1, max: -1, what: "FILE or PACKAGE",
		run: f.run,
	}
	fl := &cmd.flags
	fl.list(&f.dirs, "dir", "give the guest a directory: `HOST[::GUEST]`; repeatable")
	fl.list(&f.mounts, "mount", "the same, spelled `HOST[:GUEST][:ro]`; ro is read-only")
	fl.list(&f.env, "env", "set a variable of the guest's environment: `NAME=VALUE`, or NAME for the host's value")
	fl.bool(&f.envInherit, "env-inherit", "give the guest the whole environment")
	fl.string(&f.argv0, "argv0", "", "the guest's argument 0, `NAME` (default: FILE's name)")
	fl.duration(&f.timeout, "timeout", "stop the guest after `DURATION` (10s, 1m30s) and exit with 124")
	fl.string(&f.maxMemory, "max-memory", "", "bound the guest's linear memory: `SIZE` in bytes or with K, M, G (at most 4G)")
	fl.string(&f.stackSize, "stack-size", "", "`SIZE` of the native stack (default 512M)")
	f.cacheFlags.register(fl)
	return cmd
}

func (f *runFlags) run(ctx context.Context, args []string) error {
	config, err := f.config(args)
	if err != nil {
		return err
	}
	path, cleanup, err := buildIfPackage(ctx, args[0])
	if err != nil {
		return err
	}
	defer cleanup()
	m, err := f.runtime(compiler.Options{}).CompileFile(ctx, path)
	if err != nil {
		return err
	}
	// The module is not closed: the process ends with the guest, and unmapping takes longer while it lives.
	cleanup() // a long-running guest needs no file any more
	if f.timeout > 0 {
		var cancel context.CancelFunc
		ctx, cancel = context.WithTimeoutCause(ctx, f.timeout, errTimeout)
		defer cancel()
	}
	code, err := m.RunCommand(ctx, config)
	var stopped *loader.Interrupted
	if errors.As(err, &stopped) && errors.Is(err, errTimeout) {
		return fmt.Errorf("%s: stopped after %v: %w", args[0], f.timeout, errTimeout)
	}
	if err == nil && code != 0 {
		err = exitCode(code)
	}
	return err
}

// config translates flags and arguments.
func (f *runFlags) config(args []string) (*wasmaot.CommandConfig, error) {
	c := &wasmaot.CommandConfig{WASI: wasi.Config{
		Args: append([]string{strings.TrimSuffix(filepath.Base(args[0]), ".go")}, args[1:]...), Stdin: os.Stdin, Stdout: os.Stdout, Stderr: os.Stderr,
	}}
	if f.argv0 != "" {
		c.WASI.Args[0] = f.argv0
	}
	if f.envInherit {
		c.WASI.Env = os.Environ()
	}
	for _, e := range f.env {
		if !strings.Contains(e, "=") {
			v, ok := os.LookupEnv(e)
			if !ok {
				continue
			}
			e += "=" + v
		}
		c.WASI.Env = append(c.WASI.Env, e)
	}
	for _, s := range f.dirs {
		host, guest, mapped := strings.Cut(s, "::")
		if host == "" || mapped && guest == "" {
			return nil, usageError{fmt.Errorf("--dir=%s: expected HOST or HOST::GUEST", s)}
		}
		if !mapped {
			guest = ""
		}
		if err := wasmaot.AddDir(&c.WASI, host, guest, false); err != nil {
			return nil, err
		}
	}
	for _, s := range f.mounts {
		rest, readOnly := strings.CutSuffix(s, ":ro")
		host, guest, mapped := strings.Cut(rest, ":")
		if host == "" || mapped && guest == "" {
			return nil, usageError{fmt.Errorf("--mount=%s: expected HOST, HOST:GUEST or either with :ro", s)}
		}
		if err := wasmaot.AddDir(&c.WASI, host, guest, readOnly); err != nil {
			return nil, err
		}
	}
	var err error
	if c.MaxMemory, err = parseSize("--max-memory", f.maxMemory, 65536, 4<<30); err != nil {
		return nil, err
	}
	c.StackSize, err = parseSize("--stack-size", f.stackSize, 64<<10, 1<<30-1<<20)
	return c, err
}

// parseSize reads a number of bytes with an optional unit; empty is 0.
func parseSize(flag, s string, least, most uint64) (uint64, error) {
	if s == "" {
		return 0, nil
	}
	digits := strings.TrimRight(strings.ToUpper(s), "IB")
	shift := 0
	if n := len(digits); n > 0 {
		if i := strings.IndexByte("KMG", digits[n-1]); i >= 0 {
			digits, shift = digits[:n-1], 10*(i+1)
		}
	}
	n, err := strconv.ParseUint(digits, 10, 64)
	if err != nil || n > math.MaxUint64>>shift || n<<shift < least || n<<shift > most {
		return 0, usageError{fmt.Errorf("%s=%s: expected a size from %d to %d bytes, such as 256M", flag, s, least, most)}
	}
	return n << shift, nil
}
