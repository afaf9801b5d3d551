package frontend

import "github.com/wasmaot/wasmaot/compiler/ssa"

// reach removes the blocks that threading has cut off and analyses the function.
func (b *Builder) reach() {
	b.dropUnreachable()
	b.f.Analyze(&b.scratch)
}

func (b *Builder) dropUnreachable() {
	if b.markReachable() < len(b.f.Blocks) {
		b.compact()
	}
}

// markReachable sets flow.number of reachable blocks to 0, of others to ssa.NoBlock, and counts the former.
func (b *Builder) markReachable() int {
	f, w := b.f, &b.flow
	number := grow(w.number, len(f.Blocks))
	w.number = number
	for i := range number {
		number[i] = ssa.NoBlock
	}
	number[0] = 0
	count := 1
	work := append(w.work[:0], 0)
	for len(work) > 0 {
		bd := &f.Blocks[work[len(work)-1]]
		work = work[:len(work)-1]
		for e := bd.SuccStart; e < bd.SuccEnd; e++ {
			if to := f.Edges[e].To; number[to] != 0 {
				number[to] = 0
				count++
				work = append(work, to)
			}
		}
	}
	w.work = work
	return count
}

// compact drops unreachable blocks. Blocks and edges keep their order,
// and a block's edges follow those of the blocks before it, so all moves are towards the front.
func (b *Builder) compact() {
	f := b.f
	number := b.flow.number // from here on new numbers of the blocks that stay
	kept := ssa.Block(0)
	for i := range number {
		if number[i] == 0 {
			number[i] = kept
			kept++
		}
	}
	edges := uint32(0)
	for i := range f.Blocks {
		bd := &f.Blocks[i]
		if number[i] == ssa.NoBlock {
			b.erase(bd)
			continue
		}
		start := edges
		for _, e := range f.SuccsOf(bd) {
			e.From, e.To = number[e.From], number[e.To]
			f.Edges[edges] = e
			edges++
		}
		for j, e := range f.TableOf(bd) {
			f.Tables[int(bd.TabStart)+j] = e - ssa.Edge(bd.SuccStart-start)
		}
		bd.SuccStart, bd.SuccEnd = start, edges
		f.Blocks[number[i]] = *bd
	}
	f.Blocks, f.Edges = f.Blocks[:kept], f.Edges[:edges]

	recs := b.locals.recs[:0]
	for _, r := range b.locals.recs {
		if r.block = number[r.block]; r.block != ssa.NoBlock {
			recs = append(recs, r)
		}
	}
	b.locals.recs = recs
}

// erase makes the block's instructions no-ops: nobody refers to them, but they stay in Func.Insts.
func (b *Builder) erase(bd *ssa.BlockData) {
	f := b.f
	for _, v := range f.OrderOf(bd) {
		f.Insts[v] = ssa.Nop()
	}
	for _, v := range f.ParamsOf(bd) {
		f.Insts[v] = ssa.Nop()
	}
}
