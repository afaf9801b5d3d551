package arm64

import (
	"github.com/wasmaot/wasmaot/compiler/abi"
	"github.com/wasmaot/wasmaot/compiler/ssa"
)

func (l *lowerer) copysign(v ssa.Value, in *ssa.Inst, _ Op) {
	a, b := l.Use(ssa.Value(in.A)), l.Use(ssa.Value(in.B))
	l.Put(tCopysign, uint8(in.Type.Size()))
	l.Tied(l.Result(v), 1)
	l.Arg(a)
	l.Arg(b)
}

// convert makes a float of an integer.
func (l *lowerer) convert(v ssa.Value, in *ssa.Inst, _ Op) {
	inst := l.one(tConv, NoOp, uint8(in.Type.Size()), l.Result(v), l.Use(ssa.Value(in.A)))
	inst.Imm = int64(l.F.Insts[in.A].Type.Size())
	if in.Op == ssa.OpConvU {
		inst.Aux |= auxUnsigned
	}
}

// Truncate makes an integer of a float. The machine's instructions saturate.
func (l *lowerer) Truncate(v ssa.Value, in *ssa.Inst) {
	t := tTrunc
	if in.Op == ssa.OpTruncSatS || in.Op == ssa.OpTruncSatU {
		t = tTruncSat
	}
	inst := l.one(t, NoOp, uint8(in.Type.Size()), l.Result(v), l.Use(ssa.Value(in.A)))
	if l.F.Insts[in.A].Type == abi.F64 {
		inst.Aux |= auxF64
	}
	if in.Op == ssa.OpTruncU || in.Op == ssa.OpTruncSatU {
		inst.Aux |= auxUnsigned
	}
}

// bitcast moves between the register classes.
func (l *lowerer) bitcast(v ssa.Value, in *ssa.Inst, _ Op) {
	l.one(tBitcast, NoOp, uint8(in.Type.Size()), l.Result(v), l.Use(ssa.Value(in.A)))
}
