// Package arm64 is the back end for 64-bit ARM: instruction selection, frames and calls, and the assembler. It needs
// nothing beyond ARMv8.0-A with Advanced SIMD, which every such processor has that runs Linux.
//
// [Target] is all that the compiler sees. Lower (lower*.go) turns a function from SSA into machine instructions over virtual
// registers; Emit (emit*.go) gives them to the assembler (asm*.go) with the registers that were allocated. What does
// not depend on the machine is in package backend.
//
// Machine instructions are templates (inst.go): the flags never live from one to the next. Within a template the scratch
// registers x25 and v31 are free.
package arm64
