//go:build !embedrun

package main

// embeddedRun is empty in a program that is not a release.
var embeddedRun []byte
