package regalloc

import (
	"math/rand/v2"
	"slices"
)

// testFile is a machine with some integer and float registers, numbered so that
// preference and number differ.
func testFile(ints, floats int) *File {
	file := &File{Scratch: [2]Reg{31, 63}}
	for i := range ints {
		file.Alloc[0] = append(file.Alloc[0], Reg(i*7%16))
	}
	for i := range floats {
		file.Alloc[1] = append(file.Alloc[1], FirstFloat+Reg(i*5%16))
	}
	for i := range 32 {
		file.Names[i] = "r" + string(rune('a'+i))
		file.Names[32+i] = "f" + string(rune('a'+i))
	}
	return file
}

// amd64Like is a machine like the one the compiler has.
func amd64Like() *File {
	file := &File{Scratch: [2]Reg{11, 47}}
	for _, r := range []Reg{0, 1, 2, 6, 7, 8, 9, 10, 3, 5, 12, 13} {
		file.Alloc[0] = append(file.Alloc[0], r)
	}
	for r := FirstFloat; r < 47; r++ {
		file.Alloc[1] = append(file.Alloc[1], r)
	}
	return file
}

func everything(file *File) RegSet {
	var all RegSet
	for _, regs := range file.Alloc {
		for _, r := range regs {
			all |= 1 << r
		}
	}
	return all
}

// builder makes a Func block by block. succs is the graph; numbers are final.
type builder struct {
	Func
	succs [][]uint32
	preds [][]uint32
}

// orderGraph renumbers a graph so that blocks reachable from 0 are in reverse postorder, and drops
// the others.
func orderGraph(succs [][]uint32) [][]uint32 {
	num := make([]int, len(succs))
	next := make([]int, len(succs))
	var post []uint32
	stack := []uint32{0}
	num[0] = 1
	for len(stack) > 0 {
		b := stack[len(stack)-1]
		if k := next[b]; k < len(succs[b]) {
			next[b]++
			if s := succs[b][k]; num[s] == 0 {
				num[s] = 1
				stack = append(stack, s)
			}
			continue
		}
		stack = stack[:len(stack)-1]
		post = append(post, b)
	}
	slices.Reverse(post)
	for i, b := range post {
		num[b] = i
	}
	out := make([][]uint32, len(post))
	for i, b := range post {
		for _, s := range succs[b] {
			out[i] = append(out[i], uint32(num[s]))
		}
	}
	return out
}

// newBuilder analyses a graph in reverse postorder: dominators and loops.
func newBuilder(succs [][]uint32) *builder {
	b := &builder{succs: succs, preds: make([][]uint32, len(succs))}
	b.VRegs = make([]VRegInfo, 1)
	b.ClobberSets = make([]RegSet, 1)
	b.Blocks = make([]Block, len(succs))
	for i := range b.Blocks {
		b.Blocks[i].Idom, b.Blocks[i].LoopHeader = none, none
		for _, s := range succs[i] {
			b.preds[s] = append(b.preds[s], uint32(i))
		}
	}
	for changed := true; changed; {
		changed = false
		for i := 1; i < len(succs); i++ {
			idom := none
			for _, p := range b.preds[i] {
				if p != 0 && b.Blocks[p].Idom == none {
					continue
				}
				if idom == none {
					idom = p
					continue
				}
				for p != idom {
					for p > idom {
						p = b.Blocks[p].Idom
					}
					for idom > p {
						idom = b.Blocks[idom].Idom
					}
				}
			}
			if b.Blocks[i].Idom != idom {
				b.Blocks[i].Idom, changed = idom, true
			}
		}
	}
	for h := len(succs) - 1; h >= 0; h-- {
		b.findLoop(uint32(h))
	}
	return b
}

func (b *builder) dominates(d, n uint32) bool {
	for n > d && n != none {
		n = b.Blocks[n].Idom
	}
	return n == d
}

func (b *builder) findLoop(h uint32) {
	in := map[uint32]bool{h: true}
	var work []uint32
	for _, p := range b.preds[h] {
		if b.dominates(h, p) {
			work = append(work, p)
		}
	}
	if len(work) == 0 {
		return
	}
	for len(work) > 0 {
		n := work[len(work)-1]
		work = work[:len(work)-1]
		if !in[n] {
			in[n] = true
			work = append(work, b.preds[n]...)
		}
	}
	for n := range in {
		if b.Blocks[n].LoopHeader == none {
			b.Blocks[n].LoopHeader = h
		}
		b.Blocks[n].Depth++
	}
}

func (b *builder) vreg(class Class) VReg {
	b.VRegs = append(b.VRegs, VRegInfo{Class: class})
	return VReg(len(b.VRegs) - 1)
}

