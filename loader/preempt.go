//go:build unix

package loader

import (
	"os"
	"os/signal"
	"runtime/debug"
	"strings"
	"syscall"
)

// HostPreempts reports whether this process preempts goroutines by signals. If it does not (GODEBUG=asyncpreemptoff=1, SIGURG ignored) only code
// that polls lets the garbage collector begin while a guest runs.
func HostPreempts() bool {
	settings := os.Getenv("GODEBUG")
	if info, ok := debug.ReadBuildInfo(); ok { // of the program: //go:debug
		for _, s := range info.Settings {
			if s.Key == "DefaultGODEBUG" {
				settings = s.Value + "," + settings // the last one counts
			}
		}
	}
	off := false
	for _, s := range strings.Split(settings, ",") {
		if v, ok := strings.CutPrefix(s, "asyncpreemptoff="); ok {
			off = v != "0"
		}
	}
	return !off && !signal.Ignored(syscall.SIGURG)
}
