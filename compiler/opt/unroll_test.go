package opt

import (
	"math"
	"math/rand/v2"
	"testing"

	"github.com/wasmaot/wasmaot/compiler/abi"
	"github.com/wasmaot/wasmaot/compiler/ssa"
	"github.com/wasmaot/wasmaot/compiler/ssa/ssatest"
)

// TestUnroll runs random loops of the shape that is unrolled: chains of blocks with ways out, their values used behind them.
func TestUnroll(t *testing.T) {
	unrolled := 0
	count := Pass{"count", func(f *ssa.Func, s *Scratch) {
		n := len(f.Blocks)
		f.Analyze(&s.Scratch)
		unroll(f, s)
		if len(f.Blocks) > n {
			unrolled++
		}
	}}
	compareRandom(t, 1000, randomLoop, [][]Pass{{count}, {count, Forward, Fold, LICM, GVN}, {Thread, count, Forward}})
	t.Logf("%d unrolled", unrolled)
	if unrolled == 0 {
		t.Error("no loop was unrolled")
	}
}

// loopMaker makes a function with one loop.
type loopMaker struct {
	r      *rand.Rand
	f      *ssa.Func
	values []ssa.Value // that may be used here
	floats bool        // there is arithmetic on them
}

func randomLoop(r *rand.Rand, _ uint64) *ssa.Func { return randomChain(r, false) }

func randomChain(r *rand.Rand, floats bool) *ssa.Func {
	f := &ssa.Func{}
	f.Reset()
	f.Module, f.Index, f.Name = ssatest.Module, 3, "loop"
	f.Sig = &abi.Signature{Params: []abi.Type{abi.I32, abi.I64}, Results: []abi.Type{abi.I64, abi.I32}}
	m := &loopMaker{r: r, f: f, floats: floats}
	entry, join := f.AddBlock(), f.AddBlock()
	chain := make([]ssa.Block, 1+r.IntN(4))
	for i := range chain {
		chain[i] = f.AddBlock()
	}
	first := f.AddParams(entry, f.Sig.Params...)
	f.Begin(entry)
	m.values = append(m.values, first, first+1, f.Emit(ssa.OpAnd, abi.I32, uint32(first), uint32(f.Const(abi.I32, 0x1ff8)), 0, 1),
		f.Const(abi.I32, 8), f.Const(abi.I64, 3))
	types := []abi.Type{abi.I64, abi.I32, abi.I64, abi.I32}[:1+r.IntN(4)]
	if floats {
		m.values = append(m.values, f.Const(abi.F64, math.Float64bits(1.25)), f.Emit(ssa.OpConvS, abi.F64, uint32(first), 0, 0, 1))
		types = append(types, abi.F64, abi.F64, abi.F64)
	}
	inits := []ssa.Value{f.Const(abi.I64, uint64(r.IntN(3)))}
	for _, t := range types[1:] {
		inits = append(inits, m.pick(t))
	}
	f.AddEdge(entry, chain[0], inits...)
	f.EndJump(entry, 1)
	params := f.AddParams(chain[0], types...)
	for i := range types {
		m.values = append(m.values, params+ssa.Value(i))
	}
	step, most := f.Const(abi.I64, uint64(1+r.IntN(3))), f.Const(abi.I64, uint64(r.IntN(20)))
	type exit struct {
		block  ssa.Block
		values []ssa.Value
	}
	var exits []exit
	for i, b := range chain {
		f.Begin(b)
		m.insts(1 + r.IntN(7))
		last := i == len(chain)-1
		on := func() {
			if !last {
				f.AddEdge(b, chain[i+1])
				return
			}
			args := []ssa.Value{m.values[len(m.values)-1]} // the counter and its step
			for j, t := range types[1:] {
				if r.IntN(3) == 0 {
					args = append(args, params+ssa.Value(j+1))
				} else {
					args = append(args, m.pick(t))
				}
			}
			f.AddEdge(b, chain[0], args...)
		}
		if last {
			m.values = append(m.values, f.Emit(ssa.OpAdd, abi.I64, uint32(params), uint32(step), 0, 1))
		}
		if !last && r.IntN(3) == 0 {
			on()
			f.EndJump(b, 1)
			continue
		}
		c := f.Emit(ssa.OpLtU, abi.I32, uint32(params), uint32(most), 0, 1)
		if !last && r.IntN(2) == 0 {
			c = m.pick(abi.I32)
		}
		if !last && floats && r.IntN(2) == 0 {
			c = f.Emit(ssa.OpFLe, abi.I32, uint32(m.pick(abi.F64)), uint32(m.pick(abi.F64)), 0, 1)
		}
		on()
		if r.IntN(2) == 0 {
			f.AddEdge(b, join, m.pick(abi.I64), m.pick(abi.I32))
		} else {
			x := f.AddBlock()
			exits = append(exits, exit{x, append([]ssa.Value(nil), m.values...)})
			f.AddEdge(b, x)
		}
		f.EndIf(b, c, 1)
	}
	for _, x := range exits {
		f.Begin(x.block)
		m.values = x.values
		m.insts(2)
		f.AddEdge(x.block, join, m.pick(abi.I64), m.pick(abi.I32))
		f.EndJump(x.block, 1)
	}
	results := f.AddParams(join, abi.I64, abi.I32)
	f.Begin(join)
	f.EndReturn(join, 1, results, results+1)
	f.Analyze(new(ssa.Scratch))
	return f
}

