//go:build !amd64 && !arm64

package wasi

import "time"

// ticks has no counter to read.
type ticks struct{ base time.Time }

func (t *ticks) monotonic() int64 { return int64(time.Since(t.base)) + monotonicBase }
