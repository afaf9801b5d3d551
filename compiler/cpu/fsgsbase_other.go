//go:build !(linux && amd64)

package cpu

func hasFSGSBASE() bool { return false }
