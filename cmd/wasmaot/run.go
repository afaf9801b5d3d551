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

	"github.com/spf13/cobra"
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

func (f *cacheFlags) register(cmd *cobra.Command) {
	cmd.Flags().BoolVar(&f.noCache, "no-cache", false, "compile again and keep nothing")
	cmd.Flags().StringVar(&f.cacheDir, "cachedir", "", "keep compiled code in `DIR` (default: wasmaot in the user's cache directory)")
}

// runtime gives a runtime with the cache that the flags ask for. Problems with the cache are warnings: the program runs.
func (f *cacheFlags) runtime(opts compiler.Options) *wasmaot.Runtime {
	config := wasmaot.Config{Compiler: opts, Warn: warn}
	switch {
	case f.noCache:
	case f.cacheDir != "":
		config.Cache = wasmaot.OpenCache(f.cacheDir)
	default:
		if dir, err := wasmaot.DefaultCacheDir(); err != nil {
			warn(err)
		} else {
			config.Cache = wasmaot.OpenCache(dir)
		}
	}
	return wasmaot.NewRuntime(&config)
}

func warn(err error) { fmt.Fprintf(os.Stderr, "wasmaot: warning: %v\n", err) }

func newRun() *cobra.Command {
	var f runFlags
	cmd := &cobra.Command{
		Use:   "run [flags] FILE|PACKAGE [args...]",
		Short: "Run a module, or build a Go package for wasip1 and run it",
		Long: `Run a WebAssembly module as a WASI command. FILE is a module or an artifact made
by "wasmaot compile". PACKAGE is a directory with a Go package or a .go file: it
is built with GOOS=wasip1 GOARCH=wasm go build first.

Flags come before FILE; everything after it is passed to the guest. The guest's
exit code becomes that of wasmaot; a trap prints a backtrace and exits with 134.`,
		Example: "  wasmaot run hello.wasm\n  wasmaot run --dir=. ./cmd/tool -v input.txt\n  wasmaot run --env=DEBUG=1 --timeout=10s main.wasm",
		Args:    argsBetween(1, -1, "FILE or PACKAGE"),
		RunE:    func(cmd *cobra.Command, args []string) error { return f.run(cmd.Context(), args) },
	}
	fl := cmd.Flags()
	fl.SetInterspersed(false)
	fl.StringArrayVar(&f.dirs, "dir", nil, "give the guest a directory: `HOST[::GUEST]`; repeatable")
	fl.StringArrayVar(&f.mounts, "mount", nil, "the same, spelled `HOST[:GUEST][:ro]`; ro is read-only")
	fl.StringArrayVar(&f.env, "env", nil, "set a variable of the guest's environment: `NAME=VALUE`, or NAME for the host's value")
	fl.BoolVar(&f.envInherit, "env-inherit", false, "give the guest the whole environment")
	fl.StringVar(&f.argv0, "argv0", "", "the guest's argument 0 (default: FILE's name)")
	fl.DurationVar(&f.timeout, "timeout", 0, "stop the guest after `DURATION` (10s, 1m30s) and exit with 124")
	fl.StringVar(&f.maxMemory, "max-memory", "", "bound the guest's linear memory: `SIZE` in bytes or with K, M, G (at most 4G)")
	fl.StringVar(&f.stackSize, "stack-size", "", "`SIZE` of the native stack (default 512M)")
	f.cacheFlags.register(cmd)
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
	defer m.Close()
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
