//go:build unix && !linux

package wasmaot

import "time"

// fileClock is the time.
func fileClock() int64 { return time.Now().UnixNano() }

func (id *identity) ticked(string, int64) bool { return false }
