//go:build !(linux && arm64)

package vmem

// Processors of amd64 keep instructions coherent with what is stored, and changes of mappings interrupt them.

func cleanCode(addr, n uint64) {}
func fenceCode()               {}
