package amd64

import (
	"fmt"
	"slices"
	"sync"

	"github.com/wasmaot/wasmaot/backend"
	"github.com/wasmaot/wasmaot/backend/regalloc"
	"github.com/wasmaot/wasmaot/compiler/abi"
	"github.com/wasmaot/wasmaot/compiler/ssa"
	"github.com/wasmaot/wasmaot/internal/mutant"
)

// valueInfo is what selection knows about an SSA value.
type valueInfo struct {
	vreg  regalloc.VReg // 0 until someone asks for the value in a register
	epoch uint32        // when it is computed, see lowerer.epoch; block parameters: the block's place in RPO
	param uint32        // block parameters: number
	uses  uint16        // saturating
	flags infoFlags
}

type infoFlags uint8

const (
	// infoZext: an I32 whose register must be zero-extended since an address or OpZext uses it.
	infoZext infoFlags = 1 << iota
	// infoFolded: a load that is part of its user.
	infoFolded
	// infoAlias: another value's register serves.
	infoAlias
	// infoNarrow: a 64-bit operation of which only the low half is used.
	infoNarrow
)

// lowerer selects instructions. It walks the blocks backwards and each block from its
// end, so all uses of a value come before its definition: a value that no one asked
// for in a register by then is dead or part of its users. The instructions come out in
// reverse order and are turned around at the end.
type lowerer struct {
	cfg *backend.Config
	f   *ssa.Func
	m   *backend.Func

	info []valueInfo
	// Time within the function: it advances at each block and at each effect that a load may not be
	// moved across. Loads of one epoch may be made at any place of that epoch.
	epoch      uint32
	blockStart uint32 // epoch in which the current block begins
	epochs     []uint32
	edges      []uint32 // by ssa.Edge: the allocator's edge
	work       []ssa.Value
	sigs       [4]sigPlaces
	nextSig    int
	arrivals   []arrival

	pos    uint32      // wasm offset for the instructions being made
	after  []ssa.Value // what follows in the block
	noFold bool        // what is being selected may be selected again: no loads may become part of it
	err    error
}

var lowerers = sync.Pool{New: func() any { return new(lowerer) }}

// lower selects instructions for f into m.
func lower(cfg *backend.Config, f *ssa.Func, m *backend.Func) error {
	l := lowerers.Get().(*lowerer)
	l.cfg, l.f, l.m, l.err, l.noFold = cfg, f, m, nil, false
	m.Reset(f)
	m.RA.ClobberSets = append(m.RA.ClobberSets, clobberedBy[:]...)
	l.prepare()
	l.linkBlocks()
	for i := len(f.RPO) - 1; i >= 0 && l.err == nil; i-- {
		l.block(uint32(i))
	}
	l.turn()
	err := l.err
	l.cfg, l.f, l.m = nil, nil, nil
	lowerers.Put(l)
	return err
}

func (l *lowerer) fail(format string, args ...any) {
	if l.err == nil {
		l.err = fmt.Errorf("amd64: function %d: "+format, append([]any{l.f.Index}, args...)...)
	}
}

// block selects the instructions of block number i in RPO.
func (l *lowerer) block(i uint32) {
	f := l.f
	b := &f.Blocks[f.RPO[i]]
	rb := &l.m.RA.Blocks[i]
	rb.Start = uint32(len(l.m.Insts))
	l.blockStart = l.epochs[i]
	l.epoch = l.epochs[i+1] - 1
	l.pos = b.Pos
	l.group(func() { l.terminator(b) })
	order := f.OrderOf(b)
	for k := len(order) - 1; k >= 0; k-- {
		v := order[k]
		in := &f.Insts[v]
		info := &l.info[v]
		if info.flags&(infoFolded|infoAlias) != 0 || info.vreg == 0 && !hasEffect(in) {
			continue
		}
		r := &rules[in.Op]
		if r.fn == nil {
			if in.Op != ssa.OpNop && in.Op != ssa.OpResult {
				l.fail("%s is not a known operation", in.Op)
			}
			continue
		}
		l.epoch, l.pos, l.after = info.epoch, f.Pos[v], order[k+1:]
		start := len(l.m.Insts)
		if l.poisons(v, in) {
			l.poisoned(v, in, r)
		} else {
			r.fn(l, v, in, r.op)
		}
		l.reverse(start)
	}
	l.pos = 0
	l.group(func() { l.blockParams(i) })
	rb.End = uint32(len(l.m.Insts))
}

// group makes instructions in program order amid the backward walk.
func (l *lowerer) group(fn func()) {
	start := len(l.m.Insts)
	fn()
	l.reverse(start)
}

func (l *lowerer) reverse(start int) {
	if len(l.m.Insts)-start > 1 {
		slices.Reverse(l.m.Insts[start:])
		slices.Reverse(l.m.RA.Insts[start:])
	}
}

// turn brings all instructions into program order.
func (l *lowerer) turn() {
	l.reverse(0)
	n := uint32(len(l.m.Insts))
	for i := range l.m.RA.Blocks {
		b := &l.m.RA.Blocks[i]
		b.Start, b.End = n-b.End, n-b.Start
	}
}

func hasEffect(in *ssa.Inst) bool {
	return in.Op.Is(ssa.PropEffect) || in.Op == ssa.OpAddr && in.Flags&ssa.FlagChecked != 0
}

// class gives the register class of a type.
func class(t abi.Type) regalloc.Class {
	switch t {
	case abi.F32, abi.F64:
		return regalloc.ClassFloat
	case abi.V128:
		return regalloc.ClassVec
	}
	return regalloc.ClassInt
}

