package opt

import "github.com/wasmaot/wasmaot/compiler/ssa"

// limbs makes one operation of loops that multiply a number of many limbs by a single one and add it to another number, or that add or subtract two, as
// package math/big and cryptography do. The operation takes limb after limb, as the loop does, so nothing is asked of where the numbers are; what is gained is that carries
// may stay in flags.
//
// Such a loop is a header that compares the number of the limb with a limit, and a block:
//
//	sum   = x[i] + low half of y[i]*factor
//	z[i]  = sum + carry
//	carry = high half + carry of the first addition + carry of the second
//
// or sum = x[i] + y[i] and carry = carry of the first + carry of the second, or differences and borrows.
//
// The operation does all that is left at once: the next limb's number is the limit.
func limbs(f *ssa.Func, s *Scratch) {
	if f.Module == nil || !f.Module.Limbs {
		return
	}
	for _, b := range f.RPO {
		bd := &f.Blocks[b]
		if bd.Header == ssa.NoBlock || bd.Header == b || bd.Cold || bd.Kind != ssa.BlockJump {
			continue
		}
		m := limbLoop{f: f, b: b, header: bd.Header}
		if m.find() {
			m.replace(s)
		}
	}
}

// limbLoop is what is known of a loop.
type limbLoop struct {
	f         *ssa.Func
	b, header ssa.Block

	op               ssa.Op
	load             [2]ssa.Value
	store            ssa.Value
	counter, limit   ssa.Value
	carry            ssa.Value // the parameter
	x, y, factor     ssa.Value
	counters, carrys int // numbers of the parameters
}

// find reports whether the loop is one.
func (m *limbLoop) find() bool {
	f := m.f
	bd, h := &f.Blocks[m.b], &f.Blocks[m.header]
	latch := &f.Edges[bd.SuccStart]
	preds := f.PredsOf(bd)
	if latch.To != m.header || len(preds) != 1 || f.Edges[preds[0]].From != m.header || h.Kind != ssa.BlockIf || h.InstEnd-h.InstStart != 1 {
		return false
	}
	test := &f.Insts[h.Ctl]
	if test.Op != ssa.OpLtS || f.Order[h.InstStart] != h.Ctl || f.Edges[h.SuccStart].To != m.b {
		return false
	}
	m.counter, m.limit = ssa.Value(test.A), ssa.Value(test.B)
	if !m.accesses(bd) {
		return false
	}
	again := f.ArgsOf(latch)
	m.counters, m.carrys = -1, -1
	for i, p := range f.ParamsOf(h) {
		switch next := again[i]; {
		case next == p:
		case p == m.counter && m.isSum(next, p, 1):
			m.counters = i
		case m.carrys < 0 && m.isCarry(p, next):
			m.carrys = i
		default:
			return false
		}
	}
	if m.counters < 0 || m.carrys < 0 || !m.fromOutside(m.limit) {
		return false
	}
	if m.op == ssa.OpMulAddLimbs {
		return m.fromOutside(m.factor)
	}
	return m.beginsWithBit()
}

// beginsWithBit reports whether the first carry is 0 or 1; the others are then.
func (m *limbLoop) beginsWithBit() bool {
	f := m.f
	for _, e := range f.PredsOf(&f.Blocks[m.header]) {
		if f.Edges[e].From == m.b {
			continue
		}
		if c, ok := f.IsConst(f.ArgsOf(&f.Edges[e])[m.carrys]); !ok || c > 1 {
			return false
		}
	}
	return true
}

// accesses finds the two loads and the store behind them, which must be the block's only effects.
func (m *limbLoop) accesses(bd *ssa.BlockData) bool {
	loads := 0
	for _, v := range m.f.OrderOf(bd) {
		in := &m.f.Insts[v]
		switch {
		case !in.Op.Is(ssa.PropReads | ssa.PropEffect):
		case in.Op == ssa.OpLoad && loads < 2 && m.store == 0 && m.isLimb(in.A):
			m.load[loads] = v
			loads++
		case in.Op == ssa.OpStore && loads == 2 && m.store == 0 && m.isLimb(in.A):
			m.store = v
		default:
			return false
		}
	}
	return m.store != 0
}

