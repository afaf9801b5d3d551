//go:build embedrun

package main

import "embed"

// embeddedRuns holds the wasmaot-run of each instruction set that `make release` has just built from the same source.
//
//go:embed wasmaot-run-*.bin
var embeddedRuns embed.FS
