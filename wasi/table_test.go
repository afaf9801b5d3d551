//go:build linux

package wasi

import (
	"fmt"
	"math"
	"os"
	"runtime/debug"
	"runtime/metrics"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/wasmaot/wasmaot/compiler/abi"
)

// witx is wasi_snapshot_preview1 as compilers import it: i for i32, I for i64, then
// the result.
const witx = `
args_get ii:i
args_sizes_get ii:i
clock_res_get ii:i
clock_time_get iIi:i
environ_get ii:i
environ_sizes_get ii:i
fd_advise iIIi:i
fd_allocate iII:i
fd_close i:i
fd_datasync i:i
fd_fdstat_get ii:i
fd_fdstat_set_flags ii:i
fd_fdstat_set_rights iII:i
fd_filestat_get ii:i
fd_filestat_set_size iI:i
fd_filestat_set_times iIIi:i
fd_pread iiiIi:i
fd_prestat_dir_name iii:i
fd_prestat_get ii:i
fd_pwrite iiiIi:i
fd_read iiii:i
fd_readdir iiiIi:i
fd_renumber ii:i
fd_seek iIii:i
fd_sync i:i
fd_tell ii:i
fd_write iiii:i
path_create_directory iii:i
path_filestat_get iiiii:i
path_filestat_set_times iiiiIIi:i
path_link iiiiiii:i
path_open iiiiiIIii:i
path_readlink iiiiii:i
path_remove_directory iii:i
path_rename iiiiii:i
path_symlink iiiii:i
path_unlink_file iii:i
poll_oneoff iiii:i
proc_exit i:
proc_raise i:i
random_get ii:i
sched_yield :i
sock_accept iii:i
sock_recv iiiiii:i
sock_send iiiii:i
sock_shutdown ii:i
`

func TestTable(t *testing.T) {
	want := map[string]string{}
	for _, line := range strings.Split(strings.TrimSpace(witx), "\n") {
		name, sig, _ := strings.Cut(line, " ")
		want[name] = sig
	}
	got := map[string]string{}
	for i := range functions {
		fn := &functions[i]
		if fn.impl == nil {
			t.Errorf("%s has no implementation", fn.name)
		}
		sig := fn.signature()
		letters := func(types []abi.Type) (s string) {
			for _, ty := range types {
				s += map[abi.Type]string{abi.I32: "i", abi.I64: "I"}[ty]
			}
			return s
		}
		got[fn.name] = letters(sig.Params) + ":" + letters(sig.Results)
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("(-witx +table)\n%s", diff)
	}
}

// TestErrnoTable: the host's errors keep their names.
func TestErrnoTable(t *testing.T) {
	if ENOTCAPABLE != 76 || EPERM != 63 || EINVAL != 28 || EBADF != 8 {
		t.Errorf("numbers shifted: ENOTCAPABLE %d, EPERM %d, EINVAL %d, EBADF %d", ENOTCAPABLE, EPERM, EINVAL, EBADF)
	}
	if len(errnoNames) != 77 {
		t.Errorf("%d errors, expected 77", len(errnoNames))
	}
	for e, name := range errnoNames {
		if name == "" {
			t.Errorf("errno %d has no name", e)
		}
	}
}

// allocated is how many bytes this process has ever allocated on the heap. Small objects are counted late, by the span.
func allocated() uint64 {
	sample := [1]metrics.Sample{{Name: "/gc/heap/allocs:bytes"}}
	metrics.Read(sample[:])
	return sample[0].Value.Uint64()
}

