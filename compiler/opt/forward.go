package opt

import (
	"github.com/wasmaot/wasmaot/compiler/abi"
	"github.com/wasmaot/wasmaot/compiler/ssa"
)

// forward gives loads the value that was stored to or loaded from the same place before,
// and reads of globals likewise, from a block to all blocks of which it is the only
// predecessor. Of two writes to a global with nothing between that could see the first, the first goes.
//
// An effective address is the index, zero-extended, plus the offset, in 64 bits; one that is in
// a 32-bit memory is below 1<<32. So of an access that did not trap the address follows from
// what it is modulo 1<<32, and there index and offset can be taken apart further: a place is a
// root value and a distance from it, whether the distance was added before or after
// the index was cut to 32 bits. Distances that do not overlap are disjoint, places with
// different roots may be anything.
//
// An access is removed only if a known one at the same place proves that it would not trap,
// see provesInBounds. The same knowledge lets an address take a constant out of its index.
func forward(f *ssa.Func, s *Scratch) { simplify(f, s, true, false) }

// branch is a block to be gone through, and what is known at its start.
type branch struct {
	block          ssa.Block
	log, globalLog uint32 // their lengths then
	known          known
}

// known says which entries of the tables hold. Together with the entries themselves, which the logs
// bring back, it is all that is known at a point.
type known struct {
	gen   uint32 // entries of older generations are forgotten
	clock uint32 // counts stores
	// The latest store was to lastBase at lastTime, the latest to any other base at otherTime.
	lastBase            memBase
	lastTime, otherTime uint32
	globalGen           uint32
}

type loggedEntry struct {
	at  uint32
	old memEntry
}

type loggedGlobal struct {
	at  uint32
	old knownGlobal
}

func (t *memTable) undo(b *branch) {
	for i := len(t.log); i > int(b.log); i-- {
		l := &t.log[i-1]
		t.entries[l.at] = l.old
	}
	for i := len(t.globalLog); i > int(b.globalLog); i-- {
		l := &t.globalLog[i-1]
		t.globals[l.at] = l.old
	}
	t.log, t.globalLog = t.log[:b.log], t.globalLog[:b.globalLog]
	t.known = b.known
}

// change notes what an entry was before it is changed, if another branch may ask.
func (t *memTable) change(at uint32) *memEntry {
	e := &t.entries[at]
	if len(t.branches) > 0 {
		t.log = append(t.log, loggedEntry{at, *e})
	}
	return e
}

// setGlobal notes the value of a global.
func (t *memTable) setGlobal(index uint32, v ssa.Value) {
	g := &t.globals[index]
	if len(t.branches) > 0 {
		t.globalLog = append(t.globalLog, loggedGlobal{index, *g})
	}
	*g = knownGlobal{t.globalGen, v}
}

// memTable is what is known of memory and globals at a point. Its entries are a cache: losing
// one costs nothing but the chance.
type memTable struct {
	f       *ssa.Func
	block   ssa.Block // at hand
	reach   reach
	entries [memEntries]memEntry
	globals []knownGlobal
	known
	lastSet ssa.Value // write to a global with nothing since that could see it

	branches  []branch
	log       []loggedEntry
	globalLog []loggedGlobal
}

const memEntries = 256

// memBase is what addresses that can be told apart have in common.
type memBase struct {
	mem  uint32
	root ssa.Value // 0 for constant addresses
}

// memEntry is what is known of 8 bytes whose distance from a root is a multiple of 8.
type memEntry struct {
	base    memBase
	granule uint32 // distance / 8
	gen     uint32
	half    [2]knownBytes // one that begins in bytes 0–3, one in 4–7
}

// knownBytes says that the low size bytes of value are what is at a distance from the root.
type knownBytes struct {
	value ssa.Value // 0: nothing known
	dist  uint32
	off   uint32 // offset of the access that showed it
	time  uint32
	size  uint8
	from  ssa.Op // the load that made the value, or a store
}

