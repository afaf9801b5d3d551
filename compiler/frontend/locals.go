package frontend

import (
	"cmp"
	"math/bits"
	"slices"

	"github.com/wasmaot/wasmaot/compiler/abi"
	"github.com/wasmaot/wasmaot/compiler/ssa"
	"github.com/wasmaot/wasmaot/compiler/wasm"
)

// heldBit marks the number of a placeholder: the value that a local has at the start of a
// block, to be found out later. Placeholders stand wherever values do until rename resolves them.
const heldBit = 1 << 31

// localState follows the locals through the code. Locals are dealt with in words of 64, of
// which nearly all functions have one.
type localState struct {
	types []abi.Type

	// Of the current block:
	value []uint32 // by local: latest value, if known
	hold  []uint32 // by local: placeholder, if read before set
	def   []uint64 // by word: locals set
	use   []uint64 // by word: locals read before they were set
	dirty []uint32 // words of def and use that are not 0

	// Of all blocks finished:
	recs   []localRec // in the order of blocks
	events []uint32
	held   []ssa.Value // by placeholder: its value
}

// localRec is what a block does to a word of locals. Its values are events[event:]: the
// last value of each local in def, then the placeholder of each local in use, in the order of the bits.
type localRec struct {
	block    ssa.Block
	word     uint32
	def, use uint64
	event    uint32
}

func (s *localState) reset(locals []wasm.ValType) {
	s.types = s.types[:0]
	for _, t := range locals {
		s.types = append(s.types, Type(t))
	}
	n := len(locals)
	s.value = grow(s.value, n)
	s.hold = grow(s.hold, n)
	s.def = grow(s.def, (n+63)/64)
	s.use = grow(s.use, (n+63)/64)
	clear(s.def)
	clear(s.use)
	s.dirty = s.dirty[:0]
	s.recs = s.recs[:0]
	s.events = s.events[:0]
	s.held = s.held[:0]
}

// grow makes s n long without keeping what was in it.
func grow[T any](s []T, n int) []T {
	if cap(s) < n {
		return make([]T, n, n+n/4)
	}
	return s[:n]
}

func (s *localState) get(i uint32) uint32 {
	w, bit := i/64, uint64(1)<<(i%64)
	known := s.def[w] | s.use[w]
	if known&bit != 0 {
		return s.value[i]
	}
	if known == 0 {
		s.dirty = append(s.dirty, w)
	}
	s.use[w] |= bit
	v := heldBit | uint32(len(s.held))
	s.held = append(s.held, 0)
	s.value[i], s.hold[i] = v, v
	return v
}

func (s *localState) set(i, v uint32) {
	w := i / 64
	if s.def[w]|s.use[w] == 0 {
		s.dirty = append(s.dirty, w)
	}
	s.def[w] |= 1 << (i % 64)
	s.value[i] = v
}

// endBlock records what the block did and forgets the values.
func (s *localState) endBlock(block ssa.Block) {
	for _, w := range s.dirty {
		def, use := s.def[w], s.use[w]
		s.recs = append(s.recs, localRec{})
		r := &s.recs[len(s.recs)-1]
		r.block, r.word, r.def, r.use, r.event = block, w, def, use, uint32(len(s.events))
		for m := def; m != 0; m &= m - 1 {
			s.events = append(s.events, s.value[int(w)*64+bits.TrailingZeros64(m)])
		}
		for m := use; m != 0; m &= m - 1 {
			s.events = append(s.events, s.hold[int(w)*64+bits.TrailingZeros64(m)])
		}
		s.def[w], s.use[w] = 0, 0
	}
	s.dirty = s.dirty[:0]
}

// setNow reports whether the current block has set local i, and to which value.
func (s *localState) setNow(i uint32) (uint32, bool) {
	return s.value[i], s.def[i/64]&(1<<(i%64)) != 0
}

// setIn reports whether a finished block sets local i, and to which value.
func (s *localState) setIn(block ssa.Block, i uint32) (uint32, bool) {
	at, _ := slices.BinarySearchFunc(s.recs, block, func(r localRec, block ssa.Block) int { return cmp.Compare(r.block, block) })
	bit := uint64(1) << (i % 64)
	for ; at < len(s.recs) && s.recs[at].block == block; at++ {
		if r := &s.recs[at]; r.word == i/64 && r.def&bit != 0 {
			return s.events[r.event+rank(r.def, bit)], true
		}
	}
	return 0, false
}

// rank is the number of bits in mask below bit.
func rank(mask, bit uint64) uint32 { return uint32(bits.OnesCount64(mask & (bit - 1))) }
