//go:build unix

package wasmaot

import (
	"errors"
	"fmt"
	"io/fs"
	"os"

	"github.com/wasmaot/wasmaot/compiler/artifact"
	"golang.org/x/sys/unix"
)

// openArtifact maps an artifact. The file must belong to this user or to root and be writable by its owner
// alone. It stays open and mapped until the artifact's Release is called.
//
// Its contents are compared with the checksums, unless sound knows the file's identity: then they were before, and did not change. The file's
// identity is given with the artifact, and the fileClock before they were compared.
//
// It uses system calls rather than package os, which would make an epoll for the file.
func openArtifact(path string, sound func(*identity) bool) (_ *artifact.Artifact, _ *identity, clock int64, err error) {
	fd, err := unix.Open(path, unix.O_RDONLY|unix.O_CLOEXEC|unix.O_NONBLOCK, 0) // a pipe must not block
	if err != nil {
		return nil, nil, 0, &fs.PathError{Op: "open", Path: path, Err: err}
	}
	var st unix.Stat_t
	if err = unix.Fstat(fd, &st); err == nil {
		var a *artifact.Artifact
		if a, err = mapArtifact(fd, &st); err == nil {
			id := newIdentity(&st)
			if !sound(id) {
				clock = fileClock()
				err = a.Check()
			}
			if a.Check = nil; err == nil {
				return a, id, clock, nil
			}
			return nil, nil, 0, errors.Join(fmt.Errorf("%s: %w", path, err), a.Release())
		}
	}
	return nil, nil, 0, errors.Join(fmt.Errorf("%s: %w", path, err), unix.Close(fd))
}

func mapArtifact(fd int, st *unix.Stat_t) (*artifact.Artifact, error) {
	if st.Mode&unix.S_IFMT != unix.S_IFREG {
		return nil, errors.New("expected a regular file")
	}
	if uid := os.Geteuid(); st.Uid != 0 && int(st.Uid) != uid || st.Mode&0o022 != 0 {
		return nil, fmt.Errorf("not trusted: expected an artifact that only user %d can write, found owner %d, mode %o", uid, st.Uid, st.Mode&0o777)
	}
	if st.Size == 0 {
		return nil, fmt.Errorf("%w: empty file", artifact.ErrNotArtifact)
	}
	return artifact.Map(fd, 0, st.Size)
}
