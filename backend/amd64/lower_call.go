package amd64

import (
	"github.com/wasmaot/wasmaot/compiler/abi"
	"github.com/wasmaot/wasmaot/compiler/ssa"
)

// CallTable puts the call through table element index, without the arguments.
func (l *lowerer) CallTable(c *ssa.Call, index ssa.Value) {
	x := l.Use(index)
	length := l.tableLength(c.Table)
	record := located(l.TableField(c.Table, abi.TableRecLen))
	inst := l.Put(tCallTable, 0)
	l.FixedArg(x, RAX)
	l.attach(inst, NoOp, &record)
	if length.form == formImm {
		inst.Aux |= auxImm
		inst.Imm = length.imm
	}
	l.TableCall(inst, c)
}
