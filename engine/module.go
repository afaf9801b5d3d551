package engine

import (
	"context"
	"errors"
	"fmt"
	"sync"

	"github.com/wasmaot/wasmaot/compiler/artifact"
	"github.com/wasmaot/wasmaot/compiler/cpu"
	"github.com/wasmaot/wasmaot/loader"
	"github.com/wasmaot/wasmaot/loader/vmem"
)

// Module is compiled code, ready for any number of instances. It is safe for concurrent use.
type Module struct {
	code *loader.Code
	name string

	// See WithExplicit.
	mu       sync.Mutex
	compile  func() (*artifact.Artifact, error)
	explicit *loader.Code
	closed   bool
}

// Load takes an artifact that is in memory, from go:embed say. The bytes must stay as they are until the module and its instances are
// closed. Name is used in messages.
//
// An artifact is trusted code: load only what you made. It is refused if it was damaged, made by a version with another format or
// convention, or for a processor with features that this one lacks.
func Load(name string, file []byte) (*Module, error) {
	a, err := artifact.Decode(file)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", name, err)
	}
	if err := cpu.Check(a.Header.Target, a.Header.Features); err != nil {
		return nil, fmt.Errorf("%s: %w: %w", name, artifact.ErrOther, err)
	}
	return FromArtifact(name, a)
}

// mappedImage is the size from which an image in memory is put into a file, to be mapped by instances. Below it copying is faster.
const mappedImage = 256 << 10

// FromArtifact makes a module of an artifact that the caller trusts. If it fails the artifact's Release is not called.
func FromArtifact(name string, a *artifact.Artifact) (*Module, error) {
	if a.Source == nil && len(a.Image) >= mappedImage {
		mapImage(a)
	}
	code, err := loader.Load(a)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", name, err)
	}
	return FromCode(name, code), nil
}

// FromCode makes a module of loaded code.
func FromCode(name string, code *loader.Code) *Module { return &Module{code: code, name: name} }

// mapImage gives the artifact a Source for its image. Where no file in memory can be had instances copy the image.
func mapImage(a *artifact.Artifact) {
	fd, err := vmem.MemoryFile(a.Image)
	if err != nil {
		return
	}
	release := a.Release
	a.Source = &artifact.Source{FD: fd, Text: -1}
	a.Release = func() error {
		err := vmem.CloseFile(fd)
		if release != nil {
			err = errors.Join(err, release())
		}
		return err
	}
}

// WithExplicit says how to compile the module for the tier with explicit checks. That is done once, when a guarded memory of 8 GiB of addresses cannot be had: where the
// process has a limit (RLIMIT_AS), or 14,000 of them are there. wasmaot.Runtime sets it; an artifact alone has one tier.
func (m *Module) WithExplicit(compile func() (*artifact.Artifact, error)) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.compile = compile
}

// explicitCode is the module's code for the tier with explicit checks.
func (m *Module) explicitCode() (*loader.Code, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.explicit != nil || m.closed {
		return m.explicit, nil
	}
	a, err := m.compile()
	if err != nil {
		return nil, err
	}
	code, err := loader.Load(a)
	if err != nil && a.Release != nil {
		err = errors.Join(err, a.Release())
	}
	m.explicit = code
	return code, err
}

// Close gives the module's code back when its last instance is closed.
func (m *Module) Close() error {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.closed = true
	err := m.code.Close()
	if m.explicit != nil {
		err = errors.Join(err, m.explicit.Close())
	}
	return err
}

// Name is what the module is called in messages.
func (m *Module) Name() string { return m.name }

// Code is the loaded code, for those who want more than this package offers.
func (m *Module) Code() *loader.Code { return m.code }

// Import is an import that the module declares.
type Import struct {
	Module, Name string
	Kind         artifact.Kind
	Func         *FuncType // of functions
}

// Imports are the module's imports in the order of their declarations.
func (m *Module) Imports() []Import {
	mod := &m.code.Artifact().Module
	list := make([]Import, len(mod.Imports))
	for i, im := range mod.Imports {
		list[i] = Import{Module: string([]byte(im.Module)), Name: string([]byte(im.Name)), Kind: im.Kind}
		if im.Kind == artifact.KindFunc {
			list[i].Func = copyType(&mod.Types[mod.ImportedFuncTypes[im.Index]])
		}
	}
	return list
}