// isLimb reports whether an address is that of the limb in memory 0, of which some addresses at the end are never used: the sum of something and the
// counter times 8.
func (m *limbLoop) isLimb(address uint32) bool {
	f := m.f
	at := &f.Insts[address]
	if at.Op != ssa.OpAddr || at.Flags&ssa.FlagChecked != 0 || at.B != 0 || at.C != 8 || len(f.Module.MemGap) == 0 || f.Module.MemGap[0] == 0 {
		return false
	}
	wrap := &f.Insts[at.A]
	if wrap.Op != ssa.OpWrap || f.Insts[wrap.A].Op != ssa.OpAdd {
		return false
	}
	sum := f.Insts[wrap.A]
	for range 2 {
		if by := &f.Insts[sum.B]; by.Op == ssa.OpShl && ssa.Value(by.A) == m.counter && m.fromOutside(ssa.Value(sum.A)) {
			if c, ok := f.IsConst(ssa.Value(by.B)); ok && c == 3 {
				return true
			}
		}
		sum.A, sum.B = sum.B, sum.A
	}
	return false
}

// isCarry reports whether p is a carry and next the one after it, as they are said to be above.
func (m *limbLoop) isCarry(p, next ssa.Value) bool {
	f := m.f
	stored := &f.Insts[f.Insts[m.store].B]
	m.carry = p
	if stored.Op == ssa.OpSub {
		return ssa.Value(stored.B) == p && m.isBorrow(ssa.Value(stored.A), next)
	}
	if stored.Op != ssa.OpAdd {
		return false
	}
	sum, ok := other(stored, p)
	if !ok || f.Insts[sum].Op != ssa.OpAdd {
		return false
	}
	if y, ok := other(&f.Insts[sum], m.load[0]); ok && y == m.load[1] {
		m.op, m.x, m.y = ssa.OpAddLimbs, m.load[0], m.load[1]
		return m.areBits(next, func(bit uint32) bool { return m.isCarryOf(bit, sum, m.x, m.y) },
			func(bit uint32) bool { return m.isCarryOf(bit, ssa.Value(f.Insts[m.store].B), sum, p) })
	}
	for i, x := range m.load {
		low, ok := other(&f.Insts[sum], x)
		if !ok || f.Insts[low].Op != ssa.OpMul {
			continue
		}
		m.x, m.y = x, m.load[1-i]
		if m.factor, ok = other(&f.Insts[low], m.y); !ok {
			continue
		}
		terms := f.Insts[next]
		if terms.Op != ssa.OpAdd {
			return false
		}
		for range 2 {
			if two := &f.Insts[terms.B]; two.Op == ssa.OpAdd && m.areCarries([3]uint32{terms.A, two.A, two.B}, low, sum, p) {
				m.op = ssa.OpMulAddLimbs
				return true
			}
			terms.A, terms.B = terms.B, terms.A
		}
	}
	return false
}

// isBorrow reports whether a difference is that of two limbs, and next the borrow after it and after subtracting the borrow from it.
func (m *limbLoop) isBorrow(difference, next ssa.Value) bool {
	in := &m.f.Insts[difference]
	m.op, m.x, m.y = ssa.OpSubLimbs, ssa.Value(in.A), ssa.Value(in.B)
	if in.Op != ssa.OpSub || !(m.x == m.load[0] && m.y == m.load[1] || m.x == m.load[1] && m.y == m.load[0]) {
		return false
	}
	return m.areBits(next, func(bit uint32) bool { return m.isCarryOf(bit, m.x, m.y, m.y) },
		func(bit uint32) bool { return m.isCarryOf(bit, difference, m.carry, m.carry) })
}

// areBits reports whether v is the sum of two bits.
func (m *limbLoop) areBits(v ssa.Value, first, second func(bit uint32) bool) bool {
	sum := m.f.Insts[v]
	if sum.Op != ssa.OpAdd {
		return false
	}
	for range 2 {
		a, b := &m.f.Insts[sum.A], &m.f.Insts[sum.B]
		if a.Op == ssa.OpZext && b.Op == ssa.OpZext && first(a.A) && second(b.A) {
			return true
		}
		sum.A, sum.B = sum.B, sum.A
	}
	return false
}

