package ssa

import (
	"encoding/binary"
	"math/bits"

	"github.com/wasmaot/wasmaot/compiler/abi"
)

var seed [2]uint64 // made by makeTables

// Hash mixes two words for a hash table. It is seeded anew in each process, so that a guest cannot
// choose what collides; nothing that is written out may depend on it.
func Hash(a, b uint64) uint64 {
	hi, lo := bits.Mul64(a^seed[0], b^seed[1])
	return hi ^ lo
}

// constTable finds a function's constants by type and bits (for vectors what hashVec gives): open addressing, and a
// generation stamp instead of clearing. It is small again for each function, so that small
// functions stay in the cache after a large one.
type constTable struct {
	slots []constSlot
	spare []constSlot // for growing, from an earlier function
	used  int
	gen   uint32
}

const minConstSlots = 64

type constSlot struct {
	gen uint32
	v   Value
}

func (t *constTable) reset() {
	t.used = 0
	t.slots = t.slots[:min(len(t.slots), minConstSlots)]
	t.gen++
	if t.gen == 0 { // wrapped: stamps of old would count again
		clear(t.slots)
		t.gen = 1
	}
}

// slot gives the place of a constant: a vector if vec is not nil.
func (t *constTable) slot(f *Func, typ abi.Type, bits uint64, vec *[16]byte) *Value {
	if t.gen == 0 {
		t.gen = 1
	}
	if 2*(t.used+1) > len(t.slots) {
		t.grow(f)
	}
	s := t.find(f, typ, bits, vec)
	if s.gen != t.gen {
		*s = constSlot{gen: t.gen}
		t.used++
	}
	return &s.v
}

func (t *constTable) find(f *Func, typ abi.Type, bits uint64, vec *[16]byte) *constSlot {
	mask := len(t.slots) - 1
	for i := int(Hash(bits, uint64(typ))) & mask; ; i = (i + 1) & mask {
		s := &t.slots[i]
		if s.gen != t.gen || s.v == 0 {
			return s
		}
		if in := &f.Insts[s.v]; in.Type == typ && (vec == nil && in.ConstBits() == bits || vec != nil && f.Vecs[in.A] == *vec) {
			return s
		}
	}
}

func (t *constTable) grow(f *Func) {
	old := t.slots
	n := max(minConstSlots, 2*len(old))
	if cap(t.spare) < n {
		t.spare = make([]constSlot, n)
	}
	t.slots, t.spare = t.spare[:n], old[:cap(old)]
	clear(t.slots)
	for _, s := range old {
		if s.gen == t.gen && s.v != 0 {
			in := &f.Insts[s.v]
			bits := in.ConstBits()
			var vec *[16]byte
			if in.Type == abi.V128 {
				vec = &f.Vecs[in.A]
				bits = hashVec(*vec)
			}
			*t.find(f, in.Type, bits, vec) = s
		}
	}
}

// hashVec stands for a vector.
func hashVec(vec [16]byte) uint64 {
	return Hash(binary.LittleEndian.Uint64(vec[:]), binary.LittleEndian.Uint64(vec[8:]))
}
