// Guest holds the benchmark programs. It runs the one that its argument names and prints what the hot part took, in
// nanoseconds, and a checksum that must be the same everywhere. It keeps to the language of Go 1.21, so that older toolchains build it.
package main

import (
	"fmt"
	"os"
	"sort"
	"time"
)

// programs are the benchmarks by name; each returns a checksum of its results.
var programs = map[string]func() uint64{
	"fannkuch": fannkuch, "nbody": nbody, "spectral": spectral, "mandelbrot": mandelbrot,
	"sha256": sha, "sortmap": sortMap, "json": jsonRoundTrip, "regexp": regexpFind, "trees": trees,
	"fib": fib, "flate": deflate, "strings": stringOps, "matmul": matmul, "bigint": bigint,
	"switch": pingPong, "mutex": mutexes, "goroutines": manyGoroutines, "now": now, "recursion": recursion,
	"hostcall": hostCalls,
}

func main() {
	if len(os.Args) == 2 && os.Args[1] == "-list" {
		names := make([]string, 0, len(programs))
		for name := range programs {
			names = append(names, name)
		}
		sort.Strings(names)
		for _, name := range names {
			fmt.Println(name)
		}
		return
	}
	if len(os.Args) != 2 || programs[os.Args[1]] == nil {
		fmt.Fprintln(os.Stderr, "usage: guest -list | NAME")
		os.Exit(2)
	}
	run := programs[os.Args[1]]
	start := time.Now()
	sum := run()
	fmt.Printf("%d %x\n", time.Since(start).Nanoseconds(), sum)
}
