package sha256

import (
	"golang.org/x/sys/unix"

	"github.com/wasmaot/wasmaot/internal/lazy"
)

func blocks(state *[8]uint32, p []byte) {
	if hasExtension.Get(askExtension) {
		extension(state, &constants, p)
		return
	}
	generic(state, p)
}

var hasExtension lazy.Value[bool]

// askExtension asks the kernel for FEAT_SHA256 (Linux, Documentation/arch/arm64/elf_hwcaps.rst).
func askExtension() bool {
	const atHWCAP, hwcapSHA2 = 16, 1 << 6
	vec, err := unix.Auxv()
	if err != nil {
		return false
	}
	for _, e := range vec {
		if e[0] == atHWCAP {
			return e[1]&hwcapSHA2 != 0
		}
	}
	return false
}

// extension is generic with the processor's instructions for it.
//
//go:noescape
func extension(state *[8]uint32, constants *[64]uint32, p []byte)
