//go:build !unix

package wasmaot

import (
	"fmt"
	"os"

	"github.com/wasmaot/wasmaot/compiler/artifact"
)

// openArtifact reads and checks an artifact. Of the file's identity there is the time of its last modification.
func openArtifact(path string, _ func(*identity) bool) (*artifact.Artifact, *identity, error) {
	info, err := os.Stat(path)
	if err != nil {
		return nil, nil, err
	}
	data, err := os.ReadFile(path)
	if err != nil {
		return nil, nil, err
	}
	a, err := artifact.Decode(data)
	if err != nil {
		return nil, nil, fmt.Errorf("%s: %w", path, err)
	}
	return a, &identity{mtime: info.ModTime().UnixNano()}, nil
}
