package wasm

import (
	"fmt"
	"math"
	"unicode/utf8"
)

// reader reads the binary format. Its first error sticks: from then on it stands at its end, so
// that loops come to theirs, and what it returns is meaningless.
type reader struct {
	src []byte // the file up to the end of what is read: positions are offsets in the file
	pos int
	err *Error
}

func (r *reader) failAt(pos int, format string, args ...any) {
	if r.err == nil {
		r.err = &Error{Offset: uint32(pos), Func: -1, Msg: fmt.Sprintf(format, args...)}
	}
	r.pos = len(r.src)
}

// need fails unless the features are enabled.
func (r *reader) need(enabled, wanted Features, pos int, what string) {
	if missing := wanted &^ enabled; missing != 0 {
		r.failAt(pos, "unsupported: %s needs %s", what, missing)
		r.err.Feature = missing
	}
}

func (r *reader) left() int { return len(r.src) - r.pos }

func (r *reader) byte() byte {
	if r.pos >= len(r.src) {
		r.failAt(r.pos, "unexpected end")
		return 0
	}
	r.pos++
	return r.src[r.pos-1]
}

func (r *reader) bytes(n int, what string) []byte {
	if uint(n) > uint(r.left()) {
		r.failAt(r.pos, "unexpected end: %s of %d bytes, but only %d are left", what, n, r.left())
		return nil
	}
	r.pos += n
	return r.src[r.pos-n : r.pos : r.pos]
}

// u32 reads an unsigned LEB128 number.
func (r *reader) u32() uint32 {
	if r.pos < len(r.src) {
		if b := r.src[r.pos]; b < 0x80 {
			r.pos++
			return uint32(b)
		}
	}
	return uint32(r.unsigned(32))
}

func (r *reader) u64() uint64 { return r.unsigned(64) }

// s32 reads a signed LEB128 number.
func (r *reader) s32() int32 {
	if r.pos < len(r.src) {
		if b := r.src[r.pos]; b < 0x80 {
			r.pos++
			return int32(int8(b<<1)) >> 1
		}
	}
	return int32(r.signed(32))
}

// s33 reads a block type or a heap type: an index, or a negative code.
func (r *reader) s33() int64 { return r.signed(33) }

func (r *reader) s64() int64 {
	if r.pos < len(r.src) {
		if b := r.src[r.pos]; b < 0x80 {
			r.pos++
			return int64(int8(b<<1)) >> 1
		}
	}
	return r.signed(64)
}

// unsigned reads a number of the given width: at most ⌈width/7⌉ bytes, and no bit set
// beyond the width (spec, "Binary Format", "Integers").
func (r *reader) unsigned(width uint) uint64 {
	start := r.pos
	var n uint64
	for shift := uint(0); shift < width; shift += 7 {
		b := r.byte()
		n |= uint64(b&0x7f) << shift
		if b < 0x80 {
			if width-shift < 7 && b>>(width-shift) != 0 {
				r.failAt(start, "integer too large: more than %d bits", width)
			}
			return n
		}
	}
	r.failAt(start, "integer representation too long: more than %d bits", width)
	return 0
}

// signed is unsigned for two's complement: the bits beyond the width repeat the sign.
func (r *reader) signed(width uint) int64 {
	start := r.pos
	var n int64
	for shift := uint(0); shift < width; shift += 7 {
		b := r.byte()
		n |= int64(b&0x7f) << shift
		if b < 0x80 {
			if rest := width - shift; rest < 7 {
				if top := int8(b<<1) >> rest; top != 0 && top != -1 {
					r.failAt(start, "integer too large: more than %d bits", width)
				}
			}
			if shift+7 < 64 {
				n = n << (57 - shift) >> (57 - shift)
			}
			return n
		}
	}
	r.failAt(start, "integer representation too long: more than %d bits", width)
	return 0
}

func (r *reader) le32() uint32 {
	if r.left() < 4 {
		r.failAt(r.pos, "unexpected end")
		return 0
	}
	b := r.src[r.pos : r.pos+4]
	r.pos += 4
	return uint32(b[0]) | uint32(b[1])<<8 | uint32(b[2])<<16 | uint32(b[3])<<24
}

func (r *reader) le64() uint64 {
	lo := r.le32()
	return uint64(lo) | uint64(r.le32())<<32
}

func (r *reader) vec(v *[16]byte) {
	copy(v[:], r.bytes(16, "a vector"))
}

// count reads the length of a vector.
func (r *reader) count(limit uint32, what string) int {
	start := r.pos
	n := r.u32()
	if n > limit {
		r.failAt(start, "too many %s: %d, the limit is %d", what, n, limit)
		return 0
	}
	return int(n)
}

// room is how many entries of at least size bytes there can be when count are declared.
func (r *reader) room(count, size int) int { return min(count, r.left()/size) }

func (r *reader) name() string {
	n := r.u32()
	start := r.pos
	b := r.bytes(int(n), "a name")
	if !utf8.Valid(b) {
		r.failAt(start, "malformed UTF-8 encoding")
		return ""
	}
	return string(b)
}

// index reads an index and compares it with the size of its index space.
func (r *reader) index(size int, what string) uint32 {
	start := r.pos
	i := r.u32()
	if i >= uint32(size) {
		r.unknown(start, i, size, what)
		return math.MaxUint32
	}
	return i
}

func (r *reader) unknown(pos int, i uint32, size int, what string) {
	if size == 0 {
		r.failAt(pos, "unknown %s %d: there is none", what, i)
		return
	}
	r.failAt(pos, "unknown %s %d: the last is %d", what, i, size-1)
}
