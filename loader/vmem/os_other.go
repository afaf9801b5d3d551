//go:build !linux

package vmem

func osReserve(at, size uint64) (uint64, error)       { return 0, ErrUnsupported }
func osRelease(_, size uint64) error                  { return nil }
func osProtect(base, size uint64, _ protection) error { return ErrUnsupported }
func osReset(base, size uint64) error                 { return ErrUnsupported }
func osMapFile(base, size uint64, fd int, at int64, p protection, shared bool) error {
	return ErrUnsupported
}
func osClear(base, size uint64) error    { return ErrUnsupported }
func osUntouched(base, size uint64) bool { return false }
