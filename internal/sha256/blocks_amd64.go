package sha256

import "github.com/wasmaot/wasmaot/compiler/cpu"

func blocks(state *[8]uint32, p []byte) {
	if cpu.Host()&(cpu.SHA|cpu.V2) == cpu.SHA|cpu.V2 {
		extension(state, &constants, p)
		return
	}
	generic(state, p)
}

// extension is generic with the processor's instructions for it.
//
//go:noescape
func extension(state *[8]uint32, constants *[64]uint32, p []byte)
