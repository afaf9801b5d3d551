package ssatest

import (
	"math"
	"math/rand/v2"

	"github.com/wasmaot/wasmaot/compiler/abi"
	"github.com/wasmaot/wasmaot/compiler/ssa"
)

// Options shape random functions.
type Options struct {
	Blocks, Insts int  // most of each: blocks, and instructions a block
	NoFloats      bool // integers only
	NoCalls       bool
	Explicit      bool // addresses are checked
}

// MemoryBytes is the size of the memory that the functions expect.
const MemoryBytes = 1 << 16

// Module is what the functions refer to.
var Module = &ssa.Module{
	FuncSigs: []*abi.Signature{
		{Params: []abi.Type{abi.I32}, Results: []abi.Type{abi.I32}}, // imported
		{Params: []abi.Type{abi.I64, abi.F64}, Results: []abi.Type{abi.F64, abi.I32, abi.I64}},
		{Params: nil, Results: nil},
		{Params: []abi.Type{abi.I32, abi.I64, abi.F32}, Results: []abi.Type{abi.I64}},
	},
	GlobalTypes: []abi.Type{abi.I32, abi.I64, abi.F64, abi.I32, abi.F32},
	TableMin:    []uint64{8},
	TableFixed:  []bool{true},
	MemGap:      []uint32{abi.MemoryGap},
	Limbs:       true,
	FuncNames:   func(uint32) string { return "" },
}

var (
	signature = &abi.Signature{
		Params:  []abi.Type{abi.I32, abi.I64, abi.F32, abi.F64, abi.I32},
		Results: []abi.Type{abi.I32, abi.I64, abi.F64},
	}
	// What the flow from block to block and calls may carry.
	numberTypes  = []abi.Type{abi.I32, abi.I32, abi.I64, abi.I64, abi.F32, abi.F64}
	integerTypes = []abi.Type{abi.I32, abi.I64}
)

// Func makes a random function that ssa.Check accepts. Its graph may have any shape.
func Func(r *rand.Rand, o Options) *ssa.Func {
	g := &generator{r: r, o: o, f: new(ssa.Func), types: numberTypes}
	if o.NoFloats {
		g.types = integerTypes
	}
	f := g.f
	f.Reset()
	f.Module, f.Index, f.Name, f.Sig = Module, 3, "random", signature
	g.graph()
	f.Analyze(new(ssa.Scratch))
	g.own = make([][]ssa.Value, len(f.Blocks))
	for b := range f.Blocks {
		bd := &f.Blocks[b]
		types := f.Sig.Params
		if b > 0 {
			types = nil
			for range r.IntN(4) {
				types = append(types, pick(r, g.types))
			}
		}
		first := f.AddParams(ssa.Block(b), types...)
		for i := range types {
			g.own[b] = append(g.own[b], first+ssa.Value(i))
		}
		bd.Cold = r.IntN(8) == 0
	}
	for _, b := range f.RPO {
		g.fill(b)
	}
	f.Analyze(new(ssa.Scratch))
	return f
}

type generator struct {
	r     *rand.Rand
	o     Options
	f     *ssa.Func
	types []abi.Type
	block ssa.Block
	own   [][]ssa.Value // values of each block
	pos   uint32
}

func pick[T any](r *rand.Rand, s []T) T { return s[r.IntN(len(s))] }

// graph makes blocks and edges. Most edges lead forward, so that most functions end.
func (g *generator) graph() {
	f, r := g.f, g.r
	n := 1 + r.IntN(g.o.Blocks)
	for i := range n {
		b := f.AddBlock()
		bd := &f.Blocks[b]
		bd.SuccStart = uint32(len(f.Edges))
		target := func() ssa.Block {
			if i+1 < n && r.IntN(6) > 0 {
				return ssa.Block(i + 1 + r.IntN(min(n-i-1, 4)))
			}
			return ssa.Block(1 + r.IntN(n-1))
		}
		kind := ssa.BlockReturn
		if n > 1 && (i < n-1 || r.IntN(3) == 0) {
			kind = pick(r, []ssa.BlockKind{ssa.BlockJump, ssa.BlockJump, ssa.BlockIf, ssa.BlockIf, ssa.BlockIf, ssa.BlockSwitch, ssa.BlockReturn, ssa.BlockTrap})
			if i < 2 && kind > ssa.BlockSwitch {
				kind = ssa.BlockIf
			}
		}
		bd.Kind = kind
		switch kind {
		case ssa.BlockJump:
			f.AddEdge(b, target())
		case ssa.BlockIf:
			f.AddEdge(b, target())
			f.AddEdge(b, target())
		case ssa.BlockSwitch:
			bd.TabStart = uint32(len(f.Tables))
			edges := make(map[ssa.Block]ssa.Edge)
			for range 1 + r.IntN(6) {
				to := target()
				if _, ok := edges[to]; !ok {
					edges[to] = f.AddEdge(b, to)
				}
				f.Tables = append(f.Tables, edges[to])
			}
			bd.TabEnd = uint32(len(f.Tables))
		case ssa.BlockTrap:
			bd.Trap = abi.TrapUnreachable
		}
		bd.SuccEnd = uint32(len(f.Edges))
	}
}