// place is an address taken apart.
type place struct {
	base  memBase
	dist  uint32
	index ssa.Value
	off   uint32
}

type knownGlobal struct {
	gen   uint32
	value ssa.Value
}

func (t *memTable) begin(f *ssa.Func) {
	t.f = f
	t.clock, t.lastTime, t.otherTime, t.lastBase = 0, 0, 0, memBase{}
	t.reach.begin(f)
	if f.Module != nil && len(t.globals) < len(f.Module.GlobalTypes) {
		t.globals = make([]knownGlobal, len(f.Module.GlobalTypes))
	}
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

// visit looks at an address, or at what reads something or has an effect.
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
	case ssa.OpMemCopy, ssa.OpMemFill, ssa.OpVStoreLane:
		t.forgetMemory()
	case ssa.OpAddr:
		t.address(v)
	case ssa.OpStore, ssa.OpStore8, ssa.OpStore16, ssa.OpStore32:
		t.store(in)
	case ssa.OpLoad, ssa.OpLoad8U, ssa.OpLoad8S, ssa.OpLoad16U, ssa.OpLoad16S, ssa.OpLoad32U, ssa.OpLoad32S:
		t.load(v, in)
	}
	if t.lastSet != 0 && t.f.HasEffect(&t.f.Insts[v]) {
		t.lastSet = 0 // a trap would show it
	}
}

// rootOf takes constants off an index: it is root + dist modulo 1<<32.
func (t *memTable) rootOf(v ssa.Value) (root ssa.Value, dist uint32) {
	for range maxRootSteps {
		in := &t.f.Insts[v]
		switch in.Op {
		case ssa.OpConst:
			return 0, dist + in.A
		case ssa.OpAdd, ssa.OpSub:
			c, ok := t.f.IsConst(ssa.Value(in.B))
			if !ok {
				return v, dist
			}
			if in.Op == ssa.OpSub {
				c = -c
			}
			dist += uint32(c)
		case ssa.OpWrap, ssa.OpZext, ssa.OpSext, ssa.OpSext32: // the low half stays
		default:
			return v, dist
		}
		v = ssa.Value(in.A)
	}
	return v, dist
}

// maxRootSteps bounds how far an index is taken apart.
const maxRootSteps = 8

func (t *memTable) place(addr uint32) place {
	in := &t.f.Insts[addr]
	p := place{base: memBase{in.C >> 8, ssa.Value(in.A)}, dist: in.B, index: ssa.Value(in.A), off: in.B}
	if t.f.Insts[in.A].Type == abi.I32 {
		p.base.root, p.dist = t.rootOf(p.index)
		p.dist += in.B
	}
	return p
}

// provesInBounds reports whether an access at p, which is the place of k, is at the same address as
// the access that k is known from, so that it would not trap. The addresses are the same modulo 1<<32;
// that of k is below 1<<32 and at least k.off, that of p is the index plus p.off, and can only be
// 1<<32 beyond if p.off is greater and index + p.off goes beyond 1<<32.
func (t *memTable) provesInBounds(k *knownBytes, p *place) bool {
	return p.off <= k.off || p.off <= t.proven(p.index)
}

// entry gives the number of the entry for a granule.
func (t *memTable) entry(base memBase, granule uint32) uint32 {
	h := (uint64(base.root) ^ uint64(base.mem)<<24 ^ uint64(granule)<<32) * 0x9e3779b97f4a7c15
	return uint32(h >> 32 % memEntries)
}

func (t *memTable) holds(e *memEntry, base memBase, granule uint32) bool {
	return e.gen == t.gen && e.base == base && e.granule == granule
}

// remember notes what is at a place.
func (t *memTable) remember(p *place, value ssa.Value, size uint32, from ssa.Op) {
	if p.dist%8+size > 8 {
		return
	}
	e := t.change(t.entry(p.base, p.dist/8))
	if !t.holds(e, p.base, p.dist/8) {
		e.base, e.granule, e.gen, e.half = p.base, p.dist/8, t.gen, [2]knownBytes{}
	}
	h := &e.half[p.dist%8/4]
	h.value, h.dist, h.off, h.time, h.size, h.from = value, p.dist, p.off, t.clock, uint8(size), from
}

