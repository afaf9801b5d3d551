//go:build linux && (amd64 || arm64)

package wasi

import (
	"math"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

// TestTicks reads the counter's time between two readings of the kernel's, over many anchors.
func TestTicks(t *testing.T) {
	if !counted.Get(readClockSource) {
		t.Logf("the kernel's time is not made of %s: it is asked each time", counterName)
	}
	c := &ticks{base: time.Now()}
	for range seldom {
		c.monotonic()
	}
	if c.anchor.Load() != nil {
		t.Error("an anchor after few readings")
	}
	kernel := func() int64 { return c.kernel() }
	// What the processor reads too early, and a rate that changes within a millisecond.
	const slack = int64(50 * time.Microsecond)
	var last int64
	extrapolated := 0
	for start := time.Now(); time.Since(start) < 30*time.Millisecond; {
		before := kernel()
		old := c.anchor.Load()
		told := c.monotonic()
		if old != nil && old.limit != 0 && c.anchor.Load() == old {
			extrapolated++
		}
		after := kernel()
		if told < before-slack || told > after+slack {
			t.Fatalf("told %d, expected %d to %d", told, before, after)
		}
		if told < last {
			t.Fatalf("told %d after %d", told, last)
		}
		last = told
	}
	t.Logf("%d readings by the counter alone", extrapolated)
}

// TestTimeAt reads the counter at the ends of what an anchor is believed for, and below what was told.
func TestTimeAt(t *testing.T) {
	const always = math.MaxUint64
	now := counter()
	for _, tt := range []struct {
		name       string
		a          anchor
		last, want int64
	}{
		{"from the anchor on", anchor{count: now, time: 7, limit: always}, 0, 7},
		{"no less than before", anchor{count: now, time: 7, limit: always}, 9, 9},
		{"too late", anchor{count: 0, time: 7, limit: 1}, 9, 0},
		{"before the anchor", anchor{count: now + 1<<60, time: 7, limit: 1 << 61}, 9, 0},
		{"no rate", anchor{count: now, time: 7}, 9, 0},
	} {
		last := tt.last
		if got := timeAt(&tt.a, &last); got != tt.want {
			t.Errorf("%s: %d, expected %d", tt.name, got, tt.want)
		}
		if want := max(tt.last, tt.want); last != want {
			t.Errorf("%s: leaves %d, expected %d", tt.name, last, want)
		}
	}
}

func TestNextAnchor(t *testing.T) {
	const ms = int64(time.Millisecond)
	for _, tt := range []struct {
		name          string
		before, after uint64 // the counter around a reading of the kernel's
		told          int64
		want          anchor
	}{
		{"two counts for each nanosecond", 2_000_000, 2_000_100, ms + 25, anchor{2_000_050, ms + 25, 1 << 31, 2_000_000}},
		{"forty nanoseconds for each count", 25_000, 25_000, ms, anchor{25_000, ms, 40 << 32, 25_000}},
		{"something came between", 2_000_000, 2_004_000, ms, anchor{2_002_000, ms, 0, 0}},
		{"long ago", 400_000_000, 400_000_000, 200 * ms, anchor{400_000_000, 200 * ms, 0, 0}},
		{"the counter stands", 0, 0, ms, anchor{0, ms, 0, 0}},
		{"the counter goes back", 100, 98, ms, anchor{1<<63 + 99, ms, 0, 0}},
		{"the counter is too fast", math.MaxUint64, math.MaxUint64, ms, anchor{math.MaxUint64, ms, 0, 0}},
		{"the counter is too slow", 1, 1, 50 * ms, anchor{1, 50 * ms, uint64(50*ms) << 32, 0}},
	} {
		if diff := cmp.Diff(tt.want, *new(anchor).next(tt.before, tt.after, tt.told), cmp.AllowUnexported(anchor{})); diff != "" {
			t.Errorf("%s (-want +got):\n%s", tt.name, diff)
		}
	}
}

// TestNoCounter: where the kernel uses something else it is asked.
func TestNoCounter(t *testing.T) {
	c := &ticks{base: time.Now()}
	c.anchor.Store(&noAnchor)
	before := c.kernel()
	if told := c.monotonic(); told < before || told > c.kernel() {
		t.Errorf("told %d after %d", told, before)
	}
	if c.anchor.Load() != &noAnchor {
		t.Error("there is an anchor now")
	}
}
