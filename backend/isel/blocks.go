package isel

import (
	"math"

	"github.com/wasmaot/wasmaot/backend"
	"github.com/wasmaot/wasmaot/backend/regalloc"
	"github.com/wasmaot/wasmaot/compiler/abi"
	"github.com/wasmaot/wasmaot/compiler/ssa"
)

// prepare counts uses, puts times on all values and finds the I32 values that must be
// zero-extended.
func (l *Lowerer) prepare() {
	f := l.F
	l.Info = backend.Grow(l.Info, len(f.Insts))
	clear(l.Info)
	l.epochs = backend.Grow(l.epochs, len(f.RPO)+1)
	l.work = l.work[:0]
	l.HighHalves = false
	epoch := uint32(1)
	for i, bi := range f.RPO {
		b := &f.Blocks[bi]
		l.epochs[i] = epoch
		for k, p := range f.ParamsOf(b) {
			l.Info[p].Epoch, l.Info[p].param = uint32(i), uint32(k)
		}
		for _, v := range f.OrderOf(b) {
			l.Info[v].Epoch = epoch
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

func (l *Lowerer) addUse(v ssa.Value) {
	if u := &l.Info[v].Uses; *u < math.MaxUint16 {
		*u++
	}
}

func (l *Lowerer) addUses(vs []ssa.Value) {
	for _, v := range vs {
		l.addUse(v)
	}
}

func (l *Lowerer) prepareInst(in *ssa.Inst) {
	if in.Op == ssa.OpCall {
		c := &l.F.Calls[in.A]
		args := l.F.CallArgs(c)
		l.addUses(args)
		if c.Kind == ssa.CallIndirect && l.traits.Zext[ssa.OpCall] != 0 {
			l.needZext(args[len(args)-1])
		}
		return
	}
	l.HighHalves = l.HighHalves || in.Op == ssa.OpMulHiU
	x, y, z := in.Values()
	l.addUse(x)
	l.addUse(y)
	l.addUse(z)
	if zext := l.traits.Zext[in.Op]; zext != 0 {
		for i, v := range [...]ssa.Value{x, y, z} {
			if zext>>i&1 != 0 {
				l.needZext(v)
			}
		}
	}
}

// needZext marks v, if it is an I32, as one to be zero-extended where it is defined.
func (l *Lowerer) needZext(v ssa.Value) {
	in := &l.F.Insts[v]
	if in.Type != abi.I32 || l.Info[v].Flags&Zext != 0 {
		return
	}
	l.Info[v].Flags |= Zext
	if in.Op == ssa.OpParam {
		l.work = append(l.work, v)
	}
}

// spreadZext marks what flows into marked block parameters: these are then zero-extended
// without doing anything, and the extension stays out of loops.
func (l *Lowerer) spreadZext() {
	f := l.F
	for len(l.work) > 0 {
		p := l.work[len(l.work)-1]
		l.work = l.work[:len(l.work)-1]
		bi := l.Info[p].Epoch
		if bi == 0 {
			continue // a parameter of the function
		}
		for _, e := range f.PredsOf(&f.Blocks[f.RPO[bi]]) {
			l.needZext(f.ArgsOf(&f.Edges[e])[l.Info[p].param])
		}
	}
}

// linkBlocks gives the allocator the graph.
func (l *Lowerer) linkBlocks() {
	f, ra := l.F, &l.M.RA
	l.edges = backend.Grow(l.edges, len(f.Edges))
	for _, bi := range f.RPO {
		b := &f.Blocks[bi]
		ra.Blocks = append(ra.Blocks, regalloc.Block{})
		rb := &ra.Blocks[len(ra.Blocks)-1]
		rb.Depth, rb.Cold, rb.Idom, rb.LoopHeader = b.Loop, b.Cold, ^uint32(0), ^uint32(0)
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
func (l *Lowerer) terminator(b *ssa.BlockData) {
	f := l.F
	for e := b.SuccStart; e < b.SuccEnd; e++ {
		edge := &f.Edges[e]
		re := &l.M.RA.Edges[l.edges[e]]
		re.ArgStart = uint32(len(l.M.RA.EdgeArgs))
		params := f.ParamsOf(&f.Blocks[edge.To])
		for k, v := range f.ArgsOf(edge) {
			if l.Info[params[k]].Uses > 0 {
				l.M.RA.EdgeArgs = append(l.M.RA.EdgeArgs, l.Use(v))
			}
		}
		re.ArgEnd = uint32(len(l.M.RA.EdgeArgs))
	}
	switch b.Kind {
	case ssa.BlockJump:
		l.Put(backend.TJump, 0)
	case ssa.BlockIf:
		l.machine.Branch(b.Ctl)
	case ssa.BlockSwitch:
		l.switchOn(b)
	case ssa.BlockReturn:
		l.returns(f.ReturnsOf(b))
	case ssa.BlockTrap:
		l.Put(backend.TTrap, 0).Imm = int64(b.Trap)
	default:
		l.Fail("block b%d has no end", f.RPO[0])
	}
}

func (l *Lowerer) switchOn(b *ssa.BlockData) {
	if b.SuccEnd-b.SuccStart == 1 { // moves on the only edge come before the jump
		l.Put(backend.TJump, 0)
		return
	}
	index := l.Use(b.Ctl)
	in := l.Put(backend.TSwitch, 4)
	in.Imm = int64(b.TabEnd - b.TabStart)
	l.Temp(regalloc.ClassInt)
	l.Arg(index)
	in.Aux = uint32(len(l.M.Switches))
	for _, e := range l.F.TableOf(b) {
		l.M.Switches = append(l.M.Switches, l.edges[e])
	}
}

// blockParams defines the parameters of block number i in RPO: those of the function in the entry
// block, else those that someone uses.
func (l *Lowerer) blockParams(i uint32) {
	ra := &l.M.RA
	params := l.F.ParamsOf(&l.F.Blocks[l.F.RPO[i]])
	for _, p := range params {
		if l.Info[p].Flags&Followed != 0 {
			l.Use(p)
		}
	}
	if i == 0 {
		l.entry(params)
	} else {
		ra.Blocks[i].ParamStart = uint32(len(ra.Params))
		for _, p := range params {
			if l.Info[p].Uses > 0 {
				ra.Params = append(ra.Params, l.Result(p))
			}
		}
		ra.Blocks[i].ParamEnd = uint32(len(ra.Params))
	}
	for _, p := range params {
		if l.Info[p].Flags&Followed != 0 {
			l.machine.Follow(p)
		}
	}
}

// The following add an instruction and its operands.

func (l *Lowerer) Put(t backend.Template, size uint8) *backend.Inst {
	at := uint32(len(l.M.RA.Ops))
	l.M.RA.Insts = append(l.M.RA.Insts, regalloc.Inst{OpStart: at, OpEnd: at})
	l.M.Insts = append(l.M.Insts, backend.Inst{})
	in := &l.M.Insts[len(l.M.Insts)-1]
	in.Op, in.Size, in.Pos = uint16(t), size, l.pos
	return in
}

// Last is the instruction added last.
func (l *Lowerer) Last() *backend.Inst { return &l.M.Insts[len(l.M.Insts)-1] }

func (l *Lowerer) Operand(v regalloc.VReg, k regalloc.OperandKind, c regalloc.Constraint, r regalloc.Reg) {
	ra := &l.M.RA
	ra.Ops = append(ra.Ops, regalloc.Operand{V: v, Kind: k, Con: c, Reg: r})
	ra.Insts[len(ra.Insts)-1].OpEnd = uint32(len(ra.Ops))
}

func (l *Lowerer) Def(v regalloc.VReg) { l.Operand(v, regalloc.Def, regalloc.AnyReg, 0) }

// Tied defines v in the register of the instruction's operand k, a use.
func (l *Lowerer) Tied(v regalloc.VReg, k uint8) {
	l.Operand(v, regalloc.Def, regalloc.Tied, regalloc.Reg(k))
}

func (l *Lowerer) Arg(v regalloc.VReg) { l.Operand(v, regalloc.Use, regalloc.AnyReg, 0) }

func (l *Lowerer) LateArg(v regalloc.VReg) { l.Operand(v, regalloc.UseLate, regalloc.AnyReg, 0) }

func (l *Lowerer) FixedArg(v regalloc.VReg, r regalloc.Reg) {
	l.Operand(v, regalloc.Use, regalloc.Fixed, r)
}

func (l *Lowerer) FixedDef(v regalloc.VReg, r regalloc.Reg) {
	l.Operand(v, regalloc.Def, regalloc.Fixed, r)
}

// SlotArg uses v in a register or where it is spilled.
func (l *Lowerer) SlotArg(v regalloc.VReg) {
	if l.M.RA.VRegs[v].Home == regalloc.HomeRemat {
		l.Arg(v)
		return
	}
	l.Operand(v, regalloc.Use, regalloc.RegOrSlot, 0)
}

// Temp adds a temporary that shares no register with any other operand.
func (l *Lowerer) Temp(c regalloc.Class) {
	l.Operand(l.NewVReg(c), regalloc.DefEarly, regalloc.AnyReg, 0)
}

// Clobber says that the last instruction destroys a set of registers.
func (l *Lowerer) Clobber(set uint8) {
	ra := &l.M.RA
	ra.Insts[len(ra.Insts)-1].Clobbers = set
}