func (g *generator) fill(b ssa.Block) {
	f, r := g.f, g.r
	g.block = b
	bd := &f.Blocks[b]
	bd.InstStart = uint32(len(f.Order))
	for range r.IntN(g.o.Insts + 1) {
		g.inst()
	}
	switch bd.Kind {
	case ssa.BlockIf, ssa.BlockSwitch:
		bd.Ctl = g.condition()
		if bd.Kind == ssa.BlockSwitch && r.IntN(2) == 0 {
			bd.Ctl = g.emit(ssa.OpAnd, abi.I32, bd.Ctl, f.Const(abi.I32, 3))
		}
	case ssa.BlockReturn:
		results := g.values(f.Sig.Results)
		results[1] = g.digest()
		bd.RetStart, bd.RetEnd = f.AddList(results)
	case ssa.BlockTrap:
		g.emit(ssa.OpGlobalSet, abi.Void, 1, g.digest())
	}
	bd.InstEnd = uint32(len(f.Order))
	for i := bd.SuccStart; i < bd.SuccEnd; i++ {
		e := &f.Edges[i]
		var types []abi.Type
		for _, p := range f.ParamsOf(&f.Blocks[e.To]) {
			types = append(types, f.Insts[p].Type)
		}
		e.ArgStart, e.ArgEnd = f.AddList(g.values(types))
	}
	g.pos++
	bd.Pos = g.pos
}

// condition gives what a block's end depends on: now and then what an earlier block's did.
func (g *generator) condition() ssa.Value {
	f, r := g.f, g.r
	up := f.Blocks[g.block].Idom
	for up != ssa.NoBlock && (r.IntN(2) == 0 || f.Blocks[up].Ctl == 0) {
		up = f.Blocks[up].Idom
	}
	if up == ssa.NoBlock || r.IntN(3) == 0 {
		return g.value(abi.I32)
	}
	ctl := f.Blocks[up].Ctl
	switch in := f.Insts[ctl]; {
	case r.IntN(3) == 0 || !in.Op.Is(ssa.PropCompare) || in.Op > ssa.OpGeU:
		return ctl
	case in.Op == ssa.OpEqz:
		return g.emit(ssa.OpNe, abi.I32, ssa.Value(in.A), f.Const(f.Insts[in.A].Type, 0))
	case r.IntN(2) == 0:
		return g.emit(in.Op, abi.I32, ssa.Value(in.A), ssa.Value(in.B))
	default:
		return g.emit(ssa.OpEqz, abi.I32, g.emit(in.Op, abi.I32, ssa.Value(in.A), ssa.Value(in.B)))
	}
}

// digest mixes many of the values there are into one, so that what they are can be seen.
func (g *generator) digest() ssa.Value {
	f, r := g.f, g.r
	sum := g.value(abi.I64)
	for b := g.block; b != ssa.NoBlock; b = f.Blocks[b].Idom {
		for _, v := range g.own[b] {
			if r.IntN(3) == 0 {
				continue
			}
			switch f.Insts[v].Type {
			case abi.F64:
				v = g.emit(ssa.OpBitcast, abi.I64, v)
			case abi.F32:
				v = g.emit(ssa.OpZext, abi.I64, g.emit(ssa.OpBitcast, abi.I32, v))
			case abi.I32:
				v = g.emit(ssa.OpZext, abi.I64, v)
			case abi.I64:
			default:
				continue
			}
			sum = g.emit(ssa.OpRotl, abi.I64, sum, f.Const(abi.I64, 5))
			sum = g.emit(ssa.OpXor, abi.I64, sum, v)
		}
	}
	return sum
}

