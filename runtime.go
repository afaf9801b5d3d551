package wasmaot

import (
	"context"
	"errors"
	"fmt"
	"os"
	"time"

	"github.com/wasmaot/wasmaot/compiler"
	"github.com/wasmaot/wasmaot/compiler/artifact"
	"github.com/wasmaot/wasmaot/compiler/cpu"
	"github.com/wasmaot/wasmaot/engine"
	"github.com/wasmaot/wasmaot/internal/cli"
	"github.com/wasmaot/wasmaot/loader"
)

// A Runtime compiles and loads modules. It is safe for concurrent use.
type Runtime struct {
	config Config
}

// Config configures a Runtime. The zero value compiles for the host with every optimisation and keeps nothing.
type Config struct {
	// Cache keeps compiled artifacts; nil compiles every time.
	Cache *Cache
	// Compiler's options shape the code. Poll is set where the process does not preempt by signals when the runtime is made.
	Compiler compiler.Options
	// Demand says when the functions of a module that the cache does not have are compiled. Code that is compiled on demand is the same but for its calls, which
	// take a few instructions more; it cannot be stored. Invalid modules are refused in any case before anything runs.
	Demand Demand
	// Warn receives problems that are no errors: a cache that cannot be written, say.
	Warn func(error)
}

// NewRuntime gives a runtime with the configuration, nil for the zero value.
func NewRuntime(c *Config) *Runtime {
	r := &Runtime{}
	if c != nil {
		r.config = *c
	}
	if r.config.Compiler.Target == "" && !loader.HostPreempts() {
		r.config.Compiler.Poll = true
	}
	if r.config.Warn == nil {
		r.config.Warn = func(error) {}
	}
	return r
}

// A Module is compiled code, ready for any number of instances; see package engine.
type Module = engine.Module

// Compile compiles a module, or takes it from the cache. Name is used in messages.
func (r *Runtime) Compile(ctx context.Context, name string, src []byte) (*Module, error) {
	options, err := r.config.Compiler.Key()
	if err != nil {
		return nil, fmt.Errorf("%s: %w", name, err)
	}
	return r.compile(ctx, name, &source{bytes: src, borrowed: true}, options, "")
}

// compile gives the module of a source, which may be in the file at path.
func (r *Runtime) compile(ctx context.Context, name string, src *source, options, path string) (*Module, error) {
	a, err := r.artifact(ctx, src, options)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", name, err)
	}
	again := func() ([]byte, error) { return src.bytes, nil }
	if path != "" && a.Source != nil && a.Compile == nil { // nothing else needs the source in memory
		again = func() ([]byte, error) { return os.ReadFile(path) }
	}
	return r.loadOffering(name, a, again)
}

// artifact gives the artifact of a module, that of the cache or a new one.
func (r *Runtime) artifact(ctx context.Context, src *source, options string) (*artifact.Artifact, error) {
	c, opts, warn := r.config.Cache, r.config.Compiler, r.config.Warn
	demand := r.config.Demand
	if c != nil {
		a, err := c.byContents(src.sum(), options)
		if a != nil {
			return a, nil
		}
		if err != nil {
			warn(fmt.Errorf("cache: %w; compiling again", err))
			demand = DemandNever // the entry is replaced
		}
	}
	onDemand, err := demand.compiles(c, src, options)
	if err != nil {
		warn(cacheError(err))
	}
	switch {
	case onDemand:
		src.own()
		src.sum()
		return compiler.NewOnDemand(ctx, src.bytes, src.hash, opts)
	case c == nil:
		return compileAhead(ctx, src, opts)
	}
	return c.compile(ctx, src, opts, options, warn)
}

// offerExplicit lets a module be compiled again where there is no room for guarded memories.
func (r *Runtime) offerExplicit(m *Module, again func() ([]byte, error)) {
	was := m.Code().Artifact().Header
	if was.Tier == artifact.TierExplicit {
		return
	}
	own := *r
	own.config.Compiler.Tier = artifact.TierExplicit
	m.WithExplicit(func() (*artifact.Artifact, error) {
		b, err := again()
		if err != nil {
			return nil, err
		}
		src := &source{bytes: b}
		if src.sum() != was.WasmHash {
			return nil, fmt.Errorf("%s: the module has changed since it was compiled", m.Name())
		}
		options, err := own.config.Compiler.Key()
		if err != nil {
			return nil, err
		}
		return own.artifact(context.Background(), src, options)
	})
}