// begin starts block n with parameters.
func (b *builder) begin(n int, params ...VReg) {
	blk := &b.Blocks[n]
	blk.Start = uint32(len(b.Insts))
	blk.ParamStart = uint32(len(b.Params))
	b.Params = append(b.Params, params...)
	blk.ParamEnd = uint32(len(b.Params))
}

func (b *builder) inst(ops ...Operand) *Inst {
	at := uint32(len(b.Ops))
	b.Ops = append(b.Ops, ops...)
	b.Insts = append(b.Insts, Inst{OpStart: at, OpEnd: uint32(len(b.Ops))})
	return &b.Insts[len(b.Insts)-1]
}

// end ends block n; args has the arguments of each edge.
func (b *builder) end(n int, args ...[]VReg) {
	blk := &b.Blocks[n]
	blk.End = uint32(len(b.Insts))
	blk.SuccStart = uint32(len(b.Edges))
	for k, s := range b.succs[n] {
		at := uint32(len(b.EdgeArgs))
		if k < len(args) {
			b.EdgeArgs = append(b.EdgeArgs, args[k]...)
		}
		b.Edges = append(b.Edges, Edge{From: uint32(n), To: s, ArgStart: at, ArgEnd: uint32(len(b.EdgeArgs))})
	}
	blk.SuccEnd = uint32(len(b.Edges))
}

// finish fills in the predecessors.
func (b *builder) finish() *Func {
	in := make([][]uint32, len(b.Blocks))
	for e := range b.Edges {
		in[b.Edges[e].To] = append(in[b.Edges[e].To], uint32(e))
	}
	for n := range b.Blocks {
		b.Blocks[n].PredStart = uint32(len(b.Preds))
		b.Preds = append(b.Preds, in[n]...)
		b.Blocks[n].PredEnd = uint32(len(b.Preds))
	}
	return &b.Func
}

// Operands.
func use(v VReg) Operand             { return Operand{V: v} }
func useLate(v VReg) Operand         { return Operand{V: v, Kind: UseLate} }
func useMem(v VReg) Operand          { return Operand{V: v, Con: RegOrSlot} }
func useIn(v VReg, r Reg) Operand    { return Operand{V: v, Con: Fixed, Reg: r} }
func def(v VReg) Operand             { return Operand{V: v, Kind: Def} }
func defIn(v VReg, r Reg) Operand    { return Operand{V: v, Kind: Def, Con: Fixed, Reg: r} }
func defTied(v VReg, op int) Operand { return Operand{V: v, Kind: Def, Con: Tied, Reg: Reg(op)} }
func temp(v VReg) Operand            { return Operand{V: v, Kind: DefEarly} }
func tempIn(v VReg, r Reg) Operand   { return Operand{V: v, Kind: DefEarly, Con: Fixed, Reg: r} }

// genOptions shape a random function.
type genOptions struct {
	blocks int
	insts  int  // per block, at most
	far    bool // use old values as often as new ones
	vecs   bool
	calls  int // percent of instructions
}

// randomGraph makes edges at random: mostly forward to near blocks, some backward, some from
// anywhere to anywhere, so that irreducible loops occur, and a wide switch at times.
func randomGraph(rng *rand.Rand, n int) [][]uint32 {
	succs := make([][]uint32, n)
	add := func(from, to int) {
		if to > 0 && to < n && !slices.Contains(succs[from], uint32(to)) {
			succs[from] = append(succs[from], uint32(to))
		}
	}
	for b := range n {
		switch k := rng.IntN(20); {
		case k < 7:
			add(b, b+1)
		case k < 12:
			add(b, b+1)
			add(b, b+1+rng.IntN(4))
		case k < 15:
			add(b, b+1)
			add(b, b-rng.IntN(6))
		case k < 17:
			add(b, b+1+rng.IntN(3))
			add(b, rng.IntN(n))
		case k < 18:
			for range rng.IntN(2 * n) {
				add(b, rng.IntN(n))
			}
			add(b, b+1)
		case k < 19:
			add(b, b+1)
			add(b, b) // a loop of one block
		}
	}
	return orderGraph(succs)
}

type generator struct {
	*builder
	rng   *rand.Rand
	file  *File
	opt   genOptions
	avail [][]VReg // by block: values defined in it or a dominator
	homes []VReg   // constants and incoming parameters
	all   RegSet
}

