package amd64

import (
	"sync"

	"github.com/wasmaot/wasmaot/backend"
	"github.com/wasmaot/wasmaot/backend/isel"
	"github.com/wasmaot/wasmaot/backend/regalloc"
	"github.com/wasmaot/wasmaot/compiler/abi"
	"github.com/wasmaot/wasmaot/compiler/ssa"
)

// lowerer selects instructions.
type lowerer struct {
	isel.Lowerer
}

var lowerers = sync.Pool{New: func() any { return new(lowerer) }}

// vectorRulesSet says that setVectorRules was called: not at the start of every program.
var vectorRulesSet sync.Once

// lower selects instructions for f into m.
func lower(cfg *backend.Config, f *ssa.Func, m *backend.Func) error {
	vectorRulesSet.Do(setVectorRules)
	l := lowerers.Get().(*lowerer)
	err := l.Run(l, &traits, cfg, f, m)
	lowerers.Put(l)
	return err
}

var traits = isel.Traits{
	Name: "amd64",
	Conv: &abi.AMD64,
	Clobbers: []regalloc.RegSet{
		isel.ClobberAll: allocatable,
		clobberBulk:     1<<RAX | 1<<RCX | 1<<RDX | 1<<RSI | 1<<RDI | 1<<X0 | 1<<X1 | 1<<X2 | 1<<X3,
		clobberLimbs:    1<<RBX | 1<<RCX | 1<<RSI | 1<<RDI | 1<<R8 | 1<<R9,
	},
	Bulk: isel.Bulk{To: RDI, From: RSI, Value: RAX, Count: RCX, Clobbers: clobberBulk},
	Zext: [ssa.OpCount]uint8{
		ssa.OpAddr: 1, ssa.OpZext: 1, ssa.OpConvU: 1, ssa.OpTabGet: 2, ssa.OpTabSet: 2, ssa.OpMemFill: 5, ssa.OpMemCopy: 7, ssa.OpLimbs: 7, ssa.OpCall: 1,
	},
}

// clobberBulk is what tMemCopy and tMemFill destroy, clobberLimbs what tAddLimbs and tMulAddLimbs do.
const (
	clobberBulk = isel.ClobberMachine + iota
	clobberLimbs
)

// Select makes v by its operation's rule.
func (l *lowerer) Select(v ssa.Value, in *ssa.Inst) bool {
	r := &rules[in.Op]
	if r.fn == nil {
		return false
	}
	r.fn(l, v, in, r.op)
	return true
}

// Begin has nothing to do.
func (l *lowerer) Begin() {}

// Follow has nothing to do: amd64 marks no values.
func (l *lowerer) Follow(ssa.Value) {}

// Branch ends a block with a choice by ctl.
func (l *lowerer) Branch(ctl ssa.Value) {
	c := l.compare(ctl)
	in := l.Put(tBranch, c.size)
	l.attachCompare(in, &c)
}

// Extend makes d of the low half of x.
func (l *lowerer) Extend(d, x regalloc.VReg) {
	s := source{form: formReg, slot: true, a: x}
	l.loadFrom(tMove32, MOV, 4, d, &s)
}

// attach gives in its last operand and operation.
func (l *lowerer) attach(in *backend.Inst, op Op, s *source) {
	in.Aux |= uint32(op) | uint32(s.form)<<auxFormShift | uint32(s.scale)<<auxScaleShift
	if s.form != formNone && s.form != formReg {
		in.Disp = s.disp
		if !s.form.isMem() || s.form == formConst {
			in.Imm = s.imm
		}
	}
	if s.pos != 0 {
		in.Pos = s.pos
	}
	if s.a != 0 {
		if s.form == formReg && s.slot {
			l.SlotArg(s.a)
		} else {
			l.Arg(s.a)
		}
	}
	if s.b != 0 {
		l.Arg(s.b)
	}
}
