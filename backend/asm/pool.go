package asm

// A pool is the constants behind a function's code: values, each once however
// often it is used, and tables of jump targets.
type pool struct {
	values  []constant
	index   []int32 // hash table: 1 + index into values, 0 is free; a power of two long
	tables  []jumpTable
	targets []Label // of all tables
}

type constant struct {
	lo, hi uint64
	size   uint8 // 4, 8, 16
	label  Label
}

type jumpTable struct {
	label      Label
	start, end int // in pool.targets
}

func (p *pool) reset() {
	if len(p.index) > 8*len(p.values)+1024 { // not worth clearing
		p.index = nil
	}
	if len(p.values) > 0 {
		clear(p.index)
	}
	p.values, p.tables, p.targets = p.values[:0], p.tables[:0], p.targets[:0]
}

func (c *constant) hash() uint64 {
	h := (c.lo ^ uint64(c.size)) * 0x9E3779B97F4A7C15
	h = (h ^ h>>29 ^ c.hi) * 0xBF58476D1CE4E5B9
	return h ^ h>>32
}

// slot is where c is in the index, or the free slot where it belongs.
func (p *pool) slot(c *constant) *int32 {
	mask := uint64(len(p.index) - 1)
	for h := c.hash(); ; h++ {
		s := &p.index[h&mask]
		if *s == 0 {
			return s
		}
		if v := &p.values[*s-1]; v.lo == c.lo && v.hi == c.hi && v.size == c.size {
			return s
		}
	}
}

// Const32 is a 4-byte constant behind the code, aligned to its size as all are.
func (a *Buffer) Const32(v uint32) Label { return a.constant(constant{lo: uint64(v), size: 4}) }

// Const64 is an 8-byte constant.
func (a *Buffer) Const64(v uint64) Label { return a.constant(constant{lo: v, size: 8}) }

// Const128 is a 16-byte constant.
func (a *Buffer) Const128(lo, hi uint64) Label { return a.constant(constant{lo: lo, hi: hi, size: 16}) }

func (a *Buffer) constant(c constant) Label {
	p := &a.pool
	if 2*len(p.values) >= len(p.index) {
		p.index = make([]int32, max(64, 2*len(p.index)))
		for i := range p.values {
			*p.slot(&p.values[i]) = int32(i + 1)
		}
	}
	s := p.slot(&c)
	if *s == 0 {
		c.label = a.label(inPool)
		p.values = append(p.values, c)
		*s = int32(len(p.values))
	}
	return p.values[*s-1].label
}

// AddTable puts a table of 32-bit offsets behind the code: entry k is the distance
// from the table's start to labels[k].
func (a *Buffer) AddTable(labels []Label) Label {
	p := &a.pool
	l := a.label(inPool)
	start := len(p.targets)
	p.targets = append(p.targets, labels...)
	p.tables = append(p.tables, jumpTable{l, start, len(p.targets)})
	return l
}

// layout places the pool from offset at on and returns its end. The largest
// constants come first, so that only the first needs padding.
func (p *pool) layout(labels []uint32, at uint64) uint64 {
	for size := uint8(16); size >= 4; size /= 2 {
		for i := range p.values {
			if v := &p.values[i]; v.size == size {
				at = (at + uint64(size) - 1) &^ (uint64(size) - 1)
				labels[v.label] = uint32(at)
				at += uint64(size)
			}
		}
	}
	for _, t := range p.tables {
		at = (at + 3) &^ 3
		labels[t.label] = uint32(at)
		at += 4 * uint64(t.end-t.start)
	}
	return at
}
