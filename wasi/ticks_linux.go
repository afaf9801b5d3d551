//go:build amd64 || arm64

package wasi

import (
	"math/bits"
	"os"
	"strings"
	"sync/atomic"
	"time"

	"github.com/wasmaot/wasmaot/internal/lazy"
)

// ticks tells the monotonic time from the processor's counter, which takes half the time of asking the kernel's vDSO: that
// waits for all instructions before it. Each anchorLife the kernel is asked nevertheless, and what it says compared with
// the counter.
type ticks struct {
	base   time.Time
	asked  atomic.Uint32          // how often the kernel was, until there is an anchor
	anchor atomic.Pointer[anchor] // nil: not asked often enough
	last   int64                  // what was told last; atomic
}

// An anchor is a moment as the counter and the kernel tell it. It does not change.
type anchor struct {
	count uint64 // of the counter
	time  int64  // what is told for it
	rate  uint64 // nanoseconds for each count, times 1<<32
	limit uint64 // of the counts after count that the rate is believed for
}

const (
	// The kernel is asked this often before it is found out what its time is made of. That takes a twentieth of a short program's
	// time, and most programs read the clock a few times.
	seldom = 1000

	anchorLife = int64(time.Millisecond)
	// The rate is measured between two anchors no further apart than this: the kernel adjusts it, and stops its clock while the
	// machine sleeps.
	anchorGap = 100 * anchorLife
	// The counter is read before and after the kernel's clock. If that takes more than this part of the time since the last anchor,
	// something came between, and nothing is known about the rate.
	anchorError = 1024
)

// noAnchor stands for a kernel that makes its time of something else.
var noAnchor anchor

// timeAt tells the time for the counter as it is now, but no less than *last, which it sets: nothing keeps a processor from
// reading the counter before what stands before that. 0: the anchor does not reach that far.
//
//go:noescape
func timeAt(a *anchor, last *int64) int64

// counter reads the counter.
func counter() uint64

// clockSource is the file that names what the kernel makes its time of. It takes only what is the same on all CPUs.
const clockSource = "/sys/devices/system/clocksource/clocksource0/current_clocksource"

// counted tells whether the kernel's time is made of the counter.
var counted lazy.Value[bool]

func readClockSource() bool {
	b, err := os.ReadFile(clockSource)
	return err == nil && strings.TrimSpace(string(b)) == counterName
}

// monotonic is nanoseconds since a second before base.
func (t *ticks) monotonic() int64 {
	if a := t.anchor.Load(); a != nil {
		if told := timeAt(a, &t.last); told != 0 {
			return told
		}
	}
	return t.ask()
}

// ask asks the kernel, and makes a new anchor of it unless the old one is young.
func (t *ticks) ask() int64 {
	old := t.anchor.Load()
	if old == &noAnchor || old == nil && t.asked.Add(1) <= seldom {
		return t.kernel()
	}
	before := counter()
	told := t.kernel()
	after := counter()
	switch {
	case old == nil:
		t.anchor.Store(&anchor{count: before, time: told})
	case told-old.time < anchorLife:
	case counted.Get(readClockSource):
		t.anchor.Store(old.next(before, after, told))
	default:
		t.anchor.Store(&noAnchor)
	}
	told = max(told, atomic.LoadInt64(&t.last))
	atomic.StoreInt64(&t.last, told)
	return told
}

func (t *ticks) kernel() int64 { return int64(time.Since(t.base)) + monotonicBase }

// next is the anchor for a moment between two readings of the counter.
func (a *anchor) next(before, after uint64, told int64) *anchor {
	n := &anchor{count: before + (after-before)/2, time: told}
	counts, time := n.count-a.count, uint64(told-a.time)
	high, low := time>>32, time<<32
	if told-a.time > anchorGap || after-before > counts/anchorError || high >= counts {
		return n
	}
	if n.rate, _ = bits.Div64(high, low, counts); n.rate != 0 {
		n.limit = uint64(anchorLife) << 32 / n.rate
	}
	return n
}
