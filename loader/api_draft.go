package loader

import (
	"context"
	"errors"

	"github.com/wasmaot/wasmaot/compiler/abi"
	"github.com/wasmaot/wasmaot/compiler/artifact"
)

var errDraft = errors.New("loader: under construction")

// Code is an artifact in the code arena, ready for any number of instances. Safe for concurrent use.
type Code struct{ art *artifact.Artifact }

// Load places an artifact's text in the code arena.
func Load(a *artifact.Artifact) (*Code, error) { return nil, errDraft }

// Artifact is what the code was loaded from.
func (c *Code) Artifact() *artifact.Artifact { return c.art }

// Close releases the code once its last instance is closed.
func (c *Code) Close() error { return nil }

// HostFunc implements a host function. stack holds the parameters in slots (see abi.Signature) and
// takes the results from slot 0 on.
type HostFunc func(ctx context.Context, caller *Instance, stack []uint64) error

// Func is a function of an instance or of the host.
type Func struct{ sig *abi.Signature }

// NewHostFunc makes a function of the host.
func NewHostFunc(name string, sig *abi.Signature, fn HostFunc) *Func { return &Func{sig} }

// Signature is the function's type.
func (f *Func) Signature() *abi.Signature { return f.sig }

// Call calls the function.
func (f *Func) Call(ctx context.Context, stack []uint64) error { return errDraft }

// Ref is the function as a funcref value in a slot.
func (f *Func) Ref() uint64 { return 0 }

// FuncOf is the function that a funcref value stands for, nil for null.
func FuncOf(ref uint64) *Func { return nil }

// Config says how an instance is made.
type Config struct {
	Name           string                                   // of the instance, for messages
	Resolve        func(module, name string) (Extern, bool) // finds imports
	MaxMemoryPages uint64                                   // bound of each memory in pages of 64 KiB; 0 = 65536
	StackSize      uint64                                   // of native stacks in bytes; 0 = DefaultStackSize
	TableMax       uint64                                   // bound of each table in elements; 0 = 10,000,000
}

// Instantiate links, applies segments and runs the start function.
func (c *Code) Instantiate(ctx context.Context, cfg *Config) (*Instance, error) {
	return nil, errDraft
}

// Instance is an instance of a module.
type Instance struct{ data any }

// Export is the export of a name, nil if there is none.
func (i *Instance) Export(name string) Extern { return nil }

// Func is the exported function of a name, nil if there is none.
func (i *Instance) Func(name string) *Func { return nil }

// Memory is memory 0, nil without one.
func (i *Instance) Memory() *Memory { return nil }

// Name is Config.Name.
func (i *Instance) Name() string { return "" }

// Close ends the instance's use. It is idempotent.
func (i *Instance) Close() error { return nil }

// Data is what SetData stored.
func (i *Instance) Data() any { return i.data }

// SetData keeps a value of the host with the instance.
func (i *Instance) SetData(v any) { i.data = v }

// Memory is a linear memory.
type Memory struct{ typ artifact.Memory }

// NewMemory makes a memory of the host.
func NewMemory(t artifact.Memory) (*Memory, error) { return nil, errDraft }

// Type is the memory's type.
func (m *Memory) Type() artifact.Memory { return m.typ }

// Bytes is the memory's current contents, valid until it grows or its instance is closed.
func (m *Memory) Bytes() []byte { return nil }

// Pages is the current size in pages of 64 KiB.
func (m *Memory) Pages() uint64 { return 0 }

// Grow adds delta pages and gives the old size, or reports that it cannot.
func (m *Memory) Grow(delta uint64) (old uint64, ok bool) { return 0, false }

// Table is a table of references.
type Table struct{ typ artifact.Table }

// NewTable makes a table of the host.
func NewTable(t artifact.Table) (*Table, error) { return nil, errDraft }

// Type is the table's type.
func (t *Table) Type() artifact.Table { return t.typ }

// Len is the current number of elements.
func (t *Table) Len() uint64 { return 0 }

// Get is element i; ok is false outside the table.
func (t *Table) Get(i uint64) (ref uint64, ok bool) { return 0, false }

// Set stores a reference in element i; it reports false outside the table.
func (t *Table) Set(i, ref uint64) bool { return false }

// Grow adds delta elements of value ref and gives the old length, or reports that it cannot.
func (t *Table) Grow(delta, ref uint64) (old uint64, ok bool) { return 0, false }

// Global is a global variable.
type Global struct{ typ artifact.Global }

// NewGlobal makes a global of the host; hi is the upper half of vectors.
func NewGlobal(t artifact.Global, lo, hi uint64) *Global { return &Global{t} }

// Type is the global's type and mutability.
func (g *Global) Type() artifact.Global { return g.typ }

// Get is the current value.
func (g *Global) Get() (lo, hi uint64) { return 0, 0 }

// Set changes the value.
func (g *Global) Set(lo, hi uint64) {}

func backtrace([]Frame, bool) string { return "" }
