// Package wasmaot compiles WebAssembly modules to native code ahead of time and runs them.
//
// A Runtime compiles modules, through a cache of artifacts if it is given one. A Module is compiled
// code, safe for concurrent use. RunCommand runs a WASI command such as the programs that
// GOOS=wasip1 GOARCH=wasm go build makes.
package wasmaot
