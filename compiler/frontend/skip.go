package frontend

import "github.com/wasmaot/wasmaot/compiler/ssa"

// skipEmpty leads edges past blocks that do no more than set a local which no one reads, and jump: what is left of
// setting the state and going to the dispatch when every jump to that is threaded. These are two blocks of five. (Passes would find
// them too, when dominators and locals are known for all of them.) Then it removes what is not reachable.
func (b *Builder) skipEmpty(local uint32) {
	f, s := b.f, &b.locals
	word, bit := local/64, uint64(1)<<(local%64)
	beyond := grow(b.flow.number, len(f.Blocks)) // by block: where it leads if it is empty
	b.flow.number = beyond
	for i := range f.Blocks {
		beyond[i] = ssa.NoBlock
		if bd := &f.Blocks[i]; bd.Kind == ssa.BlockJump && i > 1 && bd.InstStart == bd.InstEnd && bd.ParamStart == bd.ParamEnd {
			if e := &f.Edges[bd.SuccStart]; e.ArgStart == e.ArgEnd && e.To != ssa.Block(i) {
				beyond[i] = e.To
			}
		}
	}
	for i := range s.recs {
		r := &s.recs[i]
		def, use := r.def, r.use
		if r.word == word {
			if use&bit != 0 && r.block != 1 {
				return // someone reads it
			}
			def &^= bit
		}
		if def|use != 0 {
			beyond[r.block] = ssa.NoBlock
		}
	}
	for i := range f.Edges {
		e := &f.Edges[i]
		if f.Blocks[e.From].Kind == ssa.BlockSwitch {
			continue // has one edge to each block
		}
		for range maxThreadSteps {
			to := beyond[e.To]
			if to == ssa.NoBlock {
				break
			}
			e.To = to
		}
	}
	b.dropUnreachable()
}
