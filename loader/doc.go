// Package loader runs compiled modules: it places an artifact's code in memory, links and
// instantiates it, enters and leaves native code, and turns faults into traps.
//
// # Native code and Go
//
// Native code runs on stacks of its own (native.go). At the top of each lies its exec, the state of
// the crossing between Go and guest, which assembly finds by masking the stack pointer. Func.Call
// takes a stack from a pool and calls enter, an assembly function with an ordinary
// frame that never writes Go's stack pointer: stubs in the code arena (stubs.go and
// stubs_ARCH.go) switch stacks. Native code comes back to enter for one of the reasons in native.go; enter calls
// dispatch and goes on, or returns. So Go sees an ordinary frame that
// calls dispatch: its stack may be moved, panics and Goexit unwind through it.
//
// Calls and returns stay balanced for the CPU's return predictor: enter CALLs the stub; a
// guest's CALL of a host function leaves to enter by a jump, comes back by a jump, and
// is answered by the stub's RET.
//
// # Signals
//
// signal_linux_ARCH.s catches SIGSEGV, SIGBUS, SIGFPE, SIGILL, SIGTRAP and SIGURG and hands over to
// Go's handler what does not concern native code. A fault in a function's body becomes a trap if
// its address is in a linear memory of the running instance or in this stack's guard; any other fault
// there is a compiler's bug and ends the process. SIGURG, with which Go's scheduler
// asks a thread to yield, makes a guest leave for Go at any instruction of a function's body and come back with
// all registers as they were: native frames hold no Go pointers, so every instruction is a safe point.
//
// # Lifetimes
//
// Instances, host-made memories and tables keep alive what they can reach (lifetime.go): an instance that is closed stays
// mapped as long as an open one may call it.
package loader
