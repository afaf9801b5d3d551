package wasmaot

import (
	"bytes"
	"cmp"
	"context"
	"errors"
	"fmt"
	"github.com/wasmaot/wasmaot/internal/sha256"
	"io"
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
	return r.compile(ctx, name, src, options)
}

func (r *Runtime) compile(ctx context.Context, name string, src []byte, options string) (*Module, error) {
	a, err := r.artifact(ctx, src, options)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", name, err)
	}
	m, err := r.load(name, a)
	if err == nil {
		r.offerExplicit(m, func() ([]byte, error) { return src, nil })
	}
	return m, err
}

// offerExplicit lets a module be compiled again where there is no room for guarded memories.
func (r *Runtime) offerExplicit(m *Module, source func() ([]byte, error)) {
	was := m.Code().Artifact().Header
	if was.Tier == artifact.TierExplicit {
		return
	}
	own := *r
	own.config.Compiler.Tier = artifact.TierExplicit
	m.WithExplicit(func() (*artifact.Artifact, error) {
		src, err := source()
		if err != nil {
			return nil, err
		}
		if sha256.Sum256(src) != was.WasmHash {
			return nil, fmt.Errorf("%s: the module has changed since it was compiled", m.Name())
		}
		options, err := own.config.Compiler.Key()
		if err != nil {
			return nil, err
		}
		return own.artifact(context.Background(), src, options)
	})
}

func (r *Runtime) artifact(ctx context.Context, src []byte, options string) (*artifact.Artifact, error) {
	if c := r.config.Cache; c != nil {
		return c.compile(ctx, src, r.config.Compiler, options, r.config.Warn)
	}
	return compiler.Compile(ctx, src, r.config.Compiler)
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
				return r.loadOffering(path, a)
			}
		}
	}
	m, isModule, err := r.compileFile(ctx, path, options, id != nil)
	if err == nil && isModule && id != nil {
		// Only what was the same before and after reading is known to be what was read.
		if after := identify(path); after != nil && *after == *id {
			// Without the link the next run reads the file: nothing to warn of where the cache may only be read.
			_ = c.remember(id, now, m.Code().Artifact().Header.WasmHash, options)
		}
	}
	return m, err
}

// compileFile takes a module from the cache by its hash or compiles it, or loads an artifact. What can be read twice and is in the cache is not read into memory.
func (r *Runtime) compileFile(ctx context.Context, path, options string, twice bool) (m *Module, isModule bool, err error) {
	if twice {
		hash, isArtifact, err := hashModule(path)
		if err == nil && !isArtifact {
			if a, _ := r.config.Cache.byContents(hash, options); a != nil { // what is wrong is told below
				m, err = r.loadOffering(path, a)
				return m, true, err
			}
		}
	}
	src, isArtifact, err := readModule(path)
	switch {
	case err != nil:
		return nil, false, err
	case isArtifact:
		m, err = r.loadFile(path)
		return m, false, err
	}
	m, err = r.compile(ctx, path, src, options)
	return m, true, err
}

// loadOffering is load of an artifact made from the module in the file at path.
func (r *Runtime) loadOffering(path string, a *artifact.Artifact) (*Module, error) {
	m, err := r.load(path, a)
	if err == nil {
		r.offerExplicit(m, func() ([]byte, error) { return os.ReadFile(path) })
	}
	return m, err
}

// hashChunk is read at a time: a warm start has no need of the module in memory.
const hashChunk = 64 << 10

// hashModule hashes a file, unless it is an artifact.
func hashModule(path string) (hash [sha256.Size]byte, isArtifact bool, err error) {
	f, err := os.Open(path)
	if err != nil {
		return hash, false, err
	}
	defer f.Close()
	b := make([]byte, hashChunk)
	var h sha256.Hash
	n, err := io.ReadFull(f, b[:artifact.MagicSize])
	if isArtifact = artifact.IsArtifact(b[:n]); isArtifact {
		return hash, true, nil
	}
	for err == nil {
		h.Write(b[:n])
		n, err = f.Read(b)
	}
	if !errors.Is(err, io.EOF) {
		return hash, false, err
	}
	return h.Sum(), false, nil
}

// readModule reads a file, only its beginning if it is an artifact.
func readModule(path string) (src []byte, isArtifact bool, err error) {
	f, err := os.Open(path)
	if err != nil {
		return nil, false, err
	}
	defer f.Close()
	head := make([]byte, artifact.MagicSize)
	n, err := io.ReadFull(f, head)
	if err != nil && !errors.Is(err, io.EOF) && !errors.Is(err, io.ErrUnexpectedEOF) {
		return nil, false, err
	}
	if artifact.IsArtifact(head[:n]) {
		return nil, true, nil
	}
	var b bytes.Buffer
	if info, err := f.Stat(); err == nil && info.Size() < 1<<30 {
		b.Grow(int(info.Size()) + bytes.MinRead)
	}
	b.Write(head[:n])
	_, err = b.ReadFrom(f)
	return b.Bytes(), false, err
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

// readWhole is os.ReadFile by two threads if the file is large: most of the time goes into pages of new memory.
func readWhole(path string) ([]byte, error) {
	const large = 1 << 20
	f, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	info, err := f.Stat()
	if err != nil || !info.Mode().IsRegular() || info.Size() < large || int64(int(info.Size())) != info.Size() {
		return os.ReadFile(path)
	}
	b := make([]byte, info.Size())
	half := info.Size() / 2
	rest := make(chan error, 1)
	go func() {
		_, err := f.ReadAt(b[half:], half)
		rest <- err
	}()
	_, err = f.ReadAt(b[:half], 0)
	if err = cmp.Or(err, <-rest); err != nil {
		return os.ReadFile(path) // it became shorter, or this tells what is wrong
	}
	return b, nil
}

// CompileTo compiles the module in the file src to an artifact in the file dst, which appears whole or not at all.
func CompileTo(ctx context.Context, src, dst string, opts compiler.Options) error {
	wasm, err := readWhole(src)
	if err != nil {
		return err
	}
	code, err := compiler.CompileCode(ctx, wasm, nil, opts)
	if err != nil {
		return fmt.Errorf("%s: %w", src, err)
	}
	return cli.WriteFileFrom(dst, code, 0o644)
}
