package amd64

import (
	"math"

	"github.com/wasmaot/wasmaot/backend/regalloc"
	"github.com/wasmaot/wasmaot/compiler/abi"
	"github.com/wasmaot/wasmaot/compiler/ssa"
)

// globalCell gives the operand for global i.
func (l *lowerer) globalCell(i uint32) source {
	lay := &l.f.Module.Layout
	imported := uint32(lay.Shape.ImportedGlobals)
	if i >= imported {
		return source{form: formCtx, disp: int32(lay.Globals + abi.GlobalCellSize*(i-imported))}
	}
	p := l.newVReg(regalloc.ClassInt)
	s := source{form: formCtx, disp: int32(lay.GlobalPtrs + 8*i)}
	l.loadFrom(tLoad, MOV, 8, p, &s)
	return source{form: formBase, a: p}
}

func (l *lowerer) globalSet(v ssa.Value, in *ssa.Inst, _ Op) {
	x := ssa.Value(in.B)
	s := l.globalCell(in.A)
	t := l.f.Insts[x].Type
	l.storeTo(t, x, uint8(t.Size()), &s)
}

// tableField gives the operand for a field of table i's TableRec.
func (l *lowerer) tableField(i uint32, field int32) source {
	lay := &l.f.Module.Layout
	imported := uint32(lay.Shape.ImportedTables)
	if i >= imported {
		return source{form: formCtx, disp: int32(lay.Tables+abi.TableRecSize*(i-imported)) + field}
	}
	p := l.newVReg(regalloc.ClassInt)
	s := source{form: formCtx, disp: int32(lay.TablePtrs + 8*i)}
	l.loadFrom(tLoad, MOV, 8, p, &s)
	return source{form: formBase, a: p, disp: field}
}

// tableLength gives the operand for table i's length: a constant if it never changes.
func (l *lowerer) tableLength(i uint32) source {
	mod := l.f.Module
	if int(i) < len(mod.TableFixed) && mod.TableFixed[i] {
		if n := mod.TableMin[i]; n <= math.MaxInt32 {
			return source{form: formImm, imm: int64(n)}
		}
	}
	return l.tableField(i, abi.TableRecLen)
}

func (l *lowerer) tableSize(v ssa.Value, in *ssa.Inst, _ Op) {
	s := l.tableField(in.A, abi.TableRecLen)
	l.loadFrom(tLoad, MOV, 8, l.result(v), &s)
}

// tableElement checks an index against the length of table i and gives the element's operand.
// The index is 0 after the check if the processor only guessed that it is in bounds.
func (l *lowerer) tableElement(i uint32, index ssa.Value) source {
	x := l.use(index)
	length := l.tableLength(i)
	masked := l.newVReg(regalloc.ClassInt)
	in := l.put(tIndexMask, 8)
	in.Cond = uint8(abi.TrapTableOutOfBounds)
	l.operand(masked, regalloc.DefEarly, regalloc.AnyReg, 0)
	l.arg(x)
	l.attach(in, CMP, &length)
	base := l.newVReg(regalloc.ClassInt)
	s := l.tableField(i, abi.TableRecBase)
	l.loadFrom(tLoad, MOV, 8, base, &s)
	return source{form: formBaseIndex, a: base, b: masked, scale: 3}
}

func (l *lowerer) tableGet(v ssa.Value, in *ssa.Inst, _ Op) {
	s := l.tableElement(in.A, ssa.Value(in.B))
	l.loadFrom(tLoad, MOV, 8, l.result(v), &s)
}

func (l *lowerer) tableSet(v ssa.Value, in *ssa.Inst, _ Op) {
	s := l.tableElement(in.A, ssa.Value(in.B))
	l.storeTo(abi.I64, ssa.Value(in.C), 8, &s)
}

func (l *lowerer) funcRef(v ssa.Value, in *ssa.Inst, _ Op) {
	lay := &l.f.Module.Layout
	imported := uint32(lay.Shape.ImportedFuncs)
	if in.A < imported {
		s := source{form: formCtx, disp: int32(lay.Imports + 8*in.A)}
		l.loadFrom(tLoad, MOV, 8, l.result(v), &s)
		return
	}
	s := source{form: formCtx, disp: int32(lay.Funcs + abi.FuncDescSize*(in.A-imported))}
	l.loadFrom(tLea, LEA, 8, l.result(v), &s)
}
