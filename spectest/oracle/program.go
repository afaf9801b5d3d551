package oracle

import (
	"fmt"
	"slices"

	"github.com/wasmaot/wasmaot/compiler/wasm"
)

// Program is a generated module as trees, which Encode writes down and Reduce cuts.
type Program struct {
	types   []wasm.FuncType
	imports []uint32 // types of imported functions
	funcs   []*function
	tables  []wasm.TableType
	mem     wasm.Limits
	globals []global
	elems   []elemSegment
	datas   []dataSegment
	start   int // function, -1 for none

	memImported                     bool
	tablesImported, globalsImported int    // the first ones
	exported                        []bool // functions, imported first
	tablesExported                  []bool
}

// function is a function of a program.
type function struct {
	typ    uint32
	locals []wasm.ValType // without the parameters
	body   []*node
}

type global struct {
	typ     wasm.ValType
	mutable bool
	init    *node
}

type elemSegment struct {
	mode   wasm.SegmentMode
	typ    wasm.ValType
	table  uint32
	offset uint32
	funcs  []int // -1 is null
}

type dataSegment struct {
	mode   wasm.SegmentMode
	offset uint32
	bytes  []byte
}

// node is an instruction together with those that make its operands: args are written first, then the
// instruction itself.
type node struct {
	op     wasm.Opcode // or opSeq
	args   []*node
	types  []wasm.ValType // what it leaves on the stack; nothing for statements
	a, b   uint32         // indices, in the order of the binary format
	bits   uint64         // constants; offset of loads and stores
	align  uint32
	vec    [16]byte
	labels []*node // branches: blocks to leave, nil for the function itself

	// Blocks.
	params    []wasm.ValType
	body, alt []*node // alt: the else branch of an if
	hasElse   bool
}

// opSeq is no operator: the node is what its args are, one after the other. Some of them take what others left.
const opSeq wasm.Opcode = opcodes

// encoder writes functions.
type encoder struct {
	p      *Program
	out    []byte
	blocks []*node // open, innermost last
	err    error
}

func (e *encoder) u32(n uint32) { e.out = appendU(e.out, uint64(n)) }

func appendU(b []byte, n uint64) []byte {
	for ; n >= 0x80; n >>= 7 {
		b = append(b, byte(n)|0x80)
	}
	return append(b, byte(n))
}

func appendS(b []byte, n int64) []byte {
	for ; n < -64 || n >= 64; n >>= 7 {
		b = append(b, byte(n)|0x80)
	}
	return append(b, byte(n)&0x7f)
}

var typeCodes = map[wasm.ValType]byte{wasm.I32: 0x7f, wasm.I64: 0x7e, wasm.F32: 0x7d, wasm.F64: 0x7c, wasm.V128: 0x7b,
	wasm.FuncRef: 0x70, wasm.ExternRef: 0x6f}

func (e *encoder) list(nodes []*node) {
	for _, n := range nodes {
		e.node(n)
	}
}

func (e *encoder) node(n *node) {
	e.list(n.args)
	if n.op == opSeq {
		return
	}
	switch {
	case n.op >= 0x200:
		e.out = append(e.out, 0xfd)
		e.u32(uint32(n.op) - 0x200)
	case n.op >= 0x100:
		e.out = append(e.out, 0xfc)
		e.u32(uint32(n.op) - 0x100)
	default:
		e.out = append(e.out, byte(n.op))
	}
	e.immediates(n)
}

func (e *encoder) immediates(n *node) {
	switch imm := wasm.Info(n.op).Imm; imm {
	case wasm.ImmNone:
	case wasm.ImmBlock:
		e.block(n)
	case wasm.ImmLabel:
		e.u32(e.depth(n.labels[0]))
	case wasm.ImmLabels:
		e.u32(uint32(len(n.labels) - 1))
		for _, l := range n.labels {
			e.u32(e.depth(l))
		}
	case wasm.ImmI32:
		e.out = appendS(e.out, int64(int32(n.bits)))
	case wasm.ImmI64:
		e.out = appendS(e.out, int64(n.bits))
	case wasm.ImmF32:
		e.out = le.AppendUint32(e.out, uint32(n.bits))
	case wasm.ImmF64:
		e.out = le.AppendUint64(e.out, n.bits)
	case wasm.ImmV128, wasm.ImmShuffle:
		e.out = append(e.out, n.vec[:]...)
	case wasm.ImmLane:
		e.out = append(e.out, byte(n.b))
	case wasm.ImmMemArg, wasm.ImmMemLane:
		e.u32(n.align)
		e.u32(uint32(n.bits))
		if imm == wasm.ImmMemLane {
			e.out = append(e.out, byte(n.b))
		}
	case wasm.ImmHeapType:
		e.out = append(e.out, typeCodes[n.types[0]])
	case wasm.ImmSelect:
		e.out = append(e.out, 1, typeCodes[n.types[0]])
	case wasm.ImmCallIndirect, wasm.ImmMemInit, wasm.ImmMemCopy, wasm.ImmTableInit, wasm.ImmTableCopy:
		e.u32(n.a)
		e.u32(n.b)
	default:
		e.u32(n.a)
	}
}

