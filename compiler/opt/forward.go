package opt

import (
	"github.com/wasmaot/wasmaot/compiler/abi"
	"github.com/wasmaot/wasmaot/compiler/ssa"
)

// forward gives loads the value that was stored to or loaded from the same place before,
// and reads of globals likewise, along stretches of blocks that have only each other as
// predecessors. Of two writes to a global with nothing between that could see the first, the first goes.
//
// A place is an index value and a constant offset. Effective addresses are 64 bits wide and do
// not wrap, so different ranges of offsets from one index value are disjoint; addresses
// from different index values may be anything. An access is removed only if an equal or wider
// one at the same place came before, so it cannot have been the first to trap.
func forward(f *ssa.Func, s *Scratch) {
	dropUnreachable(f)
	t := &s.mem
	t.begin(f)
	last := ssa.NoBlock
	for _, b := range f.RPO {
		bd := &f.Blocks[b]
		if preds := f.PredsOf(bd); len(preds) != 1 || f.Edges[preds[0]].From != last {
			t.forgetAll()
		}
		last = b
		t.lastSet = 0
		for _, v := range f.OrderOf(bd) {
			resolveOperands(f, &f.Insts[v])
			t.visit(v)
		}
	}
	if t.replaced {
		applyAliases(f)
	}
	t.f = nil
}

// memTable is what is known of memory and globals at a point. Its entries are a cache: losing
// one costs nothing but the chance.
type memTable struct {
	f        *ssa.Func
	replaced bool
	entries  [memEntries]memEntry
	gen      uint32 // entries of older generations are forgotten
	clock    uint32 // counts stores
	// The latest store was to lastBase at lastTime, the latest to any other base at otherTime.
	lastBase            memBase
	lastTime, otherTime uint32

	globals   []knownGlobal
	globalGen uint32
	lastSet   ssa.Value // write to a global with nothing since that could see it
}

const memEntries = 256

// memBase is what addresses that can be told apart have in common.
type memBase struct {
	mem   uint32
	index ssa.Value
}

// memEntry is what is known of 8 bytes whose offset from an index is a multiple of 8.
type memEntry struct {
	base    memBase
	granule uint32 // offset / 8
	gen     uint32
	half    [2]knownBytes // beginning in bytes 0–3 and 4–7
}

// knownBytes says that the low size bytes of value are what is at off.
type knownBytes struct {
	value ssa.Value // 0: nothing known
	off   uint32
	time  uint32
	size  uint8
	from  ssa.Op // the load that made the value, or a store
}

type knownGlobal struct {
	gen   uint32
	value ssa.Value
}

func (t *memTable) begin(f *ssa.Func) {
	t.f = f
	t.replaced = false
	t.clock, t.lastTime, t.otherTime, t.lastBase = 0, 0, 0, memBase{}
	if f.Module != nil && len(t.globals) < len(f.Module.GlobalTypes) {
		t.globals = make([]knownGlobal, len(f.Module.GlobalTypes))
	}
	t.forgetAll()
}

func (t *memTable) forgetAll() {
	t.forgetMemory()
	t.forgetGlobals()
}

func (t *memTable) forgetMemory() {
	if t.gen++; t.gen == 0 {
		t.entries = [memEntries]memEntry{}
		t.gen = 1
	}
}

func (t *memTable) forgetGlobals() {
	t.lastSet = 0
	if t.globalGen++; t.globalGen == 0 {
		clear(t.globals)
		t.globalGen = 1
	}
}

