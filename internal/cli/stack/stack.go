//go:build amd64 || arm64

// Package stack makes the stack of the main goroutine as large as a run needs, at once and while there is little on it. Otherwise it doubles four
// times on the way: each time the runtime unwinds all frames through its tables, which are not in memory yet, and takes a stack
// from a pool of its own size.
//
// It imports nothing, so that it is among the first packages that are initialised.
package stack

func init() { grow() }

// grow has a frame that only fits on a large stack.
func grow()
