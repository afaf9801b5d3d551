package isel

import (
	"fmt"

	"github.com/wasmaot/wasmaot/backend"
	"github.com/wasmaot/wasmaot/backend/regalloc"
	"github.com/wasmaot/wasmaot/compiler/abi"
	"github.com/wasmaot/wasmaot/compiler/ssa"
	"github.com/wasmaot/wasmaot/internal/mutant"
)

// ValueInfo is what selection knows about an SSA value.
type ValueInfo struct {
	VReg  regalloc.VReg // 0 until someone asks for the value in a register
	Epoch uint32        // when it is computed, see Lowerer.Epoch; block parameters: the block's place in RPO
	other uint32        // Paired: the partner
	Uses  uint16        // saturating
	Flags Flags
}

// Flags of a value.
type Flags uint8

const (
	// Zext marks an I32 whose register must be zero-extended since an address or OpZext uses it.
	Zext Flags = 1 << iota
	// Folded marks a value that is made by another's instructions.
	Folded
	// Alias marks a value for which another value's register serves.
	Alias
	// Narrow marks a 64-bit operation of which only the low half is used.
	Narrow
	// Followed marks a value of which the machine makes something else wherever it is defined, see Machine.Follow.
	Followed
	// Needed marks what someone uses, or does something else than making its value. All else is dead.
	Needed
	// Paired marks a value that another one, which comes later in the block, is to be made with.
	Paired
)

// Machine is what the instruction set's part of selection does.
type Machine interface {
	// Begin is called before anything is selected, when uses are counted.
	Begin()
	// Select makes the instructions for v by its operation's rule and reports whether there is one.
	Select(v ssa.Value, in *ssa.Inst) bool
	// Follow makes what comes right behind the definition of v, which the machine has marked Followed.
	Follow(v ssa.Value)
	// Branch ends a block with two successors.
	Branch(ctl ssa.Value)
	// Load makes d what is at a location, of a type and a size in bytes.
	Load(d regalloc.VReg, t abi.Type, size uint8, at Location)
	// Store stores x.
	Store(x ssa.Value, size uint8, at Location)
	// Address makes d the address of what is disp bytes into the context.
	Address(d regalloc.VReg, disp int32)
	// LoadElement loads an element of a table, StoreElement stores one.
	LoadElement(d, base, index regalloc.VReg)
	StoreElement(x ssa.Value, base, index regalloc.VReg)
	// Extend makes d of the low half of x, the upper half becomes 0. The instruction may find x in its slot.
	Extend(d, x regalloc.VReg)
	// LoadGuest makes v, a load from a linear memory, and StoreGuest a store.
	LoadGuest(v ssa.Value, in *ssa.Inst)
	StoreGuest(v ssa.Value, in *ssa.Inst)
	// Sum makes d = base + index, an I32, + offset.
	Sum(d, base, index regalloc.VReg, offset uint32)
	// ComparesSwapped reports whether integers of the size are better compared with a as the second operand than with b.
	ComparesSwapped(a, b ssa.Value, size uint8) bool
	// Set makes the value 0 or 1 of comparison v, Choose a choice.
	Set(v ssa.Value)
	Choose(v ssa.Value, in *ssa.Inst)
	// Divide makes a division by the machine's own, Truncate an integer of a float.
	Divide(v ssa.Value, in *ssa.Inst)
	Truncate(v ssa.Value, in *ssa.Inst)
	// Attach gives an instruction a location as its last operand.
	Attach(inst *backend.Inst, at Location)
	// Arith makes d = a op b.
	Arith(op Arith, size uint8, d, a, b regalloc.VReg)
	// ArithImm makes d = a op imm, of the size; the immediate may be any.
	ArithImm(op Arith, size uint8, d, a regalloc.VReg, imm int64)
	// MulHigh makes d the high half of the 128-bit product of x and m.
	MulHigh(d, x regalloc.VReg, m uint64, signed bool)
	// MulWide makes d the 64-bit product of the low half of x and m, which has 32 bits and no sign. clean
	// tells that x is zero-extended.
	MulWide(d, x regalloc.VReg, m uint64, signed, clean bool)
	// MulSub makes d = n - q*c.
	MulSub(size uint8, d, n, q regalloc.VReg, c int64)
}

// Traits are what of an instruction set selection needs as data.
type Traits struct {
	Name     string
	Conv     *abi.Convention
	Clobbers []regalloc.RegSet // [0] = 0, [ClobberAll] what a call destroys
	// Zext has a bit for each operand (A = 1, B = 2, C = 4) that, being an I32, is wanted zero-extended. For OpCall it is
	// the index of a call through a table.
	Zext [ssa.OpCount]uint8
	Bulk Bulk
}

// Indices into Traits.Clobbers.
const (
	ClobberNone = iota
	ClobberAll
	ClobberMachine // those that follow are the instruction set's own
)

