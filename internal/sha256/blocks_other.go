//go:build !amd64 && !(linux && arm64)

package sha256

func blocks(state *[8]uint32, p []byte) { generic(state, p) }
