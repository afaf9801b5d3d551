package arm64

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
	shares []share  // by value: what accesses to memory make of it as an index
	undo   []undone // what was known of indices outside of the current part of the dominator tree
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

// traits: memory operands and comparisons extend an index by themselves, so few operations want it extended.
var traits = isel.Traits{
	Name: "arm64",
	Conv: &abi.ARM64,
	Clobbers: []regalloc.RegSet{
		isel.ClobberAll: allocatable,
		clobberBulk:     1<<X0 | 1<<X1 | 1<<X2 | 1<<X3 | 1<<X4 | 1<<X5 | 1<<X6 | 1<<X7 | 1<<V0 | 1<<V1 | 1<<V2 | 1<<V3,
	},
	Bulk: isel.Bulk{To: bulkTo, From: bulkFrom, Value: bulkFrom, Count: bulkCount, Clobbers: clobberBulk},
	Zext: [ssa.OpCount]uint8{ssa.OpZext: 1, ssa.OpMemFill: 5, ssa.OpMemCopy: 7},
}

// clobberBulk is what tMemCopy and tMemFill destroy.
const clobberBulk = isel.ClobberMachine

// Select makes v by its operation's rule.
func (l *lowerer) Select(v ssa.Value, in *ssa.Inst) bool {
	r := &rules[in.Op]
	if r.fn == nil {
		return false
	}
	r.fn(l, v, in, r.op)
	return true
}

// Branch ends a block with a choice by ctl.
func (l *lowerer) Branch(ctl ssa.Value) {
	c := l.compare(ctl, true)
	in := l.Put(tBranch, c.size)
	l.attachCompare(in, &c)
}

// Extend makes d of the low half of x.
func (l *lowerer) Extend(d, x regalloc.VReg) {
	l.Put(tMove32, 4)
	l.Def(d)
	l.SlotArg(x)
}

// attach gives in its last operand and operation.
func (l *lowerer) attach(in *backend.Inst, op Op, s *source) {
	in.Aux |= uint32(op) | uint32(s.form)<<auxFormShift | uint32(s.ext)<<auxExtShift
	in.Disp = s.disp
	if s.form == formImm {
		in.Imm = s.imm
	}
	if s.pos != 0 {
		in.Pos = s.pos
	}
	if s.a != 0 {
		l.Arg(s.a)
	}
	if s.b != 0 {
		l.Arg(s.b)
	}
}

// two makes d = a op source; a may be 0 for the zero register.
func (l *lowerer) two(op Op, size uint8, d, a regalloc.VReg, s *source) {
	in := l.Put(tTwo, size)
	l.Def(d)
	if a != 0 {
		l.Arg(a)
	} else {
		in.Aux |= auxZeroA
	}
	l.attach(in, op, s)
}

// one makes d = op a.
func (l *lowerer) one(t template, op Op, size uint8, d, a regalloc.VReg) *backend.Inst {
	in := l.Put(t, size)
	in.Aux |= uint32(op)
	l.Def(d)
	l.Arg(a)
	return in
}

// three makes d = op a, b, c.
func (l *lowerer) three(op Op, size uint8, d, a, b, c regalloc.VReg) {
	in := l.one(tThree, op, size, d, a)
	l.Arg(b)
	if c != 0 {
		l.Arg(c)
	} else {
		in.Aux |= auxZeroB
	}
}

// field makes d a bit field of a.
func (l *lowerer) field(op FieldOp, size uint8, d, a regalloc.VReg, immr, imms uint8) {
	l.one(tField, NoOp, size, d, a).Imm = int64(op) | int64(immr)<<32 | int64(imms)<<40
}

func regSource(r regalloc.VReg) source { return source{form: formReg, a: r} }
func immSource(imm int64) source       { return source{form: formImm, imm: imm} }
