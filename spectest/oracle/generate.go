package oracle

import (
	"math/rand/v2"

	"github.com/wasmaot/wasmaot/compiler/wasm"
)

// Options say what generated modules may have.
type Options struct {
	SIMD bool
}

// Generate makes a random valid module: the same for the same seed and options. It exports functions f0, f1, … (those whose types are
// numbers or vectors only), memory "mem", globals g0, g1, … and some of its tables as t0, t1, …. It may import functions h0, h1, … from module
// "host", and what it exports of memory, tables and globals by the same names; Host makes these imports.
//
// Export FuelGlobal bounds how long functions run: they count it down and trap by unreachable at 0. It and SPGlobal are
// to be set to StartFuel and StartSP before each call.
//
// Its results do not depend on what the specification leaves open, with one exception: the bits of NaNs in
// results, in arguments of host functions, and in globals of float type.
func Generate(seed uint64, opts Options) []byte {
	src, err := NewProgram(seed, opts).Encode()
	if err != nil {
		panic(err) // the generator is wrong
	}
	return src
}

// Two globals of type i32, and what they are before a call. SPGlobal points into memory, like Go's stack pointer.
const (
	FuelGlobal = "g0"
	SPGlobal   = "g1"
	StartFuel  = 100
	StartSP    = 16384

	fuelGlobal = 0
	spGlobal   = 1
)

// ImportedGlobal is the first value of a global that a generated module imports.
func ImportedGlobal(index uint32, t wasm.ValType) Value {
	switch index {
	case fuelGlobal:
		return Value{Lo: StartFuel}
	case spGlobal:
		return Value{Lo: StartSP}
	}
	return Arguments(uint64(index), []wasm.ValType{t})[0]
}

// Host resolves the imports of a generated module. The functions are all done by call.
func Host(m *wasm.Module, call func(index uint32, t *wasm.FuncType, args []Value) []Value) func(module, name string) Extern {
	return func(_, name string) Extern {
		for i := range m.Imports {
			im := &m.Imports[i]
			if im.Name != name {
				continue
			}
			switch im.Kind {
			case wasm.ExternFunc:
				t := m.FuncType(im.Index)
				return &Func{Type: t, Host: func(args []Value) ([]Value, error) { return call(im.Index, t, args), nil }}
			case wasm.ExternMemory:
				return NewMemory(m.Mems[im.Index].Limits)
			case wasm.ExternTable:
				return NewTable(m.Tables[im.Index].Elem, m.Tables[im.Index].Limits)
			case wasm.ExternGlobal:
				g := &m.Globals[im.Index]
				return &Global{ImportedGlobal(im.Index, g.Type), g.Type, g.Mutable}
			}
		}
		return nil
	}
}

// generator makes a program.
type generator struct {
	*rand.Rand
	p       *Program
	opts    Options
	sigs    []uint32 // types of functions
	byIndex [][]int  // functions in each table at the start, -1 for null
	quiet   bool     // tables stay as they are
}

// NewProgram makes the program of a seed.
func NewProgram(seed uint64, opts Options) *Program {
	g := &generator{Rand: rand.New(rand.NewPCG(seed, 0)), p: &Program{start: -1}, opts: opts}
	g.signatures()
	for range g.IntN(4) {
		if t := g.sigs[g.IntN(len(g.sigs))]; !hasRefs(&g.p.types[t]) {
			g.p.imports = append(g.p.imports, t)
		}
	}
	g.functions()
	g.memory()
	g.globals()
	g.segments()
	for i := range g.p.funcs {
		newFuncGen(g, i).fill()
	}
	return g.p
}

// chance is true once in n times.
func (g *generator) chance(n int) bool { return g.IntN(n) == 0 }

// between is a number from low to high.
func (g *generator) between(low, high int) int { return low + g.IntN(high-low+1) }

func pick[T any](g *generator, list []T) T { return list[g.IntN(len(list))] }

// numType is a random number or vector type.
func (g *generator) numType() wasm.ValType {
	switch n := g.IntN(20); {
	case g.opts.SIMD && n < 5:
		return wasm.V128
	case n < 9:
		return wasm.I32
	case n < 14:
		return wasm.I64
	case n < 17:
		return wasm.F64
	}
	return wasm.F32
}

// valType is a random type, rarely a reference.
func (g *generator) valType() wasm.ValType {
	switch g.IntN(25) {
	case 0:
		return wasm.FuncRef
	case 1:
		return wasm.ExternRef
	}
	return g.numType()
}

func (g *generator) typeList(n int, one func() wasm.ValType) []wasm.ValType {
	list := make([]wasm.ValType, n)
	for i := range list {
		list[i] = one()
	}
	return list
}

func hasRefs(t *wasm.FuncType) bool {
	for _, list := range [][]wasm.ValType{t.Params, t.Results} {
		for _, v := range list {
			if v.IsRef() {
				return true
			}
		}
	}
	return false
}

