package amd64

import (
	"math"

	"github.com/wasmaot/wasmaot/backend"
	"github.com/wasmaot/wasmaot/backend/regalloc"
	"github.com/wasmaot/wasmaot/compiler/abi"
	"github.com/wasmaot/wasmaot/compiler/ssa"
)

// grow makes s n long; what was in it is undefined.
func grow[T any](s []T, n int) []T {
	if cap(s) < n {
		return make([]T, n, n+n/4)
	}
	return s[:n]
}

// prepare counts uses, puts times on all values and finds the I32 values that must be
// zero-extended.
func (l *lowerer) prepare() {
	f := l.f
	l.info = grow(l.info, len(f.Insts))
	clear(l.info)
	l.epochs = grow(l.epochs, len(f.RPO)+1)
	l.work = l.work[:0]
	epoch := uint32(1)
	for i, bi := range f.RPO {
		b := &f.Blocks[bi]
		l.epochs[i] = epoch
		for k, p := range f.ParamsOf(b) {
			l.info[p].epoch, l.info[p].param = uint32(i), uint32(k)
		}
		for _, v := range f.OrderOf(b) {
			l.info[v].epoch = epoch
			l.prepareInst(&f.Insts[v])
			if advances(&f.Insts[v]) {
				epoch++
			}
		}
		epoch++
		switch b.Kind {
		case ssa.BlockIf, ssa.BlockSwitch:
			l.addUse(b.Ctl)
		case ssa.BlockReturn:
			l.addUses(f.ReturnsOf(b))
		}
		for _, e := range f.SuccsOf(b) {
			l.addUses(f.ArgsOf(&e))
		}
	}
	l.epochs[len(f.RPO)] = epoch
	l.spreadZext()
}

// advances reports whether no load may be moved across the instruction: it writes, or traps for
// another reason than loads do.
func advances(in *ssa.Inst) bool {
	switch in.Op {
	case ssa.OpLoad, ssa.OpLoad8U, ssa.OpLoad8S, ssa.OpLoad16U, ssa.OpLoad16S, ssa.OpLoad32U, ssa.OpLoad32S:
		return false
	}
	return in.Op.Is(ssa.PropEffect)
}

func (l *lowerer) addUse(v ssa.Value) {
	if u := &l.info[v].uses; *u < math.MaxUint16 {
		*u++
	}
}

func (l *lowerer) addUses(vs []ssa.Value) {
	for _, v := range vs {
		l.addUse(v)
	}
}

func (l *lowerer) prepareInst(in *ssa.Inst) {
	if in.Op == ssa.OpCall {
		c := &l.f.Calls[in.A]
		args := l.f.CallArgs(c)
		l.addUses(args)
		if c.Kind == ssa.CallIndirect {
			l.needZext(args[len(args)-1])
		}
		return
	}
	uses := in.Op.Uses()
	for i, x := range [...]uint32{in.A, in.B, in.C} {
		if uses>>i&1 != 0 {
			l.addUse(ssa.Value(x))
		}
	}
	switch in.Op {
	case ssa.OpAddr, ssa.OpZext, ssa.OpConvU:
		l.needZext(ssa.Value(in.A))
	case ssa.OpTabGet, ssa.OpTabSet:
		l.needZext(ssa.Value(in.B))
	case ssa.OpMemFill:
		l.needZext(ssa.Value(in.A))
		l.needZext(ssa.Value(in.C))
	case ssa.OpMemCopy:
		l.needZext(ssa.Value(in.A))
		l.needZext(ssa.Value(in.B))
		l.needZext(ssa.Value(in.C))
	}
}

// needZext marks v, if it is an I32, as one to be zero-extended where it is defined.
func (l *lowerer) needZext(v ssa.Value) {
	in := &l.f.Insts[v]
	if in.Type != abi.I32 || l.info[v].flags&infoZext != 0 {
		return
	}
	l.info[v].flags |= infoZext
	if in.Op == ssa.OpParam {
		l.work = append(l.work, v)
	}
}

