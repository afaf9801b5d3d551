package amd64

import "github.com/wasmaot/wasmaot/backend/emit"

// vecShuffle takes the shortest way to the lanes of two vectors.
func (e *emitter) vecShuffle(d, a Reg) {
	lanes := e.M.SSA.Vecs[e.Number()]
	a, b := emit.Shuffled(&lanes, a, e.Reg(2))
	switch {
	case a == b:
		e.permute(d, a, lanes)
	case e.interleave(d, a, b, &lanes) || e.align(d, a, b, &lanes) || e.blend(d, a, b, &lanes):
	default:
		e.shuffleBoth(d, a, b, &lanes)
	}
}

// permute shuffles one vector.
func (e *emitter) permute(d, a Reg, lanes [16]byte) {
	order := int64(0)
	for i := 0; i < 16; i += 4 {
		n := lanes[i]
		if n%4 != 0 || lanes[i+1] != n+1 || lanes[i+2] != n+2 || lanes[i+3] != n+3 {
			e.v3m(PSHUFB, d, a, e.vector(lanes))
			return
		}
		order |= int64(n/4) << (i / 2)
	}
	e.v2i(PSHUFD, d, a, order)
}

// vector is a constant.
func (e *emitter) vector(b [16]byte) Mem {
	return AtConst(e.a.Const128(emit.Halves(&b)))
}

// interleavings are by the halves that are taken in turns; their instructions by the size of what is taken.
var interleavings = [...]struct {
	pattern emit.Pattern
	ops     [4]Op
}{
	{emit.ZipLow, [4]Op{PUNPCKLBW, PUNPCKLWD, PUNPCKLDQ, PUNPCKLQDQ}},
	{emit.ZipHigh, [4]Op{PUNPCKHBW, PUNPCKHWD, PUNPCKHDQ, PUNPCKHQDQ}},
}

func (e *emitter) interleave(d, a, b Reg, lanes *[16]byte) bool {
	for _, p := range interleavings {
		for k, op := range p.ops {
			straight, exchanged := p.pattern.Matches(lanes, false, 1<<k)
			if exchanged {
				a, b = b, a
			}
			if straight || exchanged {
				e.v3(op, d, a, b)
				return true
			}
		}
	}
	return false
}

// align knows lanes that follow each other, from one vector to the other.
func (e *emitter) align(d, a, b Reg, lanes *[16]byte) bool {
	from := int(lanes[0])
	if !emit.Matches(lanes, false, func(i int) int { return from + i }) {
		return false
	}
	if from >= 16 {
		a, b, from = b, a, from-16
	}
	e.v3bi(PALIGNR, 16, d, b, a, int64(from))
	return true
}

// blend knows words that stay where they are.
func (e *emitter) blend(d, a, b Reg, lanes *[16]byte) bool {
	which := int64(0)
	for i, n := range lanes {
		if int(n)%16 != i || n/16 != lanes[i&^1]/16 {
			return false
		}
		which |= int64(n/16) << (i / 2)
	}
	e.v3bi(PBLENDW, 16, d, a, b, which)
	return true
}

// shuffleBoth shuffles each, with 0 for the lanes of the other.
func (e *emitter) shuffleBoth(d, a, b Reg, lanes *[16]byte) {
	const zero = 0x80
	var ofA, ofB [16]byte
	for i, n := range lanes {
		ofA[i], ofB[i] = n, zero
		if n >= 16 {
			ofA[i], ofB[i] = zero, n-16
		}
	}
	e.v3m(PSHUFB, d, a, e.vector(ofA))
	e.v3m(PSHUFB, regScratchX, b, e.vector(ofB))
	e.v3(POR, d, d, regScratchX)
}
