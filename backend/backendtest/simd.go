//go:build linux && (amd64 || arm64)

package backendtest

import (
	"encoding/binary"
	"math"
	"math/rand/v2"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/wasmaot/wasmaot/backend"
	"github.com/wasmaot/wasmaot/compiler/abi"
	"github.com/wasmaot/wasmaot/compiler/ssa"
	"github.com/wasmaot/wasmaot/compiler/ssa/ssatest"
)

// RandomVectors runs random functions on vectors on the evaluator and natively.
func RandomVectors(t *testing.T, mc *Machine) {
	seed := ssatest.Seed(t)
	n := 400
	if testing.Short() {
		n = 100
	}
	for _, features := range mc.Features {
		c := &compiler{mc: mc}
		c.cfg.Features = features
		for i := range n {
			c.cfg.Poison = i%2 == 1
			c.cfg.Explicit = i%4 >= 2
			runVectors(t, c, seed+uint64(i))
			if t.Failed() {
				t.Fatalf("first failure: WASMAOT_SEED=%d, features %#x", seed+uint64(i), features)
			}
		}
	}
}

func runVectors(t *testing.T, c *compiler, seed uint64) {
	f := vectorFunc(rand.New(rand.NewPCG(seed, 0)), &c.cfg, c.mc.Target.SHA)
	if err := ssa.Check(f); err != nil {
		t.Errorf("%v\n%s", err, f)
		return
	}
	again, err := ssa.Parse(f.String())
	if err != nil {
		t.Errorf("%v\n%s", err, f)
		return
	}
	again.Analyze(new(ssa.Scratch))
	if d := cmp.Diff(f.String(), again.String()); d != "" {
		t.Errorf("text form: (-want +got)\n%s", d)
		return
	}
	code, err := c.compile(f)
	if err != nil {
		t.Errorf("%v\n%s", err, f)
		return
	}
	in, err := newInstance(c.mc, code)
	if err != nil {
		t.Fatal(err)
	}
	defer in.code.Close()
	for k := range uint64(2) {
		args := ssatest.Args(rand.New(rand.NewPCG(seed, 2+k)), f.Sig)
		var log1, log2 strings.Builder
		m1, m2 := newMachine(seed, &log1), newMachine(seed, &log2)
		m1.Fuel = 200
		results, trap, err := m1.Eval(f, args)
		want := outcome(m1, &log1, results, trap, err)
		results, trap, err = in.run(f.Sig, args, m2)
		got := outcome(m2, &log2, results, trap, err)
		if d := cmp.Diff(want, got); d != "" {
			for i := range m1.Memories[0] {
				if m1.Memories[0][i] != m2.Memories[0][i] {
					t.Errorf("memory differs first at %d", i)
					break
				}
			}
			t.Errorf("arguments %x: (-want +got)\n%s\n%s", args, d, f)
			return
		}
	}
}

// vectorGen makes functions of vector operations. Values of each type are in a pool.
type vectorGen struct {
	r     *rand.Rand
	f     *ssa.Func
	flags ssa.Flags
	last  ssa.Op // of those that the CPU has
	pool  map[abi.Type][]ssa.Value
}

