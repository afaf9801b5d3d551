package main

import (
	"io"
	"io/fs"

	"github.com/wasmaot/wasmaot/compiler/artifact"
	"golang.org/x/sys/unix"
)

// open maps the artifact from the running program's file, and gives the settings beside it.
func open() (*artifact.Artifact, []string, error) {
	fd, err := openSelf()
	if err != nil {
		return nil, nil, err
	}
	var st unix.Stat_t
	if err := unix.Fstat(fd, &st); err != nil {
		return nil, nil, err
	}
	b, err := artifact.ReadBundle(file(fd), st.Size)
	if err != nil {
		return nil, nil, err
	}
	a, err := artifact.Map(fd, b.Off, b.Size)
	if err == nil {
		// Code and contents of memory are not compared: no more than the rest of this file, the program itself, which no one compares either. The header
		// and the tables are, so that what stands here was put here.
		a.Check = nil
	}
	return a, b.Settings, err
}

// openSelf opens the running program. Without a /proc, as in an empty root, it takes the path that the kernel was given.
func openSelf() (int, error) {
	const atEXECFN = 31 // getauxval(3)
	const flags = unix.O_RDONLY | unix.O_CLOEXEC
	fd, err := unix.Open("/proc/self/exe", flags, 0)
	if err == nil {
		return fd, nil
	}
	vector, auxErr := unix.Auxv()
	if auxErr != nil {
		return -1, &fs.PathError{Op: "open", Path: "/proc/self/exe", Err: err}
	}
	for _, e := range vector {
		if e[0] == atEXECFN {
			path := unix.BytePtrToString(bytePtr(e[1]))
			if fd, err = unix.Open(path, flags, 0); err != nil {
				return -1, &fs.PathError{Op: "open", Path: path, Err: err}
			}
			return fd, nil
		}
	}
	return -1, &fs.PathError{Op: "open", Path: "/proc/self/exe", Err: err}
}

// file reads an open file.
type file int

func (f file) ReadAt(b []byte, off int64) (int, error) {
	n, err := unix.Pread(int(f), b, off)
	if err == nil && n < len(b) {
		err = io.ErrUnexpectedEOF
	}
	return max(n, 0), err
}
