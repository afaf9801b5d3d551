package isel

import (
	"math"

	"github.com/wasmaot/wasmaot/backend"
	"github.com/wasmaot/wasmaot/compiler/abi"
	"github.com/wasmaot/wasmaot/compiler/ssa"
)

// prepare counts uses, puts times on all values and finds the I32 values that must be
// zero-extended. What no one uses and has no effect counts for nothing, not even if it uses itself around a loop: it is dead.
//
// Backward through the blocks all uses come before the definition but those by edges that lead back, which are
// looked at when their target is.
func (l *Lowerer) prepare() {
	f := l.F
	l.Info = backend.Grow(l.Info, len(f.Insts))
	clear(l.Info)
	l.epochs = backend.Grow(l.epochs, len(f.RPO)+1)
	l.extended, l.HighHalves = l.extended[:0], false
	epoch := uint32(lastEpoch)
	l.epochs[len(f.RPO)] = epoch
	for i := len(f.RPO) - 1; i >= 0; i-- {
		epoch = l.prepareBlock(uint32(i), epoch-1)
		l.epochs[i] = epoch
	}
	l.spreadZext()
}

// lastEpoch is the time at the end of a function. There are not as many instructions and blocks as that, so that 0 is no time.
const lastEpoch = math.MaxUint32

// prepareBlock looks at block number i in RPO, which ends at a time, and returns the time when it begins.
func (l *Lowerer) prepareBlock(i, epoch uint32) uint32 {
	f := l.F
	b := &f.Blocks[f.RPO[i]]
	switch b.Kind {
	case ssa.BlockIf, ssa.BlockSwitch:
		l.addUse(b.Ctl)
	case ssa.BlockReturn:
		l.addUses(f.ReturnsOf(b))
	}
	for e := b.SuccStart; e < b.SuccEnd; e++ {
		edge := &f.Edges[e]
		to := &f.Blocks[edge.To]
		if edge.ArgStart == edge.ArgEnd || to.RPO <= i {
			continue // an edge back: not known yet
		}
		params := f.ParamsOf(to)
		for k, v := range f.ArgsOf(edge) {
			if l.Info[params[k]].Uses > 0 {
				l.addUse(v)
			}
		}
	}
	order, insts, infos, zexts := f.OrderOf(b), f.Insts, l.Info, &l.traits.Zext
	for k := len(order) - 1; k >= 0; k-- {
		in, info := &insts[order[k]], &infos[order[k]]
		effect := in.Op.Is(ssa.PropEffect)
		if effect && !in.Op.IsLoad() {
			epoch-- // it writes, or traps for another reason than loads do, which may not be moved across
		}
		info.Epoch = epoch
		if info.Uses == 0 && (!effect && in.Op != ssa.OpAddr || !f.HasEffect(in)) {
			continue
		}
		info.Flags |= Needed
		if in.Op == ssa.OpCall || zexts[in.Op] != 0 {
			l.prepareInst(in)
			continue
		}
		x, y, z := in.Values()
		infos[x].count()
		infos[y].count()
		infos[z].count()
		l.HighHalves = l.HighHalves || in.Op == ssa.OpMulHiU
	}
	for _, p := range f.ParamsOf(b) {
		info := &l.Info[p]
		info.Epoch = i
		if info.Uses > 0 && i > 0 {
			l.late = append(l.late, p)
		}
	}
	l.useLate(i)
	return epoch
}

// useLate adds the uses by edges from block number i in RPO, and from those behind it, of the arguments for the parameters in l.late. If these are the
// first ones of what was passed already its operands' uses are added as well.
func (l *Lowerer) useLate(i uint32) {
	f := l.F
	for len(l.late) > 0 {
		v := l.late[len(l.late)-1]
		l.late = l.late[:len(l.late)-1]
		in := &f.Insts[v]
		if in.Op != ssa.OpParam {
			l.Info[v].Flags |= Needed
			l.prepareInst(in)
			continue
		}
		for _, e := range f.PredsOf(&f.Blocks[f.RPO[l.Info[v].Epoch]]) {
			if edge := &f.Edges[e]; f.Blocks[edge.From].RPO >= i {
				l.addUse(f.ArgsOf(edge)[in.A])
			}
		}
	}
}

func (l *Lowerer) addUse(v ssa.Value) {
	info := &l.Info[v]
	if info.Epoch != 0 && info.Uses == 0 {
		l.late = append(l.late, v)
	}
	info.count()
}

func (info *ValueInfo) count() {
	if info.Uses < math.MaxUint16 {
		info.Uses++
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
		l.extended = append(l.extended, v)
	}
}

// spreadZext marks what flows into marked block parameters: these are then zero-extended
// without doing anything, and the extension stays out of loops.
func (l *Lowerer) spreadZext() {
	f := l.F
	for len(l.extended) > 0 {
		p := l.extended[len(l.extended)-1]
		l.extended = l.extended[:len(l.extended)-1]
		bi := l.Info[p].Epoch
		if bi == 0 {
			continue // a parameter of the function
		}
		for _, e := range f.PredsOf(&f.Blocks[f.RPO[bi]]) {
			l.needZext(f.ArgsOf(&f.Edges[e])[f.Insts[p].A])
		}
	}
}