// Lowerer selects instructions: the part that does not depend on the instruction set, embedded in the one that does.
//
// It walks the blocks backwards and each block from its end, so all uses of a value come before its definition: a value
// that no one asked for in a register by then is dead or part of its users. The instructions come out in
// reverse order and are turned around at the end.
type Lowerer struct {
	Cfg  *backend.Config
	F    *ssa.Func
	M    *backend.Func
	Info []ValueInfo
	// Time within the function: it advances at each block and at each effect that a load may not be
	// moved across. Loads of one epoch may be made at any place of that epoch.
	Epoch  uint32
	NoFold bool // what is being selected may be selected again: no loads may become part of it
	// HighHalves tells that there are high halves of products.
	HighHalves bool

	machine    Machine
	traits     *Traits
	blockStart uint32 // epoch in which the current block begins
	epochs     []uint32
	edges      []uint32    // by ssa.Edge: the allocator's edge
	late       []ssa.Value // see useLate
	extended   []ssa.Value // see spreadZext
	sigs       [4]sigPlaces
	nextSig    int
	arrivals   []arrival

	pos   uint32      // wasm offset for the instructions being made
	order []ssa.Value // of the block
	near  []ssa.Value // see Near
	place int         // in order: being selected
	err   error
}

// Run selects instructions for f into dst. machine embeds l.
func (l *Lowerer) Run(machine Machine, traits *Traits, cfg *backend.Config, f *ssa.Func, dst *backend.Func) error {
	l.machine, l.traits = machine, traits
	l.Cfg, l.F, l.M, l.err, l.NoFold = cfg, f, dst, nil, false
	dst.Reset(f)
	dst.RA.ClobberSets = append(dst.RA.ClobberSets, traits.Clobbers...)
	l.prepare()
	l.linkBlocks()
	machine.Begin()
	for i := len(f.RPO) - 1; i >= 0 && l.err == nil; i-- {
		l.block(uint32(i))
	}
	l.turn()
	err := l.err
	l.Cfg, l.F, l.M, l.machine = nil, nil, nil, nil
	return err
}

// Fail notes the first error.
func (l *Lowerer) Fail(format string, args ...any) {
	if l.err == nil {
		l.err = fmt.Errorf("%s: function %d: "+format, append([]any{l.traits.Name, l.F.Index}, args...)...)
	}
}

// block selects the instructions of block number i in RPO.
func (l *Lowerer) block(i uint32) {
	f := l.F
	b := &f.Blocks[f.RPO[i]]
	rb := &l.M.RA.Blocks[i]
	rb.Start = uint32(len(l.M.Insts))
	l.blockStart = l.epochs[i]
	l.Epoch = l.epochs[i+1] - 1
	l.pos = b.Pos
	start := len(l.M.Insts)
	l.terminator(b)
	l.reverse(start)
	l.order = f.OrderOf(b)
	for k := len(l.order) - 1; k >= 0; k-- {
		v := l.order[k]
		info := &l.Info[v]
		if info.Flags&Needed == 0 {
			continue
		}
		in := &f.Insts[v]
		if info.Flags&Followed != 0 {
			l.pos = f.Pos[v]
			start = len(l.M.Insts)
			l.machine.Follow(v)
			l.reverse(start)
		}
		if info.Flags&(Folded|Alias) != 0 || info.VReg == 0 && !f.HasEffect(in) || in.Op == ssa.OpResult {
			continue
		}
		l.Epoch, l.pos, l.place = info.Epoch, f.Pos[v], k
		start = len(l.M.Insts)
		var known bool
		if l.poisons(v, in) {
			known = l.poisoned(v, in)
		} else {
			known = l.machine.Select(v, in) || l.common(v, in)
		}
		if !known {
			l.Fail("%s is not a known operation", in.Op)
		}
		l.reverse(start)
	}
	l.pos = 0
	start = len(l.M.Insts)
	l.blockParams(i)
	l.reverse(start)
	rb.End = uint32(len(l.M.Insts))
}

// reverse turns around the instructions since start: they were made in program order amid the backward walk.
func (l *Lowerer) reverse(start int) {
	insts, ra := l.M.Insts, l.M.RA.Insts
	for i, j := start, len(insts)-1; i < j; i, j = i+1, j-1 {
		insts[i], insts[j] = insts[j], insts[i]
		ra[i], ra[j] = ra[j], ra[i]
	}
}

// turn brings all instructions into program order.
func (l *Lowerer) turn() {
	l.reverse(0)
	n := uint32(len(l.M.Insts))
	for i := range l.M.RA.Blocks {
		b := &l.M.RA.Blocks[i]
		b.Start, b.End = n-b.End, n-b.Start
	}
}

// ClassOf gives the register class of a type.
func ClassOf(t abi.Type) regalloc.Class {
	switch t {
	case abi.F32, abi.F64:
		return regalloc.ClassFloat
	case abi.V128:
		return regalloc.ClassVec
	}
	return regalloc.ClassInt
}

func (l *Lowerer) NewVReg(c regalloc.Class) regalloc.VReg {
	l.M.RA.VRegs = append(l.M.RA.VRegs, regalloc.VRegInfo{Class: c})
	l.M.Remat = append(l.M.Remat, 0)
	return regalloc.VReg(len(l.M.RA.VRegs) - 1)
}

