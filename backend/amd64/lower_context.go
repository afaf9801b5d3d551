package amd64

import (
	"github.com/wasmaot/wasmaot/backend"
	"github.com/wasmaot/wasmaot/backend/isel"
	"github.com/wasmaot/wasmaot/backend/regalloc"
	"github.com/wasmaot/wasmaot/compiler/abi"
	"github.com/wasmaot/wasmaot/compiler/ssa"
)

var areaForms = [...]form{isel.Outgoing: formOut, isel.Incoming: formIn, isel.Context: formCtx, isel.Based: formBase}

// located gives the operand for a location.
func located(at isel.Location) source {
	return source{form: areaForms[at.Area], a: at.Base, disp: at.Disp}
}

// Attach gives an instruction a location as its last operand.
func (l *lowerer) Attach(inst *backend.Inst, at isel.Location) {
	s := located(at)
	l.attach(inst, NoOp, &s)
}

// Load makes d what is at a location.
func (l *lowerer) Load(d regalloc.VReg, t abi.Type, size uint8, at isel.Location) {
	s := located(at)
	l.loadFrom(tLoad, moveOp(t), size, d, &s)
}

// Store stores x at a location.
func (l *lowerer) Store(x ssa.Value, size uint8, at isel.Location) {
	s := located(at)
	l.storeTo(l.F.Insts[x].Type, x, size, &s)
}

// Address makes d the address of a field of the context.
func (l *lowerer) Address(d regalloc.VReg, disp int32) {
	s := source{form: formCtx, disp: disp}
	l.loadFrom(tLea, LEA, 8, d, &s)
}

func elementOf(base, index regalloc.VReg) source {
	return source{form: formBaseIndex, a: base, b: index, scale: 3}
}

// LoadElement loads an element of a table.
func (l *lowerer) LoadElement(d, base, index regalloc.VReg) {
	s := elementOf(base, index)
	l.loadFrom(tLoad, MOV, 8, d, &s)
}

// StoreElement stores one.
func (l *lowerer) StoreElement(x ssa.Value, base, index regalloc.VReg) {
	s := elementOf(base, index)
	l.storeTo(abi.I64, x, 8, &s)
}
