package wasmaot

import (
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/wasmaot/wasmaot/wasi"
)

// AddDir gives a guest the host directory dir under the name guest. An empty guest name means that the guest shall see the directory where
// the host does, by relative and by absolute path: it gets the name as it was given and, for programs built by Go, which
// know no relative preopens, the absolute one, and PWD is set to the host's working directory unless it is set already.
func AddDir(c *wasi.Config, dir, guest string, readOnly bool) error {
	if guest != "" {
		c.Dirs = append(c.Dirs, wasi.Dir{Host: dir, Guest: guest, ReadOnly: readOnly})
		return nil
	}
	wd, err := os.Getwd()
	if err != nil {
		return err
	}
	abs := dir
	if !filepath.IsAbs(abs) {
		abs = filepath.Join(wd, dir)
		c.Dirs = append(c.Dirs, wasi.Dir{Host: dir, Guest: filepath.ToSlash(dir), ReadOnly: readOnly})
	}
	c.Dirs = append(c.Dirs, wasi.Dir{Host: dir, Guest: filepath.ToSlash(abs), ReadOnly: readOnly})
	if !slices.ContainsFunc(c.Env, func(e string) bool { return strings.HasPrefix(e, "PWD=") }) {
		c.Env = append(c.Env, "PWD="+filepath.ToSlash(wd))
	}
	return nil
}
