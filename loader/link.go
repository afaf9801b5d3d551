package loader

import (
	"fmt"

	"github.com/wasmaot/wasmaot/compiler/abi"
	"github.com/wasmaot/wasmaot/compiler/artifact"
)

// The reasons of link errors, in the words of the official test suite.
const (
	unknownImport = "unknown import"
	wrongType     = "incompatible import type"
)

// imports is what an instance's imports resolve to, by kind.
type imports struct {
	funcs   []*Func
	tables  []*table
	mems    []*Memory
	globals []*global
}

// resolve finds the imports and compares their types with the declared ones.
func (c *Code) resolve(cfg *Config) (imports, error) {
	m := &c.art.Module
	r := imports{funcs: make([]*Func, 0, len(m.ImportedFuncTypes))}
	for k := range m.Imports {
		im := &m.Imports[k]
		declared, err := c.declared(im)
		if err != nil {
			return r, err
		}
		var found Extern
		ok := false
		if cfg.ResolveFunc != nil && declared.fn != nil {
			found, ok = cfg.ResolveFunc(im.Module, im.Name, &declared.fn.sig)
		}
		if cfg.Resolve != nil && !ok {
			found, ok = cfg.Resolve(im.Module, im.Name)
		}
		if !ok || found == nil {
			return r, &LinkError{Module: im.Module, Name: im.Name, Kind: im.Kind, Reason: unknownImport, Expected: declared.String()}
		}
		if f, isFunc := found.(*Func); isFunc && f.err != nil {
			return r, fmt.Errorf("import %q %q: %w", im.Module, im.Name, f.err)
		}
		if actual := typeOfExtern(found); !actual.matches(&declared) {
			return r, &LinkError{im.Module, im.Name, im.Kind, wrongType, declared.String(), actual.String()}
		}
		switch x := found.(type) {
		case *Func:
			r.funcs = append(r.funcs, x)
		case *Table:
			r.tables = append(r.tables, x.table)
		case *Global:
			r.globals = append(r.globals, x.global)
		case *Memory:
			if c.art.Header.Tier == artifact.TierGuard && !x.guarded {
				return r, fmt.Errorf("import %q %q: the module's code relies on a guard region, which this memory lacks", im.Module, im.Name)
			}
			r.mems = append(r.mems, x)
		}
	}
	return r, nil
}

// externType is the type of an import or export. Only what kind says is set; Min is the current size for what was found.
type externType struct {
	kind   artifact.Kind
	fn     *funcType
	table  artifact.Table
	mem    artifact.Memory
	global artifact.Global
}

// declared is the type that the module expects.
func (c *Code) declared(im *artifact.Import) (externType, error) {
	m := &c.art.Module
	t := externType{kind: im.Kind}
	i := int(im.Index)
	ok := false
	switch im.Kind {
	case artifact.KindFunc:
		if ok = i < len(m.ImportedFuncTypes); ok {
			t.fn = c.types[m.ImportedFuncTypes[i]]
		}
	case artifact.KindTable:
		if ok = i < len(m.Tables); ok {
			t.table = m.Tables[i]
		}
	case artifact.KindMemory:
		if ok = i < len(m.Mems); ok {
			t.mem = m.Mems[i]
		}
	case artifact.KindGlobal:
		if ok = i < len(m.Globals); ok {
			t.global = m.Globals[i]
		}
	}
	if !ok {
		return t, fmt.Errorf("import %q %q: no %s %d is declared", im.Module, im.Name, im.Kind, i)
	}
	return t, nil
}

func typeOfExtern(x Extern) externType {
	t := externType{kind: x.Kind()}
	switch x := x.(type) {
	case *Func:
		t.fn = x.typ
	case *Table:
		t.table = x.typ
		t.table.Min = x.Len()
	case *Memory:
		t.mem = x.typ
		t.mem.Min = x.Pages()
	case *Global:
		t.global = x.typ
	}
	return t
}

// matches reports whether something of type t may be imported where want is declared (core specification, 4.5.3
// external typing, 3.4 import matching).
func (t *externType) matches(want *externType) bool {
	if t.kind != want.kind {
		return false
	}
	switch t.kind {
	case artifact.KindFunc:
		return t.fn == want.fn
	case artifact.KindTable:
		return t.table.Elem == want.table.Elem && limitsMatch(t.table.Min, t.table.Max, want.table.Min, want.table.Max)
	case artifact.KindMemory:
		return t.mem.Is64 == want.mem.Is64 && limitsMatch(t.mem.Min, t.mem.Max, want.mem.Min, want.mem.Max)
	case artifact.KindGlobal:
		return t.global.Type == want.global.Type && t.global.Mutable == want.global.Mutable
	}
	return false
}

func limitsMatch(lo, hi, wantMin, wantMax uint64) bool { return lo >= wantMin && hi <= wantMax }

func (t *externType) String() string {
	switch t.kind {
	case artifact.KindFunc:
		return sigString(&t.fn.sig)
	case artifact.KindTable:
		return fmt.Sprintf("table of %s, %s elements", t.table.Elem, limits(t.table.Min, t.table.Max))
	case artifact.KindMemory:
		bits := ""
		if t.mem.Is64 {
			bits = " with 64-bit addresses"
		}
		return fmt.Sprintf("memory%s, %s pages", bits, limits(t.mem.Min, t.mem.Max))
	case artifact.KindGlobal:
		if t.global.Mutable {
			return "mutable global " + t.global.Type.String()
		}
		return "global " + t.global.Type.String()
	}
	return t.kind.String()
}

func limits(lo, hi uint64) string {
	if hi == minusOne {
		return fmt.Sprintf("%d or more", lo)
	}
	return fmt.Sprintf("%d to %d", lo, hi)
}

// hold notes what the instance reaches through its imports. It fails if one of them is no more.
func (r *imports) hold(n *node) error {
	ok := true
	for _, f := range r.funcs {
		if f.inst != nil { // the instance itself keeps host functions
			ok = holdFunc(n, f) && ok
		}
	}
	for _, t := range r.tables {
		ok = n.reaches(t.node) && ok
	}
	for _, m := range r.mems {
		ok = n.reaches(m.node) && ok
	}
	for _, g := range r.globals {
		ok = n.reaches(g.node) && ok
	}
	if !ok {
		return fmt.Errorf("import of something whose %w", ErrClosed)
	}
	return nil
}

// share notes what may come to reach the instance: its functions may flow to the other side through shared tables and
// globals and as parameters.
func (r *imports) share(n *node) {
	for _, f := range r.funcs {
		if f.inst != nil && hasFuncRef(f.typ.sig.Params) {
			f.inst.node.reaches(n)
		}
	}
	for _, t := range r.tables {
		if t.typ.Elem == abi.FuncRef {
			t.node.reaches(n)
		}
	}
	for _, g := range r.globals {
		if g.typ.Type == abi.FuncRef && g.typ.Mutable {
			g.node.reaches(n)
		}
	}
}

func hasFuncRef(types []abi.Type) bool {
	for _, t := range types {
		if t == abi.FuncRef {
			return true
		}
	}
	return false
}
