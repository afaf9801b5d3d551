//go:build !linux

package vmem

func osReserve(uint64) (uint64, error)                { return 0, ErrUnsupported }
func osRelease(_, size uint64) error                  { return nil }
func osProtect(base, size uint64, _ protection) error { return ErrUnsupported }
func osReset(base, size uint64) error                 { return ErrUnsupported }
