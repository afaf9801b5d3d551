package loader

import (
	"errors"
	"fmt"
	"runtime"
	"slices"
	"sort"
	"strings"
	"sync"
	"sync/atomic"

	"github.com/wasmaot/wasmaot/compiler/abi"
	"github.com/wasmaot/wasmaot/compiler/artifact"
	"github.com/wasmaot/wasmaot/internal/lazy"
)

// Code is an artifact in the code arena, ready for any number of instances. Safe for concurrent use.
type Code struct {
	art     *artifact.Artifact
	layout  abi.Layout
	types   []*funcType          // of the type section
	base    uint64               // address of Text, 0 without one
	order   lazy.Value[[]uint32] // functions by offset, once an address is asked for; nil if that is the order of their indices
	demand  *demand              // compiles functions when they are first called; nil if all are in Text
	exports map[string]int       // index in Module.Exports
	check   func() error         // the artifact's, once; nil if there is none

	mu     sync.Mutex
	closed bool
	uses   int                    // instances whose memory is not yet freed
	name   atomic.Pointer[string] // of the first instance, for backtraces
}

// Load puts an artifact's text into the code arena: it is mapped from the artifact's Source, or copied. The artifact must stay as
// it is until the code and all its instances are closed; then its Release is called. If Load fails it is not.
func Load(a *artifact.Artifact) (*Code, error) {
	if err := start(); err != nil {
		return nil, err
	}
	if err := checkArtifact(a); err != nil {
		return nil, err
	}
	c := &Code{art: a, layout: a.Layout(), types: make([]*funcType, len(a.Module.Types))}
	for i := range c.types {
		var err error
		if c.types[i], err = typeOf(&a.Module.Types[i]); err != nil {
			return nil, err
		}
	}
	if a.Check != nil {
		c.check = sync.OnceValue(a.Check)
	}
	c.exports = make(map[string]int, len(a.Module.Exports))
	for i := range a.Module.Exports {
		c.exports[a.Module.Exports[i].Name] = i
	}
	if a.Compile != nil {
		var err error
		if c.demand, err = newDemand(c); err != nil {
			return nil, err
		}
		return c, nil
	}
	if len(a.Text) == 0 {
		return c, nil
	}
	base, err := placeText(a)
	if err != nil {
		return nil, err
	}
	c.base = base
	addText(&text{code: c, base: base, size: uint64(len(a.Text)), only: -1, traps: a.Traps, calls: a.Calls}, base)
	return c, nil
}

// orderOf is the functions by offset, nil if they are in order already.
func orderOf(funcs []artifact.Func) []uint32 {
	byOffset := func(i, j artifact.Func) int { return int(i.Off) - int(j.Off) }
	if slices.IsSortedFunc(funcs, byOffset) {
		return nil
	}
	order := make([]uint32, len(funcs))
	for i := range order {
		order[i] = uint32(i)
	}
	slices.SortFunc(order, func(i, j uint32) int { return byOffset(funcs[i], funcs[j]) })
	return order
}

