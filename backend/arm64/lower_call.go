package arm64

import (
	"github.com/wasmaot/wasmaot/backend/isel"
	"github.com/wasmaot/wasmaot/backend/regalloc"
	"github.com/wasmaot/wasmaot/compiler/abi"
	"github.com/wasmaot/wasmaot/compiler/ssa"
)

// slotSize is the size in which a value travels through a slot of the outgoing area: whole, since the
// other side may read all of it.
func slotSize(t abi.Type) uint8 {
	if t == abi.V128 {
		return 16
	}
	return 8
}

var areaForms = [...]form{isel.Outgoing: formOut, isel.Incoming: formIn}

// StoreSlot stores a parameter or result in its slot.
func (l *lowerer) StoreSlot(x ssa.Value, p *abi.Place, area isel.Area) {
	s := source{form: areaForms[area], disp: int32(p.Slot)}
	l.storeTo(x, slotSize(p.Type), &s)
}

// LoadSlot loads one.
func (l *lowerer) LoadSlot(d regalloc.VReg, p *abi.Place, area isel.Area) {
	s := source{form: areaForms[area], disp: int32(p.Slot)}
	l.loadFrom(LDR, slotSize(p.Type), d, &s)
}

func (l *lowerer) call(v ssa.Value, in *ssa.Inst, _ Op) { l.Call(v, in) }

// CallTable puts the call through table element index, without the arguments.
func (l *lowerer) CallTable(c *ssa.Call, index ssa.Value) {
	x := l.Use(index)
	record := l.contextField(l.Table(c.Table), abi.TableRecLen)
	inst := l.Put(tCallTable, 0)
	l.FixedArg(x, regCallee)
	l.attach(inst, NoOp, &record)
	if n, ok := l.FixedLength(c.Table); ok {
		inst.Aux |= auxImm
		inst.Imm = n
	}
	if l.F.Insts[index].Type == abi.I64 {
		inst.Aux |= auxWide
	}
	l.TableCall(inst, c)
}
