package wasm

import "math"

// Ids of sections.
const (
	secCustom    = 0
	secType      = 1
	secImport    = 2
	secFunction  = 3
	secTable     = 4
	secMemory    = 5
	secGlobal    = 6
	secExport    = 7
	secStart     = 8
	secElement   = 9
	secCode      = 10
	secData      = 11
	secDataCount = 12
	secTag       = 13
)

// sections holds what is known of each section, by id. Sections come in the order of rank, each at
// most once (spec, "Binary Format", "Modules"); custom sections, rank 0, come anywhere.
var sections = [...]struct {
	name   string
	rank   int
	need   Features
	decode func(*decoder)
}{
	secCustom:    {"custom", 0, 0, (*decoder).customSection},
	secType:      {"type", 1, 0, (*decoder).typeSection},
	secImport:    {"import", 2, 0, (*decoder).importSection},
	secFunction:  {"function", 3, 0, (*decoder).functionSection},
	secTable:     {"table", 4, 0, (*decoder).tableSection},
	secMemory:    {"memory", 5, 0, (*decoder).memorySection},
	secTag:       {"tag", 6, FeatureExceptions, (*decoder).tagSection},
	secGlobal:    {"global", 7, 0, (*decoder).globalSection},
	secExport:    {"export", 8, 0, (*decoder).exportSection},
	secStart:     {"start", 9, 0, (*decoder).startSection},
	secElement:   {"element", 10, 0, (*decoder).elementSection},
	secDataCount: {"data count", 11, FeatureBulkMemory, (*decoder).dataCountSection},
	secCode:      {"code", 12, 0, (*decoder).codeSection},
	secData:      {"data", 13, 0, (*decoder).dataSection},
}

// decoder fills a Module. Each section is checked as it is read: what it refers
// to stands before it in the file.
type decoder struct {
	reader
	m      *Module
	bodies int // code entries read so far

	exprs  arena[ConstExpr]
	instrs arena[ConstInstr]
	consts []ConstInstr // constant expression being read
	types  []ValType    // its operand stack
}

// Decode reads a module and checks all its declarations. Function bodies are left
// to a Validator. The module keeps src. Errors are of type *Error.
func Decode(src []byte, features Features) (*Module, error) {
	d := &decoder{
		reader: reader{src: src},
		m:      &Module{Source: src, Start: -1, DataCount: -1, features: features},
	}
	d.module()
	if d.err != nil {
		return nil, d.err
	}
	return d.m, nil
}

func (d *decoder) module() {
	if unknown := d.m.features &^ featuresKnown; unknown != 0 {
		d.failAt(0, "unsupported: %s", unknown)
		d.err.Feature = unknown
		return
	}
	if len(d.src) > maxFileSize {
		d.failAt(0, "the file has %d bytes, the limit is %d", len(d.src), maxFileSize)
		return
	}
	d.header()
	for last := secCustom; d.left() > 0; {
		last = d.section(last)
	}
	if d.err != nil {
		return
	}
	if defined := len(d.m.Funcs) - d.m.ImportedFuncs; d.bodies != defined {
		d.failAt(d.pos, "function and code section have inconsistent lengths: %d functions declared, %d bodies", defined, d.bodies)
	}
	if n := d.m.DataCount; n >= 0 && n != int64(d.m.DataLen) {
		d.failAt(d.pos, "data count and data section have inconsistent lengths: %d segments announced, %d found", n, d.m.DataLen)
	}
}

// section reads a section that comes after one of id last, and returns the id that the next
// one has to come after.
func (d *decoder) section(last int) int {
	start := d.pos
	id := int(d.byte())
	if id >= len(sections) {
		d.failAt(start, "malformed section id %d", id)
		return last
	}
	s := &sections[id]
	size := d.u32()
	if d.err == nil && int64(size) > int64(d.left()) {
		d.failAt(d.pos, "unexpected end: length of the %s section out of bounds: %d bytes declared, %d left in the file", s.name, size, d.left())
		return last
	}
	d.need(d.m.features, s.need, start, "the "+s.name+" section")
	if id != secCustom {
		switch before := &sections[last]; {
		case id == last:
			d.failAt(start, "unexpected content after last section: a second %s section", s.name)
		case s.rank < before.rank:
			d.failAt(start, "unexpected content after last section: %s section after %s section", s.name, before.name)
		}
		last = id
	}
	if d.err != nil {
		return last
	}
	file, end := d.src, d.pos+int(size)
	d.src = file[:end]
	s.decode(d)
	if d.err == nil && d.pos != end {
		d.failAt(d.pos, "section size mismatch: the %s section has %d more bytes than its content", s.name, end-d.pos)
	}
	if d.err == nil {
		d.src = file
	}
	return last
}

// vector reads a vector of at least minSize bytes an entry: room is told how many entries there can be, then
// each is read.
func (d *decoder) vector(limit uint32, what string, minSize int, room func(n int), entry func()) {
	n := d.count(limit, what)
	room(d.room(n, minSize))
	for i := 0; i < n && d.err == nil; i++ {
		entry()
	}
}

// arena hands out slices of large blocks, which stay where they are.
type arena[T any] struct{ block []T }

func (a *arena[T]) copy(s ...T) []T {
	const size = 256
	if cap(a.block)-len(a.block) < len(s) {
		a.block = make([]T, 0, max(size, len(s)))
	}
	n := len(a.block)
	a.block = append(a.block, s...)
	return a.block[n:len(a.block):len(a.block)]
}

func (d *decoder) startSection() {
	pos := d.pos
	i := d.index(len(d.m.Funcs), "function")
	if d.err != nil {
		return
	}
	if t := d.m.FuncType(i); len(t.Params)+len(t.Results) != 0 {
		d.failAt(pos, "start function: expected (func), found %s", t)
	}
	d.m.Start = int64(i)
}

func (d *decoder) dataCountSection() { d.m.DataCount = int64(d.count(maxSegments, "data segments")) }

// codeSection cuts the bodies out. Their content is the validator's.
func (d *decoder) codeSection() {
	m := d.m
	defined := m.Funcs[m.ImportedFuncs:]
	pos := d.pos
	if n := d.count(math.MaxUint32, "functions"); n != len(defined) {
		d.failAt(pos, "function and code section have inconsistent lengths: %d functions declared, %d bodies", len(defined), n)
		return
	}
	for i := range defined {
		pos := d.pos
		size := d.u32()
		if size > maxBody {
			d.failAt(pos, "function body of %d bytes, the limit is %d", size, maxBody)
		}
		f := &defined[i]
		f.Offset = uint32(d.pos)
		f.Body = d.bytes(int(size), "a function body")
		if d.err != nil {
			d.err.Func = int64(m.ImportedFuncs + i)
			return
		}
		d.bodies++
	}
}
