package opt

import (
	"github.com/wasmaot/wasmaot/compiler/abi"
	"github.com/wasmaot/wasmaot/compiler/ssa"
)

// Poll is not part of All: it is for hosts without preemption by signals.
var Poll = Pass{"poll", poll}

// PollInterval is how many polls are counted from one to the next that leaves for the host.
const PollInterval = 100_000

// poll counts down wherever code comes by again and again: at the targets of edges that lead back, of which every cycle has one, and at the
// beginning of functions with calls, of which every recursion has one. At zero the host is called.
func poll(f *ssa.Func, s *Scratch) {
	at := sized(s.stamp, len(f.Blocks))
	s.stamp = at
	for _, b := range f.RPO {
		bd := &f.Blocks[b]
		for _, e := range f.SuccsOf(bd) {
			if f.Blocks[e.To].RPO <= bd.RPO {
				at[e.To] = 1
			}
		}
		for _, v := range f.OrderOf(bd) {
			if f.Insts[v].Op == ssa.OpCall {
				at[0] = 1
			}
		}
	}
	changed := false
	for b, mark := range at {
		if mark != 0 {
			pollAt(f, ssa.Block(b))
			changed = true
		}
	}
	if changed {
		f.Analyze(&s.Scratch)
	}
}

// pollAt puts a poll before what is in block b.
func pollAt(f *ssa.Func, b ssa.Block) {
	rest, host := f.AddBlock(), f.AddBlock()
	bd := &f.Blocks[b]
	pos := bd.Pos
	if bd.InstStart < bd.InstEnd {
		pos = f.Pos[f.Order[bd.InstStart]]
	}
	// The rest takes everything over but the parameters, which dominate it.
	moved := *bd
	moved.ParamStart, moved.ParamEnd = 0, 0
	f.Blocks[rest] = moved
	for e := moved.SuccStart; e < moved.SuccEnd; e++ {
		f.Edges[e].From = rest
	}
	*bd = ssa.BlockData{Cold: moved.Cold, ParamStart: bd.ParamStart, ParamEnd: bd.ParamEnd}

	counter := f.Module.Polls
	f.Begin(b)
	n := f.Emit(ssa.OpGlobal, abi.I32, counter, 0, 0, pos)
	n = f.Emit(ssa.OpSub, abi.I32, uint32(n), uint32(f.Const(abi.I32, 1)), 0, pos)
	f.Emit(ssa.OpGlobalSet, abi.Void, counter, uint32(n), 0, pos)
	more := f.Emit(ssa.OpGtS, abi.I32, uint32(n), uint32(f.Const(abi.I32, 0)), 0, pos)
	f.AddEdge(b, rest)
	f.AddEdge(b, host)
	f.EndIf(b, more, pos)

	f.Begin(host)
	f.EmitCall(ssa.Call{Kind: ssa.CallBuiltin, Callee: uint32(abi.BuiltinPoll), Sig: &abi.Builtins[abi.BuiltinPoll].Sig}, nil, pos)
	f.Emit(ssa.OpGlobalSet, abi.Void, counter, uint32(f.Const(abi.I32, PollInterval)), 0, pos)
	f.AddEdge(host, rest)
	f.EndJump(host, pos)
	f.Blocks[host].Cold = true
}
