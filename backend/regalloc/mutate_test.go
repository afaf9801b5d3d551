package regalloc

import (
	"maps"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"
)

// clone copies a result so that a mutation leaves the original alone.
func (r *Result) clone() *Result {
	return &Result{
		Locs: slices.Clone(r.Locs), Moves: slices.Clone(r.Moves),
		Before: slices.Clone(r.Before), OnEdge: slices.Clone(r.OnEdge), FrameSize: r.FrameSize,
	}
}

// dropMove removes move k.
func dropMove(r *Result, k int) {
	r.Moves = slices.Delete(r.Moves, k, k+1)
	shift := func(lists []MoveList) {
		for i := range lists {
			if int(lists[i].Start) > k {
				lists[i].Start--
			}
			if int(lists[i].End) > k {
				lists[i].End--
			}
		}
	}
	shift(r.Before)
	shift(r.OnEdge)
}

// mutations break a right allocation in ways an allocator's bug might. Each returns false if it
// does not apply.
var mutations = map[string]func(f *Func, file *File, r *Result, rng *rand.Rand) bool{
	"drop a store": func(f *Func, file *File, r *Result, rng *rand.Rand) bool {
		return dropSome(r, rng, func(m *Move) bool { return m.Dst.Kind == LocSlot })
	},
	"drop a reload": func(f *Func, file *File, r *Result, rng *rand.Rand) bool {
		return dropSome(r, rng, func(m *Move) bool { return m.Src.Kind == LocSlot })
	},
	"drop a copy": func(f *Func, file *File, r *Result, rng *rand.Rand) bool {
		return dropSome(r, rng, func(m *Move) bool { return m.Src.Kind == LocReg && m.Dst.Kind == LocReg && !m.Swap })
	},
	"drop a constant": func(f *Func, file *File, r *Result, rng *rand.Rand) bool {
		return dropSome(r, rng, func(m *Move) bool { return m.Src.Kind == LocRemat })
	},
	"drop a swap": func(f *Func, file *File, r *Result, rng *rand.Rand) bool {
		return dropSome(r, rng, func(m *Move) bool { return m.Swap })
	},
	"a swap that copies": func(f *Func, file *File, r *Result, rng *rand.Rand) bool {
		k := pickMove(r, rng, func(m *Move) bool { return m.Swap })
		if k >= 0 {
			r.Moves[k].Swap = false
		}
		return k >= 0
	},
	"another register": func(f *Func, file *File, r *Result, rng *rand.Rand) bool {
		o := rng.IntN(len(f.Ops))
		if r.Locs[o].Kind != LocReg || f.Ops[o].Kind >= Def {
			return false
		}
		regs := file.Alloc[0]
		if r.Locs[o].N >= 32 {
			regs = file.Alloc[1]
		}
		other := uint32(regs[rng.IntN(len(regs))])
		if other == r.Locs[o].N {
			return false
		}
		r.Locs[o].N = other
		return true
	},
	"a definition elsewhere": func(f *Func, file *File, r *Result, rng *rand.Rand) bool {
		o := rng.IntN(len(f.Ops))
		if f.Ops[o].Kind != Def || !slices.ContainsFunc(f.Ops, func(op Operand) bool { return op.V == f.Ops[o].V && op.Kind < Def }) {
			return false
		}
		old := r.Locs[o].N
		regs := file.Alloc[old/32]
		r.Locs[o].N = uint32(regs[rng.IntN(len(regs))])
		return r.Locs[o].N != old
	},
	"another slot": func(f *Func, file *File, r *Result, rng *rand.Rand) bool {
		k := pickMove(r, rng, func(m *Move) bool { return m.Src.Kind == LocSlot })
		if k < 0 {
			return false
		}
		r.Moves[k].Src.N = (r.Moves[k].Src.N + 16) % r.FrameSize
		return r.Moves[k].Src.N != 0 && r.FrameSize > 16
	},
	"a slot reused too early": func(f *Func, file *File, r *Result, rng *rand.Rand) bool {
		// A store of another value into a slot just before it is read.
		k := pickMove(r, rng, func(m *Move) bool { return m.Src.Kind == LocSlot && m.Dst.Kind == LocReg })
		j := pickMove(r, rng, func(m *Move) bool { return m.Dst.Kind == LocSlot && m.Src.Kind == LocReg })
		if k < 0 || j < 0 || r.Moves[j].V == r.Moves[k].V || r.Moves[j].Class != r.Moves[k].Class {
			return false
		}
		r.Moves[j].Dst = r.Moves[k].Src
		return true
	},
	"moves in the wrong order": func(f *Func, file *File, r *Result, rng *rand.Rand) bool {
		for _, l := range slices.Concat(r.Before, r.OnEdge) {
			for k := l.Start; k+1 < l.End; k++ {
				if x, y := &r.Moves[k], &r.Moves[k+1]; x.Src == y.Dst && rng.IntN(3) == 0 {
					*x, *y = *y, *x
					return true
				}
			}
		}
		return false
	},
	"moves on another edge": func(f *Func, file *File, r *Result, rng *rand.Rand) bool {
		if len(r.OnEdge) == 0 {
			return false
		}
		k := rng.IntN(len(r.OnEdge))
		l := r.OnEdge[k]
		if k+1 < len(r.OnEdge) && r.OnEdge[k+1].At == l.At+1 || int(l.At)+1 >= len(f.Edges) {
			return false
		}
		r.OnEdge[k].At++
		return true
	},
	"moves one instruction late": func(f *Func, file *File, r *Result, rng *rand.Rand) bool {
		if len(r.Before) == 0 {
			return false
		}
		k := rng.IntN(len(r.Before))
		l := r.Before[k]
		if k+1 < len(r.Before) && r.Before[k+1].At == l.At+1 || int(l.At)+1 >= len(f.Insts) {
			return false
		}
		r.Before[k].At++
		return true
	},
	"a scratch register": func(f *Func, file *File, r *Result, rng *rand.Rand) bool {
		o := rng.IntN(max(1, len(f.Ops)))
		if r.Locs[o].Kind == LocReg {
			r.Locs[o].N = uint32(file.Scratch[r.Locs[o].N/32])
			return true
		}
		return false
	},
	"a register of the other class": func(f *Func, file *File, r *Result, rng *rand.Rand) bool {
		o := rng.IntN(max(1, len(f.Ops)))
		if r.Locs[o].Kind == LocReg {
			r.Locs[o].N ^= 32
			return true
		}
		return false
	},
	"a frame too small": func(f *Func, file *File, r *Result, rng *rand.Rand) bool {
		r.FrameSize -= min(r.FrameSize, 8)
		return slices.ContainsFunc(r.Moves, func(m Move) bool {
			return m.Dst.Kind == LocSlot && m.Dst.N+8 > r.FrameSize
		})
	},
}

