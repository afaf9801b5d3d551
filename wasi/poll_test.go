//go:build linux

package wasi

import (
	"context"
	"errors"
	"math"
	"net"
	"os"
	"slices"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"golang.org/x/sys/unix"
)

type event struct {
	userdata uint64
	errno    Errno
	typ      uint8
	nbytes   uint64
	flags    uint16
}

// sub is a subscription record.
func sub(userdata uint64, tag uint8, fd int) []byte {
	b := make([]byte, sizeSub)
	le.PutUint64(b, userdata)
	b[8] = tag
	le.PutUint32(b[16:], uint32(fd))
	return b
}

func clockSub(userdata uint64, id int, timeout uint64, flags int) []byte {
	b := sub(userdata, eventClock, id)
	le.PutUint64(b[24:], timeout)
	le.PutUint16(b[40:], uint16(flags))
	return b
}

// poll makes a poll that must succeed.
func (g *guest) poll(subs ...[]byte) (events []event) {
	g.t.Helper()
	events, errno := g.tryPoll(subs...)
	if errno != 0 {
		g.t.Fatalf("poll_oneoff: %v", errno)
	}
	return events
}

func (g *guest) tryPoll(subs ...[]byte) (events []event, errno Errno) {
	g.t.Helper()
	in := g.put(string(slices.Concat(subs...)))
	out, n := g.alloc(len(subs)*sizeEvent), g.alloc(4)
	if errno := g.call("poll_oneoff", in, out, len(subs), n); errno != 0 {
		return nil, errno
	}
	for i := range g.u32(n) {
		b := g.mem[out+i*sizeEvent:]
		events = append(events, event{le.Uint64(b), Errno(le.Uint16(b[8:])), b[10], le.Uint64(b[16:]), le.Uint16(b[24:])})
	}
	return events, 0
}

func (g *guest) expect(want []event, subs ...[]byte) {
	g.t.Helper()
	if diff := cmp.Diff(want, g.poll(subs...), cmp.AllowUnexported(event{})); diff != "" {
		g.t.Error(diff)
	}
}

// now is a clock subscription that is always due: a poll with it never waits.
func now() []byte { return clockSub(0, clockMonotonic, 0, 0) }

var nowEvent = event{typ: eventClock}

// streamGuest has the ends of two pipes as standard input and output.
func streamGuest(t *testing.T) (g *guest, in, out *os.File) {
	t.Helper()
	inR, inW := pipe(t)
	outR, outW := pipe(t)
	g = newGuest(t, &Config{Stdin: inR, Stdout: outW})
	inR.Close()
	outW.Close()
	return g, inW, outR
}

func TestPollClocks(t *testing.T) {
	g := newGuest(t, &Config{})
	p := g.alloc(8)
	for _, c := range []struct {
		name string
		sub  func() []byte
		wait time.Duration
	}{
		{"relative", func() []byte { return clockSub(1, clockMonotonic, 3e6, 0) }, 3e6},
		{"relative realtime", func() []byte { return clockSub(1, clockRealtime, 3e6, 0) }, 3e6},
		{"absolute", func() []byte {
			g.ok("clock_time_get", clockMonotonic, 0, p)
			return clockSub(1, clockMonotonic, g.u64(p)+3e6, subclockAbstime)
		}, 2e6},
		{"absolute realtime", func() []byte {
			g.ok("clock_time_get", clockRealtime, 0, p)
			return clockSub(1, clockRealtime, g.u64(p)+3e6, subclockAbstime)
		}, 2e6},
		{"past", func() []byte { return clockSub(1, clockRealtime, 5, subclockAbstime) }, 0},
		{"zero", func() []byte { return clockSub(1, clockMonotonic, 0, 0) }, 0},
	} {
		sub := c.sub()
		start := time.Now()
		g.expect([]event{{userdata: 1, typ: eventClock}}, sub)
		if d := time.Since(start); d < c.wait {
			t.Errorf("%s: waited %v, expected at least %v", c.name, d, c.wait)
		}
	}
	// The first of several; those not due are not reported.
	g.expect([]event{{userdata: 2, typ: eventClock}},
		clockSub(1, clockMonotonic, 1e18, 0), clockSub(2, clockMonotonic, 1e6, 0), clockSub(3, clockRealtime, math.MaxUint64, 0))
}

