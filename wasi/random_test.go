//go:build linux

package wasi

import (
	"context"
	"flag"
	"math"
	"math/rand/v2"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"
)

var (
	seed  = flag.Uint64("wasi.seed", 0, "seed of the random calls; 0 takes a fresh one")
	calls = flag.Int("wasi.calls", 20_000, "number of random calls")
)

// partly are the functions that the README lists as not supported in some respect.
var partly = map[string]bool{"proc_raise": true, "sock_recv": true, "clock_time_get": true, "clock_res_get": true, "poll_oneoff": true}

// TestRandomCalls makes sequences of calls with arguments that are likely to get
// far. Nothing may panic or touch what is outside of the directory and of memory.
func TestRandomCalls(t *testing.T) {
	s := *seed
	if s == 0 {
		s = uint64(time.Now().UnixNano())
	}
	t.Logf("replay with -run %s -wasi.seed=%d", t.Name(), s)
	r := rand.New(rand.NewPCG(s, 0))

	outer := tempDir(t)
	writeFile(t, outer, "secret", "secret")
	// Waits end at once.
	ctx, cancel := context.WithCancel(context.Background())
	cancel()
	results, succeeded := map[Errno]int{}, map[string]int{}
	all := allFunctions()
	var g *guest
	told := 0
	for i := range *calls {
		if i%250 == 0 { // anew: everything may be closed or without rights by now
			dir := filepath.Join(outer, "root")
			os.RemoveAll(dir)
			os.MkdirAll(filepath.Join(dir, "d/e"), 0o755)
			writeFile(t, dir, "f", "content")
			os.Symlink("../secret", filepath.Join(dir, "up"))
			os.Symlink("d", filepath.Join(dir, "l"))
			if g != nil {
				g.close()
			}
			var trace func(Call)
			if i/250%2 == 0 { // telling a call must not fail, either
				trace = func(c Call) { told += len(c.String()) }
			}
			g = newGuest(t, &Config{
				Trace:     trace,
				MaxFiles:  50,
				Dirs:      []Dir{{Host: dir, Guest: "/"}, {Host: dir, Guest: "/ro", ReadOnly: true}, {FS: os.DirFS(dir), Guest: "/fs"}},
				Listeners: []*os.File{listener(t)},
				Network:   network(t, "listen:127.0.0.1", "dial:127.0.0.1:"+strconv.Itoa(discardPort), "listen:unix:"+dir, "dial:unix:"+dir),
			})
			for _, path := range []string{"f", "d", "f", "d/e"} {
				base := readWrite
				if path != "f" {
					base = readOnly
				}
				g.open(path, 0, base, 0)
			}
			for _, kind := range socketKinds {
				g.openSocket(kind)
			}
			g.ctx = ctx
		}
		fn := all[r.IntN(len(all))]
		switch fn.name {
		case "fd_allocate": // takes the disk
			continue
		case "fd_close", "fd_renumber", "fd_fdstat_set_rights", "sock_shutdown": // leave little to do
			if r.IntN(20) > 0 {
				continue
			}
		}
		args := g.randomArgs(r, fn, outer)
		errno := g.raw(fn, append([]uint64(nil), args...))
		results[errno]++
		switch errno {
		case ESUCCESS:
			succeeded[fn.name]++
		case ENOTSUP:
			if !partly[fn.name] {
				t.Errorf("%s%x: ENOTSUP, which the README does not list", fn.name, args)
			}
		}
		if int(errno) >= len(errnoNames) {
			t.Errorf("%s: errno %d", fn.name, errno)
		}
	}
	if got := readFile(t, outer, "secret"); got != "secret" {
		t.Errorf("the secret is now %q", got)
	}
	if list, _ := os.ReadDir(outer); len(list) != 2 {
		t.Errorf("%d entries outside, expected 2", len(list))
	}
	t.Logf("results: %v", results)
	t.Logf("successes: %v; %d bytes of log", succeeded, told)
	if *calls >= 20_000 && (results[ESUCCESS] < *calls/5 || len(succeeded) < 45) {
		t.Errorf("%d of %d calls succeeded, of %d functions: the arguments are poor", results[ESUCCESS], *calls, len(succeeded))
	}
}

var randomPaths = []string{
	"f", "d", "d/", "d/e", "d/e/", ".", "..", "../secret", "l", "l/e", "l/", "up", "new", "new/", "d/new", "d/../f", "/", "/f", "d/e/../../..", "", "f/x",
}

