//go:build linux

package sandbox

import (
	"flag"
	"os"
	"path/filepath"
	"sync"
	"sync/atomic"
	"testing"

	"golang.org/x/sys/unix"
)

var swaps = flag.Int("sandbox.swaps", 5_000, "swaps of entries during opens, for each walker and race")

// A race exchanges two entries again and again while paths are resolved that lead
// to a secret if both sides of an exchange are seen in one walk.
var races = []struct {
	name  string
	a, b  string // below outer, exchanged
	paths []string
}{
	{"directory and link", "root/dir", "root/up-dir", []string{"dir/target", "dir/../dir/target", "to-dir/target", "dir/sub/../target"}},
	{"file and link", "root/file", "root/up-secret", []string{"file", "to-file", "dir/up-file", "chain-5"}},
	{"directory and absolute link", "root/dir", "root/abs-dir", []string{"dir/target", "dir/./target", "to-dot/dir/target"}},
	{"moved outside", "root/dir/sub", "secretempty", []string{"dir/sub/../../secret", "dir/sub/../up-secret", "dir/sub/../../secretdir/target"}},
	{"deep and shallow", "root/dir/sub", "root/empty", []string{"dir/sub/../../../secret", "dir/sub/empty/../../../../secret"}},
}

func TestRaces(t *testing.T) {
	all := walkers(t)
	for name, w := range rootedWalkers() {
		all["rooted-"+name] = w
	}
	for name, w := range all {
		for _, r := range races {
			t.Run(name+"/"+r.name, func(t *testing.T) {
				tr := newTree(t)
				// Only outside are there files of this content.
				var secret unix.Stat_t
				secrets := map[uint64]string{}
				for _, f := range []string{"secret", "secretdir/target"} {
					must(t, unix.Stat(filepath.Join(tr.outer, f), &secret))
					secrets[secret.Ino] = f
				}
				a, b := filepath.Join(tr.outer, r.a), filepath.Join(tr.outer, r.b)
				if err := unix.Renameat2(unix.AT_FDCWD, a, unix.AT_FDCWD, b, unix.RENAME_EXCHANGE); err == unix.EINVAL {
					t.Skip("this file system cannot exchange entries")
				}
				var stop atomic.Bool
				var wg sync.WaitGroup
				wg.Go(func() {
					defer stop.Store(true)
					pause := uint32(1)
					for range *swaps {
						unix.Renameat2(unix.AT_FDCWD, a, unix.AT_FDCWD, b, unix.RENAME_EXCHANGE)
						pause = pause*1664525 + 1013904223
						for range pause >> 18 { // uneven, so that the two do not fall into step
						}
					}
				})
				opens, done := 0, 0
				for !stop.Load() {
					for _, path := range r.paths {
						opens++
						fd, err := w.Open(tr.dir, path, unix.O_RDONLY, 0)
						if err != nil {
							continue
						}
						done++
						var st unix.Stat_t
						if err := unix.Fstat(fd, &st); err != nil {
							t.Error(err)
						}
						if f := secrets[st.Ino]; f != "" {
							t.Errorf("%s opened %s", path, f)
						}
						unix.Close(fd)
						w.Mkdir(tr.dir, path+"-made", 0o755)
						w.Unlink(tr.dir, path+"-made")
						w.Rmdir(tr.dir, path+"-made")
					}
				}
				wg.Wait()
				list, err := os.ReadDir(filepath.Join(tr.outer, "secretdir"))
				must(t, err)
				for _, e := range list {
					if n := e.Name(); n != "target" {
						t.Errorf("%s was made outside", n)
					}
				}
				t.Logf("%d opens, %d of them succeeded, during %d swaps", opens, done, *swaps)
			})
		}
	}
}
