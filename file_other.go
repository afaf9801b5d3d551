//go:build !unix

package wasmaot

import (
	"fmt"
	"os"
	"time"

	"github.com/wasmaot/wasmaot/compiler/artifact"
)

// openArtifact reads and checks an artifact. It also gives the time of the file's last modification.
func openArtifact(path string) (*artifact.Artifact, time.Time, error) {
	info, err := os.Stat(path)
	if err != nil {
		return nil, time.Time{}, err
	}
	data, err := os.ReadFile(path)
	if err != nil {
		return nil, time.Time{}, err
	}
	a, err := artifact.Decode(data)
	if err != nil {
		return nil, time.Time{}, fmt.Errorf("%s: %w", path, err)
	}
	return a, info.ModTime(), nil
}
