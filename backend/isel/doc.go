// Package isel is what instruction selection shares among the instruction sets: counting uses, when a load may move,
// which registers must be zero-extended, the graph of blocks, calls and their places, division by constants. An instruction
// set embeds [Lowerer] and gives it the rules of its own as a [Machine].
//
// The upper half of an I32 in a register is undefined unless [Lowerer.ZeroExtended] says otherwise.
package isel
