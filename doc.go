// Package wasmaot compiles WebAssembly modules to native code ahead of time and runs them.
//
// A [Runtime] compiles modules, through a cache of artifacts if it is given one. A [Module] is compiled
// code, safe for concurrent use. [Module.Run] runs a WASI command such as the programs that
// GOOS=wasip1 GOARCH=wasm go build makes; [Module.Instantiate] makes instances whose functions are called one by one.
//
// Everything about running lives in package [github.com/wasmaot/wasmaot/engine], which a program can use alone, without the compiler: it loads what
// [Precompile] made. The types named here are the same.
package wasmaot