// randomAddress is the record of one, or of a place for one.
func (g *guest) randomAddress(r *rand.Rand, outer string) uint32 {
	paths := []string{"root/s", "root/s2", "root/d/s", "root/up", "secret", "root/../secret", "root/l/s", ""}
	switch r.IntN(5) {
	case 0:
		return g.address(familyINET, "127.0.0.1")
	case 1:
		return g.address(familyINET6, "::1")
	case 2:
		return g.address(familyUnix, filepath.Join(outer, "/")+"/"+paths[r.IntN(len(paths))])
	case 3:
		return g.iov(g.alloc(sizeAddressV2), []int{0, 4, sizeAddressV1, 127, sizeAddressV2}[r.IntN(5)])
	}
	return g.address(familyUnspec, "")
}

// randomArgs are arguments for a function. Most are such that the call may succeed.
func (g *guest) randomArgs(r *rand.Rand, fn *function, outer string) (args []uint64) {
	for i := range fn.params {
		p := &fn.params[i]
		switch p.kind {
		case kindPath:
			s := randomPaths[r.IntN(len(randomPaths))]
			args = append(args, uint64(g.put(s)), uint64(len(s)))
		case kindFD:
			args = append(args, randomFD(r, fn))
		case kindIovs:
			args = append(args, uint64(g.iov(g.alloc(64), r.IntN(64))), uint64(r.IntN(2)))
		case kindBuf:
			if s, ok := map[string]string{"node": "127.0.0.1", "service": "80"}[p.name]; ok && r.IntN(4) > 0 {
				args = append(args, uint64(g.put(s)), uint64(len(s)))
				break
			}
			n := r.IntN(200)
			args = append(args, uint64(g.alloc(n)), uint64(n))
		case kindOut, kindPtr, kindIn:
			args = append(args, g.randomPointer(r, p, outer))
		default:
			args = append(args, g.randomNumber(r, p))
		}
		if r.IntN(40) == 0 { // any argument may be anything
			args[len(args)-1] = r.Uint64()
		}
	}
	return args
}

// randomFD is one of the descriptors of TestRandomCalls, for the most part of the kind that the function is for.
func randomFD(r *rand.Rand, fn *function) uint64 {
	fds := []uint64{3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14}
	switch {
	case r.IntN(8) == 0:
	case fn.group() == GroupSock:
		fds = []uint64{5, 10, 11, 12, 13}
	case strings.HasPrefix(fn.name, "path_"):
		fds = []uint64{3, 3, 3, 4, 7, 9}
	default:
		fds = fds[:9]
	}
	return fds[r.IntN(len(fds))]
}

func (g *guest) randomPointer(r *rand.Rand, p *param, outer string) uint64 {
	switch p.name {
	case "addr":
		return uint64(g.randomAddress(r, outer))
	case "result":
		return uint64(g.results(1 + r.IntN(3)))
	case "hints":
		return uint64(g.hints(uint8(r.IntN(4)), uint8(r.IntN(3)), uint16(r.IntN(2))))
	case "size":
		return sizeU32
	}
	p0 := g.alloc(64)
	g.mem[p0] = byte(r.IntN(2))
	return uint64(p0)
}

// randomChoices are the numbers for parameters that take few.
var randomChoices = map[string][]uint64{
	"lookupflags": {0, 1}, "oflags": {0, 0, 0, 1, 2, 3, 4, 8}, "fdflags": {0, 0, 4, 1, 2, 16, 31}, "inheriting": {0, math.MaxUint64},
	"base": {0, uint64(readOnly), uint64(readWrite), uint64(rightFDWrite), math.MaxUint64},
	"port": {0, discardPort}, "level": {levelSocket, levelSocket, levelTCP}, "option": {0, 1, 2, 4, 5, 6, 7, 13}, "size": {sizeU32},
	"riflags": {0, 0, 1, 2, 3}, "siflags": {0}, "how": {1, 2, 3}, "af": {1, 1, 2, 3}, "type": {1, 2}, "max": {0, 1, 2, 9},
}

func (g *guest) randomNumber(r *rand.Rand, p *param) uint64 {
	if list := randomChoices[p.name]; list != nil && r.IntN(8) > 0 {
		return list[r.IntN(len(list))]
	}
	switch r.IntN(8) {
	case 0:
		return r.Uint64() >> r.IntN(64)
	case 1:
		return uint64(len(g.mem)) - uint64(r.IntN(70))
	}
	return uint64(r.IntN(4))
}
