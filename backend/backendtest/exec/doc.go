// Package exec runs generated code in tests of the back end, without the runtime: on a
// stack of its own, with registers as given, faults caught. Code may call out to Go.
//
// One call at a time in a process; what it runs must end by itself.
package exec
