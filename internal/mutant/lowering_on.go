//go:build mutant_lowering

package mutant

// Lowering takes a 64-bit constant whose upper half is zero as an immediate, though the processor extends immediates by their sign.
const Lowering = true
