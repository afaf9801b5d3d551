package arm64

import (
	"math"

	"github.com/wasmaot/wasmaot/backend"
	"github.com/wasmaot/wasmaot/backend/regalloc"
	"github.com/wasmaot/wasmaot/compiler/abi"
	"github.com/wasmaot/wasmaot/compiler/ssa"
)

// memoryOf gives the operand for an access through address a: the only place where guest memory operands are chosen (and
// emitter.memory the only one where they are written). An unchecked address of memory 0 is part of its accesses: the sum of
// base, 32-bit index and 32-bit offset, which stays within the reservation.
func (l *lowerer) memoryOf(a ssa.Value) source {
	in := &l.F.Insts[a]
	if !l.IsFolded(in) {
		return source{form: formAddr, a: l.Use(a)}
	}
	if sum, ok := l.ConstAddress(in); ok {
		if sum <= math.MaxInt32 {
			return source{form: formGuestAbs, disp: int32(sum)}
		}
		return source{form: formGuest, ext: uint8(ExtUXTX), a: l.Rematerialised(regalloc.ClassInt, int64(sum))}
	}
	index, offset := ssa.Value(in.A), in.B
	if offset <= math.MaxInt32 {
		if sum, ok := l.sharedSum(index); ok {
			return source{form: formAddr, a: sum, disp: int32(offset)}
		}
	}
	return source{form: formGuest, ext: uint8(ExtUXTW), a: l.Use(index), disp: int32(offset)} // read as a uint32
}

// Sum makes d = base + index + offset.
func (l *lowerer) Sum(d, base, index regalloc.VReg, offset uint32) {
	s := source{form: formBaseIndex, ext: uint8(ExtUXTW), a: base, b: index, disp: int32(offset)} // read as a uint32
	l.addressOf(d, &s)
}

// addressOf makes d the address of a memory operand.
func (l *lowerer) addressOf(d regalloc.VReg, s *source) {
	inst := l.Put(tAddr, 8)
	l.Def(d)
	l.attach(inst, NoOp, s)
}

// loadFrom makes d = op memory.
func (l *lowerer) loadFrom(op MemOp, size uint8, d regalloc.VReg, s *source) *backend.Inst {
	in := l.Put(tLoad, size)
	l.Def(d)
	l.attach(in, Op(op), s)
	return in
}

// loadOp is the instruction of a load.
func loadOp(in *ssa.Inst) (op MemOp, size uint8) {
	size = uint8(in.Type.Size())
	switch in.Op {
	case ssa.OpLoad8S:
		return LDRSB, size
	case ssa.OpLoad16S:
		return LDRSH, size
	case ssa.OpLoad32S:
		return LDRSW, 8
	}
	return LDR, uint8(in.Op.AccessSize(in.Type))
}

// LoadGuest makes a load.
func (l *lowerer) LoadGuest(v ssa.Value, in *ssa.Inst) {
	op, size := loadOp(in)
	s := l.memoryOf(ssa.Value(in.A))
	l.loadFrom(op, size, l.Result(v), &s)
}

// StoreGuest makes a store.
func (l *lowerer) StoreGuest(v ssa.Value, in *ssa.Inst) {
	s := l.memoryOf(ssa.Value(in.A))
	inst := l.storeTo(ssa.Value(in.B), l.StoreSize(in), &s)
	if l.tears(v, in, inst.Size) {
		inst.Aux |= auxProbe
	}
}

// tears reports whether a store that traps may have written: one that crosses into the guard behind a memory may store what lies
// before it (Arm Architecture Reference Manual, B2.2.1: it is single-copy atomic only where aligned). WebAssembly wants all or nothing. What was checked does not trap.
func (l *lowerer) tears(v ssa.Value, in *ssa.Inst, size uint8) bool {
	a := &l.F.Insts[in.A]
	checked := a.Op == ssa.OpAddr && (a.Flags&ssa.FlagChecked != 0 || l.F.Insts[a.A].Type == abi.I64)
	return size > 1 && !checked && !l.shares[v].probed
}

// storeTo stores x.
func (l *lowerer) storeTo(x ssa.Value, size uint8, s *source) *backend.Inst {
	var r regalloc.VReg
	if !l.isZero(x) {
		r = l.Use(x)
	}
	inst := l.Put(tStore, size)
	if r != 0 {
		l.Arg(r)
	} else {
		inst.Aux |= auxZeroA
	}
	l.attach(inst, Op(STR), s)
	return inst
}