func vectorFunc(r *rand.Rand, cfg *backend.Config, sha uint64) *ssa.Func {
	f := new(ssa.Func)
	f.Reset()
	f.Module = testModule
	f.Sig = &abi.Signature{Params: []abi.Type{abi.I32, abi.I64, abi.F32, abi.F64}}
	g := &vectorGen{r: r, f: f, last: ssa.OpVStoreLane, pool: make(map[abi.Type][]ssa.Value)}
	if cfg.Features&sha != 0 {
		g.last = ssa.OpVSHA256Msg2
	}
	if cfg.Explicit {
		g.flags = ssa.FlagChecked
	}
	var blocks [4]ssa.Block
	for i := range blocks {
		blocks[i] = f.AddBlock()
	}
	first := f.AddParams(blocks[0], f.Sig.Params...)
	for i, t := range f.Sig.Params {
		g.pool[t] = append(g.pool[t], first+ssa.Value(i))
	}
	joined := f.AddParams(blocks[3], abi.V128, abi.V128, abi.V128)
	f.Begin(blocks[0])
	for range 1 + r.IntN(20) {
		g.inst()
	}
	f.AddEdge(blocks[0], blocks[1])
	f.AddEdge(blocks[0], blocks[2])
	f.EndIf(blocks[0], g.value(abi.I32), 0)
	for _, b := range blocks[1:3] {
		f.Begin(b)
		outer := g.pool
		g.pool = make(map[abi.Type][]ssa.Value)
		for t, vs := range outer {
			g.pool[t] = append([]ssa.Value(nil), vs...)
		}
		for range r.IntN(6) {
			g.inst()
		}
		f.AddEdge(b, blocks[3], g.value(abi.V128), g.value(abi.V128), g.value(abi.V128))
		f.EndJump(b, 0)
		g.pool = outer
	}
	f.Begin(blocks[3])
	for i := range ssa.Value(3) {
		g.pool[abi.V128] = append(g.pool[abi.V128], joined+i)
	}
	for range r.IntN(20) {
		g.inst()
	}
	at := uint32(1024)
	for _, t := range []abi.Type{abi.I32, abi.I64, abi.F32, abi.F64, abi.V128} {
		for _, v := range g.pool[t] {
			f.Emit(ssa.OpStore, abi.Void, g.address(uint64(at), t.Size()), uint32(v), 0, 0)
			at += 16
		}
	}
	f.EndReturn(blocks[3], 0)
	f.Analyze(new(ssa.Scratch))
	return f
}

func (g *vectorGen) address(at uint64, size uint32) uint32 {
	v := g.f.Emit(ssa.OpAddr, abi.Addr, uint32(g.f.Const(abi.I32, at)), 0, size, 0)
	g.f.Insts[v].Flags = g.flags
	return uint32(v)
}

// value gives one of the pool's, mostly the last ones, or a constant.
func (g *vectorGen) value(t abi.Type) ssa.Value {
	if vs := g.pool[t]; len(vs) > 0 && g.r.IntN(5) > 0 {
		return vs[len(vs)-1-min(g.r.IntN(len(vs)), g.r.IntN(len(vs)))]
	}
	if t == abi.V128 {
		return g.f.VecConst(g.vector())
	}
	return g.f.Const(t, g.lane(ssa.I64x2))
}

// vector gives lanes of one kind, some of them extremes.
func (g *vectorGen) vector() (x [16]byte) {
	s := ssa.I8x16 + ssa.Shape(g.r.IntN(6))
	size := int(s.LaneSize())
	for i := 0; i < 16; i += size {
		var raw [8]byte
		binary.LittleEndian.PutUint64(raw[:], g.lane(s))
		copy(x[i:], raw[:size])
	}
	return x
}

var vectorFloats = []float64{0, math.Copysign(0, -1), 1, -1, 0.5, 1.5, 2.5, -2.5, 1 << 31, -1 << 31, 1 << 32, -1<<31 - 1, 1<<31 - 1, 1<<32 - 1, 1 << 33, 1e300, math.Inf(1), math.Inf(-1), math.NaN(), 1e-40}

func (g *vectorGen) lane(s ssa.Shape) uint64 {
	r := g.r
	if s.IsFloat() {
		x := vectorFloats[r.IntN(len(vectorFloats))]
		if s == ssa.F32x4 {
			return uint64(math.Float32bits(float32(x)))
		}
		return math.Float64bits(x)
	}
	w := 8 * s.LaneSize()
	return [...]uint64{0, 1, math.MaxUint64, 1 << (w - 1), 1<<(w-1) - 1, 1<<(w-1) + 1, r.Uint64(), r.Uint64() % 32}[r.IntN(8)]
}

var laneTypes = map[byte]abi.Type{'i': abi.I32, 'v': abi.V128}

