// Package wasi is the host of guests built for wasip1: the functions of module
// wasi_snapshot_preview1 over the files, streams and clocks of a Linux system.
//
// A System is the world of one guest. Its functions are rows of one table
// (table_linux.go): name, parameters with the rights that descriptors need, and
// implementation. Guest pointers are checked and descriptors looked up by one shim
// (call_linux.go) before an implementation runs, and every call passes through one
// place (System.invoke), which is where tracing hooks in.
//
// Directories are reached through package sandbox only. What the system cannot do
// answers ENOTSUP; no function pretends.
package wasi
