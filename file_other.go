//go:build !unix

package wasmaot

import (
	"fmt"
	"os"

	"github.com/wasmaot/wasmaot/compiler/artifact"
)

// openArtifact reads and checks an artifact.
func openArtifact(path string) (*artifact.Artifact, error) {
	data, err := os.ReadFile(path)
	if err != nil {
		return nil, err
	}
	a, err := artifact.Decode(data)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", path, err)
	}
	return a, nil
}
