package frontend

import "github.com/wasmaot/wasmaot/compiler/ssa"

// reach removes the blocks that threading has cut off and analyses the function.
func (b *Builder) reach() {
	f := b.f
	f.Analyze(&b.scratch)
	if len(f.RPO) == len(f.Blocks) {
		return
	}
	b.compact()
	f.Analyze(&b.scratch)
}

// compact drops the blocks that Analyze found unreachable. Blocks and edges keep their order,
// and a block's edges follow those of the blocks before it, so all moves are towards the front.
func (b *Builder) compact() {
	f := b.f
	number := grow(b.flow.work, len(f.Blocks)) // new numbers of the blocks that stay
	b.flow.work = number
	kept := ssa.Block(0)
	for i := range f.Blocks {
		if number[i] = ssa.NoBlock; f.Blocks[i].RPO != unreachable {
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

// unreachable is BlockData.RPO of an unreachable block.
const unreachable = ^uint32(0)

// erase makes the block's instructions no-ops: nobody refers to them, but they stay in Func.Insts.
func (b *Builder) erase(bd *ssa.BlockData) {
	f := b.f
	for _, v := range f.OrderOf(bd) {
		f.Insts[v] = ssa.Inst{Op: ssa.OpNop}
	}
	for _, v := range f.ParamsOf(bd) {
		f.Insts[v] = ssa.Inst{Op: ssa.OpNop}
	}
}
