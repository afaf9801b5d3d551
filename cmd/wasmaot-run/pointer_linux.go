package main

import "unsafe"

// bytePtr is an address that the kernel gave, outside of Go's heap.
func bytePtr(addr uintptr) *byte { return *(**byte)(unsafe.Pointer(&addr)) }
