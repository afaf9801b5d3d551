//go:build unix

package compiler

import "syscall"

// readSelf reads the beginning of the running program. It uses system calls because package os would make an epoll for the file,
// which a warm start does not need otherwise.
func readSelf(b []byte) int {
	fd, err := syscall.Open(selfPath, syscall.O_RDONLY|syscall.O_CLOEXEC, 0)
	if err != nil {
		return 0
	}
	defer syscall.Close(fd)
	n, err := syscall.Read(fd, b)
	if err != nil {
		return 0
	}
	return n
}