// spreadZext marks what flows into marked block parameters: these are then zero-extended
// without doing anything, and the extension stays out of loops.
func (l *lowerer) spreadZext() {
	f := l.f
	for len(l.work) > 0 {
		p := l.work[len(l.work)-1]
		l.work = l.work[:len(l.work)-1]
		bi := l.info[p].epoch
		if bi == 0 {
			continue // a parameter of the function
		}
		for _, e := range f.PredsOf(&f.Blocks[f.RPO[bi]]) {
			l.needZext(f.ArgsOf(&f.Edges[e])[l.info[p].param])
		}
	}
}

// linkBlocks gives the allocator the graph.
func (l *lowerer) linkBlocks() {
	f, ra := l.f, &l.m.RA
	l.edges = grow(l.edges, len(f.Edges))
	for _, bi := range f.RPO {
		b := &f.Blocks[bi]
		rb := regalloc.Block{Depth: b.Loop, Cold: b.Cold, Idom: ^uint32(0), LoopHeader: ^uint32(0)}
		if b.Idom != ssa.NoBlock {
			rb.Idom = f.Blocks[b.Idom].RPO
		}
		if b.Header != ssa.NoBlock {
			rb.LoopHeader = f.Blocks[b.Header].RPO
		}
		rb.SuccStart = uint32(len(ra.Edges))
		for e := b.SuccStart; e < b.SuccEnd; e++ {
			l.edges[e] = uint32(len(ra.Edges))
			ra.Edges = append(ra.Edges, regalloc.Edge{From: b.RPO, To: f.Blocks[f.Edges[e].To].RPO})
		}
		rb.SuccEnd = uint32(len(ra.Edges))
		ra.Blocks = append(ra.Blocks, rb)
	}
	for i, bi := range f.RPO {
		rb := &ra.Blocks[i]
		rb.PredStart = uint32(len(ra.Preds))
		for _, e := range f.PredsOf(&f.Blocks[bi]) {
			ra.Preds = append(ra.Preds, l.edges[e])
		}
		rb.PredEnd = uint32(len(ra.Preds))
	}
}

// terminator makes a block's last instruction and the arguments of its edges.
func (l *lowerer) terminator(b *ssa.BlockData) {
	f := l.f
	for e := b.SuccStart; e < b.SuccEnd; e++ {
		edge := &f.Edges[e]
		re := &l.m.RA.Edges[l.edges[e]]
		re.ArgStart = uint32(len(l.m.RA.EdgeArgs))
		params := f.ParamsOf(&f.Blocks[edge.To])
		for k, v := range f.ArgsOf(edge) {
			if l.info[params[k]].uses > 0 {
				l.m.RA.EdgeArgs = append(l.m.RA.EdgeArgs, l.use(v))
			}
		}
		re.ArgEnd = uint32(len(l.m.RA.EdgeArgs))
	}
	switch b.Kind {
	case ssa.BlockJump:
		l.put(tJump, 0)
	case ssa.BlockIf:
		l.branch(b.Ctl)
	case ssa.BlockSwitch:
		l.switchOn(b)
	case ssa.BlockReturn:
		l.returns(f.ReturnsOf(b))
	case ssa.BlockTrap:
		l.put(tTrap, 0).Imm = int64(b.Trap)
	default:
		l.fail("block b%d has no end", f.RPO[0])
	}
}

func (l *lowerer) branch(ctl ssa.Value) {
	c := l.compare(ctl)
	in := l.put(tBranch, c.size)
	l.attachCompare(in, &c)
}

func (l *lowerer) switchOn(b *ssa.BlockData) {
	if b.SuccEnd-b.SuccStart == 1 { // moves on the only edge come before the jump
		l.put(tJump, 0)
		return
	}
	index := l.use(b.Ctl)
	in := l.put(tSwitch, 4)
	in.Imm = int64(b.TabEnd - b.TabStart)
	l.temp(regalloc.ClassInt)
	l.arg(index)
	in.Aux = uint32(len(l.m.Switches))
	for _, e := range l.f.TableOf(b) {
		l.m.Switches = append(l.m.Switches, l.edges[e])
	}
}

