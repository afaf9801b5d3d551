package arm64

import (
	"github.com/wasmaot/wasmaot/compiler/abi"
	"github.com/wasmaot/wasmaot/compiler/ssa"
)

// CallTable puts the call through table element index, without the arguments.
func (l *lowerer) CallTable(c *ssa.Call, index ssa.Value) {
	x := l.Use(index)
	record := located(l.TableField(c.Table, abi.TableRecLen))
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
