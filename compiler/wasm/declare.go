package wasm

import (
	"math"
	"slices"
)

func (d *decoder) typeSection() {
	n := d.count(maxTypes, "types")
	d.m.Types = make([]FuncType, 0, d.room(n, 3))
	var types arena[ValType]
	for range n {
		d.compositeType()
		if d.err != nil {
			return
		}
		var t FuncType
		t.Params = d.valTypes(&types, "parameters")
		t.Results = d.valTypes(&types, "results")
		if len(t.Results) > 1 {
			d.need(d.m.features, FeatureMultiValue, d.pos, "a function type with several results")
		}
		d.m.Types = append(d.m.Types, t)
	}
}

// compositeType reads the first byte of a type definition.
func (d *decoder) compositeType() {
	pos := d.pos
	switch b := d.byte(); b {
	case codeFunc:
	case 0x4e, 0x4f, 0x50, 0x5e, 0x5f: // rec, sub final, sub, array, struct
		d.need(d.m.features, FeatureGC, pos, "a type definition other than of a function")
	default:
		d.failAt(pos, "malformed type: expected 0x60 for a function type, found 0x%02x", b)
	}
}

func (d *decoder) valTypes(types *arena[ValType], what string) []ValType {
	n := d.count(maxParams, what)
	d.types = d.types[:0]
	for i := 0; i < n && d.err == nil; i++ {
		d.types = append(d.types, d.valType(d.m.features))
	}
	if len(d.types) == 0 {
		return nil
	}
	return types.copy(d.types...)
}

func (d *decoder) importSection() {
	n := d.count(maxImports, "imports")
	d.m.Imports = make([]Import, 0, d.room(n, 4))
	for i := 0; i < n && d.err == nil; i++ {
		d.imported()
	}
	m := d.m
	m.ImportedFuncs, m.ImportedTables, m.ImportedMems = len(m.Funcs), len(m.Tables), len(m.Mems)
	m.ImportedGlobals, m.ImportedTags = len(m.Globals), len(m.Tags)
}

func (d *decoder) imported() {
	m := d.m
	im := Import{Offset: uint32(d.pos)}
	im.Module = d.name()
	im.Name = d.name()
	pos := d.pos
	im.Kind = ExternKind(d.byte())
	switch im.Kind {
	case ExternFunc:
		im.Index = uint32(len(m.Funcs))
		m.Funcs = append(m.Funcs, Func{Type: d.index(len(m.Types), "type"), Offset: im.Offset})
	case ExternTable:
		im.Index = uint32(len(m.Tables))
		d.addTable(pos, d.tableType())
	case ExternMemory:
		im.Index = uint32(len(m.Mems))
		d.addMemory(pos)
	case ExternGlobal:
		im.Index = uint32(len(m.Globals))
		m.Globals = append(m.Globals, d.globalType())
	case ExternTag:
		d.need(m.features, FeatureExceptions, pos, "a tag")
		im.Index = uint32(len(m.Tags))
		m.Tags = append(m.Tags, d.tag())
	default:
		d.failAt(pos, "malformed import kind %d", im.Kind)
	}
	m.Imports = append(m.Imports, im)
}

func (d *decoder) functionSection() {
	m := d.m
	n := d.count(maxFuncs-uint32(min(len(m.Funcs), maxFuncs)), "functions")
	m.Funcs = slices.Grow(m.Funcs, d.room(n, 1))
	for i := 0; i < n && d.err == nil; i++ {
		m.Funcs = append(m.Funcs, Func{Type: d.index(len(m.Types), "type")})
	}
}

func (d *decoder) tableSection() {
	n := d.count(maxTables, "tables")
	for i := 0; i < n && d.err == nil; i++ {
		pos := d.pos
		if d.left() > 0 && d.src[d.pos] == 0x40 {
			d.need(d.m.features, FeatureFunctionReferences, pos, "a table with an initial value")
		}
		d.addTable(pos, d.tableType())
	}
}

func (d *decoder) addTable(pos int, t TableType) {
	if d.m.Tables = append(d.m.Tables, t); len(d.m.Tables) > 1 {
		d.need(d.m.features, FeatureReferenceTypes, pos, "a second table")
	}
	if len(d.m.Tables) > maxTables {
		d.failAt(pos, "too many tables: the limit is %d", maxTables)
	}
}

func (d *decoder) tableType() TableType {
	t := TableType{Elem: d.refType(d.m.features)}
	t.Limits = d.limits(d.pos, "table")
	return t
}

func (d *decoder) memorySection() {
	n := d.count(maxMems, "memories")
	for i := 0; i < n && d.err == nil; i++ {
		d.addMemory(d.pos)
	}
}

