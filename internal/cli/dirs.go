package cli

import (
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/wasmaot/wasmaot/wasi"
)

// AddDir gives a guest the host directory dir under the name guest. An empty guest name means that the guest shall see
// the directory where the host does: relative names are wasi.Config's business, and with an absolute one, PWD becomes the
// host's working directory if that is below dir and PWD is not set already, so that relative paths mean the same.
func AddDir(c *wasi.Config, dir, guest string, readOnly bool) error {
	c.Dirs = append(c.Dirs, wasi.Dir{Host: dir, Guest: filepath.ToSlash(guest), ReadOnly: readOnly})
	if guest != "" || !filepath.IsAbs(dir) {
		return nil
	}
	wd, err := os.Getwd()
	if err != nil {
		return err
	}
	rel, err := filepath.Rel(dir, wd)
	if err != nil || rel == ".." || strings.HasPrefix(rel, ".."+string(filepath.Separator)) {
		return nil
	}
	if !slices.ContainsFunc(c.Env, func(e string) bool { return strings.HasPrefix(e, "PWD=") }) {
		c.Env = append(c.Env, "PWD="+filepath.ToSlash(wd))
	}
	return nil
}