func (g *generator) emit(op ssa.Op, t abi.Type, args ...ssa.Value) ssa.Value {
	var x [3]uint32
	for i, a := range args {
		x[i] = uint32(a)
	}
	g.pos++
	v := g.f.Emit(op, t, x[0], x[1], x[2], g.pos)
	if t != abi.Void && t != abi.Addr {
		g.own[g.block] = append(g.own[g.block], v)
	}
	return v
}

func (g *generator) values(types []abi.Type) (vs []ssa.Value) {
	for _, t := range types {
		vs = append(vs, g.value(t))
	}
	return vs
}

// value gives a value of type t that is available here, preferring recent ones.
func (g *generator) value(t abi.Type) ssa.Value {
	r := g.r
	for b, tries := g.block, 0; tries < 12 && r.IntN(10) > 1; tries++ {
		if own := g.own[b]; len(own) > 0 {
			back := min(r.IntN(len(own)), r.IntN(len(own)))
			if v := own[len(own)-1-back]; g.f.Insts[v].Type == t {
				return v
			}
		}
		if up := g.f.Blocks[b].Idom; r.IntN(3) == 0 && up != ssa.NoBlock {
			b = up
		}
	}
	return g.f.Const(t, g.bits(t))
}

var integers = []uint64{0, 0, 1, 1, 2, 3, 4, 7, 8, 16, 24, 31, 32, 33, 48, 56, 63, 64, 0x7f, 0x80, 0xff, 0x100, 0x7fff, 0xffff, 0x10000,
	0x7fffffff, 0x80000000, 0xffffffff, 1 << 32, math.MaxInt64, 1 << 63, math.MaxUint64, math.MaxUint64 - 1, math.MaxUint64 - 7}

var floats = []float64{0, math.Copysign(0, -1), 1, -1, 0.5, 2, 1.5, 1e10, -3e9, 4294967296, 9.3e18, 1e300, math.Inf(1), math.Inf(-1), math.MaxFloat32, 5e-324}

func (g *generator) bits(t abi.Type) uint64 {
	r := g.r
	switch {
	case t == abi.FuncRef || t == abi.ExternRef:
		return 0
	case t.IsFloat() && r.IntN(8) == 0: // NaNs, signalling ones too
		if t == abi.F32 {
			return 0x7f800001 | r.Uint64()&0x807fffff
		}
		return 0x7ff0000000000001 | r.Uint64()&0x800fffffffffffff
	case t == abi.F32:
		return uint64(math.Float32bits(float32(pick(r, floats))))
	case t == abi.F64:
		return math.Float64bits(pick(r, floats))
	case r.IntN(8) == 0:
		return r.Uint64()
	}
	return pick(r, integers)
}

// plainOps are those whose operands and result follow from their letters alone.
var plainOps = func() (ops []ssa.Op) {
	for op := ssa.OpAdd; op <= ssa.OpSelect; op++ {
		ops = append(ops, op)
	}
	return ops
}()

func (g *generator) inst() {
	switch g.r.IntN(14) {
	default:
		g.plain()
	case 0:
		g.memory()
	case 1:
		g.places()
	case 2:
		g.state()
	case 3, 4, 5, 6:
		g.idiom()
	}
}

func (g *generator) plain() {
	r := g.r
	op := pick(r, plainOps)
	if op.Is(ssa.PropTraps) && r.IntN(4) > 0 {
		return
	}
	info := &ssa.Ops[op]
	bound := make(map[byte]abi.Type)
	typ := func(letter byte) abi.Type {
		t, ok := bound[letter]
		if letter == 'b' && ok {
			return map[abi.Type]abi.Type{abi.I32: abi.F32, abi.F32: abi.I32, abi.I64: abi.F64, abi.F64: abi.I64}[t]
		}
		for !ok || t == abi.V128 || letter == 't' && (t == abi.FuncRef || t == abi.ExternRef) {
			t, ok = pick(r, ssa.TypesOf(letter)), true
		}
		bound[letter] = t
		return t
	}
	var args []ssa.Value
	for i := range info.Arity {
		args = append(args, g.value(typ(info.Types[i])))
	}
	t := typ(info.Types[len(info.Types)-1])
	if g.o.NoFloats {
		for _, a := range args {
			if g.f.Insts[a].Type.IsFloat() {
				return
			}
		}
		if t.IsFloat() {
			return
		}
	}
	if op.Is(ssa.PropTraps) && op <= ssa.OpRemU && r.IntN(8) > 0 {
		args[1] = g.f.Const(t, uint64(1+r.IntN(9))) // not zero
	}
	g.emit(op, t, args...)
}