func (t *memTable) visit(v ssa.Value) {
	switch in := &t.f.Insts[v]; in.Op {
	case ssa.OpGlobal:
		t.readGlobal(v, in)
		return
	case ssa.OpGlobalSet:
		t.writeGlobal(v, in)
		return
	case ssa.OpCall:
		t.forgetAll()
	case ssa.OpMemCopy, ssa.OpMemFill:
		t.forgetMemory()
	case ssa.OpStore, ssa.OpStore8, ssa.OpStore16, ssa.OpStore32:
		t.store(in)
	case ssa.OpLoad, ssa.OpLoad8U, ssa.OpLoad8S, ssa.OpLoad16U, ssa.OpLoad16S, ssa.OpLoad32U, ssa.OpLoad32S:
		t.load(v, in)
	}
	if hasEffect(t.f, &t.f.Insts[v]) {
		t.lastSet = 0 // a trap would show it
	}
}

func (t *memTable) entry(base memBase, granule uint32) *memEntry {
	h := (uint64(base.index) ^ uint64(base.mem)<<24 ^ uint64(granule)<<32) * 0x9e3779b97f4a7c15
	return &t.entries[h>>32%memEntries]
}

func (t *memTable) holds(e *memEntry, base memBase, granule uint32) bool {
	return e.gen == t.gen && e.base == base && e.granule == granule
}

// place takes an address apart.
func (t *memTable) place(addr uint32) (base memBase, off uint32) {
	in := &t.f.Insts[addr]
	return memBase{in.C >> 8, ssa.Value(in.A)}, in.B
}

// remember notes that the low size bytes of value are at a place.
func (t *memTable) remember(base memBase, off uint32, k knownBytes) {
	if off%8+uint32(k.size) > 8 {
		return
	}
	e := t.entry(base, off/8)
	if !t.holds(e, base, off/8) {
		*e = memEntry{base: base, granule: off / 8, gen: t.gen}
	}
	k.off, k.time = off, t.clock
	if k.size > 4 || off%4+uint32(k.size) > 4 {
		e.half[1] = knownBytes{} // one that spans both halves stands in the first
		e.half[0] = k
		return
	}
	if first := &e.half[0]; off%8 >= 4 && first.value != 0 && first.off+uint32(first.size) > off {
		*first = knownBytes{}
	}
	e.half[off%8/4] = k
}

// valid reports whether nothing at base can have changed since a time by a store to another.
func (t *memTable) valid(base memBase, time uint32) bool {
	if base == t.lastBase {
		return t.otherTime <= time
	}
	return t.lastTime <= time
}

func (t *memTable) store(in *ssa.Inst) {
	base, off := t.place(in.A)
	size := in.Op.AccessSize(t.f.Insts[in.B].Type)
	t.clock++
	if base != t.lastBase {
		t.lastBase, t.otherTime = base, t.lastTime
	}
	t.lastTime = t.clock
	for g := uint64(off) / 8; g <= (uint64(off)+uint64(size)-1)/8; g++ {
		e := t.entry(base, uint32(g))
		if !t.holds(e, base, uint32(g)) {
			continue
		}
		for i := range e.half {
			if k := &e.half[i]; uint64(k.off) < uint64(off)+uint64(size) && uint64(off) < uint64(k.off)+uint64(k.size) {
				*k = knownBytes{}
			}
		}
	}
	t.remember(base, off, knownBytes{value: ssa.Value(in.B), size: uint8(min(size, 255)), from: in.Op})
}

func (t *memTable) load(v ssa.Value, in *ssa.Inst) {
	base, off := t.place(in.A)
	size := in.Op.AccessSize(in.Type)
	if e := t.entry(base, off/8); t.holds(e, base, off/8) {
		for i := range e.half {
			k := &e.half[i]
			if k.value != 0 && k.off == off && uint32(k.size) >= size && t.valid(base, k.time) && t.replace(v, in, k) {
				return
			}
		}
	}
	t.remember(base, off, knownBytes{value: v, size: uint8(size), from: in.Op})
}

