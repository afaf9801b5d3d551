// Package oracle is a plain interpreter of WebAssembly, the measure for what the compiler makes, and a generator
// of random valid modules to measure it with.
//
// The interpreter follows the core specification instruction by instruction. Decode turns a body
// into a flat list of instructions whose branches know where they go; the meaning of each operator that is a function of its
// operands is a row in a table (scalar.go, vector.go, memory.go), the others are in run.go.
// Where the specification leaves the bits of a NaN open, the oracle's are canonical and positive.
package oracle
