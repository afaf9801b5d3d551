package regalloc

import "math/rand/v2"

// typical makes a function like those of real modules: short blocks, nested loops, few values
// live across blocks, an instruction of two operands as the rule, a call now and then with an unlikely
// path behind it, shifts by rcx, and a switch at the head if wide is not 0.
func typical(rng *rand.Rand, file *File, blocks, wide, carried int) *Func {
	succs := make([][]uint32, blocks)
	for i := range succs {
		add := func(s int) {
			if s < blocks && s > 0 {
				for _, t := range succs[i] {
					if t == uint32(s) {
						return
					}
				}
				succs[i] = append(succs[i], uint32(s))
			}
		}
		add(i + 1)
		switch k := rng.IntN(10); {
		case k < 4:
			add(i + 2 + rng.IntN(6))
		case k < 5:
			add(i - rng.IntN(8))
		}
		if i == 1 {
			for k := range wide {
				add(2 + k*(blocks-3)/wide)
			}
		}
	}
	b := newBuilder(orderGraph(succs))
	b.ClobberSets = []RegSet{0, everything(file)}
	avail := make([][]VReg, len(b.Blocks))
	params := make([][]VReg, len(b.Blocks))
	zero := b.vreg(ClassInt)
	b.VRegs[zero].Home = HomeRemat
	for n := range b.Blocks {
		b.Blocks[n].Cold = len(b.succs[n]) == 0
		if len(b.preds[n]) > 1 && n > 0 {
			for range rng.IntN(carried + 1) {
				params[n] = append(params[n], b.vreg(ClassInt))
			}
		}
	}
	for n := range b.Blocks {
		if d := b.Blocks[n].Idom; d != none {
			a := avail[d]
			avail[n] = append(avail[n], a[max(0, len(a)-6):]...)
		}
		avail[n] = append(avail[n], params[n]...)
		b.begin(n, params[n]...)
		if n == 0 {
			v := b.vreg(ClassInt)
			b.inst(defIn(v, 7))
			avail[0] = append(avail[0], v)
		}
		body(rng, b, n, &avail[n])
		var args [][]VReg
		for _, s := range b.succs[n] {
			var list []VReg
			for range params[s] {
				list = append(list, recent(rng, avail[n]))
			}
			args = append(args, list)
		}
		ops := []Operand{}
		if len(b.succs[n]) > 2 {
			ops = append(ops, use(recent(rng, avail[n])), temp(b.vreg(ClassInt)))
		}
		b.inst(ops...)
		b.end(n, args...)
	}
	return b.finish()
}

func recent(rng *rand.Rand, avail []VReg) VReg {
	return avail[max(0, len(avail)-1-rng.IntN(6))]
}

func body(rng *rand.Rand, b *builder, n int, avail *[]VReg) {
	add := func(v VReg) VReg { *avail = append(*avail, v); return v }
	pick := func() VReg { return recent(rng, *avail) }
	for range 2 + rng.IntN(10) {
		switch k := rng.IntN(40); {
		case k < 1:
			x, y := pick(), pick()
			b.inst(useIn(x, 7), useIn(y, 6), defIn(add(b.vreg(ClassInt)), 0)).Clobbers = 1
		case k < 3:
			x, y := pick(), pick()
			b.inst(use(x), useIn(y, 1), defTied(add(b.vreg(ClassInt)), 0))
		case k < 14: // load
			x := pick()
			b.inst(use(x), def(add(b.vreg(ClassInt))))
		case k < 20: // store
			b.inst(use(pick()), use(pick()))
		case k < 25: // compare
			b.inst(use(pick()), useMem(pick()))
		case k < 27:
			f := b.vreg(ClassFloat)
			b.inst(use(pick()), def(f))
			g := b.vreg(ClassFloat)
			b.inst(use(f), defTied(g, 0))
			b.inst(use(pick()), use(g))
		default:
			x, y := pick(), pick()
			b.inst(use(x), useMem(y), defTied(add(b.vreg(ClassInt)), 0))
		}
	}
}