func (e *encoder) block(n *node) {
	switch {
	case len(n.params) == 0 && len(n.types) == 0:
		e.out = append(e.out, 0x40)
	case len(n.params) == 0 && len(n.types) == 1:
		e.out = append(e.out, typeCodes[n.types[0]])
	default:
		e.out = appendS(e.out, int64(e.p.typeIndex(n.params, n.types)))
	}
	e.blocks = append(e.blocks, n)
	e.list(n.body)
	if n.hasElse {
		e.out = append(e.out, byte(wasm.OpElse))
		e.list(n.alt)
	}
	e.blocks = e.blocks[:len(e.blocks)-1]
	e.out = append(e.out, byte(wasm.OpEnd))
}

// depth is how many blocks a branch leaves.
func (e *encoder) depth(target *node) uint32 {
	if target == nil {
		return uint32(len(e.blocks))
	}
	i := slices.Index(e.blocks, target)
	if i < 0 && e.err == nil {
		e.err = fmt.Errorf("branch to a block that it is not in")
	}
	return uint32(len(e.blocks) - 1 - i)
}

// typeIndex finds a function type, or adds it.
func (p *Program) typeIndex(params, results []wasm.ValType) uint32 {
	t := wasm.FuncType{Params: params, Results: results}
	for i := range p.types {
		if p.types[i].Equal(&t) {
			return uint32(i)
		}
	}
	p.types = append(p.types, t)
	return uint32(len(p.types) - 1)
}

// funcType is the type of a function, imported ones first.
func (p *Program) funcType(i int) *wasm.FuncType {
	if i < len(p.imports) {
		return &p.types[p.imports[i]]
	}
	return &p.types[p.funcs[i-len(p.imports)].typ]
}

// sectionStart holds an index where the others have the number of their entries.
const sectionStart = 8

// Encode writes the module.
func (p *Program) Encode() ([]byte, error) {
	bodies, err := p.bodies() // first, because types of blocks are found then
	if err != nil {
		return nil, err
	}
	out := []byte("\x00asm\x01\x00\x00\x00")
	section := func(id byte, n int, content []byte) {
		if n > 0 || id == sectionStart {
			out = append(out, id)
			out = appendU(out, uint64(len(content)+len(appendU(nil, uint64(n)))))
			out = append(appendU(out, uint64(n)), content...)
		}
	}
	section(1, len(p.types), p.typeSection())
	n, imports := p.importSection()
	section(2, n, imports)
	var funcs []byte
	for _, f := range p.funcs {
		funcs = appendU(funcs, uint64(f.typ))
	}
	section(3, len(p.funcs), funcs)
	var tables []byte
	for _, t := range p.tables[p.tablesImported:] {
		tables = appendLimits(append(tables, typeCodes[t.Elem]), t.Limits)
	}
	section(4, len(p.tables)-p.tablesImported, tables)
	if !p.memImported {
		section(5, 1, appendLimits(nil, p.mem))
	}
	section(6, len(p.globals)-p.globalsImported, p.globalSection())
	n, exports := p.exportSection()
	section(7, n, exports)
	if p.start >= 0 {
		section(sectionStart, p.start, nil)
	}
	section(9, len(p.elems), p.elemSection())
	section(12, len(p.datas), nil)
	section(10, len(p.funcs), bodies)
	section(11, len(p.datas), p.dataSection())
	return out, nil
}

