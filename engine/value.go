package engine

import (
	"fmt"
	"reflect"
	"unsafe"
)

// Value is a Go type that a parameter or result may have: wasm's i32, i64, f32, f64.
type Value interface {
	~int32 | ~uint32 | ~int64 | ~uint64 | ~float32 | ~float64
}

// Result is the Go type of a result, or None.
type Result interface{ Value | None }

// None stands for no result.
type None struct{}

// encode is a value as a slot holds it. The size of T is a constant where the function is used.
func encode[T Value](v T) uint64 {
	if unsafe.Sizeof(v) == 4 {
		return uint64(*(*uint32)(unsafe.Pointer(&v)))
	}
	return *(*uint64)(unsafe.Pointer(&v))
}

func decode[T Value](slot uint64) (v T) {
	if unsafe.Sizeof(v) == 4 {
		*(*uint32)(unsafe.Pointer(&v)) = uint32(slot)
	} else {
		*(*uint64)(unsafe.Pointer(&v)) = slot
	}
	return v
}

// setResult stores a result in slot 0, which there is unless there is neither parameter nor result.
func setResult[R Result](stack []uint64, v R) {
	switch unsafe.Sizeof(v) {
	case 4:
		stack[0] = uint64(*(*uint32)(unsafe.Pointer(&v)))
	case 8:
		stack[0] = *(*uint64)(unsafe.Pointer(&v))
	}
}

func getResult[R Result](slot uint64) (v R) {
	switch unsafe.Sizeof(v) {
	case 4:
		*(*uint32)(unsafe.Pointer(&v)) = uint32(slot)
	case 8:
		*(*uint64)(unsafe.Pointer(&v)) = slot
	}
	return v
}

// typeOf is a Go type's value type.
func typeOf[T Result]() ValueType {
	switch k := reflect.TypeFor[T]().Kind(); k {
	case reflect.Int32, reflect.Uint32:
		return I32
	case reflect.Int64, reflect.Uint64:
		return I64
	case reflect.Float32:
		return F32
	case reflect.Float64:
		return F64
	case reflect.Struct:
		return 0
	default:
		panic(fmt.Sprintf("engine: no value type for %v", k)) // the constraints leave none
	}
}

// signature is the type of a function with parameters and a result, 0 for none.
func signature(result ValueType, params ...ValueType) FuncType {
	t := FuncType{Params: params}
	if result != 0 {
		t.Results = []ValueType{result}
	}
	return t
}
