//go:build !linux

package vmem

// MemoryFile makes a file in memory with the given contents.
func MemoryFile([]byte) (fd int, err error) { return -1, ErrUnsupported }

// CloseFile closes what MemoryFile gave.
func CloseFile(int) error { return nil }

func growFile(fd int, size int64) error          { return ErrUnsupported }
func writeFile(fd int, b []byte, at int64) error { return ErrUnsupported }