func (p *Program) bodies() ([]byte, error) {
	var out []byte
	e := &encoder{p: p}
	for _, f := range p.funcs {
		e.out = e.out[:0]
		e.u32(uint32(len(f.locals)))
		for _, t := range f.locals {
			e.out = append(e.out, 1, typeCodes[t])
		}
		e.list(f.body)
		e.out = append(e.out, byte(wasm.OpEnd))
		out = append(appendU(out, uint64(len(e.out))), e.out...)
	}
	return out, e.err
}

func appendTypes(b []byte, types []wasm.ValType) []byte {
	b = appendU(b, uint64(len(types)))
	for _, t := range types {
		b = append(b, typeCodes[t])
	}
	return b
}

func appendName(b []byte, name string) []byte {
	return append(appendU(b, uint64(len(name))), name...)
}

func appendLimits(b []byte, l wasm.Limits) []byte {
	if !l.HasMax {
		return appendU(append(b, 0), l.Min)
	}
	return appendU(appendU(append(b, 1), l.Min), l.Max)
}

func (p *Program) typeSection() (b []byte) {
	for _, t := range p.types {
		b = appendTypes(appendTypes(append(b, 0x60), t.Params), t.Results)
	}
	return b
}

func (p *Program) importSection() (n int, b []byte) {
	add := func(name string, kind wasm.ExternKind) {
		b = append(appendName(appendName(b, "host"), name), byte(kind))
		n++
	}
	for i, t := range p.imports {
		add(fmt.Sprint("h", i), wasm.ExternFunc)
		b = appendU(b, uint64(t))
	}
	for i, t := range p.tables[:p.tablesImported] {
		add(fmt.Sprint("t", i), wasm.ExternTable)
		b = appendLimits(append(b, typeCodes[t.Elem]), t.Limits)
	}
	if p.memImported {
		add("mem", wasm.ExternMemory)
		b = appendLimits(b, p.mem)
	}
	for i, g := range p.globals[:p.globalsImported] {
		add(fmt.Sprint("g", i), wasm.ExternGlobal)
		b = append(b, typeCodes[g.typ], byte(truth(g.mutable)))
	}
	return n, b
}

func (p *Program) globalSection() []byte {
	e := &encoder{p: p}
	for _, g := range p.globals[p.globalsImported:] {
		e.out = append(e.out, typeCodes[g.typ], byte(truth(g.mutable)))
		e.node(g.init)
		e.out = append(e.out, byte(wasm.OpEnd))
	}
	return e.out
}

func (p *Program) exportSection() (n int, b []byte) {
	export := func(name string, kind wasm.ExternKind, index int) {
		b = appendU(append(appendName(b, name), byte(kind)), uint64(index))
		n++
	}
	for i, yes := range p.exported {
		if yes {
			export(fmt.Sprint("f", i), wasm.ExternFunc, i)
		}
	}
	export("mem", wasm.ExternMemory, 0)
	for i := range p.tables {
		if p.tablesExported[i] {
			export(fmt.Sprint("t", i), wasm.ExternTable, i)
		}
	}
	for i := range p.globals {
		export(fmt.Sprint("g", i), wasm.ExternGlobal, i)
	}
	return n, b
}

// elemSection writes all segments with expressions, which may be null.
func (p *Program) elemSection() (b []byte) {
	for _, s := range p.elems {
		switch s.mode {
		case wasm.SegmentActive:
			b = appendU(append(b, 6), uint64(s.table))
			b = append(appendS(append(b, byte(wasm.OpI32Const)), int64(int32(s.offset))), byte(wasm.OpEnd))
		case wasm.SegmentPassive:
			b = append(b, 5)
		default:
			b = append(b, 7)
		}
		b = appendU(append(b, typeCodes[s.typ]), uint64(len(s.funcs)))
		for _, f := range s.funcs {
			if f < 0 {
				b = append(b, byte(wasm.OpRefNull), typeCodes[s.typ])
			} else {
				b = appendU(append(b, byte(wasm.OpRefFunc)), uint64(f))
			}
			b = append(b, byte(wasm.OpEnd))
		}
	}
	return b
}

func (p *Program) dataSection() (b []byte) {
	for _, s := range p.datas {
		if s.mode == wasm.SegmentPassive {
			b = append(b, 1)
		} else {
			b = append(appendS(append(b, 0, byte(wasm.OpI32Const)), int64(int32(s.offset))), byte(wasm.OpEnd))
		}
		b = append(appendU(b, uint64(len(s.bytes))), s.bytes...)
	}
	return b
}