func (d *decoder) addMemory(pos int) {
	t := MemoryType{d.limits(pos, "memory")}
	limit := uint64(maxPages)
	if t.Is64 {
		limit = maxPages64
	}
	if t.Min > limit || t.HasMax && t.Max > limit {
		d.failAt(pos, "memory size must be at most %d pages, found %d", limit, max(t.Min, t.Max))
	}
	if d.m.Mems = append(d.m.Mems, t); len(d.m.Mems) > 1 {
		d.need(d.m.features, FeatureMultiMemory, pos, "multiple memories: a second memory")
	}
}

// Flags of limits.
const (
	limitsMax    = 1
	limitsShared = 2
	limits64     = 4
)

func (d *decoder) limits(pos int, what string) Limits {
	start := d.pos
	flags := d.byte()
	if flags > limitsMax|limitsShared|limits64 || what == "table" && flags&limitsShared != 0 {
		d.failAt(start, "malformed limits flags 0x%02x of a %s", flags, what)
	}
	l := Limits{HasMax: flags&limitsMax != 0, Shared: flags&limitsShared != 0, Is64: flags&limits64 != 0}
	if l.Shared {
		d.need(d.m.features, FeatureThreads, start, "a shared "+what)
	}
	if l.Is64 {
		d.need(d.m.features, FeatureMemory64, start, "a "+what+" with 64-bit addresses")
	}
	l.Min = d.limit()
	if l.HasMax {
		l.Max = d.limit()
	}
	if !l.Is64 && max(l.Min, l.Max) > math.MaxUint32 {
		d.failAt(pos, "%s size must be at most 2^32-1, found %d", what, max(l.Min, l.Max))
	}
	if l.HasMax && l.Max < l.Min {
		d.failAt(pos, "size minimum must not be greater than maximum: minimum %d, maximum %d", l.Min, l.Max)
	}
	return l
}

// limit reads a bound. Memory64 has made all of them 64-bit numbers, whatever the address type.
func (d *decoder) limit() uint64 {
	if d.m.features&FeatureMemory64 != 0 {
		return d.u64()
	}
	return uint64(d.u32())
}

func (d *decoder) tagSection() {
	n := d.count(maxTypes, "tags")
	for i := 0; i < n && d.err == nil; i++ {
		d.m.Tags = append(d.m.Tags, d.tag())
	}
}

func (d *decoder) tag() Tag {
	pos := d.pos
	if b := d.byte(); b != 0 {
		d.failAt(pos, "malformed tag attribute 0x%02x", b)
	}
	pos = d.pos
	t := Tag{Type: d.index(len(d.m.Types), "type")}
	if d.err == nil && len(d.m.Types[t.Type].Results) != 0 {
		d.failAt(pos, "non-empty tag result type: %s", &d.m.Types[t.Type])
	}
	return t
}

func (d *decoder) globalSection() {
	n := d.count(maxGlobals, "globals")
	d.m.Globals = slices.Grow(d.m.Globals, d.room(n, 4))
	for i := 0; i < n && d.err == nil; i++ {
		g := d.globalType()
		g.Init = d.constExpr(g.Type)
		d.m.Globals = append(d.m.Globals, g)
	}
}

func (d *decoder) globalType() Global {
	g := Global{Type: d.valType(d.m.features)}
	pos := d.pos
	b := d.byte()
	if b > 1 {
		d.failAt(pos, "malformed mutability 0x%02x", b)
	}
	g.Mutable = b == 1
	return g
}

func (d *decoder) exportSection() {
	n := d.count(maxExports, "exports")
	d.m.Exports = make([]Export, 0, d.room(n, 3))
	seen := make(map[string]struct{}, d.room(n, 3))
	for i := 0; i < n && d.err == nil; i++ {
		e := d.exported()
		if _, twice := seen[e.Name]; twice {
			d.failAt(int(e.Offset), "duplicate export name %q", clip(e.Name))
		}
		seen[e.Name] = struct{}{}
		d.m.Exports = append(d.m.Exports, e)
	}
}

func (d *decoder) exported() Export {
	m := d.m
	e := Export{Offset: uint32(d.pos)}
	e.Name = d.name()
	pos := d.pos
	e.Kind = ExternKind(d.byte())
	switch e.Kind {
	case ExternFunc:
		e.Index = d.funcRef()
	case ExternTable:
		e.Index = d.index(len(m.Tables), "table")
	case ExternMemory:
		e.Index = d.index(len(m.Mems), "memory")
	case ExternGlobal:
		e.Index = d.index(len(m.Globals), "global")
	case ExternTag:
		e.Index = d.index(len(m.Tags), "tag")
	default:
		d.failAt(pos, "malformed export kind %d", e.Kind)
	}
	return e
}

// funcRef reads a function index outside bodies: it declares the function for ref.func.
func (d *decoder) funcRef() uint32 {
	i := d.index(len(d.m.Funcs), "function")
	if d.err == nil {
		d.m.Funcs[i].declared = true
	}
	return i
}
