//go:build !linux

package cli

import "os"

func publish(tmp, path string) error { return os.Rename(tmp, path) }
