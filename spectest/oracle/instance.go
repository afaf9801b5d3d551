package oracle

import (
	"fmt"

	"github.com/wasmaot/wasmaot/compiler/wasm"
)

// Config says how an instance is made and what a call may take.
type Config struct {
	Resolve func(module, name string) Extern // finds imports; nil if there are none
	Fuel    int                              // instructions that a call from outside may take; 0 = no limit
	Depth   int                              // calls within each other; 0 = DefaultDepth
}

// DefaultDepth is how many calls there may be within each other.
const DefaultDepth = 2000

// Instance is an instance of a module.
type Instance struct {
	Module  *wasm.Module
	Funcs   []*Func // all, imported first, as are the others
	Mems    []*Memory
	Tables  []*Table
	Globals []*Global
	exports map[string]Extern
	elems   [][]Value // by segment, nil when dropped
	datas   [][]byte
	cfg     Config
}

// Instantiate makes an instance. Errors are those of the validator, *LinkError, Trap and ErrFuel.
func Instantiate(m *wasm.Module, cfg Config) (*Instance, error) {
	if cfg.Depth == 0 {
		cfg.Depth = DefaultDepth
	}
	i := &Instance{Module: m, exports: map[string]Extern{}, cfg: cfg}
	if err := i.imports(); err != nil {
		return nil, err
	}
	for n := m.ImportedFuncs; n < len(m.Funcs); n++ {
		c, err := decode(m, uint32(n))
		if err != nil {
			return nil, err
		}
		i.Funcs = append(i.Funcs, &Func{Type: m.FuncType(uint32(n)), inst: i, code: c})
	}
	for _, t := range m.Tables[m.ImportedTables:] {
		i.Tables = append(i.Tables, NewTable(t.Elem, t.Limits))
	}
	for _, t := range m.Mems[m.ImportedMems:] {
		i.Mems = append(i.Mems, NewMemory(t.Limits))
	}
	for _, g := range m.Globals[m.ImportedGlobals:] {
		i.Globals = append(i.Globals, &Global{i.constant(g.Init), g.Type, g.Mutable})
	}
	i.export()
	return i, i.initialise()
}

func (i *Instance) imports() error {
	m := i.Module
	for n := range m.Imports {
		im := &m.Imports[n]
		var e Extern
		if i.cfg.Resolve != nil {
			e = i.cfg.Resolve(im.Module, im.Name)
		}
		if e == nil {
			return &LinkError{im.Module, im.Name, "unknown import"}
		}
		if !e.matches(m, im) {
			return &LinkError{im.Module, im.Name, "incompatible import type"}
		}
		switch e := e.(type) {
		case *Func:
			i.Funcs = append(i.Funcs, e)
		case *Table:
			i.Tables = append(i.Tables, e)
		case *Memory:
			i.Mems = append(i.Mems, e)
		case *Global:
			i.Globals = append(i.Globals, e)
		}
	}
	return nil
}

func (i *Instance) export() {
	for _, e := range i.Module.Exports {
		switch e.Kind {
		case wasm.ExternFunc:
			i.exports[e.Name] = i.Funcs[e.Index]
		case wasm.ExternTable:
			i.exports[e.Name] = i.Tables[e.Index]
		case wasm.ExternMemory:
			i.exports[e.Name] = i.Mems[e.Index]
		case wasm.ExternGlobal:
			i.exports[e.Name] = i.Globals[e.Index]
		}
	}
}

// initialise applies the segments and runs the start function (core specification, "Instantiation").
func (i *Instance) initialise() error {
	m := i.Module
	i.elems, i.datas = make([][]Value, len(m.Elems)), make([][]byte, m.DataLen)
	for n := range m.Elems {
		s := &m.Elems[n]
		refs := i.elements(s)
		switch s.Mode {
		case wasm.SegmentPassive:
			i.elems[n] = refs
		case wasm.SegmentActive:
			to, ok := slice(i.Tables[s.Table].Elems, i.constant(s.Start).Lo, uint64(len(refs)))
			if !ok {
				return TrapTableOutOfBounds
			}
			copy(to, refs)
		}
	}
	for n, s := range m.Datas() {
		if s.Mode == wasm.SegmentPassive {
			i.datas[n] = s.Init
			continue
		}
		to, ok := slice(i.Mems[s.Mem].Data, i.constant(m.DataStart(s)).Lo, uint64(len(s.Init)))
		if !ok {
			return TrapMemoryOutOfBounds
		}
		copy(to, s.Init)
	}
	if m.Start < 0 {
		return nil
	}
	_, err := i.Call(i.Funcs[m.Start], nil)
	return err
}

func (i *Instance) elements(s *wasm.ElemSegment) []Value {
	refs := make([]Value, s.Len())
	for n, f := range s.Funcs {
		refs[n].Func = i.Funcs[f]
	}
	for n := range s.Exprs {
		refs[n] = i.constant(&s.Exprs[n])
	}
	return refs
}

// constant is the value of a constant expression of Wasm 2.0: one instruction.
func (i *Instance) constant(e *wasm.ConstExpr) Value {
	switch in := &e.Instrs[0]; in.Op {
	case wasm.OpGlobalGet:
		return i.Globals[in.Index].Value
	case wasm.OpRefFunc:
		return Value{Func: i.Funcs[in.Index]}
	case wasm.OpRefNull:
		return Value{}
	case wasm.OpV128Const:
		return vector(in.Vec)
	case wasm.OpI32Const:
		return Value{Lo: uint64(uint32(in.Bits))}
	default:
		return Value{Lo: in.Bits}
	}
}

// Export is what the module exports under a name, nil if there is nothing.
func (i *Instance) Export(name string) Extern { return i.exports[name] }

// Invoke calls an exported function. Errors are Trap, ErrFuel, and what host functions return.
func (i *Instance) Invoke(name string, args []Value) ([]Value, error) {
	f, ok := i.exports[name].(*Func)
	if !ok {
		return nil, fmt.Errorf("no exported function %q", name)
	}
	return i.Call(f, args)
}

// Call calls a function.
func (i *Instance) Call(f *Func, args []Value) ([]Value, error) {
	if len(args) != len(f.Type.Params) {
		return nil, fmt.Errorf("expected %d arguments, found %d", len(f.Type.Params), len(args))
	}
	m := &machine{fuel: i.cfg.Fuel, unlimited: i.cfg.Fuel == 0, depth: i.cfg.Depth, stack: args[:len(args):len(args)]}
	err := m.call(f)
	return m.stack, err
}
