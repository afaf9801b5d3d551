//go:build linux

package wasi

import (
	"context"
	"flag"
	"math/rand/v2"
	"os"
	"path/filepath"
	"testing"
	"time"
)

var (
	seed  = flag.Uint64("wasi.seed", 0, "seed of the random calls; 0 takes a fresh one")
	calls = flag.Int("wasi.calls", 20_000, "number of random calls")
)

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
	results := map[Errno]int{}
	var g *guest
	for i := range *calls {
		if i%500 == 0 { // anew: everything may be closed or without rights by now
			dir := filepath.Join(outer, "root")
			os.RemoveAll(dir)
			os.MkdirAll(filepath.Join(dir, "d/e"), 0o755)
			writeFile(t, dir, "f", "content")
			os.Symlink("../secret", filepath.Join(dir, "up"))
			os.Symlink("d", filepath.Join(dir, "l"))
			if g != nil {
				g.sys.Close()
			}
			g = newGuest(t, &Config{MaxFiles: 50, Dirs: []Dir{{Host: dir, Guest: "/"}, {Host: dir, Guest: "/ro", ReadOnly: true}}})
			for _, path := range []string{"f", "d", "f", "d/e"} {
				base := readWrite
				if path != "f" {
					base = readOnly
				}
				g.open(path, 0, base, 0)
			}
			g.ctx = ctx
		}
		fn := &functions[r.IntN(len(functions))]
		switch fn.name {
		case "fd_allocate": // takes the disk
			continue
		case "fd_close", "fd_renumber", "fd_fdstat_set_rights": // leave little to do
			if r.IntN(20) > 0 {
				continue
			}
		}
		errno := g.raw(fn, g.randomArgs(r, fn))
		results[errno]++
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
	if results[ESUCCESS] < *calls/5 {
		t.Errorf("only %d of %d calls succeeded: the arguments are poor", results[ESUCCESS], *calls)
	}
}

var randomPaths = []string{
	"f", "d", "d/", "d/e", "d/e/", ".", "..", "../secret", "l", "l/e", "l/", "up", "new", "new/", "d/new", "d/../f", "/", "/f", "d/e/../../..", "", "f/x",
}

func (g *guest) randomArgs(r *rand.Rand, fn *function) (args []uint64) {
	number := func() uint64 {
		switch r.IntN(8) {
		case 0:
			return r.Uint64() >> r.IntN(64)
		case 1:
			return uint64(len(g.mem)) - uint64(r.IntN(70))
		}
		return uint64(r.IntN(4))
	}
	for _, p := range fn.params {
		switch p.kind {
		case kindPath:
			s := randomPaths[r.IntN(len(randomPaths))]
			args = append(args, uint64(g.put(s)), uint64(len(s)))
		case kindFD:
			args = append(args, uint64(3+r.IntN(6+r.IntN(3))))
		case kindIovs:
			args = append(args, uint64(g.iov(g.alloc(64), r.IntN(64))), uint64(r.IntN(2)))
		case kindBuf:
			n := r.IntN(200)
			args = append(args, uint64(g.alloc(n)), uint64(n))
		case kindOut, kindPtr:
			args = append(args, uint64(g.alloc(64)))
		case kindU64:
			if r.IntN(2) == 0 {
				args = append(args, uint64(knownRights)&^r.Uint64()|uint64(rightFDRead))
				continue
			}
			args = append(args, number())
		default:
			args = append(args, number())
		}
		if r.IntN(40) == 0 { // any argument may be anything
			args[len(args)-1] = r.Uint64()
		}
	}
	return args
}
