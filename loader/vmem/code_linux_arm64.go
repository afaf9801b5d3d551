package vmem

import (
	"sync"

	"golang.org/x/sys/unix"
)

// cleanCode makes what was stored at [addr, addr+n) visible to the fetching of instructions, on all processors. What is mapped from a
// file needs no such thing: the kernel does it for pages that become executable.
func cleanCode(addr, n uint64)

// Commands of membarrier(2).
const (
	membarrierSyncCore         = 1 << 5
	membarrierRegisterSyncCore = 1 << 6
)

var registerSyncCore = sync.OnceFunc(func() {
	unix.RawSyscall(unix.SYS_MEMBARRIER, membarrierRegisterSyncCore, 0, 0)
})

// fenceCode makes all processors that run a thread of this process forget what they have fetched ahead: it may be what was mapped
// earlier at addresses that code is now placed at. Kernels before 4.16 cannot do it; there
// the next interrupt does.
func fenceCode() {
	registerSyncCore()
	unix.RawSyscall(unix.SYS_MEMBARRIER, membarrierSyncCore, 0, 0)
}
