//go:build amd64 || arm64

package cli

// growStack makes the goroutine's stack as large as a run needs, at once and while there is little on it. Otherwise it doubles three times on the way:
// each time the runtime unwinds all frames through its tables, which are not in memory yet.
func growStack()