// randomFunc makes a random function whose constraints can be met.
func randomFunc(rng *rand.Rand, file *File, opt genOptions) *Func {
	g := &generator{builder: newBuilder(randomGraph(rng, opt.blocks)), rng: rng, file: file, opt: opt, all: everything(file)}
	g.ClobberSets = []RegSet{0, g.all, 1 << file.Alloc[0][0], 1<<file.Alloc[0][1] | 1<<file.Alloc[1][1]}
	for i := range 3 + rng.IntN(5) {
		v := g.vreg(g.class())
		g.VRegs[v].Home = HomeKind(1 + rng.IntN(2))
		g.VRegs[v].Slot = uint32(16 * i)
		g.homes = append(g.homes, v)
	}
	n := len(g.Blocks)
	g.avail = make([][]VReg, n)
	params := make([][]VReg, n)
	for b := 1; b < n; b++ {
		if len(g.preds[b]) > 1 || rng.IntN(10) == 0 {
			for range rng.IntN(5) * rng.IntN(3) {
				params[b] = append(params[b], g.vreg(g.class()))
			}
		}
		g.Blocks[b].Cold = rng.IntN(6) == 0
	}
	for b := range n {
		if d := g.Blocks[b].Idom; d != none {
			g.avail[b] = slices.Clone(g.avail[d])
		}
		g.avail[b] = append(g.avail[b], params[b]...)
		g.begin(b, params[b]...)
		if b == 0 {
			g.entry() // the first values of avail[0] by class
		}
		for range rng.IntN(opt.insts + 1) {
			g.random(b)
		}
		g.terminator(b)
		var args [][]VReg
		for _, s := range g.succs[b] {
			var list []VReg
			for _, p := range params[s] {
				list = append(list, g.pick(b, g.VRegs[p].Class))
			}
			args = append(args, list)
		}
		g.end(b, args...)
	}
	return g.finish()
}

func (g *generator) class() Class {
	switch k := g.rng.IntN(10); {
	case k < 6:
		return ClassInt
	case k < 9 || !g.opt.vecs:
		return ClassFloat
	}
	return ClassVec
}

func (g *generator) regs(c Class) []Reg { return g.file.Alloc[min(c, 1)] }

func (g *generator) reg(c Class) Reg {
	regs := g.regs(c)
	return regs[g.rng.IntN(len(regs))]
}

// entry defines values of all classes, so that pick always finds one.
func (g *generator) entry() {
	for c := range ClassVec + 1 {
		v := g.vreg(c)
		g.inst(defIn(v, g.regs(c)[0]))
		g.avail[0] = append(g.avail[0], v)
	}
}

// pick chooses a value of a class available at the end of block b, most often a late one.
func (g *generator) pick(b int, c Class) VReg {
	list := g.avail[b]
	for {
		var v VReg
		switch {
		case g.rng.IntN(12) == 0:
			v = g.homes[g.rng.IntN(len(g.homes))]
		case g.opt.far || g.rng.IntN(3) == 0:
			v = list[g.rng.IntN(len(list))]
		default:
			v = list[max(0, len(list)-1-g.rng.IntN(10))]
		}
		if g.VRegs[v].Class == c {
			return v
		}
		if g.rng.IntN(100) == 0 {
			return g.avail[0][c]
		}
	}
}

// random appends a random instruction.
func (g *generator) random(b int) {
	switch k := g.rng.IntN(100); {
	case k < g.opt.calls:
		g.call(b)
	case k < g.opt.calls+8:
		c := g.class()
		s, d := g.pick(b, c), g.vreg(c)
		g.inst(use(s), def(d)).Move = true
		g.avail[b] = append(g.avail[b], d)
	default:
		for !g.mixed(b) {
		}
	}
}

// call has fixed arguments and results and clobbers everything.
func (g *generator) call(b int) {
	var ops []Operand
	for c := range ClassFloat + 1 {
		regs := slices.Clone(g.regs(c))
		g.rng.Shuffle(len(regs), func(i, j int) { regs[i], regs[j] = regs[j], regs[i] })
		for _, r := range regs[:g.rng.IntN(len(regs))] {
			ops = append(ops, useIn(g.pick(b, c), r))
		}
	}
	for c := range ClassFloat + 1 {
		regs := g.regs(c)
		for k := range g.rng.IntN(3) {
			ops = append(ops, defIn(g.vreg(c), regs[k]))
		}
	}
	if g.rng.IntN(4) == 0 {
		ops = append(ops, useMem(g.pick(b, ClassInt)))
		if need(ops, ClassInt) > len(g.regs(ClassInt)) {
			ops = ops[:len(ops)-1]
		}
	}
	g.emit(b, ops, 1)
}

func need(ops []Operand, c Class) int {
	n := 0
	for _, op := range ops {
		if op.Kind < Def {
			n++
		}
	}
	return n
}

