package abi

// Type is a value type as the machine sees it. The values are part of the
// artifact format.
type Type uint8

const (
	Void      Type = iota // no value
	I32                   // 32-bit integer; the upper half of its register is undefined
	I64                   // 64-bit integer
	F32                   // IEEE 754 binary32
	F64                   // IEEE 754 binary64
	V128                  // 128-bit vector
	FuncRef               // address of a FuncDesc, 0 = null
	ExternRef             // opaque host handle, 0 = null
	Addr                  // host address inside a linear memory; made only by the frontend's memory.go
)

var typeNames = [...]string{"void", "i32", "i64", "f32", "f64", "v128", "funcref", "externref", "addr"}

func (t Type) String() string {
	if int(t) < len(typeNames) {
		return typeNames[t]
	}
	return "type?"
}

// Size is the number of bytes a value of the type occupies in memory.
func (t Type) Size() uint32 {
	switch t {
	case I32, F32:
		return 4
	case V128:
		return 16
	case Void:
		return 0
	}
	return 8
}

// IsFloat reports whether values of the type live in vector registers.
func (t Type) IsFloat() bool { return t == F32 || t == F64 || t == V128 }

// Slots is the number of 8-byte slots a value takes in a call's slot buffer.
func (t Type) Slots() int {
	switch t {
	case Void:
		return 0
	case V128:
		return 2
	}
	return 1
}

// Signature is a function type in machine types.
type Signature struct {
	Params, Results []Type
}

// SlotCount is the length in 8-byte slots of the buffer through which the host
// passes parameters and receives results: both start at slot 0.
func (s *Signature) SlotCount() int {
	n, m := 0, 0
	for _, t := range s.Params {
		n += t.Slots()
	}
	for _, t := range s.Results {
		m += t.Slots()
	}
	return max(n, m)
}
