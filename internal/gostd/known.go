package main

import "strings"

// A knownFailure is a test that fails with a reference host as well, for a reason that is not the host's.
type knownFailure struct{ pkg, test, reason string }

// knownFailures with Go 1.26: none. Wasmtime passes everything, too.
var knownFailures = []knownFailure{}

// reason tells why a test, or one of those below it, is known to fail; empty if it is not.
func reason(pkg, test string) string {
	for _, k := range knownFailures {
		if k.pkg == pkg && (k.test == test || strings.HasPrefix(test, k.test+"/")) {
			return k.reason
		}
	}
	return ""
}
