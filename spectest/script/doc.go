// Package script reads the scripts of the official WebAssembly test suite, converted to JSON.
//
// The suite is a folder with a subfolder for each group of scripts (core, simd, …). A script is a zip
// file with a list of commands, as `wasm-tools json-from-wast` writes it, and the modules they name.
package script