// emit appends an instruction and makes its results available.
func (g *generator) emit(b int, ops []Operand, clobbers uint8) {
	// Operands come in any order, but ties name them by number.
	if !slices.ContainsFunc(ops, func(op Operand) bool { return op.Con == Tied }) {
		g.rng.Shuffle(len(ops), func(i, j int) { ops[i], ops[j] = ops[j], ops[i] })
	}
	g.inst(ops...).Clobbers = clobbers
	for _, op := range ops {
		if op.Kind >= Def {
			g.avail[b] = append(g.avail[b], op.V)
		}
	}
}

// mixed tries to append an instruction with constraints of all sorts; it gives up if they
// might not be met together.
func (g *generator) mixed(b int) bool {
	rng := g.rng
	var clobbers uint8
	if rng.IntN(8) == 0 {
		clobbers = uint8(2 + rng.IntN(2))
	}
	clob := g.ClobberSets[clobbers]
	var ops []Operand
	var useFix, useLateFix, defFix, earlyFix RegSet
	for range rng.IntN(4) {
		op := use(g.pick(b, g.class()))
		switch rng.IntN(10) {
		case 0:
			op.Kind = UseLate
		case 1, 2:
			op.Con = RegOrSlot
		case 3, 4:
			op.Con, op.Reg = Fixed, g.reg(g.VRegs[op.V].Class)
			op.Kind = OperandKind(rng.IntN(4) / 3)
			if useFix>>op.Reg&1 != 0 {
				return false
			}
			useFix |= 1 << op.Reg
			if op.Kind == UseLate {
				useLateFix |= 1 << op.Reg
			}
		case 5:
			if len(ops) > 0 {
				op.V = ops[0].V
			}
		}
		ops = append(ops, op)
	}
	tied := map[int]bool{}
	for range rng.IntN(3) {
		op := def(0)
		c := g.class()
		switch k := rng.IntN(10); {
		case k == 0:
			op.Kind = DefEarly
		case k == 1:
			op.Con, op.Reg = Fixed, g.reg(c)
			defFix |= 1 << op.Reg
		case k == 2:
			op.Kind, op.Con, op.Reg = DefEarly, Fixed, g.reg(c)
			earlyFix |= 1 << op.Reg
		case k < 6 && len(ops) > 0:
			s := rng.IntN(len(ops))
			if src := ops[s]; src.Kind == Use && src.Con != RegOrSlot && !tied[s] && src.Kind < Def {
				if src.Con == Fixed {
					if clob>>src.Reg&1 != 0 || defFix>>src.Reg&1 != 0 {
						return false
					}
					defFix |= 1 << src.Reg
				}
				tied[s] = true
				op.Con, op.Reg = Tied, Reg(s)
				c = g.VRegs[src.V].Class
			}
		}
		op.V = VReg(c) // for now
		ops = append(ops, op)
	}
	if earlyFix&(useFix|defFix) != 0 || useLateFix&(defFix|earlyFix|clob) != 0 || hasDuplicateFixed(ops) {
		return false
	}
	var n [2]int
	for bank, mask := range []RegSet{1<<32 - 1, ^RegSet(1<<32 - 1)} {
		n[bank] = (clob & mask & g.all).count()
		for _, op := range ops {
			c := Class(op.V)
			if op.Kind < Def {
				c = g.VRegs[op.V].Class
			}
			if min(c, 1) == Class(bank) && op.Con != Tied {
				n[bank]++
			}
		}
		if n[bank] > len(g.file.Alloc[bank]) {
			return false
		}
	}
	for k := range ops {
		if ops[k].Kind >= Def {
			ops[k].V = g.vreg(Class(ops[k].V))
		}
	}
	g.emit(b, ops, clobbers)
	return true
}

func hasDuplicateFixed(ops []Operand) bool {
	var seen RegSet
	for _, op := range ops {
		if op.Kind >= Def && op.Con == Fixed {
			if seen>>op.Reg&1 != 0 {
				return true
			}
			seen |= 1 << op.Reg
		}
		if op.Kind >= Def && op.Con == Tied && ops[op.Reg].Con == Fixed {
			if seen>>ops[op.Reg].Reg&1 != 0 {
				return true
			}
			seen |= 1 << ops[op.Reg].Reg
		}
	}
	return false
}

// terminator may use values and, for a switch, temporaries.
func (g *generator) terminator(b int) {
	var ops []Operand
	for range min(g.rng.IntN(3), len(g.succs[b])) {
		op := use(g.pick(b, ClassInt))
		if g.rng.IntN(3) == 0 {
			op.Con = RegOrSlot
		}
		ops = append(ops, op)
	}
	switch {
	case len(g.succs[b]) > 2:
		ops = append(ops, temp(g.vreg(ClassInt)))
	case len(g.succs[b]) == 0:
		ops = []Operand{useIn(g.pick(b, ClassInt), g.regs(0)[0]), useIn(g.pick(b, ClassFloat), g.regs(1)[0])}
	}
	g.inst(ops...)
}
