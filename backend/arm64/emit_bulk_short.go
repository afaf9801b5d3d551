package arm64

import (
	"github.com/wasmaot/wasmaot/backend"
	"github.com/wasmaot/wasmaot/compiler/abi"
)

// shortRange puts the address of the n bytes at index start into d and traps unless they are within memory 0,
// whose size is in the scratch register. If the processor only guesses so the address is 0.
func (e *emitter) shortRange(d, start Reg) {
	a, n := &e.a, e.In.Imm
	a.RRI(ADD, 8, d, start, n)
	a.RRR(SUBS, 8, ZR, regScratch, d)
	e.trapIf(CondLO, abi.TrapMemoryOutOfBounds)
	a.RRR(ADD, 8, d, regMemBase, start)
	a.Sel(CSEL, 8, d, d, ZR, CondHS)
}

// emitCopyShort copies a constant number of bytes: all are loaded before any is stored.
func (e *emitter) emitCopyShort() {
	n := e.In.Imm
	k := int(backend.VectorChunks(n))
	unchecked := e.In.Aux&backend.AuxUnchecked != 0
	switch {
	case unchecked && n < 4:
		from, to := e.Reg(0), regScratch
		e.guestAddress(from, e.Reg(2))
		e.guestAddress(to, e.Reg(1))
		e.copyBytes(to, from)
	case unchecked:
		e.guestAddress(regScratch, e.Reg(k+1))
		e.chunks(LDR, regScratch, e.Reg)
		e.guestAddress(regScratch, e.Reg(k))
		e.probeLast(regScratch)
		e.chunks(STR, regScratch, e.Reg)
	default:
		to, from := e.Reg(0), e.Reg(1)
		e.memorySize(regScratch)
		e.shortRange(to, e.Reg(k+2))
		e.shortRange(from, e.Reg(k+3))
		if n < 4 {
			e.copyBytes(to, from)
			return
		}
		chunk := func(i int) Reg { return e.Reg(2 + i) }
		e.chunks(LDR, from, chunk)
		e.chunks(STR, to, chunk)
	}
}

// guestAddress puts the address of an index of memory 0 into d: nothing is checked.
func (e *emitter) guestAddress(d, index Reg) { e.a.RRRExt(ADD, 8, d, regMemBase, index, ExtUXTW, 0) }

// probeLast loads the last byte of the destination as probeEnd does.
func (e *emitter) probeLast(to Reg) {
	if n := e.In.Imm; n > 1 && e.In.Aux&backend.AuxUnchecked != 0 {
		e.guestMem(LDR, 1, ZR, At(to, int32(n-1)))
	}
}

// chunks loads or stores all chunks at base, by their registers.
func (e *emitter) chunks(op MemOp, base Reg, register func(i int) Reg) {
	n := e.In.Imm
	k, size := backend.Chunks(n), uint8(backend.ChunkSize(n))
	pair := STP
	if op == LDR {
		pair = LDP
	}
	for i := int64(0); i < k; i++ {
		at := backend.ChunkOffset(i, n)
		if size >= 4 && i+1 < k && backend.ChunkOffset(i+1, n) == at+int32(size) {
			e.guestPair(pair, size, register(int(i)), register(int(i+1)), At(base, at))
			i++
		} else {
			e.guestMem(op, size, register(int(i)), At(base, at))
		}
	}
}

// copyBytes copies up to 3 bytes.
func (e *emitter) copyBytes(to, from Reg) {
	n := e.In.Imm
	if n == 0 {
		return
	}
	size := uint8(min(n, 2))
	e.guestMem(LDR, size, regScratchV, At(from, 0))
	if n == 3 {
		e.guestMem(LDR, 1, from, At(from, 2))
	}
	e.probeLast(to)
	e.guestMem(STR, size, regScratchV, At(to, 0))
	if n == 3 {
		e.guestMem(STR, 1, from, At(to, 2))
	}
}

// emitFillShort fills a constant number of bytes.
func (e *emitter) emitFillShort() {
	to, dst, value := e.Reg(0), e.Reg(1), e.Reg(2)
	if e.In.Aux&backend.AuxUnchecked != 0 {
		e.guestAddress(to, dst)
	} else {
		dst, value = e.Reg(2), e.Reg(3)
		e.memorySize(regScratch)
		e.shortRange(to, dst)
	}
	if backend.ChunkSize(e.In.Imm) > 1 {
		e.a.Dup(A16B, regScratchV, value)
		value = regScratchV
	}
	e.probeLast(to)
	e.chunks(STR, to, func(int) Reg { return value })
}
