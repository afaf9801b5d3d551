//go:build linux

package wasi

import (
	"fmt"
	"os"
	"strings"
	"testing"

	"golang.org/x/sys/unix"
)

// TestProcFS: a guest that is given the proc file system, or the host's root, reaches neither the memory of the process, nor its open files, such as those that code
// compiled on demand lies in.
func TestProcFS(t *testing.T) {
	const contents = "code"
	fd, err := unix.MemfdCreate("code", unix.MFD_CLOEXEC)
	if err != nil {
		t.Fatal(err)
	}
	defer unix.Close(fd)
	if _, err := unix.Write(fd, []byte(contents)); err != nil {
		t.Fatal(err)
	}
	pid := os.Getpid()
	for _, c := range []struct {
		dir        Dir
		self, byID string
	}{
		{Dir{Host: "/", Guest: "/"}, "proc/self/", fmt.Sprintf("proc/%d/", pid)},
		{Dir{Host: "/", Guest: "/host"}, "proc/self/", fmt.Sprintf("proc/%d/", pid)},
		{Dir{Host: "/proc", Guest: "/proc"}, "self/", fmt.Sprintf("%d/", pid)},
		{Dir{Host: "/proc/self", Guest: "/self"}, "", fmt.Sprintf("task/%d/", pid)},
		{Dir{Host: "/proc/self", Guest: "/self", ReadOnly: true}, "", fmt.Sprintf("task/%d/", pid)},
	} {
		g := newGuest(t, &Config{Dirs: []Dir{c.dir}})
		out := g.alloc(4)
		for _, below := range []string{c.self, c.byID, c.byID + "task/" + fmt.Sprint(pid) + "/"} {
			link := fmt.Sprint(below, "fd/", fd)
			for _, name := range []string{below + "mem", below + "clear_refs", below + "comm", below + "oom_score_adj", link} {
				for _, base := range []rights{readOnly, writeOnly, readWrite} {
					if base == readOnly && !strings.HasSuffix(name, "/mem") && name != "mem" && name != link {
						continue
					}
					for _, look := range []int{0, lookupFollow} {
						for _, oflags := range []int{0, oflagTrunc} {
							if errno := g.call("path_open", 3, look, name, oflags, base, rightsInheriting, 0, out); errno == ESUCCESS {
								t.Errorf("%+v: %s was opened with the rights %#x", c.dir, name, base)
							}
						}
					}
				}
			}
		}
		// What is left can be read.
		if errno := g.call("path_open", 3, lookupFollow, c.self+"status", 0, readOnly, rightsInheriting, 0, out); errno != ESUCCESS {
			t.Errorf("%+v: status: %v", c.dir, errno)
		}
	}
	var got [10]byte
	if n, err := unix.Pread(fd, got[:], 0); string(got[:max(n, 0)]) != contents {
		t.Errorf("the file has become %q, %v", got[:max(n, 0)], err)
	}
}
