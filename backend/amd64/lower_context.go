package amd64

import (
	"github.com/wasmaot/wasmaot/backend/isel"
	"github.com/wasmaot/wasmaot/backend/regalloc"
	"github.com/wasmaot/wasmaot/compiler/abi"
	"github.com/wasmaot/wasmaot/compiler/ssa"
)

// contextField gives the operand for what is disp bytes into a field of the context.
func (l *lowerer) contextField(f isel.Field, disp int32) source {
	if !f.Indirect {
		return source{form: formCtx, disp: f.Disp + disp}
	}
	p := l.NewVReg(regalloc.ClassInt)
	s := source{form: formCtx, disp: f.Disp}
	l.loadFrom(tLoad, MOV, 8, p, &s)
	return source{form: formBase, a: p, disp: disp}
}

// contextAddress makes d the address of a field.
func (l *lowerer) contextAddress(f isel.Field, d regalloc.VReg) {
	s := source{form: formCtx, disp: f.Disp}
	if f.Indirect {
		l.loadFrom(tLoad, MOV, 8, d, &s)
	} else {
		l.loadFrom(tLea, LEA, 8, d, &s)
	}
}

// globalCell gives the operand for global i.
func (l *lowerer) globalCell(i uint32) source { return l.contextField(l.Global(i), 0) }

func (l *lowerer) globalSet(v ssa.Value, in *ssa.Inst, _ Op) {
	x := ssa.Value(in.B)
	s := l.globalCell(in.A)
	t := l.F.Insts[x].Type
	l.storeTo(t, x, uint8(t.Size()), &s)
}

// tableField gives the operand for a field of table i's TableRec.
func (l *lowerer) tableField(i uint32, field int32) source { return l.contextField(l.Table(i), field) }

// tableLength gives the operand for table i's length: a constant if it never changes.
func (l *lowerer) tableLength(i uint32) source {
	if n, ok := l.FixedLength(i); ok {
		return source{form: formImm, imm: n}
	}
	return l.tableField(i, abi.TableRecLen)
}

func (l *lowerer) tableSize(v ssa.Value, in *ssa.Inst, _ Op) {
	s := l.tableField(in.A, abi.TableRecLen)
	l.loadFrom(tLoad, MOV, 8, l.Result(v), &s)
}

// tableElement checks an index against the length of table i and gives the element's operand.
// The index is 0 after the check if the processor only guessed that it is in bounds.
func (l *lowerer) tableElement(i uint32, index ssa.Value) source {
	x := l.Use(index)
	length := l.tableLength(i)
	masked := l.NewVReg(regalloc.ClassInt)
	in := l.Put(tIndexMask, 8)
	in.Cond = uint8(abi.TrapTableOutOfBounds)
	l.Operand(masked, regalloc.DefEarly, regalloc.AnyReg, 0)
	l.Arg(x)
	l.attach(in, CMP, &length)
	base := l.NewVReg(regalloc.ClassInt)
	s := l.tableField(i, abi.TableRecBase)
	l.loadFrom(tLoad, MOV, 8, base, &s)
	return source{form: formBaseIndex, a: base, b: masked, scale: 3}
}

func (l *lowerer) tableGet(v ssa.Value, in *ssa.Inst, _ Op) {
	s := l.tableElement(in.A, ssa.Value(in.B))
	l.loadFrom(tLoad, MOV, 8, l.Result(v), &s)
}

func (l *lowerer) tableSet(v ssa.Value, in *ssa.Inst, _ Op) {
	s := l.tableElement(in.A, ssa.Value(in.B))
	l.storeTo(abi.I64, ssa.Value(in.C), 8, &s)
}

func (l *lowerer) funcRef(v ssa.Value, in *ssa.Inst, _ Op) {
	l.contextAddress(l.FuncDesc(in.A), l.Result(v))
}
