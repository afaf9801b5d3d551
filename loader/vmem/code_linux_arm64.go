package vmem

import (
	"sync"

	"golang.org/x/sys/unix"
)

// A processor of arm64 fetches instructions by a way of its own, past what it and others store. Before another thread may be told the address of new
// code the one that wrote it does this (Arm Architecture Reference Manual, B2.2.5 concurrent modification and execution of instructions, B2.4.4):
//
//  1. It cleans the data cache up to where fetches look, waits, takes what was fetched before out of all processors' instruction caches, and waits (cleanCode).
//  2. It has every other processor that runs one of the process's threads pass a context synchronization event, here the return from an interrupt
//     (fenceCode): to read an address and to jump there does not keep a processor from having fetched ahead, guessing, what lay there earlier. Threads that do not run
//     pass one when they are scheduled, this one when the system call returns.
//  3. It stores the address. Who reads it fetches what was written.
//
// Nothing of this shows where instructions are translated (qemu).

// cleanCode makes what was stored at [addr, addr+n) visible to the fetching of instructions, on all processors. What was stored through another mapping, or
// by the kernel, is found by any address of the same memory: caches of data behave as if tagged with what addresses stand for, and code is fetched by this address alone. What
// is mapped from a file as it is needs no such thing: the kernel does it for pages that become executable.
func cleanCode(addr, n uint64)

// Commands of membarrier(2).
const (
	membarrierSyncCore         = 1 << 5
	membarrierRegisterSyncCore = 1 << 6
)

var registerSyncCore = sync.OnceFunc(func() {
	unix.RawSyscall(unix.SYS_MEMBARRIER, membarrierRegisterSyncCore, 0, 0)
})

// fenceCode makes all processors that run a thread of this process forget what they have fetched ahead: zeros behind other code, or what was mapped
// earlier at addresses that code is now placed at. Kernels before 4.16 cannot do it; there
// the next interrupt does, and until then only luck.
func fenceCode() {
	registerSyncCore()
	unix.RawSyscall(unix.SYS_MEMBARRIER, membarrierSyncCore, 0, 0)
}
