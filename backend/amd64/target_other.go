//go:build !(linux && amd64)

package amd64

func hasFSGSBASE() bool { return false }
