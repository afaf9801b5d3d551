//go:build unix

package wasmaot

import (
	"fmt"
	"os"

	"github.com/wasmaot/wasmaot/compiler/artifact"
	"golang.org/x/sys/unix"
)

// artifactFile is an artifact in a mapped file.
type artifactFile struct {
	*artifact.Artifact
	mapping []byte
}

func (f *artifactFile) Close() error {
	if f.mapping == nil {
		return nil
	}
	m := f.mapping
	f.mapping = nil
	return unix.Munmap(m)
}

// mapArtifact maps and checks an artifact. The file must belong to this user or to root and be writable by its owner alone.
func mapArtifact(path string) (*artifactFile, error) {
	file, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	defer file.Close()
	var st unix.Stat_t
	if err := unix.Fstat(int(file.Fd()), &st); err != nil {
		return nil, &os.PathError{Op: "stat", Path: path, Err: err}
	}
	if st.Mode&unix.S_IFMT != unix.S_IFREG {
		return nil, fmt.Errorf("%s: expected a regular file", path)
	}
	if uid := os.Geteuid(); st.Uid != 0 && int(st.Uid) != uid || st.Mode&0o022 != 0 {
		return nil, fmt.Errorf("%s: not trusted: expected an artifact that only user %d can write, found owner %d, mode %o", path, uid, st.Uid, st.Mode&0o777)
	}
	if st.Size == 0 {
		return nil, fmt.Errorf("%s: %w: empty file", path, artifact.ErrNotArtifact)
	}
	m, err := unix.Mmap(int(file.Fd()), 0, int(st.Size), unix.PROT_READ, unix.MAP_PRIVATE)
	if err != nil {
		return nil, &os.PathError{Op: "mmap", Path: path, Err: err}
	}
	a, err := artifact.Decode(m)
	if err != nil {
		unix.Munmap(m)
		return nil, fmt.Errorf("%s: %w", path, err)
	}
	return &artifactFile{a, m}, nil
}
