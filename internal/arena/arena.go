// Package arena gives slices address space to grow in: they take pages as they are filled, and are neither copied nor left behind
// for the collector when they grow.
package arena

import (
	"math"
	"reflect"
	"unsafe"
)

// An Arena is reserved address space. The zero value has none.
type Arena struct {
	mem  []byte
	used int // of mem, at most
}

// Share takes everything out of the arena and divides it anew, among the slices without pointers in a struct, and in structs and arrays in it:
// each is empty and has room for size bytes. append moves one that gets more than that to Go's heap. Where there is no address space
// all of them begin there.
func (a *Arena) Share(size int, tables any) {
	slices := appendSlices(nil, reflect.ValueOf(tables).Elem())
	step := pageUp(size) + pageSize
	reserved := len(slices) > 0 && step <= math.MaxInt/len(slices) && a.reserve(step*len(slices))
	for i, s := range slices {
		header := (*sliceHeader)(s.Addr().UnsafePointer())
		*header = sliceHeader{}
		if reserved {
			at := i*step + i*stagger%pageSize
			*header = sliceHeader{unsafe.Pointer(&a.mem[at]), 0, size / int(s.Type().Elem().Size())}
		}
	}
}

// stagger keeps slices from beginning in the same lines of a cache.
const stagger = 5 * 64

const pageSize = 4096

func pageUp(n int) int { return (n + pageSize - 1) &^ (pageSize - 1) }

type sliceHeader struct {
	data     unsafe.Pointer
	len, cap int
}

// appendSlices appends the slices that can be in an arena.
func appendSlices(list []reflect.Value, v reflect.Value) []reflect.Value {
	switch v.Kind() {
	case reflect.Struct:
		for i := range v.NumField() {
			list = appendSlices(list, v.Field(i))
		}
	case reflect.Array:
		for i := range v.Len() {
			list = appendSlices(list, v.Index(i))
		}
	case reflect.Slice:
		if elem := v.Type().Elem(); elem.Size() > 0 && !hasPointers(elem) {
			list = append(list, v)
		}
	}
	return list
}

func hasPointers(t reflect.Type) bool {
	switch k := t.Kind(); k {
	case reflect.Struct:
		for i := range t.NumField() {
			if hasPointers(t.Field(i).Type) {
				return true
			}
		}
		return false
	case reflect.Array:
		return hasPointers(t.Elem())
	default:
		return k < reflect.Bool || k > reflect.Complex128 // numbers and bool
	}
}