func pickMove(r *Result, rng *rand.Rand, is func(*Move) bool) int {
	for range 20 {
		if len(r.Moves) == 0 {
			break
		}
		if k := rng.IntN(len(r.Moves)); is(&r.Moves[k]) {
			return k
		}
	}
	return -1
}

func dropSome(r *Result, rng *rand.Rand, is func(*Move) bool) bool {
	k := pickMove(r, rng, is)
	if k >= 0 {
		dropMove(r, k)
	}
	return k >= 0
}

// TestCheckFindsMutations breaks right allocations. Some mutations are harmless by luck (a
// store that is read on no path, a register that happens to hold the same value): those the
// simulator must accept as well, and they must be few.
func TestCheckFindsMutations(t *testing.T) {
	var a Allocator
	var r Result
	applied, missed := map[string]int{}, map[string]int{}
	for seed := uint64(1); seed < 130; seed++ {
		f, file := randomCase(seed)
		if err := a.Run(f, file, &r); err != nil {
			t.Fatal(err)
		}
		if len(f.Ops) == 0 {
			continue
		}
		for k, name := range slices.Sorted(maps.Keys(mutations)) {
			bad := r.clone()
			if !mutations[name](f, file, bad, rand.New(rand.NewPCG(seed, uint64(k)))) {
				continue
			}
			applied[name]++
			if Check(f, file, bad) != nil {
				continue
			}
			missed[name]++
			if err := simulate(f, file, bad, seed); err != nil {
				t.Errorf("seed %d: %s: Check passes, but %v", seed, name, err)
			}
		}
	}
	for name := range mutations {
		t.Logf("%s: applied %d, harmless %d", name, applied[name], missed[name])
		if applied[name] < 5 || missed[name]*4 > applied[name] {
			t.Errorf("%s: applied %d times, %d passed", name, applied[name], missed[name])
		}
	}
}

