package isel

import (
	"github.com/wasmaot/wasmaot/backend"
	"github.com/wasmaot/wasmaot/backend/regalloc"
	"github.com/wasmaot/wasmaot/compiler/abi"
	"github.com/wasmaot/wasmaot/compiler/ssa"
)

// common makes operations for which there is no rule of the machine's.
func (l *Lowerer) common(v ssa.Value, in *ssa.Inst) bool {
	switch in.Op {
	case ssa.OpFuncRef:
		l.addressTo(l.Result(v), l.funcDesc(in.A))
	case ssa.OpGlobal:
		if in.A+1 == l.F.Module.Pinned {
			l.Put(backend.TPinned, 4)
			l.Operand(l.Result(v), regalloc.Def, regalloc.AnyReg, 0)
			return true
		}
		l.machine.Load(l.Result(v), in.Type, l.SizeOf(v), l.GlobalCell(in.A))
	case ssa.OpGlobalSet:
		x := ssa.Value(in.B)
		if in.A+1 == l.F.Module.Pinned {
			r := l.Use(x)
			l.Put(backend.TPin, 4)
			l.Arg(r)
			return true
		}
		l.machine.Store(x, uint8(l.F.Insts[x].Type.Size()), l.GlobalCell(in.A))
	case ssa.OpMemSize:
		l.machine.Load(l.Result(v), abi.I64, 8, l.at(l.memory(in.A), abi.MemoryRecBytes))
	case ssa.OpTabSize:
		l.machine.Load(l.Result(v), abi.I64, 8, l.tableField(in.A, abi.TableRecLen))
	case ssa.OpTabGet:
		base, index := l.element(in)
		l.machine.LoadElement(l.Result(v), base, index)
	case ssa.OpTabSet:
		base, index := l.element(in)
		l.machine.StoreElement(ssa.Value(in.C), base, index)
	case ssa.OpMemCopy, ssa.OpMemFill:
		l.bulk(in)
	case ssa.OpCall:
		l.call(v, in)
	case ssa.OpAddr:
		l.guestAddress(v, in)
	case ssa.OpLoad, ssa.OpLoad8U, ssa.OpLoad8S, ssa.OpLoad16U, ssa.OpLoad16S, ssa.OpLoad32U, ssa.OpLoad32S:
		l.machine.LoadGuest(v, in)
	case ssa.OpStore, ssa.OpStore8, ssa.OpStore16, ssa.OpStore32:
		l.machine.StoreGuest(v, in)
	case ssa.OpDivS, ssa.OpDivU, ssa.OpRemS, ssa.OpRemU:
		if c, ok := l.F.IsConst(ssa.Value(in.B)); !ok || !l.divideByConstant(v, in, c, l.SizeOf(v)) {
			l.machine.Divide(v, in)
		}
	case ssa.OpSelect:
		l.machine.Choose(v, in)
	case ssa.OpTruncS, ssa.OpTruncU, ssa.OpTruncSatS, ssa.OpTruncSatU:
		l.machine.Truncate(v, in)
	case ssa.OpFCopysign:
		a, b := l.Use(ssa.Value(in.A)), l.Use(ssa.Value(in.B))
		l.Put(backend.TCopysign, uint8(in.Type.Size()))
		l.Tied(l.Result(v), 1)
		l.Arg(a)
		l.Arg(b)
	case ssa.OpBitcast:
		a := l.Use(ssa.Value(in.A))
		l.Put(backend.TBitcast, uint8(in.Type.Size()))
		l.Def(l.Result(v))
		l.Arg(a)
	default:
		if !in.Op.Is(ssa.PropCompare) {
			return false
		}
		l.machine.Set(v)
	}
	return true
}

// guestAddress makes the addresses that are not part of their accesses: checked ones and those of other memories.
func (l *Lowerer) guestAddress(v ssa.Value, in *ssa.Inst) {
	index, offset, size, memory := ssa.Value(in.A), in.B, in.C&0xff, in.C>>8
	is64 := l.F.Insts[index].Type == abi.I64
	base := l.MemoryBase(memory)
	if in.Flags&ssa.FlagChecked == 0 && !is64 {
		l.machine.Sum(l.Result(v), base, l.Use(index), offset)
		return
	}
	record := l.MemoryRecord(memory)
	x := l.Use(index)
	inst := l.Put(backend.TCheckAddr, 8)
	inst.Imm = int64(offset) + int64(size)
	inst.Aux = size
	if is64 {
		inst.Aux |= backend.AuxIndex64
	}
	l.Operand(l.Result(v), regalloc.DefEarly, regalloc.AnyReg, 0)
	l.Arg(x)
	l.Arg(record)
	if base != 0 {
		l.Arg(base)
	}
}