// TestExtremes calls every function with every parameter at its extremes, alone and
// together with each later one. Nothing may panic, wait, touch the host's memory, or allocate more than the guest's memory has.
func TestExtremes(t *testing.T) {
	calls, most := 0, uint64(0)
	defer debug.SetGCPercent(debug.SetGCPercent(400)) // the collector's own work is not what is measured
	for _, fn := range slices.Concat(tables[:]...) {
		t.Run(fn.name, func(t *testing.T) {
			r, w := pipe(t)
			w.Close() // reads end
			g := newGuest(t, &Config{
				Args: []string{"prog", "arg"}, Env: []string{"A=b"},
				Stdin: r, MaxFiles: 16, Network: network(t, "listen:127.0.0.1", "dial:127.0.0.1:"+strconv.Itoa(discardPort)),
				Dirs: []Dir{{Host: t.TempDir(), Guest: "/"}},
			})
			for _, kind := range socketKinds { // descriptors 4 to 6
				g.openSocket(kind)
			}
			clear(g.mem)
			size := uint64(len(g.mem))
			types := fn.signature().Params
			extremes := func(ty abi.Type) []uint64 {
				if ty == abi.I64 {
					return []uint64{0, 1, 1 << 31, 1<<32 - 1, 1 << 32, math.MaxInt64, 1 << 63, math.MaxUint64}
				}
				return []uint64{0, 1, 3, 8, size - 64, size - 1, size, size + 1, 1 << 29, math.MaxInt32, 1 << 31, math.MaxUint32 - 7, math.MaxUint32}
			}
			try := func(args []uint64) {
				if fn.name == "fd_allocate" && args[0] > 2 {
					return // of a real file it would take the disk
				}
				if fn.name == "fd_close" || fn.name == "fd_renumber" {
					defer refill(g)
				}
				calls++
				var errno Errno
				least := uint64(math.MaxUint64)
				for range 20 { // what others allocate meanwhile is counted, too: repeat when it looks like much
					before := allocated()
					errno = g.raw(&fn, append([]uint64(nil), args...))
					if least = min(least, allocated()-before); least <= size {
						break
					}
				}
				if least > size {
					t.Errorf("%s%x: %d bytes allocated, the guest's memory has %d", fn.name, args, least, size)
				}
				most = max(most, least)
				if int(errno) >= len(errnoNames) {
					t.Errorf("%s%x: errno %d", fn.name, args, errno)
				}
				if _, exited := g.err.(*exit); g.err != nil && (!exited || fn.name != "proc_exit") {
					t.Errorf("%s%x: %v", fn.name, args, g.err)
				}
			}
			for _, base := range []uint64{0, 3, 4, 5, 6, 64} {
				args := make([]uint64, len(types))
				reset := func() {
					for i := range args {
						args[i] = base
					}
					if len(args) > 0 && strings.HasPrefix(fn.name, "path_") {
						args[0] = 3
					}
				}
				reset()
				try(args)
				for i := range types {
					for _, v := range extremes(types[i]) {
						args[i] = v
						try(args)
						for j := i + 1; j < len(types); j++ {
							for _, v2 := range extremes(types[j]) {
								args[j] = v2
								try(args)
							}
							args[j] = base
						}
						reset()
					}
				}
			}
		})
	}
	t.Logf("%d calls, at most %d bytes allocated by one", calls, most)
}

// refill opens what a call may have closed.
func refill(g *guest) {
	for n, null := range map[uint32]*os.File{0: nil, 1: nil, 2: nil} {
		if g.sys.files.get(n) == nil {
			g.sys.addStream(int(n), null)
		}
	}
}

