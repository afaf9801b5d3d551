//go:build unix

package wasmaot

import (
	"testing"
	"time"
)

func TestSettled(t *testing.T) {
	now := time.Unix(1_000_000_000, 0)
	at := func(d time.Duration) int64 { return now.Add(d).UnixNano() }
	for _, c := range []struct {
		mtime, ctime time.Duration
		want         bool
	}{
		{-time.Hour, -time.Hour, true},
		{-time.Hour, -settleTime / 2, false}, // mtime was set back
		{-settleTime / 2, -time.Hour, false},
		{-time.Hour, 0, false},
		{time.Hour, -time.Hour, false}, // from another clock
		{-time.Hour, time.Hour, false},
	} {
		id := identity{mtime: at(c.mtime), ctime: at(c.ctime)}
		if got := id.settled(now); got != c.want {
			t.Errorf("modified %v, changed %v: settled %v", c.mtime, c.ctime, got)
		}
	}
}
