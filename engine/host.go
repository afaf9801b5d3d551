package engine

import (
	"context"
	"fmt"

	"github.com/wasmaot/wasmaot/loader"
)

// Caller is a call of a host function by a guest.
type Caller struct {
	// Context is that of the call into the guest.
	Context context.Context
	// Instance is the one that imports the function, nil if no instance does.
	Instance *Instance
}

// Memory is the calling instance's memory 0, nil if there is none.
func (c Caller) Memory() *Memory {
	if c.Instance == nil {
		return nil
	}
	return c.Instance.Memory()
}

// HostFunc makes a host function that works on the stack of values: it finds its parameters there from slot 0 on, 32-bit ones zero-extended, and leaves
// its results from slot 0 on. An error ends the guest's call, which returns it. name is for messages.
func HostFunc(name string, t FuncType, fn func(ctx context.Context, caller *Instance, stack []uint64) error) *Func {
	return loader.NewHostFunc(name, &t, fn)
}

// HostModule is what a host offers to modules under a module name. It is built first and then used, from any number of goroutines.
type HostModule struct {
	name    string
	externs map[string]Extern
}

// NewHostModule makes an empty host module.
func NewHostModule(name string) *HostModule {
	return &HostModule{name: name, externs: map[string]Extern{}}
}

// Name is the module name that imports use.
func (h *HostModule) Name() string { return h.name }

// Add offers something under a name, in place of what was there.
func (h *HostModule) Add(name string, x Extern) *HostModule {
	h.externs[name] = x
	return h
}

// Export is what Add added under a name, nil if there is nothing.
func (h *HostModule) Export(name string) Extern { return h.externs[name] }

// Resolve finds what is imported from the host module.
func (h *HostModule) Resolve(module, name string) (Extern, bool) {
	if module != h.name {
		return nil, false
	}
	x, ok := h.externs[name]
	return x, ok
}

// exportedFunc is an exported function of a type.
func exportedFunc(i *Instance, name string, want FuncType) (*Func, error) {
	f := i.Func(name)
	if f == nil {
		return nil, fmt.Errorf("%s: expected an exported function %q, found none", i.Name(), name)
	}
	if t := f.Signature(); !equalTypes(t.Params, want.Params) || !equalTypes(t.Results, want.Results) {
		return nil, fmt.Errorf("%s: function %q: expected %s, found %s", i.Name(), name, typeString(&want), typeString(t))
	}
	return f, nil
}

func equalTypes(a, b []ValueType) bool {
	if len(a) != len(b) {
		return false
	}
	for i := range a {
		if a[i] != b[i] {
			return false
		}
	}
	return true
}

func typeString(t *FuncType) string { return fmt.Sprintf("%v -> %v", t.Params, t.Results) }
