//go:build !unix

package wasmaot

import (
	"fmt"
	"os"

	"github.com/wasmaot/wasmaot/compiler/artifact"
)

// openArtifact reads and checks an artifact. Of the file's identity there is the time of its last modification.
func openArtifact(path string, _ func(*identity) bool) (_ *artifact.Artifact, _ *identity, clock int64, err error) {
	info, err := os.Stat(path)
	if err != nil {
		return nil, nil, 0, err
	}
	data, err := os.ReadFile(path)
	if err != nil {
		return nil, nil, 0, err
	}
	a, err := artifact.Decode(data)
	if err != nil {
		return nil, nil, 0, fmt.Errorf("%s: %w", path, err)
	}
	return a, &identity{mtime: info.ModTime().UnixNano()}, 0, nil
}
