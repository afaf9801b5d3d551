package wasm

import "strings"

// ValType is laid out as follows: 0 to 5 are Bottom and the number and vector types; references have
// bit 31, bit 30 if they may be null, and a heap type below: an index of the type section, or
// with bit 29 an abstract one.
const (
	refBit      ValType = 1 << 31
	refNull     ValType = 1 << 30
	refAbstract ValType = 1 << 29
	refHeap     ValType = refAbstract | (refAbstract - 1)
)

const (
	// Bottom is the type of an operand popped in unreachable code: it matches every type.
	Bottom ValType = 0

	I32  ValType = 1
	I64  ValType = 2
	F32  ValType = 3
	F64  ValType = 4
	V128 ValType = 5

	FuncRef   ValType = refBit | refNull | heapFunc
	ExternRef ValType = refBit | refNull | heapExtern
)

// Abstract heap types.
const (
	heapFunc   = refAbstract | 0
	heapExtern = refAbstract | 1
)

var heapNames = [...]string{heapFunc & ^refAbstract: "func", heapExtern & ^refAbstract: "extern"}

var numNames = [...]string{Bottom: "any", I32: "i32", I64: "i64", F32: "f32", F64: "f64", V128: "v128"}

// IsRef reports whether t is a reference type.
func (t ValType) IsRef() bool { return t&refBit != 0 }

// IsNum reports whether t is a number type: neither vector nor reference.
func (t ValType) IsNum() bool { return t >= I32 && t <= F64 }

// Nullable reports whether t is a reference type that includes null.
func (t ValType) Nullable() bool { return t.IsRef() && t&refNull != 0 }

// String is the type as in the text format.
func (t ValType) String() string {
	if !t.IsRef() {
		if int(t) < len(numNames) {
			return numNames[t]
		}
		return "type?"
	}
	if heap := int(t & refHeap &^ refAbstract); t&refAbstract != 0 && t&refNull != 0 && heap < len(heapNames) {
		return heapNames[heap] + "ref"
	}
	return "ref?"
}

// Matches reports whether a value of type t can stand where u is wanted.
func (t ValType) Matches(u ValType) bool { return t == u || t == Bottom }

// Equal reports whether two function types are the same.
func (f *FuncType) Equal(g *FuncType) bool {
	return equalTypes(f.Params, g.Params) && equalTypes(f.Results, g.Results)
}

func equalTypes(a, b []ValType) bool {
	if len(a) != len(b) {
		return false
	}
	for i, t := range a {
		if t != b[i] {
			return false
		}
	}
	return true
}

// String is the type as in the text format: (param i32 i64) (result i32).
func (f *FuncType) String() string {
	var b strings.Builder
	b.WriteString("(func")
	writeTypes(&b, " (param", f.Params)
	writeTypes(&b, " (result", f.Results)
	b.WriteByte(')')
	return b.String()
}

func writeTypes(b *strings.Builder, head string, types []ValType) {
	if len(types) == 0 {
		return
	}
	b.WriteString(head)
	for _, t := range types {
		b.WriteByte(' ')
		b.WriteString(t.String())
	}
	b.WriteByte(')')
}