// Export is an export that the module declares.
type Export struct {
	Name string
	Kind artifact.Kind
	Func *FuncType // of functions
}

// Exports are the module's exports in the order of their declarations.
func (m *Module) Exports() []Export {
	a := m.code.Artifact()
	mod := &a.Module
	list := make([]Export, len(mod.Exports))
	for i, e := range mod.Exports {
		list[i] = Export{Name: string([]byte(e.Name)), Kind: e.Kind}
		if e.Kind != artifact.KindFunc {
			continue
		}
		if n := len(mod.ImportedFuncTypes); int(e.Index) < n {
			list[i].Func = copyType(&mod.Types[mod.ImportedFuncTypes[e.Index]])
		} else {
			list[i].Func = copyType(&mod.Types[a.Funcs[int(e.Index)-n].Type])
		}
	}
	return list
}

// copyType copies a type out of the artifact, which may lie in a file that is unmapped with the module.
func copyType(t *FuncType) *FuncType {
	return &FuncType{Params: append([]ValueType(nil), t.Params...), Results: append([]ValueType(nil), t.Results...)}
}

// InstanceConfig says what an instance is given. The zero value gives it no imports and no limits of its own.
type InstanceConfig struct {
	// Name of the instance in messages and backtraces; empty means the module's.
	Name string
	// WASI gives the instance a WASI host of its own, nil none.
	WASI *WASI
	// Imports are asked in order for each import that WASI does not have: host modules and instances, for example.
	Imports []Importer
	// MaxMemory bounds each linear memory in bytes; 0 means what the module declares, at most 4 GiB.
	MaxMemory uint64
	// MaxTable bounds each table in elements; 0 means 10,000,000.
	MaxTable uint64
	// StackSize is the size of the native stack in bytes; 0 means 512 MiB, of which only what is used takes memory.
	StackSize uint64
	// Listener, if set, is told of calls of the instance's functions and of those that it makes of host functions.
	Listener *Listener
	// Allocate, if set, gives the bytes of the instance's own memories: at least min of them, zero, at most max, that stay where they are until
	// release is called. Accesses are checked explicitly then: wasmaot.Runtime compiles the module for that, an artifact must have been.
	Allocate func(min, max uint64) (bytes []byte, release func(), err error)
	// OnClose is called once, when the instance is closed and its last call has ended.
	OnClose func()
}

// Importer finds what a module imports. It is a *HostModule, or Exports of an instance.
type Importer interface {
	Resolve(module, name string) (Extern, bool)
}

// ResolveFunc is a function as an Importer.
type ResolveFunc func(module, name string) (Extern, bool)

// Resolve calls the function.
func (f ResolveFunc) Resolve(module, name string) (Extern, bool) { return f(module, name) }

// Exports makes an instance's exports importable under a module name.
func Exports(name string, i *Instance) Importer {
	return ResolveFunc(func(module, field string) (Extern, bool) {
		if module != name {
			return nil, false
		}
		x := i.Export(field)
		return x, x != nil
	})
}

// Instantiate makes an instance: it finds the imports, applies the segments and runs the start function. c may be nil. WASI's _start and
// _initialize are not called: see Run and Initialize.
func (m *Module) Instantiate(ctx context.Context, c *InstanceConfig) (*Instance, error) {
	if c == nil {
		c = &InstanceConfig{}
	}
	i, err := m.instantiate(ctx, m.code, c)
	if err == nil || m.compile == nil || !errors.Is(err, loader.ErrAddressSpace) {
		return i, err
	}
	code, failed := m.explicitCode()
	if code == nil {
		return nil, errors.Join(err, failed)
	}
	return m.instantiate(ctx, code, c)
}