// checkArtifact refuses what this build or machine cannot run, and tables that lead nowhere.
func checkArtifact(a *artifact.Artifact) error {
	h, m := &a.Header, &a.Module
	switch {
	case h.ABI != abi.Version:
		return fmt.Errorf("artifact for ABI version %d: expected %d", h.ABI, abi.Version)
	case h.Target != runtime.GOARCH:
		return fmt.Errorf("artifact for %q: expected %q", h.Target, runtime.GOARCH)
	case h.Tier > artifact.TierExplicit:
		return fmt.Errorf("artifact with unknown memory tier %d", h.Tier)
	case m.Start >= int64(len(m.ImportedFuncTypes)+len(a.Funcs)):
		return fmt.Errorf("artifact's start function %d: expected less than %d", m.Start, len(m.ImportedFuncTypes)+len(a.Funcs))
	}
	for i, t := range m.ImportedFuncTypes {
		if int(t) >= len(m.Types) {
			return fmt.Errorf("artifact's imported function %d: type %d: expected less than %d", i, t, len(m.Types))
		}
	}
	for i := range a.Funcs {
		f := &a.Funcs[i]
		if int(f.Type) >= len(m.Types) || a.Compile == nil && f.Size == 0 || uint64(f.Off)+uint64(f.Size) > uint64(len(a.Text)) {
			return fmt.Errorf("artifact's function %d: type %d of %d, code [0x%x, +0x%x) of 0x%x bytes", i, f.Type, len(m.Types), f.Off, f.Size, len(a.Text))
		}
	}
	shape := m.Shape()
	spaces := [...]int{artifact.KindFunc: len(m.ImportedFuncTypes) + len(a.Funcs), artifact.KindTable: len(m.Tables),
		artifact.KindMemory: len(m.Mems), artifact.KindGlobal: len(m.Globals)}
	if shape.ImportedFuncs != len(m.ImportedFuncTypes) || shape.Tables < 0 || shape.Memories < 0 || shape.Globals < 0 {
		return errors.New("artifact: imports and declarations do not agree")
	}
	if p := int(m.Pinned) - 1; p >= 0 && (p < shape.ImportedGlobals || p >= len(m.Globals) || m.Globals[p].Type != abi.I32) {
		return fmt.Errorf("artifact's pinned global %d: expected one of its own of type i32", p)
	}
	for i := range m.Exports {
		if e := &m.Exports[i]; int(e.Kind) >= len(spaces) || int(e.Index) >= spaces[e.Kind] {
			return fmt.Errorf("artifact's export %q: no %s %d", e.Name, e.Kind, e.Index)
		}
	}
	if h.Tier == artifact.TierGuard {
		for i := range m.Mems {
			if m.Mems[i].Is64 {
				return fmt.Errorf("artifact's memory %d has 64-bit addresses: expected the tier with explicit checks", i)
			}
		}
	}
	return nil
}

// Artifact is what the code was loaded from.
func (c *Code) Artifact() *artifact.Artifact { return c.art }

// Close releases the code, at once or when the memory of its last instance is freed. It is idempotent.
func (c *Code) Close() error {
	c.mu.Lock()
	last := !c.closed && c.uses == 0
	c.closed = true
	c.mu.Unlock()
	if last {
		return c.release()
	}
	return nil
}

// use notes a new instance.
func (c *Code) use(name string) error {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.closed {
		return errors.New("code is closed")
	}
	c.uses++
	if c.name.Load() == nil { // under the lock
		first := name // escapes
		c.name.Store(&first)
	}
	return nil
}

// unuse notes that an instance's memory was freed.
func (c *Code) unuse() error {
	c.mu.Lock()
	c.uses--
	last := c.closed && c.uses == 0
	c.mu.Unlock()
	if last {
		return c.release()
	}
	return nil
}

// funcType is the type and name of defined function i. They are gone when the code is closed and no instance has memory: they may have been mapped from a file.
func (c *Code) funcType(i int) (t *funcType, name string, ok bool) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.closed && c.uses == 0 {
		return nil, "", false
	}
	return c.types[c.art.Funcs[i].Type], strings.Clone(c.art.FuncName(i)), true
}

func (c *Code) release() error {
	var err error
	dropTexts(c)
	if c.base != 0 {
		err = freeText(c.base)
	}
	if c.demand != nil {
		err = c.demand.close()
	}
	if c.art.Release != nil {
		err = errors.Join(err, c.art.Release())
	}
	return err
}

// funcOf is the index among the defined functions of the one whose body a wasm offset lies in, -1 if there is none.
func (c *Code) funcOf(pos uint32) int {
	return sort.Search(len(c.art.Funcs), func(i int) bool { return c.art.Funcs[i].WasmOff > pos }) - 1
}
