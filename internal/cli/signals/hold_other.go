//go:build !(linux && (amd64 || arm64))

package signals

import "syscall"

// Hold reports false: signals cannot be kept here.
func Hold() bool { return false }

// Release gives 0.
func Release() syscall.Signal { return 0 }
