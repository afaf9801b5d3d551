//go:build linux && amd64

package cpu

import "golang.org/x/sys/unix"

// hasFSGSBASE asks the kernel, which must allow the instructions (Linux 5.9;
// Documentation/arch/x86/x86_64/fsgs.rst).
func hasFSGSBASE() bool {
	const atHWCAP2, hwcap2FSGSBASE = 26, 2
	vec, err := unix.Auxv()
	if err != nil {
		return false
	}
	for _, e := range vec {
		if e[0] == atHWCAP2 {
			return e[1]&hwcap2FSGSBASE != 0
		}
	}
	return false
}