// Use asks for v in a register. An I32 that addresses use is zero-extended there.
func (l *Lowerer) Use(v ssa.Value) regalloc.VReg {
	if r := l.Info[v].VReg; r != 0 {
		return r
	}
	x := l.aliased(v)
	info, in := &l.Info[x], &l.F.Insts[x]
	switch {
	case info.VReg != 0:
	case in.Op == ssa.OpConst:
		l.Constant(x, in)
	case in.Type == abi.Void || in.Op == ssa.OpNop:
		l.Fail("v%d is used but has no value", x)
		return l.NewVReg(regalloc.ClassInt)
	default:
		info.VReg = l.NewVReg(ClassOf(in.Type))
	}
	for v != x { // remembered, for chains of aliases may be long
		l.Info[v].VReg = info.VReg
		l.Info[v].Flags |= Alias
		v = ssa.Value(l.F.Insts[v].A)
		if l.Info[v].VReg != 0 {
			break
		}
	}
	return info.VReg
}

// aliased follows changes of width that are none for registers.
func (l *Lowerer) aliased(v ssa.Value) ssa.Value {
	for l.Info[v].VReg == 0 {
		in := &l.F.Insts[v]
		switch in.Op {
		case ssa.OpWrap:
			if l.Narrows(v) {
				l.Info[in.A].Flags |= Narrow
			} else if l.Info[v].Flags&Zext != 0 && !l.ZeroExtended(ssa.Value(in.A)) && !mutant.Extension {
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

// Constant gives a constant its register, which is defined nowhere.
func (l *Lowerer) Constant(v ssa.Value, in *ssa.Inst) {
	// Of vectors the bits are the index in ssa.Func.Vecs.
	l.Info[v].VReg = l.Rematerialised(ClassOf(in.Type), int64(in.ConstBits()))
}

func (l *Lowerer) Rematerialised(c regalloc.Class, bits int64) regalloc.VReg {
	r := l.NewVReg(c)
	l.M.RA.VRegs[r].Home = regalloc.HomeRemat
	l.M.Remat[r] = bits
	return r
}

// Result gives the register for v's definition; a dead one if no one uses it.
func (l *Lowerer) Result(v ssa.Value) regalloc.VReg {
	info := &l.Info[v]
	if info.VReg == 0 {
		info.VReg = l.NewVReg(ClassOf(l.F.Insts[v].Type))
	}
	return info.VReg
}

// Here reports whether v is computed in the current block, so that a pure v may
// as well be computed where it is used.
func (l *Lowerer) Here(v ssa.Value) bool {
	return l.Info[v].Epoch >= l.blockStart && l.F.Insts[v].Op != ssa.OpParam
}

// Only reports whether v is computed in the current block for one use alone.
func (l *Lowerer) Only(v ssa.Value) bool { return l.Info[v].Uses == 1 && l.Here(v) }

// narrowable are the operations whose low half depends on the low halves of the
// operands alone. (A narrower load from memory might not trap where the wide one does.)
var narrowable = [ssa.OpCount]bool{
	ssa.OpAdd: true, ssa.OpSub: true, ssa.OpMul: true, ssa.OpAnd: true, ssa.OpOr: true, ssa.OpXor: true,
	ssa.OpGlobal: true,
}

// Narrows reports whether v is a wrap of an operation that no one else uses and that can be
// made in 32 bits.
func (l *Lowerer) Narrows(v ssa.Value) bool {
	x := l.F.Insts[v].A
	return narrowable[l.F.Insts[x].Op] && l.Info[x].Uses == 1
}

// SizeOf is the operand size of an operation whose result is v.
func (l *Lowerer) SizeOf(v ssa.Value) uint8 {
	if l.Info[v].Flags&Narrow != 0 {
		return 4
	}
	return uint8(l.F.Insts[v].Type.Size())
}

// ZeroExtended reports whether the register of v, an I32 or I64, has an upper half of zeros.
func (l *Lowerer) ZeroExtended(v ssa.Value) bool {
	for {
		in := &l.F.Insts[v]
		switch in.Op {
		case ssa.OpConst:
			return in.Type != abi.V128 && in.B == 0
		case ssa.OpWrap:
			if l.Info[v].Flags&Zext != 0 || l.Narrows(v) || mutant.Extension {
				return true
			}
			v = ssa.Value(in.A)
			continue
		case ssa.OpParam:
			return in.Type == abi.I32 && l.Info[v].Flags&Zext != 0
		case ssa.OpCall, ssa.OpResult:
			return in.Type == abi.I32 && l.Info[v].Flags&Zext != 0
		case ssa.OpZext, ssa.OpLoad8U, ssa.OpLoad16U, ssa.OpLoad32U, ssa.OpClz, ssa.OpCtz, ssa.OpPopcnt, ssa.OpTabSize:
			return true
		case ssa.OpAnd:
			if c, ok := l.F.IsConst(ssa.Value(in.B)); ok && c>>32 == 0 {
				return true
			}
		}
		return in.Type == abi.I32 // made by an instruction with 32-bit operands
	}
}