func (l *lowerer) newVReg(c regalloc.Class) regalloc.VReg {
	l.m.RA.VRegs = append(l.m.RA.VRegs, regalloc.VRegInfo{Class: c})
	l.m.Remat = append(l.m.Remat, 0)
	return regalloc.VReg(len(l.m.RA.VRegs) - 1)
}

// use asks for v in a register. An I32 that addresses use is zero-extended there.
func (l *lowerer) use(v ssa.Value) regalloc.VReg {
	if r := l.info[v].vreg; r != 0 {
		return r
	}
	x := l.aliased(v)
	info, in := &l.info[x], &l.f.Insts[x]
	switch {
	case info.vreg != 0:
	case in.Op == ssa.OpConst:
		l.constant(x, in)
	case in.Type == abi.Void || in.Op == ssa.OpNop:
		l.fail("v%d is used but has no value", x)
		return l.newVReg(regalloc.ClassInt)
	default:
		info.vreg = l.newVReg(class(in.Type))
	}
	for v != x { // remembered, for chains of aliases may be long
		l.info[v].vreg = info.vreg
		l.info[v].flags |= infoAlias
		v = ssa.Value(l.f.Insts[v].A)
		if l.info[v].vreg != 0 {
			break
		}
	}
	return info.vreg
}

// aliased follows changes of width that are none for registers.
func (l *lowerer) aliased(v ssa.Value) ssa.Value {
	for l.info[v].vreg == 0 {
		in := &l.f.Insts[v]
		switch in.Op {
		case ssa.OpWrap:
			if l.narrows(v) {
				l.info[in.A].flags |= infoNarrow
			} else if l.info[v].flags&infoZext != 0 && !l.zeroExtended(ssa.Value(in.A)) && !mutant.Extension {
				return v
			}
		case ssa.OpZext:
		default:
			return v
		}
		v = ssa.Value(in.A)
	}
	return v
}

// constant gives a constant its register, which is defined nowhere.
func (l *lowerer) constant(v ssa.Value, in *ssa.Inst) {
	// Of vectors the bits are the index in ssa.Func.Vecs.
	l.info[v].vreg = l.rematerialised(class(in.Type), int64(in.ConstBits()))
}

func (l *lowerer) rematerialised(c regalloc.Class, bits int64) regalloc.VReg {
	r := l.newVReg(c)
	l.m.RA.VRegs[r].Home = regalloc.HomeRemat
	l.m.Remat[r] = bits
	return r
}

// result gives the register for v's definition; a dead one if no one uses it.
func (l *lowerer) result(v ssa.Value) regalloc.VReg {
	info := &l.info[v]
	if info.vreg == 0 {
		info.vreg = l.newVReg(class(l.f.Insts[v].Type))
	}
	return info.vreg
}

// here reports whether v is computed in the current block, so that a pure v may
// as well be computed where it is used.
func (l *lowerer) here(v ssa.Value) bool {
	return l.info[v].epoch >= l.blockStart && l.f.Insts[v].Op != ssa.OpParam
}

// only reports whether v is computed in the current block for one use alone.
func (l *lowerer) only(v ssa.Value) bool { return l.info[v].uses == 1 && l.here(v) }

// narrowable are the operations whose low half depends on the low halves of the
// operands alone. (A narrower load from memory might not trap where the wide one does.)
var narrowable = [ssa.OpCount]bool{
	ssa.OpAdd: true, ssa.OpSub: true, ssa.OpMul: true, ssa.OpAnd: true, ssa.OpOr: true, ssa.OpXor: true,
	ssa.OpGlobal: true,
}

// narrows reports whether v is a wrap of an operation that no one else uses and that can be
// made in 32 bits.
func (l *lowerer) narrows(v ssa.Value) bool {
	x := l.f.Insts[v].A
	return narrowable[l.f.Insts[x].Op] && l.info[x].uses == 1
}

// sizeOf is the operand size of an operation whose result is v.
func (l *lowerer) sizeOf(v ssa.Value) uint8 {
	if l.info[v].flags&infoNarrow != 0 {
		return 4
	}
	return uint8(l.f.Insts[v].Type.Size())
}

// zeroExtended reports whether the register of v, an I32 or I64, has an upper half of zeros.
func (l *lowerer) zeroExtended(v ssa.Value) bool {
	for {
		in := &l.f.Insts[v]
		switch in.Op {
		case ssa.OpConst:
			return in.Type != abi.V128 && in.B == 0
		case ssa.OpWrap:
			if l.info[v].flags&infoZext != 0 || l.narrows(v) || mutant.Extension {
				return true
			}
			v = ssa.Value(in.A)
			continue
		case ssa.OpParam:
			return in.Type == abi.I32 && l.info[v].flags&infoZext != 0
		case ssa.OpCall, ssa.OpResult:
			return in.Type == abi.I32 && l.info[v].flags&infoZext != 0
		case ssa.OpZext, ssa.OpLoad8U, ssa.OpLoad16U, ssa.OpLoad32U, ssa.OpClz, ssa.OpCtz, ssa.OpPopcnt, ssa.OpTabSize:
			return true
		case ssa.OpAnd:
			if c, ok := l.f.IsConst(ssa.Value(in.B)); ok && c>>32 == 0 {
				return true
			}
		}
		return in.Type == abi.I32 // made by an instruction with 32-bit operands
	}
}
