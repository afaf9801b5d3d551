//go:build embedrun

package main

import _ "embed"

// embeddedRun is the compressed wasmaot-run that `make release` has just built from the same source.
//
//go:embed wasmaot-run.gz
var embeddedRun []byte
