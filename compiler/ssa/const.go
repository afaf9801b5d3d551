package ssa

import (
	"encoding/binary"

	"github.com/wasmaot/wasmaot/compiler/abi"
)

// constTable finds a function's constants by type and bits (of vectors what foldVec gives, then the vector itself): open addressing, and a
// generation stamp instead of clearing.
type constTable struct {
	slots []constSlot
	used  int
	gen   uint32
}

type constSlot struct {
	gen uint32
	v   Value
}

func (t *constTable) reset() {
	t.used = 0
	t.gen++
	if t.gen == 0 { // wrapped: stamps of old would count again
		clear(t.slots)
		t.gen = 1
	}
}

func (t *constTable) slot(f *Func, typ abi.Type, bits uint64, vec [16]byte) *Value {
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

func (t *constTable) find(f *Func, typ abi.Type, bits uint64, vec [16]byte) *constSlot {
	mask := len(t.slots) - 1
	h := (bits ^ uint64(typ)<<56) * 0x9e3779b97f4a7c15
	for i := int(h>>32) & mask; ; i = (i + 1) & mask {
		s := &t.slots[i]
		if s.gen != t.gen || s.v == 0 {
			return s
		}
		if in := &f.Insts[s.v]; in.Type == typ && (typ == abi.V128 && f.Vecs[in.A] == vec || typ != abi.V128 && in.ConstBits() == bits) {
			return s
		}
	}
}

func (t *constTable) grow(f *Func) {
	old := t.slots
	t.slots = make([]constSlot, max(64, 2*len(old)))
	for _, s := range old {
		if s.gen == t.gen && s.v != 0 {
			in := &f.Insts[s.v]
			bits := in.ConstBits()
			vec, isVec := f.IsVecConst(s.v)
			if isVec {
				bits = foldVec(vec)
			}
			*t.find(f, in.Type, bits, vec) = s
		}
	}
}

// foldVec makes 64 bits of a vector, to find it by.
func foldVec(vec [16]byte) uint64 {
	return binary.LittleEndian.Uint64(vec[:]) ^ 3*binary.LittleEndian.Uint64(vec[8:])
}
