// Package abi is the contract between generated code and the runtime: value
// types, trap codes, the layout of the instance context, calling conventions and
// the ids of runtime functions that generated code may call.
//
// It holds facts only. The compiler and the loader import it; it imports neither.
package abi

// Version changes whenever generated code and runtime of different builds could
// misunderstand each other. It is part of every artifact's header.
const Version = 5
