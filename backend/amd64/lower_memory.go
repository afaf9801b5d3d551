package amd64

import (
	"math"

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
	in := &l.f.Insts[a]
	if !l.isFolded(in) {
		return source{form: formAddr, a: l.use(a)}
	}
	index, offset := ssa.Value(in.A), in.B
	if c, ok := l.f.IsConst(index); ok {
		sum := uint64(uint32(c)) + uint64(offset)
		if sum <= math.MaxInt32 {
			return source{form: formGuestAbs, disp: int32(sum)}
		}
		return source{form: formGuest, a: l.rematerialised(regalloc.ClassInt, int64(sum))}
	}
	if !l.zeroExtended(index) {
		l.fail("index v%d of address v%d is not zero-extended", index, a)
	}
	if offset > math.MaxInt32 {
		return source{form: formGuest, a: l.addOffset(l.use(index), offset)}
	}
	return source{form: formGuest, a: l.use(index), disp: int32(offset)}
}

// addOffset makes index + offset in 64 bits.
func (l *lowerer) addOffset(index regalloc.VReg, offset uint32) regalloc.VReg {
	sum := l.newVReg(regalloc.ClassInt)
	in := l.put(tOffset, 8)
	in.Imm = int64(offset)
	l.operand(sum, regalloc.DefEarly, regalloc.AnyReg, 0)
	l.arg(index)
	return sum
}

// isFolded reports whether an address is made by the accesses that use it.
func (l *lowerer) isFolded(in *ssa.Inst) bool {
	return in.Op == ssa.OpAddr && in.Flags&ssa.FlagChecked == 0 && in.C>>8 == 0 && l.f.Insts[in.A].Type == abi.I32
}

// address makes the addresses that are not part of their accesses: checked ones and those
// of other memories.
func (l *lowerer) address(v ssa.Value, in *ssa.Inst, _ Op) {
	index, offset, size, memory := ssa.Value(in.A), in.B, in.C&0xff, in.C>>8
	is64 := l.f.Insts[index].Type == abi.I64
	base := l.memoryBase(memory)
	if in.Flags&ssa.FlagChecked == 0 && !is64 {
		x := l.use(index)
		if offset > math.MaxInt32 {
			x, offset = l.addOffset(x, offset), 0
		}
		s := source{form: formBaseIndex, a: base, b: x, disp: int32(offset)}
		l.loadFrom(tLea, LEA, 8, l.result(v), &s)
		return
	}
	record := l.memoryRecord(memory)
	x := l.use(index)
	inst := l.put(tCheckAddr, 8)
	inst.Imm = int64(offset) + int64(size)
	inst.Aux = size
	if is64 {
		inst.Aux |= auxWide
	}
	l.operand(l.result(v), regalloc.DefEarly, regalloc.AnyReg, 0)
	l.arg(x)
	l.arg(record)
	if base != 0 {
		l.arg(base)
	}
}

// memoryRecord gives the address of a memory's MemoryRec.
func (l *lowerer) memoryRecord(memory uint32) regalloc.VReg {
	lay := &l.f.Module.Layout
	imported := uint32(lay.Shape.ImportedMemories)
	d := l.newVReg(regalloc.ClassInt)
	s := source{form: formCtx}
	switch {
	case memory == 0:
		s.disp = abi.CtxMemRec
	case memory < imported:
		s.disp = int32(lay.MemoryPtrs + 8*memory)
	default:
		s.disp = int32(lay.Memories + abi.MemoryRecSize*(memory-imported))
		l.loadFrom(tLea, LEA, 8, d, &s)
		return d
	}
	l.loadFrom(tLoad, MOV, 8, d, &s)
	return d
}

// memoryBase gives the base of a memory other than memory 0, whose base is pinned: there it is 0.
func (l *lowerer) memoryBase(memory uint32) regalloc.VReg {
	if memory == 0 {
		return 0
	}
	d := l.newVReg(regalloc.ClassInt)
	s := source{form: formBase, a: l.memoryRecord(memory), disp: abi.MemoryRecBase}
	l.loadFrom(tLoad, MOV, 8, d, &s)
	return d
}

func (l *lowerer) memSize(v ssa.Value, in *ssa.Inst, _ Op) {
	s := source{form: formBase, a: l.memoryRecord(in.A), disp: abi.MemoryRecBytes}
	l.loadFrom(tLoad, MOV, 8, l.result(v), &s)
}

// loadMoves reports whether load v can be made where its user is, and there only.
func (l *lowerer) loadMoves(v ssa.Value) bool {
	info := &l.info[v]
	return info.uses == 1 && info.epoch == l.epoch && info.flags&infoFolded == 0 && info.vreg == 0 && !l.noFold
}