// TestPointers: for each parameter that is a pointer, one byte beyond memory is
// EFAULT, and the last byte is not.
func TestPointers(t *testing.T) {
	tested := 0
	for _, fn := range allFunctions() {
		at := 0
		for _, p := range fn.params {
			size := map[kind]uint64{kindOut: uint64(p.size), kindIn: uint64(p.size), kindPath: 1, kindBuf: 1, kindIovs: sizeIovec}[p.kind]
			if size > 0 {
				for _, delta := range []uint64{0, 1} {
					g, _ := newDirGuest(t)
					g.mem[64] = 'f' // a path
					if p.kind == kindPath {
						g.mem[len(g.mem)-1] = 'f'
					}
					args := make([]uint64, len(fn.signature().Params))
					k := 0
					for _, q := range fn.params {
						switch q.kind {
						case kindFD: // any that has all rights
							args[k] = 1
							g.sys.files.get(1).base = ^rights(0)
						case kindIovs, kindOut, kindIn, kindPtr, kindPath, kindBuf:
							args[k] = 64
						}
						if q.kind == kindPath || q.kind == kindBuf {
							args[k+1] = 1
						}
						k += len(kinds[q.kind])
					}
					if len(kinds[p.kind]) == 2 {
						args[at+1] = 1
					}
					args[at] = uint64(len(g.mem)) - size + delta
					errno := g.raw(fn, args)
					if bad := errno == EFAULT; bad != (delta == 1) {
						t.Errorf("%s: %s ending %d bytes beyond memory: %v", fn.name, p.name, delta, errno)
					}
					tested++
				}
			}
			at += len(kinds[p.kind])
		}
	}
	t.Logf("%d cases", tested)
}

// TestPointerSums: pointer and length are added in 64 bits.
func TestPointerSums(t *testing.T) {
	g, _ := newDirGuest(t)
	for _, c := range []struct{ ptr, n uint32 }{
		{math.MaxUint32, 1}, {math.MaxUint32, 2}, {1, math.MaxUint32}, {1 << 31, 1 << 31}, {math.MaxUint32, math.MaxUint32},
		{uint32(len(g.mem)), 1}, {uint32(len(g.mem)) - 1, 2}, {0, uint32(len(g.mem)) + 1}, {math.MaxUint32 - 7, 8},
	} {
		g.fails(EFAULT, "random_get", c.ptr, c.n)
		g.fails(EFAULT, "path_create_directory", 3, c.ptr, c.n)
		iov := g.iov(c.ptr, int(c.n))
		g.fails(EFAULT, "fd_write", 1, iov, 1, 64)
	}
	// A count of buffers whose size in bytes does not fit 32 bits.
	g.fails(EFAULT, "fd_write", 1, 0, 1<<29, 64)
	g.fails(EFAULT, "fd_write", 1, 0, 1<<31, 64)
	g.fails(EFAULT, "poll_oneoff", 0, 0, 1<<16, 64)
	// The whole memory is no fault, nor is nothing at its end.
	g.ok("random_get", 0, len(g.mem))
	g.ok("random_get", len(g.mem), 0)
}

// TestNoMemory: a module without a memory gets errors.
func TestNoMemory(t *testing.T) {
	g := newGuest(t, &Config{})
	g.mem = nil
	g.fails(EFAULT, "clock_time_get", 1, 0, 0)
	g.fails(EFAULT, "fd_write", 1, 0, 1, 0)
	g.ok("sched_yield")
}

func TestTrace(t *testing.T) {
	var got []string
	g := newGuest(t, &Config{Trace: func(c Call) {
		got = append(got, fmt.Sprintf("%s%v %v %v", c.Function, c.Args, c.Errno, c.Err != nil))
	}})
	g.call("clock_res_get", 1, 64)
	g.call("fd_close", 77)
	g.call("proc_exit", 3)
	want := []string{"clock_res_get[1 64] ESUCCESS false", "fd_close[77] EBADF false", "proc_exit[3] ECANCELED true"}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
}

