package ssa_test

import (
	"math/rand/v2"
	"testing"

	"github.com/wasmaot/wasmaot/compiler/abi"
	. "github.com/wasmaot/wasmaot/compiler/ssa"
	"github.com/wasmaot/wasmaot/compiler/ssa/ssatest"
)

// graphFunc makes a function without instructions from successor lists.
func graphFunc(succs [][]Block) *Func {
	f := new(Func)
	f.Reset()
	cond := f.Const(abi.I32, 1)
	for i, list := range succs {
		b := BlockData{SuccStart: uint32(len(f.Edges)), TabStart: uint32(len(f.Tables))}
		for _, to := range list {
			if len(list) > 2 {
				f.Tables = append(f.Tables, Edge(len(f.Edges)))
			}
			f.Edges = append(f.Edges, EdgeData{From: Block(i), To: to})
		}
		b.SuccEnd, b.TabEnd = uint32(len(f.Edges)), uint32(len(f.Tables))
		switch len(list) {
		case 0:
			b.Kind = BlockReturn
		case 1:
			b.Kind = BlockJump
		case 2:
			b.Kind, b.Ctl = BlockIf, cond
		default:
			b.Kind, b.Ctl = BlockSwitch, cond
		}
		f.Blocks = append(f.Blocks, b)
	}
	return f
}

// reach gives the blocks reachable from a block without passing through another.
func reach(f *Func, from, without Block) []bool {
	seen := make([]bool, len(f.Blocks))
	if from == without {
		return seen
	}
	seen[from] = true
	for work := []Block{from}; len(work) > 0; {
		b := work[len(work)-1]
		work = work[:len(work)-1]
		for _, e := range f.SuccsOf(&f.Blocks[b]) {
			if e.To != without && !seen[e.To] {
				seen[e.To] = true
				work = append(work, e.To)
			}
		}
	}
	return seen
}

// checkCold compares Cold with its definition, given what was cold before: the least set that has
// traps, blocks whose successors are all cold, and what a cold block dominates.
func checkCold(t *testing.T, f *Func, before []bool) {
	t.Helper()
	for changed := true; changed; {
		changed = false
		for _, b := range f.RPO {
			bd := &f.Blocks[b]
			cold := bd.Kind == BlockTrap && b != 0 || bd.Idom != NoBlock && before[bd.Idom]
			if succs := f.SuccsOf(bd); len(succs) > 0 && b != 0 {
				all := true
				for _, e := range succs {
					all = all && before[e.To]
				}
				cold = cold || all
			}
			if cold && !before[b] {
				before[b], changed = true, true
			}
		}
	}
	for _, b := range f.RPO {
		if f.Blocks[b].Cold != before[b] {
			t.Errorf("b%d: cold is %v, expected %v", b, f.Blocks[b].Cold, before[b])
		}
	}
}

// checkAnalysis compares Analyze's results with their definitions.
func checkAnalysis(t *testing.T, f *Func) {
	t.Helper()
	n := Block(len(f.Blocks))
	live := reach(f, 0, NoBlock)
	dom := make([][]bool, n) // dom[a][b]: a dominates b
	for a := range n {
		without := reach(f, 0, a)
		dom[a] = make([]bool, n)
		for b := range n {
			dom[a][b] = live[a] && live[b] && (a == b || !without[b])
		}
	}
	count := 0
	for b := range n {
		bd := &f.Blocks[b]
		if !live[b] {
			if bd.RPO != ^uint32(0) || bd.Idom != NoBlock || bd.Header != NoBlock || len(f.PredsOf(bd)) != 0 {
				t.Errorf("unreachable b%d: %+v", b, bd)
			}
			continue
		}
		count++
		if f.RPO[bd.RPO] != b {
			t.Errorf("RPO of b%d", b)
		}
		for a := range n {
			if live[a] && f.Dominates(a, b) != dom[a][b] {
				t.Errorf("b%d dominates b%d: got %v", a, b, !dom[a][b])
			}
		}
		if (b == 0) != (bd.Idom == NoBlock) {
			t.Errorf("b%d: idom %d", b, bd.Idom)
		} else if b != 0 {
			for a := range n {
				if a != b && dom[a][b] && !dom[a][bd.Idom] {
					t.Errorf("b%d: idom b%d, but b%d is nearer", b, bd.Idom, a)
				}
			}
		}
	}
	if count != len(f.RPO) || count != len(f.DomTree) {
		t.Fatalf("%d blocks are reachable, RPO has %d, dominator tree %d", count, len(f.RPO), len(f.DomTree))
	}
	// Loops by definition: all that reaches a back edge without the header.
	inLoop := make(map[Block][]bool)
	for _, b := range f.RPO {
		for _, e := range f.SuccsOf(&f.Blocks[b]) {
			h := e.To
			if !dom[h][b] {
				continue
			}
			if inLoop[h] == nil {
				inLoop[h] = make([]bool, n)
				inLoop[h][h] = true
			}
			for x := range n {
				if live[x] && x != h && reach(f, x, h)[b] {
					inLoop[h][x] = true
				}
			}
		}
	}
	for _, b := range f.RPO {
		depth, inner := uint8(0), NoBlock
		for h, in := range inLoop {
			if in[b] {
				depth++
				if inner == NoBlock || inLoop[inner][h] {
					inner = h
				}
			}
		}
		if bd := &f.Blocks[b]; bd.Loop != depth || bd.Header != inner {
			t.Errorf("b%d: loop depth %d header b%d, expected %d b%d", b, bd.Loop, bd.Header, depth, inner)
		}
	}
	for h, in := range inLoop {
		size := uint32(0)
		for b := range n {
			if in[b] {
				size++
			}
		}
		for b := range n {
			if rpo := f.Blocks[b].RPO; in[b] && rpo-f.Blocks[h].RPO >= size {
				t.Errorf("loop b%d of %d blocks is not contiguous: b%d at %d", h, size, b, rpo)
			}
		}
	}
	// An edge that leads back must be on a cycle.
	for _, e := range f.Edges {
		if live[e.From] && f.Blocks[e.To].RPO <= f.Blocks[e.From].RPO && !reach(f, e.To, NoBlock)[e.From] {
			t.Errorf("edge b%d-b%d leads back without need", e.From, e.To)
		}
	}
	preds := 0
	for b := range n {
		preds += len(f.PredsOf(&f.Blocks[b]))
		for _, e := range f.PredsOf(&f.Blocks[b]) {
			if f.Edges[e].To != b || !live[f.Edges[e].From] {
				t.Errorf("edge %d is no predecessor of b%d", e, b)
			}
		}
	}
	if preds != len(f.Preds) {
		t.Errorf("%d predecessors, %d in blocks", len(f.Preds), preds)
	}
}

