package sandbox

import (
	"path"

	"golang.org/x/sys/unix"
)

// CheckFile refuses, with EACCES, a file that a guest has opened and through which it could reach more than files: /proc/self/mem is the memory of the process, that
// with the compiled code included, whatever its pages allow. Of the proc file system (proc(5)), wherever it is mounted, nothing is written, and memory is not read. Its links
// to open files and mappings are none to a Walker. st is the file's status, write whether it is open for writing.
func CheckFile(fd int, st *unix.Stat_t, write bool) error {
	// The file system has no device, its files have no blocks: for most others the kernel need not be asked.
	if st.Mode&unix.S_IFMT != unix.S_IFREG || st.Blocks != 0 || unix.Major(st.Dev) != 0 {
		return nil
	}
	var fs unix.Statfs_t
	if err := unix.Fstatfs(fd, &fs); err != nil {
		return err
	}
	if fs.Type != unix.PROC_SUPER_MAGIC {
		return nil
	}
	if write {
		return unix.EACCES
	}
	var name [pathMax]byte
	n, err := unix.Readlink(procPath(fd), name[:])
	if err != nil {
		return unix.EACCES
	}
	switch path.Base(string(name[:n])) {
	case "mem", "kcore": // the latter is that of the machine
		return unix.EACCES
	}
	return nil
}