var loads = []ssa.Op{ssa.OpLoad, ssa.OpLoad, ssa.OpLoad, ssa.OpLoad8U, ssa.OpLoad8S, ssa.OpLoad16U, ssa.OpLoad16S, ssa.OpLoad32U, ssa.OpLoad32S}
var stores = []ssa.Op{ssa.OpStore, ssa.OpStore, ssa.OpStore, ssa.OpStore8, ssa.OpStore16, ssa.OpStore32}

// memory makes some accesses off one index.
func (g *generator) memory() {
	f, r := g.f, g.r
	index := g.value(abi.I32)
	if _, isConst := f.IsConst(index); isConst {
		index = f.Const(abi.I32, uint64(r.IntN(MemoryBytes/2)))
	} else if r.IntN(16) > 0 && f.Insts[index].Op != ssa.OpAnd {
		index = g.emit(ssa.OpAnd, abi.I32, index, f.Const(abi.I32, 0x7ff8))
	}
	for range 1 + r.IntN(3) {
		g.access(index, r.IntN(24))
	}
}

// access makes an address and a load or store there.
func (g *generator) access(index ssa.Value, offset int) {
	f, r := g.f, g.r
	op := pick(r, loads)
	if r.IntN(2) == 0 {
		op = pick(r, stores)
	}
	t := pick(r, g.types)
	switch op {
	case ssa.OpLoad, ssa.OpStore:
	case ssa.OpLoad32U, ssa.OpLoad32S, ssa.OpStore32:
		t = abi.I64
	default:
		t = pick(r, integerTypes)
	}
	addr := g.emit(ssa.OpAddr, abi.Addr, index, ssa.Value(offset), ssa.Value(op.AccessSize(t)))
	if g.o.Explicit && r.IntN(8) > 0 {
		f.Insts[addr].Flags |= ssa.FlagChecked
	}
	if op < ssa.OpStore {
		g.emit(op, t, addr)
	} else {
		g.emit(op, abi.Void, addr, g.value(t))
	}
}

// places makes accesses at constant distances from one index, as to a stack frame. The
// distance is added before or after the index is cut to 32 bits. Indices are one of a few, so that
// different ones meet, or near the end of the address space so that the former sum wraps.
func (g *generator) places() {
	f, r := g.f, g.r
	x := g.value(abi.I32)
	if r.IntN(8) > 0 {
		x = g.emit(ssa.OpAnd, abi.I32, x, f.Const(abi.I32, pick(r, []uint64{8, 24})))
	} else {
		x = g.emit(ssa.OpOr, abi.I32, x, f.Const(abi.I32, 0xfffffff0))
	}
	for range 2 + r.IntN(5) {
		index, dist, offset := x, uint64(r.IntN(5)*8), r.IntN(5)*4
		switch r.IntN(4) {
		case 0:
			index = g.emit(ssa.OpAdd, abi.I32, x, f.Const(abi.I32, dist))
		case 1:
			index = g.emit(ssa.OpWrap, abi.I32, g.emit(ssa.OpAdd, abi.I64, g.emit(ssa.OpZext, abi.I64, x), f.Const(abi.I64, dist)))
		}
		g.access(index, offset)
	}
}

// state makes accesses of globals and tables, bulk operations and calls.
func (g *generator) state() {
	f, r := g.f, g.r
	global := r.IntN(len(Module.GlobalTypes))
	switch r.IntN(7) {
	case 0, 1:
		if t := Module.GlobalTypes[global]; !g.o.NoFloats || !t.IsFloat() {
			g.emit(ssa.OpGlobal, t, ssa.Value(global))
		}
	case 2:
		if t := Module.GlobalTypes[global]; !g.o.NoFloats || !t.IsFloat() {
			g.emit(ssa.OpGlobalSet, abi.Void, ssa.Value(global), g.value(t))
		}
	case 3:
		g.emit(pick(r, []ssa.Op{ssa.OpMemSize, ssa.OpTabSize}), abi.I64, 0)
	case 4:
		small := func() ssa.Value { return f.Const(abi.I32, uint64(r.IntN(200))) }
		g.emit(pick(r, []ssa.Op{ssa.OpMemCopy, ssa.OpMemFill}), abi.Void, small(), small(), small())
	default:
		if !g.o.NoCalls {
			g.call()
		}
	}
}

