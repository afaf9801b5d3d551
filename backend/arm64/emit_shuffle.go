package arm64

import "github.com/wasmaot/wasmaot/backend/emit"

// vecShuffle takes the shortest way to the lanes of two vectors.
func (e *emitter) vecShuffle(d, a Reg) {
	lanes := e.M.SSA.Vecs[e.Number()]
	a, b := emit.Shuffled(&lanes, a, e.Reg(2))
	if e.spread(d, a, &lanes) || e.reverse(d, a, &lanes) || e.pattern(d, a, b, &lanes) || e.follow(d, a, b, &lanes) || e.insert(d, a, b, &lanes) {
		return
	}
	e.lookUp(d, a, b, &lanes)
}

// spread knows one lane for all.
func (e *emitter) spread(d, a Reg, lanes *[16]byte) bool {
	for arr, size := A16B, 1; arr <= A2D; arr, size = arr+2, 2*size {
		lane := int(lanes[0]) / size
		if emit.Matches(lanes, false, func(i int) int { return lane*size + i%size }) && lane*size < 16 {
			e.a.DupLane(arr, d, a, uint8(lane))
			return true
		}
	}
	return false
}

// reversals are the instructions that reverse bytes, half words or words within units of 2, 4 and 8 bytes.
var reversals = [...]struct {
	op   Op
	unit int
}{{VREV16, 2}, {VREV32, 4}, {VREV64, 8}}

func (e *emitter) reverse(d, a Reg, lanes *[16]byte) bool {
	for _, r := range reversals {
		for arr, size := A16B, 1; size < r.unit; arr, size = arr+2, 2*size {
			if emit.Matches(lanes, false, func(i int) int { return i ^ (r.unit - size) }) {
				e.a.RR(r.op, arr, d, a)
				return true
			}
		}
	}
	return false
}

// patterns are the instructions that take lanes of two vectors in turns.
var patterns = [...]struct {
	op    Op
	lanes emit.Pattern
}{
	{VZIP1, emit.ZipLow},
	{VZIP2, emit.ZipHigh},
	{VUZP1, func(i, n int) int { return 2 * i }},
	{VUZP2, func(i, n int) int { return 2*i + 1 }},
	{VTRN1, func(i, n int) int { return i&^1 + i%2*n }},
	{VTRN2, func(i, n int) int { return i | 1 + i%2*n }},
}

func (e *emitter) pattern(d, a, b Reg, lanes *[16]byte) bool {
	for arr, size := A16B, 1; arr <= A2D; arr, size = arr+2, 2*size {
		for _, p := range patterns {
			straight, exchanged := p.lanes.Matches(lanes, a == b, size)
			if exchanged && !straight {
				a, b = b, a
			}
			if straight || exchanged {
				e.a.RRR(p.op, arr, d, a, b)
				return true
			}
		}
	}
	return false
}

// follow knows bytes that follow each other, from one vector to the other.
func (e *emitter) follow(d, a, b Reg, lanes *[16]byte) bool {
	from := int(lanes[0])
	if !emit.Matches(lanes, a == b, func(i int) int { return from + i }) {
		return false
	}
	if from >= 16 {
		a, b, from = b, a, from-16
	}
	if from == 0 {
		e.a.Mov(16, d, a)
	} else {
		e.a.Ext(d, a, b, uint8(from))
	}
	return true
}

// insert knows vectors of which one lane is of elsewhere.
func (e *emitter) insert(d, a, b Reg, lanes *[16]byte) bool {
	for arr, size := A16B, 1; arr <= A2D; arr, size = arr+2, 2*size {
		for _, base := range [...]int{0, 16} {
			place, from, others := 0, 0, 0
			for at := 0; at < 16; at += size {
				n := int(lanes[at])
				whole := n%size == 0
				for k := range size {
					whole = whole && int(lanes[at+k]) == n+k
				}
				switch {
				case whole && n == base+at:
				case whole:
					place, from = at/size, n
					others++
				default:
					others = 16
				}
			}
			if others != 1 {
				continue
			}
			kept, source := a, a
			if base == 16 {
				kept = b
			}
			if from >= 16 {
				source = b
			}
			e.a.Mov(16, d, kept)
			e.a.InsLane(arr, d, uint8(place), source, uint8(from%16/size))
			return true
		}
	}
	return false
}

// lookUp looks up each byte: what is beyond a vector is 0, or stays.
func (e *emitter) lookUp(d, a, b Reg, lanes *[16]byte) {
	e.a.Mem(LDR, 16, regScratchV, e.vector(lanes))
	e.a.RRR(VTBL, A16B, d, a, regScratchV)
	if a == b {
		return
	}
	var ofB [16]byte
	for i, n := range lanes {
		ofB[i] = n - 16
	}
	e.a.Mem(LDR, 16, regScratchV, e.vector(&ofB))
	e.a.RRR(VTBX, A16B, d, b, regScratchV)
}

// vector is a constant.
func (e *emitter) vector(b *[16]byte) Mem {
	return AtConst(e.a.Const128(emit.Halves(b)))
}
