//go:build !(linux && arm64)

package vmem

// Processors of amd64 keep instructions coherent with what is stored, by whatever address: they compare where it lies in memory, and drop what they have
// fetched ahead from there. Changes of mappings interrupt them.

func cleanCode(addr, n uint64) {}
func fenceCode()               {}