// blockParams defines the parameters of block number i in RPO: those of the function in the entry
// block, else those that someone uses.
func (l *lowerer) blockParams(i uint32) {
	ra := &l.m.RA
	params := l.f.ParamsOf(&l.f.Blocks[l.f.RPO[i]])
	if i == 0 {
		l.entry(params)
		return
	}
	ra.Blocks[i].ParamStart = uint32(len(ra.Params))
	for _, p := range params {
		if l.info[p].uses > 0 {
			ra.Params = append(ra.Params, l.result(p))
		}
	}
	ra.Blocks[i].ParamEnd = uint32(len(ra.Params))
}

// The following add an instruction and its operands.

func (l *lowerer) put(t template, size uint8) *backend.Inst {
	at := uint32(len(l.m.RA.Ops))
	l.m.RA.Insts = append(l.m.RA.Insts, regalloc.Inst{OpStart: at, OpEnd: at})
	l.m.Insts = append(l.m.Insts, backend.Inst{Op: uint16(t), Size: size, Pos: l.pos})
	return &l.m.Insts[len(l.m.Insts)-1]
}

// last is the instruction added last.
func (l *lowerer) last() *backend.Inst { return &l.m.Insts[len(l.m.Insts)-1] }

func (l *lowerer) operand(v regalloc.VReg, k regalloc.OperandKind, c regalloc.Constraint, r regalloc.Reg) {
	ra := &l.m.RA
	ra.Ops = append(ra.Ops, regalloc.Operand{V: v, Kind: k, Con: c, Reg: r})
	ra.Insts[len(ra.Insts)-1].OpEnd = uint32(len(ra.Ops))
}

func (l *lowerer) def(v regalloc.VReg) { l.operand(v, regalloc.Def, regalloc.AnyReg, 0) }

// tied defines v in the register of the instruction's operand k, a use.
func (l *lowerer) tied(v regalloc.VReg, k uint8) {
	l.operand(v, regalloc.Def, regalloc.Tied, regalloc.Reg(k))
}

func (l *lowerer) arg(v regalloc.VReg) { l.operand(v, regalloc.Use, regalloc.AnyReg, 0) }

func (l *lowerer) lateArg(v regalloc.VReg) { l.operand(v, regalloc.UseLate, regalloc.AnyReg, 0) }

func (l *lowerer) fixedArg(v regalloc.VReg, r regalloc.Reg) {
	l.operand(v, regalloc.Use, regalloc.Fixed, r)
}

func (l *lowerer) fixedDef(v regalloc.VReg, r regalloc.Reg) {
	l.operand(v, regalloc.Def, regalloc.Fixed, r)
}

// slotArg uses v in a register or where it is spilled.
func (l *lowerer) slotArg(v regalloc.VReg) {
	if l.m.RA.VRegs[v].Home == regalloc.HomeRemat {
		l.arg(v)
		return
	}
	l.operand(v, regalloc.Use, regalloc.RegOrSlot, 0)
}

// temp adds a temporary that shares no register with any other operand.
func (l *lowerer) temp(c regalloc.Class) {
	l.operand(l.newVReg(c), regalloc.DefEarly, regalloc.AnyReg, 0)
}

// Indices into regalloc.Func.ClobberSets.
const (
	clobberNone = iota
	clobberAll  // calls
	clobberBulk // tMemCopy and tMemFill
	clobberSets
)

var clobberedBy = [clobberSets]regalloc.RegSet{
	clobberAll:  allocatable,
	clobberBulk: 1<<RAX | 1<<RCX | 1<<RDX | 1<<RSI | 1<<RDI | 1<<X0 | 1<<X1 | 1<<X2 | 1<<X3,
}

// clobber says that the last instruction destroys a set of registers.
func (l *lowerer) clobber(set uint8) {
	ra := &l.m.RA
	ra.Insts[len(ra.Insts)-1].Clobbers = set
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
			l.slotArg(s.a)
		} else {
			l.arg(s.a)
		}
	}
	if s.b != 0 {
		l.arg(s.b)
	}
}
