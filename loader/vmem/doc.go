// Package vmem manages address space: reservations with guards for linear memories,
// tables and native stacks, and the arena that holds machine code.
//
// Addresses and sizes are uint64 on every system, so that the package compiles on 32-bit
// ones, where Reserve answers with ErrUnsupported. No page is ever writable and executable at
// the same time.
package vmem
