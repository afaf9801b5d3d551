package isel

import (
	"github.com/wasmaot/wasmaot/backend"
	"github.com/wasmaot/wasmaot/backend/regalloc"
	"github.com/wasmaot/wasmaot/compiler/ssa"
)

// Bulk says where the operands of copies and fills of any length are, and what these destroy.
type Bulk struct {
	To, From, Value, Count regalloc.Reg
	Clobbers               uint8 // index into Traits.Clobbers
	Unchecked              bool  // of constant lengths too, where guard regions may be relied upon: see backend.AuxUnchecked
}

// bulk makes OpMemCopy and OpMemFill.
func (l *Lowerer) bulk(in *ssa.Inst) {
	t := &l.traits.Bulk
	long, short, second := backend.TMemCopy, backend.TCopyShort, t.From
	if in.Op == ssa.OpMemFill {
		long, short, second = backend.TMemFill, backend.TFillShort, t.Value
	}
	a, b := l.Use(ssa.Value(in.A)), l.Use(ssa.Value(in.B))
	length, isConst := l.F.IsConst(ssa.Value(in.C))
	switch {
	case !isConst:
		length = 0
	case length <= backend.MaxShort:
		l.shortBulk(short, a, b, int64(length))
		return
	}
	n := l.Use(ssa.Value(in.C))
	l.Put(long, 8).Imm = int64(length)
	l.FixedArg(a, t.To)
	l.FixedArg(b, second)
	l.FixedArg(n, t.Count)
	l.Clobber(t.Clobbers)
}

// shortBulk makes them for a constant length.
func (l *Lowerer) shortBulk(t backend.Template, a, b regalloc.VReg, n int64) {
	inst := l.Put(t, 8)
	inst.Imm = n
	temps, chunks := 2, backend.VectorChunks(n)
	if t == backend.TFillShort {
		chunks = 0
	}
	if l.traits.Bulk.Unchecked && n > 0 && !l.Cfg.Explicit {
		inst.Aux = backend.AuxUnchecked
		temps = 0
		if chunks == 0 {
			temps = 1
		}
	}
	for range temps {
		l.Temp(regalloc.ClassInt)
	}
	for range chunks {
		l.Temp(regalloc.ClassVec)
	}
	l.Arg(a)
	l.Arg(b)
}
