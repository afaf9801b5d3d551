package isel

import (
	"github.com/wasmaot/wasmaot/backend"
	"github.com/wasmaot/wasmaot/backend/regalloc"
	"github.com/wasmaot/wasmaot/compiler/ssa"
)

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
