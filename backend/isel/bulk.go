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
		l.shortBulk(short, a, b, int64(length)).Aux |= l.auxZeros(in)
		return
	}
	n := l.Use(ssa.Value(in.C))
	inst := l.Put(long, 8)
	inst.Imm = int64(length)
	inst.Aux = l.auxZeros(in)
	l.FixedArg(a, t.To)
	l.FixedArg(b, second)
	l.FixedArg(n, t.Count)
	l.Clobber(t.Clobbers)
}

// auxZeros tells whether zeros are stored.
func (l *Lowerer) auxZeros(in *ssa.Inst) uint32 {
	if c, ok := l.F.IsConst(ssa.Value(in.B)); ok && in.Op == ssa.OpMemFill && uint8(c) == 0 {
		return backend.AuxZeros
	}
	return 0
}

// shortBulk makes them for a constant length.
func (l *Lowerer) shortBulk(t backend.Template, a, b regalloc.VReg, n int64) *backend.Inst {
	inst := l.Put(t, 8)
	inst.Imm = n
	temps, chunks := 2, backend.VectorChunks(n)
	if t == backend.TFillShort {
		chunks = 0
	}
	if n > 0 && !l.Cfg.Explicit {
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
	return inst
}
