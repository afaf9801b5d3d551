package main

import "unsafe"

//go:wasmimport wasi_snapshot_preview1 args_sizes_get
//go:noescape
func argsSizesGet(count, size unsafe.Pointer) uint32

var argsCount, argsSize uint32

func hostCall() uint32 { return argsSizesGet(unsafe.Pointer(&argsCount), unsafe.Pointer(&argsSize)) }