// TestCheckFindsViolations has one small case for each rule of Check that
// mutations of allocations meet rarely.
func TestCheckFindsViolations(t *testing.T) {
	file := testFile(6, 4)
	r0, r1, r2 := file.Alloc[0][0], file.Alloc[0][1], file.Alloc[0][2]
	in := func(r Reg) Loc { return Loc{LocReg, uint32(r)} }
	for _, test := range []struct {
		name string
		ops  func(x, y, d VReg) []Operand // x is in r0, y in r1
		locs []Loc
		clob uint8
		want string // "" if it is right
	}{
		{"plain", func(x, y, d VReg) []Operand { return []Operand{use(x), use(y), def(d)} }, []Loc{in(r0), in(r1), in(r0)}, 0, ""},
		{"fixed", func(x, y, d VReg) []Operand { return []Operand{useIn(x, r1)} }, []Loc{in(r0)}, 0, "instead of"},
		{"late use and definition", func(x, y, d VReg) []Operand { return []Operand{useLate(x), def(d)} }, []Loc{in(r0), in(r0)}, 0, "late uses share"},
		{"early definition and use", func(x, y, d VReg) []Operand { return []Operand{use(x), temp(d)} }, []Loc{in(r0), in(r0)}, 0, "early definitions share"},
		{"late use and early definition", func(x, y, d VReg) []Operand { return []Operand{useLate(x), temp(d)} }, []Loc{in(r0), in(r0)}, 0, "share"},
		{"tied", func(x, y, d VReg) []Operand { return []Operand{use(x), defTied(d, 0)} }, []Loc{in(r0), in(r1)}, 0, "tied to"},
		{"tied right", func(x, y, d VReg) []Operand { return []Operand{use(x), defTied(d, 0)} }, []Loc{in(r0), in(r0)}, 0, ""},
		{"late use clobbered", func(x, y, d VReg) []Operand { return []Operand{useLate(x)} }, []Loc{in(r0)}, 1, "clobbered"},
		{"use clobbered", func(x, y, d VReg) []Operand { return []Operand{use(x)} }, []Loc{in(r0)}, 1, ""},
		{"definition clobbered", func(x, y, d VReg) []Operand { return []Operand{def(d)} }, []Loc{in(r0)}, 1, "clobbered"},
		{"fixed definition clobbered", func(x, y, d VReg) []Operand { return []Operand{defIn(d, r0)} }, []Loc{in(r0)}, 1, ""},
		{"two definitions", func(x, y, d VReg) []Operand { return []Operand{def(d), def(d + 1)} }, []Loc{in(r2), in(r2)}, 0, "two definitions"},
		{"slot for a register", func(x, y, d VReg) []Operand { return []Operand{use(x)} }, []Loc{{LocSlot, 0}}, 0, "frame of 0"},
		{"nowhere", func(x, y, d VReg) []Operand { return []Operand{use(x)} }, []Loc{{}}, 0, "kind 0"},
		{"wrong value", func(x, y, d VReg) []Operand { return []Operand{use(x)} }, []Loc{in(r1)}, 0, "holds"},
	} {
		b := newBuilder([][]uint32{{}})
		x, y, d := b.vreg(ClassInt), b.vreg(ClassInt), b.vreg(ClassInt)
		b.vreg(ClassInt)
		b.ClobberSets = []RegSet{0, 1<<r0 | 1<<r1}
		b.begin(0)
		b.inst(def(x), def(y))
		b.inst(test.ops(x, y, d)...).Clobbers = test.clob
		b.inst()
		b.end(0)
		err := Check(b.finish(), file, &Result{Locs: append([]Loc{in(r0), in(r1)}, test.locs...)})
		switch {
		case test.want == "" && err != nil:
			t.Errorf("%s: %v", test.name, err)
		case test.want != "" && (err == nil || !strings.Contains(err.Error(), test.want)):
			t.Errorf("%s: got %v, want %q", test.name, err, test.want)
		}
	}
}
