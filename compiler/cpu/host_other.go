//go:build !amd64

package cpu

// Host is the features of the machine: none are numbered yet.
func Host() uint64 { return 0 }