// CompileFile compiles the module in a file, or takes it from the cache, without reading it if it has not
// changed. If the file is an artifact made by `wasmaot compile`, it is loaded.
func (r *Runtime) CompileFile(ctx context.Context, path string) (*Module, error) {
	options, err := r.config.Compiler.Key()
	if err != nil {
		return nil, fmt.Errorf("%s: %w", path, err)
	}
	c := r.config.Cache
	var id *identity
	now := time.Now()
	if c != nil {
		if id = identify(path); id != nil {
			if a := c.byIdentity(id, options); a != nil {
				return r.loadOffering(path, a, func() ([]byte, error) { return os.ReadFile(path) })
			}
		}
	}
	m, isModule, err := r.compileFile(ctx, path, options, id)
	if err == nil && isModule && id != nil && m.Code().Artifact().Compile == nil {
		// Only what was the same before and after reading is known to be what was read.
		if after := identify(path); after != nil && *after == *id {
			// Without the link the next run reads the file: nothing to warn of where the cache may only be read.
			_ = c.remember(id, now, m.Code().Artifact().Header.WasmHash, options)
		}
	}
	return m, err
}

// compileFile takes a module from the cache by its hash or compiles it, or loads an artifact. A module whose size, which id tells if it is known, was stored before is
// hashed without being read into memory first.
func (r *Runtime) compileFile(ctx context.Context, path, options string, id *identity) (m *Module, isModule bool, err error) {
	if c := r.config.Cache; id != nil && id.size > hashChunk && c.noted(sizeNote(id.size, options)) {
		if hash, ok := hashSource(path); ok {
			if a, _ := c.byContents(hash, options); a != nil { // what is wrong is told below
				m, err = r.loadOffering(path, a, func() ([]byte, error) { return os.ReadFile(path) })
				return m, true, err
			}
		}
	}
	src, isArtifact, err := readSource(path)
	switch {
	case err != nil:
		return nil, false, err
	case isArtifact:
		m, err = r.loadFile(path)
		return m, false, err
	}
	m, err = r.compile(ctx, path, src, options, path)
	return m, true, err
}

// loadOffering is load of an artifact whose module can be had again.
func (r *Runtime) loadOffering(name string, a *artifact.Artifact, again func() ([]byte, error)) (*Module, error) {
	m, err := r.load(name, a)
	if err == nil {
		r.offerExplicit(m, again)
	}
	return m, err
}

// loadFile loads an artifact.
func (r *Runtime) loadFile(path string) (*Module, error) {
	a, _, err := r.config.Cache.open(path)
	if err != nil {
		return nil, err
	}
	if err := usable(a); err != nil {
		return nil, errors.Join(fmt.Errorf("%s: %w", path, err), release(a))
	}
	return r.load(path, a)
}

// usable refuses artifacts that this build or machine must not run.
func usable(a *artifact.Artifact) error {
	if a.Header.Build != compiler.Build() {
		return fmt.Errorf("%w: compiled by build %s, this is %s: compile it again", artifact.ErrOther, a.Header.Build, compiler.Build())
	}
	if err := cpu.Check(a.Header.Target, a.Header.Features); err != nil {
		return fmt.Errorf("%w: %w", artifact.ErrOther, err)
	}
	return nil
}

func (r *Runtime) load(name string, a *artifact.Artifact) (*Module, error) {
	m, err := engine.FromArtifact(name, a)
	if err != nil {
		return nil, errors.Join(err, release(a))
	}
	return m, nil
}

// Precompile compiles a module to an artifact, the contents of a file that engine.Load, CompileFile and the command line take.
// Name is used in messages.
func Precompile(ctx context.Context, name string, src []byte, opts compiler.Options) ([]byte, error) {
	a, err := compiler.Compile(ctx, src, opts)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", name, err)
	}
	data, err := a.Encode()
	if err != nil {
		return nil, fmt.Errorf("%s: %w", name, err)
	}
	return data, nil
}

// CompileTo compiles the module in the file src to an artifact in the file dst, which appears whole or not at all.
func CompileTo(ctx context.Context, src, dst string, opts compiler.Options) error {
	wasm, isArtifact, err := readSource(src)
	switch {
	case err != nil:
		return err
	case isArtifact:
		return fmt.Errorf("%s: expected a WebAssembly module, found an artifact of wasmaot", src)
	}
	code, err := compiler.CompileCode(ctx, wasm.bytes, wasm.hash, opts)
	if err != nil {
		return fmt.Errorf("%s: %w", src, err)
	}
	return cli.WriteFileFrom(dst, code, 0o644)
}
