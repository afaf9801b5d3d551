package opt

import (
	"testing"

	"github.com/wasmaot/wasmaot/compiler/abi"
	"github.com/wasmaot/wasmaot/compiler/ssa"
)

// hostile are functions whose shape makes some algorithms take quadratic time or worse: a guest
// may choose any. With passes that do, the test does not end.
var hostile = map[string]func(f *ssa.Func, n int){
	// All blocks of a chain can leave for the same block with eight values.
	"exits": func(f *ssa.Func, n int) {
		args := make([]ssa.Value, 8)
		exit := f.AddBlock()
		p := f.AddParams(exit, abi.I32, abi.I32, abi.I32, abi.I32, abi.I32, abi.I32, abi.I32, abi.I32)
		f.Begin(exit)
		f.EndReturn(exit, 0, p)
		cur := ssa.Block(0)
		for i := range n {
			f.Begin(cur)
			for j := range args {
				args[j] = f.Const(abi.I32, uint64(i*j))
			}
			next := f.AddBlock()
			f.AddEdge(cur, exit, args...)
			f.AddEdge(cur, next)
			f.EndIf(cur, 1, 0)
			cur = next
		}
		f.Begin(cur)
		f.EndReturn(cur, 0, 1)
	},
	// Empty blocks lead on to empty blocks, all of them with an edge from a switch.
	"empty": func(f *ssa.Func, n int) {
		f.Begin(0)
		var table []ssa.Edge
		for range n {
			table = append(table, f.AddEdge(0, f.AddBlock()))
		}
		f.EndSwitch(0, 1, table, 0)
		for i := range n {
			b := ssa.Block(i + 1)
			f.Begin(b)
			if i+1 == n {
				f.EndReturn(b, 0, 1)
				break
			}
			f.AddEdge(b, b+1)
			f.EndJump(b, 0)
		}
	},
	// Loops in loops that all carry the same value.
	"loops": func(f *ssa.Func, n int) {
		f.Begin(0)
		v, cur := ssa.Value(1), ssa.Block(0)
		heads := make([]ssa.Block, n)
		for i := range heads {
			heads[i] = f.AddBlock()
			f.AddEdge(cur, heads[i], v)
			f.EndJump(cur, 0)
			cur = heads[i]
			v = f.AddParams(cur, abi.I32)
			f.Begin(cur)
		}
		for i := n - 1; i >= 0; i-- {
			ctl := f.Emit(ssa.OpGlobal, abi.I32, 0, 0, 0, 0)
			next := f.AddBlock()
			f.AddEdge(cur, heads[i], v)
			f.AddEdge(cur, next)
			f.EndIf(cur, ctl, 0)
			f.Begin(next)
			cur = next
		}
		f.EndReturn(cur, 0, v)
	},
	// Each value uses the one before twice.
	"doubling": func(f *ssa.Func, n int) {
		f.Begin(0)
		v := ssa.Value(1)
		for i := range n {
			op := []ssa.Op{ssa.OpAnd, ssa.OpOr, ssa.OpXor, ssa.OpAdd}[i%4]
			w := f.Emit(ssa.OpShrU, abi.I32, uint32(v), uint32(f.Const(abi.I32, 1)), 0, 0)
			v = f.Emit(op, abi.I32, uint32(v), uint32(w), 0, 0)
		}
		f.EndReturn(0, 0, v)
	},
	// Additions of constants and accesses at the sum.
	"frame": func(f *ssa.Func, n int) {
		f.Begin(0)
		v := ssa.Value(1)
		for i := range n {
			v = f.Emit(ssa.OpAdd, abi.I32, uint32(v), uint32(f.Const(abi.I32, uint64(i))), 0, 0)
			a := f.Emit(ssa.OpAddr, abi.Addr, uint32(v), uint32(i%64), 4, 0)
			f.Emit(ssa.OpStore, abi.Void, uint32(a), uint32(f.Emit(ssa.OpLoad, abi.I32, uint32(a), 0, 0, 0)), 0, 0)
		}
		f.EndReturn(0, 0, v)
	},
	// Branches on one condition, one after the other.
	"decided": func(f *ssa.Func, n int) {
		for i := range n {
			b := ssa.Block(3 * i)
			f.Begin(b)
			yes, no, next := f.AddBlock(), f.AddBlock(), f.AddBlock()
			f.AddEdge(b, yes)
			f.AddEdge(b, no)
			f.EndIf(b, 1, 0)
			f.Begin(yes)
			f.AddEdge(yes, next)
			f.EndJump(yes, 0)
			f.Begin(no)
			f.Emit(ssa.OpGlobalSet, abi.Void, 0, 1, 0, 0)
			f.AddEdge(no, next)
			f.EndJump(no, 0)
		}
		last := ssa.Block(3 * n)
		f.Begin(last)
		f.EndReturn(last, 0, 1)
	},
}

func TestHostile(t *testing.T) {
	sig := &abi.Signature{Params: []abi.Type{abi.I32}, Results: []abi.Type{abi.I32}}
	var s Scratch
	for name, build := range hostile {
		t.Run(name, func(t *testing.T) {
			f := new(ssa.Func)
			f.Reset()
			f.Sig = sig
			f.AddBlock()
			f.AddParams(0, abi.I32)
			build(f, 30000)
			f.Analyze(&s.Scratch)
			for _, p := range append(All[:len(All):len(All)], All...) {
				p.Run(f, &s)
			}
			if err := ssa.Check(f); err != nil {
				t.Error(err)
			}
		})
	}
}
