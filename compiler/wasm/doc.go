// Package wasm holds the model of a WebAssembly module, the table of its operators, the decoder
// of the binary format and the validator.
//
// Decode reads a file and checks everything but function bodies. A Validator then
// decodes and checks one body at a time, instruction by instruction, so that a compiler builds its
// code in the same pass. Bodies are independent of one another: any number of validators work on one Module at once.
//
// Modules are hostile. Nothing is allocated from a number that the file declares, nothing recurses on
// the nesting of blocks, and limits.go bounds what a small file can ask for.
package wasm