// inst adds an operation and what makes its NaNs canonical.
func (g *vectorGen) inst() {
	r, f := g.r, g.f
	op := ssa.OpVSplat + ssa.Op(r.IntN(int(g.last-ssa.OpVSplat)+3))
	if op > g.last { // a load that may be folded, a select
		v := f.Emit(ssa.OpLoad, abi.V128, g.address(uint64(r.IntN(1000)), 16), 0, 0, 0)
		if op == g.last+2 {
			v = f.Emit(ssa.OpSelect, abi.V128, uint32(g.value(abi.I32)), uint32(v), uint32(g.value(abi.V128)), 0)
		}
		g.pool[abi.V128] = append(g.pool[abi.V128], v)
		return
	}
	info := &ssa.Ops[op]
	s := ssa.Shape(0)
	if shapes := op.Shapes(); len(shapes) > 0 {
		s = shapes[r.IntN(len(shapes))]
	}
	lane := uint32(0)
	if op.Is(ssa.PropLane) {
		lane = r.Uint32N(s.Lanes())
	}
	operands, result, _ := strings.Cut(info.Types, ">")
	var x [3]uint32
	for i := range operands {
		switch letter := operands[i]; letter {
		case '-':
			x[i] = ssa.LaneOperand(s, lane)
		case 'a':
			size := s.LaneSize()
			if op == ssa.OpVLoadExtS || op == ssa.OpVLoadExtU {
				size = 8
			}
			x[i] = g.address(uint64(r.IntN(1000)), size)
		case 'q':
			x[i] = uint32(g.value(s.LaneType()))
		default:
			x[i] = uint32(g.value(laneTypes[letter]))
		}
	}
	if op == ssa.OpVShuffle {
		x[2] = uint32(f.VecConst(g.shuffle()))
	}
	t := abi.Void
	switch result {
	case "q":
		t = s.LaneType()
	case "i", "v":
		t = laneTypes[result[0]]
	}
	v := f.Emit(op, t, x[0], x[1], x[2], 0)
	if t == abi.Void {
		return
	}
	if s.IsFloat() && t == abi.V128 {
		v = g.canonical(op, s, v)
	}
	g.pool[t] = append(g.pool[t], v)
}

// canonical replaces the NaNs of operations that may give any.
func (g *vectorGen) canonical(op ssa.Op, s ssa.Shape, v ssa.Value) ssa.Value {
	switch op {
	case ssa.OpVAdd, ssa.OpVSub, ssa.OpVMul, ssa.OpVDiv, ssa.OpVMin, ssa.OpVMax, ssa.OpVSqrt,
		ssa.OpVCeil, ssa.OpVFloor, ssa.OpVTrunc, ssa.OpVNearest, ssa.OpVDemote, ssa.OpVPromote:
	default:
		return v
	}
	f := g.f
	nan := uint64(0x7ff8000000000000)
	if s == ssa.F32x4 {
		nan = 0x7fc00000_7fc00000
	}
	var x [16]byte
	binary.LittleEndian.PutUint64(x[:], nan)
	binary.LittleEndian.PutUint64(x[8:], nan)
	is := f.Emit(ssa.OpVNe, abi.V128, uint32(v), uint32(v), uint32(s), 0)
	return f.Emit(ssa.OpVBitselect, abi.V128, uint32(f.VecConst(x)), uint32(v), uint32(is), 0)
}

// shuffle gives lanes of all the kinds there are instructions for.
func (g *vectorGen) shuffle() (x [16]byte) {
	r := g.r
	size := 1 << r.IntN(4)
	kind, swap, start, high := r.IntN(6), byte(r.IntN(2)*16), r.IntN(32), r.IntN(2)
	units := make([]int, 32/size)
	for i := range units {
		units[i] = r.IntN(32 / size)
	}
	for i := range x {
		unit, within := i/size, i%size
		switch kind {
		case 0:
			x[i] = byte(r.IntN(32))
		case 1: // from one vector
			x[i] = byte(units[unit]%(16/size)*size+within) ^ swap
		case 2:
			x[i] = byte(units[unit]*size + within)
		case 3: // interleaved
			x[i] = byte(8*high+unit/2*size+within+unit%2*16) ^ swap
		case 4: // one after the other
			x[i] = byte(start+i) % 32
		default: // in place
			x[i] = byte(i + units[unit]%2*16)
		}
	}
	return x
}
