package regalloc

import "math/bits"

// frame is the spill area. It has four parts, so that slots of 16 bytes are aligned and never
// overlap others, and values which are not tracked share with no one.
type frame struct {
	sizes [4]uint32 // slots of each part
	bases [4]uint32 // first unit of each part
	units uint32    // of 8 bytes, all parts
	busy  [2][]uint64
	temps [2]uint32 // unit + 1 of the slots that break cycles: 8 bytes, 16 bytes
	any   bool      // a value is spilled
}

const (
	partVec = iota // 16 bytes
	partVecHomed
	partWord // 8 bytes
	partWordHomed
)

func (fr *frame) reset() {
	*fr = frame{busy: fr.busy}
}

func (x *value) part() int {
	part := partWord
	if x.flags&isVec != 0 {
		part = partVec
	}
	if x.flags&isHomed != 0 {
		part++
	}
	return part
}

// temporary is the offset of a slot to break a cycle.
func (fr *frame) temporary(c Class) uint32 {
	k, size := 0, uint32(1)
	if c == ClassVec {
		k, size = 1, 2
	}
	if fr.temps[k] == 0 {
		fr.units = (fr.units + size - 1) &^ (size - 1)
		fr.temps[k] = fr.units + 1
		fr.units += size
	}
	return 8 * (fr.temps[k] - 1)
}

// colour gives slots to spilled values. Values in SSA form are live in subtrees of the
// dominator tree, so that blocks in an order where dominators come first, each with what is live into
// it, make do with as many slots as are live at once.
func (a *Allocator) colour() {
	fr := &a.frame
	if !fr.any {
		return
	}
	for v := range a.vals {
		if x := &a.vals[v]; x.flags&(isHomed|isSpilled) == isHomed|isSpilled {
			a.lives[v].slot = fr.sizes[x.part()]
			fr.sizes[x.part()]++
		}
	}
	for bi := range a.f.Blocks {
		if a.blocks[bi].slots {
			a.colourBlock(uint32(bi))
		}
	}
	for part, size := range fr.sizes {
		fr.bases[part] = fr.units
		if part < partWord {
			size *= 2
		}
		fr.units += size
	}
}

func (a *Allocator) colourBlock(bi uint32) {
	f, fr := a.f, &a.frame
	b := &f.Blocks[bi]
	clear(fr.busy[0])
	clear(fr.busy[1])
	for _, in := range a.liveInto(bi) {
		if v := in.v & vregMask; a.tracked(VReg(v)) {
			a.occupy(VReg(v), a.lives[v].slot)
		}
	}
	for k, p := range a.params(b) {
		if a.tracked(p) {
			a.colourParam(b, k, p)
		}
	}
	for i := b.Start; i < b.End; i++ {
		in := &f.Insts[i]
		for o := in.OpStart; o < in.OpEnd; o++ {
			if op := &f.Ops[o]; op.Kind < Def && a.nextUse[o] == dead && a.tracked(op.V) {
				part, slot := a.vals[op.V].part(), a.lives[op.V].slot
				fr.busy[part/partWord][slot/64] &^= 1 << (slot % 64)
			}
		}
		for o := in.OpStart; o < in.OpEnd; o++ {
			if op := &f.Ops[o]; op.Kind >= Def && a.nextUse[o] != dead && a.tracked(op.V) {
				a.newSlot(op.V)
			}
		}
	}
}

// tracked reports whether v has a slot that may be shared.
func (a *Allocator) tracked(v VReg) bool {
	return a.vals[v].flags&(isSpilled|isHomed) == isSpilled
}

// colourParam gives a parameter the slot of one of its arguments, if it can, and asks for the
// same for the arguments to come: then the edge has nothing to do.
func (a *Allocator) colourParam(b *Block, k int, p VReg) {
	l := &a.lives[p]
	if a.vals[p].def != 0 {
		a.newSlot(p)
		return
	}
	preds := a.f.Preds[b.PredStart:b.PredEnd]
	at := a.vals[p].block
	for _, e := range preds {
		ed := &a.f.Edges[e]
		if arg := a.args(ed)[k]; a.tracked(arg) && ed.From < at && l.slotFor == 0 {
			l.slotFor = a.lives[arg].slot + 1
		}
	}
	a.newSlot(p)
	for _, e := range preds {
		ed := &a.f.Edges[e]
		if arg := a.args(ed)[k]; a.tracked(arg) && ed.From >= at && a.vals[arg].block >= at {
			a.lives[arg].slotFor = l.slot + 1
		}
	}
}

// newSlot gives v the slot it asks for, or the lowest free one.
func (a *Allocator) newSlot(v VReg) {
	busy := a.frame.busy[a.vals[v].part()/partWord]
	if s := a.lives[v].slotFor; s != 0 && (int(s-1)/64 >= len(busy) || busy[(s-1)/64]>>((s-1)%64)&1 == 0) {
		a.occupy(v, s-1)
		return
	}
	slot := 64 * len(busy)
	for w, word := range busy {
		if word != ^uint64(0) {
			slot = 64*w + bits.TrailingZeros64(^word)
			break
		}
	}
	a.occupy(v, uint32(slot))
}

func (a *Allocator) occupy(v VReg, slot uint32) {
	fr := &a.frame
	part := a.vals[v].part()
	busy := &fr.busy[part/partWord]
	for int(slot/64) >= len(*busy) {
		*busy = append(*busy, 0)
	}
	(*busy)[slot/64] |= 1 << (slot % 64)
	a.lives[v].slot = slot
	fr.sizes[part] = max(fr.sizes[part], slot+1)
}

// unit is the frame unit of the slot of v.
func (a *Allocator) unit(v VReg) uint32 {
	part := a.vals[v].part()
	slot := a.lives[v].slot
	if part < partWord {
		slot *= 2
	}
	return a.frame.bases[part] + slot
}
