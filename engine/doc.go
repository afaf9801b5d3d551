// Package engine runs compiled modules. It links no compiler: a program that ships artifacts (wasmaot.CompileTo, or
// "wasmaot compile") imports this package alone, one that compiles imports package wasmaot, whose modules are the same.
//
// # Running
//
// A [Module] is code, safe for concurrent use. [Module.Instantiate] makes an [Instance] of it with what the [InstanceConfig] gives:
// imports, a WASI host, limits. The zero value gives nothing. Exported functions are called with a stack of values ([Func.Call]) or, with
// the types of Go, through [Func0] to [Func6]. A [Pool] keeps instances that it sets back after use.
//
// # Host functions
//
// A [HostModule] collects functions, memories, tables and globals under a module name. [Host0] to [Host6] make host functions of Go functions with
// ordinary parameters, [HostFunc] those that work on the stack of values. Neither uses reflection when it is called, nor allocates.
//
// # Errors
//
// A call returns a [*Trap] if the guest trapped, an [*Interrupted] if the context ended (it unwraps to the context's cause), an
// [*Exit] if the guest ended itself by proc_exit, and any other error as the host function returned it. [ErrClosed] is returned by calls of
// an instance that was closed, a [*LinkError] where an import is missing. All are found by errors.Is and errors.As.
//
// A host function that panics, or calls runtime.Goexit, unwinds through the guest as through any Go function; the instance stays usable as far as
// the guest's own state is.
//
// # Contexts
//
// If the context of a call can end, its end stops the guest wherever it is, in loops too; there is no cost while the guest runs.
// It needs Go's preemption signal. A process with GODEBUG=asyncpreemptoff=1, or one that ignores SIGURG, needs modules that were compiled with polls
// (compiler.Options.Poll, which wasmaot.Runtime sets there): otherwise the garbage collector, and in the second case the context's end, wait for the guest's next host call.
package engine