// TestPollRealtimeSet: an absolute time of the realtime clock follows when the clock
// is set.
func TestPollRealtimeSet(t *testing.T) {
	base := time.Now()
	shift := time.Duration(0)
	calls := 0
	g := newGuest(t, &Config{Now: func() time.Time {
		if calls++; calls > 20 {
			shift = time.Hour // as if set
		}
		return base.Add(shift)
	}})
	g.sys.clock.base = base
	deadline := uint64(base.Add(time.Minute).UnixNano())
	c := &g.sys.clock
	p := &poller{subs: []subscription{{tag: eventClock, deadline: int64(deadline), realtime: true}}}
	if got := p.deadline(c) - c.monotonic(); got != realtimeStep {
		t.Errorf("sleeps %v, expected %v", time.Duration(got), time.Duration(realtimeStep))
	}
	if n := p.report(c, make([]byte, sizeEvent)); n != 0 {
		t.Errorf("%d events before the time", n)
	}
	for calls <= 20 {
		c.realtime()
	}
	if n := p.report(c, make([]byte, sizeEvent)); n != 1 {
		t.Errorf("%d events after it", n)
	}
}

func TestPollErrors(t *testing.T) {
	g, dir := newDirGuest(t)
	writeFile(t, dir, "f", "")
	f := g.open("f", 0, rightFDRead|rightFDWrite, 0) // without the right to poll
	if _, errno := g.tryPoll(); errno != EINVAL {
		t.Errorf("no subscriptions: %v", errno)
	}
	if _, errno := g.tryPoll(sub(1, 3, 0)); errno != EINVAL {
		t.Errorf("unknown type: %v", errno)
	}
	g.fails(EINVAL, "poll_oneoff", 0, 0, maxSubs+1, 64)
	// Errors of single subscriptions are reported with whatever is ready, at once.
	g.expect([]event{
		{userdata: 1, errno: EBADF, typ: eventFDRead},
		{userdata: 2, errno: EBADF, typ: eventFDWrite},
		{userdata: 3, errno: ENOTCAPABLE, typ: eventFDRead},
		{userdata: 4, errno: ENOTSUP, typ: eventClock},
		{userdata: 5, errno: EINVAL, typ: eventClock},
		{userdata: 6, errno: EINVAL, typ: eventClock},
		{userdata: 8, errno: ENOTCAPABLE, typ: eventFDWrite},
		{userdata: 9, typ: eventFDWrite, nbytes: 1},
	},
		sub(1, eventFDRead, 99), sub(2, eventFDWrite, -1), sub(3, eventFDRead, f),
		clockSub(4, 2, 0, 0), clockSub(5, 9, 0, 0), clockSub(6, 1, 0, 2),
		clockSub(7, 1, 1e18, 0), sub(8, eventFDWrite, 0), sub(9, eventFDWrite, 1))
}

func TestPollPipes(t *testing.T) {
	g, in, out := streamGuest(t)
	read, write := sub(1, eventFDRead, 0), sub(2, eventFDWrite, 1)
	writable := event{userdata: 2, typ: eventFDWrite, nbytes: 1}
	// Nothing to read: only the clock.
	g.expect([]event{nowEvent}, read, now())
	g.expect([]event{writable}, read, write)
	// Data: level-triggered, until it is read.
	in.WriteString("abc")
	readable := event{userdata: 1, typ: eventFDRead, nbytes: 3}
	for range 3 {
		g.expect([]event{readable, writable}, read, write)
	}
	g.mustRead(0, "abc")
	g.expect([]event{nowEvent}, read, now())
	// Several subscriptions for one descriptor.
	g.expect([]event{writable, writable, nowEvent}, write, write, read, read, now())
	// A full pipe is not writable.
	g.ok("fd_fdstat_set_flags", 1, int(fdflagNonblock))
	for {
		if _, errno := g.write(1, string(make([]byte, 30_000))); errno == EAGAIN {
			break
		}
	}
	g.expect([]event{nowEvent}, write, now())
	buf := make([]byte, 1<<20)
	out.Read(buf)
	g.expect([]event{writable}, write)
	// Hang-up: both ends.
	in.WriteString("rest")
	in.Close()
	g.expect([]event{{userdata: 1, typ: eventFDRead, nbytes: 4, flags: eventHangup}}, read)
	g.mustRead(0, "rest")
	g.expect([]event{{userdata: 1, typ: eventFDRead, flags: eventHangup}}, read)
	g.mustRead(0, "")
	out.Close()
	if got := g.poll(write); len(got) != 1 || got[0].userdata != 2 || got[0].errno != 0 {
		t.Errorf("write end without reader: %v", got)
	}
	if _, errno := g.write(1, "x"); errno != EPIPE {
		t.Errorf("write without reader: %v", errno)
	}
}