// pick gives one of the values of a type, rather a late one.
func (m *loopMaker) pick(t abi.Type) ssa.Value {
	for {
		v := m.values[max(m.r.IntN(len(m.values)), m.r.IntN(len(m.values)))]
		if m.f.Insts[v].Type == t {
			return v
		}
	}
}

// insts adds arithmetic and accesses.
func (m *loopMaker) insts(n int) {
	f := m.f
	for range n {
		if m.floats && m.r.IntN(3) != 0 {
			m.float()
			continue
		}
		t := []abi.Type{abi.I32, abi.I64}[m.r.IntN(2)]
		a, b, k := uint32(m.pick(t)), uint32(m.pick(t)), uint32(f.Const(t, uint64(m.r.IntN(9))))
		var v ssa.Value
		switch m.r.IntN(9) {
		case 0, 1:
			v = f.Emit(ssa.OpAdd, t, a, b, 0, 1)
		case 2:
			v = f.Emit(ssa.OpSub, t, a, b, 0, 1)
		case 3:
			v = f.Emit(ssa.OpMul, t, a, []uint32{b, k}[m.r.IntN(2)], 0, 1)
		case 4:
			v = f.Emit(ssa.OpShl, t, a, []uint32{b, k}[m.r.IntN(2)], 0, 1)
		case 5:
			v = f.Emit(ssa.OpWrap, abi.I32, uint32(m.pick(abi.I64)), 0, 0, 1)
		case 6:
			v = f.Emit(ssa.OpZext, abi.I64, uint32(m.pick(abi.I32)), 0, 0, 1)
		default:
			size := t.Size()
			index := f.Emit(ssa.OpAnd, abi.I32, uint32(m.pick(abi.I32)), uint32(f.Const(abi.I32, 0xffff)), 0, 1)
			if m.r.IntN(3) != 0 {
				index = m.pick(abi.I32)
			}
			addr := f.Emit(ssa.OpAddr, abi.Addr, uint32(index), uint32(m.r.IntN(64)), size, 1)
			if m.r.IntN(2) == 0 {
				f.Emit(ssa.OpStore, abi.Void, uint32(addr), b, 0, 1)
				continue
			}
			v = f.Emit(ssa.OpLoad, t, uint32(addr), 0, 0, 1)
		}
		m.values = append(m.values, v)
	}
}

// float adds arithmetic on floats, or what makes them something else.
func (m *loopMaker) float() {
	a, b := uint32(m.pick(abi.F64)), uint32(m.pick(abi.F64))
	var v ssa.Value
	switch op := []ssa.Op{ssa.OpFAdd, ssa.OpFSub, ssa.OpFMul, ssa.OpFDiv, ssa.OpFSqrt, ssa.OpFMin, ssa.OpFLe, ssa.OpBitcast, ssa.OpConvS}[m.r.IntN(9)]; op {
	case ssa.OpFSqrt:
		v = m.f.Emit(op, abi.F64, a, 0, 0, 1)
	case ssa.OpFLe:
		v = m.f.Emit(op, abi.I32, a, b, 0, 1)
	case ssa.OpBitcast:
		v = m.f.Emit(op, abi.I64, a, 0, 0, 1)
	case ssa.OpConvS:
		v = m.f.Emit(op, abi.F64, uint32(m.pick(abi.I64)), 0, 0, 1)
	default:
		v = m.f.Emit(op, abi.F64, a, b, 0, 1)
	}
	m.values = append(m.values, v)
}
