package arm64

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
	s := source{form: formCtx, disp: f.Disp}
	return source{form: formBase, a: l.loadNew(&s), disp: disp}
}

// contextAddress makes d the address of a field.
func (l *lowerer) contextAddress(f isel.Field, d regalloc.VReg) {
	s := source{form: formCtx, disp: f.Disp}
	if f.Indirect {
		l.loadFrom(LDR, 8, d, &s)
	} else {
		l.addressOf(d, &s)
	}
}

func (l *lowerer) globalSet(v ssa.Value, in *ssa.Inst, _ Op) {
	x := ssa.Value(in.B)
	s := l.contextField(l.Global(in.A), 0)
	l.storeTo(x, uint8(l.F.Insts[x].Type.Size()), &s)
}

// tableLength gives the operand for table i's length: a constant if it never changes.
func (l *lowerer) tableLength(i uint32) source {
	if n, ok := l.FixedLength(i); ok {
		return immSource(n)
	}
	return l.contextField(l.Table(i), abi.TableRecLen)
}

func (l *lowerer) tableSize(v ssa.Value, in *ssa.Inst, _ Op) {
	s := l.contextField(l.Table(in.A), abi.TableRecLen)
	l.loadFrom(LDR, 8, l.Result(v), &s)
}

// tableElement checks an index against the length of table i and gives the element's operand.
// The index is 0 after the check if the processor only guessed that it is in bounds.
func (l *lowerer) tableElement(i uint32, index ssa.Value) source {
	x := l.Use(index)
	length := l.tableLength(i)
	masked := l.NewVReg(regalloc.ClassInt)
	in := l.Put(tIndexMask, 8)
	in.Cond = uint8(abi.TrapTableOutOfBounds)
	if l.F.Insts[index].Type == abi.I64 {
		in.Aux = auxWide
	}
	l.Operand(masked, regalloc.DefEarly, regalloc.AnyReg, 0)
	l.Arg(x)
	l.attach(in, NoOp, &length)
	s := l.contextField(l.Table(i), abi.TableRecBase)
	return source{form: formBaseIndex, ext: uint8(ExtUXTX), a: l.loadNew(&s), b: masked}
}

func (l *lowerer) tableGet(v ssa.Value, in *ssa.Inst, _ Op) {
	s := l.tableElement(in.A, ssa.Value(in.B))
	l.loadFrom(LDR, 8, l.Result(v), &s)
}

func (l *lowerer) tableSet(v ssa.Value, in *ssa.Inst, _ Op) {
	s := l.tableElement(in.A, ssa.Value(in.B))
	l.storeTo(ssa.Value(in.C), 8, &s)
}

func (l *lowerer) funcRef(v ssa.Value, in *ssa.Inst, _ Op) {
	l.contextAddress(l.FuncDesc(in.A), l.Result(v))
}
