//go:build !unix

package wasmaot

import (
	"fmt"
	"os"

	"github.com/wasmaot/wasmaot/compiler/artifact"
)

type artifactFile struct{ *artifact.Artifact }

func (f *artifactFile) Close() error { return nil }

func mapArtifact(path string) (*artifactFile, error) {
	data, err := os.ReadFile(path)
	if err != nil {
		return nil, err
	}
	a, err := artifact.Decode(data)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", path, err)
	}
	return &artifactFile{a}, nil
}
