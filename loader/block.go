package loader

import (
	"errors"
	"fmt"
	"unsafe"

	"github.com/wasmaot/wasmaot/compiler/abi"
	"github.com/wasmaot/wasmaot/compiler/artifact"
	"github.com/wasmaot/wasmaot/loader/vmem"
)

// blockLayout is where the loader's own part of an instance's block lies: offsets from the context, which is at the beginning.
type blockLayout struct {
	faults       uint64 // ranges in which a fault is a trap: pairs of start and size, ended by a size of 0
	builtins     uint64 // addresses of the builtins' descriptors
	builtinDescs uint64
	importDescs  uint64 // descriptors of imported host functions, one for each imported function
	size         uint64
}

func (c *Code) blockLayout() blockLayout {
	s := &c.layout.Shape
	var l blockLayout
	at := uint64(c.layout.Size)
	room := func(n int, size uint64) uint64 {
		start := at
		at += uint64(n) * size
		return start
	}
	l.faults = room(s.ImportedMemories+s.Memories+1, 16)
	l.builtins = room(int(abi.BuiltinCount), 8)
	l.builtinDescs = room(int(abi.BuiltinCount), abi.FuncDescSize)
	l.importDescs = room(s.ImportedFuncs, abi.FuncDescSize)
	l.size = at
	return l
}

// nullDesc is the descriptor that stands for null: its type id, 0, is no type's.
var nullDesc funcDesc

// at is the place of an offset from the context.
func (i *Instance) at(off uint64) unsafe.Pointer { return pointer(i.vmctx + off) }

func (i *Instance) setWord(off, value uint64) { *(*uint64)(i.at(off)) = value }

func addrOf[T any](p *T) uint64 { return uint64(uintptr(unsafe.Pointer(p))) }

// instanceOf is the instance of a context, nil for the context of host functions.
func instanceOf(vmctx uint64) *Instance {
	return (*Instance)(pointer(*(*uint64)(pointer(vmctx + abi.CtxInstance))))
}

// build makes the instance's block, memories, tables and globals. free undoes what was done, also after an error.
func (i *Instance) build(cfg *Config) error {
	c, m := i.code, &i.code.art.Module
	i.layout = c.blockLayout()
	size := vmem.PageUp(i.layout.size)
	imported := len(i.tables)
	i.tables = append(make([]*table, 0, len(m.Tables)), i.tables...)
	for k, t := range m.Tables[imported:] {
		inner := &i.ownTable
		if k > 0 {
			inner = &table{}
		}
		if err := inner.make(t, cfg.TableMax); err != nil {
			i.tables = i.tables[:imported]
			return err
		}
		inner.node = i.node
		i.tables = append(i.tables, inner)
		size += inner.size()
	}
	own := i.tables[imported:]
	i.tables = i.tables[:imported] // until they are in the block
	block, err := vmem.Reserve(size, vmem.PageSize)
	if err != nil {
		return fmt.Errorf("instance: %w", err)
	}
	i.block, i.vmctx = block, block.Base()
	if err := block.Commit(0, block.Size()); err != nil {
		return fmt.Errorf("instance: %w", err)
	}
	i.placeTables(own)
	if err := i.makeMemories(cfg); err != nil {
		return err
	}
	i.fillHeader()
	if err := i.fillFuncs(); err != nil {
		return err
	}
	if err := i.makeGlobals(); err != nil {
		return err
	}
	for k, t := range i.tables[c.layout.Shape.ImportedTables:] {
		if e := m.Tables[c.layout.Shape.ImportedTables+k].Init; e != nil {
			ref, _, err := i.eval(e)
			if err != nil {
				return fmt.Errorf("table %d: %w", k, err)
			}
			t.fill(0, ref, t.Len())
		}
	}
	return nil
}

// placeTables puts records and elements of the own tables into the block.
func (i *Instance) placeTables(own []*table) {
	l := &i.code.layout
	for k, t := range i.tables {
		i.setWord(uint64(l.TablePtrs)+8*uint64(k), addrOf(t.rec))
	}
	base := i.vmctx + vmem.PageUp(i.layout.size)
	for k, t := range own {
		t.rec = (*tableRec)(i.at(uint64(l.Tables) + uint64(k)*abi.TableRecSize))
		t.place(base)
		base += t.size()
	}
	i.tables = append(i.tables, own...)
}

func (i *Instance) makeMemories(cfg *Config) error {
	l, art := &i.code.layout, i.code.art
	for k, m := range i.mems {
		i.setWord(uint64(l.MemoryPtrs)+8*uint64(k), addrOf(m.rec))
	}
	imported := len(i.mems)
	i.mems = i.mems[:imported:imported]
	for k, t := range art.Module.Mems[imported:] {
		rec := (*memoryRec)(i.at(uint64(l.Memories) + uint64(k)*abi.MemoryRecSize))
		m := &i.ownMem
		if k > 0 {
			m = &Memory{}
		}
		err := m.init(t, rec, art.Header.Tier == artifact.TierGuard, cfg.MaxMemoryPages, cfg.Allocate)
		if err == nil || cfg.Allocate != nil {
			m.node = i.node
			i.mems = append(i.mems, m)
		}
		if err != nil {
			return err
		}
	}
	at := i.layout.faults
	for _, m := range i.mems {
		if art.Header.Tier == artifact.TierGuard {
			i.setWord(at, m.region.Base())
			i.setWord(at+8, m.region.Size())
			at += 16
		}
	}
	return nil
}

