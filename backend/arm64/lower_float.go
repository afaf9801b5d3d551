package arm64

import (
	"github.com/wasmaot/wasmaot/compiler/abi"
	"github.com/wasmaot/wasmaot/compiler/ssa"
)

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