// canFold reports whether v is a load of just the size that can be an operand of the
// instruction being made.
func (l *lowerer) canFold(v ssa.Value, size uint8) bool {
	in := &l.f.Insts[v]
	if in.Op != ssa.OpLoad && in.Op != ssa.OpGlobal || uint8(in.Type.Size()) != size {
		return false
	}
	if in.Op == ssa.OpGlobal && int(in.A) < l.f.Module.Layout.Shape.ImportedGlobals {
		return false
	}
	return l.loadMoves(v)
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
	l.info[v].flags |= infoFolded
	in := &l.f.Insts[v]
	if in.Op == ssa.OpGlobal {
		return l.globalCell(in.A)
	}
	s := l.memoryOf(ssa.Value(in.A))
	s.pos = l.f.Pos[v]
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

// load makes loads from memories and globals.
func (l *lowerer) load(v ssa.Value, in *ssa.Inst, _ Op) {
	var s source
	op, size := loadOp(in)
	if in.Op == ssa.OpGlobal {
		s = l.globalCell(in.A)
		op, size = moveOp(in.Type), l.sizeOf(v)
	} else {
		s = l.memoryOf(ssa.Value(in.A))
	}
	l.loadFrom(tLoad, op, size, l.result(v), &s)
}

// storeSize is the number of bytes a store writes.
func (l *lowerer) storeSize(in *ssa.Inst) uint8 {
	return uint8(in.Op.AccessSize(l.f.Insts[in.B].Type))
}

func (l *lowerer) store(v ssa.Value, in *ssa.Inst, _ Op) {
	size := l.storeSize(in)
	x := ssa.Value(in.B)
	if l.modifyInPlace(in, x, size) {
		return
	}
	s := l.memoryOf(ssa.Value(in.A))
	l.storeTo(l.f.Insts[x].Type, x, size, &s)
}

// storeTo stores x, a constant or in a register.
func (l *lowerer) storeTo(t abi.Type, x ssa.Value, size uint8, s *source) {
	if imm, ok := l.storeImmediate(x, size); ok {
		inst := l.put(tStoreI, size)
		l.attach(inst, MOV, s)
		inst.Imm = imm
		return
	}
	r := l.use(x)
	inst := l.put(tStore, size)
	l.arg(r)
	l.attach(inst, moveOp(t), s)
}

// storeImmediate is like immediate but for floats too: the bits count.
func (l *lowerer) storeImmediate(x ssa.Value, size uint8) (int64, bool) {
	c, ok := l.f.IsConst(x)
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
	xi := &l.f.Insts[x]
	op := modifyOps[xi.Op]
	if op == NoOp || in.Op != ssa.OpStore || !l.only(x) {
		return false
	}
	a, b := ssa.Value(xi.A), ssa.Value(xi.B)
	if xi.Op != ssa.OpSub && l.f.Insts[a].A != in.A {
		a, b = b, a
	}
	if l.f.Insts[a].Op != ssa.OpLoad || l.f.Insts[a].A != in.A || !l.canFold(a, size) {
		return false
	}
	imm, isImm := l.immediate(b, size)
	var r regalloc.VReg
	if !isImm {
		r = l.use(b)
	}
	s := l.takeLoad(a)
	if isImm {
		inst := l.put(tStoreI, size)
		l.attach(inst, op, &s)
		inst.Imm = imm
		return true
	}
	inst := l.put(tStore, size)
	l.arg(r)
	l.attach(inst, op, &s)
	return true
}

// maxShort is the greatest constant length of which copies and fills are made without a loop.
const maxShort = 128

// bulk makes OpMemCopy and OpMemFill: the operands in rdi, rsi or rax, and rcx.
func (l *lowerer) bulk(v ssa.Value, in *ssa.Inst, _ Op) {
	t, short, second := tMemCopy, tCopyShort, RSI
	if in.Op == ssa.OpMemFill {
		t, short, second = tMemFill, tFillShort, RAX
	}
	a, b := l.use(ssa.Value(in.A)), l.use(ssa.Value(in.B))
	length, isConst := l.f.IsConst(ssa.Value(in.C))
	switch {
	case !isConst:
		length = 0
	case length <= maxShort:
		l.shortBulk(short, a, b, int64(length))
		return
	}
	n := l.use(ssa.Value(in.C))
	l.put(t, 8).Imm = int64(length)
	l.fixedArg(a, RDI)
	l.fixedArg(b, second)
	l.fixedArg(n, RCX)
	l.clobber(clobberBulk)
}

// shortBulk makes them for a constant length.
func (l *lowerer) shortBulk(t template, a, b regalloc.VReg, n int64) {
	l.put(t, 8).Imm = n
	l.temp(regalloc.ClassInt)
	l.temp(regalloc.ClassInt)
	if t == tCopyShort {
		for range vectorChunks(n) {
			l.temp(regalloc.ClassVec)
		}
	}
	l.arg(a)
	l.arg(b)
}

// vectorChunks is the number of chunks in which n bytes are copied through vector registers.
func vectorChunks(n int64) int64 {
	if n < 4 {
		return 0
	}
	return chunks(n)
}

// chunks is the number of pieces of chunkSize bytes in which n bytes are moved; the last two may
// overlap.
func chunks(n int64) int64 {
	size := chunkSize(n)
	return (n + size - 1) / size
}

func chunkSize(n int64) int64 {
	switch {
	case n >= 16:
		return 16
	case n >= 8:
		return 8
	case n >= 4:
		return 4
	}
	return 1
}
