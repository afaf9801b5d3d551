// Package amd64 is the back end for x86-64: instruction selection, frames and calls,
// and the assembler.
//
// [Target] is all that the compiler sees. Lower (lower*.go) turns a function from SSA
// into machine instructions over virtual registers, choosing forms by rules while it
// walks backwards; Emit (emit*.go) gives them to the assembler (asm*.go) with the
// registers that were allocated.
//
// Machine instructions are templates (inst.go): each may assemble to several
// instructions of the machine, but the flags never live from one to the next, so that
// moves may be put between any two of them and may destroy the flags. Within a template
// the scratch registers r11 and xmm15 are free.
//
// The upper half of an i32 in a register is undefined unless [lowerer.zeroExtended]
// says otherwise; addresses use only registers of which it does.
package amd64
