//go:build !unix

package loader

// HostPreempts does not matter where no native code runs.
func HostPreempts() bool { return true }