// TestPollWaits: a poll without a clock ends when data comes, and not before.
func TestPollWaits(t *testing.T) {
	g, in, _ := streamGuest(t)
	sent := make(chan struct{})
	go func() {
		time.Sleep(5 * time.Millisecond)
		close(sent)
		in.WriteString("x")
	}()
	g.expect([]event{{userdata: 1, typ: eventFDRead, nbytes: 1}}, sub(1, eventFDRead, 0), clockSub(2, clockMonotonic, math.MaxUint64, 0))
	select {
	case <-sent:
	default:
		t.Error("ready before anything was sent")
	}
}

// TestPollFiles: regular files and directories are always ready.
func TestPollFiles(t *testing.T) {
	g, dir := newDirGuest(t)
	writeFile(t, dir, "f", "content")
	f := g.open("f", 0, readWrite, 0)
	g.seek(f, 3, unix.SEEK_SET)
	g.expect([]event{
		{userdata: 1, typ: eventFDRead, nbytes: 4},
		{userdata: 2, typ: eventFDWrite, nbytes: 1},
		{userdata: 3, typ: eventFDRead}, // standard input is empty
	}, sub(1, eventFDRead, f), sub(2, eventFDWrite, f), sub(3, eventFDRead, 0))
}

// TestPollMany: more subscriptions than the kernel takes descriptors.
func TestPollMany(t *testing.T) {
	g := newGuest(t, &Config{})
	g.all = nil // a larger memory
	const n = 65_536
	g.mem = make(testMemory, n*(sizeSub+sizeEvent)+64)
	for i := range n {
		copy(g.mem[64+i*sizeSub:], sub(uint64(i), eventFDWrite, 1+i%2))
	}
	g.ok("poll_oneoff", 64, 64+n*sizeSub, n, 8)
	if got := g.u32(8); got != n {
		t.Errorf("%d events, expected %d", got, n)
	}
	if last := g.mem[64+n*sizeSub+(n-1)*sizeEvent:]; le.Uint64(last) != n-1 {
		t.Errorf("last event is of %d", le.Uint64(last))
	}
}

// TestPollOverlap: events may be stored where the subscriptions were.
func TestPollOverlap(t *testing.T) {
	g := newGuest(t, &Config{})
	in := g.put(string(slices.Concat(clockSub(1, 1, 0, 0), clockSub(2, 1, 0, 0), clockSub(3, 1, 0, 0))))
	g.ok("poll_oneoff", in, in, 3, 8)
	for i := range uint32(3) {
		if got := g.u64(in + i*sizeEvent); got != uint64(i+1) {
			t.Errorf("event %d is of %d", i, got)
		}
	}
}

// waits are calls that wait for ever if nobody ends them.
var waits = map[string]func(g *guest) Errno{
	"poll of a file":  func(g *guest) Errno { _, errno := g.tryPoll(sub(1, eventFDRead, 0)); return errno },
	"poll of a clock": func(g *guest) Errno { _, errno := g.tryPoll(clockSub(1, 1, math.MaxUint64, 0)); return errno },
	"read":            func(g *guest) Errno { _, errno := g.read(0, 10); return errno },
	"write": func(g *guest) Errno {
		for {
			if _, errno := g.write(1, string(make([]byte, 100_000))); errno != 0 {
				return errno
			}
		}
	},
	"accept": func(g *guest) Errno {
		g.ok("fd_fdstat_set_flags", 3, 0)
		return g.call("sock_accept", 3, 0, 64)
	},
}