// TestTraceText: a call in one line, its arguments by name.
func TestTraceText(t *testing.T) {
	var got []string
	g := newGuest(t, &Config{
		Dirs:  []Dir{{Host: tempDir(t), Guest: "/"}},
		Trace: func(c Call) { c.Duration = 0; got = append(got, c.Group+" "+c.String()) },
	})
	const fd = 4
	g.call("path_open", 3, 1, "a\n", oflagCreat|oflagExcl, rightFDWrite|rightFDSeek, 0, int(fdflagAppend), 64)
	g.mustWrite(fd, "text")
	g.call("fd_seek", fd, -4, 2, 64)
	g.call("fd_close", fd)
	g.call("path_unlink_file", 3, "missing")
	g.call("path_unlink_file", 3, -1, 5)
	g.call("fd_write", 1, -1, 1<<31, 64)
	p := sub(1, eventFDRead, 77)
	g.poll(p, clockSub(2, 1, uint64(time.Hour), 0))
	g.call("fd_fdstat_get", 0, 128)
	g.call("clock_res_get", 1, 64)
	g.call("proc_exit", 3)
	g.mem = nil
	g.call("fd_read", 0, 0, 1<<20, 0)
	want := []string{
		`filesystem path_open(fd=3, lookupflags=symlink_follow, path="a\n", oflags=creat|excl, base=fd_seek|fd_write, inheriting=0x0, fdflags=append) = fd=4 <0s>`,
		`filesystem fd_write(fd=4, iovs=[4]) = nwritten=4 <0s>`,
		`filesystem fd_seek(fd=4, delta=-4, whence=end) = offset=0 <0s>`,
		`filesystem fd_close(fd=4) = ok <0s>`,
		`filesystem path_unlink_file(fd=3, path="missing") = ENOENT <0s>`,
		`filesystem path_unlink_file(fd=3, path=0xffffffff[5]) = EFAULT <0s>`,
		`filesystem fd_write(fd=1, iovs=0xffffffff[2147483648]) = EFAULT <0s>`,
		`poll poll_oneoff(in=[read 77 monotonic +1h0m0s], n=2) = nevents=1 <0s>`,
		`filesystem fd_fdstat_get(fd=0) = stat={type=character_device flags=0x0 base=fd_datasync|fd_read|fd_seek|fd_fdstat_set_flags|fd_sync|fd_tell|fd_advise|fd_filestat_get|poll_fd_readwrite inheriting=0x0} <0s>`,
		`clock clock_res_get(id=monotonic) = resolution=1 <0s>`,
		`proc proc_exit(code=3) = the guest called proc_exit <0s>`,
		`filesystem fd_read(fd=0, iovs=0x0[1048576]) = EFAULT <0s>`,
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("(-want +got)\n%s", diff)
	}
	for _, fn := range slices.Concat(tables[:]...) {
		if fn.group() == "" {
			t.Errorf("%s is in no group", fn.name)
		}
	}
}

// TestAllocations: the calls that Go guests make all the time allocate nothing.
func TestAllocations(t *testing.T) {
	g := newGuest(t, &Config{})
	iov := g.iov(64, 10)
	for _, c := range []struct {
		name string
		args []uint64
	}{
		{"clock_time_get", []uint64{1, 0, 32}},
		{"clock_time_get", []uint64{0, 0, 32}},
		{"fd_write", []uint64{1, uint64(iov), 1, 32}},
		{"random_get", []uint64{64, 32}},
		{"sched_yield", []uint64{0}},
	} {
		fn := lookup(t, c.name)
		stack := make([]uint64, len(c.args))
		n := testing.AllocsPerRun(100, func() {
			copy(stack, c.args)
			if err := g.sys.invoke(g.ctx, fn, &g.mem, stack); err != nil || stack[0] != 0 {
				t.Fatal(c.name, err, stack[0])
			}
		})
		if n != 0 {
			t.Errorf("%s: %v allocations", c.name, n)
		}
	}
}

func BenchmarkClock(b *testing.B) {
	g := newGuest(b, &Config{})
	fn := lookup(b, "clock_time_get")
	stack := make([]uint64, 3)
	for b.Loop() {
		stack[0], stack[1], stack[2] = 1, 0, 32
		g.sys.invoke(g.ctx, fn, &g.mem, stack)
	}
}

func BenchmarkCall(b *testing.B) {
	g := newGuest(b, &Config{})
	fn := lookup(b, "fd_tell")
	stack := make([]uint64, 3)
	for b.Loop() {
		stack[0], stack[1], stack[2] = 99, 0, 32 // EBADF: the price of a call
		g.sys.invoke(g.ctx, fn, &g.mem, stack)
	}
}
