package amd64

import (
	"github.com/wasmaot/wasmaot/backend/isel"
	"github.com/wasmaot/wasmaot/backend/regalloc"
	"github.com/wasmaot/wasmaot/compiler/abi"
	"github.com/wasmaot/wasmaot/compiler/ssa"
)

// slotOp is how a value travels through a slot of the outgoing area: whole, since the
// other side may read all of it.
func slotOp(t abi.Type) (Op, uint8) {
	if t == abi.V128 {
		return MOVUPS, 16
	}
	return moveOp(t), 8
}

var areaForms = [...]form{isel.Outgoing: formOut, isel.Incoming: formIn}

// StoreSlot stores a parameter or result in its slot.
func (l *lowerer) StoreSlot(x ssa.Value, p *abi.Place, area isel.Area) {
	op, size := slotOp(p.Type)
	s := source{form: areaForms[area], disp: int32(p.Slot)}
	if imm, ok := l.storeImmediate(x, size); ok && size == 8 {
		inst := l.Put(tStoreI, size)
		l.attach(inst, MOV, &s)
		inst.Imm = imm
		return
	}
	r := l.Use(x)
	inst := l.Put(tStore, size)
	l.Arg(r)
	l.attach(inst, op, &s)
}

// LoadSlot loads one.
func (l *lowerer) LoadSlot(d regalloc.VReg, p *abi.Place, area isel.Area) {
	op, size := slotOp(p.Type)
	s := source{form: areaForms[area], disp: int32(p.Slot)}
	l.loadFrom(tLoad, op, size, d, &s)
}

func (l *lowerer) call(v ssa.Value, in *ssa.Inst, _ Op) { l.Call(v, in) }

// CallTable puts the call through table element index, without the arguments.
func (l *lowerer) CallTable(c *ssa.Call, index ssa.Value) {
	x := l.Use(index)
	length := l.tableLength(c.Table)
	record := l.tableField(c.Table, abi.TableRecLen)
	inst := l.Put(tCallTable, 0)
	l.FixedArg(x, RAX)
	l.attach(inst, NoOp, &record)
	if length.form == formImm {
		inst.Aux |= auxImm
		inst.Imm = length.imm
	}
	l.TableCall(inst, c)
}