// TestCancel: the end of the context ends every wait with its cause.
func TestCancel(t *testing.T) {
	for name, wait := range waits {
		for _, polled := range []bool{false, true} {
			inR, _ := pipe(t)
			_, outW := pipe(t)
			g := newGuest(t, &Config{Stdin: inR, Stdout: outW, Listeners: []*os.File{listener(t)}})
			if polled {
				g.sys.files.get(0).mode, g.sys.files.get(1).mode = ioPolled, ioPolled
			}
			for range 3 { // each with a context of its own
				cause := errors.New("enough")
				ctx, cancel := context.WithCancelCause(context.Background())
				g.ctx = ctx
				time.AfterFunc(2*time.Millisecond, func() { cancel(cause) })
				wait(g)
				if g.err != cause {
					t.Errorf("%s (polled %v): ended with %v", name, polled, g.err)
				}
			}
			// Afterwards calls work as before.
			g.ctx = context.Background()
			g.expect([]event{nowEvent}, now(), sub(1, eventFDRead, 0))
			ctx, cancel := context.WithCancel(context.Background())
			g.ctx = ctx
			g.expect([]event{nowEvent}, now(), sub(1, eventFDRead, 0))
			cancel()
		}
	}
}

// listener is a listening socket.
func listener(t testing.TB) *os.File {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	f, err := l.(*net.TCPListener).File()
	l.Close()
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { f.Close() })
	return f
}

// TestCancelledBefore: with a context that has ended nothing is waited for.
func TestCancelledBefore(t *testing.T) {
	g, in, _ := streamGuest(t)
	ctx, cancel := context.WithCancel(context.Background())
	cancel()
	g.ctx = ctx
	if _, errno := g.read(0, 1); errno != ECANCELED || g.err != context.Canceled {
		t.Errorf("%v, %v", errno, g.err)
	}
	in.WriteString("x")
	g.ctx = context.Background()
	g.mustRead(0, "x")
}

// growing is a memory that is another one each time it is asked for.
type growing struct{ contents [][]byte }

func (m *growing) Bytes() []byte {
	b := m.contents[0]
	if len(m.contents) > 1 {
		m.contents = m.contents[1:]
	}
	return b
}

// TestMemoryGrows: after a wait, results are stored in the memory as it is then.
func TestMemoryGrows(t *testing.T) {
	g, in, _ := streamGuest(t)
	in.WriteString("data")
	buf, n := g.alloc(sizeEvent), g.alloc(4)
	iov := g.iov(buf, 16)
	subs := g.put(string(sub(7, eventFDRead, 0)))
	before := slices.Clone(g.mem)
	after := append(slices.Clone(g.mem), make([]byte, pageSize)...)

	args := []uint64{uint64(subs), uint64(buf), 1, uint64(n)}
	if err := g.sys.invoke(g.ctx, lookup(t, "poll_oneoff"), &growing{[][]byte{before, after}}, args); err != nil || args[0] != 0 {
		t.Fatal(err, Errno(args[0]))
	}
	if !slices.Equal(before, g.mem) || le.Uint64(after[buf:]) != 7 || le.Uint32(after[n:]) != 1 {
		t.Error("poll_oneoff did not store its event in the memory of after the wait")
	}

	// A transfer that waits in the middle goes on in the new memory.
	c := &g.sys.call
	c.memory = &growing{[][]byte{before, after}}
	c.fn, c.args = lookup(t, "fd_read"), []uint64{0, uint64(iov), 1, uint64(n)}
	if errno := c.decode(); errno != 0 || &c.iovs[0][0] != &before[buf] {
		t.Fatal(errno)
	}
	if errno := c.waitFor(c.file[0], unix.POLLIN, 3); errno != 0 {
		t.Fatal(errno)
	}
	if &c.iovs[0][0] != &after[buf+3] || len(c.iovs[0]) != 13 || &c.out[0][0] != &after[n] {
		t.Error("after the wait, a transfer still has the old memory")
	}
}