func (i *Instance) fillHeader() {
	rec := &noMemory
	if len(i.mems) > 0 {
		rec = i.mems[0].rec
	}
	i.setWord(abi.CtxMemBase, rec.base)
	i.setWord(abi.CtxMemRec, addrOf(rec))
	i.setWord(abi.CtxBuiltins, i.vmctx+i.layout.builtins)
	i.setWord(abi.CtxInstance, addrOf(i))
	i.setWord(abi.CtxNullFunc, addrOf(&nullDesc))
	i.setWord(abi.CtxSelf, i.vmctx)
	i.setWord(abi.CtxFaults, i.vmctx+i.layout.faults)
	i.setWord(abi.CtxPinned, i.vmctx+uint64(i.code.art.Module.PinnedCell(&i.code.layout)))
	for k, t := range i.code.types {
		*(*uint32)(i.at(uint64(i.code.layout.TypeIDs) + 4*uint64(k))) = t.id
	}
}

// fillFuncs writes the descriptors of all functions and builtins.
func (i *Instance) fillFuncs() error {
	c, l := i.code, &i.code.layout
	desc := func(off uint64, k int) *funcDesc { return (*funcDesc)(i.at(off + uint64(k)*abi.FuncDescSize)) }
	funcs, err := builtinFuncs()
	if err != nil {
		return err
	}
	if err := i.makeStubs(funcs[:]); err != nil {
		return err
	}
	for k, f := range funcs {
		d := desc(i.layout.builtinDescs, k)
		if *d, err = f.descFor(i.vmctx); err != nil {
			return err
		}
		i.setWord(i.layout.builtins+8*uint64(k), addrOf(d))
	}
	for k, f := range i.imported {
		addr := f.desc
		if f.inst == nil {
			d := desc(i.layout.importDescs, k)
			if *d, err = f.descFor(i.vmctx); err != nil {
				return err
			}
			d.index = uint32(k)
			addr = addrOf(d)
		}
		i.setWord(uint64(l.Imports)+8*uint64(k), addr)
	}
	for k := range c.art.Funcs {
		f := &c.art.Funcs[k]
		*desc(uint64(l.Funcs), k) = funcDesc{code: c.entry(k), ctx: i.vmctx,
			typeID: c.types[f.Type].id, index: uint32(len(i.imported) + k)}
	}
	return nil
}

// makeStubs makes the stubs for what fillFuncs describes and for exported functions together, unless all are there.
func (i *Instance) makeStubs(builtins []*Func) error {
	c := i.code
	wishes := make([]stubWish, 0, len(builtins)+len(i.imported)+len(c.art.Module.Exports))
	for _, list := range [...][]*Func{builtins, i.imported} {
		for _, f := range list {
			if f.inst == nil && f.err == nil && f.typ.exit.Load() == 0 {
				wishes = append(wishes, stubWish{t: f.typ, kind: exitStubs})
			}
		}
	}
	for k := range c.art.Module.Exports {
		e := &c.art.Module.Exports[k]
		if own := int(e.Index) - len(i.imported); e.Kind == artifact.KindFunc && own >= 0 {
			if t := c.types[c.art.Funcs[own].Type]; t.entry.Load() == 0 {
				wishes = append(wishes, stubWish{t: t, kind: entryStubs})
			}
		}
	}
	if len(wishes) == 0 {
		return nil
	}
	return makeStubs(wishes...)
}

// descAddr is the address of a function's descriptor. The index is valid.
func (i *Instance) descAddr(index uint32) uint64 {
	l := &i.code.layout
	if n := len(i.imported); int(index) >= n {
		return i.vmctx + uint64(l.Funcs) + uint64(int(index)-n)*abi.FuncDescSize
	}
	return *(*uint64)(i.at(uint64(l.Imports) + 8*uint64(index)))
}

func (i *Instance) makeGlobals() error {
	l := &i.code.layout
	for k, g := range i.globals {
		i.setWord(uint64(l.GlobalPtrs)+8*uint64(k), addrOf(g.cell))
	}
	imported, types := len(i.globals), i.code.art.Module.Globals
	i.globals = append(make([]*global, 0, len(types)), i.globals...)
	own := make([]global, len(types)-imported)
	for k, t := range types[imported:] {
		if t.Init == nil {
			return fmt.Errorf("global %d has no initial value", imported+k)
		}
		lo, hi, err := i.eval(t.Init)
		if err != nil {
			return fmt.Errorf("global %d: %w", imported+k, err)
		}
		cell := (*[2]uint64)(i.at(uint64(l.Globals) + uint64(k)*abi.GlobalCellSize))
		*cell = [2]uint64{lo, hi}
		own[k] = global{typ: t, cell: cell, node: i.node}
		i.globals = append(i.globals, &own[k])
	}
	return nil
}

// free gives everything outside Go's heap back. No one may enter the instance any more.
func (i *Instance) free() error {
	s := &i.code.layout.Shape
	for _, t := range i.tables[min(s.ImportedTables, len(i.tables)):] {
		t.free()
	}
	for _, m := range i.mems[min(s.ImportedMemories, len(i.mems)):] {
		m.free()
	}
	for _, g := range i.globals[min(s.ImportedGlobals, len(i.globals)):] {
		g.free()
	}
	var err error
	if i.block != nil {
		err = i.block.Release()
	}
	return errors.Join(err, i.code.unuse())
}
