//go:build !(amd64 || arm64)

package cli

func growStack() {}
