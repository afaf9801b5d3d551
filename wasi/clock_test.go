//go:build linux

package wasi

import (
	"testing"
	"time"
)

// TestRealtimeSet sets the clock, as far as the guest can tell: a distance that is not true any more is found out.
func TestRealtimeSet(t *testing.T) {
	c := newClock(&Config{})
	c.realtime()
	for _, step := range []time.Duration{0, time.Hour, -time.Hour} {
		c.ahead -= int64(step)
		c.looked -= aheadLife
		if off := time.Duration(time.Now().UnixNano() - c.realtime()); off.Abs() > time.Minute {
			t.Errorf("after a step of %v: off by %v", step, off)
		}
	}
}
