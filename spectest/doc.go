// Package spectest holds the conformance tests: the official WebAssembly test suite, run on compiled code.
package spectest
