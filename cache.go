package wasmaot

import (
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"

	"github.com/wasmaot/wasmaot/compiler"
	"github.com/wasmaot/wasmaot/compiler/abi"
	"github.com/wasmaot/wasmaot/compiler/artifact"
)

// A Cache keeps artifacts in a directory, named by what they were made from: the module's contents, the
// compiler's build and the options that shape code. Entries are published by renaming a complete
// file, so any number of processes may share the directory.
type Cache struct {
	dir string
}

// DefaultCacheDir is the directory "wasmaot" in the user's cache directory.
func DefaultCacheDir() (string, error) {
	dir, err := os.UserCacheDir()
	if err != nil {
		return "", fmt.Errorf("no cache directory: %w", err)
	}
	return filepath.Join(dir, "wasmaot"), nil
}

// OpenCache gives the cache in dir, which is made when the first entry is stored.
func OpenCache(dir string) *Cache { return &Cache{dir} }

// Dir is the cache's directory.
func (c *Cache) Dir() string { return c.dir }

func (c *Cache) path(src []byte, options string) string {
	hash := sha256.Sum256(src)
	h := sha256.New()
	fmt.Fprintf(h, "%x %d %d %q %q", hash, abi.Version, artifact.FormatVersion, compiler.Build(), options)
	name := hex.EncodeToString(h.Sum(nil))
	return filepath.Join(c.dir, name[:2], name[2:]+".cwasm")
}

// load gives the artifact in the file, nil without an error if there is none. A file that other users
// could have written is not trusted: an artifact is code.
func (c *Cache) load(path string) (*artifact.Artifact, error) {
	f, err := openArtifact(path)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	return f, err
}

// store publishes an artifact.
func (c *Cache) store(path string, a *artifact.Artifact) error {
	data, err := a.Encode()
	if err != nil {
		return err
	}
	if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
		return err
	}
	return writeFileAtomic(path, data, 0o600)
}

// writeFileAtomic writes a file that appears whole or not at all.
func writeFileAtomic(path string, data []byte, mode fs.FileMode) (err error) {
	tmp, err := os.CreateTemp(filepath.Dir(path), ".tmp-*")
	if err != nil {
		return err
	}
	defer func() {
		if err != nil {
			tmp.Close()
			os.Remove(tmp.Name())
		}
	}()
	if _, err = tmp.Write(data); err != nil {
		return err
	}
	if err = tmp.Chmod(mode); err != nil {
		return err
	}
	if err = tmp.Close(); err != nil {
		return err
	}
	return os.Rename(tmp.Name(), path)
}
