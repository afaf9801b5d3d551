package loader

import (
	"encoding/binary"
	"fmt"
	"math"
)

// Access to memory by the host. Offsets and lengths are the guest's: what lies outside gives an error or false, never a panic.

// Slice is n bytes of the memory at an offset, shared with the guest; see Bytes.
func (m *Memory) Slice(at, n uint64) ([]byte, error) {
	b := m.Bytes()
	if !inBounds(at, n, uint64(len(b))) {
		return nil, fmt.Errorf("memory [0x%x, +0x%x): outside the memory of 0x%x bytes", at, n, len(b))
	}
	return b[at : at+n : at+n], nil
}

// ReadString copies n bytes out of the memory.
func (m *Memory) ReadString(at, n uint64) (string, error) {
	b, err := m.Slice(at, n)
	return string(b), err
}

// Write copies data into the memory.
func (m *Memory) Write(at uint64, data []byte) error {
	b, err := m.Slice(at, uint64(len(data)))
	copy(b, data)
	return err
}

// WriteString copies s into the memory.
func (m *Memory) WriteString(at uint64, s string) error {
	b, err := m.Slice(at, uint64(len(s)))
	copy(b, s)
	return err
}

// word is the n bytes at an offset, nil outside the memory.
func (m *Memory) word(at, n uint64) []byte {
	b := m.Bytes()
	if !inBounds(at, n, uint64(len(b))) {
		return nil
	}
	return b[at : at+n]
}

// Uint32 is the little-endian word at an offset; ok is false outside the memory.
func (m *Memory) Uint32(at uint64) (v uint32, ok bool) {
	if b := m.word(at, 4); b != nil {
		return binary.LittleEndian.Uint32(b), true
	}
	return 0, false
}

// SetUint32 stores a little-endian word; it reports false outside the memory.
func (m *Memory) SetUint32(at uint64, v uint32) bool {
	b := m.word(at, 4)
	if b != nil {
		binary.LittleEndian.PutUint32(b, v)
	}
	return b != nil
}

// Uint64 is Uint32 for 8 bytes.
func (m *Memory) Uint64(at uint64) (v uint64, ok bool) {
	if b := m.word(at, 8); b != nil {
		return binary.LittleEndian.Uint64(b), true
	}
	return 0, false
}

// SetUint64 is SetUint32 for 8 bytes.
func (m *Memory) SetUint64(at, v uint64) bool {
	b := m.word(at, 8)
	if b != nil {
		binary.LittleEndian.PutUint64(b, v)
	}
	return b != nil
}

// Float64 is Uint64 as a float.
func (m *Memory) Float64(at uint64) (v float64, ok bool) {
	u, ok := m.Uint64(at)
	return math.Float64frombits(u), ok
}

// SetFloat64 is SetUint64 for a float.
func (m *Memory) SetFloat64(at uint64, v float64) bool { return m.SetUint64(at, math.Float64bits(v)) }
