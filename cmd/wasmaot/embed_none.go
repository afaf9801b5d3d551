//go:build !embedrun

package main

import "embed"

// embeddedRuns is empty in a program that is not a release.
var embeddedRuns embed.FS