// valid reports whether nothing at base can have changed since a time by a store to another.
func (t *memTable) valid(base memBase, time uint32) bool {
	if base == t.lastBase {
		return t.otherTime <= time
	}
	return t.lastTime <= time
}

func (t *memTable) store(in *ssa.Inst) {
	p := t.place(in.A)
	size := in.Op.AccessSize(t.f.Insts[in.B].Type)
	t.accessed(&p, size)
	t.clock++
	if p.base != t.lastBase {
		t.lastBase, t.otherTime = p.base, t.lastTime
	}
	t.lastTime = t.clock
	for i := uint32(0); i < p.dist%8+size; i += 8 {
		granule := (p.dist + i) / 8
		at := t.entry(p.base, granule)
		if !t.holds(&t.entries[at], p.base, granule) {
			continue
		}
		e := t.change(at)
		for i := range e.half {
			// Distances are modulo 1<<32.
			if k := &e.half[i]; k.dist-p.dist < size || p.dist-k.dist < uint32(k.size) {
				*k = knownBytes{}
			}
		}
	}
	t.remember(&p, ssa.Value(in.B), size, in.Op)
}

func (t *memTable) load(v ssa.Value, in *ssa.Inst) {
	p := t.place(in.A)
	size := in.Op.AccessSize(in.Type)
	if e := &t.entries[t.entry(p.base, p.dist/8)]; t.holds(e, p.base, p.dist/8) {
		for i := range e.half {
			k := &e.half[i]
			if k.value != 0 && k.dist == p.dist && uint32(k.size) >= size && t.valid(p.base, k.time) &&
				t.provesInBounds(k, &p) && t.replace(v, in, k) {
				return
			}
		}
	}
	if k := t.reached(p.index); k.n > 0 && uint64(p.off)+uint64(size) <= uint64(k.n) && k.mem == p.base.mem {
		in.Flags |= ssa.FlagSafe
	}
	t.accessed(&p, size)
	t.remember(&p, v, size, in.Op)
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
		return true
	case have == abi.V128 || in.Type == abi.V128 || in.Type.IsFloat() && have.IsFloat():
		return false
	case in.Op == ssa.OpLoad && whole && size == have.Size() && have.IsFloat() != in.Type.IsFloat() && !isReference(have) && !isReference(in.Type):
		*in = ssa.NewInst(ssa.OpBitcast, in.Type, w, 0, 0)
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
	f.Insts[v] = ssa.NewInst(ext.op, in.Type, w, b, 0)
	return true
}

func (t *memTable) readGlobal(v ssa.Value, in *ssa.Inst) {
	if int(in.A) >= len(t.globals) {
		return
	}
	g := &t.globals[in.A]
	if g.gen == t.globalGen {
		alias(t.f, v, g.value)
		return
	}
	t.setGlobal(in.A, v)
	t.lastSet = 0 // it may be this very global under another number
}

func (t *memTable) writeGlobal(v ssa.Value, in *ssa.Inst) {
	if int(in.A) >= len(t.globals) {
		t.forgetGlobals()
		return
	}
	g := &t.globals[in.A]
	if g.gen == t.globalGen && g.value == ssa.Value(in.B) {
		*in = ssa.Nop()
		return
	}
	if t.lastSet != 0 && t.f.Insts[t.lastSet].A == in.A {
		t.f.Insts[t.lastSet] = ssa.Nop()
	}
	if int(in.A) < t.f.Module.Layout.Shape.ImportedGlobals {
		// Imported twice, it may be another one as well.
		t.forgetGlobals()
	}
	t.setGlobal(in.A, ssa.Value(in.B))
	t.lastSet = v
}
