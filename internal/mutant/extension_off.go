//go:build !mutant_extension

package mutant

// Extension believes that the low half of a 64-bit register can be an address as it is.
const Extension = false