func (m *Module) instantiate(ctx context.Context, code *loader.Code, c *InstanceConfig) (*Instance, error) {
	cfg := &loader.Config{Name: c.Name, MaxMemoryPages: c.MaxMemory / pageSize, TableMax: c.MaxTable, StackSize: c.StackSize,
		Listener: c.Listener, Allocate: c.Allocate, OnClose: c.OnClose}
	if c.MaxMemory > 0 && cfg.MaxMemoryPages == 0 {
		return nil, fmt.Errorf("%s: InstanceConfig.MaxMemory %d: expected at least a page of %d bytes", m.name, c.MaxMemory, pageSize)
	}
	if cfg.Name == "" {
		cfg.Name = m.name
	}
	var host *wasiHost
	if c.WASI != nil {
		var err error
		if host, err = c.WASI.open(); err != nil {
			return nil, fmt.Errorf("%s: %w", m.name, err)
		}
		cfg.OnClose = func() {
			host.close()
			if c.OnClose != nil {
				c.OnClose()
			}
		}
	}
	if host != nil {
		cfg.ResolveFunc, cfg.OnReset = host.system.ResolveFunc, host.system.Reset
	}
	cfg.Resolve = func(module, name string) (Extern, bool) {
		if host != nil {
			if x, ok := host.system.Resolve(module, name); ok {
				return x, true
			}
		}
		for _, im := range c.Imports {
			if x, ok := im.Resolve(module, name); ok {
				return x, true
			}
		}
		return nil, false
	}
	i, err := code.Instantiate(ctx, cfg)
	if err != nil {
		if host != nil {
			host.close() // idempotent
		}
		return nil, fmt.Errorf("%s: %w", m.name, err)
	}
	return i, nil
}

const pageSize = 65536

// Initialize calls the function that WASI reactors (Go's -buildmode=c-shared) export to be called before any other. Modules without
// one need none.
func Initialize(ctx context.Context, i *Instance) error {
	if f := i.Func("_initialize"); f != nil {
		return f.Call(ctx, nil)
	}
	return nil
}

// Run runs a WASI command: it instantiates the module, calls _start, closes the instance and gives the exit code. c may be nil; without
// InstanceConfig.WASI the guest is given the zero value.
func (m *Module) Run(ctx context.Context, c *InstanceConfig) (exitCode uint32, err error) {
	i, exitCode, err := m.run(ctx, c)
	if i != nil {
		i.Close()
	}
	return exitCode, err
}

// RunToExit is Run for a process that ends when the guest does: the instance is not closed. Unmapping its memory costs more before the
// process's end than with it. What WASI.Output and ErrOutput are given may not be complete.
func (m *Module) RunToExit(ctx context.Context, c *InstanceConfig) (exitCode uint32, err error) {
	_, exitCode, err = m.run(ctx, c)
	return exitCode, err
}

// run is Run without the end of the instance, which is nil if there was none.
func (m *Module) run(ctx context.Context, c *InstanceConfig) (i *Instance, exitCode uint32, err error) {
	if !m.exports("_start") {
		return nil, 0, fmt.Errorf("%s: not a WASI command: expected an exported function \"_start\", found %s", m.name, m.exportNames())
	}
	own := InstanceConfig{}
	if c != nil {
		own = *c
	}
	if own.WASI == nil {
		own.WASI = &WASI{}
	}
	if i, err = m.Instantiate(ctx, &own); err == nil {
		start := i.Func("_start")
		if sig := start.Signature(); len(sig.Params)+len(sig.Results) != 0 {
			return i, 0, fmt.Errorf("%s: not a WASI command: expected \"_start\" to have no parameters and results, found %d and %d", m.name, len(sig.Params), len(sig.Results))
		}
		if err = start.Call(ctx, nil); err == nil {
			return i, 0, nil
		}
	}
	var exit *Exit
	if errors.As(err, &exit) {
		return i, exit.Code, nil
	}
	if i != nil {
		err = fmt.Errorf("%s: %w", m.name, err)
	}
	return i, 0, err
}

func (m *Module) exports(name string) bool {
	for _, e := range m.code.Artifact().Module.Exports {
		if e.Name == name && e.Kind == artifact.KindFunc {
			return true
		}
	}
	return false
}

func (m *Module) exportNames() string {
	exports := m.code.Artifact().Module.Exports
	if len(exports) == 0 {
		return "no exports"
	}
	s := ""
	for i, e := range exports {
		if i == 8 {
			return fmt.Sprintf("%s and %d more", s, len(exports)-i)
		}
		if i > 0 {
			s += ", "
		}
		s += fmt.Sprintf("%s %q", e.Kind, e.Name)
	}
	return s
}
