package opt

import (
	"slices"

	"github.com/wasmaot/wasmaot/compiler/abi"
	"github.com/wasmaot/wasmaot/compiler/ssa"
)

// Clear is not part of All: it makes nothing faster by itself. It hands the clearing of much memory to the host, which knows whether
// anyone has touched it: what was never touched is zero, and takes no memory as long as nobody does.
var Clear = Pass{"clear", clearing}

// longClear is from how many bytes on the host is asked. That takes as long as clearing a few KiB.
const longClear = 64 << 10

func clearing(f *ssa.Func, s *Scratch) {
	if !slices.ContainsFunc(f.Insts, func(in ssa.Inst) bool { return in.Op == ssa.OpMemFill }) {
		return // as is most often so: it is faster not to ask for the blocks
	}
	changed := false
	for b := range ssa.Block(len(f.Blocks)) {
		for next := b; next != ssa.NoBlock; {
			next = clearIn(f, next)
			changed = changed || next != ssa.NoBlock
		}
	}
	if changed {
		f.Analyze(&s.Scratch)
	}
}

// clearIn puts a choice in the place of a block's first clearing of a length that is not known, and gives the block with what follows it.
func clearIn(f *ssa.Func, b ssa.Block) (rest ssa.Block) {
	bd := &f.Blocks[b]
	for at := bd.InstStart; at < bd.InstEnd; at++ {
		v := f.Order[at]
		in := &f.Insts[v]
		if in.Op != ssa.OpMemFill {
			continue
		}
		_, isConst := f.IsConst(ssa.Value(in.C))
		if value, ok := f.IsConst(ssa.Value(in.B)); ok && uint8(value) == 0 && !isConst {
			return clearAt(f, b, at)
		}
	}
	return ssa.NoBlock
}

// clearAt does so for the one at a place in f.Order.
func clearAt(f *ssa.Func, b ssa.Block, at uint32) (rest ssa.Block) {
	fill := f.Order[at]
	in, pos := f.Insts[fill], f.Pos[fill]
	rest = f.AddBlock()
	here, host := f.AddBlock(), f.AddBlock()

	bd := &f.Blocks[b]
	moved := *bd // but the parameters, which dominate it
	moved.InstStart, moved.ParamStart, moved.ParamEnd = at+1, 0, 0
	f.Blocks[rest] = moved
	for e := moved.SuccStart; e < moved.SuccEnd; e++ {
		f.Edges[e].From = rest
	}
	long := f.NewValue(ssa.OpGeU, abi.I32, in.C, uint32(f.Const(abi.I32, longClear)), 0, pos)
	f.Order[at] = long // the one instruction that the block needs has room
	bd = &f.Blocks[b]
	*bd = ssa.BlockData{Kind: ssa.BlockIf, Ctl: long, Pos: pos, Cold: bd.Cold, InstStart: bd.InstStart, InstEnd: at + 1,
		ParamStart: bd.ParamStart, ParamEnd: bd.ParamEnd, SuccStart: uint32(len(f.Edges))}
	f.AddEdge(b, host)
	f.AddEdge(b, here)
	f.Blocks[b].SuccEnd = uint32(len(f.Edges))

	f.Begin(here)
	f.Order = append(f.Order, fill)
	f.AddEdge(here, rest)
	f.EndJump(here, pos)
	f.Blocks[here].Cold = moved.Cold

	f.Begin(host)
	to := f.Emit(ssa.OpZext, abi.I64, in.A, 0, 0, pos)
	n := f.Emit(ssa.OpZext, abi.I64, in.C, 0, 0, pos)
	f.EmitCall(ssa.Call{Kind: ssa.CallBuiltin, Callee: uint32(abi.BuiltinMemoryFill), Sig: &abi.Builtins[abi.BuiltinMemoryFill].Sig},
		[]ssa.Value{f.Const(abi.I32, 0), to, f.Const(abi.I32, 0), n}, pos)
	f.AddEdge(host, rest)
	f.EndJump(host, pos)
	f.Blocks[host].Cold = true
	return rest
}
