package amd64

import (
	"math"

	"github.com/wasmaot/wasmaot/backend/isel"
	"github.com/wasmaot/wasmaot/backend/regalloc"
	"github.com/wasmaot/wasmaot/compiler/abi"
	"github.com/wasmaot/wasmaot/compiler/ssa"
)

// memoryOf gives the operand for an access through address a: the only place where
// guest memory operands are chosen (and emitter.memory the only one where they are
// written). An unchecked address of memory 0 is part of its accesses; whatever could
// wrap around is added in 64 bits before: an index is below 1<<32, a displacement
// below 1<<31, so the sum stays within the reservation.
func (l *lowerer) memoryOf(a ssa.Value) source {
	in := &l.F.Insts[a]
	if !l.IsFolded(in) {
		return source{form: formAddr, a: l.Use(a)}
	}
	if sum, ok := l.ConstAddress(in); ok {
		if sum <= math.MaxInt32 {
			return source{form: formGuestAbs, disp: int32(sum)}
		}
		return source{form: formGuest, a: l.Rematerialised(regalloc.ClassInt, int64(sum))}
	}
	index, offset := ssa.Value(in.A), in.B
	if !l.ZeroExtended(index) {
		l.Fail("index v%d of address v%d is not zero-extended", index, a)
	}
	if offset > math.MaxInt32 {
		return source{form: formGuest, a: l.addOffset(l.Use(index), offset)}
	}
	return source{form: formGuest, a: l.Use(index), disp: int32(offset)}
}

// addOffset makes index + offset in 64 bits.
func (l *lowerer) addOffset(index regalloc.VReg, offset uint32) regalloc.VReg {
	sum := l.NewVReg(regalloc.ClassInt)
	in := l.Put(tOffset, 8)
	in.Imm = int64(offset)
	l.Operand(sum, regalloc.DefEarly, regalloc.AnyReg, 0)
	l.Arg(index)
	return sum
}

// Sum makes d = base + index + offset.
func (l *lowerer) Sum(d, base, index regalloc.VReg, offset uint32) {
	if offset > math.MaxInt32 {
		index, offset = l.addOffset(index, offset), 0
	}
	s := source{form: formBaseIndex, a: base, b: index, disp: int32(offset)}
	l.loadFrom(tLea, LEA, 8, d, &s)
}

// canFold reports whether v is a load of just the size that can be an operand of the
// instruction being made.
func (l *lowerer) canFold(v ssa.Value, size uint8) bool {
	in := &l.F.Insts[v]
	if in.Op != ssa.OpLoad && in.Op != ssa.OpGlobal || uint8(in.Type.Size()) != size {
		return false
	}
	if in.Op == ssa.OpGlobal && (int(in.A) < l.F.Module.Layout.Shape.ImportedGlobals || in.A+1 == l.F.Module.Pinned) {
		return false
	}
	return l.LoadMoves(v)
}

// foldLoad makes load v an operand of the instruction being made, if it can be one.
func (l *lowerer) foldLoad(v ssa.Value, size uint8) (source, bool) {
	if !l.canFold(v, size) {
		return source{}, false
	}
	return l.takeLoad(v), true
}

// takeLoad marks load v as part of its user and gives its operand.
func (l *lowerer) takeLoad(v ssa.Value) source {
	l.Info[v].Flags |= isel.Folded
	in := &l.F.Insts[v]
	if in.Op == ssa.OpGlobal {
		return located(l.GlobalCell(in.A))
	}
	s := l.memoryOf(ssa.Value(in.A))
	s.pos = l.F.Pos[v]
	return s
}

// loadOps has the instruction for each load into an integer register.
func loadOp(in *ssa.Inst) (op Op, size uint8) {
	size = uint8(in.Type.Size())
	switch in.Op {
	case ssa.OpLoad8U:
		return MOVZX8, 4
	case ssa.OpLoad8S:
		return MOVSX8, size
	case ssa.OpLoad16U:
		return MOVZX16, 4
	case ssa.OpLoad16S:
		return MOVSX16, size
	case ssa.OpLoad32U:
		return MOV, 4
	case ssa.OpLoad32S:
		return MOVSXD, 8
	}
	return moveOp(in.Type), size
}

// moveOp is the instruction that loads and stores a type.
func moveOp(t abi.Type) Op {
	switch t {
	case abi.F32, abi.F64:
		return MOVF
	case abi.V128:
		return MOVUPS
	}
	return MOV
}

// LoadGuest makes a load.
func (l *lowerer) LoadGuest(v ssa.Value, in *ssa.Inst) {
	op, size := loadOp(in)
	s := l.memoryOf(ssa.Value(in.A))
	l.loadFrom(tLoad, op, size, l.Result(v), &s)
}

// StoreGuest makes a store.
func (l *lowerer) StoreGuest(v ssa.Value, in *ssa.Inst) {
	size := l.StoreSize(in)
	x := ssa.Value(in.B)
	if l.modifyInPlace(in, x, size) {
		return
	}
	s := l.memoryOf(ssa.Value(in.A))
	l.storeTo(l.F.Insts[x].Type, x, size, &s)
}

// storeTo stores x, a constant or in a register.
func (l *lowerer) storeTo(t abi.Type, x ssa.Value, size uint8, s *source) {
	if imm, ok := l.storeImmediate(x, size); ok {
		inst := l.Put(tStoreI, size)
		l.attach(inst, MOV, s)
		inst.Imm = imm
		return
	}
	r := l.Use(x)
	inst := l.Put(tStore, size)
	l.Arg(r)
	l.attach(inst, moveOp(t), s)
}

// storeImmediate is like immediate but for floats too: the bits count.
func (l *lowerer) storeImmediate(x ssa.Value, size uint8) (int64, bool) {
	c, ok := l.F.IsConst(x)
	switch {
	case !ok:
		return 0, false
	case size == 1:
		return int64(int8(c)), true
	case size == 2:
		return int64(int16(c)), true
	case size == 4:
		return int64(int32(c)), true
	}
	return int64(c), int64(c) == int64(int32(c))
}

// modifyOps are the operations that can be made in memory.
var modifyOps = [ssa.OpCount]Op{ssa.OpAdd: ADD, ssa.OpSub: SUB, ssa.OpAnd: AND, ssa.OpOr: OR, ssa.OpXor: XOR}

// modifyInPlace makes a store of load op x to where the load was from.
func (l *lowerer) modifyInPlace(in *ssa.Inst, x ssa.Value, size uint8) bool {
	xi := &l.F.Insts[x]
	op := modifyOps[xi.Op]
	if op == NoOp || in.Op != ssa.OpStore || !l.Only(x) {
		return false
	}
	a, b := ssa.Value(xi.A), ssa.Value(xi.B)
	if xi.Op != ssa.OpSub && l.F.Insts[a].A != in.A {
		a, b = b, a
	}
	if l.F.Insts[a].Op != ssa.OpLoad || l.F.Insts[a].A != in.A || !l.canFold(a, size) {
		return false
	}
	imm, isImm := l.immediate(b, size)
	var r regalloc.VReg
	if !isImm {
		r = l.Use(b)
	}
	s := l.takeLoad(a)
	if isImm {
		inst := l.Put(tStoreI, size)
		l.attach(inst, op, &s)
		inst.Imm = imm
		return true
	}
	inst := l.Put(tStore, size)
	l.Arg(r)
	l.attach(inst, op, &s)
	return true
}