func (g *generator) call() {
	f, r := g.f, g.r
	callee := r.IntN(len(Module.FuncSigs))
	c := ssa.Call{Kind: ssa.CallDirect, Callee: uint32(callee), Sig: Module.FuncSigs[callee]}
	args := g.values(c.Sig.Params)
	switch {
	case callee == 0:
		c.Kind = ssa.CallImport
	case r.IntN(3) == 0:
		c.Kind, c.Callee, c.TypeIndex = ssa.CallIndirect, 0, uint32(callee)
		args = append(args, g.value(abi.I32))
	}
	g.pos++
	v := f.EmitCall(c, args, g.pos)
	for i := range c.Sig.Results {
		if t := c.Sig.Results[i]; !g.o.NoFloats || !t.IsFloat() {
			g.own[g.block] = append(g.own[g.block], v+ssa.Value(i))
		}
	}
}

// idiom makes what compilers for WebAssembly make.
func (g *generator) idiom() {
	f, r := g.f, g.r
	wide := func(v ssa.Value) ssa.Value { return g.emit(pick(r, []ssa.Op{ssa.OpZext, ssa.OpSext}), abi.I64, v) }
	arith := []ssa.Op{ssa.OpAdd, ssa.OpSub, ssa.OpMul, ssa.OpAnd, ssa.OpOr, ssa.OpXor, ssa.OpShl, ssa.OpShrU}
	compare := ssa.OpEqz + 1 + ssa.Op(r.IntN(int(ssa.OpGeU-ssa.OpEqz)))
	switch r.IntN(9) {
	case 0: // Go's pointer arithmetic
		x := g.emit(pick(r, arith), abi.I64, wide(g.value(abi.I32)), f.Const(abi.I64, g.bits(abi.I64)))
		g.emit(ssa.OpWrap, abi.I32, x)
	case 1:
		x := g.emit(pick(r, arith), abi.I64, wide(g.value(abi.I32)), wide(g.value(abi.I32)))
		g.emit(ssa.OpWrap, abi.I32, x)
	case 2: // Go's bool
		g.emit(ssa.OpEqz, abi.I32, wide(g.emit(compare, abi.I32, g.value(abi.I64), g.value(abi.I64))))
	case 3:
		g.emit(compare, abi.I32, wide(g.value(abi.I32)), wide(g.value(abi.I32)))
	case 4:
		t := pick(r, integerTypes)
		x := g.emit(pick(r, arith), t, g.value(t), f.Const(t, g.bits(t)))
		g.emit(pick(r, arith), t, x, f.Const(t, g.bits(t)))
	case 5:
		if r.IntN(3) == 0 {
			t, k := pick(r, integerTypes), uint64(1+r.IntN(63))
			x := g.value(t)
			l := g.emit(ssa.OpShl, t, x, f.Const(t, k))
			g.emit(pick(r, []ssa.Op{ssa.OpOr, ssa.OpXor}), t, l, g.emit(ssa.OpShrU, t, x, f.Const(t, uint64(8*t.Size())-k+uint64(r.IntN(3))/2)))
			return
		}
		t := pick(r, integerTypes)
		x := g.emit(pick(r, []ssa.Op{ssa.OpAnd, ssa.OpShl, ssa.OpSext8, ssa.OpSext16}), t, g.value(t), f.Const(t, g.bits(t)))
		g.emit(pick(r, []ssa.Op{ssa.OpAnd, ssa.OpShrS, ssa.OpShrU, ssa.OpSext8, ssa.OpSext16}), t, x, f.Const(t, g.bits(t)))
	case 6: // a small number compared
		x := g.emit(ssa.OpAnd, abi.I32, g.value(abi.I32), f.Const(abi.I32, 7))
		g.emit(compare, abi.I32, x, f.Const(abi.I32, uint64(r.IntN(12)-2)))
	case 7: // both widths of one number
		x := wide(g.value(abi.I32))
		g.emit(compare, abi.I32, x, f.Const(abi.I64, g.bits(abi.I64)))
		g.emit(ssa.OpSelect, abi.I64, g.emit(compare, abi.I32, x, g.value(abi.I64)), x, f.Const(abi.I64, uint64(r.IntN(2))))
	case 8: // the same shift again, and back
		t := pick(r, integerTypes)
		k := f.Const(t, uint64(r.IntN(66)))
		n := k
		if r.IntN(2) == 0 {
			n = f.Const(t, uint64(r.IntN(66)))
		}
		shifts := []ssa.Op{ssa.OpShl, ssa.OpShrU, ssa.OpShrS}
		g.emit(pick(r, shifts), t, g.emit(pick(r, shifts), t, g.value(t), k), n)
	}
}
