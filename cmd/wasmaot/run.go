package main

import (
	"context"
	"fmt"
	"os"

	"github.com/wasmaot/wasmaot"
	"github.com/wasmaot/wasmaot/internal/cli"
)

// runFlags are the flags of run.
type runFlags struct {
	cli.RunFlags
	cacheFlags
	demand wasmaot.Demand
}

// cacheSizeVar is the environment variable that bounds the cache.
const cacheSizeVar = "WASMAOT_CACHE_SIZE"

// cacheFlags choose the cache.
type cacheFlags struct {
	noCache   bool
	cacheDir  string
	cacheSize uint64
}

func (f *cacheFlags) register(fl *cli.FlagSet) {
	fl.Bool(&f.noCache, "no-cache", "compile again and keep nothing")
	fl.Size(&f.cacheSize, "cache-size", "bound the cache to `SIZE` in bytes or with K, M, G (default: "+cacheSizeVar+" or 2G)", 1, 1<<50)
	fl.String(&f.cacheDir, "cachedir", "", "keep compiled code in `DIR` (default: wasmaot in the user's cache directory)")
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
	c := wasmaot.OpenCache(dir)
	limit, err := f.cacheSize, error(nil)
	if limit == 0 {
		limit, err = cli.ParseSize(cacheSizeVar, os.Getenv(cacheSizeVar), 1, 1<<50)
	}
	c.MaxSize = int64(limit)
	return c, err
}

// runtime gives a runtime with the cache that the flags ask for. Problems with the cache are warnings: the program runs.
func (f *runFlags) runtime() *wasmaot.Runtime {
	config := wasmaot.Config{Demand: f.demand, Warn: warn}
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
	f := runFlags{demand: wasmaot.DemandAuto}
	cmd := &command{
		use: "run [flags] FILE|PACKAGE [args...]",
		long: `Run a WebAssembly module as a WASI command. FILE is a module or an artifact made
by "wasmaot compile". PACKAGE is a directory with a Go package or a .go file: it
is built with GOOS=wasip1 GOARCH=wasm go build first.

Flags come before FILE; everything after it is passed to the guest. The guest's
exit code becomes that of wasmaot; a trap prints a backtrace and exits with 134.

Compiled code is kept in a cache. A module of 256 KB or more that was never run
before, or is run without a cache, is compiled on demand: each function when it
is first called. Run again, it is compiled whole and kept (--on-demand).`,
		example: "  wasmaot run hello.wasm\n  wasmaot run --dir=. ./cmd/tool -v input.txt\n  wasmaot run --env=DEBUG=1 --timeout=10s main.wasm",
		min:     1, max: -1, what: "FILE or PACKAGE",
		run: f.run,
	}
	f.Register(&cmd.flags)
	f.cacheFlags.register(&cmd.flags)
	cli.Choice(&cmd.flags, &f.demand, "on-demand", "compile functions when they are first called, and keep nothing: `WHEN` is never, always or auto (default)", "never", "always", "auto")
	return cmd
}

func (f *runFlags) run(ctx context.Context, args []string) error {
	config, err := f.Config(args)
	if err != nil {
		return err
	}
	path, cleanup, err := buildIfPackage(ctx, args[0])
	if err != nil {
		return err
	}
	defer cleanup()
	m, err := f.runtime().CompileFile(ctx, path)
	if err != nil {
		return err
	}
	// The module is not closed: the process ends with the guest, and unmapping takes longer while it lives.
	cleanup() // a long-running guest needs no file any more
	return f.Start(ctx, m.Code(), args[0], config)
}
