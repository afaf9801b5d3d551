package script

import (
	"encoding/json"
	"fmt"
	"strconv"
)

// Value is an argument or an expected result.
type Value struct {
	Type string // i32, i64, f32, f64, v128, either, or a reference type: externref, funcref, refnull, …

	// Lo and Hi are the bits of a number (an i32 or f32 in the lower half of Lo) or vector.
	// For a reference to a host value, Lo is its number.
	Lo, Hi uint64

	Lane   string  // type of a vector's lanes: i8 to i64, f32, f64
	NaNs   []NaN   // expected f32, f64 or float vector: one a lane; nil if all lanes are plain
	Ref    RefKind // references
	Either []Value // expected: one of these
}

// NaN says what a float result may be.
type NaN uint8

const (
	NotNaN        NaN = iota // exactly the bits
	NaNCanonical             // quiet bit only, either sign
	NaNArithmetic            // any with the quiet bit
)

// RefKind says which reference a Value is.
type RefKind uint8

const (
	NotRef  RefKind = iota
	RefNull         // null
	RefHost         // the host value of number Lo
	RefSome         // expected: any that is not null
)

// laneBits is the width in bits of a lane, by type.
var laneBits = map[string]int{"i8": 8, "i16": 16, "i32": 32, "i64": 64, "f32": 32, "f64": 64}

// UnmarshalJSON reads a value of a script.
func (v *Value) UnmarshalJSON(data []byte) error {
	var raw struct {
		Type   string          `json:"type"`
		Lane   string          `json:"lane_type"`
		Value  json.RawMessage `json:"value"`
		Values []Value         `json:"values"`
	}
	if err := json.Unmarshal(data, &raw); err != nil {
		return err
	}
	*v = Value{Type: raw.Type, Lane: raw.Lane, Either: raw.Values}
	switch raw.Type {
	case "either":
		return nil
	case "v128":
		return v.vector(raw.Value)
	}
	var text string
	if raw.Value != nil {
		if err := json.Unmarshal(raw.Value, &text); err != nil {
			return err
		}
	}
	switch raw.Type {
	case "i32", "i64", "f32", "f64":
		if raw.Value == nil { // only the type, where a result is expected but not which
			return nil
		}
		nan, err := v.lane(raw.Type, text, 0)
		if nan != NotNaN {
			v.NaNs = []NaN{nan}
		}
		return err
	}
	return v.reference(text)
}

// vector reads lanes, the first into the lowest bits.
func (v *Value) vector(data []byte) error {
	var lanes []string
	if err := json.Unmarshal(data, &lanes); err != nil {
		return err
	}
	bits := laneBits[v.Lane]
	if bits == 0 || len(lanes)*bits != 128 {
		return fmt.Errorf("v128 of %d lanes of type %q", len(lanes), v.Lane)
	}
	nans := make([]NaN, len(lanes))
	some := false
	for i, text := range lanes {
		nan, err := v.lane(v.Lane, text, i*bits)
		if err != nil {
			return err
		}
		nans[i] = nan
		some = some || nan != NotNaN
	}
	if some {
		v.NaNs = nans
	}
	return nil
}

// lane sets the bits of a number, starting at bit at.
func (v *Value) lane(typ, text string, at int) (NaN, error) {
	switch text {
	case "nan:canonical":
		return NaNCanonical, nil
	case "nan:arithmetic":
		return NaNArithmetic, nil
	}
	width := laneBits[typ]
	n, err := strconv.ParseUint(text, 10, width)
	if err != nil {
		signed, err := strconv.ParseInt(text, 10, width)
		if err != nil {
			return NotNaN, fmt.Errorf("%s: %w", typ, err)
		}
		n = uint64(signed) & (^uint64(0) >> (64 - width))
	}
	if at < 64 {
		v.Lo |= n << at
	} else {
		v.Hi |= n << (at - 64)
	}
	return NotNaN, nil
}

func (v *Value) reference(text string) error {
	switch v.Type {
	case "refnull", "nullref", "nullfuncref", "nullexternref", "nullexnref":
		v.Ref = RefNull
		return nil
	case "funcref", "externref", "exnref", "anyref", "eqref", "i31ref", "structref", "arrayref":
	default:
		return fmt.Errorf("unknown type of value %q", v.Type)
	}
	switch text {
	case "":
		v.Ref = RefSome
	case "null":
		v.Ref = RefNull
	default:
		n, err := strconv.ParseUint(text, 10, 64)
		if err != nil {
			return fmt.Errorf("%s: %w", v.Type, err)
		}
		v.Ref, v.Lo = RefHost, n
	}
	return nil
}

// String shows the value for a message.
func (v Value) String() string {
	switch {
	case v.Type == "either":
		return fmt.Sprintf("either %v", v.Either)
	case v.Ref == RefNull:
		return v.Type + ":null"
	case v.Ref == RefSome:
		return v.Type
	case v.NaNs != nil:
		return fmt.Sprintf("%s:%s 0x%x 0x%x NaN %v", v.Type, v.Lane, v.Lo, v.Hi, v.NaNs)
	case v.Type == "v128":
		return fmt.Sprintf("v128:%s 0x%016x%016x", v.Lane, v.Hi, v.Lo)
	}
	return fmt.Sprintf("%s:0x%x", v.Type, v.Lo)
}