// areCarries reports whether the terms are the product's high half and the carries of the two additions.
func (m *limbLoop) areCarries(terms [3]uint32, low, sum, carry ssa.Value) bool {
	f := m.f
	high, first, second := 0, 0, 0
	for _, t := range terms {
		in := &f.Insts[t]
		switch in.Op {
		case ssa.OpMulHiU:
			if factor, ok := other(in, m.y); ok && factor == m.factor {
				high++
			}
		case ssa.OpZext:
			if m.isCarryOf(in.A, sum, low, m.x) {
				first++
			} else if m.isCarryOf(in.A, ssa.Value(f.Insts[m.store].B), sum, carry) {
				second++
			}
		}
	}
	return high == 1 && first == 1 && second == 1
}

// isCarryOf reports whether v is the carry of a sum: it is less than a or, which is the same, b.
func (m *limbLoop) isCarryOf(v uint32, sum, a, b ssa.Value) bool {
	in := &m.f.Insts[v]
	x, y := ssa.Value(in.A), ssa.Value(in.B)
	if in.Op == ssa.OpGtU {
		x, y = y, x
	} else if in.Op != ssa.OpLtU {
		return false
	}
	return x == sum && (y == a || y == b)
}

// other gives the operand of a commutative operation that is not v.
func other(in *ssa.Inst, v ssa.Value) (ssa.Value, bool) {
	switch v {
	case ssa.Value(in.A):
		return ssa.Value(in.B), true
	case ssa.Value(in.B):
		return ssa.Value(in.A), true
	}
	return 0, false
}

func (m *limbLoop) isSum(v, a ssa.Value, c uint64) bool {
	in := &m.f.Insts[v]
	if in.Op != ssa.OpAdd || ssa.Value(in.A) != a {
		return false
	}
	by, ok := m.f.IsConst(ssa.Value(in.B))
	return ok && by == c
}

// fromOutside reports whether v is defined outside of the loop.
func (m *limbLoop) fromOutside(v ssa.Value) bool {
	for _, b := range [2]ssa.Block{m.header, m.b} {
		bd := &m.f.Blocks[b]
		for _, p := range m.f.ParamsOf(bd) {
			if p == v {
				return false
			}
		}
		for _, w := range m.f.OrderOf(bd) {
			if w == v {
				return false
			}
		}
	}
	return true
}

// replace puts the operation in the place of what the block does.
func (m *limbLoop) replace(s *Scratch) {
	f := m.f
	bd := &f.Blocks[m.b]
	index := func(access ssa.Value) uint32 { return f.Insts[f.Insts[access].A].A }
	z, x, y := index(m.store), index(m.x), index(m.y)
	// What is left comes to the front: the indices, which do not depend on the loads.
	s.drop = sized(s.drop, len(f.Insts))
	s.drop[m.load[0]], s.drop[m.load[1]], s.drop[m.store] = true, true, true
	order := f.Order[bd.InstStart:bd.InstStart]
	for _, v := range f.OrderOf(bd) {
		in := &f.Insts[v]
		uses := in.Op.Uses()
		if uses&1 != 0 && s.drop[in.A] || uses&2 != 0 && s.drop[in.B] || uses&4 != 0 && s.drop[in.C] {
			s.drop[v] = true
		}
		if !s.drop[v] {
			order = append(order, v)
		}
	}
	t := f.Insts[m.carry].Type
	left := f.NewValue(ssa.OpSub, t, uint32(m.limit), uint32(m.counter), 0, f.Pos[m.store])
	at := f.NewValue(ssa.OpLimbs, f.Insts[z].Type, z, x, y, f.Pos[m.x])
	order = append(order, left, at) // in the place of more that are gone
	by := left
	if m.op == ssa.OpMulAddLimbs {
		by = f.NewValue(ssa.OpLimbFactor, t, uint32(left), uint32(m.factor), 0, f.Pos[m.y])
		order = append(order, by)
	}
	carry := f.NewValue(m.op, t, uint32(at), uint32(by), uint32(m.carry), f.Pos[m.store])
	order = append(order, carry)
	bd.InstEnd = bd.InstStart + uint32(len(order))
	again := f.ArgsOf(&f.Edges[bd.SuccStart])
	again[m.counters], again[m.carrys] = m.limit, carry
}
