//go:build !(amd64 || arm64)

// Package stack does nothing here.
package stack
