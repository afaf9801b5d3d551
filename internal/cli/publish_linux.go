package cli

import (
	"errors"
	"os"

	"golang.org/x/sys/unix"
)

// publish puts a finished file in its place. A file that is there changes places with it and is removed then: ext4 writes what
// is renamed over another file to the disk at once, which may take a good part of a compilation's time. What is lost with
// the power is found by its checksums.
func publish(tmp, path string) error {
	if fi, err := os.Lstat(path); err != nil || !fi.Mode().IsRegular() || swapFiles(tmp, path) != nil {
		return os.Rename(tmp, path)
	}
	if err := unix.Unlink(tmp); err != nil && err != unix.ENOENT {
		return errors.Join(&os.PathError{Op: "unlink", Path: tmp, Err: err}, swapFiles(tmp, path)) // no file any more
	}
	return nil
}

func swapFiles(a, b string) error {
	return unix.Renameat2(unix.AT_FDCWD, a, unix.AT_FDCWD, b, unix.RENAME_EXCHANGE)
}
