// Show runs the tests on trees with a planted bug each and tells which of them find it. It fails if some bug is found by none.
package main

import (
	"errors"
	"fmt"
	"os"
	"os/exec"
	"strings"
	"time"
)

// mutants are the build tags of package mutant.
var mutants = []struct{ tag, what string }{
	{"mutant_lowering", "a wrong lowering: 64-bit constants as immediates that the processor extends by their sign"},
	{"mutant_extension", "a missing zero-extension: the low half of a register as an address, whatever the upper half is"},
	{"mutant_allocation", "a slip of the register allocator: the moves of a cycle one after the other"},
}

// tests are what is run on each. Those without checkers must find out by what the code does.
var tests = []struct {
	name string
	args []string
}{
	{"official suite", []string{"./spectest", "-run", "^TestSuite$/^(guard|poison)$"}},
	{"differential", []string{"./spectest", "-run", "^TestDifferential$", "-oracle.n", "2000", "-oracle.failures", "1"}},
	{"differential, no checkers", []string{"./spectest", "-run", "^TestDifferential$", "-oracle.n", "2000", "-oracle.failures", "1", "-oracle.check=false"}},
	{"address matrix", []string{"./spectest", "-run", "^Test(Address|Bulk)Matrix$"}},
	{"back end", []string{"./backend/..."}},
}

func main() {
	lost := 0
	for _, m := range mutants {
		fmt.Printf("%s: %s\n", m.tag, m.what)
		if out, err := exec.Command("go", "vet", "-tags", m.tag, "./backend/...", "./spectest").CombinedOutput(); err != nil {
			fmt.Printf("%s\nit does not compile: %v\n", out, err)
			os.Exit(1)
		}
		found := 0
		for _, t := range tests {
			start := time.Now()
			out, err := exec.Command("go", append([]string{"test", "-tags", m.tag}, t.args...)...).CombinedOutput()
			var failed *exec.ExitError
			if err != nil && !errors.As(err, &failed) {
				fmt.Println(err)
				os.Exit(1)
			}
			verdict, reason := "not found", ""
			if err != nil {
				verdict, reason = "found", ": "+firstReason(string(out))
				found++
			}
			fmt.Printf("  %-26s %s in %.0f s%s\n", t.name, verdict, time.Since(start).Seconds(), reason)
		}
		if found == 0 {
			lost++
		}
	}
	if lost > 0 {
		fmt.Printf("%d of %d planted bugs were found by no test\n", lost, len(mutants))
		os.Exit(1)
	}
	fmt.Printf("all %d planted bugs were found\n", len(mutants))
}

// firstReason is the first line of a failed test's output that tells more than its name.
func firstReason(out string) string {
	for line := range strings.Lines(out) {
		if line = strings.TrimSpace(line); line != "" && !strings.HasPrefix(line, "--- ") && !strings.HasPrefix(line, "=== ") && !strings.HasPrefix(line, "ok ") &&
			!strings.HasPrefix(line, "? ") {
			return line[:min(len(line), 150)]
		}
	}
	return "no reason given"
}
