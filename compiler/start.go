package compiler

import (
	_ "embed"
	"strings"

	"github.com/wasmaot/wasmaot/compiler/wasm"
)

// startNames are functions that programs built by Go run at their start, one a line: what internal/startlist prints for the small examples.
//
//go:embed start.txt
var startNames string

// textOrder is the order of the module's functions in the text: those of a program's start together, so that a start touches a third of
// the pages that it would. It is only about speed, and a name promises nothing else.
func textOrder(m *wasm.Module, n int) []int {
	early := earlyNames()
	order, rest := make([]int, 0, n), make([]int, 0, n)
	for i := range n {
		if early[m.Names.Funcs[uint32(m.ImportedFuncs+i)]] {
			order = append(order, i)
		} else {
			rest = append(rest, i)
		}
	}
	return append(order, rest...)
}

// earlyNames is the set of startNames.
func earlyNames() map[string]bool {
	early := make(map[string]bool, 512)
	for name := range strings.Lines(startNames) {
		early[strings.TrimSuffix(name, "\n")] = true
	}
	return early
}
