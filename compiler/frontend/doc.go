// Package frontend turns validated WebAssembly function bodies into SSA.
//
// NewModule gathers what all functions share. A Builder, one for each worker, then
// takes one body at a time through these steps, all of them linear or nearly so in the
// size of the body:
//
//  1. One pass over the code (build.go, control.go and a file for each family of
//     instructions) decodes, validates and writes blocks and instructions. The validator's
//     operand stack carries the values. Within a block a local is its latest value; a local read
//     before it is set in the block is a placeholder (locals.go).
//  2. Jumps to a loop that does nothing but dispatch on a local go straight to the
//     block that the local's constant value selects (dispatch.go).
//  3. Blocks that cannot be reached any more are removed, and the function is analysed (reach.go).
//  4. Locals become block parameters where, and only where, different definitions of a
//     live local meet, and the placeholders become values (flow.go, join.go, rename.go).
//
// Code that validation knows to be unreachable is checked but leaves no trace.
package frontend