func TestAnalyzeRandom(t *testing.T) {
	r := rand.New(rand.NewPCG(ssatest.Seed(t), 0))
	var s Scratch
	for range 400 {
		n := 1 + r.IntN(24)
		succs := make([][]Block, n)
		for i := range succs {
			for range r.IntN(4) {
				if n > 1 {
					to := Block(1 + r.IntN(n-1)) // the entry has no predecessors
					if r.IntN(2) == 0 {
						to = Block(min(i+1+r.IntN(3), n-1))
					}
					succs[i] = append(succs[i], to)
				}
			}
		}
		f := graphFunc(succs)
		cold := make([]bool, n)
		for i := range f.Blocks {
			cold[i] = r.IntN(6) == 0
			f.Blocks[i].Cold = cold[i]
		}
		f.Analyze(&s)
		checkAnalysis(t, f)
		checkCold(t, f, cold)
		if t.Failed() {
			t.Fatalf("graph %v", succs)
		}
	}
}

func TestAnalyzeColdLast(t *testing.T) {
	// A loop 1-2-3 with a trap off 2, a cold way out of 1 and a cold detour 5 inside.
	f := graphFunc([][]Block{{1}, {2, 6}, {4, 3, 5}, {1, 7}, {}, {3}, {}, {}})
	f.Blocks[4].Kind = BlockTrap
	f.Blocks[5].Cold = true
	f.Blocks[6].Cold = true
	f.Analyze(new(Scratch))
	checkAnalysis(t, f)
	for i, b := range []Block{4, 6} {
		if got := f.Blocks[b].RPO; got < 6 {
			t.Errorf("%d: cold b%d is at place %d of %v", i, b, got, f.RPO)
		}
	}
	for _, b := range []Block{4, 5, 6} {
		if !f.Blocks[b].Cold {
			t.Errorf("b%d is not cold", b)
		}
	}
}

// hostileGraphs are shapes that make some algorithms quadratic.
func hostileGraphs(n int) map[string][][]Block {
	chain := make([][]Block, n)  // all have an edge to the last
	table := make([][]Block, n)  // one dispatch to all, each falls through to the next and jumps back
	nested := make([][]Block, n) // loops in loops
	cross := make([][]Block, n)  // a chain whose end and start lead to many blocks
	for i := range Block(n - 1) {
		chain[i] = []Block{Block(n - 1), i + 1}
		if i > 0 {
			table[1] = append(table[1], i+1)
		}
		if i > 1 {
			table[i] = []Block{i + 1, 1}
		}
		if h := Block(n/2) - (i - Block(n/2)); i < Block(n/2) {
			nested[i] = []Block{i + 1}
		} else {
			nested[i] = []Block{max(h, 1), i + 1}
		}
		switch half := Block(n / 2); {
		case i < half:
			cross[i] = []Block{i + 1}
		default:
			cross[half-1] = append(cross[half-1], i+1)
			cross[1] = append(cross[1], i+1)
		}
	}
	table[0] = []Block{1}
	return map[string][][]Block{"chain": chain, "table": table, "nested": nested, "cross": cross}
}

func TestAnalyzeHostile(t *testing.T) {
	for name, g := range hostileGraphs(40) {
		t.Run(name, func(t *testing.T) {
			f := graphFunc(g)
			f.Analyze(new(Scratch))
			checkAnalysis(t, f)
		})
	}
}

func BenchmarkAnalyze(b *testing.B) {
	for name, g := range hostileGraphs(20000) {
		b.Run(name, func(b *testing.B) {
			f := graphFunc(g)
			var s Scratch
			for b.Loop() {
				f.Analyze(&s)
			}
			b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N)/float64(len(g)), "ns/block")
		})
	}
}