// replace makes a load the value it has, or an operation on a known value.
func (t *memTable) replace(v ssa.Value, in *ssa.Inst, k *knownBytes) bool {
	f := t.f
	have := f.Insts[k.value].Type
	whole := uint32(k.size) == have.Size()
	size := in.Op.AccessSize(in.Type)
	w := uint32(k.value)
	switch {
	case have == in.Type && (in.Op == k.from || in.Op == ssa.OpLoad && whole && size == uint32(k.size)):
		alias(f, v, k.value)
		t.replaced = true
		return true
	case have == abi.V128 || in.Type == abi.V128 || in.Type.IsFloat() && have.IsFloat():
		return false
	case in.Op == ssa.OpLoad && whole && size == have.Size() && have.IsFloat() != in.Type.IsFloat() && !isReference(have) && !isReference(in.Type):
		*in = ssa.Inst{Op: ssa.OpBitcast, Type: in.Type, A: w}
		return true
	case have.IsFloat() || in.Type.IsFloat() || isReference(have) || isReference(in.Type):
		return false
	}
	return narrowLoad(f, v, have, w)
}

func isReference(t abi.Type) bool { return t == abi.FuncRef || t == abi.ExternRef }

// extensions gives for loads what extends the low bytes of a value of the same type: an
// op, or the mask of an And.
var extensions = [ssa.OpCount]struct {
	op   ssa.Op
	mask uint64
}{
	ssa.OpLoad8U:  {ssa.OpAnd, 0xff},
	ssa.OpLoad16U: {ssa.OpAnd, 0xffff},
	ssa.OpLoad32U: {ssa.OpAnd, 0xffffffff},
	ssa.OpLoad8S:  {ssa.OpSext8, 0},
	ssa.OpLoad16S: {ssa.OpSext16, 0},
	ssa.OpLoad32S: {ssa.OpSext32, 0},
}

// narrowLoad makes load v of an integer one operation on integer w of type have, the low
// bytes of which it loads.
func narrowLoad(f *ssa.Func, v ssa.Value, have abi.Type, w uint32) bool {
	in := f.Insts[v]
	ext := extensions[in.Op]
	b := uint32(0)
	switch {
	case in.Op == ssa.OpLoad && in.Type == abi.I32 && have == abi.I64:
		ext.op = ssa.OpWrap
	case in.Op == ssa.OpLoad32U && have == abi.I32:
		ext.op = ssa.OpZext
	case in.Op == ssa.OpLoad32S && have == abi.I32:
		ext.op = ssa.OpSext
	case have != in.Type || ext.op == 0:
		return false
	case ext.op == ssa.OpAnd:
		b = uint32(f.Const(in.Type, ext.mask))
	}
	f.Insts[v] = ssa.Inst{Op: ext.op, Type: in.Type, A: w, B: b}
	return true
}

func (t *memTable) readGlobal(v ssa.Value, in *ssa.Inst) {
	if int(in.A) >= len(t.globals) {
		return
	}
	g := &t.globals[in.A]
	if g.gen == t.globalGen {
		alias(t.f, v, g.value)
		t.replaced = true
		return
	}
	*g = knownGlobal{t.globalGen, v}
	t.lastSet = 0 // it may be this very global under another number
}

func (t *memTable) writeGlobal(v ssa.Value, in *ssa.Inst) {
	if int(in.A) >= len(t.globals) {
		t.forgetGlobals()
		return
	}
	g := &t.globals[in.A]
	if g.gen == t.globalGen && g.value == ssa.Value(in.B) {
		*in = ssa.Inst{Op: ssa.OpNop}
		t.replaced = true
		return
	}
	if t.lastSet != 0 && t.f.Insts[t.lastSet].A == in.A {
		t.f.Insts[t.lastSet] = ssa.Inst{Op: ssa.OpNop}
		t.replaced = true
	}
	if int(in.A) < t.f.Module.Layout.Shape.ImportedGlobals {
		// Imported twice, it may be another one as well.
		t.forgetGlobals()
	}
	*g = knownGlobal{t.globalGen, ssa.Value(in.B)}
	t.lastSet = v
}
