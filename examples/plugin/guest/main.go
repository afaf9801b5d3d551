//go:build wasip1

// A plugin: a library for wasm, built with
//
//	GOOS=wasip1 GOARCH=wasm go build -buildmode=c-shared -o plugin.wasm ./examples/plugin/guest
//
// Its host calls _initialize once, then the exported functions as often as it likes. Strings cross as pointer and length.
package main

import (
	"strings"
	"unsafe"
)

// buffers keeps what the host writes to and reads from out of the garbage collector's hands.
var buffers = map[*byte][]byte{}

// alloc gives the host n bytes to write an argument to.
//
//go:wasmexport alloc
func alloc(n int32) unsafe.Pointer {
	b := make([]byte, max(n, 1))
	p := unsafe.SliceData(b)
	buffers[p] = b
	return unsafe.Pointer(p)
}

// free gives back what alloc or greet gave.
//
//go:wasmexport free
func free(p unsafe.Pointer) { delete(buffers, (*byte)(p)) }

// greet takes a name and gives a greeting, as pointer << 32 | length.
//
//go:wasmexport greet
func greet(p unsafe.Pointer, n int32) int64 {
	name := unsafe.String((*byte)(p), n)
	log("greeting " + name)
	b := []byte("Hello, " + strings.ToUpper(name) + "!")
	r := unsafe.SliceData(b)
	buffers[r] = b
	return int64(uintptr(unsafe.Pointer(r)))<<32 | int64(len(b))
}

// log is the host's.
//
//go:wasmimport host log
func log(message string)

func main() {}