// signatures makes function types: small ones, some with many parameters or results. The first is Go's.
func (g *generator) signatures() {
	g.sigs = []uint32{g.p.typeIndex([]wasm.ValType{wasm.I32}, []wasm.ValType{wasm.I32})}
	for range g.between(2, 6) {
		params, results := g.IntN(5), g.IntN(3)
		if g.chance(5) {
			params = g.between(5, 22)
		}
		if g.chance(6) {
			results = g.between(2, 9)
		}
		one := g.numType
		if g.chance(6) {
			one = g.valType
		}
		g.sigs = append(g.sigs, g.p.typeIndex(g.typeList(params, one), g.typeList(results, one)))
	}
	if g.chance(3) {
		g.sigs = append(g.sigs, g.p.typeIndex(nil, nil))
	}
}

func (g *generator) functions() {
	for range g.between(1, 6) {
		g.p.funcs = append(g.p.funcs, &function{typ: pick(g, g.sigs)})
	}
	g.p.exported = make([]bool, len(g.p.imports)+len(g.p.funcs))
	for i := range g.p.exported {
		t := g.p.funcType(i)
		g.p.exported[i] = i >= len(g.p.imports) && !hasRefs(t)
		if len(t.Params)+len(t.Results) == 0 && i >= len(g.p.imports) && g.chance(3) {
			g.p.start = i
		}
	}
}

func (g *generator) memory() {
	g.p.mem.Min = uint64(g.between(1, 2))
	g.p.memImported = g.chance(6)
	if !g.chance(4) {
		g.p.mem.Max, g.p.mem.HasMax = g.p.mem.Min+uint64(g.IntN(4)), true
	}
	for range g.IntN(4) {
		s := dataSegment{bytes: make([]byte, g.between(1, 200))}
		for i := range s.bytes {
			s.bytes[i] = byte(g.Uint32() >> g.IntN(8))
		}
		size := int(g.p.mem.Min) * pageSize
		switch g.IntN(4) {
		case 0:
			s.offset = uint32(size - len(s.bytes)) // up to the last byte
		case 1:
			s.mode = wasm.SegmentPassive
		case 2:
			s.offset = uint32(g.IntN(256))
		default:
			s.offset = uint32(g.IntN(size - len(s.bytes)))
		}
		g.p.datas = append(g.p.datas, s)
	}
}

func (g *generator) globals() {
	constant := func(op wasm.Opcode, t wasm.ValType, bits uint64) *node {
		return &node{op: op, types: []wasm.ValType{t}, bits: bits}
	}
	g.p.globals = []global{
		{wasm.I32, true, constant(wasm.OpI32Const, wasm.I32, StartFuel)},
		{wasm.I32, true, constant(wasm.OpI32Const, wasm.I32, StartSP)},
	}
	n := g.between(4, 9)
	g.p.globalsImported = max(0, g.IntN(2*n)-n)
	for i := len(g.p.globals); i < n; i++ {
		t := g.numType()
		v := global{t, !g.chance(5), g.constant(t)}
		if from := g.IntN(i); from < g.p.globalsImported && !g.p.globals[from].mutable {
			v.typ = g.p.globals[from].typ
			v.init = getGlobal(uint32(from), v.typ)
		}
		g.p.globals = append(g.p.globals, v)
	}
}

// segments makes one table of functions or two, a table of host references or none, and what to fill them with.
func (g *generator) segments() {
	g.quiet = g.chance(3)
	for range g.between(1, 2) {
		t := wasm.TableType{Elem: wasm.FuncRef, Limits: wasm.Limits{Min: uint64(g.between(1, 16))}}
		g.addTable(t)
	}
	if g.chance(3) {
		g.addTable(wasm.TableType{Elem: wasm.ExternRef, Limits: wasm.Limits{Min: uint64(g.IntN(6))}})
	}
	if g.chance(5) {
		g.p.tablesImported = g.IntN(len(g.p.tables) + 1)
	}
	// Every function is declared, so that ref.func may name it.
	all := elemSegment{mode: wasm.SegmentDeclarative, typ: wasm.FuncRef}
	for i := range g.p.exported {
		all.funcs = append(all.funcs, i)
	}
	g.p.elems = append(g.p.elems, all)
	for range g.IntN(3) {
		s := elemSegment{mode: wasm.SegmentPassive, typ: wasm.FuncRef}
		for range g.IntN(8) {
			s.funcs = append(s.funcs, g.IntN(len(g.p.exported)+1)-1)
		}
		g.p.elems = append(g.p.elems, s)
	}
}

func (g *generator) addTable(t wasm.TableType) {
	if g.chance(2) {
		t.Max, t.HasMax = t.Min+uint64(g.IntN(6)), true
	}
	g.p.tables = append(g.p.tables, t)
	g.p.tablesExported = append(g.p.tablesExported, !g.quiet && g.chance(2))
	only := -1 // the only function type
	if g.chance(4) {
		only = int(g.p.typeOf(g.IntN(len(g.p.exported))))
	}
	at := make([]int, t.Min)
	for i := range at {
		at[i] = -1
	}
	if t.Elem == wasm.FuncRef {
		s := elemSegment{typ: t.Elem, table: uint32(len(g.p.tables) - 1), offset: uint32(g.IntN(int(t.Min)))}
		for i := int(s.offset); i < len(at); i++ {
			if f := g.IntN(len(g.p.exported)); !g.chance(8) && (only < 0 || int(g.p.typeOf(f)) == only) {
				at[i] = f
			}
			s.funcs = append(s.funcs, at[i])
		}
		g.p.elems = append(g.p.elems, s)
	}
	g.byIndex = append(g.byIndex, at)
}
