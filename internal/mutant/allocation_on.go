//go:build mutant_allocation

package mutant

// Allocation makes the moves of a cycle one after the other, as if they were no cycle.
const Allocation = true
