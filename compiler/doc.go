// Package compiler turns a WebAssembly module into an artifact of native code.
//
// The pipeline of a function stands in passes.go; each stage is a package of its own.
// Functions are compiled in parallel and independently; the result does not
// depend on the number of workers.
package compiler
