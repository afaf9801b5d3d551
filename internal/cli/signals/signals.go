// Package signals keeps SIGINT and SIGTERM waiting while a program starts.
//
// Package os/signal starts a thread and hands each signal over to it and back, which takes a seventh of the run of a small guest. Until
// it is asked, these signals kill the program. In between a handler that only notes the signal takes their place: what comes early is told
// a little later, and nothing is lost.
package signals

import "syscall"

// held are the signals in question.
var held = [...]syscall.Signal{syscall.SIGINT, syscall.SIGTERM}
