package wasi

import (
	"math"
	"sync/atomic"
	"time"
)

// clock tells the time of realtime and, never 0 as Go guests demand, monotonic.
type clock struct {
	now     func() time.Time // nil: the system's
	base    time.Time
	cpu     bool  // Config.OwnProcess
	cpuBase int64 // CPU time at base
	ticks   *ticks

	// How far realtime is ahead of monotonic, and when that was looked at; atomic.
	ahead, looked int64
}

func newClock(cfg *Config) clock {
	c := clock{now: cfg.Now, base: time.Now(), cpu: cfg.OwnProcess}
	if c.now != nil {
		c.base = c.now()
	}
	c.ticks = &ticks{base: c.base}
	if c.cpu {
		c.cpuBase = cpuTime()
	}
	return c
}

// monotonicBase is what the monotonic clock starts from.
const monotonicBase = int64(time.Second)

// monotonic is nanoseconds since a second before the System was made.
func (c *clock) monotonic() int64 {
	if c.now == nil {
		return c.ticks.monotonic()
	}
	return int64(c.now().Sub(c.base)) + monotonicBase
}

// hasCPU tells whether id is a CPU-time clock that can be read.
func (c *clock) hasCPU(id uint64) bool { return c.cpu && (id == clockProcess || id == clockThread) }

// The clocks run at one rate, so that the distance between them changes only when realtime is set or the machine has slept. It
// is believed for aheadLife, and what differs less from it than aheadNoise, which is what reading the one after the other
// adds, is no step.
const (
	aheadLife  = int64(time.Millisecond)
	aheadNoise = int64(10 * time.Microsecond)
)

// realtime is nanoseconds since 1970. Reading one clock is half the time that time.Now takes for both.
func (c *clock) realtime() int64 {
	if c.now != nil {
		return c.now().UnixNano()
	}
	now := c.monotonic()
	if looked := atomic.LoadInt64(&c.looked); looked == 0 || now-looked >= aheadLife {
		c.look()
		atomic.StoreInt64(&c.looked, now)
	}
	return now + atomic.LoadInt64(&c.ahead)
}

// look measures how far realtime is ahead. time.Now reads it first, so that all that comes between makes the distance
// smaller.
func (c *clock) look() {
	known := atomic.LoadInt64(&c.ahead)
	ahead := int64(math.MinInt64)
	for range 3 {
		t := time.Now()
		ahead = max(ahead, t.UnixNano()-int64(t.Sub(c.base))-monotonicBase)
		if ahead >= known-aheadNoise {
			break
		}
	}
	if ahead > known || ahead < known-aheadNoise {
		atomic.StoreInt64(&c.ahead, ahead)
	}
}
